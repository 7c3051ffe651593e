// Firefox ESR and Chromium in one call of the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { visitAndJoin } from "../harness/callpage.mjs";
import { launchChromium } from "../harness/chromium.mjs";
import { mediaScript, meets, people, until } from "../harness/checks.mjs";
import { launchFirefox } from "../harness/firefox.mjs";
import { invite, startServer } from "../harness/server.mjs";

const { anna, ben } = people;
let server;
let chromium;
let firefox;

before(async () => {
  [server, chromium, firefox] = await Promise.all([startServer(), launchChromium(), launchFirefox()]);
});

after(async () => {
  await Promise.all([chromium?.close(), firefox?.close()]);
  await server?.stop();
});

test("Firefox and Chromium see and hear each other", async () => {
  const { path } = await invite(server);
  const one = await visitAndJoin(chromium, server.origin + path, anna);
  const other = await firefox.newPage();
  const errors = [];
  other.on("pageerror", (error) => errors.push(error.stack ?? String(error)));
  await other.evaluateOnNewDocument(mediaScript);
  await other.evaluateOnNewDocument(`window.media.be(${JSON.stringify(ben)})`);
  await other.goto(server.origin + path);
  await other.locator("input[name=name]").fill(ben.name);
  await other.locator("button[type=submit]").click();
  await Promise.all([meets(one, [ben]), meets(other, [anna])]);
  const speaking = (page) => page.evaluate(() => [...document.querySelectorAll(".tile.speaking .name")].map((name) => name.textContent).join());
  await until("each sees the other speak", async () => (await speaking(one)) === "Ben" && (await speaking(other)) === "Anna");

  await other.keyboard.press("m");
  await until("Anna sees that Ben's microphone is off", () => one.evaluate(() => !document.querySelector(".tile:not([data-peer=me]) .mic-off").hidden));
  await other.keyboard.press("m");
  await meets(one, [ben]);
  assert.deepEqual([...one.errors, ...errors], []);
});
