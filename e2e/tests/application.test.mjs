// A public application of mediasoup, its server and its client as npm has them, on the drop-in: nothing of it is changed.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { enterRoom, isOver, ready, servePage, startApplication } from "../harness/application.mjs";
import { flowsFor, meets, people, until } from "../harness/checks.mjs";
import { launchChromium } from "../harness/chromium.mjs";
import { asPeer, openClient, serveClients } from "../harness/clients.mjs";
import { command, startServer } from "../harness/server.mjs";

const { anna, ben, chie } = people;
/** How long the drop-in's objects outlive their application, in ms, when it has not said that it ends. */
const GRACE_MS = 10_000;
let server;
let browser;
let pages;
let clients;
let application;

before(async () => {
  [server, browser, pages, clients] = await Promise.all([startServer({ API_KEY: "e2e-key" }), launchChromium(), servePage("page.js"), serveClients()]);
  application = await startApplication("server.cjs", server);
});

after(async () => {
  await application?.stop();
  await Promise.all([browser?.close(), pages?.stop(), clients?.stop(), server?.stop()]);
});

afterEach(async () => {
  const errors = browser.contexts().flatMap((context) => context.pages().flatMap((page) => page.errors));
  for (const context of browser.contexts()) await context.close();
  assert.deepEqual(errors, [], "errors in a page");
});

const workers = async () => (await command(server, "worker.list")).workers;

/** The person of a page under the name that the application gives their connection. */
const known = async (page, person) => ({ ...person, name: await page.evaluate(() => window.peer.socket.id) });

/**
 * The application puts each who comes on the next worker's router and pipes every track to all routers. On its first router
 * it gives nobody the tracks of others, by a mistake of its own: who comes first is only seen.
 */
test("people on different workers meet, one comes again, one leaves, and the application is killed", async () => {
  const [first, second, third] = [
    await enterRoom(browser, pages, application, anna, "room"),
    await enterRoom(browser, pages, application, ben, "room"),
    await enterRoom(browser, pages, application, chie, "room"),
  ];
  const seen = await known(first, anna);
  await Promise.all([meets(second, [seen, await known(third, chie)]), meets(third, [seen, await known(second, ben)])]);

  await second.reload();
  await ready(second, application);
  await Promise.all([meets(second, [seen, await known(third, chie)]), meets(third, [seen, await known(second, ben)])]);

  await first.context().close();
  const [stayed, remained] = [await known(second, ben), await known(third, chie)];
  await Promise.all([meets(second, [remained]), meets(third, [stayed])]);

  const other = [];
  for (const person of [anna, ben]) other.push(await openClient(browser, clients, server, "other", person));
  await Promise.all([meets(other[0], [asPeer(ben)]), meets(other[1], [asPeer(anna)])]);
  assert.equal((await workers()).length, 4);
  assert.equal(await isOver(second), false);
  await application.end("SIGKILL");
  const killed = Date.now();
  // Media does not pass through the application, and goes on until it is certain that it does not come back.
  await meets(second, [remained]);
  const none = until("the application's workers end", async () => (await workers()).length === 0, { timeout: GRACE_MS + 3_000 });
  const ended = none.then(() => Date.now());
  await Promise.all([ended, flowsFor(other[0], asPeer(ben), GRACE_MS + 1_000), flowsFor(other[1], asPeer(anna), GRACE_MS + 1_000)]);
  // The server has noticed a little before the test has.
  assert.ok((await ended) - killed > GRACE_MS - 500, "they are there as long as it may come back");
  for (const page of [second, third]) await until("its calls are over", () => isOver(page));
});
