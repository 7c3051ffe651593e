// A conference server that was written for mediasoup, on the drop-in.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { compiled, enterRoom, isOver, ready, servePage, startApplication } from "../harness/application.mjs";
import { meets, people, perceived, until } from "../harness/checks.mjs";
import { launchChromium, THREE_ENCODINGS } from "../harness/chromium.mjs";
import { command, startServer } from "../harness/server.mjs";

const everybody = [people.anna, people.ben, people.chie];
let server;
let browser;
let pages;
let application;
/** The pages of those who are in, in the order of everybody. */
let open;

before(async () => {
  [server, browser, pages] = await Promise.all([startServer({ API_KEY: "e2e-key" }), launchChromium(THREE_ENCODINGS), servePage("conference/page.js")]);
  application = await startApplication(await compiled("conference/server.ts"), server, { WORKERS: "2" });
});

after(async () => {
  await application?.stop();
  await Promise.all([browser?.close(), pages?.stop(), server?.stop()]);
});

const meet = (open) => Promise.all(open.map((page, i) => meets(page, everybody.slice(0, open.length).toSpliced(i, 1))));

/** What the application answers at a path. */
const asked = async (path) => (await fetch(`http://127.0.0.1:${application.port}${path}`)).json();

/** What a page's conference knows, of one kind. */
const knows = (page, what) => page.evaluate((what) => window.conference[what], what);

// One conference, from the first who comes to the end of the application; each test goes on where the one before has stopped.

test("three people on two workers meet", async () => {
  open = [];
  for (const person of everybody) open.push(await enterRoom(browser, pages, application, person, "room"));
  await meet(open);
});

test("a picture comes in the size that is asked for", async () => {
  const [anna] = open;
  for (const [spatialLayer, width] of [[0, 160], [2, 640]]) {
    await anna.evaluate((spatialLayer) => window.conference.prefer("Chie", { spatialLayer }), spatialLayer);
    await until(`it is ${width} wide`, async () => {
      const now = { width: (await perceived(anna)).Chie.width, layers: (await knows(anna, "layers")).Chie };
      return { ok: now.width === width && now.layers.spatialLayer === spatialLayer, ...now };
    });
  }
});

test("everybody is told who speaks", async () => {
  const [, ben, chie] = open;
  for (const [speaking, name] of [[chie, "Chie"], [ben, "Ben"]]) {
    await Promise.all(open.map((page) => page.evaluate((loudness) => window.media.loudness(loudness), page === speaking ? 0.4 : 0)));
    for (const page of open) {
      await until(`${name} speaks, and nobody else`, async () => {
        const [activeSpeaker, volumes] = [await knows(page, "activeSpeaker"), await knows(page, "volumes")];
        return { ok: activeSpeaker === name && volumes.map((volume) => volume.name).join() === name, activeSpeaker, volumes };
      });
    }
  }
  await Promise.all(open.map((page) => page.evaluate(() => window.media.loudness(0.4))));
});

test("what is written comes to everybody else, and the bot answers questions", async () => {
  const [anna, ben, chie] = open;
  await ben.evaluate(() => ["good morning", "what time is it?"].forEach(window.conference.say));
  const written = ["good morning", "what time is it?"].map((text) => ({ from: "Ben", text }));
  const answered = { from: "bot", text: "Ben, I do not know: what time is it?" };
  for (const [page, wanted] of [[anna, [...written, answered]], [ben, [answered]], [chie, [...written, answered]]]) {
    const messages = await until("the chat is there", async () => {
      const messages = await knows(page, "messages");
      return messages.length >= wanted.length && messages;
    });
    const byText = (one, other) => (one.text < other.text ? -1 : 1);
    assert.deepEqual(messages.toSorted(byText), wanted.toSorted(byText));
  }
});

test("a picture that is paused is told of, and moves again when it is resumed", async () => {
  const [anna, ben, chie] = open;
  const paused = (page) => page.evaluate(() => window.conference.pictureOf("Ben").paused);
  await ben.evaluate(() => window.conference.pausePicture());
  for (const page of [anna, chie]) await until("it is paused", () => paused(page));
  await ben.evaluate(() => window.conference.resumePicture());
  for (const page of [anna, chie]) await until("it is resumed", async () => !(await paused(page)));
  await meet(open);
});

test("the call goes on after ICE has been restarted", async () => {
  const chie = open[2];
  const remote = () => chie.evaluate(() => window.connections.filter((pc) => pc.remoteDescription).map((pc) => /ice-ufrag:(\S+)/.exec(pc.remoteDescription.sdp)[1]));
  const before = await remote();
  await chie.evaluate(() => window.conference.restartIce());
  assert.equal(new Set([...before, ...(await remote())]).size, 4, "both connections have new credentials");
  await meet(open);
});

test("what the application sees of it is what there is", async () => {
  const { workers, rooms } = await asked("/rooms");
  assert.deepEqual(workers.map(({ routerIds }) => routerIds.length), [1, 1]);
  assert.deepEqual(rooms.map(({ id, routers }) => [id, routers.length]), [["room", 2]]);
  for (const { name, transports, consumers } of rooms[0].peers) {
    assert.deepEqual(transports.map(({ iceState, dtlsState, sctpState }) => [iceState, dtlsState, sctpState]).join(" "), "completed,connected,connected completed,connected,connected", name);
    const outbound = consumers.filter(({ type }) => type === "outbound-rtp");
    assert.deepEqual(outbound.map(({ kind }) => kind).sort(), ["audio", "audio", "video", "video"], name);
    for (const { byteCount } of outbound) assert.ok(byteCount > 0, name);
  }
  // Two transports of each, a pair between the routers, and the bot's.
  const { transports, dataProducers } = await asked("/census");
  assert.equal(transports, 9);
  assert.equal(dataProducers, 3 + 1 + 3 + 1, "of people and bot; those of the first two and the bot on the second router, that of the third on the first");
});

test("one comes again, one leaves", async () => {
  const ben = open[1];
  await ben.reload();
  await ready(ben, application);
  await meet(open);
  await open.pop().context().close();
  await meet(open);
  // Of either: two transports, a voice, a picture and a chat, on both routers. And the bot, on both, and the pair between them.
  const wanted = { workers: 2, routers: 2, transports: 7, producers: 8, consumers: 8, dataProducers: 6, dataConsumers: 9 };
  await until("nothing is left of who is gone", async () => {
    const census = await asked("/census");
    return { ok: isDeepStrictEqual(census, wanted), ...census };
  });
  const { routers } = (await asked("/rooms")).rooms[0];
  assert.deepEqual(
    ["transportIds", "mapProducerIdConsumerIds", "mapConsumerIdProducerId", "mapDataProducerIdDataConsumerIds", "mapDataConsumerIdDataProducerId"].map((list) => routers.flatMap((router) => router[list]).length),
    [wanted.transports, wanted.producers, wanted.consumers, wanted.dataProducers, wanted.dataConsumers],
    "the server has as many",
  );
});

test("it ends in order, and so do its workers, at once", async () => {
  assert.equal((await command(server, "worker.list")).workers.length, 2);
  assert.equal(await isOver(open[0]), false);
  await application.end("SIGTERM");
  await until("its workers are closed", async () => (await command(server, "worker.list")).workers.length === 0, { timeout: 2_000 });
  for (const page of open) await until("its calls are over", () => isOver(page));
});

test("no page has seen an error", async () => {
  const errors = await Promise.all(open.map(async (page) => [...page.errors, ...(await page.evaluate(() => window.log))]));
  assert.deepEqual(errors.flat(), []);
});
