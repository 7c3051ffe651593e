import { clone } from "../clone";
import { UnsupportedError } from "../errors";
import type { RtcpFeedback, RtpCapabilities, RtpCodecParameters, RtpEncodingParameters, RtpHeaderExtensionParameters, RtpParameters } from "../rtpParameters";
import { parseScalabilityMode } from "../scalabilityModes";
import { supportedRtpCapabilities } from "../supportedRtpCapabilities";
import { isSameFormat } from "./match";
import { isRtx } from "./mime";
import { randomSsrc } from "./producer";
import { checkCodecCapability, validateAndNormalizeRtpCapabilities } from "./validate";

const MID = "urn:ietf:params:rtp-hdrext:sdes:mid";
const ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
const TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const DEPENDENCY_DESCRIPTOR = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/** Whether a receiver with these capabilities, which are completed in place, understands one of the media codecs. */
export function canConsume(consumableParams: RtpParameters, caps: RtpCapabilities): boolean {
  validateAndNormalizeRtpCapabilities(caps);
  const first = consumableParams.codecs.find((codec) => caps.codecs?.some((capability) => isSameFormat(capability, codec)));
  return first !== undefined && !isRtx(first); // RTX comes after its codec.
}

/**
 * The streams that a receiver gets of a producer: the codecs, header extensions and feedback that both know, fresh
 * SSRCs and, unless it is a pipe, one encoding that stands for all of the producer's.
 */
export function getConsumerRtpParameters({
  consumableRtpParameters: consumable,
  remoteRtpCapabilities: remote,
  pipe,
  enableRtx,
}: {
  consumableRtpParameters: RtpParameters;
  remoteRtpCapabilities: RtpCapabilities;
  pipe: boolean;
  enableRtx: boolean;
}): RtpParameters {
  const codecs = understoodCodecs(consumable.codecs, remote, enableRtx);
  if (codecs.length === 0 || isRtx(codecs[0]!)) throw new UnsupportedError("the receiver understands none of the producer's codecs");
  const headerExtensions = (consumable.headerExtensions ?? []).filter((extension) =>
    remote.headerExtensions?.some(({ preferredId, uri }) => preferredId === extension.id && uri === extension.uri),
  );
  const encodings = consumable.encodings ?? [];
  const hasRtx = codecs.some(isRtx);
  return clone({
    codecs: reduceFeedback(codecs, headerExtensions),
    headerExtensions,
    encodings: pipe ? pipeEncodings(encodings, hasRtx) : [consumerEncoding(encodings, hasRtx)],
    rtcp: consumable.rtcp,
    msid: consumable.msid,
  });
}

/** The codecs that the receiver understands, with the feedback that it wants, and their RTX codecs. */
function understoodCodecs(codecs: RtpCodecParameters[], remote: RtpCapabilities, enableRtx: boolean): RtpCodecParameters[] {
  const capabilities = remote.codecs ?? [];
  capabilities.forEach((codec, i) => checkCodecCapability(codec, `remoteRtpCapabilities.codecs[${i}]`));
  const understood: RtpCodecParameters[] = [];
  for (const codec of codecs) {
    const match = capabilities.find((capability) => isSameFormat(capability, codec));
    // An RTX codec comes after its codec of media.
    const wanted = !isRtx(codec) || (enableRtx && understood.some((media) => media.payloadType === codec.parameters?.apt));
    if (!match || !wanted) continue;
    understood.push({ ...codec, rtcpFeedback: (match.rtcpFeedback ?? []).filter((feedback) => enableRtx || !isNack(feedback)) });
  }
  return understood;
}

/** It asks for packets again, rather than for a keyframe. */
function isNack({ type, parameter }: RtcpFeedback): boolean {
  return type === "nack" && !parameter;
}

/** Leaves one way of estimating the bandwidth, by the extension that is in use for it. */
function reduceFeedback(codecs: RtpCodecParameters[], extensions: RtpHeaderExtensionParameters[]): RtpCodecParameters[] {
  const uses = (uri: string) => extensions.some((extension) => extension.uri === uri);
  const transportCc = uses(TRANSPORT_CC);
  const remb = !transportCc && uses(ABS_SEND_TIME);
  return codecs.map((codec) => ({
    ...codec,
    rtcpFeedback: codec.rtcpFeedback?.filter(({ type }) => (type !== "transport-cc" || transportCc) && (type !== "goog-remb" || remb)),
  }));
}

/** The one stream into which those of the producer are made. */
function consumerEncoding(encodings: RtpEncodingParameters[], hasRtx: boolean): RtpEncodingParameters {
  const ssrc = randomSsrc();
  const maxBitrate = Math.max(0, ...encodings.map((encoding) => encoding.maxBitrate ?? 0));
  let scalabilityMode = encodings.find((encoding) => encoding.scalabilityMode)?.scalabilityMode;
  if (encodings.length > 1) {
    // To its receiver each stream of a simulcast is a spatial layer.
    scalabilityMode = `L${encodings.length}T${parseScalabilityMode(scalabilityMode).temporalLayers}`;
  }
  return {
    ssrc,
    ...(hasRtx ? { rtx: { ssrc: ssrc + 1 } } : {}),
    ...(scalabilityMode ? { scalabilityMode } : {}),
    ...(maxBitrate ? { maxBitrate } : {}),
  };
}

/** Each encoding with SSRCs of its own: those of the streams in sequence, and those of their RTX streams. */
function pipeEncodings(encodings: RtpEncodingParameters[], hasRtx: boolean): RtpEncodingParameters[] {
  const [ssrc, rtxSsrc] = [randomSsrc(), randomSsrc() + 1_000_000_000];
  return encodings.map(({ rtx: _, ...encoding }, i) => ({
    ...encoding,
    ssrc: ssrc + i,
    ...(hasRtx ? { rtx: { ssrc: rtxSsrc + i } } : {}),
  }));
}

/** The streams of a producer as they go to another router: all encodings, and nothing that belongs to one transport only. */
export function getPipeConsumerRtpParameters({
  consumableRtpParameters: consumable,
  enableRtx,
}: {
  consumableRtpParameters: RtpParameters;
  enableRtx: boolean;
}): RtpParameters {
  const codecs = consumable.codecs.filter((codec) => enableRtx || !isRtx(codec));
  return clone({
    codecs: codecs.map((codec) => ({ ...codec, rtcpFeedback: codec.rtcpFeedback?.filter((feedback) => isForPipe(feedback, enableRtx)) })),
    headerExtensions: pipeExtensions(consumable.headerExtensions ?? []),
    encodings: pipeEncodings(consumable.encodings ?? [], enableRtx),
    rtcp: consumable.rtcp,
    msid: consumable.msid,
  });
}

function isForPipe(feedback: RtcpFeedback, enableRtx: boolean): boolean {
  const { type, parameter } = feedback;
  return (type === "nack" && parameter === "pli") || (type === "ccm" && parameter === "fir") || (enableRtx && isNack(feedback));
}

/** Another router gets the dependency descriptor whether the producer sends it or not. */
function pipeExtensions(extensions: RtpHeaderExtensionParameters[]): RtpHeaderExtensionParameters[] {
  const kept = extensions.filter(({ uri }) => ![MID, ABS_SEND_TIME, TRANSPORT_CC].includes(uri));
  const descriptor = supportedRtpCapabilities().headerExtensions?.find(({ uri }) => uri === DEPENDENCY_DESCRIPTOR);
  if (descriptor && !kept.some(({ uri }) => uri === DEPENDENCY_DESCRIPTOR)) {
    kept.push({ uri: DEPENDENCY_DESCRIPTOR, id: descriptor.preferredId, encrypt: false, parameters: {} });
  }
  return kept.sort((a, b) => a.id - b.id);
}
