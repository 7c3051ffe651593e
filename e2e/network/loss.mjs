// Random loss on either side of the server, with 60 ms there and back to it on either side.
import { people } from "../harness/checks.mjs";
import { far, frameShare, measureUnlimited, withCall } from "../harness/network.mjs";

const { anna, ben } = people;
const SECONDS = 20;
const percent = (share) => `${(100 * share).toFixed(1)} %`;

export function row(what, figures, receiver = 0) {
  const { sent, received, seconds } = figures;
  const got = received[receiver];
  return {
    "": what + (figures.limited ? " (CPU-limited)" : ""),
    "sent frames/s": (sent.framesSent / seconds).toFixed(1),
    "kbit/s": Math.round((sent.bytesSent * 8) / seconds / 1000),
    "decoded": percent(frameShare(figures, receiver)),
    "seen": percent(got.shown.frames / sent.framesSent),
    "longest still, ms": Math.round(got.shown.longestMs),
    "freezes": got.freezeCount,
    "packets missed": got.packetsLost,
    "sent again by the sender": sent.retransmittedPacketsSent,
    "by the server": got.retransmittedPacketsReceived,
    "keyframes": sent.keyFramesEncoded,
  };
}

export async function loss(setting) {
  const rows = [];
  await withCall(setting, "loss", anna, [ben], {}, async (call) => {
    const [up, down] = [call.sender.line, call.receivers[0].line];
    await new Promise((resolve) => setTimeout(resolve, 6_000)); // until the sender has found its bitrate
    rows.push(row("none", await measureUnlimited(call, SECONDS * 1000)));
    for (const { name, lossy } of [
      { name: "to the server", lossy: async (bad) => up.set({ up: bad }) },
      { name: "from the server", lossy: async (bad) => down.set({ down: bad }) },
    ]) {
      for (const share of [0.02, 0.05, 0.1]) {
        await lossy({ ...far, loss: share });
        rows.push(row(`${100 * share} % ${name}`, await measureUnlimited(call, SECONDS * 1000)));
      }
      await lossy({ ...far, loss: 0.05, burst: 4 });
      rows.push(row(`5 % in bursts of 4 ${name}`, await measureUnlimited(call, SECONDS * 1000)));
      await lossy(far);
    }
  });
  return { title: `Loss, ${SECONDS} s each`, rows };
}
