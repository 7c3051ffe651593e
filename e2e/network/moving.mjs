// The address of a person changes in mid-call: the line gets new ports towards the server, as when
// a phone comes from one network into another or a router forgets. Without an ICE restart the
// browser knows nothing of it; its next consent check tells the server.
import { people } from "../harness/checks.mjs";
import { measure, movesAgain, withCall } from "../harness/network.mjs";

const { anna, ben } = people;
const TIMES = 5;

export async function moving(setting) {
  const rows = [];
  for (const [what, whose, direction] of [
    ["the sender's", ({ sender }) => sender, "send"],
    ["the receiver's", ({ receivers }) => receivers[0], "recv"],
  ]) {
    for (const restart of [false, true]) {
      await withCall(setting, `moving ${what} ${restart}`, anna, [ben], {}, async (call) => {
        await new Promise((resolve) => setTimeout(resolve, 4_000));
        const times = [];
        const figures = await measure(call, async () => {
          for (let i = 0; i < TIMES; i++) {
            // Not in step with the browser's checks.
            await new Promise((resolve) => setTimeout(resolve, 1_500 + 700 * i));
            const moved = whose(call);
            await moved.line.rebind();
            if (restart) await moved.page.evaluate((direction) => window.restartIce(direction), direction);
            times.push(await movesAgain(call.receivers[0]));
          }
        });
        rows.push({
          "": `${what}, ${restart ? "with" : "without"} an ICE restart`,
          "moves again after, ms": times.map(Math.round).join(", "),
          "keyframes": figures.sent.keyFramesEncoded,
        });
      });
    }
  }
  return { title: "Change of address in mid-call", rows };
}
