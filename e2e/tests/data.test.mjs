// Data channels of stock mediasoup-client, with the test as the backend.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { people, until } from "../harness/checks.mjs";
import { launchFirefox } from "../harness/firefox.mjs";
import { newPage, serveClients } from "../harness/clients.mjs";
import { command, startServer } from "../harness/server.mjs";

const { anna, ben } = people;
let server;
let clients;
let browser;
let rooms = 0;

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

/** A page with a transport in each direction, as a peer of the room. */
async function open(roomId, person, version) {
  return enter(await newPage(browser, person), roomId, person, version);
}

/** The same in a page that there is, of either driver. */
async function enter(page, roomId, person, version) {
  const where = { roomId, peerId: person.name };
  await command(server, "addPeer", where);
  await page.exposeFunction("command", (name, data) => command(server, name, data));
  await page.goto(`${clients.origin}/data@${version}`);
  await page.waitForFunction(() => window.ready);
  for (const direction of ["send", "recv"]) await page.evaluate(([d, w]) => window.makeTransport(d, w), [direction, where]);
  return Object.assign(page, { where });
}

async function two({ version = "3.24" } = {}) {
  const roomId = `data-${++rooms}`;
  await command(server, "createRoom", { roomId });
  return [await open(roomId, anna, version), await open(roomId, ben, version)];
}

/** A channel from one page to another: the ids of its two ends. */
async function channel(from, to, options = {}) {
  const producer = await from.evaluate((o) => window.produce(o), options);
  return { producer, consumer: await to.evaluate((id) => window.consume(id), producer) };
}

const got = (page, id) => page.evaluate((id) => window.got(id), id);

/** Sends over a channel and waits for it all. */
async function carries(from, to, { producer, consumer }, count, most, inOrder) {
  const bytes = await from.evaluate(([id, count, most]) => window.sendMany(id, count, most), [producer, count, most]);
  let now;
  await until(`${count} messages`, async () => (now = await got(to, consumer)).count >= count, { timeout: 60_000 }).catch(() => {});
  assert.deepEqual(
    { count: now.count, different: now.different, bytes: now.bytes, wrong: now.wrong },
    { count, different: count, bytes, wrong: 0 },
    JSON.stringify((await command(server, "getDataConsumerStats", { ...to.where, dataConsumerId: consumer })).stats),
  );
  if (inOrder) assert.ok(now.inOrder, "out of order");
  return bytes;
}

/** The CPU time that the server has used; its clock has 100 ticks a second. */
function cpuSeconds() {
  const [user, system] = readFileSync(`/proc/${server.pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ").slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

for (const version of ["3.24", "3.18"]) {
  test(`texts, empty ones too, with mediasoup-client ${version}`, async () => {
    const [first, second] = await two({ version });
    const { producer, consumer } = await channel(first, second, { label: "chat" });
    const texts = ["hello", "", "たこ", "x".repeat(10_000)];
    for (const text of texts) await first.evaluate(([id, text]) => window.sendText(id, text), [producer, text]);
    await until("the texts", async () => (await got(second, consumer)).texts.length === texts.length);
    assert.deepEqual((await got(second, consumer)).texts, texts);
  });
}

test("10,000 messages each way, ordered and not, of 1 byte to 256 KiB: nothing is lost", { timeout: 300_000 }, async (t) => {
  const pages = await two();
  const [first, second] = pages;
  const [started, usedBefore] = [Date.now(), cpuSeconds()];
  const jobs = [];
  for (const [from, to] of [[first, second], [second, first]]) {
    for (const ordered of [true, false]) {
      const ends = await channel(from, to, { ordered });
      jobs.push(() => carries(from, to, ends, 5000, 256 * 1024, ordered));
    }
  }
  const bytes = await Promise.all(jobs.map((job) => job()));
  const seconds = (Date.now() - started) / 1000;
  const total = bytes.reduce((sum, each) => sum + each, 0);
  const used = cpuSeconds() - usedBefore;
  t.diagnostic(`20,000 messages, ${(total / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s; ${used.toFixed(1)} s CPU of the server`);
});

test("Firefox and Chromium, each way", { timeout: 120_000 }, async () => {
  const firefox = await launchFirefox();
  try {
    const roomId = `data-${++rooms}`;
    await command(server, "createRoom", { roomId });
    const one = await open(roomId, anna, "3.24");
    const other = await enter(await firefox.newPage(), roomId, ben, "3.24");
    for (const [from, to] of [[one, other], [other, one]]) {
      await carries(from, to, await channel(from, to), 500, 256 * 1024, true);
      await carries(from, to, await channel(from, to, { ordered: false }), 500, 256 * 1024, false);
    }
    assert.deepEqual(await other.evaluate(() => window.log), []);
  } finally {
    await firefox.close();
  }
});

test("who pauses, resumes and closes", async () => {
  const [first, second] = await two();
  const { producer, consumer } = await channel(first, second);
  const mine = { ...first.where, dataProducerId: producer };
  const texts = async () => (await got(second, consumer)).texts;
  const arrived = async () => (await command(server, "getDataProducerStats", mine)).stats[0].messagesReceived;
  let sent = 0;
  const send = async (text) => {
    await first.evaluate(([id, text]) => window.sendText(id, text), [producer, text]);
    sent++;
    await until(`${text} at the server`, async () => (await arrived()) === sent);
  };
  await send("one");
  await command(server, "pauseDataProducer", mine);
  await send("paused");
  await command(server, "resumeDataProducer", mine);
  await send("two");
  await command(server, "sendData", { ...second.where, dataConsumerId: consumer, message: "from the server" });
  await until("the texts", async () => (await texts()).length === 3);
  assert.deepEqual(await texts(), ["one", "two", "from the server"]);
  await command(server, "closeDataProducer", mine);
  await until("the end of the channel", async () => (await got(second, consumer)).closed || (await second.evaluate((id) => window.isClosed(id), consumer)));
  const again = await channel(first, second);
  await first.evaluate(([id, text]) => window.sendText(id, text), [again.producer, "again"]);
  await until("a text over the next channel", async () => (await got(second, again.consumer)).texts[0] === "again");
});

test("a channel of few retransmissions, and one that the receiver wants ordered", async () => {
  const [first, second] = await two();
  const { producer, consumer } = await channel(first, second, { ordered: false, maxRetransmits: 0 });
  await carries(first, second, { producer, consumer }, 200, 1000, false); // loopback loses nothing
  const ordered = await second.evaluate((id) => window.consume(id, { ordered: true }), producer);
  await carries(first, second, { producer, consumer: ordered }, 200, 1000, true);
});
