import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

interface Request {
  type: string;
  id: string;
  data: Record<string, unknown>;
}

type Handler = (data: Record<string, unknown>, request: Request) => unknown;

/** A server that speaks /takos-api as far as a test teaches it. */
export class FakeServer {
  readonly requests: Request[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  readonly urls: string[] = [];
  /** What each command answers; a thrown {code, message} is an error, undefined says nothing at all. */
  readonly handlers: Record<string, Handler> = {};
  refuse: { status: number; body: string } | null = null;
  #http: Server;
  #ws = new WebSocketServer({ noServer: true });
  #port = 0;

  constructor() {
    this.#http = createServer((_request, response) => response.writeHead(404).end());
    this.#http.on("upgrade", (request, socket, head) => {
      this.headers.push(request.headers);
      this.urls.push(request.url ?? "");
      if (this.refuse) {
        const { status, body } = this.refuse;
        socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
        return;
      }
      this.#ws.handleUpgrade(request, socket, head, (connection) => this.#serve(connection));
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/takos-api`;
  }

  async start(): Promise<void> {
    await new Promise<void>((listening) => this.#http.listen(this.#port, "127.0.0.1", listening));
    this.#port = (this.#http.address() as AddressInfo).port;
  }

  /** Ends every connection without a word, as a crash does. */
  cut(): void {
    for (const client of this.#ws.clients) client.terminate();
  }

  event(data: object): void {
    for (const client of this.#ws.clients) client.send(JSON.stringify({ type: "event", data }));
  }

  say(frame: string): void {
    for (const client of this.#ws.clients) client.send(frame);
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#http.close(closed));
  }

  #serve(connection: WebSocket): void {
    connection.on("message", (frame) => {
      const request = JSON.parse(String(frame)) as Request;
      this.requests.push(request);
      const { type, id, data } = request;
      try {
        const handler = this.handlers[type];
        const answer = handler ? handler(data, request) : null;
        if (answer !== undefined) connection.send(JSON.stringify({ type: "response", id, success: true, data: answer }));
      } catch (error) {
        connection.send(JSON.stringify({ type: "response", id, success: false, error }));
      }
    });
  }
}
