// What mediasoup's classes have for its own tests only. The drop-in has none of it: what can be counted is counted
// here by what its observers tell, and what a test has a worker say in mediasoup's wire format is said in the drop-in's.
const fbs = (name) => require(`../.cache/mediasoup/node/lib/fbs/${name}`);
const { observer } = require("../../dist/createWorker");
const { ConsumerImpl } = require("../../dist/consumer");
const { ProducerImpl } = require("../../dist/producer");
const { RouterImpl } = require("../../dist/router");
const { WebRtcServerImpl } = require("../../dist/webRtcServer");
const { WebRtcTransportImpl } = require("../../dist/webRtcTransport");
const { WorkerImpl } = require("../../dist/worker");

const { Event } = fbs("notification");
const { ScoreNotification: ProducerScore } = fbs("producer");
const { ScoreNotification: ConsumerScore } = fbs("consumer");
const { DtlsState, DtlsStateChangeNotification, IceSelectedTupleChangeNotification, IceState, IceStateChangeNotification } = fbs("web-rtc-transport");
const { Protocol } = fbs("transport/protocol");

/** The objects that another one has now, by the class that shows them and the name that it has for them. */
const contents = new WeakMap();

function contentsOf(object, name) {
  if (!contents.has(object)) contents.set(object, {});
  return (contents.get(object)[name] ??= new Map());
}

function show(Class, name) {
  Object.defineProperty(Class.prototype, name, { get() { return contentsOf(this, name); } });
}

function count(of, name, object) {
  const map = contentsOf(of, name);
  map.set(object.id, object);
  object.observer.once("close", () => map.delete(object.id));
}

show(WorkerImpl, "routersForTesting");
show(WorkerImpl, "webRtcServersForTesting");
show(RouterImpl, "transportsForTesting");
show(WebRtcServerImpl, "webRtcTransportsForTesting");

observer.on("newworker", (worker) => {
  worker.observer.on("newrouter", (router) => {
    count(worker, "routersForTesting", router);
    router.observer.on("newtransport", (transport) => count(router, "transportsForTesting", transport));
  });
  worker.observer.on("newwebrtcserver", (server) => {
    count(worker, "webRtcServersForTesting", server);
    server.observer.on("webrtctransporthandled", (transport) => count(server, "webRtcTransportsForTesting", transport));
  });
});

/** The name of a value in one of mediasoup's enumerations, as its API spells it. */
const spelled = (enumeration, value) => enumeration[value].toLowerCase();

/** Turns mediasoup's notifications into the drop-in's events. */
const TRANSLATIONS = {
  [Event.PRODUCER_SCORE]: (notification) => {
    const { scores } = read(notification, ProducerScore);
    return ["score", { score: scores.map(({ encodingIdx, ssrc, rid, score }) => ({ encodingIdx, ssrc, ...(rid ? { rid } : {}), score })) }];
  },
  [Event.CONSUMER_SCORE]: (notification) => {
    const { score, producerScore, producerScores } = read(notification, ConsumerScore).score;
    return ["score", { score: { score, producerScore, producerScores } }];
  },
  [Event.WEBRTCTRANSPORT_ICE_STATE_CHANGE]: (notification) => [
    "icestatechange",
    { iceState: spelled(IceState, read(notification, IceStateChangeNotification).iceState) },
  ],
  [Event.WEBRTCTRANSPORT_ICE_SELECTED_TUPLE_CHANGE]: (notification) => {
    const { localAddress, protocol, ...rest } = read(notification, IceSelectedTupleChangeNotification).tuple;
    return ["iceselectedtuplechange", { iceSelectedTuple: { localIp: localAddress, localAddress, ...rest, protocol: spelled(Protocol, protocol) } }];
  },
  [Event.WEBRTCTRANSPORT_DTLS_STATE_CHANGE]: (notification) => [
    "dtlsstatechange",
    { dtlsState: spelled(DtlsState, read(notification, DtlsStateChangeNotification).dtlsState) },
  ],
};

function read(notification, Body) {
  const body = new Body();
  notification.body(body);
  return body.unpack();
}

/** Something to emit mediasoup's notifications of an object into. */
function channel() {
  return { emit: (_id, event, notification) => this.handle(...TRANSLATIONS[event](notification)) };
}

for (const Class of [ProducerImpl, ConsumerImpl, WebRtcTransportImpl]) {
  Object.defineProperty(Class.prototype, "channelForTesting", { get: channel });
}
