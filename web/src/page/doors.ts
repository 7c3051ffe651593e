/** The HTTP doors beside the call endpoint: invitations and tokens. */

/** Where everything of this server begins, base path included: assets/ lies right below it. */
export const base = new URL("..", import.meta.url);

export class DoorError extends Error {
  constructor(
    /** A code of the server's, or NO_ANSWER. */
    readonly code: string,
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "DoorError";
  }
}

export interface Invitation {
  invitation: string;
  roomId: string;
}

export interface Admission {
  token: string;
  roomId: string;
  userId: string;
  callType: "audio" | "video";
}

export function makeInvitation(
  wish: { roomId?: string; callType: "audio" | "video" },
  apiKey?: string,
): Promise<Invitation> {
  return post("_takos/v2/invitation", { ...wish, kind: "group" }, apiKey ? { "api-key": apiKey } : {});
}

export function exchange(invitation: string, displayName: string): Promise<Admission> {
  return post("_takos/v2/token", { invitation, displayName });
}

/** The address of the call endpoint. */
export function callEndpoint(): string {
  const url = new URL("_takos/v2/call", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** What the link of a voice call ends with, so that nobody is asked for a camera before it. */
const VOICE = "#voice";

/** The page of an invitation: the link that people pass on. */
export function linkOf(invitation: string, callType: "audio" | "video"): string {
  return new URL(`c/${encodeURIComponent(invitation)}${callType === "audio" ? VOICE : ""}`, base).href;
}

/** Whether this page's address says that its call has no pictures. Not every link of a voice call does. */
export function voiceHere(): boolean {
  return location.hash === VOICE;
}

/** The invitation in this page's address, or null on the start page. */
export function invitationHere(): string | null {
  const rest = location.pathname.slice(base.pathname.length);
  const match = /^c\/([^/]+)$/.exec(rest);
  return match?.[1] ? decodeURIComponent(match[1]) : null;
}

async function post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(new URL(path, base), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  }).catch((error: unknown) => {
    throw new DoorError("NO_ANSWER", 0, String(error));
  });
  const answer = (await response.json().catch(() => null)) as
    | (T & { error?: { code?: string; message?: string } })
    | null;
  if (!response.ok || !answer) {
    const { code = "UNKNOWN", message = response.statusText } = answer?.error ?? {};
    throw new DoorError(code, response.status, message);
  }
  return answer;
}
