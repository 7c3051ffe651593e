// The page for everybody: checked with axe, and used with the keyboard alone.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { visit, visitAndJoin } from "../harness/callpage.mjs";
import { launchChromium } from "../harness/chromium.mjs";
import { meets, people, until } from "../harness/checks.mjs";
import { invite, startServer } from "../harness/server.mjs";

const { anna, ben, chie } = people;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let server;
let browser;
let url;

before(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium()]);
  url = server.origin + (await invite(server)).path;
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function complaints(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
}

test("the start page and the join page have no faults that axe finds", async () => {
  const start = await visit(browser, `${server.origin}/`, anna);
  await start.waitForSelector("form");
  assert.deepEqual(await complaints(start), []);
  const join = await visit(browser, url, anna);
  await join.waitForSelector(".picture:not(.dark)");
  assert.deepEqual(await complaints(join), []);
});

test("the call has none, with its figures, its dialogue and its menu", async () => {
  const first = await visitAndJoin(browser, url, anna);
  const second = await visitAndJoin(browser, url, ben);
  await meets(first, [ben]);
  assert.deepEqual(await complaints(first), []);
  await first.keyboard.press("f");
  await first.waitForSelector(".figures table");
  assert.deepEqual(await complaints(first), []);
  await first.keyboard.press("f");
  await first.click('[aria-label="Devices and language"]');
  assert.deepEqual(await complaints(first), []);
  await first.keyboard.press("Escape");

  // By the keyboard alone: to Ben's menu, and from it his removal.
  await first.focus(".more:not([hidden])");
  await first.keyboard.press("Enter");
  await first.waitForSelector("[role=menu]");
  assert.deepEqual(await complaints(first), []);
  await first.keyboard.press("ArrowUp");
  await first.keyboard.press("Enter");
  await first.waitForSelector("dialog[open]");
  await first.getByRole("button", { name: "Remove from the call" }).focus();
  await first.keyboard.press("Enter");
  await second.getByText("You were removed from the call").waitFor({ timeout: 20_000 });
  assert.deepEqual(await complaints(second), []);
});

test("nor has the view in which who speaks is large, to which a key leads and back", async () => {
  const room = server.origin + (await invite(server)).path;
  const page = await visitAndJoin(browser, room, anna);
  for (const person of [ben, chie]) await visitAndJoin(browser, room, person);
  await meets(page, [ben, chie]);
  const pressed = () => page.getAttribute('[aria-label="Show who speaks large"]', "aria-pressed");
  assert.equal(await pressed(), "false");
  await page.keyboard.press("l");
  await page.waitForSelector(".shared .tile.person");
  assert.equal(await pressed(), "true");
  assert.deepEqual(await complaints(page), []);
  await page.keyboard.press("l");
  await until("all are shown alike", async () => (await page.locator(".shared .tile").count()) === 0);
});

test("keys switch the microphone and the camera, but not while something is typed", async () => {
  const page = await visitAndJoin(browser, url, anna);
  const off = (kind) => page.locator(`.controls [aria-keyshortcuts=${kind}].off`).count();
  await page.waitForSelector(".controls");
  await until("both are on", async () => (await off("M")) + (await off("V")) === 0);
  await page.keyboard.press("m");
  await page.keyboard.press("v");
  await until("both are off", async () => (await off("M")) + (await off("V")) === 2);
  await page.click('[aria-label="Devices and language"]');
  await page.keyboard.press("m");
  await page.keyboard.press("Escape");
  assert.equal(await off("M"), 1);
});

test("motion is left out for those who ask for that", async () => {
  const page = await visit(browser, url, anna);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const duration = await page.evaluate(() => getComputedStyle(document.querySelector("button")).transitionDuration);
  assert.ok(parseFloat(duration) < 0.001, duration);
});
