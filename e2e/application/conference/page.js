// The conference's page, with stock mediasoup-client. It shows people as the tests' other clients do.
import { hide, show } from "../../clients/stage.js";
import { Device } from "mediasoup-client";

const query = new URLSearchParams(location.search);
const { id, frequency } = window.person;

const socket = new WebSocket(`ws://127.0.0.1:${query.get("port")}/?${query}`);
await new Promise((opened) => (socket.onopen = opened));

const asked = new Map();
let next = 0;
const ask = (method, data = {}) =>
  new Promise((done, failed) => {
    asked.set(++next, { done, failed });
    socket.send(JSON.stringify({ id: next, method, data }));
  });

/** What the tests look at, and what they can do. */
const conference = {
  consumers: new Map(),
  layers: {},
  activeSpeaker: null,
  volumes: [],
  messages: [],
  iceStates: [],
  /** Its consumer of somebody's picture. */
  pictureOf: (name) => [...conference.consumers.values()].find((consumer) => consumer.kind === "video" && consumer.appData.name === name),
  prefer: (name, layers) => ask("setPreferredLayers", { consumerId: conference.pictureOf(name).id, layers }),
  pausePicture: () => ask("pauseProducer", { producerId: conference.picture.id }),
  resumePicture: () => ask("resumeProducer", { producerId: conference.picture.id }),
  say: (text) => conference.chat.send(text),
  restartIce: async () => {
    for (const transport of [sending, receiving]) await transport.restartIce(await ask("restartIce", { transportId: transport.id }));
  },
};
window.conference = conference;

const events = {
  async newConsumer(told) {
    const consumer = await receiving.consume(told);
    conference.consumers.set(consumer.id, consumer);
    show(consumer.appData.name, consumer.track);
    await ask("resumeConsumer", { consumerId: consumer.id });
  },
  async newDataConsumer(told) {
    const dataConsumer = await receiving.consumeData(told);
    dataConsumer.on("message", (text) => conference.messages.push({ from: dataConsumer.appData.name, text }));
  },
  consumerClosed({ consumerId }) {
    conference.consumers.get(consumerId)?.close();
    conference.consumers.delete(consumerId);
  },
  consumerPaused: ({ consumerId }) => conference.consumers.get(consumerId)?.pause(),
  consumerResumed: ({ consumerId }) => conference.consumers.get(consumerId)?.resume(),
  consumerLayers({ consumerId, layers }) {
    const name = conference.consumers.get(consumerId)?.appData.name;
    if (name) conference.layers[name] = layers;
  },
  activeSpeaker: ({ name }) => (conference.activeSpeaker = name),
  volumes: ({ volumes }) => (conference.volumes = volumes),
  peerLeft: ({ name }) => hide(name),
  iceState: (state) => conference.iceStates.push(state),
};

// What is told is done in turn, so that nothing comes before what it speaks of.
let told = Promise.resolve();
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.event) {
    told = told.then(() => events[message.event]?.(message.data));
    return;
  }
  const { done, failed } = asked.get(message.id);
  asked.delete(message.id);
  if (message.error) failed(new Error(message.error));
  else done(message.data);
};

function prepared(transport) {
  const relay = (event, method, result) =>
    transport.on(event, (data, done, failed) => ask(method, { transportId: transport.id, ...data }).then((answer) => done(result?.(answer)), failed));
  relay("connect", "connectTransport");
  relay("produce", "produce", (answer) => answer);
  relay("producedata", "produceData", (answer) => answer);
  return transport;
}

const device = await Device.factory();
const { rtpCapabilities: routerRtpCapabilities } = await ask("capabilities");
await device.load({ routerRtpCapabilities });
await ask("join", { rtpCapabilities: device.recvRtpCapabilities ?? device.rtpCapabilities });
const sending = prepared(device.createSendTransport(await ask("createTransport", { direction: "send" })));
const receiving = prepared(device.createRecvTransport(await ask("createTransport", { direction: "receive" })));
await ask("receive");
conference.voice = await sending.produce({ track: window.media.tone(frequency) });
conference.picture = await sending.produce({
  track: window.media.picture(id),
  encodings: [
    { rid: "r0", scaleResolutionDownBy: 4, maxBitrate: 100_000 },
    { rid: "r1", scaleResolutionDownBy: 2, maxBitrate: 300_000 },
    { rid: "r2", scaleResolutionDownBy: 1, maxBitrate: 900_000 },
  ],
});
conference.chat = await sending.produceData({ label: "chat" });
window.ready = true;
