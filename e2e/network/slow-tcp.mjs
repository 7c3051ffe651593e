// A receiver whom only TCP reaches, over a narrow line, beside one with a good line; then the narrow line
// stands still for a while.
import { launchChromium, THREE_ENCODINGS } from "../harness/chromium.mjs";
import { people } from "../harness/checks.mjs";
import { narrow, observe, withSimulcast } from "../harness/simulcast.mjs";
import { row } from "./simulcast.mjs";

const { anna, ben, chie } = people;
const STEP_MS = 20_000;
const STALL_MS = 5_000;

export async function slowTCP(setting) {
  const rows = [];
  const browser = await launchChromium(THREE_ENCODINGS);
  const slow = narrow(400);
  const receivers = [
    { person: ben, down: slow, special: ["tcp"] },
    { person: chie, down: narrow(3000) },
  ];
  try {
    await withSimulcast({ ...setting, browser }, "slow TCP", anna, receivers, async (call) => {
      const { line } = call.receivers[0];
      const step = async (what, ms = STEP_MS) => {
        const seen = await observe(call, ms);
        rows.push(row(`400 kbit/s over TCP, ${what}`, seen, 0), row("beside it, 3 Mbit/s over UDP", seen, 1));
      };
      await step("the first 20 s");
      await step("the next");
      for (let time = 1; time <= 3; time++) {
        const stall = line.set({ down: { ...slow, down: true } }).then(() => new Promise((over) => setTimeout(over, STALL_MS)));
        const back = stall.then(() => line.set({ down: slow }));
        await step(`stands still for ${STALL_MS / 1000} s`);
        await back;
      }
      await line.set({ down: narrow(3000) });
      await step("becomes 3 Mbit/s");
      await line.set({ down: slow });
      await step("and 400 kbit/s again");
    });
  } finally {
    await browser.close();
  }
  return { title: `A slow line that only TCP passes, ${STEP_MS / 1000} s each`, rows };
}
