// The example of the TypeScript client: a backend of its own, with a browser on each side.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { mediaScript, people, until } from "../harness/checks.mjs";
import { command, startServer } from "../harness/server.mjs";

const example = fileURLToPath(new URL("../../sdk/takos-api/examples/two-browsers/server.mjs", import.meta.url));
let server;
let backend;
let browser;
let address;

before(async () => {
  [server, browser] = await Promise.all([startServer({ API_KEY: "e2e-key", TAKOS_CALL_TRANSPORT_TIMEOUT: "10s" }), launchChromium()]);
  backend = spawn(process.execPath, [example], { env: { ...process.env, TAKOS_URL: server.api, API_KEY: server.apiKey, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await Promise.race([once(backend.stdout, "data"), once(backend, "exit")]);
  [address] = /http:\/\/\S+\//.exec(String(line));
});

after(async () => {
  await browser?.close();
  if (backend && backend.exitCode === null) {
    const exited = once(backend, "exit");
    backend.kill("SIGTERM");
    await exited;
  }
  await server?.stop();
});

async function open(person) {
  const page = await (await browser.newContext()).newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.stack));
  await page.addInitScript(mediaScript);
  await page.addInitScript(`window.media.be(${JSON.stringify(person)})`);
  await page.goto(address);
  return page;
}

/** What a page gets from others: ids that are shown and tones, with whether the picture moves. */
async function gets(page, others) {
  const counters = new Map();
  await until(`${others.map((other) => other.name)} are seen and heard`, async () => {
    const { pictures, tones } = await page.evaluate(() => ({
      pictures: [...document.querySelectorAll("video:not([data-peer=me])")].map((video) => window.media.read(video)),
      tones: [...document.querySelectorAll("audio")].map((audio) => window.media.hear(audio.srcObject.getTracks()[0])),
    }));
    const right =
      pictures.length === others.length &&
      tones.length === others.length &&
      others.every(({ id, frequency }) => {
        const picture = pictures.find((each) => each?.id === id);
        if (!picture || !tones.some((tone) => Math.abs(tone - frequency) < 25)) return false;
        if (!(picture.counter >= counters.get(id))) counters.set(id, picture.counter);
        return picture.counter - counters.get(id) >= 6;
      });
    return { ok: right, pictures, tones };
  });
}

test("two browsers see and hear each other through a backend that uses the TypeScript client", async () => {
  const { anna, ben, chie } = people;
  const first = await open(anna);
  const second = await open(ben);
  await Promise.all([gets(first, [ben]), gets(second, [anna])]);

  const third = await open(chie);
  await Promise.all([gets(first, [ben, chie]), gets(second, [anna, chie]), gets(third, [anna, ben])]);

  await third.context().close();
  await Promise.all([gets(first, [ben]), gets(second, [anna])]);
  const { rooms } = await command(server, "getAllRooms");
  assert.equal(Object.keys(rooms[0].peers).length, 2);
  for (const page of [first, second]) assert.deepEqual(page.errors, []);
});
