// Three people in a call of the page: one leaves, one reloads, one loses the line to the server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join, press, visitAndJoin } from "../harness/callpage.mjs";
import { launchChromium } from "../harness/chromium.mjs";
import { flowsFor, meets, people, until } from "../harness/checks.mjs";
import { startProxy } from "../harness/proxy.mjs";
import { invite, startServer } from "../harness/server.mjs";

const { anna, ben, chie } = people;
// Twice what it is by itself: a slow machine is not what is tested here.
const settings = { TAKOS_CALL_GRACE_PERIOD: "30s" };
let server;
let proxy;
let browser;
let path;
let pages;

before(async () => {
  [server, browser] = await Promise.all([startServer(settings), launchChromium()]);
  proxy = await startProxy(server.port);
  ({ path } = await invite(server));
  pages = {
    anna: await visitAndJoin(browser, server.origin + path, anna),
    // Ben's line to the server can be cut; his media goes another way.
    ben: await visitAndJoin(browser, proxy.origin + path, ben),
    chie: await visitAndJoin(browser, server.origin + path, chie),
  };
});

after(async () => {
  await browser?.close();
  await proxy?.stop();
  await server?.stop();
});

const all = () =>
  Promise.all([
    meets(pages.anna, [ben, chie]),
    meets(pages.ben, [anna, chie]),
    meets(pages.chie, [anna, ben]),
  ]);

/** Collects what a page says in passing. */
const toasts = (page) =>
  page.evaluate(() => {
    window.said = [];
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) if (node.className?.startsWith?.("toast ")) window.said.push(node.textContent);
    }).observe(document.body, { childList: true, subtree: true });
  });

test("three people see and hear each other", () => all());

test("one who loses the line to the server for 5 seconds goes on seeing and being seen, and comes back unnoticed", async () => {
  await toasts(pages.anna);
  proxy.cut();
  await pages.ben.getByText("The connection to the server is lost").waitFor({ timeout: 20_000 });
  await Promise.all([flowsFor(pages.anna, ben, 5_000), flowsFor(pages.ben, anna, 5_000)]);
  proxy.restore();
  await until("the trouble is over", () => pages.ben.evaluate(() => document.querySelector(".trouble").hidden));
  await all();
  assert.deepEqual(await pages.anna.evaluate(() => window.said), [], "the others notice nothing");
  // The line works again, in both directions.
  await press(pages.ben, "Turn camera off");
  await until("Anna sees Ben's camera go off", () => pages.anna.evaluate(() => document.querySelectorAll(".tile.no-picture").length === 1));
  await press(pages.ben, "Turn camera on");
  await all();
});

test("one who reloads comes back as the same person without being asked", async () => {
  await toasts(pages.anna);
  await pages.chie.reload();
  await pages.chie.waitForSelector(".room");
  await all();
  assert.deepEqual(await pages.anna.evaluate(() => window.said), [], "it is no leaving and joining");
});

test("one who leaves is gone, and can join again", async () => {
  await press(pages.chie, "Leave");
  await Promise.all([meets(pages.anna, [ben]), meets(pages.ben, [anna])]);
  await pages.chie.getByRole("button", { name: "Join again" }).click();
  await join(pages.chie, chie);
  await all();
});

test("one whose network changes goes on after an ICE restart", async () => {
  const restarts = () => pages.chie.sent.filter(({ type }) => type === "restartIce").map(({ transportType }) => transportType);
  assert.deepEqual(restarts(), []);
  await pages.chie.evaluate(() => window.dispatchEvent(new Event("online")));
  await until("ICE is restarted both ways", () => restarts().length === 2);
  await all();
  await flowsFor(pages.anna, chie, 1_500);
});

test("after the server was started again, everybody is back without doing anything", async () => {
  const { port, folder } = server;
  await server.stop({ keep: true });
  await pages.anna.getByText("The connection to the server is lost").waitFor({ timeout: 20_000 });
  server = await startServer({ ...settings, PORT: String(port) }, folder);
  await all();
});

test("nothing went wrong in the pages on the way", () => {
  for (const [name, page] of Object.entries(pages)) assert.deepEqual(page.errors, [], name);
});
