// The call page, as people use it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { join, look, press, visit, visitAndJoin } from "../harness/callpage.mjs";
import { meets, people, perceived, until } from "../harness/checks.mjs";
import { command, invite } from "../harness/server.mjs";
import { aroundTests, browser, server } from "../harness/world.mjs";

const { anna, ben, chie } = people;
const dai = { name: "Dai", id: 44, frequency: 1500 };

aroundTests();

const says = (page, text) => page.getByText(text).first().waitFor({ timeout: 20_000 });

async function twoInACall(wish = {}) {
  const { path } = await invite(server, wish);
  const url = server.origin + path;
  const first = await visitAndJoin(browser, url, anna);
  await says(first, "Nobody else is here");
  const second = await visitAndJoin(browser, url, ben);
  await Promise.all([meets(first, [ben]), meets(second, [anna])]);
  return { url, first, second };
}

test("who opens the server's address makes a room, passes on its link, and the two see and hear each other", async () => {
  const first = await visit(browser, `${server.origin}/`, anna);
  await first.fill("input[name=name]", "Anna");
  await first.click("button[type=submit]");
  await first.waitForURL(/\/c\/[^/]+$/);
  await first.waitForSelector(".picture:not(.dark) video");
  await first.click("button[type=submit]");
  await says(first, "Nobody else is here");
  const link = await first.inputValue(".alone input");
  assert.match(link, /^http:\/\/localhost:\d+\/c\/\S+$/);
  const second = await visitAndJoin(browser, link, ben);
  await Promise.all([meets(first, [ben]), meets(second, [anna])]);

  // Two people told apart wrongly would be noticed here too.
  await assert.rejects(meets(first, [{ ...anna, name: "Ben" }], { timeout: 1_500 }), /last seen/);

  // The panel shows what is measured.
  await press(first, "Figures");
  await until("figures are shown", () =>
    first.evaluate(() => {
      const text = document.querySelector(".figures")?.textContent ?? "";
      return { ok: /From Ben/.test(text) && /[1-9]\d* kbit\/s|Mbit\/s/.test(text) && /VP8|VP9|AV1|H264/.test(text) && /640×360/.test(text) && /\d ms/.test(text), text };
    }),
  );
  await press(second, "Leave");
  await says(second, "You left the call");
  await says(first, "Nobody else is here");
});

test("microphone and camera are switched off and on, and the other sees it", async () => {
  const { first, second } = await twoInACall();
  await press(second, "Turn microphone off");
  await press(second, "Turn camera off");
  await until("Anna sees both go", () =>
    first.evaluate(() => {
      const tile = document.querySelector(".tile:not([data-peer=me])");
      return tile.classList.contains("no-picture") && !tile.querySelector(".mic-off").hidden;
    }),
  );
  await until("nothing is heard any more", async () => (await perceived(first)).Ben.frequency === 0);
  await press(second, "Turn microphone on");
  await press(second, "Turn camera on");
  await meets(first, [ben]);
});

test("a screen is shared beside the camera, and ends", async () => {
  const { first, second } = await twoInACall();
  await press(second, "Share screen");
  const screen = () => first.evaluate(() => window.media.read(document.querySelector(".tile.screen video")));
  await until("the screen is seen", async () => (await screen())?.id === ben.id + 100);
  await meets(first, [ben]);
  await press(second, "Stop sharing");
  await until("the screen is gone", async () => (await first.locator(".tile.screen").count()) === 0);
  await meets(first, [ben]);
});

test("the host turns somebody's microphone off, who may turn it on again, and removes them", async () => {
  const { first, second } = await twoInACall();
  assert.equal(await second.locator(".more:visible").count(), 0, "a guest has no such menu");
  await first.hover(".tile:not([data-peer=me])");
  await press(first, "More about Ben");
  await first.getByRole("menuitem", { name: "Turn their microphone off" }).click();
  await says(second, "Anna turned your microphone off. You can turn it on again.");
  await until("nothing is heard any more", async () => (await perceived(first)).Ben.frequency === 0);
  await press(second, "Turn microphone on");
  await meets(first, [ben]);

  await first.hover(".tile:not([data-peer=me])");
  await press(first, "More about Ben");
  await first.getByRole("menuitem", { name: "Remove from the call" }).click();
  await first.getByRole("button", { name: "Remove from the call" }).click();
  await says(second, "You were removed from the call");
  await meets(first, []);
});

test("a call opened in a second tab goes on there, and the first says so", async () => {
  const { url, first, second } = await twoInACall();
  const key = await second.evaluate(() => Object.entries(sessionStorage)[0]);
  const context = second.context();
  const tab = await context.newPage();
  tab.errors = [];
  await tab.addInitScript(([name, value]) => sessionStorage.setItem(name, value), key);
  await tab.goto(url);
  await says(second, "You are in this call somewhere else");
  await until("Anna sees one other", async () => Object.keys(await perceived(first)).length === 1);
});

test("who speaks is marked, and whoever is silent is not", async () => {
  const { first, second } = await twoInACall();
  const speaking = (page) => page.evaluate(() => [...document.querySelectorAll(".tile.speaking .name")].map((name) => name.textContent));
  await until("Anna sees Ben speak", async () => (await speaking(first)).join() === "Ben");
  await until("Ben sees Anna speak", async () => (await speaking(second)).join() === "Anna");
  // It is still sent, and as faint as a room without people.
  await second.evaluate(() => window.media.loudness(0.0002));
  await until("Anna sees nobody speak", async () => (await speaking(first)).length === 0);
  assert.deepEqual(await speaking(second), ["Anna"]);
  await second.evaluate(() => window.media.loudness(0.2));
  await until("Anna sees Ben speak again", async () => (await speaking(first)).join() === "Ben");
  await press(second, "Turn microphone off");
  await until("Anna sees nobody speak", async () => (await speaking(first)).length === 0);
  assert.deepEqual(await speaking(second), ["Anna"]);
});

test("who speaks is shown large to those who want that, and small again in a shared screen's company", async () => {
  const { url, first, second } = await twoInACall();
  assert.equal(await first.locator('[aria-label="Show who speaks large"]:visible').count(), 0, "of two there is nobody to choose");
  const third = await visitAndJoin(browser, url, chie);
  await meets(first, [ben, chie]);
  const speaks = (page, loud) => page.evaluate((loud) => window.media.loudness(loud ? 0.2 : 0.0002), loud);
  const large = () => first.evaluate(() => [...document.querySelectorAll(".shared .tile video")].map((video) => window.media.read(video)));
  const isLarge = (person) => {
    let before = Infinity;
    return until(`${person.name} is large, and moves`, async () => {
      const now = await large();
      if (now.length !== 1 || now[0]?.id !== person.id || now[0].width !== 640) return { ok: false, now };
      const moves = now[0].counter > before;
      before = now[0].counter;
      return { ok: moves, now };
    });
  };
  const order = () => first.evaluate(() => [...document.querySelectorAll(".people .tile .name")].map((name) => name.textContent).join());
  await Promise.all([speaks(first, false), speaks(second, false)]);
  assert.equal(await order(), "Ben,Chie,You");

  await first.keyboard.press("l");
  await isLarge(chie);
  assert.equal(await order(), "Ben,You");
  await Promise.all([speaks(second, true), speaks(third, false)]);
  await isLarge(ben);
  assert.equal(await order(), "Chie,You");
  assert.equal((await second.locator(".shared .tile").count()) + (await third.locator(".shared .tile").count()), 0, "the others see all alike");
  await press(third, "Share screen");
  await until("the screen is large", async () => (await large()).map((each) => each?.id).join() === String(chie.id + 100));
  assert.equal(await order(), "Ben,Chie,You");
  await press(third, "Stop sharing");
  await isLarge(ben);
  await speaks(third, true);
  await press(second, "Leave");
  await until("of two there is nobody to choose", async () => (await large()).length === 0);
  await meets(first, [chie]);
});

test("a page that nobody looks at stops receiving pictures, and has them again when it is looked at", async () => {
  const { url, first } = await twoInACall();
  const frames = () => first.evaluate(() => document.querySelector(".tile:not([data-peer=me]) video").getVideoPlaybackQuality().totalVideoFrames);
  await look(first, false);
  await until("no more frames come", async () => {
    const before = await frames();
    await first.waitForTimeout(1_000);
    return (await frames()) === before;
  });
  assert.ok((await perceived(first)).Ben.frequency > 0, "sound goes on");
  const third = await visitAndJoin(browser, url, chie);
  await meets(third, [anna, ben]);
  assert.equal((await perceived(first)).Chie.counter, undefined, "nor are pictures received of who comes meanwhile");
  await look(first, true);
  await meets(first, [ben, chie]);
});

test("in a call of two friends it is over when one hangs up", async () => {
  const { first, second } = await twoInACall({ kind: "friend" });
  await press(second, "Leave");
  await says(first, "The other side hung up.");
});

test("a full room is said in words", async () => {
  const roomId = "small";
  await command(server, "createRoom", { roomId, options: { maxPeers: 1 } });
  const { path } = await invite(server, { roomId });
  await visitAndJoin(browser, server.origin + path, anna);
  const late = await visit(browser, server.origin + path, ben);
  await late.fill("input[name=name]", "Ben");
  await late.click("button[type=submit]");
  await says(late, "The room is full");
  await command(server, "closeRoom", { roomId });
});

test("a room that is closed says so", async () => {
  const roomId = "closing";
  const { path } = await invite(server, { roomId });
  const page = await visitAndJoin(browser, server.origin + path, anna);
  await says(page, "Nobody else is here");
  await command(server, "closeRoom", { roomId });
  await says(page, "The room was closed");
});

test("an invitation that was withdrawn is said in words", async () => {
  const { invitation, path } = await invite(server);
  await command(server, "revokeInvitation", { invitation });
  const page = await visit(browser, server.origin + path, anna);
  await page.fill("input[name=name]", "Anna");
  await page.click("button[type=submit]");
  await says(page, "This invitation is not valid any more");
});

test("a refused camera and microphone are said in words, and one can join without and still see the others", async () => {
  const { path } = await invite(server);
  const first = await visitAndJoin(browser, server.origin + path, anna);
  await says(first, "Nobody else is here");
  const page = await visit(browser, server.origin + path, ben);
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("", "NotAllowedError");
    };
  });
  await page.reload();
  await says(page, "The browser was told not to give this page the camera and microphone");
  assert.equal(await page.textContent("button[type=submit]"), "Join without camera and microphone");
  await join(page, ben);
  await meets(page, [anna]);
});

test("a camera that does not start is said in words, and one is heard without it", async () => {
  const { path } = await invite(server);
  const first = await visitAndJoin(browser, server.origin + path, anna);
  const page = await visit(browser, server.origin + path, ben);
  await page.addInitScript(() => {
    const both = navigator.mediaDevices.getUserMedia;
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      if (wanted.video) throw new DOMException("", "NotReadableError");
      return both(wanted);
    };
  });
  await page.reload();
  await says(page, "The camera could not be started. Perhaps another program is using it.");
  await join(page, ben);
  await until("Anna hears Ben and sees no picture of him", async () => {
    const { Ben } = await perceived(first);
    return { ok: Ben && Math.abs(Ben.frequency - ben.frequency) < 25 && Ben.id === undefined, Ben };
  });
});

test("a server that does not answer is said in words, and trying again goes on", async () => {
  const { path } = await invite(server);
  const page = await visit(browser, server.origin + path, anna);
  await page.route("**/_takos/v2/token", (route) => route.abort());
  await page.fill("input[name=name]", "Anna");
  await page.click("button[type=submit]");
  await says(page, "The server does not answer");
  await page.unroute("**/_takos/v2/token");
  await page.getByRole("button", { name: "Try again" }).click();
  await join(page, anna);
  await says(page, "Nobody else is here");
});

/** What of these elements a person could not see or reach: it lies outside the window, or is too small for a finger. */
const unreachable = (page, selector) =>
  page.evaluate(
    (selector) =>
      [...document.querySelectorAll(selector)]
        .filter((element) => element.checkVisibility())
        .map((element) => ({ what: element.getAttribute("aria-label") ?? element.className, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight || box.width < 40)
        .map(({ what, box }) => `${what}: ${JSON.stringify(box)}`),
    selector,
  );

test("on a phone four people and a shared screen have their place, and every control can be reached", async () => {
  const { path } = await invite(server);
  const url = server.origin + path;
  const phone = await visit(browser, url, anna, { viewport: { width: 390, height: 844 } });
  assert.deepEqual(await unreachable(phone, "button[type=submit], .picture"), [], "before the call");
  await join(phone, anna);
  for (const person of [ben, chie]) await visitAndJoin(browser, url, person);
  const sharing = await visitAndJoin(browser, url, dai);
  await meets(phone, [ben, chie, dai]);
  assert.deepEqual(await unreachable(phone, ".tile, .controls button, .bar button"), []);
  await press(sharing, "Share screen");
  await phone.waitForSelector(".tile.screen:not(.no-picture)");
  await meets(phone, [ben, chie, dai]);
  assert.equal(await phone.locator(".tile").count(), 5);
  assert.deepEqual(await unreachable(phone, ".tile, .controls button, .bar button"), [], "with a shared screen");
});

test("the language is changed in the middle of a call, which goes on, and is kept", async () => {
  const { first, second } = await twoInACall();
  await press(first, "Devices and language");
  await first.selectOption("dialog select.language", "ja");
  await says(first, "デバイス");
  await first.getByRole("button", { name: "閉じる" }).last().click();
  await first.waitForSelector('.controls [aria-label="マイクをオフにする"]');
  assert.equal(await first.textContent(".tile[data-peer=me] .name"), "自分");
  assert.equal(await second.textContent(".tile[data-peer=me] .name"), "You", "each has their own");
  await meets(first, [ben]);
  await first.reload();
  await says(first, "自分");
});

test("in a Japanese browser everything is said in Japanese", async () => {
  const { path } = await invite(server);
  const page = await visit(browser, server.origin + path, anna, { locale: "ja-JP" });
  assert.equal(await page.getAttribute("html", "lang"), "ja");
  await says(page, "通話に参加する");
  await join(page, anna);
  await says(page, "ほかに誰もいません");
  await page.keyboard.press("m");
  await page.waitForSelector('[aria-label="マイクをオンにする"]');
});

test("a voice call has no pictures, and asks nobody for a camera", async () => {
  const first = await visit(browser, `${server.origin}/`, anna);
  await first.fill("input[name=name]", "Anna");
  await first.getByText("Voice only").click();
  await first.click("button[type=submit]");
  await first.waitForURL(/\/c\/[^/]+$/);
  await says(first, "This is a voice call, without pictures");
  await join(first, anna);
  await says(first, "Nobody else is here");
  const second = await visitAndJoin(browser, await first.inputValue(".alone input"), ben);
  for (const page of [first, second]) assert.deepEqual(await page.evaluate(() => window.media.asked), ["audio"]);
  await until("Anna hears Ben and sees no picture of him", async () => {
    const { Ben } = await perceived(first);
    return { ok: Ben && Math.abs(Ben.frequency - ben.frequency) < 25 && Ben.id === undefined, Ben };
  });
  assert.equal(await second.locator('[aria-label="Share screen"]').count(), 0);
  assert.equal(await first.textContent(".bar h1"), "Call", "a room without a name is not called by its number");
  const next = await first.context().newPage();
  next.errors = [];
  await next.goto(`${server.origin}${(await invite(server)).path}`);
  await next.waitForSelector(".picture:not(.dark) video");
});

test("the page takes nothing from elsewhere and allows nothing inline", async () => {
  const { path } = await invite(server);
  const page = await visit(browser, `${server.origin}/`, anna);
  const violations = [];
  page.on("console", (message) => message.text().includes("Content Security Policy") && violations.push(message.text()));
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).host));
  await page.goto(server.origin + path);
  await join(page, anna);
  await says(page, "Nobody else is here");
  assert.deepEqual(violations, []);
  assert.deepEqual([...new Set(asked)], [new URL(server.origin).host]);
});
