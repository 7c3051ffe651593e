import { readFileSync } from "node:fs";
import path from "node:path";

/** Reads what mediasoup 3.27.1 computes: the data by which the server's own negotiation is tested. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(process.cwd(), "../../internal/ortc/testdata", name), "utf8")) as T;
}

/** What is left of a value on its way through JSON, without what golden data leave out of encodings. */
export function asJSON(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, inner) => (name === "active" || (name === "dtx" && inner === false) ? undefined : inner));
}

/** Numbers the SSRCs of encodings in their order as the golden data do: the streams, then their RTX streams. */
export function renumber(encodings: { ssrc?: number; rtx?: { ssrc: number } }[] = [], first: number): void {
  let next = first;
  for (const encoding of encodings) if (encoding.ssrc !== undefined) encoding.ssrc = next++;
  for (const encoding of encodings) if (encoding.rtx) encoding.rtx.ssrc = next++;
}

/** The name of the class of what a call throws, or "" if it throws nothing. */
export function thrownBy(call: () => void): string {
  try {
    call();
    return "";
  } catch (error) {
    const { name } = error as Error;
    return name === "InvalidStateError" ? "Error" : name; // mediasoup has no class for it
  }
}
