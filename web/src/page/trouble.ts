/** Which trouble is to be put into words, if any. Values in, values out. */
import type { CallState } from "../call/call";
import type { LineState } from "../call/line";
import type { Texts } from "./text";

export interface Condition {
  state: CallState;
  online: boolean;
  send: LineState;
  recv: LineState;
  /** Whether sound and picture ever came through. */
  wasConnected: boolean;
}

/** The gravest trouble comes first: what causes the others is what should be read. */
export function troubleOf({ state, online, send, recv, wasConnected }: Condition): keyof Texts["trouble"] | null {
  if (state === "idle" || state === "ended") return null;
  if (!online) return "offline";
  if (state === "connecting") return "connecting";
  if (state === "reconnecting") return "server";
  const sendBad = isBad(send);
  const recvBad = isBad(recv);
  if ((send === "broken" || recv === "broken") && !wasConnected) return "blocked";
  if (sendBad && recvBad) return "both";
  if (sendBad) return "send";
  return recvBad ? "recv" : null;
}

function isBad(line: LineState): boolean {
  return line === "checking" || line === "broken";
}
