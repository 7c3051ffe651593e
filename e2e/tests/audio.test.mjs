// Voices over lossy lines, and what tells of their time: Opus that protects itself, RED, and capture times.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { people, until } from "../harness/checks.mjs";
import { serveClients } from "../harness/clients.mjs";
import { startRelay } from "../harness/relay.mjs";
import { startServer } from "../harness/server.mjs";
import { hears, losses, opus, red, speak, voice, withVoices } from "../harness/voices.mjs";

const { anna, ben, chie } = people;
const setting = {};

before(async () => {
  const [server, clients, browser, relay] = await Promise.all([startServer({ API_KEY: "e2e-key" }), serveClients(), launchChromium(), startRelay()]);
  Object.assign(setting, { server, clients, browser, relay });
});

after(async () => {
  await setting.browser?.close();
  for (const what of ["clients", "server", "relay"]) await setting[what]?.stop();
});

/** withVoices, which fails on errors in a page too. */
const withCall = (roomId, codecs, members, use) =>
  withVoices(setting, roomId, codecs, members, async (pages, lines) => {
    await use(pages, lines);
    const errors = await Promise.all(pages.map(async (page) => [...page.errors, ...(await page.evaluate(() => window.log))]));
    assert.deepEqual(errors.flat(), [], "errors in a page");
  });

test("RED makes good what is lost, and who does not know it hears Opus", async () => {
  await withCall("red", [opus, red], [[anna, "voice", "red"], [ben, "to-listen"], [chie, "to-listen", "no-red"]], async ([, ...listeners], [, ...lines]) => {
    for (const page of listeners) await hears(page, anna);
    for (const line of lines) await line.set({ down: { loss: 0.2 } });
    const [repaired, plain] = await losses(listeners, 6_000);
    const figures = JSON.stringify({ repaired, plain });
    for (const { lost } of [repaired, plain]) assert.ok(lost > 0.1 && lost < 0.3, `the lines lose a fifth: ${figures}`);
    assert.ok(plain.concealed > 0.08, `what Opus alone loses is concealed: ${figures}`);
    assert.ok(repaired.concealed < plain.concealed / 2, figures);
    for (const page of listeners) await hears(page, anna);
  });
});

test("a sender of Opus is told of a listener's loss, and protects what it sends", async () => {
  await withCall("fec", [opus], [[anna, "voice", "fec"], [ben, "to-listen"]], async ([sender, listener], [, line]) => {
    await speak(sender);
    await line.set({ down: { loss: 0.2 } });
    await until("the sender is told", async () => {
      const { fractionLost, packetsLost } = await voice(sender, "remote-inbound-rtp");
      return { ok: fractionLost > 0.03, fractionLost, packetsLost };
    });
    await until("losses are made good by the packets after them", async () => {
      const { fecPacketsReceived, fecPacketsDiscarded } = await voice(listener, "inbound-rtp");
      return { ok: fecPacketsReceived - fecPacketsDiscarded > 10, fecPacketsReceived, fecPacketsDiscarded };
    });
    const { packetsLost } = await voice(sender, "remote-inbound-rtp");
    assert.equal(packetsLost, 0, "of its own line it is told the truth");
    await hears(listener, anna);
  });
});

test("receivers are told when sound was captured", async () => {
  await withCall("capture-time", [opus], [[anna, "voice", "capture-time"], [ben, "to-listen", "capture-time"]], async ([, listener]) => {
    await hears(listener, anna);
    const { captureTimestamp } = await until("a time of capture arrives", () =>
      listener.evaluate(() => {
        const receivers = window.connections.flatMap((connection) => connection.getReceivers());
        return receivers.flatMap((receiver) => receiver.getSynchronizationSources()).find((source) => source.captureTimestamp);
      }),
    );
    // Milliseconds since 1900, by the sender's clock, which here is the receiver's.
    const sinceThen = Date.now() - (captureTimestamp - 2_208_988_800_000);
    assert.ok(Math.abs(sinceThen) < 5_000, `${captureTimestamp} is ${sinceThen} ms ago`);
  });
});
