import { debug as logDebug, error as logError, warn as logWarn } from "node:console";
import debug from "debug";

/** Gets what the package logs, beside what DEBUG="mediasoup*" prints. */
export type LogEventListeners = {
  ondebug?: (namespace: string, log: string) => void;
  onwarn?: (namespace: string, log: string) => void;
  onerror?: (namespace: string, log: string, error?: Error) => void;
};

let listeners: LogEventListeners = {};

/** Replaces the listeners of logs; without an argument there are none. */
export function setLogEventListeners(to: LogEventListeners = {}): void {
  listeners = to;
}

/** One part of the package that logs, under mediasoup's namespaces so that filters keep working. */
export class Logger {
  readonly #debug: debug.Debugger;
  readonly #warn: debug.Debugger;
  readonly #error: debug.Debugger;

  constructor(part: string) {
    this.#debug = debug(`mediasoup:${part}`);
    this.#warn = debug(`mediasoup:WARN:${part}`);
    this.#error = debug(`mediasoup:ERROR:${part}`);
    this.#debug.log = logDebug;
    this.#warn.log = logWarn;
    this.#error.log = logError;
  }

  debug(log: string): void {
    this.#debug(log);
    quietly(() => listeners.ondebug?.(this.#debug.namespace, log));
  }

  warn(log: string): void {
    this.#warn(log);
    quietly(() => listeners.onwarn?.(this.#warn.namespace, log));
  }

  error(log: string, error?: Error): void {
    if (error) this.#error(log, error);
    else this.#error(log);
    quietly(() => listeners.onerror?.(this.#error.namespace, log, error));
  }
}

/** A listener of logs that throws must not change what is logged about. */
function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // There is nobody to tell: it is the log that failed.
  }
}
