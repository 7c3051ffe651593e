import type { Connection } from "./connection";
import { WorkerClosedError } from "./errors";
import { Logger } from "./logger";

const logger = new Logger("Channel");

/** What a worker and all objects below it say to the server, until the worker is closed. */
export class Channel {
  readonly #connection: Connection;
  readonly #aborts = new Set<() => void>();
  #closed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get connection(): Connection {
    return this.#connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves with the answer to a command. */
  request<T = void>(type: string, data: object): Promise<T> {
    if (this.#closed) return Promise.reject(new WorkerClosedError(`${type}: the worker is closed`));
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(new WorkerClosedError(`${type}: the worker was closed before the answer came`));
      this.#aborts.add(abort);
      this.#connection
        .request<T>(type, data)
        .then(resolve, reject)
        .finally(() => this.#aborts.delete(abort));
    });
  }

  /** Gives a command whose answer nobody waits for. It is carried out before all that come after it. */
  tell(type: string, data: object): void {
    this.request(type, data).catch((error: Error) => logger.debug(`${type}: ${error.message}`));
  }

  /** Sends what is worth nothing later: it is dropped while there is no connection. */
  pass(type: string, data: object): void {
    if (!this.#closed) this.#connection.pass(type, data);
  }

  /** Rejects all that is not answered yet. */
  close(): void {
    this.#closed = true;
    for (const abort of this.#aborts) abort();
    this.#aborts.clear();
  }
}
