// One who sends three sizes of a busy picture, and others, each behind a line of their own: which size
// each of them sees, how often it moves, and how long it stands still.
import { until } from "./checks.mjs";
import { openClient, statistics } from "./clients.mjs";

export const WIDTHS = [160, 320, 640];
export const FRAMES_PER_SECOND = 15;
/** A round trip of 60 ms and so many kbit/s, with a queue as home routers have. */
export const narrow = (kbps, queueMs = 300) => ({ delayMs: 30, rate: kbps * 1000, queueMs });

/**
 * Anna sends, the receivers ({person, down, special}) watch. Does something with {sender, receivers},
 * of {page, line}, and ends it. The browser has to be one of THREE_ENCODINGS.
 */
export async function withSimulcast({ browser, clients, server, relay }, roomId, sender, receivers, use) {
  const opened = [];
  const open = async ({ person, down, special = [] }, seed) => {
    const line = await relay.line(server, seed);
    opened.push({ line });
    await line.set({ up: { delayMs: 30 }, down });
    opened.at(-1).page = await openClient(browser, clients, server, roomId, person, { special: [...special, line.via] });
    return opened.at(-1);
  };
  try {
    const special = ["busy", "simulcast", "codec=VP8", `fps=${FRAMES_PER_SECOND}`];
    const call = { sender: await open({ person: sender, down: { delayMs: 30 }, special }, 1), receivers: [] };
    await until("three sizes are sent", async () => {
      const sizes = (await outgoing(call.sender.page)).filter((stat) => stat.framesPerSecond > 0).map((stat) => stat.frameWidth);
      return { ok: sizes.length === WIDTHS.length, sizes };
    });
    for (const receiver of receivers) {
      call.receivers.push(await open({ ...receiver, special: ["to-listen", ...(receiver.special ?? [])] }, 2 + call.receivers.length));
      await watch(call.receivers.at(-1).page);
    }
    return await use(call);
  } finally {
    for (const { page, line } of opened) {
      await page?.context().close();
      await line.stop();
    }
  }
}

const outgoing = async (page) => (await statistics(page, "outbound-rtp")).filter((stat) => stat.kind === "video");

/** Begins to watch what a page shows, as soon as it has something to show it in. */
async function watch(page) {
  await page.waitForFunction(() => document.querySelector(".tile video"));
  await page.evaluate(() => (window.watching = window.media.watch(document.querySelector(".tile video"))));
}

const COUNTED = ["framesDecoded", "framesDropped", "freezeCount", "totalFreezesDuration", "packetsLost", "pliCount", "bytesReceived", "keyFramesDecoded"];

async function received({ page, line }) {
  const video = (await statistics(page, "inbound-rtp")).find((stat) => stat.kind === "video") ?? {};
  const { dropped } = (await line.stats()).down;
  return { ...Object.fromEntries(COUNTED.map((field) => [field, video[field] ?? 0])), width: video.frameWidth, dropped };
}

async function sent({ page }) {
  const list = await outgoing(page);
  const cpu = Math.max(...list.map((stat) => stat.qualityLimitationDurations?.cpu ?? 0));
  return { cpu, largest: Math.max(0, ...list.filter((stat) => stat.frameWidth === WIDTHS.at(-1)).map((stat) => stat.framesEncoded)) };
}

/** The share of the frames of the largest size below which the machine was too slow to send them. */
const ENOUGH = 0.8;

/**
 * What happens from now on for so many milliseconds: {limited, receivers: [{width, settledMs, framesPerSecond,
 * longestMs, freezes, frozenMs, …}]}. Limited: this machine was too slow, and the figures are worth nothing.
 */
export async function observe({ sender, receivers }, ms) {
  for (const { page } of receivers) await watch(page);
  const before = await Promise.all([sent(sender), ...receivers.map(received)]);
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const now = await Promise.all([sent(sender), ...receivers.map(received)]);
  const seconds = (performance.now() - began) / 1000;
  const shown = await Promise.all(receivers.map(({ page }) => page.evaluate(() => window.watching())));
  return {
    limited: now[0].cpu > before[0].cpu || now[0].largest - before[0].largest < ENOUGH * FRAMES_PER_SECOND * seconds,
    receivers: receivers.map((_, i) => difference(before[i + 1], now[i + 1], seconds, shown[i])),
  };
}

function difference(from, to, seconds, shown) {
  const passed = (field) => to[field] - from[field];
  return {
    width: to.width,
    widths: shown.widths,
    settledMs: Math.round(shown.widths.at(-1)?.ms ?? 0),
    framesPerSecond: passed("framesDecoded") / seconds,
    seenPerSecond: shown.frames / seconds,
    kbps: (passed("bytesReceived") * 8) / seconds / 1000,
    longestMs: Math.round(shown.longestMs),
    freezes: passed("freezeCount"),
    frozenMs: Math.round(1000 * passed("totalFreezesDuration")),
    dropped: passed("dropped"),
    keyframes: passed("keyFramesDecoded"),
    asked: passed("pliCount"),
  };
}
