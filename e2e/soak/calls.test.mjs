// A thousand calls with real handshakes and media, made and ended, twenty of them in Chromium: the
// server then holds what it held before. Half of them end by hanging up, half by the closing of the room.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { meets, people, until } from "../harness/checks.mjs";
import { asPeer, openClient, serveClients } from "../harness/clients.mjs";
import { held, load, startWatchedServer } from "./server.mjs";

const WARM_UP = 50;
const CALLS = Number(process.env.SOAK_CALLS ?? 1000);
const IN_CHROMIUM = 20;
const LOOKS = 4;
const BETWEEN_LOOKS = 16;

// What may differ without being a leak: a connection that is kept for the next request, with its
// goroutines and buffers; a call that is over, but in whose memory a slot that waits to be used
// again still points: its packets for retransmission alone are hundreds of KiB. A leak of 1.5 KiB or
// of six objects per call is more; a transport has twenty times that.
const SLACK = { goroutines: 6, descriptors: 4, heapKiB: 1536, heapObjects: 6000 };

let server;
let clients;
let browser;

before(async () => {
  [server, clients, browser] = await Promise.all([startWatchedServer({ API_KEY: "" }), serveClients(), launchChromium()]);
});

after(async () => {
  await browser?.close();
  await clients?.stop();
  await server?.stop();
});

/** A call of two in Chromium, who see and hear each other and hang up. */
async function callInChromium(name) {
  const { anna, ben } = people;
  const pages = await Promise.all([anna, ben].map((person) => openClient(browser, clients, server, name, person)));
  await Promise.all([meets(pages[0], [asPeer(ben)]), meets(pages[1], [asPeer(anna)])]);
  await Promise.all(pages.map((page) => page.evaluate(() => window.hangUp())));
  await Promise.all(pages.map((page) => page.context().close()));
}

const calls = (count) => load(server, "calls", "--count", String(count), "--at-once", "8", "--lasting", "100ms");

/**
 * What the server holds when nobody calls. Slots that are used again and again keep what was in them
 * last, however much that is; therefore the least of several looks with a few calls between them.
 */
async function settled() {
  const least = {};
  for (let i = 0; i < LOOKS; i++) {
    await calls(BETWEEN_LOOKS);
    const now = await until("every call is over", async () => {
      const now = await held(server);
      return { ok: now.objects === 0, ...now };
    }, { timeout: 60_000, every: 1000 });
    for (const [what, value] of Object.entries(now)) least[what] = Math.min(value, least[what] ?? Infinity);
  }
  return least;
}

test(`${CALLS} calls leave nothing behind`, { timeout: 30 * 60_000 }, async (t) => {
  await calls(WARM_UP);
  await callInChromium("warm-up");
  const before = await settled();
  t.diagnostic(`after the warm-up of ${WARM_UP} calls: ${JSON.stringify(before)}`);

  const report = await calls(CALLS - IN_CHROMIUM);
  t.diagnostic(`${report.calls} calls, ${report.callsPerSecond.toFixed(1)} a second, ${report.serverCpuMsPerCall.toFixed(2)} ms of the server's CPU each`);
  for (let i = 0; i < IN_CHROMIUM; i++) {
    await callInChromium(`chromium-${i}`);
    t.diagnostic(`${i + 1} of ${IN_CHROMIUM} in Chromium`);
  }

  const end = await settled();
  t.diagnostic(`after ${CALLS} more: ${JSON.stringify(end)}`);
  assert.equal(end.joins - before.joins, 2 * (CALLS + LOOKS * BETWEEN_LOOKS));
  assert.equal(end.panics, 0);
  for (const [what, slack] of Object.entries(SLACK)) {
    assert.ok(end[what] <= before[what] + slack, `${what} grew from ${before[what]} to ${end[what]}`);
  }
});
