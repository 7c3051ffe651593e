/**
 * The WebSocket of a call, kept alive: it answers for one logical connection that is
 * opened again as often as the line is lost, and knows which loss is final.
 */
import { backoffMs } from "./backoff";
import { Emitter } from "./emitter";
import { meaningOfClose, parseMessage, type ClientMessage, type EndReason, type ServerMessage } from "./protocol";

/** What is used of a WebSocket. */
export interface Socket {
  readonly readyState: number;
  send(frame: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
}

export interface SignalingOptions {
  /** Address of the next connection; resume asks for the media of the lost one. */
  address: (resume: boolean) => string;
  open: (url: string) => Socket;
  /** Why the server refuses that address, as far as it says; null when it does not answer. */
  explain: (url: string) => Promise<EndReason | null>;
  /** How long to go on trying, in milliseconds. */
  patienceMs: number;
}

export interface SignalingEvents {
  message: ServerMessage;
  /** The line is gone and will be tried again after inMs. */
  lost: { attempt: number; inMs: number };
  ended: EndReason;
}

/** An answer that did not come, or that says no. */
export class SignalingError extends Error {
  constructor(
    readonly code: "lost" | "timeout" | "refused",
    message: string,
  ) {
    super(message);
    this.name = "SignalingError";
  }
}

interface Waiting {
  accepts: (message: ServerMessage) => boolean;
  resolve: (message: ServerMessage) => void;
  reject: (error: SignalingError) => void;
  timer: ReturnType<typeof setTimeout>;
}

const OPEN = 1;
const ANSWER_MS = 10_000;
const QUIET_MS = 10_000;
const PONG_MS = 6_000;
const OPENING_MS = 10_000;
/** Our own close code for a line that no longer answers; the server grants the grace period. */
const CODE_LOST = 3001;

export class Signaling extends Emitter<SignalingEvents> {
  readonly #options: SignalingOptions;
  #socket: Socket | null = null;
  #waiting = new Set<Waiting>();
  #requests = 0;
  #attempt = 0;
  #lostAt: number | null = null;
  #resume = false;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #alive: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SignalingOptions) {
    super();
    this.#options = options;
  }

  /** Whether a message sent now has a line to go by. */
  get open(): boolean {
    return this.#socket?.readyState === OPEN;
  }

  start(): void {
    this.#connect();
  }

  /** Sends a message; false if there is no line, and the message is dropped. */
  send(message: ClientMessage): boolean {
    if (!this.open) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  /** A name for a request, by which its answer can be told. */
  requestId(): string {
    return `r${++this.#requests}`;
  }

  /**
   * Sends a message and waits for the one that accepts takes for the answer.
   * Rejects with a SignalingError when the line is lost or nothing comes in time.
   */
  ask(message: ClientMessage, accepts: (message: ServerMessage) => boolean): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      if (!this.send(message)) {
        reject(new SignalingError("lost", `${message.type}: there is no connection`));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(new SignalingError("timeout", `${message.type}: no answer within ${ANSWER_MS / 1000} s`));
      }, ANSWER_MS);
      const waiting: Waiting = { accepts, resolve, reject, timer };
      this.#waiting.add(waiting);
    });
  }

  /** Gives the line up and opens another at once, keeping the media or not. */
  reopen(resume: boolean): void {
    if (this.#ended) return;
    this.#drop(CODE_LOST, "connecting again");
    this.#lostAt ??= Date.now();
    this.#resume = resume;
    this.#connect();
  }

  /** The network changed: try now, or find out at once whether the line still holds. */
  check(): void {
    if (this.#ended) return;
    if (this.open) {
      this.#ping();
    } else {
      this.reopen(this.#resume);
    }
  }

  /** Hangs up. */
  leave(): void {
    if (this.#ended) return;
    this.send({ type: "bye" });
    this.#drop(1000, "bye");
    this.#end("left");
  }

  #connect(): void {
    clearTimeout(this.#timer);
    const url = this.#options.address(this.#resume);
    const socket = this.#options.open(url);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#retry(), OPENING_MS);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      clearTimeout(this.#timer);
      this.#listen();
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => {
      clearTimeout(this.#timer);
      void this.#closed(url, opened, event.code);
    };
    socket.onerror = null;
  }

  async #closed(url: string, opened: boolean, code: number): Promise<void> {
    this.#drop();
    const meaning = opened ? meaningOfClose(code) : await this.#options.explain(url).catch(() => null);
    // A line that was opened while the server was being asked goes before its answer.
    if (this.#ended || this.#socket) return;
    if (meaning && meaning !== "again") {
      this.#end(meaning);
      return;
    }
    this.#retry();
  }

  #retry(): void {
    this.#drop(CODE_LOST, "no answer");
    this.#lostAt ??= Date.now();
    if (Date.now() - this.#lostAt > this.#options.patienceMs) {
      this.#end("serverLost");
      return;
    }
    const inMs = backoffMs(this.#attempt++);
    this.emit("lost", { attempt: this.#attempt, inMs });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), inMs);
  }

  #receive(frame: unknown): void {
    this.#listen();
    const message = parseMessage(frame);
    if (!message) return;
    if (message.type === "init") {
      this.#attempt = 0;
      this.#lostAt = null;
      this.#resume = true;
    }
    for (const waiting of this.#waiting) {
      if (!waiting.accepts(message)) continue;
      this.#waiting.delete(waiting);
      clearTimeout(waiting.timer);
      waiting.resolve(message);
      break;
    }
    this.emit("message", message);
  }

  /** Anything heard shows that the line holds; after a silence it is asked. */
  #listen(): void {
    clearTimeout(this.#alive);
    this.#alive = setTimeout(() => this.#ping(), QUIET_MS);
  }

  #ping(): void {
    this.send({ type: "ping" });
    clearTimeout(this.#alive);
    this.#alive = setTimeout(() => this.#retry(), PONG_MS);
  }

  /** Forgets the socket: what it still says or does is no longer heard. */
  #drop(code?: number, reason?: string): void {
    clearTimeout(this.#alive);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      if (code !== undefined) socket.close(code, reason);
    }
    for (const waiting of this.#waiting) {
      clearTimeout(waiting.timer);
      waiting.reject(new SignalingError("lost", "the connection was lost before the answer came"));
    }
    this.#waiting.clear();
  }

  #end(reason: EndReason): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.emit("ended", reason);
  }
}

/** What the call endpoint is opened with. */
export function query(token: string, resume: boolean): URLSearchParams {
  const parameters = new URLSearchParams({ token, dialect: "deployed", events: "consumerLayersChanged,producerLayersWanted" });
  if (resume) parameters.set("resume", "1");
  return parameters;
}

/** A browser cannot read why an upgrade was refused; a plain GET of the same address tells. */
export async function explain(url: string, ask: typeof fetch): Promise<EndReason | null> {
  const response = await ask(url.replace(/^ws/, "http"), { cache: "no-store" });
  const body = (await response.json().catch(() => null)) as { error?: { code?: string } } | null;
  if (body?.error?.code === "ROOM_FULL") return "roomFull";
  return response.status === 401 || response.status === 403 ? "tokenInvalid" : null;
}
