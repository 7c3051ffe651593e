// Pictures in several sizes: each receiver gets the one that it has room for, and none that it does not show.
import assert from "node:assert/strict";
import { test } from "node:test";
import { press, visit, visitAndJoin } from "../harness/callpage.mjs";
import { meets, people, perceived, until } from "../harness/checks.mjs";
import { invite } from "../harness/server.mjs";
import { aroundTests, browser, server } from "../harness/world.mjs";

const { anna, ben, chie } = people;
const wide = { width: 1280, height: 800 };
const tiny = { width: 360, height: 400 };

aroundTests();

/** The width of the picture of somebody that a page receives, in pixels; it counts only while it moves on. */
const widthOf = async (page, person) => (await perceived(page))[person.name]?.width;

const comesIn = (page, person, width) =>
  until(`${person.name} comes ${width} wide`, async () => {
    const now = await widthOf(page, person);
    return { ok: now === width, now };
  });

const asked = (page, type) => page.sent.filter((message) => message.type === type);

test("a picture comes as large as its tile is, and changes with it", async () => {
  const { path } = await invite(server);
  const url = server.origin + path;
  const large = await visitAndJoin(browser, url, anna, { viewport: wide });
  const small = await visitAndJoin(browser, url, ben, { viewport: tiny });
  await Promise.all([meets(large, [ben]), meets(small, [anna])]);
  const [camera] = asked(large, "produce").filter((message) => message.kind === "video");
  assert.equal(camera.rtpParameters.encodings.length, 2, "640 pixels are worth two sizes");

  await Promise.all([comesIn(large, ben, 640), comesIn(small, anna, 320)]);
  await meets(small, [anna]);
  // The two windows change their sizes, and with them the pictures.
  await Promise.all([large.setViewportSize(tiny), small.setViewportSize(wide)]);
  await Promise.all([comesIn(large, ben, 320), comesIn(small, anna, 640)]);
  await Promise.all([meets(large, [ben]), meets(small, [anna])]);
});

test("one who shows somebody small changes nothing for one who shows them large", async () => {
  const { path } = await invite(server);
  const url = server.origin + path;
  const large = await visitAndJoin(browser, url, anna, { viewport: wide });
  const small = await visitAndJoin(browser, url, ben, { viewport: tiny });
  const seen = await visitAndJoin(browser, url, chie, { viewport: tiny });
  await Promise.all([meets(large, [ben, chie]), meets(small, [anna, chie]), meets(seen, [anna, ben])]);
  await Promise.all([comesIn(large, chie, 640), comesIn(small, chie, 320)]);
});

test("the panel of figures tells which size comes", async () => {
  const { path } = await invite(server);
  const url = server.origin + path;
  const page = await visitAndJoin(browser, url, anna, { viewport: wide });
  const other = await visitAndJoin(browser, url, ben, { viewport: tiny });
  await Promise.all([meets(page, [ben]), meets(other, [anna])]);
  await press(page, "Figures");
  const layers = () => page.evaluate(() => [...document.querySelectorAll(".figures .layers")].map((element) => element.textContent.trim()).filter(Boolean));
  await until("it is the larger of two", async () => {
    const now = await layers();
    return { ok: now.some((text) => /^size 2 of 2 · rate \d of 3$/.test(text)), now };
  });
  await page.setViewportSize(tiny);
  await until("it is the smaller of two", async () => {
    const now = await layers();
    return { ok: now.some((text) => /^size 1 of 2 · rate \d of 3$/.test(text)), now };
  });
});

test("who is scrolled out of sight is not received, and comes back at once", async () => {
  const { path } = await invite(server);
  const url = server.origin + path;
  const page = await visitAndJoin(browser, url, anna, { viewport: wide });
  for (const person of [ben, chie]) await visitAndJoin(browser, url, person, { viewport: tiny });
  await meets(page, [ben, chie]);
  const frames = () =>
    page.evaluate(() =>
      Object.fromEntries(
        [...document.querySelectorAll(".tile:not([data-peer=me])")].map((tile) => [
          tile.querySelector(".name").textContent,
          tile.querySelector("video").getVideoPlaybackQuality().totalVideoFrames,
        ]),
      ),
    );
  const place = (top) =>
    page.evaluate((top) => {
      const tile = [...document.querySelectorAll(".tile")].find((each) => each.querySelector(".name").textContent === "Ben");
      tile.style.translate = `0 ${top}px`;
    }, top);
  await place(5_000);
  await until("only Chie's frames come", async () => {
    const before = await frames();
    await page.waitForTimeout(1_000);
    const now = await frames();
    return { ok: now.Ben === before.Ben && now.Chie > before.Chie, before, now };
  });
  assert.ok((await perceived(page)).Ben.frequency > 0, "sound goes on");
  await place(0);
  await meets(page, [ben, chie]);
});

test("a screen comes in its whole size, with the people beside it small", async () => {
  const { path } = await invite(server);
  const url = server.origin + path;
  const first = await visitAndJoin(browser, url, anna, { viewport: wide });
  const second = await visitAndJoin(browser, url, ben, { viewport: wide });
  await Promise.all([meets(first, [ben]), meets(second, [anna])]);
  await comesIn(first, ben, 640);
  await press(second, "Share screen");
  const screen = () => first.evaluate(() => window.media.read(document.querySelector(".tile.screen video")));
  await until("the screen is large", async () => {
    const now = await screen();
    return { ok: now?.id === ben.id + 100 && now.width === 640, now };
  });
  await comesIn(first, ben, 320);
  await press(second, "Stop sharing");
  await comesIn(first, ben, 640);
});

test("what a browser cannot receive is not waited for", async () => {
  const { path } = await invite(server);
  const url = server.origin + path;
  await visitAndJoin(browser, url, anna);
  const page = await visit(browser, url, ben);
  // The server is told that this browser has no video codec.
  await page.addInitScript(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) {
      const message = JSON.parse(text);
      if (message.type === "consume") message.rtpCapabilities.codecs = message.rtpCapabilities.codecs.filter((codec) => codec.kind === "audio");
      return send.call(this, JSON.stringify(message));
    };
  });
  await page.reload();
  await page.fill("input[name=name]", "Ben");
  await page.click("button[type=submit]");
  await page.getByText("Cannot be received here").waitFor({ timeout: 20_000 });
  await until("Anna is heard", async () => Math.abs((await perceived(page)).Anna?.frequency - anna.frequency) < 25);
});
