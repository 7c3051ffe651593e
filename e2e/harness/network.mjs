// Calls over bad networks, and what they look like: each person has a line of their own, and what
// is sent and received is counted over a while.
import { until } from "./checks.mjs";
import { openClient, statistics } from "./clients.mjs";

/** A round trip of 60 ms between a person and the server. */
export const far = { delayMs: 30 };
export const both = (conditions) => ({ up: conditions, down: conditions });

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A call of one who sends a busy picture and others who only watch, each over a line of their own:
 * {sender, receivers}, of {page, line, person}. Ready when all receivers see the picture.
 */
export async function openCall({ browser, clients, server, relay }, roomId, sender, receivers, { lines = far, seed = 1 } = {}) {
  const open = async (person, special, luck) => {
    const line = await relay.line(server, luck);
    await line.set(both(lines));
    const page = await openClient(browser, clients, server, roomId, person, { special: [...special, line.via] });
    return { page, line, person };
  };
  const call = { sender: await open(sender, ["busy"], seed), receivers: [] };
  for (const receiver of receivers) call.receivers.push(await open(receiver, ["to-listen"], seed + call.receivers.length + 1));
  await Promise.all(call.receivers.map((receiver) => until("a picture", () => decoded(receiver.page))));
  return call;
}

async function closeCall({ sender, receivers }) {
  for (const { page, line } of [sender, ...receivers]) {
    await page.context().close();
    await line.stop();
  }
}

/** Does something with a call and ends it. */
export async function withCall(setting, roomId, sender, receivers, options, use) {
  const call = await openCall(setting, roomId, sender, receivers, options);
  try {
    return await use(call);
  } finally {
    await closeCall(call);
  }
}

const ofVideo = (list) => list.filter((stat) => stat.kind === "video");
const sum = (list, field) => list.reduce((total, stat) => total + (stat[field] ?? 0), 0);

async function decoded(page) {
  return sum(ofVideo(await statistics(page, "inbound-rtp")), "framesDecoded");
}

const SENT = ["framesEncoded", "framesSent", "keyFramesEncoded", "nackCount", "pliCount", "retransmittedPacketsSent", "packetsSent", "bytesSent"];
const RECEIVED = ["framesDecoded", "framesReceived", "framesDropped", "freezeCount", "totalFreezesDuration", "packetsReceived", "packetsLost", "retransmittedPacketsReceived", "nackCount", "pliCount", "keyFramesDecoded", "bytesReceived"];

async function snapshot(page, type, fields) {
  const list = ofVideo(await statistics(page, type));
  return Object.fromEntries([...fields.map((field) => [field, sum(list, field)]), ["limited", list.map((stat) => stat.qualityLimitationReason).find((reason) => reason === "cpu")]]);
}

const difference = (from, to, fields) => Object.fromEntries(fields.map((field) => [field, to[field] - from[field]]));

/** Frames per second, of 20 that the picture has, below which the machine was too slow. */
const ENOUGH = 17;

/**
 * What is sent and received from now on, for as long as `meanwhile` takes (a number of milliseconds
 * or a function): {seconds, sent, received: [...]}. Of a receiver also what its video element showed:
 * frames told apart by the counter in the picture, and the longest that one stood still. `limited`
 * says that this machine was too slow to send the picture, and the figures are worth nothing.
 */
export async function measure({ sender, receivers }, meanwhile) {
  const before = await Promise.all([
    snapshot(sender.page, "outbound-rtp", SENT),
    ...receivers.map(({ page, person }) => startWatching(page).then(() => snapshot(page, "inbound-rtp", RECEIVED))),
  ]);
  const began = performance.now();
  if (typeof meanwhile === "number") await pause(meanwhile);
  else await meanwhile();
  const seconds = (performance.now() - began) / 1000;
  const [sent, ...received] = await Promise.all([
    snapshot(sender.page, "outbound-rtp", SENT),
    ...receivers.map(({ page }) => snapshot(page, "inbound-rtp", RECEIVED)),
  ]);
  const shown = await Promise.all(receivers.map(({ page }) => page.evaluate(() => window.watching())));
  return {
    seconds,
    limited: sent.limited === "cpu" || sent.framesEncoded - before[0].framesEncoded < ENOUGH * seconds,
    sent: difference(before[0], sent, SENT),
    received: received.map((now, i) => ({ ...difference(before[i + 1], now, RECEIVED), shown: shown[i] })),
  };
}

async function startWatching(page) {
  await page.evaluate(() => {
    window.watching = window.media.watch(document.querySelector(".tile video"));
  });
}

/**
 * Measures again when the processor was too slow, a few times.
 */
export async function measureUnlimited(call, meanwhile, tries = 3) {
  for (let i = 1; ; i++) {
    const figures = await measure(call, meanwhile);
    if (!figures.limited || i === tries) return figures;
  }
}

/** What is on its way and in the receiver's buffer when something happens is seen within this time. */
const SETTLED_MS = 250;

/** How long until the picture of a receiver moves again, in milliseconds from now, no less than SETTLED_MS. */
export async function movesAgain({ page }, { timeout = 20_000 } = {}) {
  const began = performance.now();
  await pause(SETTLED_MS);
  const before = await decoded(page);
  await until("the picture moves again", async () => (await decoded(page)) > before, { timeout, every: 30 });
  return performance.now() - began;
}

/** The share of the sender's frames that a receiver decoded. */
export const frameShare = (figures, receiver = 0) => figures.received[receiver].framesDecoded / figures.sent.framesSent;

export function describe(figures, receiver = 0) {
  const { sent, received, seconds } = figures;
  const got = received[receiver];
  return {
    fps: (sent.framesSent / seconds).toFixed(1),
    kbps: Math.round((sent.bytesSent * 8) / seconds / 1000),
    share: frameShare(figures, receiver).toFixed(3),
    shown: (got.shown.frames / sent.framesSent).toFixed(3),
    longestMs: Math.round(got.shown.longestMs),
    freezes: got.freezeCount,
    frozenS: got.totalFreezesDuration.toFixed(2),
    lost: got.packetsLost,
    got: got.packetsReceived,
    rtx: got.retransmittedPacketsReceived,
    nacks: got.nackCount,
    plis: got.pliCount,
    keyframes: sent.keyFramesEncoded,
    senderNacked: sent.nackCount,
    senderRtx: sent.retransmittedPacketsSent,
    ...(figures.limited ? { limited: true } : {}),
  };
}
