package ortc

import "strings"

// format is what two codecs are compared by, whichever type holds them.
type format struct {
	mimeType   string
	clockHz    uint32
	channels   uint8
	parameters CodecParameters
}

func (c *RTPCodecCapability) format() format {
	return format{c.MimeType, c.ClockRate, channels(c.MimeType, c.Channels), c.Parameters}
}

func (c *RTPCodecParameters) format() format {
	return format{c.MimeType, c.ClockRate, channels(c.MimeType, c.Channels), c.Parameters}
}

// channels completes a number of channels: audio has at least one, video none.
func channels(mimeType string, n uint8) uint8 {
	if kindOf(mimeType) != Audio {
		return 0
	}
	return max(n, 1)
}

// sameCodec reports whether a and b are the same codec without regard to
// profiles.
func sameCodec(a, b format) bool {
	if a.clockHz != b.clockHz || a.channels != b.channels || !strings.EqualFold(a.mimeType, b.mimeType) {
		return false
	}
	if strings.EqualFold(a.mimeType, "audio/multiopus") {
		return sameValue(a.parameters["num_streams"], b.parameters["num_streams"]) &&
			sameValue(a.parameters["coupled_streams"], b.parameters["coupled_streams"])
	}
	return true
}

// sameFormat reports whether a and b are the same codec with the same profile,
// so that who decodes one decodes the other. AV1 has profiles too, but mediasoup
// does not tell them apart.
func sameFormat(a, b format) bool {
	if !sameCodec(a, b) {
		return false
	}
	switch {
	case isH264(a.mimeType):
		return sameOrUnset(a.parameters, b.parameters, "packetization-mode") &&
			sameH264Profile(a.parameters, b.parameters)
	case isH265(a.mimeType):
		return sameH265Profile(a.parameters, b.parameters)
	case strings.EqualFold(a.mimeType, "video/VP9"):
		return sameOrUnset(a.parameters, b.parameters, "profile-id")
	}
	return true
}

// sameH265Profile reports whether both sides use the same profile, tier and way
// of sending, by the defaults of RFC 7798 §7.1: Main, Main and single stream.
// Levels may differ: browsers name the highest that they decode.
func sameH265Profile(a, b CodecParameters) bool {
	return sameOrDefault(a, b, "profile-id", 1.0) &&
		sameOrUnset(a, b, "tier-flag") &&
		sameOrDefault(a, b, "tx-mode", "SRST")
}

// sameOrUnset reports whether a parameter is the same on both sides, where none
// is 0.
func sameOrUnset(a, b CodecParameters, name string) bool {
	return sameOrDefault(a, b, name, 0.0)
}

// sameOrDefault reports whether a parameter is the same on both sides, where
// none is the default.
func sameOrDefault(a, b CodecParameters, name string, byDefault any) bool {
	va, vb := a[name], b[name]
	if empty(va) {
		va = byDefault
	}
	if empty(vb) {
		vb = byDefault
	}
	return sameValue(va, vb)
}

// sameValue compares two parameters: numbers by value, all else exactly.
func sameValue(a, b any) bool {
	na, numA := number(a)
	nb, numB := number(b)
	if numA || numB {
		return numA && numB && na == nb
	}
	sa, textA := a.(string)
	sb, textB := b.(string)
	return textA == textB && sa == sb
}
