package rtp

import "encoding/binary"

const (
	feedbackHeaderSize = 8 // sender and media SSRC
	firEntrySize       = 8
	rembIdentifier     = 0x52454D42 // "REMB"
)

// FeedbackSSRCs returns who sent a feedback packet and the stream it is about
// (RFC 4585 §6.1).
func (p RTCPPacket) FeedbackSSRCs() (sender, media uint32, ok bool) {
	if p.Type != TypeRTPFB && p.Type != TypePSFB || len(p.Body) < feedbackHeaderSize {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(p.Body), binary.BigEndian.Uint32(p.Body[4:]), true
}

func (p RTCPPacket) isFeedback(packetType, format uint8) bool {
	return p.Type == packetType && p.Count == format && len(p.Body) >= feedbackHeaderSize
}

// IsPLI reports whether p asks for a keyframe by a picture loss indication.
func (p RTCPPacket) IsPLI() bool { return p.isFeedback(TypePSFB, FormatPLI) }

// NackPair returns entry i of a NACK: a lost sequence number, and a bit mask
// of which of the 16 after it are lost too, the lowest bit for the next
// (RFC 4585 §6.2.1).
func (p RTCPPacket) NackPair(i int) (pid, blp uint16, ok bool) {
	if !p.isFeedback(TypeRTPFB, FormatNACK) || i < 0 {
		return 0, 0, false
	}
	w, ok := p.word(feedbackHeaderSize + 4*i)
	return uint16(w >> 16), uint16(w), ok
}

// FIREntry returns entry i of a full intra request: the stream that a keyframe
// is asked of and the number of the request, which is the same when the
// request is repeated (RFC 5104 §4.3.1).
func (p RTCPPacket) FIREntry(i int) (ssrc uint32, seq uint8, ok bool) {
	offset := feedbackHeaderSize + firEntrySize*i
	if !p.isFeedback(TypePSFB, FormatFIR) || i < 0 || len(p.Body) < offset+firEntrySize {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(p.Body[offset:]), p.Body[offset+4], true
}

// REMB is a receiver's estimate of what can be sent to it
// (draft-alvestrand-rmcat-remb-03 §2.2).
type REMB struct {
	Bitrate uint64 // bits per second
	ssrcs   []byte
}

// ParseREMB reads a REMB message. A bitrate beyond 64 bits comes out as the
// largest value.
//
//	|  'R'  'E'  'M'  'B'                                           |
//	|  number SSRC  | exponent (6)  |  mantissa (18)                |
//	|  SSRC × number …                                              |
func ParseREMB(p RTCPPacket) (REMB, bool) {
	const size = feedbackHeaderSize + 8
	if !p.isFeedback(TypePSFB, FormatAFB) || len(p.Body) < size {
		return REMB{}, false
	}
	b := p.Body[feedbackHeaderSize:]
	if binary.BigEndian.Uint32(b) != rembIdentifier {
		return REMB{}, false
	}
	count := int(b[4])
	if len(b) < 8+4*count {
		return REMB{}, false
	}
	w := binary.BigEndian.Uint32(b[4:])
	exponent, mantissa := w>>18&0x3F, uint64(w&0x3FFFF)
	bitrate := mantissa << exponent
	if bitrate>>exponent != mantissa {
		bitrate = 1<<64 - 1
	}
	return REMB{Bitrate: bitrate, ssrcs: b[8 : 8+4*count]}, true
}

// SSRC returns the stream i that the estimate is for.
func (r REMB) SSRC(i int) (uint32, bool) {
	if i < 0 || 4*i >= len(r.ssrcs) {
		return 0, false
	}
	return binary.BigEndian.Uint32(r.ssrcs[4*i:]), true
}

// AppendFeedbackHeader begins a feedback packet. PatchRTCPLength ends it.
func AppendFeedbackHeader(dst []byte, packetType, format uint8, sender, media uint32) []byte {
	dst = AppendRTCPHeader(dst, packetType, format)
	dst = binary.BigEndian.AppendUint32(dst, sender)
	return binary.BigEndian.AppendUint32(dst, media)
}

// AppendNACK appends a NACK for seqs, which must be in ascending order on the
// circle of sequence numbers. Neighbours share an entry of four bytes, so the
// packet takes 12 bytes and at most 4 for each of seqs. Nothing is appended
// for none.
func AppendNACK(dst []byte, sender, media uint32, seqs []uint16) []byte {
	if len(seqs) == 0 {
		return dst
	}
	start := len(dst)
	dst = AppendFeedbackHeader(dst, TypeRTPFB, FormatNACK, sender, media)
	for i := 0; i < len(seqs); {
		pid, blp := seqs[i], uint16(0)
		for i++; i < len(seqs) && seqs[i]-pid <= 16; i++ {
			if seqs[i] != pid {
				blp |= 1 << (seqs[i] - pid - 1)
			}
		}
		dst = binary.BigEndian.AppendUint16(dst, pid)
		dst = binary.BigEndian.AppendUint16(dst, blp)
	}
	PatchRTCPLength(dst, start)
	return dst
}

// AppendPLI appends a picture loss indication for the stream media.
func AppendPLI(dst []byte, sender, media uint32) []byte {
	start := len(dst)
	dst = AppendFeedbackHeader(dst, TypePSFB, FormatPLI, sender, media)
	PatchRTCPLength(dst, start)
	return dst
}

// AppendFIR appends a full intra request to the stream media; seq counts the
// requests to that stream. The media SSRC of the packet itself is not used and
// zero (RFC 5104 §4.3.1.2).
func AppendFIR(dst []byte, sender, media uint32, seq uint8) []byte {
	start := len(dst)
	dst = AppendFeedbackHeader(dst, TypePSFB, FormatFIR, sender, 0)
	dst = binary.BigEndian.AppendUint32(dst, media)
	dst = append(dst, seq, 0, 0, 0)
	PatchRTCPLength(dst, start)
	return dst
}

// AppendREMB appends a REMB message of bitrate bits per second, rounded down
// to the 18 significant bits of the format, for at most 255 streams.
func AppendREMB(dst []byte, sender uint32, bitrate uint64, ssrcs []uint32) []byte {
	start := len(dst)
	exponent := uint32(0)
	for bitrate > 0x3FFFF {
		bitrate >>= 1
		exponent++
	}
	ssrcs = ssrcs[:min(len(ssrcs), 255)]
	dst = AppendFeedbackHeader(dst, TypePSFB, FormatAFB, sender, 0)
	dst = binary.BigEndian.AppendUint32(dst, rembIdentifier)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(ssrcs))<<24|exponent<<18|uint32(bitrate))
	for _, ssrc := range ssrcs {
		dst = binary.BigEndian.AppendUint32(dst, ssrc)
	}
	PatchRTCPLength(dst, start)
	return dst
}
