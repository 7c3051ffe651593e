// Streams with layers inside, as stock mediasoup-client sends them: a part of the layers is sent on, and
// the receiver's decoder makes a picture of it. (640 pixels are not worth three spatial layers to Chromium.)
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

for (const [codec, mode, layers] of [
  ["VP8", "L1T3", 1],
  ["VP9", "L1T3", 1],
  ["VP9", "L2T3", 2],
  ["VP9", "L2T3_KEY", 2],
  ["VP9", "S2T1", 2],
  ["AV1", "L1T3", 1],
  ["AV1", "L2T2", 2],
  ["AV1", "L2T3_KEY", 2],
]) {
  test(`${codec} ${mode}, with all layers and with the lowest`, async () => {
    const roomId = `${codec}-${mode}`;
    const sender = await openClient(browser, clients, server, roomId, anna, { special: [`codec=${codec}`, `mode=${mode}`] });
    const receiver = await openClient(browser, clients, server, roomId, ben, { special: ["to-listen"] });
    await meets(receiver, [asPeer(anna)]);
    const [sent] = (await statistics(sender, "outbound-rtp")).filter((stat) => stat.kind === "video");
    assert.equal(sent.scalabilityMode, mode, "Chromium sends what was asked for");

    const width = async () => (await statistics(receiver, "inbound-rtp")).find((stat) => stat.kind === "video")?.frameWidth;
    const whole = sent.frameWidth;
    await until("all layers come", async () => {
      const now = await width();
      return { ok: now === whole, whole, now };
    });
    const consumerId = await receiver.evaluate(() => [...window.consumers.values()].find(({ kind }) => kind === "video").id);
    await command(server, "setConsumerPreferredLayers", { roomId, peerId: userId(ben), consumerId, spatialLayer: 0, temporalLayer: 0 });
    await until(`one of ${layers} spatial layers comes`, async () => {
      const now = await width();
      return { ok: layers === 1 || now < whole, whole, now };
    });
    await meets(receiver, [asPeer(anna)]);
    await command(server, "setConsumerPreferredLayers", { roomId, peerId: userId(ben), consumerId, spatialLayer: layers - 1, temporalLayer: 2 });
    await until("all come again", async () => {
      const now = await width();
      return { ok: now === whole, whole, now };
    });
    await meets(receiver, [asPeer(anna)]);
  });
}
