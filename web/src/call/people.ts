/** Who is in a call, and what they and we send. */
import type { types } from "mediasoup-client";
import type { Size } from "./layers";
import type { Kind, Source } from "./protocol";

/** Something of somebody else's. Without a track it is on its way. */
export interface RemoteMedia {
  readonly producerId: string;
  readonly kind: Kind;
  readonly source: Source;
  readonly paused: boolean;
  readonly track: MediaStreamTrack | null;
  /** It cannot be received here: its codec is unknown to this browser, for instance. */
  readonly failed: boolean;
}

export interface Peer {
  readonly id: string;
  readonly displayName: string;
  readonly host: boolean;
  readonly media: readonly RemoteMedia[];
}

/** Something of our own. It lasts over reconnections, its producer does not. */
export interface LocalMedia {
  readonly source: Source;
  /** Null while there is nothing to send, for instance of a camera that was let go. */
  readonly track: MediaStreamTrack | null;
  readonly paused: boolean;
}

/** RemoteMedia as the call keeps it. */
export interface Remote extends RemoteMedia {
  paused: boolean;
  consumer: types.Consumer | null;
  track: MediaStreamTrack | null;
  failed: boolean;
  /** A pause or resume of the consumer that the server has not heard of. */
  unsent: boolean;
  /** How large the sender's picture is, if it says. */
  readonly full: Size | undefined;
  /** How large it is shown, in pixels of the device. */
  shown: Size | null;
  /** The spatial layer that the server was asked for. */
  asked: number | null;
}

export interface Member extends Peer {
  displayName: string;
  host: boolean;
  media: Remote[];
}

/** LocalMedia as the call keeps it. */
export interface Local extends LocalMedia {
  track: MediaStreamTrack | null;
  paused: boolean;
  producer: types.Producer | null;
  /** A pause or resume that the server has not heard of. */
  unsent: boolean;
  /** Ends when what is sent of it was last changed to what is wanted. */
  limiting: Promise<void>;
}
