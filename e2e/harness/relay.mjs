// Bad networks: lines between a page and the server, by the relay of this folder.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { command } from "./server.mjs";

const top = fileURLToPath(new URL("../../", import.meta.url));

/** Builds and starts the relay. */
export async function startRelay() {
  const folder = await mkdtemp(path.join(tmpdir(), "takos-call-relay-"));
  const binary = path.join(folder, "relay");
  await promisify(execFile)("go", ["build", "-o", binary, "./e2e/relay"], { cwd: top });
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [control] = await once(createInterface(child.stdout), "line");

  const ask = async (method, at, body) => {
    const response = await fetch(control + at, { method, body: body && JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${at}: ${answer.error}`);
    return answer;
  };
  return {
    /** A line to a server's media, perfect at first. The seed decides who has bad luck. */
    async line(server, seed = 1) {
      const { id, address } = await ask("POST", "/lines", { server: await mediaAddress(server), seed });
      return {
        /** Where clients find it, by UDP and TCP. */
        address,
        /** For openClient: the way through this line. */
        via: `via=${address}`,
        /** Changes {up, down, udpBlocked}; the conditions are those of relay/main.go. */
        set: (wish) => ask("PATCH", `/lines/${id}`, wish),
        /** The same both ways. */
        both: (conditions) => ask("PATCH", `/lines/${id}`, { up: conditions, down: conditions }),
        /** New source ports towards the server. */
        rebind: () => ask("POST", `/lines/${id}/rebind`),
        stats: () => ask("GET", `/lines/${id}`),
        stop: () => ask("DELETE", `/lines/${id}`),
      };
    },
    async stop() {
      child.stdin.end();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let probes = 0;

/** Where the server takes media on loopback, as a transport's candidates say. */
async function mediaAddress(server) {
  const at = { roomId: `probe-${++probes}`, peerId: "probe" };
  await command(server, "createRoom", { roomId: at.roomId });
  await command(server, "addPeer", at);
  const { iceCandidates } = await command(server, "createTransport", { ...at, direction: "send" });
  await command(server, "closeRoom", { roomId: at.roomId });
  return `127.0.0.1:${iceCandidates.find((candidate) => candidate.protocol === "udp").port}`;
}
