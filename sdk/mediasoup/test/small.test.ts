import assert from "node:assert/strict";
import { test } from "node:test";
import * as mediasoup from "../src/index";

test("the package exports what mediasoup exports, and the choice of the server", () => {
  assert.deepEqual(Object.keys(mediasoup).sort(), [
    "createWorker",
    "errors",
    "extras",
    "getSupportedRtpCapabilities",
    "observer",
    "ortc",
    "parseScalabilityMode",
    "setLogEventListeners",
    "setServer",
    "version",
    "workerBin",
  ]);
});

test("without a server it is said how to name one", async () => {
  delete process.env.TAKOS_CALL_URL;
  await assert.rejects(mediasoup.createWorker(), /TAKOS_CALL_URL/);
});

test("supported capabilities are the caller's own", () => {
  const capabilities = mediasoup.getSupportedRtpCapabilities();
  capabilities.codecs!.length = 0;
  assert.notEqual(mediasoup.getSupportedRtpCapabilities().codecs!.length, 0);
});

test("scalability modes are read, and what is none is one layer of each", () => {
  const read = (mode?: string) => Object.values(mediasoup.parseScalabilityMode(mode));
  assert.deepEqual(read("L3T2_KEY"), [3, 2, true]);
  assert.deepEqual(read("S2T3h"), [2, 3, false]);
  assert.deepEqual(read("L20T3"), [20, 3, false]);
  for (const none of [undefined, "", "S0T1", "L1T0", "S200T3", "L1", "xL1T2"]) assert.deepEqual(read(none), [1, 1, false], none);
});

test("logs go to whom they are wanted by, who may throw", async () => {
  const logged: string[] = [];
  mediasoup.setLogEventListeners({
    ondebug: (namespace) => {
      logged.push(namespace);
      throw new Error("mine");
    },
  });
  await assert.rejects(mediasoup.createWorker());
  assert.deepEqual(logged, ["mediasoup:Worker"]);
  mediasoup.setLogEventListeners();
  await assert.rejects(mediasoup.createWorker());
  assert.equal(logged.length, 1);
});

test("an emitter emits safely, and can be awaited", async () => {
  const emitter = new mediasoup.extras.EnhancedEventEmitter<{ news: [string, number] }>();
  const errors: unknown[] = [];
  emitter.on("listenererror", (name, error) => errors.push(name, error.message));
  const awaited = mediasoup.extras.enhancedOnce<{ news: [string, number] }>(emitter, "news");
  emitter.on("news", () => {
    throw new Error("mine");
  });
  assert.equal(emitter.safeEmit("news", "a", 1), true);
  assert.deepEqual(await awaited, ["a", 1]);
  assert.deepEqual(errors, ["news", "mine"]);
  emitter.removeAllListeners("news");
  assert.equal(emitter.safeEmit("news", "b", 2), false);
});
