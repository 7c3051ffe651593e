import { EventEmitter, once } from "node:events";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments of events are whatever their map says
type Events = Record<string, any[]>;

/** What every emitter emits besides its own events. */
type BuiltInEvents<E> = { listenererror: [keyof E, Error] };

/** An EventEmitter that knows its events and their arguments, and one way of emitting that cannot throw. */
export class EnhancedEventEmitter<
  E extends Events = Events,
  B extends Events = BuiltInEvents<E>,
  E2 extends Events = E & B,
> extends EventEmitter {
  constructor() {
    super();
    this.setMaxListeners(Infinity);
  }

  override emit<K extends keyof E2 & string>(eventName: K, ...args: E2[K]): boolean {
    return super.emit(eventName, ...args);
  }

  /** Emits; what a listener throws is emitted as "listenererror" and goes no further. */
  safeEmit<K extends keyof E2 & string>(eventName: K, ...args: E2[K]): boolean {
    try {
      return super.emit(eventName, ...args);
    } catch (error) {
      this.#report(eventName, error);
      return super.listenerCount(eventName) > 0;
    }
  }

  #report(eventName: string, error: unknown): void {
    try {
      super.emit("listenererror", eventName, error);
    } catch {
      // Who listens for errors and throws has had their chance.
    }
  }

  override on<K extends keyof E2 & string>(eventName: K, listener: (...args: E2[K]) => void): this {
    return super.on(eventName, listener as (...args: unknown[]) => void);
  }

  override off<K extends keyof E2 & string>(eventName: K, listener: (...args: E2[K]) => void): this {
    return super.off(eventName, listener as (...args: unknown[]) => void);
  }

  override addListener<K extends keyof E2 & string>(eventName: K, listener: (...args: E2[K]) => void): this {
    return super.addListener(eventName, listener as (...args: unknown[]) => void);
  }

  override prependListener<K extends keyof E2 & string>(eventName: K, listener: (...args: E2[K]) => void): this {
    return super.prependListener(eventName, listener as (...args: unknown[]) => void);
  }

  override once<K extends keyof E2 & string>(eventName: K, listener: (...args: E2[K]) => void): this {
    return super.once(eventName, listener as (...args: unknown[]) => void);
  }

  override prependOnceListener<K extends keyof E2 & string>(eventName: K, listener: (...args: E2[K]) => void): this {
    return super.prependOnceListener(eventName, listener as (...args: unknown[]) => void);
  }

  override removeListener<K extends keyof E2 & string>(eventName: K, listener: (...args: E2[K]) => void): this {
    return super.removeListener(eventName, listener as (...args: unknown[]) => void);
  }

  override removeAllListeners<K extends keyof E2 & string>(eventName?: K): this {
    return eventName === undefined ? super.removeAllListeners() : super.removeAllListeners(eventName);
  }

  override listenerCount<K extends keyof E2 & string>(eventName: K): number {
    return super.listenerCount(eventName);
  }

  override listeners<K extends keyof E2 & string>(eventName: K): ((...args: E2[K]) => void)[] {
    return super.listeners(eventName) as ((...args: E2[K]) => void)[];
  }

  override rawListeners<K extends keyof E2 & string>(eventName: K): ((...args: E2[K]) => void)[] {
    return super.rawListeners(eventName) as ((...args: E2[K]) => void)[];
  }
}

/** Resolves with the arguments of the next event of that name: events.once() for those who like types. */
export async function enhancedOnce<E extends Events = Events>(
  emitter: EnhancedEventEmitter<E>,
  eventName: keyof E & string,
  options?: { signal?: AbortSignal },
): Promise<E[keyof E & string]> {
  return (await once(emitter, eventName, options)) as E[keyof E & string];
}
