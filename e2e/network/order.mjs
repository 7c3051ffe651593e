// Datagrams that are overtaken, or come twice, on both sides of the server at once.
import { people } from "../harness/checks.mjs";
import { both, far, measureUnlimited, withCall } from "../harness/network.mjs";
import { row } from "./loss.mjs";

const { anna, ben } = people;
const SECONDS = 15;

export async function order(setting) {
  const rows = [];
  await withCall(setting, "order", anna, [ben], {}, async (call) => {
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    for (const [what, bad] of [
      ["10 % overtaken by 20 ms of others", { reorder: 0.1, reorderByMs: 20 }],
      ["10 % overtaken by 60 ms of others", { reorder: 0.1, reorderByMs: 60 }],
      ["5 % doubled", { duplicate: 0.05 }],
      ["all doubled", { duplicate: 1 }],
      ["jitter of 40 ms", { jitterMs: 40 }],
      ["2 % lost, 5 % overtaken by 20 ms, 5 % doubled, jitter of 20 ms", { loss: 0.02, reorder: 0.05, reorderByMs: 20, duplicate: 0.05, jitterMs: 20 }],
    ]) {
      for (const { line } of [call.sender, call.receivers[0]]) await line.set(both({ ...far, ...bad }));
      rows.push(row(what, await measureUnlimited(call, SECONDS * 1000)));
    }
  });
  return { title: `Order, ${SECONDS} s each, on both sides`, rows };
}
