// The call page over a network in which UDP stops passing in mid-call, and passes again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join, visit } from "../harness/callpage.mjs";
import { launchChromium } from "../harness/chromium.mjs";
import { meets, people } from "../harness/checks.mjs";
import { goesOnOver, protocols, through } from "../harness/recovery.mjs";
import { startRelay } from "../harness/relay.mjs";
import { invite, startServer } from "../harness/server.mjs";

const { anna, ben } = people;
let server;
let browser;
let relay;

before(async () => {
  [server, browser, relay] = await Promise.all([startServer(), launchChromium(), startRelay()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await relay?.stop();
});

test("UDP blocked in mid-call: the page goes on over TCP by itself, and over UDP when that passes again", async (t) => {
  const { path } = await invite(server);
  const callers = [];
  for (const person of [anna, ben]) {
    const line = await relay.line(server);
    const page = await visit(browser, "about:blank", person);
    await page.addInitScript(through(line.address));
    await page.goto(server.origin + path);
    await join(page, person);
    callers.push({ page, line });
  }
  const pages = callers.map(({ page }) => page);
  const see = () => Promise.all([meets(pages[0], [ben]), meets(pages[1], [anna])]);
  const block = (udpBlocked) => Promise.all(callers.map(({ line }) => line.set({ udpBlocked })));
  await see();
  for (const page of pages) assert.equal(await protocols(page), "udp,udp");

  // The browser itself takes five seconds to say that it hears nothing.
  await block(true);
  const toTCP = await Promise.all(pages.map((page) => goesOnOver(page, "tcp", 15_000)));
  await see();
  await block(false);
  const toUDP = await Promise.all(pages.map((page) => goesOnOver(page, "udp", 15_000)));
  await see();
  t.diagnostic(`over TCP after ${toTCP.join(" and ")} ms, over UDP again after ${toUDP.join(" and ")} ms`);
  for (const page of pages) assert.deepEqual(page.errors, []);
});
