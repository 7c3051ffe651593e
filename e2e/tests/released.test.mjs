// Twenty calls, made and ended in Chromium: the server is then as it was before.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { people, until } from "../harness/checks.mjs";
import { openClient, serveClients } from "../harness/clients.mjs";
import { startServer } from "../harness/server.mjs";

const CALLS = 20;
const AT_ONCE = 2;
let server;
let clients;
let browser;

before(async () => {
  [server, clients, browser] = await Promise.all([startServer({ API_KEY: "a-key-for-these-tests" }), serveClients(), launchChromium()]);
});

after(async () => {
  await browser?.close();
  await clients?.stop();
  await server?.stop();
});

/** What the server holds: of its own objects, of Go's and of the system's. */
async function held() {
  const text = await (await fetch(`${server.origin}/metrics`)).text();
  const sum = (name) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
  const fds = await readdir(`/proc/${server.pid}/fd`);
  return {
    rooms: sum("takos_call_rooms"),
    peers: sum("takos_call_peers"),
    transports: sum("takos_call_transports"),
    producers: sum("takos_call_producers"),
    consumers: sum("takos_call_consumers"),
    joins: sum("takos_call_joins_total"),
    goroutines: sum("go_goroutines"),
    descriptors: fds.length,
  };
}

async function call(name) {
  const pages = await Promise.all([people.anna, people.ben].map((person) => openClient(browser, clients, server, name, person)));
  for (const page of pages) {
    await until("pictures come", () => page.evaluate(() => [...document.querySelectorAll("video")].some((video) => video.videoWidth > 0)));
  }
  await Promise.all(pages.map((page) => page.evaluate(() => window.hangUp())));
  await Promise.all(pages.map((page) => page.context().close()));
}

test(`${CALLS} calls leave nothing behind`, async () => {
  await call("first");
  const idle = async () => {
    const now = await held();
    return { ok: now.rooms + now.peers + now.transports + now.producers + now.consumers === 0, ...now };
  };
  const before = await until("the first call is over", idle);
  for (let i = 0; i < CALLS; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, j) => call(`call-${i + j}`)));
  const end = await until("every call is over", async () => {
    const now = await idle();
    // Chromium keeps a connection or two open for its next request.
    return { ...now, ok: now.ok && now.goroutines <= before.goroutines + 4 && now.descriptors <= before.descriptors + 2 };
  });
  assert.equal(end.joins - before.joins, 2 * CALLS);
});
