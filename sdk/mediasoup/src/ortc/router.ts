import { clone } from "../clone";
import { InvalidStateError, UnsupportedError } from "../errors";
import type { RouterRtpCodecCapability, RtpCapabilities, RtpCodecCapability } from "../rtpParameters";
import { supportedRtpCapabilities } from "../supportedRtpCapabilities";
import { isSameCodec } from "./match";
import { checkCodecCapability, validateAndNormalizeRtpCapabilities } from "./validate";

/**
 * The capabilities of a router that is made with these codecs: each as it is supported, with the given parameters
 * added, and an RTX codec for each of video. Codecs without a payload type get 100 to 127, then 96 to 99.
 * It completes the codecs in place.
 */
export function generateRouterRtpCapabilities(mediaCodecs: RouterRtpCodecCapability[] = []): RtpCapabilities {
  if (!Array.isArray(mediaCodecs)) throw new TypeError("mediaCodecs must be an array");
  const supported = supportedRtpCapabilities();
  validateAndNormalizeRtpCapabilities(supported);
  const codecs: RtpCodecCapability[] = [];
  const free = new PayloadTypes();
  mediaCodecs.forEach((asked, i) => {
    checkCodecCapability(asked, `mediaCodecs[${i}]`);
    const codec = supportedCodec(asked, supported.codecs ?? []);
    const preferredPayloadType = codec.preferredPayloadType ?? free.next();
    free.take(preferredPayloadType);
    if (codecs.some((other) => other.preferredPayloadType === preferredPayloadType)) {
      throw new TypeError(`mediaCodecs[${i}].preferredPayloadType ${preferredPayloadType} is taken`);
    }
    codecs.push({ ...codec, preferredPayloadType });
    if (codec.kind === "video") codecs.push(rtxOf(preferredPayloadType, codec.clockRate, free.next()));
  });
  return { codecs, headerExtensions: supported.headerExtensions };
}

/** The supported codec that is asked for, with the payload type and the parameters that are asked for. */
function supportedCodec(asked: RouterRtpCodecCapability, supported: RouterRtpCodecCapability[]): RouterRtpCodecCapability {
  const codec = supported.find((candidate) => isSameCodec(asked, candidate));
  if (!codec) throw new UnsupportedError(`${asked.mimeType} with this clock rate, channels and parameters is not supported`);
  return {
    ...clone(codec),
    preferredPayloadType: asked.preferredPayloadType ?? codec.preferredPayloadType,
    parameters: { ...codec.parameters, ...asked.parameters },
  };
}

function rtxOf(apt: number, clockRate: number, preferredPayloadType: number): RtpCodecCapability {
  return { kind: "video", mimeType: "video/rtx", preferredPayloadType, clockRate, parameters: { apt }, rtcpFeedback: [] };
}

/** Hands out the dynamic payload types (RFC 3551 §6). */
class PayloadTypes {
  #free = [...range(100, 127), ...range(96, 99)];

  next(): number {
    const payloadType = this.#free.shift();
    if (payloadType === undefined) throw new InvalidStateError("cannot allocate a payload type: all dynamic ones are taken");
    return payloadType;
  }

  take(payloadType: number): void {
    this.#free = this.#free.filter((free) => free !== payloadType);
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
