package rtp

import "encoding/binary"

// XR block types.
const (
	XRBlockRRTR = 4 // receiver reference time, RFC 3611 §4.4
	XRBlockDLRR = 5 // delay since last RRTR, RFC 3611 §4.5
)

const dlrrReportSize = 12

// XRBlock is one report block of an XR packet, by reference.
type XRBlock struct {
	Type uint8
	Body []byte // after the four-byte header of the block
}

// XRReader walks the report blocks of an XR packet (RFC 3611 §3).
type XRReader struct{ rest []byte }

// XRBlocks returns a reader of the blocks of p; one without blocks if p is not
// an XR packet.
func (p RTCPPacket) XRBlocks() XRReader {
	if p.Type != TypeXR || len(p.Body) < 4 {
		return XRReader{}
	}
	return XRReader{rest: p.Body[4:]}
}

// Next reads the next block into x and reports whether there was one. A block
// that is cut off ends the walk.
func (r *XRReader) Next(x *XRBlock) bool {
	b := r.rest
	if len(b) < 4 {
		return false
	}
	size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
	if size > len(b) {
		r.rest = nil
		return false
	}
	x.Type, x.Body = b[0], b[4:size:size]
	r.rest = b[size:]
	return true
}

// RRTR returns the time of a receiver reference time block: when its sender
// sent it.
func (x XRBlock) RRTR() (NTPTime, bool) {
	if x.Type != XRBlockRRTR || len(x.Body) < 8 {
		return 0, false
	}
	return NTPTime(binary.BigEndian.Uint64(x.Body)), true
}

// DLRRReport answers an RRTR, so that a receiver that sends no media learns
// the round-trip time (RFC 3611 §4.5).
type DLRRReport struct {
	SSRC   uint32 // of who sent the RRTR
	LastRR uint32 // Mid32 of it
	Delay  uint32 // since it arrived, in 2⁻¹⁶ seconds
}

// DLRR returns sub-block i of a DLRR block.
func (x XRBlock) DLRR(i int) (DLRRReport, bool) {
	offset := dlrrReportSize * i
	if x.Type != XRBlockDLRR || i < 0 || len(x.Body) < offset+dlrrReportSize {
		return DLRRReport{}, false
	}
	b := x.Body[offset:]
	return DLRRReport{
		SSRC:   binary.BigEndian.Uint32(b),
		LastRR: binary.BigEndian.Uint32(b[4:]),
		Delay:  binary.BigEndian.Uint32(b[8:]),
	}, true
}

// AppendXRRRTR appends an XR packet with a receiver reference time block.
func AppendXRRRTR(dst []byte, sender uint32, now NTPTime) []byte {
	start := len(dst)
	dst = AppendRTCPHeader(dst, TypeXR, 0)
	dst = binary.BigEndian.AppendUint32(dst, sender)
	dst = append(dst, XRBlockRRTR, 0, 0, 2)
	dst = binary.BigEndian.AppendUint64(dst, uint64(now))
	PatchRTCPLength(dst, start)
	return dst
}

// AppendXRDLRR appends an XR packet with a DLRR block; nothing for no reports.
func AppendXRDLRR(dst []byte, sender uint32, reports []DLRRReport) []byte {
	if len(reports) == 0 {
		return dst
	}
	start := len(dst)
	dst = AppendRTCPHeader(dst, TypeXR, 0)
	dst = binary.BigEndian.AppendUint32(dst, sender)
	dst = append(dst, XRBlockDLRR, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(3*len(reports)))
	for _, r := range reports {
		dst = binary.BigEndian.AppendUint32(dst, r.SSRC)
		dst = binary.BigEndian.AppendUint32(dst, r.LastRR)
		dst = binary.BigEndian.AppendUint32(dst, r.Delay)
	}
	PatchRTCPLength(dst, start)
	return dst
}
