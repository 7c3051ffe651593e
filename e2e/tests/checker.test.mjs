// The checks themselves: what they are to notice is shown to them, over a real connection within one page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { flowsFor, mediaScript, meets, people } from "../harness/checks.mjs";

const { anna, ben } = people;
let browser;
let page;

before(async () => {
  browser = await launchChromium();
  page = await browser.newPage();
  await page.addInitScript(mediaScript);
  await page.goto("data:text/html,<body>");
  // One person after the other sends through a pair of connections, with real codecs between.
  await page.evaluate(async ({ persons }) => {
    for (const { name, id, frequency } of persons) {
      const [sender, receiver] = [new RTCPeerConnection(), new RTCPeerConnection()];
      sender.onicecandidate = ({ candidate }) => receiver.addIceCandidate(candidate);
      receiver.onicecandidate = ({ candidate }) => sender.addIceCandidate(candidate);
      const tile = document.createElement("article");
      tile.className = "tile person";
      tile.dataset.peer = name;
      tile.innerHTML = `<video autoplay muted></video><span class=name>${name}</span>`;
      const audio = document.createElement("audio");
      Object.assign(audio, { autoplay: true }).dataset.peer = name;
      document.body.append(tile, audio);
      receiver.ontrack = ({ track }) => {
        (track.kind === "video" ? tile.querySelector("video") : audio).srcObject = new MediaStream([track]);
      };
      sender.addTrack(window.media.picture(id));
      sender.addTrack(window.media.tone(frequency));
      await sender.setLocalDescription();
      await receiver.setRemoteDescription(sender.localDescription);
      await receiver.setLocalDescription();
      await sender.setRemoteDescription(receiver.localDescription);
    }
  }, { persons: [anna, ben] });
});

after(() => browser?.close());

const brief = { timeout: 1_500 };

test("people who see and hear each other pass", () => meets(page, [anna, ben]));

test("two people swapped are noticed", async () => {
  await meets(page, [anna, ben]);
  await assert.rejects(meets(page, [{ ...anna, name: "Ben" }, { ...ben, name: "Anna" }], brief), /last seen/);
});

test("one picture in place of another is noticed", () => assert.rejects(meets(page, [{ ...anna, id: ben.id }, ben], brief), /last seen/));

test("one voice in place of another is noticed", () =>
  assert.rejects(meets(page, [{ ...anna, frequency: ben.frequency }, ben], brief), /last seen/));

test("somebody missing, and somebody too many, are noticed", async () => {
  await assert.rejects(meets(page, [anna, ben, people.chie], brief), /last seen/);
  await assert.rejects(meets(page, [anna], brief), /last seen/);
});

test("a picture that stands still is noticed", async () => {
  await flowsFor(page, anna, 1_000);
  await page.evaluate(() => (window.media.frozen = true));
  await assert.rejects(meets(page, [anna, ben], brief), /last seen/);
  await assert.rejects(flowsFor(page, anna, 3_000, 1_500), /stood still/);
  await page.evaluate(() => (window.media.frozen = false));
  await meets(page, [anna, ben]);
});

test("silence is noticed", async () => {
  await page.evaluate(() => {
    for (const audio of document.querySelectorAll("audio")) audio.srcObject.getTracks()[0].enabled = false;
  });
  await assert.rejects(meets(page, [anna, ben], brief), /"frequency":0/);
});
