// A client as the deployed web application's is: it takes any `produced` that comes while it waits
// for its own as its own answer, is told of others' producers by `produce`, and asks for a consumer
// again after 1, 2, 5 and 10 seconds as long as it has not seen `consumed`.
import { adapted, announced, call, codecOf, deviceOptions, hide, receivable, sendings, show, token } from "./stage.js";
import { Device } from "mediasoup-client";

const RETRIES = [1_000, 2_000, 5_000, 10_000];

const socket = new WebSocket(`${call}?token=${encodeURIComponent(token)}`);
const send = (message) => socket.send(JSON.stringify(message));

let device;
let me;
const transports = {};
const connecting = {};
let producing = null;
const consuming = new Map();
window.consumers = new Map();

function transport(direction, parameters) {
  const make = direction === "send" ? "createSendTransport" : "createRecvTransport";
  const made = device[make](adapted(parameters, direction));
  made.on("connect", ({ dtlsParameters }, done) => {
    connecting[direction] = done;
    send({ type: "connect", transportType: direction, dtlsParameters });
  });
  made.on("produce", ({ kind, rtpParameters }, done, failed) => {
    producing = { done, failed };
    send({ type: "produce", kind, rtpParameters: announced(kind, rtpParameters) });
  });
  transports[direction] = made;
}

function consume(producerId, peerId) {
  if (peerId === me || consuming.has(producerId)) return;
  const ask = () => send({ type: "consume", producerId, peerId, rtpCapabilities: receivable(device.recvRtpCapabilities ?? device.rtpCapabilities) });
  consuming.set(producerId, RETRIES.map((ms) => setTimeout(ask, ms)));
  ask();
}

async function load({ routerRtpCapabilities }) {
  device = Device.factory ? await Device.factory(deviceOptions()) : new Device();
  await device.load({ routerRtpCapabilities });
}

const handlers = {
  async init({ data }) {
    me = data.myPeerId;
    loaded = load(data);
    await loaded;
    transport("send", data.transport.send);
    transport("recv", data.transport.recv);
    for (const { id, peerId } of data.producers) consume(id, peerId);
    const capabilities = device.sendRtpCapabilities ?? device.rtpCapabilities;
    for (const sending of sendings()) await transports.send.produce({ ...sending, codec: codecOf(capabilities, sending.codec) });
    window.ready = true;
  },
  connected({ transportType }) {
    connecting[transportType]?.();
  },
  produced({ producerId }) {
    producing?.done({ id: producerId });
    producing = null;
  },
  produce({ producerId, peerId }) {
    consume(producerId, peerId);
  },
  join({ peerId, producers }) {
    for (const { id } of producers ?? []) consume(id, peerId);
  },
  async consumed({ consumerId, producerId, kind, rtpParameters, peerId }) {
    for (const timer of consuming.get(producerId) ?? []) clearTimeout(timer);
    if (window.consumers.has(producerId)) return;
    window.consumers.set(producerId, null);
    const consumer = await transports.recv.consume({ id: consumerId, producerId, kind, rtpParameters });
    window.consumers.set(producerId, consumer);
    show(peerId, consumer.track);
  },
  iceRestarted({ transportType, iceParameters }) {
    void transports[transportType].restartIce({ iceParameters });
  },
  producerClosed({ producerId }) {
    window.consumers.get(producerId)?.close();
  },
  leave({ peerId }) {
    hide(peerId);
  },
  error(message) {
    window.log.push(JSON.stringify(message));
    if (message.context === "produce") producing?.failed(new Error(message.message));
  },
};

// What comes while the device is being loaded waits for it.
let loaded = Promise.resolve();

socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  loaded = loaded.then(() => void handlers[message.type]?.(message));
};
socket.onclose = ({ code }) => (window.closeCode = code);
window.hangUp = () => socket.close();
window.restartIce = (transportType) => send({ type: "restartIce", transportType });
