// Nothing comes through for 5 s.
import { people } from "../harness/checks.mjs";
import { both, far, movesAgain, measure, withCall } from "../harness/network.mjs";

const { anna, ben } = people;
const DARK_MS = 5_000;
const dark = both({ ...far, down: true });

export async function blackout(setting) {
  const rows = [];
  for (const [what, whose] of [
    ["of the sender", ({ sender }) => [sender]],
    ["of the receiver", ({ receivers }) => receivers],
    ["of both", ({ sender, receivers }) => [sender, ...receivers]],
  ]) {
    await withCall(setting, `blackout ${what}`, anna, [ben], {}, async (call) => {
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      let again;
      const figures = await measure(call, async () => {
        await Promise.all(whose(call).map(({ line }) => line.set(dark)));
        await new Promise((resolve) => setTimeout(resolve, DARK_MS));
        await Promise.all(whose(call).map(({ line }) => line.set(both(far))));
        again = await movesAgain(call.receivers[0]);
        await new Promise((resolve) => setTimeout(resolve, 5_000));
      });
      const got = figures.received[0];
      rows.push({
        "": what,
        "moves again after, ms": Math.round(again),
        "freezes": got.freezeCount,
        "frozen, s": got.totalFreezesDuration.toFixed(1),
        "longest still, ms": Math.round(got.shown.longestMs),
        "keyframes": figures.sent.keyFramesEncoded,
        "asked for by the receiver": got.pliCount,
      });
    });
  }
  return { title: `Blackout of ${DARK_MS / 1000} s`, rows };
}
