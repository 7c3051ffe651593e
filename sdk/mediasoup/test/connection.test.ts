import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { createWorker, errors, setServer } from "../src/index";
import { CAPABILITIES, FakeServer, producerInfo, RTP_PARAMETERS, webRtcTransportInfo } from "./fakeServer";

let server: FakeServer;

beforeEach(async () => {
  server = await FakeServer.start();
  setServer({ url: server.url, apiKey: "key", graceMs: 5_000 });
});

afterEach(() => server.stop());

test("a worker is made on the server that was set, with its key", async () => {
  const worker = await createWorker();
  assert.equal(worker.pid, 4711);
  assert.deepEqual(server.apiKeys, ["key"]);
  worker.close();
  await once(worker, "subprocessclose");
});

test("the server is told what the application gave, and to end the worker with the connection", async () => {
  const worker = await createWorker({ logLevel: "warn", workerBin: "/usr/bin/true", appData: { mine: () => 1 } });
  assert.deepEqual(server.last("worker.create"), { logLevel: "warn", onDisconnect: "close", disconnectGraceMs: 5_000 });
  worker.close();
});

test("the connection lasts from the first worker to the last, and ends on purpose", async () => {
  const [first, second] = [await createWorker(), await createWorker()];
  assert.equal(server.connections, 1);
  first.close();
  await once(first, "subprocessclose");
  assert.equal(server.connections, 1);
  second.close();
  assert.equal(second.subprocessClosed, false);
  await once(second, "subprocessclose");
  assert.equal(second.subprocessClosed, true);
  await server.until(() => server.closeCodes.length === 1);
  assert.deepEqual(server.closeCodes, [1000]);
  const third = await createWorker();
  assert.equal(server.connections, 1);
  third.close();
});

test("a worker that is made while the last one ends keeps the connection", async () => {
  const first = await createWorker();
  server.answers["worker.close"] = server.answers["worker.create"] = "hold";
  first.close();
  const second = createWorker();
  await server.until(() => server.types().slice(-2).join() === "worker.close,worker.create");
  delete server.answers["worker.close"];
  const [close, create] = server.commands.slice(-2);
  server.send(JSON.stringify({ type: "response", id: close!.id, success: true }));
  server.event("worker.closed", { workerId: "another" }); // What comes between them puts the second answer off.
  server.send(JSON.stringify({ type: "response", id: create!.id, success: true, data: { id: "worker-2", pid: 1 } }));
  const worker = await second;
  await worker.dump();
  assert.deepEqual(server.closeCodes, []);
  worker.close();
});

test("commands go out in the order of their calls, awaited or not", async () => {
  const worker = await createWorker();
  const router = await worker.createRouter();
  const transport = await router.createDirectTransport();
  const producer = await transport.produceData();
  producer.send("a");
  void producer.pause();
  producer.send("b");
  router.updateMediaCodecs([]);
  transport.close();
  await router.dump();
  const sent = server.types().slice(-6);
  assert.deepEqual(sent, ["dataProducer.send", "dataProducer.pause", "dataProducer.send", "router.updateMediaCodecs", "transport.close", "router.dump"]);
  worker.close();
});

test("failures are of mediasoup's classes, with the server's code", async () => {
  const worker = await createWorker();
  const expected: [string, new (message: string) => Error][] = [
    ["INVALID_FIELD", TypeError],
    ["MISSING_FIELD", TypeError],
    ["INVALID_PARAMETERS", TypeError],
    ["UNSUPPORTED", errors.UnsupportedError],
    ["CONSUMER_ERROR", errors.UnsupportedError],
    ["INVALID_STATE", errors.InvalidStateError],
    ["PRODUCER_NOT_FOUND", errors.NotFoundError],
    ["WORKER_NOT_FOUND", errors.WorkerClosedError],
    ["INTERNAL_ERROR", Error],
  ];
  for (const [code, Class] of expected) {
    server.fail("worker.dump", code, "no");
    await assert.rejects(worker.dump(), (error: Error & { code?: string }) => {
      assert.equal(error.constructor, Class, code);
      assert.equal(error.code, code);
      assert.equal(error.message, "no");
      return true;
    });
  }
  worker.close();
  await assert.rejects(worker.dump(), errors.WorkerClosedError);
});

test("what is not answered when a worker is closed is rejected", async () => {
  const worker = await createWorker();
  server.answers["worker.dump"] = "hold";
  const dump = worker.dump();
  worker.close();
  await assert.rejects(dump, errors.WorkerClosedError);
});

test("who has awaited an answer hears of the event that comes right after it", async () => {
  const worker = await createWorker();
  const router = await worker.createRouter();
  const transport = await router.createWebRtcTransport({ listenIps: ["127.0.0.1"] });
  server.answers["transport.produce"] = () => {
    setImmediate(() => server.event("producer.score", { routerId: router.id, producerId: "p", score: [{ encodingIdx: 0, ssrc: 1, score: 7 }] }));
    return producerInfo("p");
  };
  const producer = await transport.produce({ kind: "audio", rtpParameters: RTP_PARAMETERS });
  const [score] = (await once(producer, "score")) as [unknown];
  assert.deepEqual(score, [{ encodingIdx: 0, ssrc: 1, score: 7 }]);
  worker.close();
});

test("what came before the connection was lost is not lost with it", async () => {
  const worker = await createWorker();
  const router = await worker.createRouter();
  server.answers["router.dump"] = () => {
    server.send('{"type":"response","id":"none","success":true}');
    server.event("router.closed", { routerId: "another" });
    setImmediate(() => server.drop());
    return { id: "dumped" };
  };
  assert.equal((await router.dump()).id, "dumped");
  worker.close();
});

test("what happens to an object before its answer is not forgotten", async () => {
  const worker = await createWorker();
  const router = await worker.createRouter();
  const transport = await router.createWebRtcTransport({ listenIps: ["127.0.0.1"] });
  server.answers["transport.consume"] = () => {
    server.event("consumer.closed", { routerId: router.id, consumerId: "c", reason: "producerClosed" });
    return { id: "c", producerId: "p", kind: "audio", type: "simple", rtpParameters: {}, paused: false, producerPaused: false };
  };
  const consumer = await transport.consume({ producerId: "p", rtpCapabilities: CAPABILITIES });
  assert.equal(consumer.closed, false);
  await once(consumer, "producerclose");
  assert.equal(consumer.closed, true);
  worker.close();
});

test("a server that cannot be reached or refuses is told of at once", async () => {
  server.refuse = { times: 1, status: 401 };
  await assert.rejects(createWorker(), /refused the connection with status 401/);
  setServer({ url: "ws://127.0.0.1:1" });
  await assert.rejects(createWorker(), /no connection to 127.0.0.1:1/);
});

/** A worker with a router, a transport and a producer. */
async function makeObjects() {
  const worker = await createWorker();
  const router = await worker.createRouter();
  const transport = await router.createWebRtcTransport({ listenIps: ["127.0.0.1"] });
  const producer = await transport.produce({ kind: "audio", rtpParameters: RTP_PARAMETERS });
  return { worker, router, transport, producer };
}

type Objects = Awaited<ReturnType<typeof makeObjects>>;

/** What the server says of them. */
function snapshotOf({ worker, router, transport, producer }: Objects, changed: { transport?: object; producer?: object } = {}) {
  return {
    worker: { id: "worker-1", pid: worker.pid },
    webRtcServers: [] as object[],
    routers: [
      {
        router: { id: router.id, rtpCapabilities: CAPABILITIES },
        transports: [{ ...webRtcTransportInfo(transport.id), ...changed.transport }],
        producers: [producerInfo(producer.id, { transportId: transport.id, ...changed.producer })],
        consumers: [] as object[],
        dataProducers: [] as object[],
        dataConsumers: [] as object[],
        rtpObservers: [] as object[],
      },
    ],
  };
}

test("after a loss the connection comes back, and getters are as on the server", async () => {
  const objects = await makeObjects();
  const { worker, router, transport, producer } = objects;
  const snapshot = snapshotOf(objects, { transport: { iceState: "completed", dtlsState: "connected" }, producer: { paused: true } });
  snapshot.routers[0]!.consumers.push({ id: "orphan" });
  server.answers["worker.attach"] = () => snapshot;
  const heard: string[] = [];
  transport.on("icestatechange", (state) => heard.push(`ice ${state}`));
  transport.on("dtlsstatechange", (state) => heard.push(`dtls ${state}`));
  producer.observer.on("pause", () => heard.push("pause"));

  server.answers["producer.dump"] = "hold";
  const unanswered = producer.dump();
  await server.until(() => server.types().includes("producer.dump"));
  server.drop();
  await assert.rejects(unanswered, errors.ConnectionLostError);
  delete server.answers["router.dump"];
  await router.dump();

  const types = server.types();
  assert.ok(types.indexOf("worker.attach") < types.indexOf("router.dump"), "what waits comes after the snapshot");
  assert.deepEqual(heard.sort(), ["dtls connected", "ice completed", "pause"]);
  assert.equal(transport.iceState, "completed");
  assert.equal(producer.paused, true);
  // Its answer was lost.
  assert.deepEqual(server.last("consumer.close"), { routerId: router.id, consumerId: "orphan" });
  assert.equal(worker.died, false);
  worker.close();
});

test("what the server does not have any more after a loss is closed", async () => {
  const objects = await makeObjects();
  const { worker, router, transport, producer } = objects;
  const snapshot = snapshotOf(objects);
  snapshot.routers[0]!.transports = [];
  snapshot.routers[0]!.producers = [];
  server.answers["worker.attach"] = () => snapshot;
  const closed = Promise.all([once(transport.observer, "close"), once(producer, "transportclose")]);
  server.drop();
  await closed;
  assert.equal(router.closed, false);
  assert.equal(transport.closed && producer.closed, true);
  worker.close();
});

test("packets of the meantime are dropped, and closings are made up for", async () => {
  const worker = await createWorker();
  const router = await worker.createRouter();
  const direct = await router.createDirectTransport();
  const producer = await direct.produceData();
  server.refuse = { times: 2, status: 503 };
  server.answers["worker.attach"] = () => ({
    worker: {},
    webRtcServers: [],
    routers: [
      {
        router: { id: router.id, rtpCapabilities: CAPABILITIES },
        transports: [{ id: direct.id, type: "direct" }],
        producers: [],
        consumers: [],
        dataProducers: [{ id: producer.id, paused: false }],
        dataConsumers: [],
        rtpObservers: [],
      },
    ],
  });
  server.answers["router.dump"] = "hold";
  const lost = router.dump();
  server.drop();
  await assert.rejects(lost, errors.ConnectionLostError);
  producer.send("lost");
  direct.close();
  await server.until(() => server.types().includes("transport.close"));
  assert.ok(!server.types().includes("dataProducer.send"));
  worker.close();
});

test("workers die with the grace, and all that is in them", async () => {
  setServer({ url: server.url, graceMs: 150 });
  const { worker, router, transport, producer } = await makeObjects();
  const heard: string[] = [];
  worker.on("died", () => heard.push(`died, closed ${worker.closed}`));
  worker.on("subprocessclose", () => heard.push("subprocessclose"));
  worker.observer.on("close", () => heard.push("observer close"));
  router.on("workerclose", () => heard.push("workerclose"));
  transport.on("routerclose", () => heard.push("routerclose"));
  producer.on("transportclose", () => heard.push("transportclose"));
  const died = once(worker, "died");
  await server.stop();
  const waiting = assert.rejects(router.dump(), Error);
  await died;
  await waiting;
  await new Promise(setImmediate);
  assert.deepEqual(heard, ["transportclose", "routerclose", "workerclose", "died, closed true", "subprocessclose", "observer close"]);
  assert.equal(worker.died, true);
  await assert.rejects(worker.dump(), errors.WorkerClosedError);
});

test("a server that is set again has the connection that it had", async () => {
  const first = await createWorker();
  setServer({ url: `${server.url}/takos-api`, apiKey: "key", graceMs: 5_000 });
  const second = await createWorker();
  assert.equal(server.connections, 1);
  setServer({ url: server.url, apiKey: "another", graceMs: 5_000 });
  const third = await createWorker();
  assert.equal(server.connections, 2);
  for (const worker of [first, second, third]) worker.close();
});

test("what makes no sense ends neither the process nor, if it is a message, the connection", async () => {
  const worker = await createWorker();
  const router = await worker.createRouter();
  server.event(undefined as never, {});
  server.event("consumer.score", { routerId: router.id });
  server.event("worker.log", { workerId: "worker-1" });
  await router.dump();
  assert.equal(server.connections, 1);
  server.answers["worker.attach"] = () => ({ worker: {}, webRtcServers: [], routers: [] });
  const closed = once(router.observer, "close");
  server.send("{");
  await closed;
  server.send("null");
  await server.until(() => server.types().filter((type) => type === "worker.attach").length === 2);
  assert.equal(worker.died, false);
  worker.close();
});

test("a process that ends takes leave, however it is ended", async () => {
  const keepAlive = "const worker = await require('./dist').createWorker();";
  const ends: [script: string, how: (child: ChildProcess) => void, code: number | null, signal: string | null][] = [
    [`${keepAlive} process.exit(3);`, () => {}, 3, null],
    [`${keepAlive} worker.close();`, () => {}, 0, null],
    [keepAlive, (child) => child.kill("SIGTERM"), null, "SIGTERM"],
    [keepAlive, (child) => child.kill("SIGINT"), null, "SIGINT"],
    [`process.on("SIGTERM", () => worker.close()); ${keepAlive.replace("const worker", "worker")}`, (child) => child.kill("SIGTERM"), 0, null],
  ];
  for (const [script, end, code, signal] of ends) {
    server.closeCodes.length = 0;
    const env = { ...process.env, TAKOS_CALL_URL: server.url };
    const child = spawn(process.execPath, ["-e", `(async () => { ${script} console.log("made"); })()`], { env, stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    child.stdout!.once("data", () => end(child));
    assert.deepEqual(await exited, [code, signal], script);
    await server.until(() => server.closeCodes.length === 1);
    assert.deepEqual(server.closeCodes, [1000], script);
  }
});

test("a worker dies if the server comes back without it, or closes it", async () => {
  const [lost, closed] = [await createWorker(), await createWorker()];
  server.fail("worker.attach", "WORKER_NOT_FOUND");
  const died = Promise.all([once(lost, "died"), once(closed, "died")]);
  server.drop();
  await died;

  const worker = await createWorker();
  const told = once(worker, "died");
  server.event("worker.closed", { workerId: "worker-1" });
  await told;
  assert.equal(worker.closed, true);
});
