/**
 * The WebSocket to /takos-api: it is opened again when it is lost, and pairs answers with
 * their requests. It knows neither commands nor events.
 */
import { openSocket } from "#socket";
import { TakosCallError } from "./error.js";
import type { ServerMessage } from "./protocol.js";
import type { Opened } from "./socket.js";

export interface ConnectionOptions {
  url: URL;
  apiKey: string;
  autoReconnect: boolean;
  reconnectInterval: number;
  maxReconnectInterval: number;
  maxReconnectAttempts: number;
  requestTimeout: number;
  keepAliveInterval: number;
}

/** How a connection ended, with a close code of RFC 6455. */
export interface Closed {
  code: number;
  reason: string;
}

/** What a connection tells its owner. */
export interface ConnectionListener {
  connected(): void;
  disconnected(closed: Closed): void;
  reconnecting(attempt: number, inMs: number): void;
  failed(error: TakosCallError): void;
  received(message: ServerMessage): void;
}

interface Pending {
  frame: string;
  sent: boolean;
  resolve: (data: unknown) => void;
  reject: (error: TakosCallError) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** The id of the question that only tests the connection. */
export const KEEP_ALIVE = "keep-alive";

/** A refusal with one of these does not pass by itself. */
const FINAL_STATUSES = new Set([400, 401, 403, 404]);

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #pending = new Map<string, Pending>();
  #socket: Opened | null = null;
  #open = false;
  /** Requests wait for the connection rather than fail, as long as somebody wants it. */
  #wanted = false;
  #connecting: { promise: Promise<void>; resolve: () => void; reject: (error: TakosCallError) => void } | null = null;
  /** The connection was lost or could not be made, and it will be tried again. */
  #reconnecting = false;
  #attempt = 0;
  #requests = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Resolves when the connection stands; rejects when the first attempt fails. */
  connect(): Promise<void> {
    this.#wanted = true;
    if (this.#open) return Promise.resolve();
    if (this.#connecting) return this.#connecting.promise;
    clearTimeout(this.#retry);
    this.#connecting = deferred();
    if (!this.#socket) this.#try(); // Else one is being made already.
    return this.#connecting.promise;
  }

  disconnect(): void {
    this.#wanted = false;
    this.#reconnecting = false;
    clearTimeout(this.#retry);
    this.#attempt = 0;
    const error = new TakosCallError("DISCONNECTED", "the client was disconnected");
    const socket = this.#drop();
    socket?.close(1000, "bye");
    this.#settle(error);
    this.#rejectAll(() => true, error);
    if (socket) this.#listener.disconnected({ code: 1000, reason: "bye" });
  }

  /** Sends a request, once the connection stands, and resolves with the data of its answer. */
  request(type: string, data: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = `${++this.#requests}`;
      const { requestTimeout } = this.#options;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new TakosCallError("TIMEOUT", `${type}: no answer within ${requestTimeout} ms`));
      }, requestTimeout);
      this.#pending.set(id, { frame: JSON.stringify({ type, id, data }), sent: false, resolve, reject, timer });
      if (this.#open) this.#flush();
      // While it is being tried again, a request waits as long as it may take.
      else if (!this.#reconnecting) this.connect().catch((error: TakosCallError) => this.#rejectAll(isUnsent, error));
    });
  }

  #try(): void {
    let refusal: TakosCallError | null = null;
    let final = false;
    const refused = (status: number, body: string) => {
      refusal = refusalOf(status, body);
      final = FINAL_STATUSES.has(status);
    };
    const socket = openSocket(this.#options.url, this.#options.apiKey, refused);
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event: { data: unknown }) => this.#received(event.data);
    // What went wrong comes with the close that follows.
    socket.onerror = () => undefined;
    socket.onclose = (event: { code: number; reason: string }) => {
      if (socket === this.#socket) this.#lost({ code: event.code, reason: event.reason }, refusal, final);
    };
  }

  #opened(): void {
    this.#open = true;
    this.#reconnecting = false;
    this.#attempt = 0;
    this.#listen();
    this.#listener.connected();
    const connecting = this.#connecting;
    this.#connecting = null;
    connecting?.resolve();
    this.#flush();
  }

  #flush(): void {
    for (const pending of this.#pending.values()) {
      if (pending.sent) continue;
      pending.sent = true;
      this.#socket?.send(pending.frame);
    }
  }

  #received(frame: unknown): void {
    this.#listen();
    const message = parse(frame);
    if (!message) return;
    if (message.type === "response") {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      clearTimeout(pending?.timer);
      if (message.success) pending?.resolve(message.data);
      else pending?.reject(new TakosCallError(message.error.code, message.error.message));
    }
    this.#listener.received(message);
  }

  /** A connection over which nothing comes is asked something; one that does not answer is lost. */
  #listen(): void {
    clearTimeout(this.#quiet);
    const { keepAliveInterval } = this.#options;
    if (keepAliveInterval <= 0) return;
    this.#quiet = setTimeout(() => {
      // Any answer will do, even that there is no such command.
      this.#socket?.send(JSON.stringify({ type: "getServerInfo", id: KEEP_ALIVE, data: {} }));
      this.#quiet = setTimeout(() => {
        this.#socket?.close(4000, "no answer");
        this.#lost({ code: 1006, reason: "no answer" }, null, false);
      }, keepAliveInterval);
      unref(this.#quiet);
    }, keepAliveInterval);
    unref(this.#quiet);
  }

  #lost(closed: Closed, refusal: TakosCallError | null, final: boolean): void {
    const wasOpen = this.#open;
    this.#drop();
    this.#rejectAll(
      (pending) => pending.sent,
      new TakosCallError("CONNECTION_LOST", `the connection was lost (${closed.code}${closed.reason && ` ${closed.reason}`})`),
    );
    const error = refusal ?? new TakosCallError("CONNECT_FAILED", `no connection to ${this.#options.url.host}`);
    if (wasOpen) {
      this.#listener.disconnected(closed);
    } else {
      this.#listener.failed(error);
      this.#settle(error);
    }
    if (final) this.#wanted = false;
    this.#again();
    if (!this.#reconnecting) this.#rejectAll(isUnsent, error);
  }

  #again(): void {
    const { autoReconnect, maxReconnectAttempts } = this.#options;
    this.#reconnecting = this.#wanted && autoReconnect && this.#attempt < maxReconnectAttempts;
    if (!this.#reconnecting) return;
    const inMs = this.#waiting();
    this.#attempt++;
    this.#listener.reconnecting(this.#attempt, inMs);
    this.#retry = setTimeout(() => {
      if (this.#wanted && !this.#socket) this.#try();
    }, inMs);
  }

  /** Doubling, and up to half of it chance, so that not all clients of a restarted server come at once. */
  #waiting(): number {
    const { reconnectInterval, maxReconnectInterval } = this.#options;
    const full = Math.min(maxReconnectInterval, reconnectInterval * 2 ** Math.min(this.#attempt, 16));
    return Math.round(full * (0.5 + Math.random() / 2));
  }

  #drop(): Opened | null {
    clearTimeout(this.#quiet);
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    return socket;
  }

  #settle(error: TakosCallError): void {
    const connecting = this.#connecting;
    this.#connecting = null;
    connecting?.reject(error);
  }

  #rejectAll(which: (pending: Pending) => boolean, error: TakosCallError): void {
    for (const [id, pending] of this.#pending) {
      if (!which(pending)) continue;
      this.#pending.delete(id);
      clearTimeout(pending.timer);
      pending.reject(error);
    }
  }
}

function isUnsent(pending: Pending): boolean {
  return !pending.sent;
}

function deferred() {
  let resolve!: () => void;
  let reject!: (error: TakosCallError) => void;
  const promise = new Promise<void>((ok, no) => {
    resolve = ok;
    reject = no;
  });
  return { promise, resolve, reject };
}

function refusalOf(status: number, body: string): TakosCallError {
  try {
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    return new TakosCallError(error.code, error.message);
  } catch {
    return new TakosCallError("CONNECT_FAILED", `the server answered ${status}`);
  }
}

function parse(frame: unknown): ServerMessage | null {
  try {
    const message: unknown = JSON.parse(String(frame));
    return typeof message === "object" && message !== null && "type" in message ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}

/** In Node, a timer that only watches must not keep the process alive. */
function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
