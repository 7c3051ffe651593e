import type { MediaKind } from "../rtpParameters";

/** The kind that a codec's MIME type says, or undefined if it says none. */
export function kindOf(mimeType: string): MediaKind | undefined {
  const [, kind] = /^(audio|video)\/./i.exec(mimeType) ?? [];
  return kind?.toLowerCase() as MediaKind | undefined;
}

/** The codec carries retransmissions of another (RFC 4588). */
export function isRtx(codec: { mimeType: string }): boolean {
  return /.\/rtx$/i.test(codec.mimeType);
}
