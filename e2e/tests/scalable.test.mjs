// Streams with layers inside, as stock mediasoup-client sends them: a part of the layers is sent on, and
// the receiver's decoder makes a picture of it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { meets, people, until } from "../harness/checks.mjs";
import { asPeer, openClient, serveClients, statistics, userId } from "../harness/clients.mjs";
import { command, startServer } from "../harness/server.mjs";

const { anna, ben } = people;
let server;
let clients;
let browser;

before(async () => {
  [server, clients, browser] = await Promise.all([startServer({ API_KEY: "e2e-key" }), serveClients(), launchChromium()]);
});

after(async () => {
  await browser?.close();
  await clients?.stop();
  await server?.stop();
});

afterEach(async () => {
  const pages = browser.contexts().flatMap((context) => context.pages());
  const errors = await Promise.all(pages.map(async (page) => [...page.errors, ...(await page.evaluate(() => window.log))]));
  for (const context of browser.contexts()) await context.close();
  assert.deepEqual(errors.flat(), [], "errors in a page");
});

/** What a page decodes of its one video: {frameWidth, framesDecoded, …}. */
const video = async (page) => (await statistics(page, "inbound-rtp")).find((stat) => stat.kind === "video");

/** Anna sends with these wishes, Ben watches; how he prefers layers and what then comes. */
async function watched(roomId, special) {
  const sender = await openClient(browser, clients, server, roomId, anna, { special });
  const receiver = await openClient(browser, clients, server, roomId, ben, { special: ["to-listen"] });
  await meets(receiver, [asPeer(anna)]);
  const consumerId = await receiver.evaluate(() => [...window.consumers.values()].find(({ kind }) => kind === "video").id);
  return {
    sent: async () => (await statistics(sender, "outbound-rtp")).filter((stat) => stat.kind === "video"),
    prefer: (spatialLayer, temporalLayer) =>
      command(server, "setConsumerPreferredLayers", { roomId, peerId: userId(ben), consumerId, spatialLayer, temporalLayer }),
    /** Waits for a picture of that width, which is Anna's and moves. */
    async comes(width) {
      await until(`the picture comes ${width} wide`, async () => {
        const now = (await video(receiver))?.frameWidth;
        return { ok: now === width, now };
      });
      await meets(receiver, [asPeer(anna)]);
    },
    /** Waits for the layer that halves so often what Anna's browser sends at that moment, as it may send less than all. */
    async comesHalved(times) {
      await until(`the picture comes halved ${times} times`, async () => {
        const [[{ frameWidth }], now] = [await this.sent(), (await video(receiver))?.frameWidth];
        return { ok: now === frameWidth / 2 ** times, sent: frameWidth, now };
      });
      await meets(receiver, [asPeer(anna)]);
    },
    /** Waits until so many frames a second are decoded for two seconds, give or take a quarter, and nothing is asked for meanwhile. */
    async comesAtRate(framesPerSecond) {
      await until(`${framesPerSecond} frames a second come`, async () => {
        const from = await video(receiver);
        await receiver.waitForTimeout(2_000);
        const to = await video(receiver);
        const seconds = (to.timestamp - from.timestamp) / 1000;
        const now = (to.framesDecoded - from.framesDecoded) / seconds;
        const asked = to.pliCount - from.pliCount;
        return { ok: Math.abs(now - framesPerSecond) <= framesPerSecond / 4 && asked === 0, now, asked };
      });
      await meets(receiver, [asPeer(anna)]);
    },
  };
}

// 640 pixels are not worth three spatial layers to Chromium, 960 are. Its encoder for AV1 stops by itself
// after a few frames of S3; without a server between too.
const large = ["size=960x540", "fps=10"];

for (const [codec, mode, layers, special = []] of [
  ["VP8", "L1T3", 1],
  ["VP9", "L1T3", 1],
  ["VP9", "L2T3", 2],
  ["VP9", "L2T3_KEY", 2],
  ["VP9", "S2T1", 2],
  ["VP9", "L3T3", 3, large],
  ["VP9", "L3T3_KEY", 3, large],
  ["VP9", "S3T3", 3, large],
  ["AV1", "L1T3", 1],
  ["AV1", "L2T2", 2],
  ["AV1", "L2T3_KEY", 2],
  ["AV1", "S2T3", 2],
  ["AV1", "L3T3", 3, large],
  ["AV1", "L3T3_KEY", 3, large],
]) {
  test(`${codec} ${mode}: all layers, the lowest, those between, all again`, async () => {
    const call = await watched(`${codec}-${mode}`, [`codec=${codec}`, `mode=${mode}`, ...special]);
    const [sent] = await call.sent();
    assert.equal(sent.scalabilityMode, mode, "Chromium sends what was asked for");
    await call.comesHalved(0);
    for (let spatial = 0; spatial < layers; spatial++) {
      await call.prefer(spatial, spatial === 0 ? 0 : 2);
      await call.comesHalved(layers - 1 - spatial);
    }
  });
}

// Each encoding of a simulcast has layers in time of its own: VP8's are told by the payload, H264's by the
// dependency descriptor alone.
for (const codec of ["VP8", "H264"]) {
  test(`${codec} simulcast with layers in time in each encoding: a quarter of the frames, in both sizes`, async () => {
    const call = await watched(`${codec}-simulcast`, [`codec=${codec}`, "mode=L1T3", "simulcast", "fps=16"]);
    await until("two encodings of three layers in time each are sent", async () => {
      const modes = (await call.sent()).filter((stat) => stat.framesEncoded > 0).map((stat) => stat.scalabilityMode);
      return { ok: modes.join() === "L1T3,L1T3", modes };
    });
    for (const [spatial, width] of [[1, 320], [0, 160]]) {
      await call.prefer(spatial, 2);
      await call.comes(width);
      await call.comesAtRate(16);
      await call.prefer(spatial, 0);
      await call.comesAtRate(4);
      await call.prefer(spatial, 1);
      await call.comesAtRate(8);
    }
  });
}
