// Calls over bad networks, with figures: `npm run network`, or `npm run network -- loss blackout`
// for some of the scenarios. Prints the tables of docs/performance.md. One at a time and nothing beside
// it: where real browsers take part, they need all that two cores have.
import { launchChromium } from "../harness/chromium.mjs";
import { serveClients } from "../harness/clients.mjs";
import { startRelay } from "../harness/relay.mjs";
import { startServer } from "../harness/server.mjs";
import { adaptation, steps } from "./adaptation.mjs";
import { blackout } from "./blackout.mjs";
import { loss } from "./loss.mjs";
import { moving } from "./moving.mjs";
import { oneBadLine } from "./one-bad-line.mjs";
import { order } from "./order.mjs";
import { simulcast } from "./simulcast.mjs";
import { slowTCP } from "./slow-tcp.mjs";
import { voices } from "./voices.mjs";

const scenarios = { adaptation, steps, loss, order, blackout, moving, "one-bad-line": oneBadLine, simulcast, "slow-tcp": slowTCP, voices };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !scenarios[name]);
if (unknown.length > 0) {
  console.error(`No scenario ${unknown.join(", ")}; there are ${Object.keys(scenarios).join(", ")}`);
  process.exit(2);
}

function print({ title, rows, text }) {
  console.log(`\n${title}\n`);
  if (text) {
    console.log(text);
    return;
  }
  const columns = Object.keys(rows[0]);
  console.log(`| ${columns.join(" | ")} |`);
  console.log(`| ${columns.map((_, i) => (i === 0 ? "---" : "---:")).join(" | ")} |`);
  for (const row of rows) console.log(`| ${columns.map((column) => row[column] ?? "").join(" | ")} |`);
}

const [server, clients, browser, relay] = await Promise.all([startServer({ API_KEY: "e2e-key" }), serveClients(), launchChromium(), startRelay()]);
try {
  for (const name of wanted.length > 0 ? wanted : Object.keys(scenarios)) {
    print(await scenarios[name]({ server, clients, browser, relay }));
  }
} finally {
  await browser.close();
  await clients.stop();
  await server.stop();
  await relay.stop();
}
