// Against the real server, which the build has made.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import asyncapi from "@asyncapi/specs";
import Ajv from "ajv";
import { TakosCallClient, type ClientEvents, type Producer, type RoomCodec } from "@takos/call-api";
// @ts-expect-error: it has no declarations
import { startServer } from "../../../e2e/harness/server.mjs";

const KEY = "the key of the tests";
let server: { port: number; origin: string; stop(): Promise<void> };
let client: TakosCallClient;

before(async () => {
  server = await startServer({ API_KEY: KEY });
  client = new TakosCallClient({ url: `ws://127.0.0.1:${server.port}/takos-api`, apiKey: KEY, reconnectInterval: 10 });
  await client.connect();
});

after(async () => {
  client?.disconnect();
  await server?.stop();
});

function next<Name extends keyof ClientEvents>(name: Name): Promise<ClientEvents[Name]> {
  return new Promise((resolve) => client.on(name, resolve));
}

const opus: RoomCodec = { kind: "audio", mimeType: "audio/opus", clockRate: 48000, channels: 2 };
const sent = { codecs: [{ mimeType: "audio/opus", payloadType: 111, clockRate: 48000, channels: 2 }], encodings: [{ ssrc: 1111 }] };

test("media and messages pass a direct transport", async () => {
  const worker = await client.createWorker({ onDisconnect: "close" });
  const router = await worker.createRouter({ mediaCodecs: [opus] });
  const transport = await router.createDirectTransport();
  const producer = await transport.produce({ kind: "audio", rtpParameters: sent });
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.info.rtpCapabilities });
  assert.equal(consumer.info.producerId, producer.id);

  const rtp = next("consumer.rtp");
  await producer.send(Buffer.from([0x80, 111, 0, 1, 0, 0, 1, 0, 0, 0, 0x04, 0x57, 1, 2, 3, 4]).toString("base64"));
  const told = await rtp;
  assert.equal(told.consumerId, consumer.id);
  assert.deepEqual([...Buffer.from(told.packet, "base64").subarray(-4)], [1, 2, 3, 4]);

  const dataProducer = await transport.produceData({ label: "chat" });
  const dataConsumer = await transport.consumeData({ dataProducerId: dataProducer.id });
  const message = next("dataConsumer.message");
  await dataProducer.send({ message: "hello" });
  const { dataConsumerId, message: text } = await message;
  assert.deepEqual([dataConsumerId, text], [dataConsumer.id, "hello"]);
  assert.equal((await dataProducer.getStats())[0]?.messagesReceived, 1);

  const closed = next("worker.closed");
  await worker.close();
  assert.equal((await closed).workerId, worker.id);
  await assert.rejects(producer.pause(), { code: "ROUTER_NOT_FOUND" });
});

test("transports have the fields that their types promise", async () => {
  const worker = await client.createWorker();
  const router = await worker.createRouter();
  const listenInfo = { ip: "127.0.0.1" };
  const webrtc = (await router.createWebRtcTransport({ listenInfos: [listenInfo] })).info;
  const plain = (await router.createPlainTransport({ listenInfo })).info;
  const pipe = (await router.createPipeTransport({ listenInfo })).info;
  assert.ok(webrtc.iceCandidates.length > 0 && webrtc.iceParameters.password && webrtc.dtlsParameters.fingerprints.length > 0);
  assert.deepEqual([webrtc.iceState, webrtc.dtlsState], ["new", "new"]);
  assert.deepEqual([plain.tuple.localAddress, plain.rtcpMux, plain.comedia], ["127.0.0.1", true, false]);
  assert.deepEqual([pipe.tuple.localAddress, pipe.rtx], ["127.0.0.1", false]);
  await worker.close();
});

type SendTone = (client: TakosCallClient, room: string, signal: AbortSignal, made: (producer: Producer) => void) => Promise<void>;

test("the example of a tone is heard at 440 Hz", async () => {
  const example = path.resolve("examples/tone/tone.mjs"); // as it is, not bundled
  const { sendTone } = (await import(example)) as { sendTone: SendTone };
  await client.createRoom("tone", { codecs: [{ kind: "audio", mimeType: "audio/PCMU", clockRate: 8000 }] });
  const router = await client.getRoomRouter("tone");
  await router.attach();
  const listener = await router.createDirectTransport();
  const payloads: Buffer[] = [];
  const enough = new Promise<void>((resolve) => {
    client.on("consumer.rtp", ({ routerId, packet }) => {
      if (routerId !== router.id) return;
      payloads.push(Buffer.from(packet, "base64").subarray(-160));
      if (payloads.length === 10) resolve();
    });
  });
  const stop = new AbortController();
  const done = sendTone(client, "tone", stop.signal, ({ id }) => {
    void listener.consume({ producerId: id, rtpCapabilities: router.info.rtpCapabilities });
  });
  await enough;
  stop.abort();
  await done;
  // The sign of a sample is its highest bit; twice in a period it changes.
  const signs = [...Buffer.concat(payloads.slice(0, 10))].map((sample) => sample >> 7);
  const changes = signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]).length;
  assert.ok(Math.abs(changes - 2 * 440 * 0.2) <= 2, `${changes} changes of sign in 200 ms`);
  await client.closeRoom("tone");
});

test("the served description is AsyncAPI 3.0 by that standard's own schema", async () => {
  const answer = await fetch(`${server.origin}/takos-api/asyncapi.json`, { headers: { "api-key": KEY } });
  // The standard's schema has draft 7 in it, which must not be known already.
  const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
  const validate = ajv.compile(asyncapi.schemas["3.0.0"] as object);
  const document = (await answer.json()) as object;
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5), null, 1));
  assert.equal(validate({ ...document, asyncapi: "2.0.0" }), false);
});
