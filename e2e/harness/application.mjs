// Applications of mediasoup that run on the drop-in, each in a process of its own, and the pages that talk to them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { until } from "./checks.mjs";
import { newPage } from "./clients.mjs";

const folder = fileURLToPath(new URL("../application/", import.meta.url));

/** Makes an application that is written in TypeScript runnable, beside the packages that it imports. */
export async function compiled(name) {
  const outfile = path.join("node_modules/.compiled", `${path.dirname(name)}.mjs`);
  await build({ absWorkingDir: folder, entryPoints: [name], bundle: true, platform: "node", format: "esm", packages: "external", outfile, logLevel: "error" });
  return outfile;
}

/** Starts an application, which finds the server by its environment, and waits until it listens. */
export async function startApplication(name, server, settings = {}) {
  const port = await freePort();
  // It keeps its DTLS certificate where it is started.
  const cwd = await mkdtemp(path.join(tmpdir(), "takos-call-application-"));
  const child = spawn(process.execPath, [path.join(folder, name)], {
    cwd,
    env: { PATH: process.env.PATH, PORT: String(port), LISTEN_IP: "127.0.0.1", TAKOS_CALL_URL: server.api, TAKOS_CALL_API_KEY: server.apiKey, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let log = "";
  for (const output of [child.stdout, child.stderr]) output.setEncoding("utf8").on("data", (text) => (log += text));
  const end = async (signal) => {
    child.kill(signal);
    await exited;
  };
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    await rm(cwd, { recursive: true, force: true });
  };
  try {
    await until("the application listens", () => fetch(`http://127.0.0.1:${port}/`).then(() => true, () => child.exitCode === null && null), { timeout: 20_000 });
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${log}`);
  }
  return { port, log: () => log, end, stop };
}

/** A port that nobody has at the moment, for applications that want to be told one. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Serves a page of an application. */
export async function servePage(script) {
  const { outputFiles } = await build({ entryPoints: [path.join(folder, script)], bundle: true, format: "esm", write: false });
  const server = createServer(({ url }, response) => {
    if (url.startsWith("/page.js")) response.writeHead(200, { "content-type": "text/javascript" }).end(outputFiles[0].text);
    else response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>application</title><body><script type=module src=/page.js></script>");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((closed) => server.close(closed) && server.closeAllConnections()),
  };
}

/** Opens a page of an application as a person in a room, and waits until it is in. */
export async function enterRoom(browser, pages, application, person, room) {
  const page = await newPage(browser, person);
  await page.goto(`${pages.origin}/?${new URLSearchParams({ port: application.port, room, name: person.name })}`);
  await ready(page, application);
  return page;
}

/** Waits until a page is in its room. */
export async function ready(page, application) {
  await page.waitForFunction(() => window.ready, null, { timeout: 20_000 }).catch(async (error) => {
    throw new Error(`not in the room: ${await page.evaluate(() => JSON.stringify(window.log))} ${error.message}\n${application.log()}`);
  });
}

/** Whether the other side has ended all connections of a page. */
export const isOver = (page) =>
  page.evaluate(() => window.connections.flatMap((pc) => [...pc.getSenders(), ...pc.getReceivers()]).every(({ transport }) => !transport || transport.state === "closed"));
