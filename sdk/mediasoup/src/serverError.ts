import { InvalidStateError, NotFoundError, UnsupportedError, WorkerClosedError } from "./errors";

/** What a command failed with. */
export interface Failure {
  code: string;
  message: string;
}

const CLASSES: Record<string, new (message: string) => Error> = {
  MISSING_FIELD: TypeError,
  INVALID_FIELD: TypeError,
  INVALID_PARAMETERS: TypeError,
  UNSUPPORTED: UnsupportedError,
  CONSUMER_ERROR: UnsupportedError,
  INVALID_STATE: InvalidStateError,
  WORKER_NOT_FOUND: WorkerClosedError,
};

/** The error that mediasoup has for the same mistake. The server's code is its property `code`. */
export function errorOf({ code, message }: Failure): Error {
  const Class = CLASSES[code] ?? (code.endsWith("_NOT_FOUND") ? NotFoundError : Error);
  return Object.assign(new Class(message), { code });
}
