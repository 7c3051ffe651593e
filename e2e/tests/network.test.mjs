// Calls over bad networks, in short; `npm run network` has the figures.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { people } from "../harness/checks.mjs";
import { serveClients } from "../harness/clients.mjs";
import { describe, far, frameShare, measure, measureUnlimited, movesAgain, withCall } from "../harness/network.mjs";
import { startRelay } from "../harness/relay.mjs";
import { startServer } from "../harness/server.mjs";

const { anna, ben, chie } = people;
const MEASURE_MS = 6_000;
const setting = {};

before(async () => {
  const [server, clients, browser, relay] = await Promise.all([startServer({ API_KEY: "e2e-key" }), serveClients(), launchChromium(), startRelay()]);
  Object.assign(setting, { server, clients, browser, relay });
});

after(async () => {
  await setting.browser?.close();
  for (const what of ["clients", "server", "relay"]) await setting[what]?.stop();
});

/** Fails unless a receiver decoded so much of what was sent, and nothing stayed lost. */
function sees(figures, share, receiver = 0) {
  const seen = JSON.stringify(describe(figures, receiver));
  assert.ok(figures.sent.framesSent > 30, `hardly anything was sent: ${seen}`);
  assert.ok(frameShare(figures, receiver) >= share, seen);
}

test("5 % loss on either side costs next to no frames", async () => {
  await withCall(setting, "loss", anna, [ben], {}, async (call) => {
    for (const person of [call.sender, call.receivers[0]]) {
      await person.line.both({ ...far, loss: 0.05 });
      const figures = await measureUnlimited(call, MEASURE_MS);
      sees(figures, 0.95);
      const { up, down } = await person.line.stats();
      assert.ok(up.lost + down.lost > 10, "the line loses nothing");
      await person.line.both(far);
    }
  });
});

test("nothing is lost by datagrams that are overtaken, late or doubled", async () => {
  await withCall(setting, "order", anna, [ben], {}, async (call) => {
    for (const { line } of [call.sender, call.receivers[0]]) {
      await line.both({ ...far, reorder: 0.1, reorderByMs: 20, duplicate: 0.1, jitterMs: 20 });
    }
    const figures = await measureUnlimited(call, MEASURE_MS);
    sees(figures, 0.95);
    assert.equal(figures.received[0].pliCount, 0, "no keyframe has to help");
  });
});

test("after a blackout of 5 s on both sides the picture moves again", async () => {
  await withCall(setting, "blackout", anna, [ben], {}, async (call) => {
    const lines = [call.sender.line, call.receivers[0].line];
    await Promise.all(lines.map((line) => line.both({ ...far, down: true })));
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await Promise.all(lines.map((line) => line.both(far)));
    const took = await movesAgain(call.receivers[0]);
    assert.ok(took < 4_000, `after ${took} ms`);
    sees(await measure(call, 2_000), 0.9);
  });
});

for (const restart of [false, true]) {
  test(`an address that changes in mid-call, ${restart ? "with" : "without"} an ICE restart`, async () => {
    await withCall(setting, `moving ${restart}`, anna, [ben], {}, async (call) => {
      for (const [person, direction] of [[call.sender, "send"], [call.receivers[0], "recv"]]) {
        await person.line.rebind();
        if (restart) await person.page.evaluate((direction) => window.restartIce(direction), direction);
        const took = await movesAgain(call.receivers[0]);
        assert.ok(took < 4_000, `${person.person.name}: after ${took} ms`);
      }
    });
  });
}

test("one who loses 30 % harms nobody else", async () => {
  await withCall(setting, "one bad line", anna, [ben, chie], {}, async (call) => {
    await call.receivers[1].line.set({ down: { ...far, loss: 0.3 } });
    const figures = await measureUnlimited(call, MEASURE_MS);
    sees(figures, 0.95, 0);
    assert.equal(figures.received[0].packetsLost, 0);
    assert.ok(figures.sent.keyFramesEncoded <= 2, `${figures.sent.keyFramesEncoded} keyframes`);
    const { down } = await call.receivers[1].line.stats();
    assert.ok(down.lost > 50, "the line loses nothing");
  });
});
