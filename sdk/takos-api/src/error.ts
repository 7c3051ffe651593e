/**
 * Codes of errors that come from this client. Those of the server, for instance
 * ROOM_NOT_FOUND or CONSUMER_ERROR, come through as they are.
 */
export type ClientErrorCode =
  /** The connection could not be made. */
  | "CONNECT_FAILED"
  /** The connection was lost before the answer came: the command may or may not have been carried out. */
  | "CONNECTION_LOST"
  /** disconnect() was called. */
  | "DISCONNECTED"
  /** No answer came in time. */
  | "TIMEOUT";

/** Why a command failed, or a connection. */
export class TakosCallError extends Error {
  readonly code: ClientErrorCode | (string & {});

  constructor(code: ClientErrorCode | (string & {}), message: string) {
    super(message);
    this.name = "TakosCallError";
    this.code = code;
  }
}
