// Serves the tests' own clients, as another site's application: each bundled with the version of
// mediasoup-client that a test asks for.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { mediaScript } from "./checks.mjs";
import { token } from "./server.mjs";

const folder = fileURLToPath(new URL("../clients/", import.meta.url));
const versions = { "3.24": "mediasoup-client", "3.18": "mediasoup-client-3.18" };
const bundles = new Map();

async function bundle(client, version) {
  const key = `${client}@${version}`;
  if (!bundles.has(key)) {
    const alias = { "mediasoup-client": versions[version] };
    const result = await build({ entryPoints: [`${folder}${client}.js`], bundle: true, format: "esm", write: false, alias: version === "3.24" ? {} : alias });
    bundles.set(key, result.outputFiles[0].text);
  }
  return bundles.get(key);
}

export async function serveClients() {
  const server = createServer((request, response) => {
    const [, file] = new URL(request.url, "http://x").pathname.split("/");
    const [client, version] = file.replace(/\.js$/, "").split("@");
    if (!file.endsWith(".js")) {
      response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><title>${file}</title><body><script type=module src="/${file}.js"></script>`);
      return;
    }
    bundle(client, version).then(
      (text) => response.writeHead(200, { "content-type": "text/javascript" }).end(text),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((closed) => server.close(closed) && server.closeAllConnections()),
  };
}

export const userId = (person) => `${person.name.toLowerCase()}@example.org`;
/** A person under the name by which a bare client knows them. */
export const asPeer = (person) => ({ ...person, name: userId(person) });

/** A page of its own for a person, with their picture and tone. */
export async function newPage(browser, person) {
  const page = await (await browser.newContext()).newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.stack ?? String(error)));
  await page.addInitScript(mediaScript);
  await page.addInitScript(`window.person = ${JSON.stringify(person)}`);
  return page;
}

/** Opens one of the tests' clients as a person in a room. */
export async function openClient(browser, clients, server, roomId, person, options) {
  const page = await newPage(browser, person);
  await enterCall(page, clients, server, roomId, person, options);
  return page;
}

/** Opens one of the tests' clients in a page that there is. */
export async function enterCall(page, clients, server, roomId, person, { dialect = "deployed", version = "3.24", special = [] } = {}) {
  const query = new URLSearchParams({ call: server.call, token: await token(server, roomId, userId(person)) });
  for (const each of special) query.append("with", each);
  await page.goto(`${clients.origin}/${dialect}@${version}?${query}`);
  await page.waitForFunction(() => window.ready, null, { timeout: 30_000 }).catch(async (error) => {
    throw new Error(`${userId(person)} is not ready: ${await page.evaluate(() => JSON.stringify(window.log))} ${error.message}`);
  });
}

/** The statistics of a page's connections, of one type. */
export function statistics(page, type) {
  return page.evaluate(async (type) => {
    const all = await Promise.all(window.connections.filter((pc) => pc.connectionState === "connected").map((pc) => pc.getStats()));
    return all.flatMap((report) => [...report.values()].filter((stat) => stat.type === type));
  }, type);
}
