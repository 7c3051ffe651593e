// A conference server on mediasoup: rooms over WebSocket, and what is going on at /rooms and /census.
import { createServer } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { takeCensus } from "./census";
import type { Peer } from "./peer";
import { Room } from "./room";
import { port } from "./settings";
import { makeWorkers } from "./workers";

/** What a client asks for: {id, method, data}; it is answered by {id, data} or {id, error}. */
type Request = { id?: number; method: string; data: any };

const census = takeCensus();
const workers = await makeWorkers();
const rooms = new Map<string, Promise<Room>>();

const http = createServer(async ({ url }, response) => {
  const answer = url === "/census" ? census : url === "/rooms" ? await describe() : {};
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
});
new WebSocketServer({ server: http }).on("connection", (socket, { url }) => void serve(socket, new URL(url!, "http://host").searchParams));
http.listen(port, () => console.log(`rooms at port ${port}`));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const worker of workers) worker.close();
    process.exit(0);
  });
}

async function describe() {
  const usage = await Promise.all(workers.map((worker) => worker.getResourceUsage()));
  const opened = await Promise.all([...rooms].map(async ([id, room]) => ({ id, ...(await (await room).describe()) })));
  return { workers: await Promise.all(workers.map((worker) => worker.dump())), usage, rooms: opened };
}

/** The room of that name, which is opened when the first comes. */
function roomOf(id: string): Promise<Room> {
  const room = rooms.get(id) ?? Room.open(workers);
  rooms.set(id, room);
  return room;
}

async function serve(socket: WebSocket, query: URLSearchParams): Promise<void> {
  const id = query.get("room") ?? "room";
  const [name, room] = [query.get("name") ?? "nobody", roomOf(id)];
  let peer: Promise<Peer> | undefined;
  const notify = (event: string, data: object) => socket.send(JSON.stringify({ event, data }));
  const answer = async ({ method, data }: Request): Promise<object | void> => {
    if (method === "capabilities") return { rtpCapabilities: (await room).rtpCapabilities };
    if (method === "join") await (peer ??= (await room).join(name, data.rtpCapabilities, notify));
    else if (peer) return handle(await room, await peer, { method, data });
    else throw new Error("join first");
  };
  socket.on("message", async (text) => {
    const request = JSON.parse(String(text)) as Request;
    const reply = await answer(request).then((data) => ({ data: data ?? {} }), (error: Error) => ({ error: error.message }));
    socket.send(JSON.stringify({ id: request.id, ...reply }));
  });
  socket.on("close", async () => {
    const left = await room;
    if (peer) left.leave(await peer);
    if (left.peers.size > 0 || rooms.get(id) !== room) return;
    rooms.delete(id);
    left.close();
  });
}

async function handle(room: Room, peer: Peer, { method, data }: Request): Promise<object | void> {
  switch (method) {
    case "createTransport":
      return peer.createTransport(data.direction);
    case "connectTransport":
      return peer.transport(data.transportId).connect({ dtlsParameters: data.dtlsParameters });
    case "restartIce":
      return { iceParameters: await peer.transport(data.transportId).restartIce() };
    case "receive":
      return room.welcome(peer);
    case "produce":
      return { id: (await room.produce(peer, data.transportId, data)).id };
    case "produceData":
      return { id: (await room.produceData(peer, data.transportId, data)).id };
    case "pauseProducer":
      return peer.producer(data.producerId).pause();
    case "resumeProducer":
      return peer.producer(data.producerId).resume();
    case "closeProducer":
      return peer.producer(data.producerId).close();
    case "pauseConsumer":
      return peer.consumer(data.consumerId).pause();
    case "resumeConsumer":
      return peer.consumer(data.consumerId).resume();
    case "setPreferredLayers":
      return peer.consumer(data.consumerId).setPreferredLayers(data.layers);
    case "setPriority":
      return peer.consumer(data.consumerId).setPriority(data.priority);
    case "requestKeyFrame":
      return peer.consumer(data.consumerId).requestKeyFrame();
    default:
      throw new Error(`there is no ${method}`);
  }
}
