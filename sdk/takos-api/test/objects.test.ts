import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import {
  Consumer,
  DataConsumer,
  DataProducer,
  OBJECT_EVENTS,
  Producer,
  Router,
  RtpObserver,
  TakosCallClient,
  Transport,
  WebRtcServer,
  Worker,
  type ClientEvents,
} from "@takos/call-api";
import { FakeServer } from "./fake-server";

let server: FakeServer;
let client: TakosCallClient;

beforeEach(async () => {
  server = new FakeServer();
  await server.start();
  client = new TakosCallClient({ url: server.url, reconnectInterval: 10 });
});

afterEach(async () => {
  client.disconnect();
  await server.stop();
});

/** The commands of objects, as objects.ts declares them. */
const commands = [...readFileSync("src/objects.ts", "utf8").matchAll(/^ {2}"(\w+\.\w+)": \[/gm)].map(([, name]) => name!);

const handles = () => {
  const router = { routerId: "r" };
  return {
    worker: new Worker(client, { workerId: "w" }),
    webRtcServer: new WebRtcServer(client, { workerId: "w", webRtcServerId: "s" }),
    router: new Router(client, router),
    transport: new Transport(client, { ...router, transportId: "t" }),
    producer: new Producer(client, { ...router, producerId: "p" }),
    consumer: new Consumer(client, { ...router, consumerId: "c" }),
    dataProducer: new DataProducer(client, { ...router, dataProducerId: "dp" }),
    dataConsumer: new DataConsumer(client, { ...router, dataConsumerId: "dc" }),
    rtpObserver: new RtpObserver(client, { ...router, rtpObserverId: "o" }),
  };
};

test("each command of an object is a method of its handle, which sends the address", async () => {
  const sent: string[] = [];
  for (const [object, handle] of Object.entries(handles())) {
    const methods = handle as unknown as Record<string, (argument: object) => Promise<unknown>>;
    for (const command of commands.filter((name) => name.startsWith(`${object}.`))) {
      const method = command.slice(object.length + 1);
      if (command === "worker.create" || command === "worker.list") continue; // of the client itself
      server.handlers[command] = () => ({ id: "made" });
      await methods[method]!({ given: 1 });
      const { type, data } = server.requests.at(-1)!;
      assert.equal(type, command);
      assert.deepEqual({ ...data, ...handle.address }, data, command);
      sent.push(command);
    }
  }
  server.handlers["worker.list"] = () => ({ workers: [] });
  server.handlers["worker.create"] = server.handlers["room.getRouter"] = () => ({ id: "made" });
  assert.equal((await client.createWorker({ appData: { a: 1 } })).id, "made");
  assert.equal((await client.getRoomRouter("room")).info.id, "made");
  assert.deepEqual(await client.getWorkers(), []);
  sent.push(...server.requests.slice(-3).map(({ type }) => type));
  assert.deepEqual([...new Set(sent)].sort(), [...commands].sort());
});

test("arguments go under their names, and answers come out of their wrapping", async () => {
  const { consumer, transport, router, dataConsumer } = handles();
  server.handlers["consumer.setPreferredLayers"] = (data) => {
    assert.deepEqual(data, { routerId: "r", consumerId: "c", spatialLayer: 1 });
    return { preferredLayers: { spatialLayer: 1, temporalLayer: 2 } };
  };
  assert.deepEqual(await consumer.setPreferredLayers({ spatialLayer: 1 }), { spatialLayer: 1, temporalLayer: 2 });
  server.handlers["router.canConsume"] = () => ({ canConsume: true });
  assert.equal(await router.canConsume("p", { codecs: [] }), true);
  assert.deepEqual(server.requests.at(-1)?.data, { routerId: "r", producerId: "p", rtpCapabilities: { codecs: [] } });
  server.handlers["dataConsumer.send"] = () => ({ bufferedAmount: 5 });
  assert.equal(await dataConsumer.send({ message: "hello" }), 5);
  server.handlers["transport.getStats"] = () => ({ stats: [{ type: "direct-transport" }] });
  assert.equal((await transport.getStats())[0]?.type, "direct-transport");
});

test("what a method makes is a handle with its info, whose address has the router", async () => {
  server.handlers["transport.produce"] = () => ({ id: "new", kind: "audio", paused: true });
  const producer = await handles().transport.produce({ kind: "audio", rtpParameters: { codecs: [] }, paused: true });
  assert.equal(producer.info.paused, true);
  await producer.resume();
  assert.deepEqual(server.requests.at(-1), { type: "producer.resume", id: "2", data: { routerId: "r", producerId: "new" } });
  await client.worker("w").webRtcServer("s").close();
  assert.deepEqual(server.requests.at(-1)?.data, { workerId: "w", webRtcServerId: "s" });
});

test("the events of objects come by name", async () => {
  await client.connect();
  const heard: [string, unknown][] = [];
  for (const name of OBJECT_EVENTS) client.on(name, (data: unknown) => heard.push([name, data]));
  client.on("consumer.layerschange", ({ consumerId, layers }) => heard.push([consumerId, layers?.spatialLayer ?? null]));
  for (const event of OBJECT_EVENTS) server.event({ event, routerId: "r" });
  server.event({ event: "consumer.layerschange", routerId: "r", consumerId: "c", layers: null });
  await client.getServerInfo();
  assert.deepEqual(heard.slice(0, 1), [[OBJECT_EVENTS[0], { routerId: "r" }]]);
  assert.deepEqual(heard.at(-1), ["c", null]);
  assert.equal(heard.length, OBJECT_EVENTS.length + 3);
});

function next<Name extends keyof ClientEvents>(name: Name): Promise<ClientEvents[Name]> {
  return new Promise((resolve) => client.on(name, resolve));
}

test("workers and routers are attached to again after a lost connection", async () => {
  const snapshot = { worker: { id: "w", pid: 1 }, webRtcServers: [], routers: [] };
  server.handlers["worker.create"] = () => ({ id: "w", pid: 1 });
  server.handlers["worker.attach"] = () => snapshot;
  server.handlers["router.attach"] = () => ({ router: { id: "r" } });
  const worker = await client.createWorker();
  await client.router("r").attach();
  await client.router("left").attach();
  await client.router("left").detach();
  await client.worker("other").attach();
  server.event({ event: "worker.closed", workerId: "other" });
  await client.getServerInfo();
  server.requests.length = 0;

  const [again, router] = [next("workerAttached"), next("routerAttached")];
  server.cut();
  assert.deepEqual(await again, snapshot);
  assert.deepEqual(await router, { router: { id: "r" } });
  assert.deepEqual(server.requests.map(({ type, data }) => [type, data]), [
    ["worker.attach", { workerId: "w" }],
    ["router.attach", { routerId: "r" }],
  ]);

  await worker.close();
  server.handlers["router.attach"] = () => {
    throw { code: "ROUTER_NOT_FOUND", message: "gone" };
  };
  const closed = next("router.closed");
  server.cut();
  assert.deepEqual(await closed, { routerId: "r", reason: "" });
  server.requests.length = 0;
  const connected = next("connected");
  server.cut();
  await connected;
  await client.getServerInfo();
  assert.deepEqual(server.requests.map(({ type }) => type), ["getServerInfo"]);
});
