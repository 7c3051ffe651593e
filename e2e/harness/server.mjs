// A takos-call of the test's own, on free ports, in a folder of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const BINARY = process.env.TAKOS_CALL_BIN ?? fileURLToPath(new URL("../../bin/takos-call", import.meta.url));
const START_MS = 30_000;
const STOP_MS = 10_000;

/**
 * Starts a server with these settings (environment variables) and waits until it is ready.
 * Without API_KEY it is open to this machine, as `make run` starts it. A folder is that of a server
 * that was stopped with stop({ keep: true }): what survives a restart is in it.
 */
export async function startServer(settings = {}, folder) {
  folder ??= await mkdtemp(path.join(tmpdir(), "takos-call-e2e-"));
  const child = spawn(BINARY, ["serve"], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      PORT: "0",
      MEDIASOUP_RTC_MIN_PORT: "0",
      MEDIASOUP_RTC_MAX_PORT: "0",
      TAKOS_CALL_DRAIN_DEADLINE: "1s",
      TAKOS_CALL_REQUESTS_PER_MINUTE: "6000",
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));

  const stop = async ({ keep = false } = {}) => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await exited;
      clearTimeout(late);
    }
    if (!keep) await rm(folder, { recursive: true, force: true });
  };

  const deadline = Date.now() + START_MS;
  for (;;) {
    const [, protocol, port] = /(https?):\/\/[^\s/]+:(\d+)/.exec(output) ?? [];
    if (port && (await isReady(`${protocol}://127.0.0.1:${port}${settings.TAKOS_CALL_BASE_PATH ?? ""}/ready`))) {
      return {
        port: Number(port),
        pid: child.pid,
        folder,
        origin: `http://localhost:${port}`,
        call: `ws://localhost:${port}/_takos/v2/call`,
        api: `ws://localhost:${port}/takos-api`,
        apiKey: settings.API_KEY ?? "",
        output: () => output,
        log: () => log,
        stop,
      };
    }
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`the server did not become ready:\n${output}\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Asks without minding who made the server's certificate. */
function isReady(url) {
  return new Promise((resolve) => {
    const { get } = url.startsWith("https") ? https : http;
    get(url, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on("error", () => resolve(false));
  });
}

/** Sends a command to /takos-api over HTTP. */
export async function command(server, name, data = {}) {
  const response = await fetch(`${server.origin}/takos-api/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(server.apiKey ? { "api-key": server.apiKey } : {}) },
    body: JSON.stringify(data),
  });
  const answer = await response.json();
  if (!answer.success) throw new Error(`${name}: ${answer.error?.code} ${answer.error?.message}`);
  return answer.data;
}

/** A token for a user of a room. */
export async function token(server, roomId, userId, more = {}) {
  return (await command(server, "createToken", { roomId, userId, callType: "video", kind: "group", ...more })).token;
}

/** An invitation to a room, and the address of its page. */
export async function invite(server, wish = {}) {
  const { invitation } = await command(server, "createInvitation", { callType: "video", kind: "group", ...wish });
  return { invitation, path: `/c/${invitation}` };
}
