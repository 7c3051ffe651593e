// A client that knows the specification and nothing else: `connect` says no transport, its
// dtlsParameters are a string, and `produced` tells both of one's own producer and of others'.
import { adapted, call, hide, sendings, show, token, wants } from "./stage.js";
import { Device } from "mediasoup-client";

const socket = new WebSocket(`${call}?token=${encodeURIComponent(token)}&dialect=seed`);
const send = (message) => socket.send(JSON.stringify(message));

const peers = new Set();
let device;
const transports = {};
const connecting = []; // callbacks of connect, in the order in which they were sent
let produced = null;

const handlers = {
  async init({ data }) {
    for (const peer of data.peers) peers.add(peer);
    device = Device.factory ? await Device.factory() : new Device();
    await device.load({ routerRtpCapabilities: data.routerRtpCapabilities });
    transports.send = device.createSendTransport(adapted(data.transport.send, "send"));
    transports.recv = device.createRecvTransport(adapted(data.transport.recv, "recv"));
    for (const transport of Object.values(transports)) {
      transport.on("connect", ({ dtlsParameters }, done) => {
        connecting.push(done);
        send({ type: "connect", dtlsParameters: JSON.stringify(dtlsParameters) });
      });
    }
    transports.send.on("produce", ({ kind, rtpParameters }, done) => {
      produced = done;
      send({ type: "produce", kind, rtpParameters });
    });
    // Careful clients first send, then receive, since `connect` does not say for which; others do
    // all at once.
    if (wants("haste")) {
      window.ready = true;
      for (const { id } of data.producers) consume(id);
    }
    for (const sending of sendings()) await transports.send.produce(sending);
    if (window.ready) return;
    window.ready = true;
    for (const { id } of data.producers) consume(id);
    for (const id of waiting.splice(0)) consume(id);
  },
  connected() {
    connecting.shift()?.();
  },
  produced({ producerId, peerId }) {
    if (peers.has(peerId)) {
      if (window.ready) consume(producerId);
      else waiting.push(producerId);
    } else {
      produced?.({ id: producerId });
      produced = null;
    }
  },
  join({ peerId, producers }) {
    peers.add(peerId);
    for (const { id } of producers ?? []) consume(id);
  },
  async consumed({ consumerId, producerId, kind, rtpParameters, peerId }) {
    const consumer = await transports.recv.consume({ id: consumerId, producerId, kind, rtpParameters });
    show(peerId, consumer.track);
  },
  leave({ peerId }) {
    peers.delete(peerId);
    hide(peerId);
  },
  error: (message) => window.log.push(JSON.stringify(message)),
};

const waiting = [];

function consume(producerId) {
  send({ type: "consume", producerId, rtpCapabilities: device.recvRtpCapabilities ?? device.rtpCapabilities });
}

socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  handlers[message.type]?.(message);
};
socket.onclose = ({ code }) => (window.closeCode = code);
window.hangUp = () => socket.close();
