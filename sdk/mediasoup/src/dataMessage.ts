/** What SCTP says a message of a data channel is (RFC 8831 §8). */
const STRING = 51;
const BINARY = 53;
const EMPTY_STRING = 56;
const EMPTY_BINARY = 57;

/** A message as the server takes it: text, or binary in base64. */
export type DataMessage = { message: string; ppid: number } | { binary: string; ppid: number };

/** Makes a message of what an application wants to send; without a ppid, of the kind that the value is. */
export function dataMessage(value: string | Buffer, ppid?: number): DataMessage {
  if (typeof value !== "string" && !Buffer.isBuffer(value)) throw new TypeError("message must be a string or a Buffer");
  const kind = typeof ppid === "number" ? ppid : kindOf(value);
  // SCTP cannot send nothing, so that an empty message has a byte which nobody looks at (RFC 8831 §6.6).
  if (kind === EMPTY_STRING) return { message: " ", ppid: kind };
  if (kind === EMPTY_BINARY) return { binary: Buffer.alloc(1).toString("base64"), ppid: kind };
  return typeof value === "string" ? { message: value, ppid: kind } : { binary: value.toString("base64"), ppid: kind };
}

function kindOf(value: string | Buffer): number {
  if (typeof value === "string") return value.length > 0 ? STRING : EMPTY_STRING;
  return value.length > 0 ? BINARY : EMPTY_BINARY;
}

/** Subchannels have 16 bits: as on mediasoup's wire, more are cut off. */
export function subchannelsOf(subchannels: number[] | undefined): number[] | undefined {
  return subchannels?.map((subchannel) => subchannel & 0xffff);
}
