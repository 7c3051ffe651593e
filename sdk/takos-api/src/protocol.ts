/** What goes over /takos-api: requests, answers and events. Those of objects are in objects.ts. */
import type { ObjectCommands, ObjectEvents } from "./objects.js";
import type {
  DtlsParameters,
  IceCandidate,
  IceParameters,
  MediaKind,
  RoomCodec,
  RtpCapabilities,
  RtpParameters,
} from "./rtp.js";

/** What an application attaches to an object; it comes back in the object's info. */
export type AppData = Record<string, unknown>;

export type Direction = "send" | "recv";

export interface RoomInfo {
  id: string;
  /** By peer id. */
  peers: Record<string, PeerInfo>;
  maxPeers: number;
}

export interface PeerInfo {
  id: string;
  displayName?: string;
  /** Whether this peer may remove and mute others through the call endpoint. */
  host: boolean;
  appData?: AppData;
  transports: Record<string, TransportInfo>;
  producers: Record<string, ProducerInfo>;
  consumers: Record<string, ConsumerInfo>;
  dataProducers?: Record<string, DataProducerInfo>;
  dataConsumers?: Record<string, DataConsumerInfo>;
}

/** What mediasoup-client's createSendTransport and createRecvTransport take, and more. */
export interface TransportInfo {
  id: string;
  iceParameters: IceParameters;
  iceCandidates: IceCandidate[];
  dtlsParameters: DtlsParameters;
  /** Null unless the transport was made with enableSctp. */
  sctpParameters?: any;
  direction: Direction;
  iceState: string;
  dtlsState: string;
  appData?: AppData;
}

export interface ProducerInfo {
  id: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  type: "simple" | "simulcast" | "svc";
  paused: boolean;
  /** How well its encodings arrive, of those that have ever come. */
  score: EncodingScore[];
  source?: string;
  /** Of video, what producerLayersWanted told last. */
  wantedSpatialLayer?: number | null;
  appData?: AppData;
}

export interface ConsumerInfo {
  id: string;
  producerId: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  type: "simple" | "simulcast" | "svc" | "pipe";
  paused: boolean;
  producerPaused: boolean;
  score: ConsumerScore;
  /** The highest that are sent, of simulcast or SVC. */
  preferredLayers?: Layers;
  /** Those that are sent now. */
  currentLayers?: Layers;
  /** 1 to 255, the most important. */
  priority: number;
  appData?: AppData;
}

export interface RoomOptions {
  /** The most peers the room takes; the server's limit unless given. */
  maxPeers?: number;
  /** What may be sent in the room, preferred first; the server's own list unless given. */
  codecs?: RoomCodec[];
}

export interface PeerOptions {
  /** What the others see, at most 64 characters. */
  displayName?: string;
  host?: boolean;
  appData?: AppData;
}

export interface TransportOptions {
  /** Bits per second that the client is asked not to exceed. */
  maxIncomingBitrate?: number;
  /** Bits per second that the client's line is taken to carry at first; 300000 unless given. */
  initialAvailableOutgoingBitrate?: number;
  /** Bits per second that are sent however narrow the line seems; 30000 unless given. */
  minOutgoingBitrate?: number;
  /** Bits per second that are sent at most. */
  maxOutgoingBitrate?: number;
  /** Whether it carries data channels. */
  enableSctp?: boolean;
  /** Data channels in each direction; 1024 unless given. */
  numSctpStreams?: number;
  /** In bytes; 262144 unless given. */
  maxSctpMessageSize?: number;
  /** How many bytes may wait for the client; 2000000 unless given. */
  sctpSendBufferSize?: number;
  /** Whether UDP candidates are offered and taken; default true. */
  enableUdp?: boolean;
  /** The same for TCP, where the server listens to it; default true. */
  enableTcp?: boolean;
  /** Whether TCP comes before UDP. */
  preferTcp?: boolean;
  appData?: AppData;
}

export interface ProducerOptions {
  paused?: boolean;
  /** What it is: "mic", "camera", "screen" or any text. */
  source?: string;
  appData?: AppData;
}

/** A spatial and a temporal layer of video, from 0. Of simulcast the spatial layers are the encodings. */
export interface Layers {
  spatialLayer: number;
  temporalLayer: number;
}

/** The highest layers wanted: all frames a second unless said otherwise. */
export type PreferredLayers = Pick<Layers, "spatialLayer"> & Partial<Layers>;

/** How well a consumer is served. Scores are 10, nothing is lost for good, to 0. */
export interface ConsumerScore {
  score: number;
  /** Of the encoding that it is sent. */
  producerScore: number;
  producerScores: number[];
}

/** How well an encoding of a producer arrives. */
export interface EncodingScore {
  encodingIdx: number;
  ssrc: number;
  rid?: string;
  score: number;
}

export interface ConsumerOptions {
  paused?: boolean;
  /** The highest layers that are sent, of simulcast or SVC; all unless given. */
  preferredLayers?: PreferredLayers;
  appData?: AppData;
}

/** How a data channel is carried. */
export interface SctpStreamParameters {
  streamId: number;
  /** True unless one of the limits is given. */
  ordered?: boolean;
  /** In ms. */
  maxPacketLifeTime?: number;
  maxRetransmits?: number;
}

export interface DataProducerInfo {
  id: string;
  sctpStreamParameters: SctpStreamParameters;
  label: string;
  protocol: string;
  paused: boolean;
  appData?: AppData;
}

/** What mediasoup-client's consumeData takes, and more. */
export interface DataConsumerInfo {
  id: string;
  dataProducerId: string;
  sctpStreamParameters: SctpStreamParameters;
  label: string;
  protocol: string;
  paused: boolean;
  dataProducerPaused: boolean;
  /** Bytes that wait for the client to take them. */
  bufferedAmount: number;
  appData?: AppData;
}

export interface DataProducerOptions {
  label?: string;
  protocol?: string;
  paused?: boolean;
  appData?: AppData;
}

/** The first three are the data producer's unless one of them is given. */
export interface DataConsumerOptions {
  ordered?: boolean;
  maxPacketLifeTime?: number;
  maxRetransmits?: number;
  paused?: boolean;
  appData?: AppData;
}

export interface TokenRequest {
  roomId: string;
  /** Becomes the peer's id: name@domain. */
  userId: string;
  callType?: "audio" | "video";
  kind?: "friend" | "group";
  displayName?: string;
  host?: boolean;
  /** How long the token may stay unused; 120 unless given. */
  expiresInSeconds?: number;
}

export interface Token {
  token: string;
  /** RFC 3339. */
  expiresAt: string;
}

export interface InvitationRequest {
  /** A fresh one unless given. */
  roomId?: string;
  callType?: "audio" | "video";
  kind?: "friend" | "group";
  /** A day unless given. */
  expiresInSeconds?: number;
}

export interface Invitation {
  invitation: string;
  roomId: string;
  /** The page that people open; without the server's origin unless it knows that. */
  url: string;
  /** RFC 3339. */
  expiresAt: string;
}

/** Figures with the names of mediasoup's statistics. */
export type Stats = Record<string, unknown>;

export interface ServerInfo {
  version: string;
  uptimeSeconds: number;
  rooms: number;
  peers: number;
  transports: number;
  producers: number;
  consumers: number;
  draining: boolean;
}

/** Each command with what it takes and what it answers. */
export interface Commands extends ObjectCommands {
  createRoom: [{ roomId: string; options?: RoomOptions }, RoomInfo];
  closeRoom: [{ roomId: string }, void];
  getRoomInfo: [{ roomId: string }, RoomInfo | null];
  getAllRooms: [Record<string, never>, { rooms: RoomInfo[] }];
  getRouterRtpCapabilities: [{ roomId: string }, { rtpCapabilities: RtpCapabilities }];
  addPeer: [PeerRef & { options?: PeerOptions }, PeerInfo];
  removePeer: [PeerRef & { reason?: string }, void];
  getPeerInfo: [PeerRef, PeerInfo | null];
  createTransport: [PeerRef & { direction: Direction; options?: TransportOptions }, TransportInfo];
  connectTransport: [TransportRef & { dtlsParameters: DtlsParameters }, void];
  restartIce: [TransportRef, { iceParameters: IceParameters }];
  setMaxIncomingBitrate: [TransportRef & { bitrate: number }, void];
  setMaxOutgoingBitrate: [TransportRef & { bitrate: number }, void];
  setMinOutgoingBitrate: [TransportRef & { bitrate: number }, void];
  closeTransport: [TransportRef, void];
  getTransportInfo: [TransportRef, TransportInfo | null];
  getTransportStats: [TransportRef, { stats: Stats[] }];
  createProducer: [TransportRef & { kind: MediaKind; rtpParameters: RtpParameters } & ProducerOptions, ProducerInfo];
  pauseProducer: [ProducerRef, void];
  resumeProducer: [ProducerRef, void];
  muteProducer: [ProducerRef, void];
  closeProducer: [ProducerRef, void];
  getProducerInfo: [ProducerRef, ProducerInfo | null];
  getProducerStats: [ProducerRef, { stats: Stats[] }];
  createConsumer: [TransportRef & { producerId: string; rtpCapabilities: RtpCapabilities } & ConsumerOptions, ConsumerInfo];
  pauseConsumer: [ConsumerRef, void];
  resumeConsumer: [ConsumerRef, void];
  requestKeyFrame: [ConsumerRef, void];
  setConsumerPreferredLayers: [ConsumerRef & PreferredLayers, { preferredLayers: Layers | null }];
  setConsumerPriority: [ConsumerRef & { priority: number }, void];
  closeConsumer: [ConsumerRef, void];
  getConsumerInfo: [ConsumerRef, ConsumerInfo | null];
  getConsumerStats: [ConsumerRef, { stats: Stats[] }];
  createDataProducer: [TransportRef & { sctpStreamParameters: SctpStreamParameters } & DataProducerOptions, DataProducerInfo];
  pauseDataProducer: [DataProducerRef, void];
  resumeDataProducer: [DataProducerRef, void];
  closeDataProducer: [DataProducerRef, void];
  getDataProducerInfo: [DataProducerRef, DataProducerInfo | null];
  getDataProducerStats: [DataProducerRef, { stats: Stats[] }];
  createDataConsumer: [TransportRef & { dataProducerId: string } & DataConsumerOptions, DataConsumerInfo];
  pauseDataConsumer: [DataConsumerRef, void];
  resumeDataConsumer: [DataConsumerRef, void];
  sendData: [DataConsumerRef & { message: string; binary?: boolean }, { bufferedAmount: number }];
  closeDataConsumer: [DataConsumerRef, void];
  getDataConsumerInfo: [DataConsumerRef, DataConsumerInfo | null];
  getDataConsumerStats: [DataConsumerRef, { stats: Stats[] }];
  createToken: [TokenRequest, Token];
  revokeToken: [{ token: string }, void];
  createInvitation: [InvitationRequest, Invitation];
  revokeInvitation: [{ invitation: string }, void];
  subscribe: [{ roomIds: string[] | "*" } & SubscribeOptions, void];
  getServerInfo: [Record<string, never>, ServerInfo];
}

export interface SubscribeOptions {
  /** Whether audioLevels are wanted, too; there are many. */
  audioLevels?: boolean;
  /** Whether consumerLayersChanged, consumerScore, producerScore and producerLayersWanted are wanted, too; likewise. */
  quality?: boolean;
}

/** How loud a producer was, on average, in dBov: −127 to 0, the loudest there is. */
export interface Volume {
  peerId: string;
  producerId: string;
  volume: number;
}

export interface PeerRef {
  roomId: string;
  peerId: string;
}

export interface TransportRef extends PeerRef {
  transportId: string;
}

export interface ProducerRef extends PeerRef {
  producerId: string;
}

export interface ConsumerRef extends PeerRef {
  consumerId: string;
}

export interface DataProducerRef extends PeerRef {
  dataProducerId: string;
}

export interface DataConsumerRef extends PeerRef {
  dataConsumerId: string;
}

/** What the server tells of its own accord, by name. */
export interface ApiEvents extends ObjectEvents {
  roomCreated: { roomId: string; roomInfo: RoomInfo };
  roomClosed: { roomId: string; reason?: string };
  peerAdded: PeerRef & { peerInfo: PeerInfo };
  peerClosed: PeerRef & { reason?: string };
  transportCreated: TransportRef & { direction: Direction; transportInfo: TransportInfo };
  transportClosed: TransportRef & { reason?: string };
  producerCreated: ProducerRef & { transportId: string; kind: MediaKind; producerInfo: ProducerInfo };
  producerClosed: ProducerRef & { reason?: string };
  consumerCreated: ConsumerRef & { producerId: string; transportId: string; consumerInfo: ConsumerInfo };
  consumerClosed: ConsumerRef & { producerId?: string; reason?: string };
  dataProducerCreated: DataProducerRef & { transportId: string; dataProducerInfo: DataProducerInfo };
  dataProducerPaused: DataProducerRef;
  dataProducerResumed: DataProducerRef;
  dataProducerClosed: DataProducerRef & { transportId: string; reason?: string };
  dataConsumerCreated: DataConsumerRef & { dataProducerId: string; transportId: string; dataConsumerInfo: DataConsumerInfo };
  dataConsumerClosed: DataConsumerRef & { dataProducerId: string; transportId: string; reason?: string };
  /** Somebody has the floor, until another takes it. */
  activeSpeaker: ProducerRef;
  /** Who is heard, the loudest first; nobody, once, when it is silent. Only if subscribed to. */
  audioLevels: { roomId: string; volumes: Volume[] };
  /** Which layers a client is sent from now on; null is nothing. Only if subscribed to; likewise the next three. */
  consumerLayersChanged: ConsumerRef & { producerId: string; layers: Layers | null };
  consumerScore: ConsumerRef & { producerId: string; score: ConsumerScore };
  producerScore: ProducerRef & { score: EncodingScore[] };
  /** The highest spatial layer of a video that any consumer prefers, from 0; null is none. The client need not send more. */
  producerLayersWanted: ProducerRef & { wantedSpatialLayer: number | null };
}

export type Answer =
  | { type: "response"; id: string; success: true; data?: unknown }
  | { type: "response"; id: string; success: false; error: { code: string; message: string } };

export interface EventMessage {
  type: "event";
  data: { event: string; roomId?: string; [field: string]: unknown };
}

export type ServerMessage = Answer | EventMessage;
