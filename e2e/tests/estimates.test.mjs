// Receivers that are not as browsers are today: without retransmissions, which the server fills when it
// finds out what a line carries, and such as make their own estimate (REMB) and report no arrivals.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium, THREE_ENCODINGS } from "../harness/chromium.mjs";
import { people, until } from "../harness/checks.mjs";
import { openClient, serveClients, statistics } from "../harness/clients.mjs";
import { startRelay } from "../harness/relay.mjs";
import { startServer } from "../harness/server.mjs";
import { narrow, WIDTHS, withSimulcast } from "../harness/simulcast.mjs";

const { anna, ben } = people;
const wide = narrow(3000);
/** Carries the second size, and nothing of the third. */
const slow = narrow(450);
const setting = {};

before(async () => {
  const [server, clients, browser, relay] = await Promise.all([
    startServer({ API_KEY: "e2e-key" }), serveClients(), launchChromium(THREE_ENCODINGS), startRelay(),
  ]);
  Object.assign(setting, { server, clients, browser, relay });
});

after(async () => {
  await setting.browser?.close();
  for (const what of ["clients", "server", "relay"]) await setting[what]?.stop();
});

/**
 * The browser, with pages that say to be able to receive less than it is. What is left out:
 * `rtx`, retransmissions; `arrivals`, transport-wide feedback.
 */
function limited(browser, missing) {
  return {
    async newContext() {
      const context = await browser.newContext();
      await context.addInitScript((missing) => {
        const TRANSPORT_WIDE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
        const leaveOut = (capabilities) => {
          if (missing.includes("rtx")) {
            capabilities.codecs = capabilities.codecs.filter(({ mimeType }) => !/\/rtx$/i.test(mimeType));
          }
          if (missing.includes("arrivals")) {
            for (const codec of capabilities.codecs) codec.rtcpFeedback = codec.rtcpFeedback?.filter(({ type }) => type !== "transport-cc");
            capabilities.headerExtensions = capabilities.headerExtensions.filter(({ uri }) => uri !== TRANSPORT_WIDE);
          }
        };
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (text) {
          const message = JSON.parse(text);
          if (message.type === "consume") leaveOut(message.rtpCapabilities);
          return send.call(this, JSON.stringify(message));
        };
      }, missing);
      return context;
    },
  };
}

const received = async ({ page }) => (await statistics(page, "inbound-rtp")).filter((stat) => stat.kind === "video");
/** The stream of padding; see internal/sfu/probator.go. */
const isPadding = ({ ssrc }) => ssrc === 1234;

/** Waits until a receiver decodes a picture of one of these widths. */
async function comes(receiver, widths, timeout) {
  await until(`a width of ${widths.join(" or ")}`, async () => {
    const now = (await received(receiver)).find((stat) => !isPadding(stat))?.frameWidth;
    return { ok: widths.includes(now), now };
  }, { timeout });
}

/** What was agreed on with the server, of the media that come in. */
const agreed = ({ page }) => page.evaluate(() => window.connections.map((pc) => pc.remoteDescription?.sdp ?? "").join("\n"));

/** What a page sends of its largest picture, in kbit/s, over half a second. */
async function largest(page) {
  const bytes = async () => (await statistics(page, "outbound-rtp")).find((stat) => stat.kind === "video" && stat.frameWidth === 640)?.bytesSent ?? 0;
  const before = await bytes();
  await new Promise((resolve) => setTimeout(resolve, 500));
  return ((await bytes()) - before) / 62.5;
}

/** Anna sends three sizes, in full; then Ben comes, who can receive less than others: {page, line}. */
async function call(missing, use) {
  const { browser, clients, server, relay } = setting;
  const roomId = missing.join();
  await withSimulcast(setting, roomId, anna, [], async ({ sender }) => {
    await until("the largest picture is worth more than a new receiver is sent", async () => {
      const kbps = await largest(sender.page);
      return { ok: kbps > 600, kbps };
    });
    const line = await relay.line(server, 2);
    await line.set({ up: { delayMs: 30 }, down: wide });
    const page = await openClient(limited(browser, missing), clients, server, roomId, ben, { special: ["to-listen", line.via] });
    try {
      await use({ page, line });
      assert.deepEqual([...page.errors, ...(await page.evaluate(() => window.log))], [], "errors in the page");
    } finally {
      await page.context().close();
      await line.stop();
    }
  });
}

test("who takes no retransmissions is found to have a wide line, by padding of its own", async () => {
  await call(["rtx"], async (receiver) => {
    await comes(receiver, WIDTHS, 10_000);
    assert.doesNotMatch(await agreed(receiver), /a=rtpmap:\d+ rtx\//);
    await comes(receiver, [640], 6_000);
    const padding = (await received(receiver)).find(isPadding);
    assert.ok(padding?.packetsReceived > 10, `padding came: ${JSON.stringify(padding)}`);
    await receiver.line.set({ down: slow });
    await comes(receiver, [320, 160], 8_000);
    await receiver.line.set({ down: wide });
    await comes(receiver, [640], 15_000);
  });
});

test("who makes its own estimate gets the largest picture, a smaller one over a narrow line, and the largest again", async () => {
  await call(["arrivals"], async (receiver) => {
    await comes(receiver, WIDTHS, 10_000);
    const sdp = await agreed(receiver);
    assert.doesNotMatch(sdp, /transport-cc|transport-wide-cc/);
    assert.match(sdp, /goog-remb/);
    assert.match(sdp, /abs-send-time/);
    // Its estimate grows by some percent a second, and a busy processor looks like a queue to it.
    await comes(receiver, [640], 45_000);
    await receiver.line.set({ down: slow });
    await comes(receiver, [320, 160], 8_000);
    await receiver.line.set({ down: wide });
    await comes(receiver, [640], 45_000);
  });
});
