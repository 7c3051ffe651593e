/**
 * The messages of /_takos/v2/call, as this client uses them. They are JSON text
 * frames; types that are not listed here are ignored.
 */
import type { types } from "mediasoup-client";

export type Kind = "audio" | "video";
export type Side = "send" | "recv";

/** What a producer shows or lets hear. Other clients may name sources of their own. */
export type Source = "mic" | "camera" | "screen" | "screen-audio" | (string & {});

export interface TransportInfo {
  id: string;
  iceParameters: types.IceParameters;
  iceCandidates: types.IceCandidate[];
  dtlsParameters: types.DtlsParameters;
  sctpParameters: types.SctpParameters | null;
}

export interface ProducerInfo {
  id: string;
  peerId: string;
  kind: Kind;
  source?: Source;
  paused?: boolean;
  /** Of a camera, the size of its picture: {width, height}. Other clients may put anything here. */
  appData?: unknown;
}

/** Which of the sizes and frame rates that a picture is sent in; both count from 0. */
export interface Layers {
  spatialLayer: number;
  temporalLayer: number;
}

export interface PeerInfo {
  displayName?: string;
  host?: boolean;
}

export interface InitData {
  roomId: string;
  myPeerId: string;
  callType: "audio" | "video";
  peers: string[];
  peerInfos?: Record<string, PeerInfo>;
  producers: ProducerInfo[];
  routerRtpCapabilities: types.RtpCapabilities;
  transport: { send: TransportInfo; recv: TransportInfo };
  iceServers?: RTCIceServer[];
  host?: boolean;
  /** The media of the lost connection lives on: nothing is to be made again. */
  resumed?: boolean;
  activeSpeaker?: { peerId: string; producerId: string };
  myProducers?: { id: string; kind: Kind; source?: Source; paused?: boolean; wantedSpatialLayer?: number | null }[];
  myConsumers?: { consumerId: string; producerId: string; layers?: Layers }[];
}

export interface Consumed {
  type: "consumed";
  consumerId: string;
  producerId: string;
  kind: Kind;
  rtpParameters: types.RtpParameters;
  peerId: string;
  producerPaused?: boolean;
  source?: Source;
  requestId?: string;
}

/** The announcement of somebody's new producer, or the answer to our own. */
export interface Produced {
  type: "produce" | "produced";
  producerId: string;
  peerId?: string;
  kind: Kind;
  source?: Source;
  paused?: boolean;
  appData?: unknown;
  requestId?: string;
}

/** How loud somebody's producer was, on average, in dBov: -127 to 0. */
export interface Volume {
  peerId: string;
  producerId: string;
  volume: number;
}

export interface ServerError {
  type: "error";
  message: string;
  context?: string;
  transportType?: Side;
  requestId?: string;
}

export type ServerMessage =
  | { type: "init"; data: InitData }
  | { type: "join"; peerId: string; producers?: Omit<ProducerInfo, "peerId">[]; displayName?: string; host?: boolean }
  | { type: "leave"; peerId: string }
  | { type: "connected"; transportType: Side; requestId?: string }
  | Produced
  | Consumed
  | { type: "producerNotFound" | "selfProducer"; producerId: string; message?: string; requestId?: string }
  | { type: "producerPaused" | "producerResumed"; producerId: string; peerId?: string }
  | { type: "producerClosed"; producerId: string; peerId?: string }
  | { type: "consumerPaused" | "consumerResumed"; consumerId: string }
  | { type: "consumerClosed"; consumerId: string; producerId?: string }
  | { type: "consumerLayersChanged"; consumerId: string; producerId: string; layers: Layers | null }
  | { type: "producerLayersWanted"; producerId: string; wantedSpatialLayer: number | null }
  | { type: "iceRestarted"; transportType: Side; iceParameters: types.IceParameters }
  | { type: "muted"; producerId: string; kind: Kind; by: string }
  | { type: "kicked"; by: string; reason?: string }
  | { type: "closing"; reason?: string; deadlineMs: number }
  | { type: "transportState"; transportType: Side; iceState: string; dtlsState: string }
  | { type: "audioLevels"; volumes: Volume[] }
  | { type: "activeSpeaker"; peerId: string; producerId: string }
  | { type: "pong"; requestId?: string }
  | ServerError;

export type ClientMessage = { type: string; [field: string]: unknown };

/** Why a call is over, for good. */
export type EndReason =
  | "left"
  | "hungUp"
  | "replaced"
  | "kicked"
  | "roomClosed"
  | "tokenRevoked"
  | "tokenInvalid"
  | "roomFull"
  | "serverLost"
  | "protocol";

/** What a close code says: the call is over, or it is worth connecting again. */
export function meaningOfClose(code: number): EndReason | "again" {
  switch (code) {
    case 1000:
    case 4000:
      return "hungUp";
    case 4001:
      return "replaced";
    case 4002:
      return "kicked";
    case 4003:
      return "roomClosed";
    case 4004:
      return "tokenRevoked";
    case 1009:
      return "protocol";
    default:
      // Lost lines, restarting servers and queues that ran over (4005 to 4007) pass.
      return "again";
  }
}

const TYPE = /^[a-zA-Z]{1,64}$/;

/** The message in a frame, or null if it is none. */
export function parseMessage(frame: unknown): ServerMessage | null {
  if (typeof frame !== "string") return null;
  try {
    const value: unknown = JSON.parse(frame);
    if (typeof value !== "object" || value === null) return null;
    const type = (value as { type?: unknown }).type;
    return typeof type === "string" && TYPE.test(type) ? (value as ServerMessage) : null;
  } catch {
    return null;
  }
}
