// Nobody sends what nobody receives: sizes that nobody shows are left out, and a picture that nobody sees is not sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, press, sentVideo, visitAndJoin } from "../harness/callpage.mjs";
import { meets, people, perceived, until } from "../harness/checks.mjs";
import { command, invite } from "../harness/server.mjs";
import { aroundTests, browser, server } from "../harness/world.mjs";

const { anna, ben, chie } = people;
const wide = { width: 1280, height: 800 };
const tiny = { width: 360, height: 400 };
/** What is wanted again must be there within this. */
const BACK_MS = 2_000;

aroundTests();

/** Waits until a page sends just so many sizes of its camera: only their frames go on, in a second. */
const sends = (page, sizes) =>
  until(`${sizes} sizes are sent`, async () => {
    const before = await sentVideo(page);
    await page.waitForTimeout(1_000);
    const now = await sentVideo(page);
    if (before.length !== now.length) return { ok: false, before, now }; // it has just begun
    const moves = now.map(({ frames, bytes }, layer) => frames > before[layer].frames && bytes > before[layer].bytes);
    const stands = now.map(({ frames, bytes }, layer) => frames === before[layer].frames && bytes === before[layer].bytes);
    return { ok: now.length === 2 && now.every((_, layer) => (layer < sizes ? moves : stands)[layer]), before, now };
  });

/** Waits until somebody's picture comes that wide, and moves on, and answers how long that took. */
async function comesIn(page, person, width) {
  const begin = Date.now();
  let first = null;
  await until(`${person.name} comes ${width} wide`, async () => {
    const now = (await perceived(page))[person.name];
    if (now?.id !== person.id || now.width !== width) return { ok: false, now };
    first ??= now.counter;
    return { ok: now.counter > first, now };
  }, { every: 30 });
  return Date.now() - begin;
}

const sparing = (page) => page.evaluate(() => [...document.querySelectorAll(".figures .spared")].map((element) => element.textContent.trim()).filter(Boolean));

test("a size that nobody shows is not sent, and comes back when somebody shows it", async (t) => {
  const { path } = await invite(server);
  const sender = await visitAndJoin(browser, server.origin + path, anna, { viewport: wide });
  const receiver = await visitAndJoin(browser, server.origin + path, ben, { viewport: wide });
  await Promise.all([meets(sender, [ben]), meets(receiver, [anna])]);
  await comesIn(receiver, anna, 640);
  await sends(sender, 2);
  await press(sender, "Figures");

  await receiver.setViewportSize(tiny);
  await comesIn(receiver, anna, 320);
  await sends(sender, 1);
  await until("the figures say so", async () => {
    const now = await sparing(sender);
    return { ok: now.join() === "1 of 2 sizes sent, since nobody shows more", now };
  });
  await meets(receiver, [anna]);

  await receiver.setViewportSize(wide);
  const back = await comesIn(receiver, anna, 640);
  t.diagnostic(`the larger size was back after ${back} ms`);
  assert.ok(back < BACK_MS, `after ${back} ms`);
  await sends(sender, 2);
  await until("the figures say nothing of it", async () => (await sparing(sender)).length === 0);
});

test("a picture that nobody sees is not sent, and is there at once when somebody looks", async (t) => {
  const { path } = await invite(server);
  const sender = await visitAndJoin(browser, server.origin + path, anna, { viewport: wide });
  await sends(sender, 0); // alone
  await press(sender, "Figures");
  await until("the figures say so", async () => (await sparing(sender)).join() === "not sent, since nobody watches");

  const receiver = await visitAndJoin(browser, server.origin + path, ben, { viewport: wide });
  await comesIn(receiver, anna, 640);
  await sends(sender, 2);

  await look(receiver, false);
  await sends(sender, 0);
  assert.ok((await perceived(receiver)).Anna.frequency > 0, "sound goes on");
  await look(receiver, true);
  const back = await comesIn(receiver, anna, 640);
  t.diagnostic(`the picture was back after ${back} ms`);
  assert.ok(back < BACK_MS, `after ${back} ms`);

  // One who does not look takes nothing from one who does.
  const third = await visitAndJoin(browser, server.origin + path, chie, { viewport: tiny });
  await meets(third, [anna, ben]);
  await look(receiver, false);
  await sends(sender, 1);
  await meets(third, [anna, ben]);
});

for (const codec of ["VP9", "AV1"]) {
  test(`so is a size in one stream of ${codec}`, async (t) => {
    await command(server, "createRoom", { roomId: codec, options: { codecs: [{ kind: "audio", mimeType: "audio/opus", clockRate: 48000, channels: 2 }, { kind: "video", mimeType: `video/${codec}`, clockRate: 90000 }] } });
    const url = server.origin + (await invite(server, { roomId: codec })).path;
    const sender = await visitAndJoin(browser, url, anna, { viewport: wide });
    const receiver = await visitAndJoin(browser, url, ben, { viewport: wide });
    await Promise.all([meets(sender, [ben]), meets(receiver, [anna])]);
    await comesIn(receiver, anna, 640);
    const encodes = (width) =>
      until(`${width} pixels are encoded`, async () => {
        const now = await sentVideo(sender);
        return { ok: now.length === 1 && now[0].width === width, now };
      });
    await encodes(640);
    await receiver.setViewportSize(tiny);
    await encodes(320);
    await comesIn(receiver, anna, 320);
    await meets(receiver, [anna]);
    await receiver.setViewportSize(wide);
    const back = await comesIn(receiver, anna, 640);
    t.diagnostic(`the larger size was back after ${back} ms`);
    assert.ok(back < BACK_MS, `after ${back} ms`);
    await meets(receiver, [anna]);
  });
}
