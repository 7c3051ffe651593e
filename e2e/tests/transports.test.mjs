// The same call over other ways: IPv6, TCP, other ciphers, and the server as DTLS client.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { flowsFor, mediaScript, meets, people, until } from "../harness/checks.mjs";
import { asPeer, enterCall, openClient, serveClients, statistics } from "../harness/clients.mjs";
import { launchFirefox } from "../harness/firefox.mjs";
import { startRelay } from "../harness/relay.mjs";
import { startServer } from "../harness/server.mjs";

const { anna, ben } = people;
let clients;
let browser;
let server;

before(async () => {
  [clients, browser] = await Promise.all([serveClients(), launchChromium()]);
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server?.stop();
  server = null;
});

after(async () => {
  await browser?.close();
  await clients?.stop();
});

async function callOver(settings, special = []) {
  server = await startServer({ API_KEY: "e2e-key", ...settings });
  const pages = [];
  for (const person of [anna, ben]) pages.push(await openClient(browser, clients, server, "room", person, { special }));
  await Promise.all([meets(pages[0], [asPeer(ben)]), meets(pages[1], [asPeer(anna)])]);
  return pages;
}

/** The address of the server's candidate that is in use, of each connection. */
async function remotes(page) {
  const [pairs, candidates, transports] = await Promise.all(["candidate-pair", "remote-candidate", "transport"].map((type) => statistics(page, type)));
  const used = new Set(transports.map((transport) => transport.selectedCandidatePairId));
  return pairs.filter((pair) => used.has(pair.id)).map((pair) => candidates.find((candidate) => candidate.id === pair.remoteCandidateId));
}

test("AEAD_AES_128_GCM is what a call has by itself", async () => {
  for (const page of await callOver({})) {
    const transports = await statistics(page, "transport");
    assert.deepEqual(transports.map((transport) => transport.srtpCipher), ["SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM"]);
  }
});

test("AES_CM_128_HMAC_SHA1_80", async () => {
  for (const page of await callOver({ TAKOS_CALL_SRTP_PROFILES: "AES_CM_128_HMAC_SHA1_80" })) {
    const transports = await statistics(page, "transport");
    assert.deepEqual(transports.map((transport) => transport.srtpCipher), ["SRTP_AES128_CM_HMAC_SHA1_80", "SRTP_AES128_CM_HMAC_SHA1_80"]);
  }
});

test("AEAD_AES_256_GCM", async () => {
  for (const page of await callOver({ TAKOS_CALL_SRTP_PROFILES: "AEAD_AES_256_GCM" })) {
    const transports = await statistics(page, "transport");
    assert.deepEqual(transports.map((transport) => transport.srtpCipher), ["SRTP_AEAD_AES_256_GCM", "SRTP_AEAD_AES_256_GCM"]);
  }
});

test("the server as DTLS client of those who send", async () => {
  for (const page of await callOver({}, ["server-as-dtls-client"])) {
    const transports = await statistics(page, "transport");
    assert.deepEqual(transports.map((transport) => transport.dtlsRole).sort(), ["client", "server"]);
  }
});

test("IPv6", async () => {
  for (const page of await callOver({ MEDIASOUP_LISTEN_IP: "::" }, ["ipv6"])) {
    for (const candidate of await remotes(page)) assert.match(candidate.address, /:/);
  }
});

/** The protocols that a page's two connections use. */
const protocols = async (page) => (await remotes(page)).map((candidate) => candidate?.protocol).join();

/** Anna and Ben in a call, each over a line of their own. */
async function callOverLines(relay, blocked) {
  server = await startServer({ API_KEY: "e2e-key" });
  const pages = [];
  for (const person of [anna, ben]) {
    const line = await relay.line(server);
    await line.set({ udpBlocked: blocked });
    const page = await openClient(browser, clients, server, "room", person, { special: [line.via] });
    pages.push(Object.assign(page, { line }));
  }
  await Promise.all([meets(pages[0], [asPeer(ben)]), meets(pages[1], [asPeer(anna)])]);
  return pages;
}

test("UDP blocked: the call comes up over TCP", async () => {
  const relay = await startRelay();
  try {
    const pages = await callOverLines(relay, true);
    for (const page of pages) assert.equal(await protocols(page), "tcp,tcp");
    await Promise.all([flowsFor(pages[0], asPeer(ben), 5_000, 1_000), flowsFor(pages[1], asPeer(anna), 5_000, 1_000)]);
  } finally {
    await relay.stop();
  }
});

test("UDP blocked in mid-call and free again: the call moves to TCP and back", async () => {
  const relay = await startRelay();
  try {
    const pages = await callOverLines(relay, false);
    for (const page of pages) assert.equal(await protocols(page), "udp,udp");
    for (const [blocked, wanted] of [[true, "tcp,tcp"], [false, "udp,udp"]]) {
      for (const page of pages) {
        await page.line.set({ udpBlocked: blocked });
        for (const direction of ["send", "recv"]) await page.evaluate((direction) => window.restartIce(direction), direction);
      }
      for (const page of pages) {
        await until(`the call is over ${wanted}`, async () => {
          const now = await protocols(page);
          return { ok: now === wanted, now };
        });
      }
      await Promise.all([meets(pages[0], [asPeer(ben)]), meets(pages[1], [asPeer(anna)])]);
    }
  } finally {
    await relay.stop();
  }
});

test("UDP blocked: Firefox calls over TCP", async () => {
  server = await startServer({ API_KEY: "e2e-key" });
  const firefox = await launchFirefox();
  try {
    const other = await firefox.newPage();
    await other.evaluateOnNewDocument(mediaScript);
    await other.evaluateOnNewDocument(`window.person = ${JSON.stringify(ben)}`);
    await enterCall(adapt(other), clients, server, "room", ben, { special: ["tcp"] });
    const one = await openClient(browser, clients, server, "room", anna, { special: ["tcp"] });
    await Promise.all([meets(one, [asPeer(ben)]), meets(other, [asPeer(anna)])]);
    assert.equal(await protocols(one), "tcp,tcp");
    const metrics = await (await fetch(`${server.origin}/metrics`)).text();
    const [, connected] = /^takos_call_tcp_connections{state="connected"} (\d+)$/m.exec(metrics);
    assert.ok(connected >= 4, `two for each, or more, since Firefox tries several of its addresses: ${connected}`);
    assert.match(metrics, /^takos_call_packets_total{direction="received"} 0$/m, "nothing came over UDP");
    await Promise.all([flowsFor(one, asPeer(ben), 5_000, 1_000), flowsFor(other, asPeer(anna), 5_000, 1_000)]);
  } finally {
    await firefox.close();
  }
});

/** A page of Firefox's driver as the harness knows Chromium's: what to wait for comes with arguments in between. */
function adapt(page) {
  return {
    goto: (url) => page.goto(url),
    waitForFunction: (condition, argument, options) => page.waitForFunction(condition, options, argument),
    evaluate: (...all) => page.evaluate(...all),
  };
}
