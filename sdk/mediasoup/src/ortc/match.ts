import { isSameH264Profile } from "./h264";

/** What two codecs are compared by, capabilities or in use. They have to be validated. */
export interface Format {
  mimeType: string;
  clockRate: number;
  channels?: number;
  parameters?: Record<string, unknown>;
}

/** The same codec, profiles aside. */
export function isSameCodec(a: Format, b: Format): boolean {
  const mimeType = a.mimeType.toLowerCase();
  if (mimeType !== b.mimeType.toLowerCase() || a.clockRate !== b.clockRate || a.channels !== b.channels) return false;
  if (mimeType !== "audio/multiopus") return true;
  return ["num_streams", "coupled_streams"].every((name) => a.parameters?.[name] === b.parameters?.[name]);
}

/** The same codec and profile, so that who decodes one decodes the other. */
export function isSameFormat(a: Format, b: Format): boolean {
  if (!isSameCodec(a, b)) return false;
  const [left, right] = [a.parameters ?? {}, b.parameters ?? {}];
  const same = (name: string, byDefault: unknown) => (left[name] || byDefault) === (right[name] || byDefault);
  switch (a.mimeType.toLowerCase()) {
    case "video/h264":
      return same("packetization-mode", 0) && isSameH264Profile(left, right);
    case "video/h265": // RFC 7798 §7.1; levels may differ.
      return same("profile-id", 1) && same("tier-flag", 0) && same("tx-mode", "SRST");
    case "video/vp9":
      return same("profile-id", 0);
    default: // AV1 has profiles too, which mediasoup does not tell apart.
      return true;
  }
}
