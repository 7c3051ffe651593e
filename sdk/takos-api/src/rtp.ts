/**
 * The objects that mediasoup-client hands over and takes, as far as they pass through here.
 * They fit that package's types in both directions, in each of its versions, without
 * needing it: where a version narrows a string to a list of its own, `any` stands here.
 */

export type MediaKind = "audio" | "video";

/** What a device can receive, or a room's router can route. */
export interface RtpCapabilities {
  codecs?: RtpCodecCapability[];
  headerExtensions?: {
    kind: MediaKind;
    uri: any;
    preferredId: number;
    preferredEncrypt?: boolean;
    direction?: "sendrecv" | "sendonly" | "recvonly" | "inactive";
  }[];
}

export interface RtpCodecCapability {
  kind: MediaKind;
  mimeType: string;
  preferredPayloadType: number;
  clockRate: number;
  channels?: number;
  parameters?: any;
  rtcpFeedback?: RtcpFeedback[];
}

/** A codec that a room is to have; the payload type is chosen by the server unless given. */
export type RoomCodec = Omit<RtpCodecCapability, "preferredPayloadType"> & { preferredPayloadType?: number };

/** What is sent, or to be received. */
export interface RtpParameters {
  mid?: string;
  codecs: {
    mimeType: string;
    payloadType: number;
    clockRate: number;
    channels?: number;
    parameters?: any;
    rtcpFeedback?: RtcpFeedback[];
  }[];
  headerExtensions?: { uri: any; id: number; encrypt?: boolean; parameters?: any }[];
  encodings?: any[];
  rtcp?: { cname?: string; reducedSize?: boolean; mux?: boolean };
}

export interface RtcpFeedback {
  type: string;
  parameter?: string;
}

export interface IceParameters {
  usernameFragment: string;
  password: string;
  iceLite?: boolean;
}

export interface IceCandidate {
  foundation: string;
  priority: number;
  ip: string;
  address: string;
  protocol: "udp" | "tcp";
  port: number;
  type: "host" | "srflx" | "prflx" | "relay";
  tcpType?: "active" | "passive" | "so";
}

export interface DtlsParameters {
  role?: "auto" | "client" | "server";
  fingerprints: { algorithm: "sha-1" | "sha-224" | "sha-256" | "sha-384" | "sha-512"; value: string }[];
}
