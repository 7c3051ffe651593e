// A backend of one's own: it lets browsers into a room, and tells each what the others send.
// The browsers talk to this program only; this program drives takos-call through /takos-api.
//
//   TAKOS_URL=ws://127.0.0.1:3000/takos-api API_KEY=… PORT=8080 node server.mjs
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { build } from "esbuild";
import { TakosCallClient, TakosCallError } from "@takos/call-api";

const ROOM = `example-${randomUUID()}`;
const takos = new TakosCallClient({ url: process.env.TAKOS_URL ?? "ws://127.0.0.1:3000/takos-api", apiKey: process.env.API_KEY });

/** The browsers: by peer id, the stream of notices to each. */
const browsers = new Map();

const notify = (peerId, notice) => browsers.get(peerId)?.write(`data: ${JSON.stringify(notice)}\n\n`);

takos.on("producerCreated", ({ roomId, peerId, producerId, kind }) => {
  if (roomId !== ROOM) return;
  for (const other of browsers.keys()) if (other !== peerId) notify(other, { producerId, peerId, kind });
});
takos.on("producerClosed", ({ roomId, peerId, producerId }) => {
  if (roomId !== ROOM) return;
  for (const other of browsers.keys()) if (other !== peerId) notify(other, { closed: producerId });
});
// A browser that vanishes loses its transport after a while: that ends its stay.
takos.on("transportClosed", ({ roomId, peerId }) => {
  if (roomId === ROOM) void leave(peerId);
});

async function leave(peerId) {
  if (!browsers.delete(peerId)) return;
  await takos.removePeer(ROOM, peerId).catch(() => undefined);
}

/** What a page may ask for, each for the peer that it was made. */
const actions = {
  async join() {
    const peerId = `${randomUUID()}@example.org`;
    await takos.addPeer(ROOM, peerId);
    const [routerRtpCapabilities, send, recv] = await Promise.all([
      takos.getRouterRtpCapabilities(ROOM),
      takos.createTransport(ROOM, peerId, "send"),
      takos.createTransport(ROOM, peerId, "recv"),
    ]);
    return { peerId, routerRtpCapabilities, send, recv };
  },
  async producers({ peerId }) {
    const room = await takos.getRoomInfo(ROOM);
    const others = Object.values(room?.peers ?? {}).filter((peer) => peer.id !== peerId);
    return others.flatMap((peer) => Object.values(peer.producers).map(({ id, kind }) => ({ producerId: id, peerId: peer.id, kind })));
  },
  connect: ({ peerId, transportId, dtlsParameters }) => takos.connectTransport(ROOM, peerId, transportId, dtlsParameters),
  produce: ({ peerId, transportId, kind, rtpParameters }) => takos.createProducer(ROOM, peerId, transportId, kind, rtpParameters),
  consume: ({ peerId, transportId, producerId, rtpCapabilities }) =>
    takos.createConsumer(ROOM, peerId, transportId, producerId, rtpCapabilities),
};

async function act(request, response) {
  const name = new URL(request.url, "http://x").pathname.slice("/api/".length);
  let body = "";
  for await (const chunk of request) body += chunk;
  try {
    if (!Object.hasOwn(actions, name)) throw new TakosCallError("UNKNOWN_COMMAND", name);
    const answer = await actions[name](JSON.parse(body));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer ?? {}));
  } catch (error) {
    response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ code: error.code, message: error.message }));
  }
}

function listen(request, response) {
  const peerId = new URL(request.url, "http://x").searchParams.get("peerId");
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).flushHeaders();
  browsers.set(peerId, response);
  request.on("close", () => void leave(peerId));
}

const here = new URL(".", import.meta.url);
const page = await readFile(new URL("index.html", here));
const script = await build({ entryPoints: [new URL("page.js", here).pathname], bundle: true, format: "esm", write: false });

await takos.connect();
await takos.createRoom(ROOM, { maxPeers: 10 });

const server = createServer((request, response) => {
  if (request.url === "/") response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  else if (request.url === "/page.js") response.writeHead(200, { "content-type": "text/javascript" }).end(script.outputFiles[0].contents);
  else if (request.url.startsWith("/events?")) listen(request, response);
  else if (request.method === "POST" && request.url.startsWith("/api/")) void act(request, response);
  else response.writeHead(404).end();
});
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => console.log(`open http://127.0.0.1:${server.address().port}/ in two windows`));

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await takos.closeRoom(ROOM).catch(() => undefined);
    takos.disconnect();
    server.close();
    server.closeAllConnections();
  });
}
