// The page as others than this machine reach it: in the local network, and below a base path.
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { after, afterEach, before, test } from "node:test";
import { visit, visitAndJoin } from "../harness/callpage.mjs";
import { launchChromium } from "../harness/chromium.mjs";
import { meets, people } from "../harness/checks.mjs";
import { invite, startServer } from "../harness/server.mjs";

const { anna, ben } = people;
const address = Object.values(networkInterfaces()).flat().find((each) => each.family === "IPv4" && !each.internal).address;
let browser;
let server;

before(async () => {
  browser = await launchChromium();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server?.stop();
  server = null;
});

after(() => browser?.close());

test("serve --lan: another device calls over its self-signed certificate", async () => {
  server = await startServer({ TAKOS_CALL_LAN: "true" });
  const [link] = /https:\/\/\S+\/c\/\S+/.exec(server.output());
  assert.match(link, new RegExp(`^https://${address.replaceAll(".", "\\.")}:`));
  const options = { ignoreHTTPSErrors: true };
  const one = await visitAndJoin(browser, link, anna, options);
  const other = await visitAndJoin(browser, link, ben, options);
  await Promise.all([meets(one, [ben]), meets(other, [anna])]);
});

test("over plain HTTP from another device the page says why there is no camera", async () => {
  server = await startServer({ API_KEY: "a-key-for-these-tests" });
  const { path } = await invite(server);
  const page = await visit(browser, `http://${address}:${server.port}${path}`, anna);
  await page.getByText("takos-call serve --lan").waitFor({ timeout: 20_000 });
  await page.getByText("Join without camera and microphone").waitFor();
});

test("with an API key, the start page asks for it, and makes rooms with it", async () => {
  server = await startServer({ API_KEY: "a-key-for-these-tests" });
  const page = await visit(browser, `${server.origin}/`, anna);
  await page.fill("input[name=name]", "Anna");
  await page.click("button[type=submit]");
  await page.fill("input[name=key]", "not-the-right-key");
  await page.click("button[type=submit]");
  await page.getByText("The server does not accept this API key.").waitFor({ timeout: 20_000 });
  await page.fill("input[name=key]", server.apiKey);
  await page.click("button[type=submit]");
  await page.waitForURL(/\/c\/[^/]+$/);
});

test("below a base path everything is found", async () => {
  server = await startServer({ TAKOS_CALL_BASE_PATH: "/talk" });
  const first = await visit(browser, `${server.origin}/talk/`, anna);
  await first.fill("input[name=name]", "Anna");
  await first.click("button[type=submit]");
  await first.waitForURL(/\/talk\/c\/[^/]+$/);
  await first.click("button[type=submit]");
  const link = await first.inputValue(".alone input");
  const second = await visitAndJoin(browser, link, ben);
  await Promise.all([meets(first, [ben]), meets(second, [anna])]);
});
