// Against the real server, which the build has made.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import asyncapi from "@asyncapi/specs";
import Ajv from "ajv";
import { TakosCallClient, type ClientEvents, type RoomCodec } from "@takos/call-api";
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
  client.disconnect();
  await server.stop();
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

test("the served description is AsyncAPI 3.0 by that standard's own schema", async () => {
  const answer = await fetch(`${server.origin}/takos-api/asyncapi.json`, { headers: { "api-key": KEY } });
  // The standard's schema has draft 7 in it, which must not be known already.
  const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
  const validate = ajv.compile(asyncapi.schemas["3.0.0"] as object);
  const document = (await answer.json()) as object;
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5), null, 1));
  assert.equal(validate({ ...document, asyncapi: "2.0.0" }), false);
});
