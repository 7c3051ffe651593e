// A browser sends three sizes of its picture to three browsers with lines of 3 Mbit/s, 700 and 150 kbit/s;
// then the line of the first becomes narrow, and wide again.
import { launchChromium, THREE_ENCODINGS } from "../harness/chromium.mjs";
import { people } from "../harness/checks.mjs";
import { narrow, observe, withSimulcast } from "../harness/simulcast.mjs";

const { anna, ben, chie } = people;
const dai = { name: "Dai", id: 44, frequency: 1500 };
const STEP_MS = 20_000;

export async function simulcast(setting) {
  const rows = [];
  const browser = await launchChromium(THREE_ENCODINGS);
  const step = async (call, what) => {
    const seen = await observe(call, STEP_MS);
    for (const [i, line] of what.entries()) if (line) rows.push(row(line, seen, i));
  };
  try {
    const receivers = [[ben, 3000], [chie, 700], [dai, 150]].map(([person, kbps]) => ({ person, down: narrow(kbps) }));
    await withSimulcast({ ...setting, browser }, "simulcast", anna, receivers, async (call) => {
      const { line } = call.receivers[0];
      await step(call, ["3 Mbit/s, the first 20 s", "700 kbit/s, the first 20 s", "150 kbit/s, the first 20 s"]);
      await step(call, ["3 Mbit/s, the next", "700 kbit/s, the next", "150 kbit/s, the next"]);
      for (const time of ["first", "second"]) {
        await line.set({ down: narrow(250) });
        await step(call, [`3 Mbit/s become 250 kbit/s, the ${time} time`]);
        await line.set({ down: narrow(3000) });
        await step(call, ["and 3 Mbit/s again", "700 kbit/s meanwhile", "150 kbit/s meanwhile"]);
      }
    });
  } finally {
    await browser.close();
  }
  return { title: `Simulcast in Chromium, ${STEP_MS / 1000} s each`, rows };
}

export function row(what, { limited, receivers }, i) {
  const got = receivers[i];
  return {
    "": what + (limited ? " (CPU-limited)" : ""),
    "width at the end": got.width,
    "since, s": (got.settledMs / 1000).toFixed(1),
    "widths": got.widths.map(({ ms, width }) => `${(ms / 1000).toFixed(1)}: ${width}`).join(", "),
    "frames/s": got.framesPerSecond.toFixed(1),
    "kbit/s": Math.round(got.kbps),
    "longest still, ms": got.longestMs,
    "freezes": got.freezes,
    "frozen, ms": got.frozenMs,
    "lost in the queue": got.dropped,
    "keyframes": got.keyframes,
    "asked for": got.asked,
  };
}
