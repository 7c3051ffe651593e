import WebSocket from "ws";
import type { Opened } from "./socket.js";

/** The key goes into a header, where no log of addresses shows it. */
export function openSocket(url: URL, apiKey: string, refused: (status: number, body: string) => void): Opened {
  const socket = new WebSocket(url, { headers: apiKey ? { "api-key": apiKey } : {}, maxPayload: 64 << 20 });
  socket.on("unexpected-response", (_request, response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => {
      refused(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"));
      socket.terminate();
    });
  });
  return socket;
}
