package rtp

// Kind is what a datagram on a shared port holds, as far as its first bytes
// tell.
type Kind uint8

// The protocols that meet on a transport's port.
const (
	KindUnknown Kind = iota
	KindSTUN
	KindDTLS
	KindRTP
	KindRTCP
)

// String returns the protocol's name.
func (k Kind) String() string {
	switch k {
	case KindSTUN:
		return "STUN"
	case KindDTLS:
		return "DTLS"
	case KindRTP:
		return "RTP"
	case KindRTCP:
		return "RTCP"
	default:
		return "unknown"
	}
}

// Classify tells by the first byte what the datagram b is (RFC 7983 §7), and
// RTP from RTCP by the second (RFC 5761 §4). SRTP and SRTCP count as RTP and
// RTCP: both bytes are in the clear. The protocol's own parser still has to
// find b well-formed.
//
//	0…3 STUN · 16…19 ZRTP · 20…63 DTLS · 64…79 TURN channel · 128…191 RTP, RTCP
func Classify(b []byte) Kind {
	if len(b) < 2 {
		return KindUnknown
	}
	first := b[0]
	switch {
	case first >= 128 && first <= 191:
		if IsRTCP(b) {
			return KindRTCP
		}
		return KindRTP
	case first <= 3:
		return KindSTUN
	case first >= 20 && first <= 63:
		return KindDTLS
	default:
		return KindUnknown
	}
}

// IsRTCP tells RTCP from RTP when both share a port: RTCP packet types are
// 192 to 223, which are the RTP payload types 64 to 95 with the marker bit;
// those are not assigned to media on a shared port (RFC 5761 §4).
func IsRTCP(b []byte) bool {
	return len(b) >= 2 && b[1] >= 192 && b[1] <= 223
}
