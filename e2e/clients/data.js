// A browser with data channels in both directions, whose backend is the test: window.command asks /takos-api.
import { Device } from "mediasoup-client";

let device;
const transports = {};
/** What has come in, by the data consumer's id. */
const inboxes = new Map();

/** Makes a transport; it connects with the first channel. */
window.makeTransport = async (direction, where, options = {}) => {
  if (!device) {
    device = await Device.factory();
    await device.load({ routerRtpCapabilities: (await window.command("getRouterRtpCapabilities", { roomId: where.roomId })).rtpCapabilities });
  }
  const info = await window.command("createTransport", { ...where, direction, options: { enableSctp: true, ...options } });
  const transport = direction === "send" ? device.createSendTransport(info) : device.createRecvTransport(info);
  const at = { ...where, transportId: info.id };
  transport.on("connect", ({ dtlsParameters }, done, failed) => window.command("connectTransport", { ...at, dtlsParameters }).then(done, failed));
  transport.on("producedata", ({ sctpStreamParameters, label, protocol, appData }, done, failed) => {
    window.command("createDataProducer", { ...at, sctpStreamParameters, label, protocol, appData }).then(done, failed);
  });
  transports[direction] = { transport, at };
};

const producers = new Map();

/** Opens a channel to send on; returns the data producer's id. */
window.produce = async (options) => {
  const producer = await transports.send.transport.produceData(options);
  producers.set(producer.id, producer);
  if (producer.readyState !== "open") await new Promise((open) => producer.on("open", open));
  return producer.id;
};

/** Opens a channel to receive on; returns the data consumer's id. */
window.consume = async (dataProducerId, options = {}) => {
  const { transport, at } = transports.recv;
  const consumer = await transport.consumeData(await window.command("createDataConsumer", { ...at, dataProducerId, ...options }));
  const inbox = { consumer, texts: [], numbers: [], wrong: 0, bytes: 0, closed: false };
  inboxes.set(consumer.id, inbox);
  consumer.on("message", (data) => take(inbox, data));
  consumer.on("close", () => (inbox.closed = true));
  if (consumer.readyState !== "open") await new Promise((open) => consumer.on("open", open));
  return consumer.id;
};

function take(inbox, data) {
  if (typeof data === "string") {
    inbox.texts.push(data);
    return;
  }
  inbox.bytes += data.byteLength;
  const number = numberOf(data);
  if (number === undefined) inbox.wrong++;
  else inbox.numbers.push(number);
}

/** Bytes that say which message they are: 4 and more have a number, the others are all 7. */
function numbered(number, size) {
  const bytes = new Uint8Array(size).fill(size < 4 ? 7 : number & 0xff);
  if (size >= 4) new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** −1 for one that is too short for a number, undefined for one that is damaged. */
function numberOf(data) {
  const bytes = new Uint8Array(data);
  if (bytes.length < 4) return bytes.every((b) => b === 7) ? -1 : undefined;
  const number = new DataView(data).getUint32(0);
  for (let i = 4; i < bytes.length; i += 997) if (bytes[i] !== (number & 0xff)) return undefined;
  return number;
}

/** Sends so many messages with sizes from 1 to most, spread logarithmically; returns how many bytes. */
window.sendMany = async (id, count, most) => {
  const producer = producers.get(id);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const size = Math.min(most, Math.floor(Math.exp(Math.random() * Math.log(most + 1))));
    producer.send(numbered(i, size));
    total += size;
    while (producer.bufferedAmount > 1_000_000) await new Promise((later) => setTimeout(later, 1));
  }
  return total;
};

window.sendText = (id, text) => producers.get(id).send(text);
window.closeProducer = (id) => producers.get(id).close();
window.isClosed = (id) => (producers.get(id) ?? inboxes.get(id).consumer).closed;

/** What a data consumer has got, without the messages themselves. */
window.got = (id) => {
  const { texts, numbers, wrong, bytes, closed } = inboxes.get(id);
  const long = numbers.filter((number) => number >= 0);
  return {
    texts,
    count: numbers.length,
    wrong,
    bytes,
    closed,
    different: new Set(long).size + (numbers.length - long.length),
    inOrder: long.every((number, i) => i === 0 || number > long[i - 1]),
  };
};

window.log = [];
addEventListener("unhandledrejection", ({ reason }) => window.log.push(String(reason?.stack ?? reason)));
window.ready = true;
