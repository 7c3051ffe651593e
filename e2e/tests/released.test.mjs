// Twenty calls, made and ended in Chromium: the server is then as it was before.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { people, until } from "../harness/checks.mjs";
import { enterCall, newPage, serveClients } from "../harness/clients.mjs";
import { startServer } from "../harness/server.mjs";

const CALLS = 20;
const persons = [people.anna, people.ben];
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

async function call(name, pages) {
  await Promise.all(pages.map((page, i) => enterCall(page, clients, server, name, persons[i])));
  for (const page of pages) {
    await until("pictures come", () => page.evaluate(() => [...document.querySelectorAll("video")].some((video) => video.videoWidth > 0)));
  }
  await Promise.all(pages.map((page) => page.evaluate(() => window.hangUp())));
}

test(`${CALLS} calls leave nothing behind`, async () => {
  const pages = await Promise.all(persons.map((person) => newPage(browser, person)));
  await call("first", pages);
  const idle = async () => {
    const now = await held();
    return { ok: now.rooms + now.peers + now.transports + now.producers + now.consumers === 0, ...now };
  };
  const before = await until("the first call is over", idle);
  for (let i = 0; i < CALLS; i++) await call(`call-${i}`, pages);
  const end = await until("every call is over", async () => {
    const now = await idle();
    // Node keeps a connection or two open for its next request.
    return { ...now, ok: now.ok && now.goroutines <= before.goroutines + 4 && now.descriptors <= before.descriptors + 2 };
  });
  assert.equal(end.joins - before.joins, 2 * CALLS);
});
