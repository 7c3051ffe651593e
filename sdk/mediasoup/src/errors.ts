/** What is asked for makes sense and is not supported. */
export class UnsupportedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnsupportedError";
  }
}

/** The worker of the object is closed, or has died. */
export class WorkerClosedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WorkerClosedError";
  }
}

/** What is referred to does not exist, or not any more. */
export class NotFoundError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotFoundError";
  }
}

/** What is asked for cannot be done in the state in which the object is. Where mediasoup throws a plain Error. */
export class InvalidStateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InvalidStateError";
  }
}

/** The connection was lost after a command was sent and before its answer came: it may have been carried out. */
export class ConnectionLostError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConnectionLostError";
  }
}
