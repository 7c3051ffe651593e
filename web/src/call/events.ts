/** What a call tells, and what its two directions share with it. */
import type { LineState } from "./line";
import type { Media } from "./media";
import type { Figures } from "./monitor";
import type { EndReason, Source } from "./protocol";
import type { Signaling } from "./signaling";

export type CallState = "idle" | "connecting" | "live" | "reconnecting" | "ended";

export interface CallEvents {
  state: CallState;
  ended: EndReason;
  /** Who is there, or what one of them sends, changed. */
  peers: null;
  /** What we send changed. */
  local: null;
  /** A transport's connection got better or worse. */
  line: { send: LineState; recv: LineState };
  /** Who is speaking, of the others. */
  speaking: ReadonlySet<string>;
  /** Who has the floor: ourselves, perhaps. Who stops speaking keeps it until another takes it. */
  floor: string;
  figures: Figures;
  /** One of our sources was switched off. Who did it is empty when it was the application behind the server; likewise below. */
  muted: { source: Source; by: string };
  kicked: { by: string; reason: string };
  /** The server is going down, and until when it goes on. */
  closing: { deadlineMs: number };
  /** A source of ours that could not be sent, and goes on without. */
  failed: { source: Source; error: Error };
}

/** The call as what we send and what we receive see it. */
export interface Bond {
  readonly signaling: Signaling;
  /** Null while the media is being made, the first time or again. */
  readonly media: Media | null;
  /** Changes of the media are made one after another. */
  queue(work: () => Promise<void>): Promise<void>;
  tell<Name extends keyof CallEvents>(name: Name, value: CallEvents[Name]): void;
}
