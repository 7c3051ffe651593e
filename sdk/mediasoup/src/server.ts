import { Connection } from "./connection";

/** The takos-call server whose workers these are. */
export type ServerOptions = {
  /** Like wss://call.example.org/takos-api; without a path, /takos-api is meant. */
  url: string;
  /** The server's API key, if it has any. */
  apiKey?: string;
  /**
   * For how long, in ms, a lost connection may be away before all its workers have died; 10000 by default. The server
   * is told when a worker is made, and keeps its objects for as long.
   */
  graceMs?: number;
};

const DEFAULT_GRACE_MS = 10_000;

/** By what makes them different, so that a server that is set again has the connection that it had. */
const connections = new Map<string, Connection>();

let current: Connection | undefined;

/** Says which server the workers are on that are made from now on. Without it the environment says so. */
export function setServer({ url, apiKey = "", graceMs = DEFAULT_GRACE_MS }: ServerOptions): void {
  const options = { url: addressOf(url), apiKey, graceMs };
  const key = JSON.stringify(options);
  current = connections.get(key) ?? new Connection(options);
  connections.set(key, current);
}

/** The connection over which the next worker is made. */
export function currentConnection(): Connection {
  if (!current) {
    const { TAKOS_CALL_URL: url, TAKOS_CALL_API_KEY: apiKey } = process.env;
    if (!url) throw new Error("no server: set TAKOS_CALL_URL to its address, like wss://call.example.org, or call setServer()");
    setServer({ url, apiKey });
  }
  return current!;
}

function addressOf(text: string): URL {
  const url = new URL(text);
  url.protocol = url.protocol.replace(/^http/, "ws");
  if (url.pathname === "/") url.pathname = "/takos-api";
  return url;
}
