import { checkAppData, type AppData } from "./appData";
import type { Channel } from "./channel";
import type { EventData } from "./connection";
import { EnhancedEventEmitter } from "./enhancedEvents";
import { NotFoundError } from "./errors";
import { Logger } from "./logger";

/** The ids by which the server finds an object. */
export type Address = Record<string, string>;

/** What every object is made from. */
export interface Making<A extends AppData> {
  channel: Channel;
  /** Of whatever the object is in. */
  address: Address;
  id: string;
  appData: A | undefined;
}

/** What happens to an object by itself, by the name of the event. */
export type Handlers = Record<string, (data: EventData) => void>;

const logger = new Logger("RemoteObject");

/** An object of the server's, and what it is known to be. */
export abstract class RemoteObject<
  A extends AppData,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments of events are whatever their map says
  E extends Record<string, any[]>,
  O extends EnhancedEventEmitter,
> extends EnhancedEventEmitter<E> {
  /** The first half of the names of its commands and events, such as "transport". */
  readonly #kind: string;
  readonly #id: string;
  readonly #address: Address;
  readonly #observer: O;
  #appData: A;
  #closed = false;
  /** @internal */
  protected readonly channel: Channel;
  /** @internal What is to be done when the object has ended; told to whoever holds it. */
  ended: () => void = () => {};

  protected constructor(kind: string, { channel, address, id, appData }: Making<A>) {
    super();
    checkAppData(appData);
    this.#kind = kind;
    this.#id = id;
    this.#address = { ...address, [`${kind}Id`]: id };
    this.#observer = new EnhancedEventEmitter() as O;
    this.#appData = appData ?? ({} as A);
    this.channel = channel;
    const log = (name: string, error: Error) => logger.error(`a listener of ${kind} "${name}" threw`, error);
    super.on("listenererror", log as never);
  }

  get id(): string {
    return this.#id;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get appData(): A {
    return this.#appData;
  }

  set appData(appData: A) {
    this.#appData = appData;
  }

  get observer(): O {
    return this.#observer;
  }

  /** Closes the object and all that depends on it, here at once and on the server before the next command. */
  close(): void {
    if (this.#closed) return;
    this.channel.tell(`${this.#kind}.close`, this.#address);
    this.end();
  }

  /** @internal The registry knows it by this. */
  get key(): string {
    return `${this.#kind}:${this.#id}`;
  }

  /** @internal */
  protected get address(): Address {
    return this.#address;
  }

  /** @internal Ends the object here. `told` is the event by which its listeners hear who is the cause. */
  protected end(told?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.endContents();
    this.ended();
    if (told) this.announce(told);
    this.observe("close");
  }

  /** @internal Ends what is inside or depends on the object. */
  protected endContents(): void {}

  /** @internal Something happened to the object. */
  handle(name: string, data: EventData): void {
    if (!this.#closed) this.handlers[name]?.(data);
  }

  /** @internal */
  protected abstract readonly handlers: Handlers;

  /** @internal Takes over what may have changed while the connection was away. */
  refresh(_now: unknown): void {}

  /** @internal Gives a command and resolves with its answer. */
  protected request<T = void>(method: string, data: object = {}): Promise<T> {
    const type = `${this.#kind}.${method}`;
    if (this.#closed && !this.channel.closed) return Promise.reject(new NotFoundError(`${type}: it is closed`));
    return this.channel.request<T>(type, { ...this.#address, ...data });
  }

  /** @internal Asks for the figures of the object. */
  protected async figures<T>(): Promise<T[]> {
    const { stats } = await this.request<{ stats: T[] }>("getStats");
    return stats;
  }

  /** @internal Sends what needs no answer and is worth nothing later. */
  protected pass(method: string, data: object): void {
    if (!this.#closed) this.channel.pass(`${this.#kind}.${method}`, { ...this.#address, ...data });
  }

  /** @internal Tells the listeners of the object. */
  protected announce(name: string, ...args: unknown[]): void {
    (this as unknown as EnhancedEventEmitter).safeEmit(name, ...args);
  }

  /** @internal Tells those of its observer. */
  protected observe(name: string, ...args: unknown[]): void {
    this.#observer.safeEmit(name, ...args);
  }

  /** @internal Tells both. */
  protected proclaim(name: string, ...args: unknown[]): void {
    this.announce(name, ...args);
    this.observe(name, ...args);
  }
}

/** The names among these that are known, for enableTraceEvent(). */
export function traceTypes(given: unknown, known: readonly string[]): string[] {
  if (!Array.isArray(given) || given.some((type) => typeof type !== "string")) {
    throw new TypeError("types must be an array of strings");
  }
  return known.filter((type) => given.includes(type));
}
