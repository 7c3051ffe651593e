import type { RouterRtpCapabilities, RtpCapabilities, RtpParameters } from "../rtpParameters";
import type { SctpStreamParameters } from "../sctpParameters";
import { list, object, optional, parameters, requireNumber, requireText } from "./fields";
import { kindOf } from "./mime";

/** Checks capabilities and completes them in place. Throws a TypeError. */
export function validateAndNormalizeRtpCapabilities(caps: RtpCapabilities | RouterRtpCapabilities): void {
  const all = object(caps, "rtpCapabilities");
  list(all, "codecs", "rtpCapabilities").forEach((codec, i) => checkCodecCapability(codec, `rtpCapabilities.codecs[${i}]`));
  list(all, "headerExtensions", "rtpCapabilities").forEach((extension, i) =>
    checkExtensionCapability(extension, `rtpCapabilities.headerExtensions[${i}]`),
  );
}

/** Checks one codec of capabilities and completes it in place. */
export function checkCodecCapability(value: unknown, path: string): void {
  const codec = object(value, path);
  checkCodec(codec, path);
  codec.kind = kindOf(codec.mimeType as string);
  optional(codec, "preferredPayloadType", "number", path);
}

/** What capabilities and parameters of codecs have in common. */
function checkCodec(codec: Record<string, unknown>, path: string): void {
  requireText(codec, "mimeType", path);
  const kind = kindOf(codec.mimeType as string);
  if (!kind) throw new TypeError(`${path}.mimeType must begin with audio/ or video/`);
  requireNumber(codec, "clockRate", path);
  if (kind === "video") delete codec.channels;
  else if (typeof codec.channels !== "number") codec.channels = 1;
  parameters(codec, path);
  const { apt = 0 } = codec.parameters as { apt?: unknown };
  if (typeof apt !== "number") throw new TypeError(`${path}.parameters.apt must be a number`);
  if (!Array.isArray(codec.rtcpFeedback)) codec.rtcpFeedback = [];
  (codec.rtcpFeedback as unknown[]).forEach((feedback, i) => checkFeedback(feedback, `${path}.rtcpFeedback[${i}]`));
}

function checkFeedback(value: unknown, path: string): void {
  const feedback = object(value, path);
  requireText(feedback, "type", path);
  if (typeof feedback.parameter !== "string") feedback.parameter = "";
}

function checkExtensionCapability(value: unknown, path: string): void {
  const extension = object(value, path);
  if (extension.kind !== "audio" && extension.kind !== "video") throw new TypeError(`${path}.kind must be audio or video`);
  requireText(extension, "uri", path);
  requireNumber(extension, "preferredId", path);
  optional(extension, "preferredEncrypt", "boolean", path);
  extension.preferredEncrypt ||= false;
  optional(extension, "direction", "string", path);
  extension.direction ||= "sendrecv";
}

/** Checks what a sender announces and completes it in place. Throws a TypeError. */
export function validateAndNormalizeRtpParameters(params: RtpParameters): void {
  const path = "rtpParameters";
  const all = object(params, path);
  optional(all, "mid", "string", path);
  if (!Array.isArray(all.codecs)) throw new TypeError(`${path}.codecs is missing or not an array`);
  all.codecs.forEach((codec, i) => checkCodecParameters(codec, `${path}.codecs[${i}]`));
  list(all, "headerExtensions", path).forEach((extension, i) => checkExtension(extension, `${path}.headerExtensions[${i}]`));
  list(all, "encodings", path).forEach((encoding, i) => checkEncoding(encoding, `${path}.encodings[${i}]`));
  optional(all, "rtcp", "object", path);
  all.rtcp ||= {};
  checkRtcp(object(all.rtcp, `${path}.rtcp`), `${path}.rtcp`);
  optional(all, "msid", "string", path);
}

function checkCodecParameters(value: unknown, path: string): void {
  const codec = object(value, path);
  checkCodec(codec, path);
  requireNumber(codec, "payloadType", path);
}

function checkExtension(value: unknown, path: string): void {
  const extension = object(value, path);
  requireText(extension, "uri", path);
  requireNumber(extension, "id", path);
  optional(extension, "encrypt", "boolean", path);
  extension.encrypt ||= false;
  parameters(extension, path);
}

function checkEncoding(value: unknown, path: string): void {
  const encoding = object(value, path);
  optional(encoding, "ssrc", "number", path);
  optional(encoding, "rid", "string", path);
  optional(encoding, "rtx", "object", path);
  if (encoding.rtx) requireNumber(object(encoding.rtx, `${path}.rtx`), "ssrc", `${path}.rtx`);
  if (typeof encoding.dtx !== "boolean") encoding.dtx = false;
  optional(encoding, "scalabilityMode", "string", path);
}

function checkRtcp(rtcp: Record<string, unknown>, path: string): void {
  optional(rtcp, "cname", "string", path);
  rtcp.reducedSize = true; // All that is supported.
}

/** Checks how an SCTP stream is to be delivered and completes it in place. Throws a TypeError. */
export function validateAndNormalizeSctpStreamParameters(params: SctpStreamParameters): void {
  const path = "sctpStreamParameters";
  const stream = object(params, path);
  requireNumber(stream, "streamId", path);
  optional(stream, "maxPacketLifeTime", "number", path);
  optional(stream, "maxRetransmits", "number", path);
  const limits = ["maxPacketLifeTime", "maxRetransmits"].filter((name) => stream[name]);
  if (limits.length === 2) throw new TypeError(`${path} cannot have both maxPacketLifeTime and maxRetransmits`);
  if (typeof stream.ordered !== "boolean") stream.ordered = limits.length === 0;
  else if (stream.ordered && limits.length > 0) throw new TypeError(`${path} cannot be ordered and have ${limits[0]}`);
}
