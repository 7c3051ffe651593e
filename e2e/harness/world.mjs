// The server and the browser of a file of tests of the call page. Each file runs in a process of its own.
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { launchChromium } from "./chromium.mjs";
import { startServer } from "./server.mjs";

/** Both are there once the tests run. */
export let server;
export let browser;

/** Starts both before the tests. After each its pages are closed, and their errors are its errors. */
export function aroundTests(settings = {}) {
  before(async () => {
    [server, browser] = await Promise.all([startServer(settings), launchChromium()]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  afterEach(async () => {
    const errors = browser.contexts().flatMap((context) => context.pages().flatMap((page) => page.errors ?? []));
    for (const context of browser.contexts()) await context.close();
    assert.deepEqual(errors, [], "errors in a page");
  });
}
