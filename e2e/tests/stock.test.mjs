// Stock mediasoup-client through /_takos/v2/call, in clients that were written for the specification
// and for the deployed server.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { meets, people, until } from "../harness/checks.mjs";
import { asPeer, openClient, serveClients, statistics } from "../harness/clients.mjs";
import { startServer } from "../harness/server.mjs";

const { anna, ben, chie } = people;
let server;
let clients;
let browser;
let rooms = 0;
const room = () => `room-${++rooms}`;

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

async function two(options, otherOptions = options) {
  const roomId = room();
  const first = await openClient(browser, clients, server, roomId, anna, options);
  const second = await openClient(browser, clients, server, roomId, ben, otherOptions);
  await Promise.all([meets(first, [asPeer(ben)]), meets(second, [asPeer(anna)])]);
  return { roomId, first, second };
}

test("two of the deployed clients", async () => {
  const { first, second } = await two({ dialect: "deployed" });
  assert.equal(await first.evaluate(() => window.consumers.size), 2, "one consumer for each producer");
  await second.evaluate(() => window.hangUp());
  await meets(first, []);
});

test("three of the deployed clients, who come at the same time", async () => {
  const roomId = room();
  const pages = await Promise.all([anna, ben, chie].map((person) => openClient(browser, clients, server, roomId, person)));
  await Promise.all(pages.map((page, i) => meets(page, [anna, ben, chie].filter((_, j) => j !== i).map(asPeer))));
});

test("two clients that know the specification only", () => two({ dialect: "seed" }));

test("two that know it only and do all at once", () => two({ dialect: "seed", special: ["haste"] }));

test("one of each in one room", () => two({ dialect: "seed" }, { dialect: "deployed" }));

test("mediasoup-client 3.18 and the newest", () => two({ version: "3.18" }, { version: "3.24" }));

test("a client that sends simulcast is seen, by one of its encodings", async () => {
  const { first } = await two({ special: ["simulcast"] }, {});
  const sent = (await statistics(first, "outbound-rtp")).filter((stat) => stat.kind === "video");
  assert.ok(sent.length > 1, `${sent.length} encodings are sent`);
});

