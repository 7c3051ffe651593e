import { randomInt } from "node:crypto";
import { clone } from "../clone";
import { UnsupportedError } from "../errors";
import type {
  RtpCapabilities,
  RtpCodecCapability,
  RtpCodecParameters,
  RtpEncodingParameters,
  RtpHeaderExtension,
  RtpHeaderExtensionParameters,
  RtpParameters,
} from "../rtpParameters";
import { h264Answer } from "./h264";
import { isSameFormat } from "./match";
import { isRtx } from "./mime";

/** Translates a producer's numbers into its router's. */
export type RtpCodecsEncodingsMapping = {
  codecs: { payloadType: number; mappedPayloadType: number }[];
  encodings: { ssrc?: number; rid?: string; mappedSsrc: number }[];
};

/** An SSRC from which a few more can be counted up. */
export function randomSsrc(): number {
  return randomInt(100_000_000, 1_000_000_000);
}

/**
 * Finds the router's payload type for each codec of valid parameters and gives each encoding an SSRC inside the
 * router. In place, H264 profile-level-ids are replaced by the answers to the router's.
 */
export function getProducerRtpParametersMapping(params: RtpParameters, caps: RtpCapabilities): RtpCodecsEncodingsMapping {
  const routerCodecs = caps.codecs ?? [];
  const byPayloadType = new Map<number, RtpCodecCapability>();
  for (const codec of params.codecs.filter((codec) => !isRtx(codec))) {
    byPayloadType.set(codec.payloadType, acceptedBy(routerCodecs, codec));
  }
  for (const rtx of params.codecs.filter(isRtx)) {
    byPayloadType.set(rtx.payloadType, rtxAcceptedBy(routerCodecs, rtx, params.codecs, byPayloadType));
  }
  const ssrc = randomSsrc();
  return {
    codecs: [...byPayloadType].map(([payloadType, codec]) => ({ payloadType, mappedPayloadType: codec.preferredPayloadType })),
    encodings: (params.encodings ?? []).map((encoding, i) => ({ ssrc: encoding.ssrc, rid: encoding.rid, mappedSsrc: ssrc + i })),
  };
}

function acceptedBy(routerCodecs: RtpCodecCapability[], codec: RtpCodecParameters): RtpCodecCapability {
  const accepted = routerCodecs.find((candidate) => isSameFormat(codec, candidate));
  if (!accepted) throw new UnsupportedError(`the router has no ${codec.mimeType} as payload type ${codec.payloadType} asks for`);
  if (codec.mimeType.toLowerCase() === "video/h264") answerH264(codec, accepted);
  return accepted;
}

function answerH264(codec: RtpCodecParameters, router: RtpCodecCapability): void {
  const parameters = (codec.parameters ??= {});
  const answer = h264Answer(parameters, router.parameters ?? {});
  if (answer) parameters["profile-level-id"] = answer;
  else delete parameters["profile-level-id"];
}

function rtxAcceptedBy(
  routerCodecs: RtpCodecCapability[],
  rtx: RtpCodecParameters,
  codecs: RtpCodecParameters[],
  accepted: Map<number, RtpCodecCapability>,
): RtpCodecCapability {
  const media = codecs.find((codec) => codec.payloadType === rtx.parameters?.apt);
  const mediaAccepted = media && accepted.get(media.payloadType);
  if (!mediaAccepted) throw new TypeError(`the RTX codec with payload type ${rtx.payloadType} belongs to no codec`);
  const rtxAccepted = rtxFor(routerCodecs, mediaAccepted.preferredPayloadType);
  if (!rtxAccepted) throw new UnsupportedError(`the router has no RTX for payload type ${media.payloadType}`);
  return rtxAccepted;
}

function rtxFor(routerCodecs: RtpCodecCapability[], payloadType: number): RtpCodecCapability | undefined {
  return routerCodecs.find((codec) => isRtx(codec) && codec.parameters?.apt === payloadType);
}

/** A producer's streams in the numbers of its router, from which those of each consumer are made. */
export function getConsumableRtpParameters(
  kind: string,
  params: RtpParameters,
  caps: RtpCapabilities,
  rtpMapping: RtpCodecsEncodingsMapping,
): RtpParameters {
  return {
    codecs: params.codecs.flatMap((codec) => consumableCodecs(codec, caps.codecs ?? [], rtpMapping)),
    headerExtensions: (caps.headerExtensions ?? [])
      .filter((extension) => extension.kind === kind && isConsumable(extension, params.headerExtensions ?? []))
      .map(({ uri, preferredId, preferredEncrypt }) => ({ uri, id: preferredId, encrypt: preferredEncrypt ?? false, parameters: {} })),
    encodings: (params.encodings ?? []).map((encoding, i) => consumableEncoding(encoding, rtpMapping.encodings[i]?.mappedSsrc)),
    rtcp: { cname: params.rtcp?.cname, reducedSize: true },
    msid: params.msid,
  };
}

/** The codec and, whether the producer sends it or not, its RTX: each consumer's retransmissions are the server's own. */
function consumableCodecs(codec: RtpCodecParameters, routerCodecs: RtpCodecCapability[], mapping: RtpCodecsEncodingsMapping): RtpCodecParameters[] {
  if (isRtx(codec)) return [];
  const mapped = mapping.codecs.find((entry) => entry.payloadType === codec.payloadType)?.mappedPayloadType;
  const router = routerCodecs.find((candidate) => candidate.preferredPayloadType === mapped);
  if (!router) return [];
  const rtx = rtxFor(routerCodecs, router.preferredPayloadType);
  return [inUse(router, codec.parameters), ...(rtx ? [inUse(rtx, rtx.parameters)] : [])];
}

function inUse(router: RtpCodecCapability, parameters: Record<string, unknown> = {}): RtpCodecParameters {
  const { mimeType, preferredPayloadType, clockRate, channels, rtcpFeedback } = router;
  return clone({
    mimeType,
    payloadType: preferredPayloadType,
    clockRate,
    ...(channels === undefined ? {} : { channels }),
    parameters,
    rtcpFeedback: rtcpFeedback ?? [],
  });
}

/** Extensions that are forwarded from the producer's packets, so that without it a receiver would wait for them in vain. */
const FORWARDED = [
  "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
];

function isConsumable({ uri, direction }: RtpHeaderExtension, sent: RtpHeaderExtensionParameters[]): boolean {
  if (direction !== "sendrecv" && direction !== "sendonly") return false;
  return !FORWARDED.includes(uri) || sent.some((extension) => extension.uri === uri);
}

/** Without what only the producer's transport needs to know. */
function consumableEncoding({ rid: _, rtx: __, codecPayloadType: ___, ...rest }: RtpEncodingParameters, ssrc: number | undefined): RtpEncodingParameters {
  return { ...rest, ssrc };
}
