// Makes the picture of the README, docs/images/call.png: a real call of four in Chromium, of people whose
// cameras are drawn. usage: npm run picture
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { join, press } from "../harness/callpage.mjs";
import { mediaScript, until } from "../harness/checks.mjs";
import { launchChromium } from "../harness/chromium.mjs";
import { invite, startServer } from "../harness/server.mjs";

const picture = fileURLToPath(new URL("../../docs/images/call.png", import.meta.url));
const SETTLED_MS = 8_000;

const portraits = await build({
  entryPoints: [fileURLToPath(new URL("portrait.ts", import.meta.url))],
  bundle: true,
  write: false,
  format: "iife",
  globalName: "portraits",
});

/** Enters the call as the nth person of the portraits; whose frequency is 0 is silent. */
async function enter(browser, url, index, frequency) {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(mediaScript);
  await page.addInitScript(portraits.outputFiles[0].text.replace("var portraits", "window.portraits"));
  await page.addInitScript(([index, frequency]) => {
    if (!navigator.mediaDevices) return;
    navigator.mediaDevices.getUserMedia = async (wanted) =>
      new MediaStream([
        ...(wanted.audio ? [frequency ? window.media.tone(frequency) : new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]] : []),
        ...(wanted.video ? [window.portraits.portrait(index)] : []),
      ]);
  }, [index, frequency]);
  await page.goto(url);
  await join(page, { name: await page.evaluate((index) => window.portraits.NAMES[index], index) });
  return page;
}

const server = await startServer();
const browser = await launchChromium();
try {
  const url = server.origin + (await invite(server, { roomId: "Weekly planning" })).path;
  const me = await enter(browser, url, 8, 0);
  await me.waitForSelector(".alone:not([hidden])");
  await enter(browser, url, 0, 300);
  const muted = await enter(browser, url, 1, 0);
  await enter(browser, url, 2, 0);
  await press(muted, "Turn microphone off");
  await until("three people are seen, and one of them speaks", () =>
    me.evaluate(() => document.querySelectorAll(".tile:not(.no-picture):not([data-peer=me])").length === 3 && document.querySelector(".speaking") !== null),
  );
  await me.mouse.move(0, 0);
  // Until the passing notices are gone and the encoders have found their bitrate.
  await me.waitForTimeout(SETTLED_MS);
  await me.screenshot({ path: picture });
} finally {
  await browser.close();
  await server.stop();
}
