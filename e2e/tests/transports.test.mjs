// The same call over other ways: IPv6, other ciphers, and the server as DTLS client.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launchChromium } from "../harness/chromium.mjs";
import { meets, people } from "../harness/checks.mjs";
import { asPeer, openClient, serveClients, statistics } from "../harness/clients.mjs";
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
