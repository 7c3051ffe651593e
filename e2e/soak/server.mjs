// A server that is watched: what it holds, with and without garbage, and loads upon it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startServer } from "../harness/server.mjs";

const BINARY = process.env.TAKOS_CALL_BIN ?? fileURLToPath(new URL("../../bin/takos-call", import.meta.url));

/** Starts a server whose profiler is open, by which it can be made to collect its garbage. */
export async function startWatchedServer(settings = {}) {
  const server = await startServer({
    TAKOS_CALL_DEBUG_LISTEN: "127.0.0.1:0",
    MEDIASOUP_ANNOUNCED_IP: "127.0.0.1",
    MEDIASOUP_LOG_LEVEL: "info",
    ...settings,
  });
  const [, debug] = /the profiler listens.*address=(\S+)/.exec(server.log()) ?? [];
  if (!debug) throw new Error(`the server does not say where its profiler listens:\n${server.log()}`);
  return { ...server, debug: `http://${debug}` };
}

/** What the server holds: objects of its own, of Go's and of the system's. Heap is what is left after collecting garbage. */
export async function held(server) {
  // Twice: what a finalizer or a pool holds goes with the second.
  for (let i = 0; i < 2; i++) await read(`${server.debug}/debug/pprof/heap?gc=1`);
  const text = await read(`${server.origin}/metrics`);
  const sum = (name) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
  return {
    objects: ["rooms", "peers", "transports", "producers", "consumers"].reduce((total, name) => total + sum(`takos_call_${name}`), 0),
    joins: sum("takos_call_joins_total"),
    panics: sum("takos_call_panics_total"),
    goroutines: sum("go_goroutines"),
    descriptors: sum("process_open_fds"),
    heapKiB: Math.round(sum("go_memstats_heap_alloc_bytes") / 1024),
    heapObjects: sum("go_memstats_heap_objects"),
    residentMiB: Math.round(sum("process_resident_memory_bytes") / 2 ** 20),
  };
}

async function read(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const body = new Uint8Array(await response.arrayBuffer());
  return new TextDecoder().decode(body);
}

/** Runs a load of takos-call loadtest against the server; its report, once it has passed. */
export async function load(server, ...args) {
  const child = spawn(BINARY, ["loadtest", ...args, "--url", server.origin, "--pid", String(server.pid), "--json"], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let progress = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (progress += text));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the load ended with ${code}:\n${out}\n${progress.split("\n").slice(-5).join("\n")}`);
  return JSON.parse(out);
}
