import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeMediaStreamTrack } from "fake-mediastreamtrack";
import { Device, type types } from "mediasoup-client";
import * as parameters from "mediasoup-client/fakeParameters";
import { FakeHandler } from "mediasoup-client/handlers/FakeHandler";
import { Call, type CallState, type EndReason } from "../src/call/call";
import type { ClientMessage, InitData, ProducerInfo } from "../src/call/protocol";
import { FakeSocket, settled } from "./fake-socket";

const ME = "me@example.org";

/** A server for one client: it accepts everything, with mediasoup-client's own sample parameters. */
class Server {
  readonly sockets: FakeSocket[] = [];
  readonly heard: ClientMessage[] = [];
  produced = 0;
  answers: Partial<Record<string, (message: ClientMessage, socket: FakeSocket) => void>> = {};
  #kinds = new Map<string, string>();

  open(url: string): FakeSocket {
    const socket = new FakeSocket(url);
    socket.served = (message) => {
      this.heard.push(message);
      queueMicrotask(() => (this.answers[message.type] ?? this.#answer).call(this, message, socket));
    };
    this.sockets.push(socket);
    return socket;
  }

  get last(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket;
  }

  knows(producers: ProducerInfo[]): ProducerInfo[] {
    for (const { id, kind } of producers) this.#kinds.set(id, kind);
    return producers;
  }

  sentOf(type: string): ClientMessage[] {
    return this.heard.filter((message) => message.type === type);
  }

  #answer(message: ClientMessage, socket: FakeSocket): void {
    const { requestId, transportType, producerId } = message;
    switch (message.type) {
      case "connect":
        socket.say({ type: "connected", transportType, requestId } as never);
        break;
      case "produce":
        socket.say({ type: "produced", producerId: `mine${++this.produced}`, kind: message.kind, source: message.source, requestId } as never);
        break;
      case "consume": {
        const codecMimeType = this.#kinds.get(String(producerId)) === "audio" ? "audio/opus" : "video/VP8";
        const { id, rtpParameters, kind } = parameters.generateConsumerRemoteParameters({ id: `c-${producerId}`, codecMimeType });
        socket.say({ type: "consumed", consumerId: id, producerId, kind, rtpParameters, peerId: "", requestId } as never);
        break;
      }
    }
  }
}

function init(more: Partial<InitData> = {}): { type: "init"; data: InitData } {
  const transport = () => ({ ...parameters.generateTransportRemoteParameters(), sctpParameters: null });
  return {
    type: "init",
    data: {
      roomId: "room",
      myPeerId: ME,
      callType: "video",
      peers: [],
      producers: [],
      routerRtpCapabilities: parameters.generateRouterRtpCapabilities(),
      transport: { send: transport(), recv: transport() } as never,
      ...more,
    },
  };
}

/** The sender of a picture, for which mediasoup-client has no stand-in. */
class FakeSender {
  /** Which of the encodings were active, at each change. */
  readonly changes: string[] = [];
  /** How many changes fail. */
  failing = 0;
  changed = () => {};
  #encodings: { active?: boolean }[];
  #given = false;

  constructor(count: number) {
    this.#encodings = Array.from({ length: count }, () => ({}));
  }

  getParameters() {
    this.#given = true;
    return { encodings: this.#encodings.map((encoding) => ({ ...encoding })) };
  }

  async setParameters({ encodings }: { encodings: { active?: boolean }[] }) {
    assert.ok(this.#given, "parameters are given before each change");
    this.#given = false;
    if (this.failing-- > 0) throw new DOMException("a negotiation came between", "InvalidStateError");
    await new Promise((resolve) => setImmediate(resolve));
    this.#encodings = encodings;
    this.changes.push(encodings.map(({ active }) => (active ? "1" : "0")).join(""));
    this.changed();
  }
}

const senders: FakeSender[] = [];

function handlers(): types.HandlerFactory {
  const made = FakeHandler.createFactory(parameters);
  return {
    ...made,
    factory: (options) => {
      const handler = made.factory(options);
      const send = handler.send.bind(handler);
      handler.send = async (sent) => {
        const sender = new FakeSender(sent.encodings?.length ?? 1);
        senders.push(sender);
        return { ...(await send(sent)), rtpSender: sender as unknown as RTCRtpSender };
      };
      return handler;
    },
  };
}

const calls: Call[] = [];
afterEach(() => {
  for (const call of calls.splice(0)) call.leave();
  senders.length = 0;
});

async function join(more: Partial<InitData> = {}) {
  const server = new Server();
  const devices: types.Device[] = [];
  const call = new Call({
    endpoint: "wss://x/_takos/v2/call",
    token: "t k",
    socket: (url) => server.open(url),
    fetch: async () => new Response("{}", { status: 426 }),
    device: () => {
      const device = new Device({ handlerFactory: handlers() });
      devices.push(device);
      return device;
    },
  });
  calls.push(call);
  const states: CallState[] = [];
  const ended: EndReason[] = [];
  call.on("state", (state) => states.push(state));
  call.on("ended", (reason) => ended.push(reason));
  call.join();
  server.last.open();
  server.knows(more.producers ?? []);
  server.last.say(init(more));
  await settled();
  return { server, call, states, ended, devices };
}

function track(kind: "audio" | "video"): MediaStreamTrack {
  return new FakeMediaStreamTrack({ kind }) as unknown as MediaStreamTrack;
}

const ANNA = "anna@example.org";
const annas: ProducerInfo[] = [
  { id: "a1", peerId: ANNA, kind: "audio", source: "mic" },
  { id: "v1", peerId: ANNA, kind: "video", source: "camera", paused: true },
];

test("joining receives everybody who is there", async () => {
  const { server, call, states } = await join({ peers: [ANNA], peerInfos: { [ANNA]: { displayName: "Anna", host: true } }, producers: annas });
  assert.deepEqual(states, ["connecting", "live"]);
  assert.match(server.last.url, /^wss:\/\/x\/_takos\/v2\/call\?token=t\+k&dialect=deployed&events=consumerLayersChanged%2CproducerLayersWanted$/);
  const [anna] = call.peers;
  assert.equal(anna?.displayName, "Anna");
  assert.equal(anna?.host, true);
  assert.deepEqual(anna?.media.map(({ source, paused, track }) => [source, paused, track?.kind]), [["mic", false, "audio"], ["camera", true, "video"]]);
  assert.equal(server.sentOf("connect").filter((message) => message.transportType === "recv").length, 1);
});

test("coming, producing, pausing, closing and leaving of others is followed", async () => {
  const { server, call } = await join();
  server.knows(annas);
  const say = async (message: object) => {
    server.last.say(message as never);
    await settled();
    return call.peers.map(({ displayName, media }) => [displayName, media.map(({ producerId, paused }) => `${producerId}${paused ? " paused" : ""}`)]);
  };
  assert.deepEqual(await say({ type: "join", peerId: ANNA, displayName: "Anna", producers: [] }), [["Anna", []]]);
  assert.deepEqual(await say({ type: "produce", producerId: "a1", peerId: ANNA, kind: "audio", source: "mic" }), [["Anna", ["a1"]]]);
  assert.deepEqual(await say({ type: "produced", producerId: "v1", peerId: ANNA, kind: "video" }), [["Anna", ["a1", "v1"]]], "either dialect");
  assert.deepEqual(await say({ type: "produce", producerId: "v1", peerId: ANNA, kind: "video" }), [["Anna", ["a1", "v1"]]], "a repeat changes nothing");
  assert.deepEqual(await say({ type: "producerPaused", producerId: "v1", peerId: ANNA }), [["Anna", ["a1", "v1 paused"]]]);
  assert.deepEqual(await say({ type: "producerClosed", producerId: "v1", peerId: ANNA }), [["Anna", ["a1"]]]);
  assert.deepEqual(await say({ type: "leave", peerId: ANNA }), []);
  assert.deepEqual(await say({ type: "somethingNew", peerId: ANNA }), [], "unknown types are ignored");
});

test("who comes right after the init, while the media is still being made, is not forgotten", async () => {
  const { server, call } = await join();
  server.knows(annas);
  server.last.say(init({ resumed: false }));
  server.last.say({ type: "join", peerId: ANNA, displayName: "Anna", producers: [] } as never);
  server.last.say({ type: "produce", producerId: "a1", peerId: ANNA, kind: "audio", source: "mic" } as never);
  await settled();
  assert.deepEqual(call.peers.map(({ displayName, media }) => [displayName, media.map(({ track }) => track?.kind)]), [["Anna", ["audio"]]]);
});

test("publishing sends each source once, and its pauses", async () => {
  const { server, call } = await join();
  await call.publish("mic", track("audio"));
  await call.publish("camera", track("video"), true);
  assert.deepEqual(server.sentOf("produce").map(({ kind, source, paused }) => [kind, source, paused]), [["audio", "mic", false], ["video", "camera", true]]);
  call.setPaused("mic", true);
  call.setPaused("mic", true);
  call.setPaused("camera", false);
  assert.deepEqual(server.heard.slice(-2), [{ type: "pauseProducer", producerId: "mine1" }, { type: "resumeProducer", producerId: "mine2" }]);
  call.unpublish("camera");
  assert.deepEqual(server.heard.at(-1), { type: "closeProducer", producerId: "mine2" });
  assert.deepEqual(call.local.map((media) => media.source), ["mic"]);
});

test("what is published before the connection stands is sent when it does", async () => {
  const { server, call } = await join();
  const early = call.publish("mic", track("audio"));
  await early;
  assert.equal(server.produced, 1);
});

test("a source without a track waits for one", async () => {
  const { server, call } = await join();
  const first = track("video");
  await call.publish("camera", first);
  await call.replaceTrack("camera", null);
  await call.replaceTrack("camera", track("video"));
  assert.equal(server.produced, 1, "the others keep what they receive it by");
});

test("a refused source is told, and the call goes on", async () => {
  const { server, call } = await join();
  const failed: string[] = [];
  call.on("failed", ({ source, error }) => failed.push(`${source}: ${error.message}`));
  server.answers.produce = ({ requestId }, socket) => socket.say({ type: "error", context: "produce", message: "too many producers", requestId } as never);
  await call.publish("camera", track("video"));
  assert.deepEqual(failed, ["camera: produce: too many producers"]);
  assert.equal(call.state, "live");
});

test("a lost line that is resumed leaves the media as it is, and makes good what changed meanwhile", async (t) => {
  const { server, call, states, devices } = await join({ peers: [ANNA], producers: annas });
  await call.publish("mic", track("audio"));
  const heard = call.peers[0]?.media[0]?.track;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  server.last.end(1006);
  await settled();
  assert.equal(call.state, "reconnecting");
  call.setPaused("mic", true);
  call.setReceiving("a1", false);
  t.mock.timers.tick(300);
  t.mock.timers.reset();
  assert.match(server.last.url, /&resume=1$/);
  const before = server.heard.length;
  server.last.open();
  const later: ProducerInfo[] = [annas[0]!, { id: "s1", peerId: ANNA, kind: "video", source: "screen" }];
  server.knows(later);
  server.last.say(
    init({
      resumed: true,
      peers: [ANNA],
      producers: later,
      myProducers: [{ id: "mine1", kind: "audio", source: "mic", paused: false }, { id: "stray", kind: "video" }],
      myConsumers: [{ consumerId: "c-a1", producerId: "a1" }],
    }),
  );
  await settled();
  assert.deepEqual(states.slice(-2), ["reconnecting", "live"]);
  assert.equal(devices.length, 1, "nothing is made anew");
  assert.equal(call.peers[0]?.media[0]?.track, heard);
  assert.deepEqual(call.peers[0]?.media.map(({ producerId, track }) => [producerId, track?.kind]), [["a1", "audio"], ["s1", "video"]]);
  assert.deepEqual(
    server.heard.slice(before).map(({ type, producerId }) => [type, producerId]),
    [["pauseProducer", "mine1"], ["closeProducer", "stray"], ["pauseConsumer", undefined], ["consume", "s1"], ["setPriority", undefined]],
  );
});

test("a line that is not resumed makes everything anew", async (t) => {
  const { server, call, devices } = await join({ peers: [ANNA], producers: annas });
  await call.publish("mic", track("audio"));
  t.mock.timers.enable({ apis: ["setTimeout"] });
  server.last.end(1006);
  await settled();
  t.mock.timers.tick(300);
  t.mock.timers.reset();
  server.last.open();
  server.last.say(init({ resumed: false, peers: [ANNA], producers: annas }));
  await settled();
  assert.equal(devices.length, 2);
  assert.equal(server.produced, 2, "the microphone is sent again");
  assert.deepEqual(call.peers[0]?.media.map(({ track }) => track?.readyState), ["live", "live"]);
});

test("being muted by the host switches the source off here too", async () => {
  const { server, call } = await join({ peers: [ANNA], peerInfos: { [ANNA]: { displayName: "Anna" } } });
  const told: object[] = [];
  call.on("muted", (muted) => told.push(muted));
  await call.publish("mic", track("audio"));
  server.last.say({ type: "muted", producerId: "mine1", kind: "audio", by: ANNA });
  assert.deepEqual(told, [{ source: "mic", by: "Anna" }]);
  assert.equal(call.local[0]?.paused, true);
  assert.equal(server.sentOf("pauseProducer").length, 0, "the server has done it already");
  call.setPaused("mic", false);
  assert.deepEqual(server.heard.at(-1), { type: "resumeProducer", producerId: "mine1" });
});

test("a kick without a reason has none", async () => {
  const { server, call } = await join();
  const kicked: object[] = [];
  call.on("kicked", (by) => kicked.push(by));
  server.last.say({ type: "kicked", by: "", reason: "requested" });
  assert.deepEqual(kicked, [{ by: "", reason: "" }]);
});

test("the host's kick and mute are sent", async () => {
  const { server, call } = await join({ host: true, peers: [ANNA], producers: annas });
  assert.equal(call.host, true);
  call.mute(ANNA, "a1");
  call.kick(ANNA);
  assert.deepEqual(server.heard.slice(-2), [{ type: "mute", peerId: ANNA, producerId: "a1" }, { type: "kick", peerId: ANNA }]);
});

test("a consumer can be paused and resumed, each once", async () => {
  const { server, call } = await join({ peers: [ANNA], producers: annas });
  call.setReceiving("a1", true);
  call.setReceiving("a1", false);
  call.setReceiving("a1", false);
  call.setReceiving("a1", true);
  assert.deepEqual(server.heard.slice(-2), [{ type: "pauseConsumer", consumerId: "c-a1" }, { type: "resumeConsumer", consumerId: "c-a1" }]);
});

/** The camera of annas, in so many sizes. */
function inSizes(server: Server, scalabilityMode: string): void {
  server.answers.consume = ({ requestId, producerId }, socket) => {
    const { id, rtpParameters, kind } = parameters.generateConsumerRemoteParameters({ id: `c-${String(producerId)}`, codecMimeType: "video/VP8" });
    const encodings = rtpParameters.encodings?.map((encoding) => ({ ...encoding, scalabilityMode }));
    socket.say({ type: "consumed", consumerId: id, producerId, kind, rtpParameters: { ...rtpParameters, encodings }, peerId: "", requestId } as never);
  };
}

const camera: ProducerInfo = { id: "v2", peerId: ANNA, kind: "video", source: "camera", appData: { width: 1280, height: 720 } };

test("a picture is asked for as large as it is shown, each change once", async () => {
  const { server, call } = await join({ peers: [ANNA] });
  inSizes(server, "L3T3");
  server.last.say({ ...camera, type: "produce", producerId: "v2" } as never);
  call.setShown("v2", { width: 200, height: 112 });
  await settled();
  assert.deepEqual(server.sentOf("consume").map((message) => message.preferredLayers), [{ spatialLayer: 0 }], "from the beginning");
  call.setShown("v2", { width: 210, height: 118 });
  call.setShown("v2", { width: 1200, height: 700 });
  call.setShown("v2", { width: 1280, height: 720 });
  call.setShown("v2", { width: 500, height: 280 });
  assert.deepEqual(server.sentOf("setPreferredLayers"), [
    { type: "setPreferredLayers", consumerId: "c-v2", spatialLayer: 2 },
    { type: "setPreferredLayers", consumerId: "c-v2", spatialLayer: 1 },
  ]);
  call.setShown("nobody's", { width: 500, height: 280 });
});

test("a picture of one size is not asked for in another", async () => {
  const { server, call } = await join({ peers: [ANNA] });
  inSizes(server, "L1T3");
  server.last.say({ ...camera, type: "produce", producerId: "v2" } as never);
  await settled();
  call.setShown("v2", { width: 100, height: 60 });
  assert.deepEqual(server.sentOf("setPreferredLayers"), []);
});

test("a wish for another size that the line lost is made again", async (t) => {
  const { server, call } = await join({ peers: [ANNA] });
  inSizes(server, "L3T3");
  server.last.say({ ...camera, type: "produce", producerId: "v2" } as never);
  await settled();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  server.last.end(1006);
  await settled();
  call.setShown("v2", { width: 100, height: 60 });
  t.mock.timers.tick(300);
  t.mock.timers.reset();
  server.last.open();
  server.last.say(init({ resumed: true, peers: [ANNA], producers: [camera], myConsumers: [{ consumerId: "c-v2", producerId: "v2" }] }));
  await settled();
  assert.deepEqual(server.sentOf("setPreferredLayers").map((message) => message.spatialLayer), [0]);
});

test("a screen is worth more than a face", async () => {
  const { server, call } = await join({ peers: [ANNA], producers: annas });
  server.knows([{ id: "s1", peerId: ANNA, kind: "video" }, { id: "sa1", peerId: ANNA, kind: "audio" }]);
  server.last.say({ type: "produce", producerId: "s1", peerId: ANNA, kind: "video", source: "screen" } as never);
  server.last.say({ type: "produce", producerId: "sa1", peerId: ANNA, kind: "audio", source: "screen-audio" } as never);
  await settled();
  assert.equal(call.peers[0]?.media.length, 4);
  assert.deepEqual(server.sentOf("setPriority"), [{ type: "setPriority", consumerId: "c-s1", priority: 10 }]);
});

test("a camera is sent in several sizes, and the others are told how large it is", async () => {
  const { server, call } = await join();
  const sent = track("video");
  sent.getSettings = () => ({ width: 640, height: 360 });
  await call.publish("camera", sent);
  const [produced] = server.sentOf("produce");
  assert.deepEqual(produced?.appData, { width: 640, height: 360 });
  const { encodings } = produced?.rtpParameters as types.RtpParameters;
  assert.deepEqual(encodings?.map((encoding) => encoding.maxBitrate), [160_000, 600_000]);
});

function hdCamera(): MediaStreamTrack {
  const sent = track("video");
  sent.getSettings = () => ({ width: 1280, height: 720 });
  return sent;
}

const wanted = (producerId: string, wantedSpatialLayer: number | null) => ({ type: "producerLayersWanted" as const, producerId, wantedSpatialLayer });

test("no more of a picture is sent than somebody wants", async () => {
  const { server, call } = await join();
  await call.publish("camera", hdCamera());
  const [sender] = senders;
  assert.deepEqual(sender?.changes, [], "all is wanted to begin with");
  server.last.say(wanted("mine1", null));
  await settled();
  server.last.say(wanted("mine1", 0));
  server.last.say(wanted("mine1", 1));
  server.last.say(wanted("mine1", 1));
  await settled();
  await settled();
  assert.deepEqual(sender?.changes, ["000", "110"], "one change at a time, to what is wanted by then");
  server.last.say(wanted("somebody's", null));
  server.last.say(wanted("mine1", 7));
  await settled();
  assert.deepEqual(sender?.changes.slice(2), ["111"]);
});

test("a change that failed is tried again", async () => {
  const { server, call } = await join();
  await call.publish("camera", hdCamera());
  const sender = senders[0]!;
  sender.failing = 1;
  const changed = new Promise<void>((resolve) => (sender.changed = resolve));
  server.last.say(wanted("mine1", 0));
  await changed;
  assert.deepEqual(sender.changes, ["100"]);
});

test("what is wanted may be told before the answer to produce has been taken in", async () => {
  const { server, call } = await join();
  server.answers.produce = ({ requestId, kind }, socket) => {
    socket.say(wanted("mine1", null));
    socket.say({ type: "produced", producerId: "mine1", kind, requestId } as never);
  };
  await call.publish("camera", hdCamera());
  await settled();
  assert.deepEqual(senders[0]?.changes, ["000"]);
});

for (const resumed of [true, false]) {
  test(`what is wanted is ${resumed ? "taken from the init that resumes" : "all of what is sent anew"}`, async (t) => {
    const { server, call } = await join();
    await call.publish("camera", hdCamera());
    server.last.say(wanted("mine1", 0));
    await settled();
    t.mock.timers.enable({ apis: ["setTimeout"] });
    server.last.end(1006);
    await settled();
    t.mock.timers.tick(300);
    t.mock.timers.reset();
    server.last.open();
    server.last.say(init({ resumed, myProducers: [{ id: "mine1", kind: "video", source: "camera", paused: false, wantedSpatialLayer: null }] }));
    await settled();
    assert.deepEqual(senders.map(({ changes }) => changes), resumed ? [["100", "000"]] : [["100"], []]);
  });
}

test("who has the floor is told, from the beginning", async () => {
  const { server, call } = await join({ peers: [ANNA], activeSpeaker: { peerId: ANNA, producerId: "a1" } });
  const told: string[] = [];
  call.on("floor", (peerId) => told.push(peerId));
  assert.equal(call.floor, ANNA);
  server.last.say({ type: "activeSpeaker", peerId: ANNA, producerId: "a1" });
  server.last.say({ type: "activeSpeaker", peerId: ME, producerId: "mine1" });
  assert.deepEqual(told, [ME]);
  assert.equal(call.floor, ME);
});

test("what cannot be received is not waited for", async () => {
  const { server, call } = await join({ peers: [ANNA] });
  const media = () => call.peers[0]?.media.map(({ failed, track }) => [failed, track]);
  server.answers.consume = ({ requestId }, socket) => socket.say({ type: "error", context: "consume", message: "unknown codec", requestId } as never);
  server.last.say({ ...camera, type: "produce", producerId: "v2" } as never);
  assert.deepEqual(media(), [[false, null]]);
  await settled();
  assert.deepEqual(media(), [[true, null]]);
  assert.equal(server.sentOf("consume").length, 1);
});

test("an answer that does not come is asked for again, a few times", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { server, call } = await join({ peers: [ANNA] });
  server.answers.consume = () => undefined;
  server.answers.ping = (_, socket) => socket.say({ type: "pong" } as never);
  server.last.say({ ...camera, type: "produce", producerId: "v2" } as never);
  await settled();
  for (let second = 0; second < 60; second++) {
    t.mock.timers.tick(1_000);
    await settled();
  }
  t.mock.timers.reset();
  assert.equal(server.sentOf("consume").length, 3);
  assert.deepEqual(call.peers[0]?.media.map(({ failed }) => failed), [true]);
});

test("a kick ends the call, says who did it, and releases everything", async () => {
  const { server, call, ended } = await join({ peers: [ANNA], peerInfos: { [ANNA]: { displayName: "Anna" } }, producers: annas });
  const kicked: object[] = [];
  call.on("kicked", (by) => kicked.push(by));
  const heard = call.peers[0]?.media[0]?.track;
  server.last.say({ type: "kicked", by: ANNA, reason: "noise" });
  server.last.end(4002);
  await settled();
  assert.deepEqual(kicked, [{ by: "Anna", reason: "noise" }]);
  assert.deepEqual(ended, ["kicked"]);
  assert.equal(heard?.readyState, "ended");
  assert.equal(call.peers.length, 0);
});

test("a network that changes restarts ICE on both transports", async () => {
  const { server, call } = await join({ peers: [ANNA], producers: annas });
  await call.publish("mic", track("audio"));
  server.answers.restartIce = ({ transportType }, socket) =>
    socket.say({ type: "iceRestarted", transportType, iceParameters: { usernameFragment: "u", password: "p" } } as never);
  call.networkChanged();
  await settled();
  assert.deepEqual(server.sentOf("restartIce").map((message) => message.transportType).sort(), ["recv", "send"]);
});

test("who speaks is taken from the server's levels: microphones of the others, until the line is lost", async () => {
  const producers = [
    { id: "mic-a", peerId: "a@example.org", kind: "audio" as const, source: "mic" },
    { id: "film-a", peerId: "a@example.org", kind: "audio" as const, source: "screen-audio" },
    { id: "mic-b", peerId: "b@example.org", kind: "audio" as const, source: "mic" },
  ];
  const { server, call } = await join({ peers: ["a@example.org", "b@example.org"], producers });
  const told: string[] = [];
  call.on("speaking", (speaking) => told.push([...speaking].join()));
  const say = (...volumes: [peerId: string, producerId: string, volume: number][]) =>
    server.last.say({ type: "audioLevels", volumes: volumes.map(([peerId, producerId, volume]) => ({ peerId, producerId, volume })) });
  say(["b@example.org", "mic-b", -20], [ME, "mine1", -25], ["a@example.org", "film-a", -30], ["a@example.org", "mic-a", -66]);
  assert.deepEqual(told.splice(0), ["b@example.org"]);
  say(["b@example.org", "mic-b", -22]);
  assert.deepEqual(told, [], "nothing changes");
  say();
  assert.deepEqual(told.splice(0), [""]);
  say(["a@example.org", "mic-a", -30]);
  server.last.end(1006);
  assert.deepEqual(told, ["a@example.org", ""]);
});
