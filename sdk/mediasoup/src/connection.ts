/**
 * The WebSocket to a server, which lasts from the first worker to the last one. Commands are carried out in the order
 * of their calls. It knows workers only as those who want it, and no other object.
 */
import WebSocket from "ws";
import { ConnectionLostError } from "./errors";
import { beforeExit, notBeforeExit } from "./exit";
import { Logger } from "./logger";
import { errorOf, type Failure } from "./serverError";

const logger = new Logger("Connection");

export interface ConnectionOptions {
  url: URL;
  apiKey: string;
  graceMs: number;
}

/** What an event carries: its name, the ids of its object, and what happened. */
export type EventData = Record<string, unknown> & { event: string };

/** Somebody who wants the connection. */
export interface User {
  /** Something happened to an object, maybe to one of somebody else. */
  event(data: EventData): void;
  /** The connection stands again: what was missed is to be asked for now, ahead of the commands that wait. */
  restore(request: Request): Promise<void>;
  /** The connection is gone for good. */
  lost(error: Error): void;
}

export type Request = <T = void>(type: string, data: object) => Promise<T>;

interface Pending {
  id: string;
  frame: string;
  resolve: (data: unknown) => void;
  reject: (error: Error) => void;
}

type Message = { type: "response"; id: string; success: boolean; data?: unknown; error?: Failure } | { type: "event"; data: EventData };

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const MAX_MESSAGE = 64 << 20;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #users = new Set<User>();
  /** Sent and not yet answered, by id. */
  readonly #pending = new Map<string, Pending>();
  /** Not sent yet: there is no connection, or it is being restored. */
  #waiting: Pending[] = [];
  #socket: WebSocket | undefined;
  /** Commands go out as they come. */
  #ready = false;
  #lostAt: number | undefined;
  #retries = 0;
  #retry: NodeJS.Timeout | undefined;
  #keepAlive: NodeJS.Timeout | undefined;
  #requests = 0;
  #inbox: Message[] = [];
  /** Something was answered in this turn of the event loop. */
  #answered = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get graceMs(): number {
    return this.#options.graceMs;
  }

  add(user: User): void {
    this.#users.add(user);
  }

  /** The user does not want the connection any more. It ends with the last one, when all is answered. */
  delete(user: User): void {
    this.#users.delete(user);
    this.#endIfIdle();
  }

  /** Sends a command, once the connection stands, and resolves with the data of its answer. */
  request<T = void>(type: string, data: object): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const pending = this.#pendingOf(type, data, resolve as Pending["resolve"], reject);
      if (this.#ready) this.#send(pending);
      else this.#wait(pending);
    });
  }

  /** Sends what is worth nothing later, such as a packet of media: it is dropped while there is no connection. */
  pass(type: string, data: object): void {
    if (this.#ready) this.request(type, data).catch((error: Error) => logger.debug(`${type}: ${error.message}`));
  }

  #pendingOf(type: string, data: object, resolve: Pending["resolve"], reject: Pending["reject"]): Pending {
    const id = `${++this.#requests}`;
    return { id, frame: JSON.stringify({ type, id, data }), resolve, reject };
  }

  #send(pending: Pending): void {
    this.#pending.set(pending.id, pending);
    this.#socket?.send(pending.frame);
  }

  #wait(pending: Pending): void {
    this.#waiting.push(pending);
    if (!this.#socket && !this.#retry) this.#open();
  }

  #open(): void {
    const { url, apiKey } = this.#options;
    logger.debug(`connecting to ${url.host}`);
    const socket = new WebSocket(url, { headers: apiKey ? { "api-key": apiKey } : {}, maxPayload: MAX_MESSAGE });
    this.#socket = socket;
    let failure: Error | undefined;
    let final = false;
    socket.on("open", () => void this.#opened(socket));
    socket.on("message", (frame) => this.#received(socket, String(frame)));
    socket.on("pong", () => this.#watch(socket));
    socket.on("unexpected-response", (request, { statusCode = 0 }) => {
      failure = new Error(`${url.host} refused the connection with status ${statusCode}`);
      final = statusCode >= 400 && statusCode < 404;
      request.destroy();
      socket.terminate();
    });
    socket.on("error", (error) => (failure ??= new Error(`no connection to ${url.host}: ${error.message}`, { cause: error })));
    socket.on("close", () => {
      if (socket === this.#socket) this.#closed(failure ?? new Error(`${url.host} ended the connection`), final);
    });
  }

  async #opened(socket: WebSocket): Promise<void> {
    this.#watch(socket);
    beforeExit(this.#leave);
    if (this.#lostAt !== undefined) {
      logger.debug("the connection is back");
      await Promise.all([...this.#users].map((user) => user.restore(this.#ahead)));
      if (socket !== this.#socket) return; // Lost again meanwhile.
    }
    this.#lostAt = undefined;
    this.#retries = 0;
    this.#ready = true;
    for (const pending of this.#waiting.splice(0)) this.#send(pending);
  }

  /** Sends ahead of the commands that wait. */
  readonly #ahead: Request = <T>(type: string, data: object) =>
    new Promise<T>((resolve, reject) => this.#send(this.#pendingOf(type, data, resolve as Pending["resolve"], reject)));

  #closed(failure: Error, final: boolean): void {
    if (this.#ready) this.#lostAt = Date.now();
    this.#handleRest();
    this.#drop();
    const lost = new ConnectionLostError("the connection to the server was lost before the answer came");
    const unanswered = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of unanswered) pending.reject(lost);
    if (!final && this.#lostAt !== undefined && this.#users.size > 0 && Date.now() - this.#lostAt < this.#options.graceMs) {
      this.#tryAgain();
    } else {
      this.#giveUp(failure);
    }
  }

  #tryAgain(): void {
    const ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries++) * (0.5 + Math.random() / 2);
    const left = this.#lostAt! + this.#options.graceMs - Date.now();
    logger.warn(`the connection was lost; trying again in ${Math.round(ms)} ms`);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#open();
    }, Math.min(ms, left));
  }

  #giveUp(failure: Error): void {
    if (this.#users.size > 0) logger.error(`the connection is gone: ${failure.message}`);
    this.#lostAt = undefined;
    this.#retries = 0;
    const users = [...this.#users];
    this.#users.clear();
    for (const user of users) user.lost(failure);
    for (const pending of this.#waiting.splice(0)) pending.reject(failure);
  }

  #endIfIdle(): void {
    if (this.#users.size > 0 || this.#pending.size > 0 || this.#waiting.length > 0) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#lostAt = undefined;
    this.#leave();
  }

  /** Ends the connection on purpose, so that the server need not wait for it to come back. */
  readonly #leave = (): void => {
    const socket = this.#socket;
    this.#drop();
    socket?.close(1000);
  };

  #drop(): void {
    clearTimeout(this.#keepAlive);
    notBeforeExit(this.#leave);
    this.#socket = undefined;
    this.#ready = false;
    this.#inbox = [];
  }

  /** A connection over which nothing comes is asked for a sign of life; one that gives none is lost. */
  #watch(socket: WebSocket): void {
    clearTimeout(this.#keepAlive);
    this.#keepAlive = setTimeout(() => {
      socket.ping();
      this.#keepAlive = setTimeout(() => socket.terminate(), KEEP_ALIVE_MS).unref();
    }, KEEP_ALIVE_MS).unref();
  }

  #received(socket: WebSocket, frame: string): void {
    if (socket !== this.#socket) return;
    const message = parse(frame);
    if (message) {
      this.#inbox.push(message);
      this.#handle();
    } else {
      logger.error("the server sent what is no message");
      socket.terminate();
    }
  }

  /**
   * Handles what has come, in its order. An event waits until those who awaited an answer before it have had their
   * turn: who has just got a consumer is to hear of its first event.
   */
  #handle(): void {
    for (let message = this.#inbox[0]; message; message = this.#inbox[0]) {
      if (message.type === "event" && this.#answered) return;
      this.#inbox.shift();
      if (message.type === "event") this.#tell(message.data);
      else if (message.type === "response") this.#answer(message);
    }
  }

  /** Handles what has come before the connection ended. */
  #handleRest(): void {
    while (this.#inbox.length > 0) {
      this.#answered = false;
      this.#handle();
    }
  }

  #tell(data: EventData): void {
    for (const user of this.#users) {
      try {
        user.event(data);
      } catch (error) {
        logger.error(`the event ${data?.event} could not be handled`, error as Error);
      }
    }
  }

  #answer({ id, success, data, error }: Message & { type: "response" }): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (success) pending?.resolve(data);
    else pending?.reject(errorOf(error!));
    if (!this.#answered) setImmediate(this.#nextTurn);
    this.#answered = true;
  }

  readonly #nextTurn = (): void => {
    this.#answered = false;
    this.#handle();
    // Who has just been answered may want the connection from now on.
    if (!this.#answered) this.#endIfIdle();
  };
}

function parse(frame: string): Message | undefined {
  try {
    const message = JSON.parse(frame) as Message | null;
    return message?.type === "response" || (message?.type === "event" && message.data) ? message : undefined;
  } catch {
    return undefined;
  }
}
