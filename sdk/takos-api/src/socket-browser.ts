import type { Opened } from "./socket.js";

/** Browsers cannot set headers and are not told why they are refused: the key goes into the address. */
export function openSocket(url: URL, apiKey: string, _refused: (status: number, body: string) => void): Opened {
  const address = new URL(url);
  if (apiKey) address.searchParams.set("api_key", apiKey);
  return new WebSocket(address);
}
