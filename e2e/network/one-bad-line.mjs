// One receiver has a bad line, another must not notice.
import { people } from "../harness/checks.mjs";
import { far, measureUnlimited, withCall } from "../harness/network.mjs";
import { row } from "./loss.mjs";

const { anna, ben, chie } = people;
const SECONDS = 20;

export async function oneBadLine(setting) {
  const rows = [];
  await withCall(setting, "one bad line", anna, [ben, chie], {}, async (call) => {
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const before = await measureUnlimited(call, SECONDS * 1000);
    await call.receivers[1].line.set({ down: { ...far, loss: 0.3 } });
    const after = await measureUnlimited(call, SECONDS * 1000);
    rows.push(row("good line, both good", before, 0), row("good line, the other bad", after, 0), row("bad line", after, 1));
  });
  return { title: `One of two receivers loses 30 %, ${SECONDS} s each`, rows };
}
