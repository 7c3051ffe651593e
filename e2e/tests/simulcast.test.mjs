// Three sizes of a picture, and lines that do not carry the largest: over UDP and where only TCP passes.
// `npm run network` has longer ones, with figures.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium, THREE_ENCODINGS } from "../harness/chromium.mjs";
import { people, until } from "../harness/checks.mjs";
import { serveClients, statistics } from "../harness/clients.mjs";
import { narrow, observe, withSimulcast } from "../harness/simulcast.mjs";
import { startRelay } from "../harness/relay.mjs";
import { startServer } from "../harness/server.mjs";

const { anna, ben, chie } = people;
const wide = narrow(3000);
/** Carries the second size, and nothing of the third. */
const slow = narrow(450);
const setting = {};

before(async () => {
  const [server, clients, browser, relay] = await Promise.all([
    startServer({ API_KEY: "e2e-key" }), serveClients(), launchChromium(THREE_ENCODINGS), startRelay(),
  ]);
  Object.assign(setting, { server, clients, browser, relay });
});

after(async () => {
  await setting.browser?.close();
  for (const what of ["clients", "server", "relay"]) await setting[what]?.stop();
});

const video = async ({ page }) => (await statistics(page, "inbound-rtp")).find((stat) => stat.kind === "video");

/** Waits until a receiver decodes a picture of one of these widths. */
async function comes(call, i, widths, timeout) {
  await until(`a width of ${widths.join(" or ")}`, async () => {
    const now = (await video(call.receivers[i]))?.frameWidth;
    return { ok: widths.includes(now), now };
  }, { timeout });
}

const TRIES = 5;

/**
 * Observes four seconds until each receiver passes its check, a few times: two cores that have something
 * else to do make a browser late, and that looks like a narrow line.
 */
async function fluent(call, checks) {
  for (let tries = TRIES; ; tries--) {
    const { receivers } = await observe(call, 4_000);
    const wrong = receivers.findIndex((seen, i) => !checks[i](seen));
    if (wrong < 0) return;
    if (tries === 1) assert.fail(`receiver ${wrong}: ${JSON.stringify(receivers[wrong])}`);
  }
}

const moves = (longestMs) => (seen) => seen.longestMs < longestMs;

test("a line that becomes narrow and wide again: a smaller picture, and the largest again", async () => {
  await withSimulcast(setting, "narrow", anna, [{ person: ben, down: wide }], async (call) => {
    const { line } = call.receivers[0];
    await comes(call, 0, [640], 10_000);
    await line.set({ down: slow });
    await comes(call, 0, [320, 160], 8_000);
    await fluent(call, [moves(1_500)]);
    await line.set({ down: wide });
    await comes(call, 0, [640], 15_000);
    await fluent(call, [moves(1_500)]);
  });
});

test("who is reached by TCP only, over a slow line, gets a smaller picture, and others the largest", async () => {
  const receivers = [{ person: ben, down: slow, special: ["tcp"] }, { person: chie, down: wide }];
  await withSimulcast(setting, "slow TCP", anna, receivers, async (call) => {
    await comes(call, 1, [640], 10_000);
    await comes(call, 0, [320, 160], 10_000);
    await fluent(call, [moves(2_000), (seen) => seen.width === 640 && seen.longestMs < 1_000]);
    // It stands still, and what was missed is not waited for.
    const { line } = call.receivers[0];
    await line.set({ down: { ...slow, down: true } });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const before = await video(call.receivers[0]);
    await line.set({ down: slow });
    await until("a keyframe", async () => {
      const now = await video(call.receivers[0]);
      return { ok: now?.keyFramesDecoded > before.keyFramesDecoded, keyframes: now?.keyFramesDecoded };
    }, { timeout: 10_000 });
    await fluent(call, [moves(2_000), (seen) => seen.width === 640 && seen.longestMs < 1_000]);
  });
});
