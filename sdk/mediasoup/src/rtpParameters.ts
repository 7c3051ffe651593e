export type MediaKind = "audio" | "video";

/** What a router or an endpoint can receive. */
export type RtpCapabilities = {
  codecs?: RtpCodecCapability[];
  headerExtensions?: RtpHeaderExtension[];
};

/** Capabilities whose codecs need no payload type yet. */
export type RouterRtpCapabilities = Omit<RtpCapabilities, "codecs"> & {
  codecs?: RouterRtpCodecCapability[];
};

/** A codec that can be received, one entry for each set of parameters that needs a payload type of its own. */
export type RtpCodecCapability = {
  kind: MediaKind;
  /** Like "video/VP8", in any case. */
  mimeType: string;
  preferredPayloadType: number;
  /** In Hz. */
  clockRate: number;
  /** For audio only; 1 by default. */
  channels?: number;
  parameters?: Record<string, unknown>;
  rtcpFeedback?: RtcpFeedback[];
};

/** A codec for a router to be made with. Without a payload type the router chooses one. */
export type RouterRtpCodecCapability = Omit<RtpCodecCapability, "preferredPayloadType"> & {
  preferredPayloadType?: number;
};

/** Seen from the router. */
export type RtpHeaderExtensionDirection = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** A header extension (RFC 8285) that is supported for a kind of media. */
export type RtpHeaderExtension = {
  kind: MediaKind;
  uri: RtpHeaderExtensionUri;
  preferredId: number;
  /** RFC 6904, which is not supported. */
  preferredEncrypt?: boolean;
  /** Only in the capabilities of routers. */
  direction?: RtpHeaderExtensionDirection;
};

/** The streams that a sender sends, or that a receiver gets. */
export type RtpParameters = {
  /** The value of the MID extension (RFC 8843 §15). */
  mid?: string;
  codecs: RtpCodecParameters[];
  headerExtensions?: RtpHeaderExtensionParameters[];
  /** One for each stream, RTX streams not counted; a consumer that is no pipe has one. */
  encodings?: RtpEncodingParameters[];
  rtcp?: RtcpParameters;
  /** The MediaStream and its track (RFC 8830). */
  msid?: string;
};

/** A codec in use. */
export type RtpCodecParameters = {
  mimeType: string;
  payloadType: number;
  /** In Hz. */
  clockRate: number;
  /** For audio only; 1 by default. */
  channels?: number;
  parameters?: Record<string, unknown>;
  rtcpFeedback?: RtcpFeedback[];
};

/** As in SDP's rtcp-fb (RFC 4585 §4.2). */
export type RtcpFeedback = {
  type: string;
  parameter?: string;
};

/** One stream, and the stream of its retransmissions. */
export type RtpEncodingParameters = {
  ssrc?: number;
  /** The value of the RID extension (RFC 8852). */
  rid?: string;
  /** The first codec of media by default. */
  codecPayloadType?: number;
  rtx?: { ssrc: number };
  /** Pauses in the stream are meant. */
  dtx?: boolean;
  /** Like "L1T3" (W3C webrtc-svc). */
  scalabilityMode?: string;
  /** In bit/s. */
  maxBitrate?: number;
};

export type RtpHeaderExtensionUri =
  | "urn:ietf:params:rtp-hdrext:sdes:mid"
  | "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
  | "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
  | "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
  | "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
  | "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
  | "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
  | "urn:3gpp:video-orientation"
  | "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
  | "urn:ietf:params:rtp-hdrext:toffset"
  | "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
  | "urn:mediasoup:params:rtp-hdrext:packet-id";

/** A header extension in use. */
export type RtpHeaderExtensionParameters = {
  uri: RtpHeaderExtensionUri;
  id: number;
  /** RFC 6904, which is not supported. */
  encrypt?: boolean;
  parameters?: Record<string, unknown>;
};

export type RtcpParameters = {
  /** The name of the sender's clock (RFC 3550 §6.5.1). */
  cname?: string;
  /** RFC 5506; true by default. */
  reducedSize?: boolean;
};
