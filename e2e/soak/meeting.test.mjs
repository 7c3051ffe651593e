// Five minutes of ten people who all see and hear each other: nothing is lost, nothing grows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { held, load, startWatchedServer } from "./server.mjs";

const PEOPLE = 10;
const MINUTES = Number(process.env.SOAK_MINUTES ?? 5);
const SAMPLE_MS = 15_000;

// Of buffers that fill and tables that are looked at in a meeting that goes on; a leak of a byte per
// packet would be six MiB.
const SLACK = { goroutines: 4, descriptors: 2, heapKiB: 1024 };

let server;

before(async () => {
  server = await startWatchedServer();
});

after(() => server?.stop());

test(`${MINUTES} minutes of a meeting of ${PEOPLE}`, { timeout: (MINUTES + 2) * 60_000 }, async (t) => {
  const samples = [];
  const look = async () => {
    const now = await held(server);
    if (now.objects === 0) return; // not begun, or over
    samples.push(now);
    t.diagnostic(JSON.stringify(now));
  };
  const timer = setInterval(() => void look().catch((error) => t.diagnostic(`not looked at: ${error.message}`)), SAMPLE_MS);
  let report;
  try {
    report = await load(server, "meeting", "--people", String(PEOPLE), "--duration", `${MINUTES * 60}s`, "--warmup", "5s", "--max-loss", "0");
  } finally {
    clearInterval(timer);
  }
  t.diagnostic(
    `${report.packetsReceived} packets, ${report.packetsPerSecond.toFixed(0)}/s, ${report.lost} lost, ${report.recovered} recovered, ` +
      `latency p99 ${report.latencyMs.p99} ms, ${report.server.cpuMicrosPerPacket.toFixed(2)} CPU-µs each`,
  );
  assert.equal(report.lost, 0);
  assert.ok(report.packetsReceived > 0.99 * report.packetsExpected, `${report.packetsReceived} of ${report.packetsExpected} packets came`);

  // The first samples still see the meeting come together.
  const [first, last] = [samples[1], samples.at(-1)];
  assert.ok(samples.length >= MINUTES * 3, `${samples.length} samples`);
  assert.ok(first.objects === last.objects, `${first.objects} objects were ${last.objects} in the end`);
  for (const [what, slack] of Object.entries(SLACK)) {
    assert.ok(last[what] <= first[what] + slack, `${what} grew from ${first[what]} to ${last[what]}`);
  }
});
