package ortc

import "strings"

// splitMime returns the kind and the subtype of a codec's MIME type. ok is
// false for anything but audio and video, and for subtypes with characters that
// a media type cannot have (RFC 6838 §4.2).
func splitMime(mimeType string) (kind MediaKind, subtype string, ok bool) {
	top, subtype, found := strings.Cut(mimeType, "/")
	switch {
	case !found || subtype == "" || !isToken(subtype) || strings.Contains(subtype, "/"):
		return "", "", false
	case strings.EqualFold(top, string(Audio)):
		return Audio, subtype, true
	case strings.EqualFold(top, string(Video)):
		return Video, subtype, true
	}
	return "", "", false
}

// kindOf returns the kind of a MIME type, or "" if it has none.
func kindOf(mimeType string) MediaKind {
	kind, _, _ := splitMime(mimeType)
	return kind
}

// isRTX reports whether a codec carries retransmissions of another (RFC 4588).
func isRTX(mimeType string) bool {
	const suffix = "/rtx"
	return len(mimeType) > len(suffix) &&
		strings.EqualFold(mimeType[len(mimeType)-len(suffix):], suffix)
}

// isMedia reports whether a codec carries media of its own: not retransmissions,
// comfort noise (RFC 3389) or telephone events (RFC 4733).
func isMedia(mimeType string) bool {
	return !isRTX(mimeType) &&
		!strings.EqualFold(mimeType, "audio/CN") &&
		!strings.EqualFold(mimeType, "audio/telephone-event")
}

func isH264(mimeType string) bool { return strings.EqualFold(mimeType, "video/H264") }

func isH265(mimeType string) bool { return strings.EqualFold(mimeType, "video/H265") }
