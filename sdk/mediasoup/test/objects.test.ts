import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { createWorker, errors, observer } from "../src/index";
import type { DirectTransport, PlainTransport, Producer, Router, WebRtcTransport, Worker } from "../src/types";
import { CAPABILITIES, consumerInfo, dataConsumerInfo, FakeServer, OPUS, producerInfo, RTP_PARAMETERS } from "./fakeServer";

let server: FakeServer;
let worker: Worker;
let router: Router;

// The server that the environment names is the same for all tests of this process.
beforeEach(async () => {
  server = await FakeServer.start(Number(process.env.FAKE_PORT ?? 0));
  process.env.FAKE_PORT = `${server.port}`;
  process.env.TAKOS_CALL_URL = server.url;
  worker = await createWorker();
  router = await worker.createRouter({ mediaCodecs: [OPUS] });
});

afterEach(async () => {
  worker.close();
  await server.until(() => server.connections === 0);
  await server.stop();
});

/** What an emitter emits from now on, as "name: arguments in JSON". */
function listen(...emitters: { on(name: string, listener: (...args: unknown[]) => void): unknown }[]): { heard: string[]; on(...names: string[]): void } {
  const heard: string[] = [];
  return {
    heard,
    on(...names) {
      for (const emitter of emitters) for (const name of names) emitter.on(name, (...args) => heard.push([name, ...args.map((arg) => JSON.stringify(arg))].join(" ")));
    },
  };
}

/** Sends an event and waits until it has been handled. */
async function tell(event: string, data: object): Promise<void> {
  server.event(event, { routerId: router.id, ...data });
  await router.dump();
  await new Promise(setImmediate);
}

async function makeTransport(): Promise<WebRtcTransport> {
  return router.createWebRtcTransport({ listenIps: ["127.0.0.1"], enableSctp: true });
}

async function makeProducer(): Promise<Producer> {
  return (await makeTransport()).produce({ kind: "audio", rtpParameters: RTP_PARAMETERS });
}

test("observers tell of every object that is made, with its appData", async () => {
  const made: string[] = [];
  const note = (object: object) => made.push(object.constructor.name);
  observer.on("newworker", note);
  const other = await createWorker();
  other.observer.on("newrouter", note);
  other.observer.on("newwebrtcserver", note);
  const otherRouter = await other.createRouter();
  for (const name of ["newtransport", "newrtpobserver"] as const) otherRouter.observer.on(name, note);
  const webRtcServer = await other.createWebRtcServer({ listenInfos: [] });
  webRtcServer.observer.on("webrtctransporthandled", note);
  const transport = await otherRouter.createWebRtcTransport({ webRtcServer });
  for (const name of ["newproducer", "newconsumer", "newdataproducer", "newdataconsumer"] as const) transport.observer.on(name, note);
  const appData = { socket: { write: () => 1 } };
  const producer = await transport.produce({ kind: "audio", rtpParameters: RTP_PARAMETERS, appData });
  await transport.consume({ producerId: producer.id, rtpCapabilities: CAPABILITIES });
  const dataProducer = await transport.produceData({ sctpStreamParameters: { streamId: 1 } });
  await transport.consumeData({ dataProducerId: dataProducer.id });
  await otherRouter.createAudioLevelObserver();
  await otherRouter.createActiveSpeakerObserver();
  assert.deepEqual(made, [
    ...["WorkerImpl", "RouterImpl", "WebRtcServerImpl", "WebRtcTransportImpl", "WebRtcTransportImpl", "ProducerImpl", "ConsumerImpl"],
    ...["DataProducerImpl", "DataConsumerImpl", "AudioLevelObserverImpl", "ActiveSpeakerObserverImpl"],
  ]);
  assert.equal(producer.appData.socket, appData.socket, "it is the application's own object");
  assert.equal("appData" in server.last("transport.produce"), false);
  observer.off("newworker", note);
  other.close();
});

test("what is given wrong never leaves", async () => {
  const transport = await makeTransport();
  const direct = await router.createDirectTransport();
  const producer = await makeProducer();
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: CAPABILITIES });
  const before = server.commands.length;
  const wrong: (() => Promise<unknown>)[] = [
    () => worker.createRouter({ appData: "x" as never }),
    () => worker.createWebRtcServer({} as never),
    () => router.createWebRtcTransport({} as never),
    () => router.createWebRtcTransport({ listenIps: "127.0.0.1" as never }),
    () => router.createPlainTransport({} as never),
    () => router.createPlainTransport({ listenIp: "127.0.0.1", listenInfo: { protocol: "udp", ip: "127.0.0.1" } } as never),
    () => router.createPipeTransport({} as never),
    () => router.createAudioLevelObserver({ maxEntries: 0 }),
    () => router.createAudioLevelObserver({ threshold: 1 }),
    () => router.createActiveSpeakerObserver({ interval: "1" as never }),
    () => router.pipeToRouter({ router } as never),
    () => router.pipeToRouter({ producerId: producer.id, router }),
    () => router.pipeToRouter({ producerId: producer.id } as never),
    () => transport.produce({ kind: "text" as never, rtpParameters: RTP_PARAMETERS }),
    () => transport.produce({ kind: "audio", rtpParameters: {} as never }),
    () => transport.consume({ producerId: "", rtpCapabilities: CAPABILITIES }),
    () => transport.consume({ producerId: producer.id, rtpCapabilities: { codecs: {} as never } }),
    () => transport.produceData({}),
    () => transport.consumeData({} as never),
    () => transport.connect({} as never),
    () => transport.enableTraceEvent("bwe" as never),
    () => producer.enableTraceEvent([1 as never]),
    () => consumer.setPreferredLayers({} as never),
    () => consumer.setPriority(0),
    async () => direct.sendRtcp("x" as never),
    async () => producer.send("x" as never),
  ];
  for (const call of wrong) await assert.rejects(call(), TypeError, String(call));
  await assert.rejects(direct.setMaxIncomingBitrate(1), errors.UnsupportedError);
  assert.throws(() => router.updateMediaCodecs([{ kind: "audio", mimeType: "audio/none", clockRate: 1 }]), errors.UnsupportedError);
  assert.equal(server.commands.length, before);
});

test("older options of transports become listen infos", async () => {
  await router.createWebRtcTransport({ listenIps: ["1.1.1.1", { ip: "2.2.2.2", announcedIp: "3.3.3.3" }], enableTcp: true, preferTcp: true, port: 7 });
  assert.deepEqual(server.last("router.createWebRtcTransport").listenInfos, [
    { protocol: "tcp", ip: "1.1.1.1", port: 7 },
    { protocol: "udp", ip: "1.1.1.1", port: 7 },
    { protocol: "tcp", ip: "2.2.2.2", announcedAddress: "3.3.3.3", port: 7 },
    { protocol: "udp", ip: "2.2.2.2", announcedAddress: "3.3.3.3", port: 7 },
  ]);
  const rtcpListenInfo = { protocol: "udp", ip: "::", announcedIp: "a.example" } as const;
  await router.createPlainTransport({ listenInfo: { protocol: "udp", ip: "::" }, rtcpListenInfo });
  assert.deepEqual(server.last("router.createPlainTransport"), {
    routerId: router.id,
    listenInfo: { protocol: "udp", ip: "::" },
    rtcpListenInfo: { protocol: "udp", ip: "::", announcedAddress: "a.example" },
    rtcpMux: false,
  });
});

test("getters of a WebRTC transport are kept current by events", async () => {
  const transport = await makeTransport();
  const { heard, on } = listen(transport, transport.observer);
  on("icestatechange", "iceselectedtuplechange", "dtlsstatechange", "sctpstatechange", "trace");
  const id = { transportId: transport.id };
  const tuple = { localIp: "1.1.1.1", localAddress: "1.1.1.1", localPort: 1, remoteIp: "2.2.2.2", remotePort: 2, protocol: "udp" };
  await tell("transport.icestatechange", { ...id, iceState: "completed" });
  await tell("transport.iceselectedtuplechange", { ...id, iceSelectedTuple: tuple });
  await tell("transport.dtlsstatechange", { ...id, dtlsState: "connected", dtlsRemoteCert: "PEM" });
  await tell("transport.sctpstatechange", { ...id, sctpState: "connected", sctpNegotiatedCapabilities: { negotiatedMaxOutboundStreams: 9, negotiatedMaxInboundStreams: 8 } });
  await tell("transport.trace", { ...id, trace: { type: "bwe" } });
  assert.equal(transport.iceState, "completed");
  assert.deepEqual(transport.iceSelectedTuple, tuple);
  assert.equal(transport.dtlsState, "connected");
  assert.equal(transport.dtlsRemoteCert, "PEM");
  assert.equal(transport.sctpState, "connected");
  assert.equal(transport.sctpNegotiatedCapabilities?.negotiatedMaxOutboundStreams, 9);
  assert.equal(heard.length, 10, "each at the object and at its observer");
  await transport.connect({ dtlsParameters: { role: "client", fingerprints: [] } });
  assert.equal(transport.dtlsParameters.role, "server");
  server.answers["transport.restartIce"] = () => ({ iceParameters: { usernameFragment: "v", password: "q" } });
  assert.equal((await transport.restartIce()).usernameFragment, "v");
  assert.equal(transport.iceParameters.usernameFragment, "v");
  transport.close();
  assert.deepEqual([transport.iceState, transport.dtlsState, transport.sctpState, transport.iceSelectedTuple], ["closed", "closed", "closed", undefined]);
});

test("getters of a plain transport are kept current by answers and events", async () => {
  const transport: PlainTransport = await router.createPlainTransport({ listenIp: "127.0.0.1" });
  const tuple = { ...transport.tuple, remoteIp: "9.9.9.9", remotePort: 9 };
  server.answers["transport.connect"] = () => ({ tuple });
  await transport.connect({ ip: "9.9.9.9", port: 9 });
  assert.deepEqual(transport.tuple, tuple);
  const { heard, on } = listen(transport);
  on("tuple", "rtcptuple");
  await tell("transport.tuple", { transportId: transport.id, tuple: { ...tuple, remotePort: 10 } });
  await tell("transport.rtcptuple", { transportId: transport.id, rtcpTuple: tuple });
  assert.equal(transport.tuple.remotePort, 10);
  assert.deepEqual(transport.rtcpTuple, tuple);
  assert.deepEqual(heard.map((line) => line.split(" ")[0]), ["tuple", "rtcptuple"]);
});

test("a producer that is paused twice is told of once, by whomever", async () => {
  const producer = await makeProducer();
  const { heard, on } = listen(producer.observer);
  on("pause", "resume");
  await Promise.all([producer.pause(), producer.resume(), producer.pause(), producer.pause()]);
  await tell("producer.paused", { producerId: producer.id });
  assert.equal(producer.paused, true);
  await tell("producer.resumed", { producerId: producer.id });
  assert.equal(producer.paused, false);
  assert.deepEqual(heard, ["pause", "resume", "pause", "resume"]);
});

test("to observers a consumer is paused when it or its producer is", async () => {
  const producer = await makeProducer();
  const consumer = await (await makeTransport()).consume({ producerId: producer.id, rtpCapabilities: CAPABILITIES });
  const own = listen(consumer);
  own.on("producerpause", "producerresume");
  const observed = listen(consumer.observer);
  observed.on("pause", "resume");
  const id = { consumerId: consumer.id };
  await tell("consumer.producerpause", id);
  await consumer.pause();
  assert.deepEqual([consumer.paused, consumer.producerPaused], [true, true]);
  await tell("consumer.producerresume", id);
  await consumer.resume();
  assert.deepEqual(own.heard, ["producerpause", "producerresume"]);
  assert.deepEqual(observed.heard, ["pause", "resume"]);
});

test("a consumer knows its layers, scores and priority", async () => {
  server.answers["transport.consume"] = (data) => consumerInfo("c", data.producerId, { preferredLayers: { spatialLayer: 2, temporalLayer: 2 } });
  const consumer = await (await makeTransport()).consume({ producerId: "p", rtpCapabilities: CAPABILITIES });
  assert.deepEqual(consumer.preferredLayers, { spatialLayer: 2, temporalLayer: 2 });
  assert.equal(consumer.currentLayers, undefined);
  server.answers["consumer.setPreferredLayers"] = () => ({ preferredLayers: { spatialLayer: 1, temporalLayer: 0 } });
  await consumer.setPreferredLayers({ spatialLayer: 9 });
  assert.deepEqual(consumer.preferredLayers, { spatialLayer: 1, temporalLayer: 0 });
  await consumer.setPriority(5);
  assert.equal(consumer.priority, 5);
  await consumer.unsetPriority();
  assert.equal(consumer.priority, 1);
  const { heard, on } = listen(consumer);
  on("layerschange", "score", "rtp");
  const id = { consumerId: "c" };
  await tell("consumer.layerschange", { ...id, layers: { spatialLayer: 0, temporalLayer: 1 } });
  assert.deepEqual(consumer.currentLayers, { spatialLayer: 0, temporalLayer: 1 });
  await tell("consumer.layerschange", { ...id, layers: null });
  assert.equal(consumer.currentLayers, undefined);
  await tell("consumer.score", { ...id, score: { score: 1, producerScore: 2, producerScores: [2] } });
  assert.equal(consumer.score.score, 1);
  await tell("consumer.rtp", { ...id, packet: Buffer.from([1, 2]).toString("base64") });
  assert.deepEqual(heard, [
    'layerschange {"spatialLayer":0,"temporalLayer":1}',
    "layerschange ", // undefined
    'score {"score":1,"producerScore":2,"producerScores":[2]}',
    'rtp {"type":"Buffer","data":[1,2]}',
  ]);
});

test("what belongs together ends together, innermost first", async () => {
  const producer = await makeProducer();
  const transport = await makeTransport();
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: CAPABILITIES });
  const level = await router.createAudioLevelObserver();
  const { heard, on } = listen(consumer, transport, level, router);
  on("transportclose", "routerclose", "workerclose");
  const closed = listen(consumer.observer, transport.observer, level.observer, router.observer);
  closed.on("close");
  router.close();
  assert.deepEqual(heard, ["transportclose", "routerclose", "routerclose"]);
  assert.equal(closed.heard.length, 4);
  assert.equal([producer, transport, consumer, level, router].every((object) => object.closed), true);
  await assert.rejects(producer.dump(), errors.NotFoundError);
  worker.close();
  await assert.rejects(producer.dump(), errors.WorkerClosedError);
});

test("an object that the server closes says who was the cause", async () => {
  const producer = await makeProducer();
  const consumer = await (await makeTransport()).consume({ producerId: producer.id, rtpCapabilities: CAPABILITIES });
  const webRtcServer = await worker.createWebRtcServer({ listenInfos: [] });
  const served = await router.createWebRtcTransport({ webRtcServer });
  const { heard, on } = listen(consumer, served);
  on("producerclose", "transportclose", "listenserverclose", "routerclose");
  await tell("consumer.closed", { consumerId: consumer.id, reason: "producerClosed" });
  webRtcServer.close();
  assert.deepEqual(heard, ["producerclose", "listenserverclose"]);
  assert.equal(consumer.closed && served.closed && webRtcServer.closed, true);
});

test("canConsume answers at once", async () => {
  const { id: producerId } = await makeProducer();
  assert.equal(router.canConsume({ producerId, rtpCapabilities: CAPABILITIES }), true);
  assert.equal(router.canConsume({ producerId, rtpCapabilities: { codecs: [{ ...OPUS, clockRate: 8000 }] } }), false);
  assert.equal(router.canConsume({ producerId, rtpCapabilities: {} }), false);
  assert.equal(router.canConsume({ producerId, rtpCapabilities: 1 as never }), false);
  assert.equal(router.canConsume({ producerId: "none", rtpCapabilities: CAPABILITIES }), false);
});

test("new codecs hold at once, and for what is sent after them", async () => {
  router.updateMediaCodecs([{ kind: "video", mimeType: "video/VP8", clockRate: 90000 }]);
  assert.deepEqual(router.rtpCapabilities.codecs?.map(({ mimeType }) => mimeType), ["video/VP8", "video/rtx"]);
  await router.dump();
  assert.deepEqual(server.types().slice(-2), ["router.updateMediaCodecs", "router.dump"]);
});

test("messages are text or bytes, of the kind that SCTP says", async () => {
  const direct: DirectTransport = await router.createDirectTransport();
  const producer = await direct.produceData();
  producer.send("text");
  producer.send(Buffer.from([1]), 99, [1, 65537], 2, 3);
  producer.send("");
  producer.send(Buffer.alloc(0));
  await router.dump();
  const sent = server.commands.filter(({ type }) => type === "dataProducer.send").map(({ data: { routerId: _, dataProducerId: __, ...rest } }) => rest);
  assert.deepEqual(sent, [
    { message: "text", ppid: 51 },
    { binary: "AQ==", ppid: 99, subchannels: [1, 1], requiredSubchannel: 2, ignoredSubchannel: 3 },
    { message: " ", ppid: 56 },
    { binary: "AA==", ppid: 57 },
  ]);
});

test("a data consumer hands on what it gets, and sends", async () => {
  server.answers["transport.consumeData"] = (data) => dataConsumerInfo("d", data.dataProducerId);
  const transport = await makeTransport();
  const consumer = await transport.consumeData({ dataProducerId: "p", subchannels: [1, 65536] });
  assert.deepEqual(server.last("transport.consumeData").subchannels, [1, 0]);
  const { heard, on } = listen(consumer);
  on("message", "sctpsendbufferfull", "bufferedamountlow", "dataproducerpause", "dataproducerresume", "dataproducerclose");
  const id = { dataConsumerId: "d" };
  await tell("dataConsumer.message", { ...id, message: "é", ppid: 51 });
  await tell("dataConsumer.message", { ...id, binary: "AQ==", ppid: 53 });
  await tell("dataConsumer.sctpsendbufferfull", id);
  await tell("dataConsumer.bufferedamountlow", { ...id, bufferedAmount: 0 });
  await tell("dataConsumer.dataproducerpause", id);
  assert.equal(consumer.dataProducerPaused, true);
  await tell("dataConsumer.dataproducerresume", id);
  server.answers["dataConsumer.send"] = () => ({ bufferedAmount: 4 });
  assert.equal(await consumer.send("text"), 4);
  server.answers["dataConsumer.addSubchannel"] = () => ({ subchannels: [1, 2] });
  await consumer.addSubchannel(2);
  assert.deepEqual(consumer.subchannels, [1, 2]);
  await tell("dataConsumer.closed", { ...id, reason: "producerClosed" });
  assert.deepEqual(heard, [
    'message {"type":"Buffer","data":[195,169]} 51',
    'message {"type":"Buffer","data":[1]} 53',
    "sctpsendbufferfull",
    "bufferedamountlow 0",
    "dataproducerpause",
    "dataproducerresume",
    "dataproducerclose",
  ]);
});

test("observers of speakers tell of producers that are known", async () => {
  const producer = await makeProducer();
  const level = await router.createAudioLevelObserver({ maxEntries: 2 });
  const speaker = await router.createActiveSpeakerObserver();
  const observed: unknown[] = [];
  level.observer.on("addproducer", (added) => observed.push(added));
  await level.addProducer({ producerId: producer.id });
  await assert.rejects(level.addProducer({ producerId: "none" }), errors.NotFoundError);
  level.on("volumes", (volumes) => observed.push(...volumes));
  level.on("silence", () => observed.push("silence"));
  speaker.on("dominantspeaker", (dominant) => observed.push(dominant));
  const volumes = [{ producerId: producer.id, volume: -20 }, { producerId: "none", volume: -30 }];
  await tell("rtpObserver.volumes", { rtpObserverId: level.id, volumes });
  await tell("rtpObserver.silence", { rtpObserverId: level.id });
  await tell("rtpObserver.dominantspeaker", { rtpObserverId: speaker.id, producerId: producer.id });
  assert.deepEqual(observed, [producer, { producer, volume: -20 }, "silence", { producer }]);
});

/** Answers pipeToRouter with one pair of transports for all. */
function answerPipes(other: Router): void {
  const tuple = { localIp: "127.0.0.1", localAddress: "127.0.0.1", localPort: 1, protocol: "udp" };
  const pipeTransports = ["here", "there"].map((id) => ({ id, type: "pipe", tuple }));
  server.answers["router.pipeToRouter"] = (data) => {
    assert.equal(data.toRouterId, other.id);
    const id = data.producerId as string;
    return { pipeTransports, pipeConsumer: consumerInfo(`pipe ${id}`, id, { type: "pipe" }), pipeProducer: producerInfo(id) };
  };
}

test("piping makes one pair of transports, and the two ends close together", async () => {
  const otherWorker = await createWorker();
  const other = await otherWorker.createRouter();
  answerPipes(other);
  const transports: unknown[] = [];
  const otherTransports: unknown[] = [];
  router.observer.on("newtransport", (transport) => transports.push(transport));
  other.observer.on("newtransport", (transport) => otherTransports.push(transport));
  const [first, second] = [await makeProducer(), await makeProducer()];
  transports.length = 0;
  const piped = await Promise.all([first, second].map(({ id }) => router.pipeToRouter({ producerId: id, router: other })));
  assert.equal(transports.length, 1);
  assert.equal(otherTransports.length, 1);
  const { pipeConsumer, pipeProducer } = piped[0]!;
  assert.equal(pipeProducer!.id, first.id);
  assert.equal(other.canConsume({ producerId: first.id, rtpCapabilities: CAPABILITIES }), true);
  pipeConsumer!.close();
  assert.equal(pipeProducer!.closed, true);
  const there = otherTransports[0] as WebRtcTransport;
  router.close();
  assert.equal(there.closed, true);
  assert.equal(piped[1]!.pipeProducer!.closed, true);
  otherWorker.close();
});

test("in one worker an id is that of one producer", async () => {
  const { id: producerId } = await makeProducer();
  const other = await worker.createRouter();
  await assert.rejects(router.pipeToRouter({ producerId, router: other }), errors.InvalidStateError);
  answerPipes(other);
  const { pipeProducer } = await router.pipeToRouter({ producerId, router: other, keepId: false });
  assert.equal(pipeProducer?.closed, false);
  assert.equal(server.last("router.pipeToRouter").keepId, false);
});

test("a listener that throws harms nobody", async () => {
  const producer = await makeProducer();
  producer.on("score", () => {
    throw new Error("mine");
  });
  const failed = once(producer, "listenererror");
  const scored = once(producer.observer, "score");
  server.event("producer.score", { routerId: router.id, producerId: producer.id, score: [] });
  const [name, error] = (await failed) as [string, Error];
  assert.equal(name, "score");
  assert.equal(error.message, "mine");
  await scored;
});
