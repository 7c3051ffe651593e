import type {
  MediaKind,
  RouterRtpCapabilities,
  RouterRtpCodecCapability,
  RtcpFeedback,
  RtpHeaderExtension,
  RtpHeaderExtensionDirection,
  RtpHeaderExtensionUri,
} from "./rtpParameters";

const NACK: RtcpFeedback = { type: "nack", parameter: "" };
const TRANSPORT_CC: RtcpFeedback = { type: "transport-cc", parameter: "" };
const VIDEO_FEEDBACK: RtcpFeedback[] = [
  NACK,
  { type: "nack", parameter: "pli" },
  { type: "ccm", parameter: "fir" },
  { type: "goog-remb", parameter: "" },
  TRANSPORT_CC,
];

/** Every codec and header extension that a router can be made with. Nobody may write into it: clone it. */
export function supportedRtpCapabilities(): RouterRtpCapabilities {
  return { codecs: [...audioCodecs(), ...videoCodecs()], headerExtensions: headerExtensions() };
}

function audioCodecs(): RouterRtpCodecCapability[] {
  return [
    audio("opus", 48000, 2, [NACK, TRANSPORT_CC]),
    surround(4, "0,1,2,3", 2, 2),
    surround(6, "0,4,1,2,3,5", 4, 2),
    surround(8, "0,6,1,2,3,4,5,7", 5, 3),
    { ...audio("PCMU", 8000, 1, [TRANSPORT_CC]), preferredPayloadType: 0 },
    { ...audio("PCMA", 8000, 1, [TRANSPORT_CC]), preferredPayloadType: 8 },
    audio("ISAC", 32000, 1, [TRANSPORT_CC]),
    audio("ISAC", 16000, 1, [TRANSPORT_CC]),
    { ...audio("G722", 8000, 1, [TRANSPORT_CC]), preferredPayloadType: 9 },
    audio("iLBC", 8000, 1, [TRANSPORT_CC]),
    ...[24000, 16000, 12000, 8000].map((clockRate) => audio("SILK", clockRate, 1, [TRANSPORT_CC])),
    ...[32000, 16000, 8000].map((clockRate) => ({ ...audio("CN", clockRate, 1, []), preferredPayloadType: 13 })),
    ...[48000, 32000, 16000, 8000].map((clockRate) => audio("telephone-event", clockRate, 1, [])),
    audio("red", 48000, 2, [TRANSPORT_CC]), // Not mediasoup's: Opus with earlier packets repeated (RFC 2198).
  ];
}

function videoCodecs(): RouterRtpCodecCapability[] {
  return [
    video("VP8"),
    video("VP9"),
    video("H264", { "level-asymmetry-allowed": 1 }),
    video("AV1"),
    video("H265"), // Not mediasoup's (RFC 7798).
  ];
}

function audio(name: string, clockRate: number, channels: number, feedback: RtcpFeedback[]): RouterRtpCodecCapability {
  return { kind: "audio", mimeType: `audio/${name}`, clockRate, channels, parameters: {}, rtcpFeedback: feedback.map(copy) };
}

/** Opus with more than two channels, as libwebrtc maps them onto mono and coupled streams (after RFC 7845 §5.1.1). */
function surround(channels: number, mapping: string, streams: number, coupled: number): RouterRtpCodecCapability {
  const parameters = { channel_mapping: mapping, num_streams: streams, coupled_streams: coupled };
  return { ...audio("multiopus", 48000, channels, [NACK, TRANSPORT_CC]), parameters };
}

function video(name: string, parameters: Record<string, unknown> = {}): RouterRtpCodecCapability {
  return { kind: "video", mimeType: `video/${name}`, clockRate: 90000, parameters, rtcpFeedback: VIDEO_FEEDBACK.map(copy) };
}

function copy(feedback: RtcpFeedback): RtcpFeedback {
  return { ...feedback };
}

type Direction = RtpHeaderExtensionDirection | undefined;

/** By id; no direction means that there is no such extension for that kind. */
const EXTENSIONS: [uri: RtpHeaderExtensionUri, audio: Direction, video: Direction][] = [
  ["urn:ietf:params:rtp-hdrext:sdes:mid", "sendrecv", "sendrecv"],
  ["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", undefined, "recvonly"],
  ["urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", undefined, "recvonly"],
  ["http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", "sendrecv", "sendrecv"],
  // Audio alone gives a poor estimate towards a receiver.
  ["http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "recvonly", "sendrecv"],
  ["urn:ietf:params:rtp-hdrext:ssrc-audio-level", "sendrecv", undefined],
  // Towards receivers too, unlike mediasoup's: Chromium shows AV1 with spatial layers only with it.
  ["https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension", undefined, "sendrecv"],
  ["urn:3gpp:video-orientation", undefined, "sendrecv"],
  ["urn:ietf:params:rtp-hdrext:toffset", undefined, "sendrecv"],
  ["http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", "sendrecv", "sendrecv"],
  ["http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", "sendrecv", "sendrecv"],
  ["urn:mediasoup:params:rtp-hdrext:packet-id", "sendrecv", "sendrecv"],
];

function headerExtensions(): RtpHeaderExtension[] {
  return EXTENSIONS.flatMap(([uri, audioDirection, videoDirection], i) => [
    ...extension("audio", uri, i + 1, audioDirection),
    ...extension("video", uri, i + 1, videoDirection),
  ]);
}

function extension(kind: MediaKind, uri: RtpHeaderExtensionUri, preferredId: number, direction: Direction): RtpHeaderExtension[] {
  return direction ? [{ kind, uri, preferredId, preferredEncrypt: false, direction }] : [];
}
