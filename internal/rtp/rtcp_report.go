package rtp

import "encoding/binary"

const (
	senderInfoSize  = 20 // after the SSRC
	reportBlockSize = 24
	itemCNAME       = 1 // SDES item, RFC 3550 §6.5.1
)

// SenderReport is the sender's part of a sender report (RFC 3550 §6.4.1).
type SenderReport struct {
	SSRC        uint32
	NTP         NTPTime
	RTPTime     uint32 // the same instant in the units of the stream
	PacketCount uint32 // since the start of the stream
	OctetCount  uint32 // of payload, since the start of the stream
}

// ReportBlock is how a receiver fares with one stream (RFC 3550 §6.4.1).
type ReportBlock struct {
	SSRC             uint32
	FractionLost     uint8  // of 256, since the previous report
	TotalLost        int32  // since the start; 24 bits on the wire, negative with duplicates
	HighestSeq       uint32 // extended with the number of cycles
	Jitter           uint32 // in the units of the stream
	LastSR           uint32 // Mid32 of the last sender report, 0 if none
	DelaySinceLastSR uint32 // in 2⁻¹⁶ seconds
}

// ParseSR reads the sender's part of a sender report.
func ParseSR(p RTCPPacket) (SenderReport, bool) {
	b := p.Body
	if p.Type != TypeSR || len(b) < 4+senderInfoSize {
		return SenderReport{}, false
	}
	return SenderReport{
		SSRC:        binary.BigEndian.Uint32(b),
		NTP:         NTPTime(binary.BigEndian.Uint64(b[4:])),
		RTPTime:     binary.BigEndian.Uint32(b[12:]),
		PacketCount: binary.BigEndian.Uint32(b[16:]),
		OctetCount:  binary.BigEndian.Uint32(b[20:]),
	}, true
}

// ReportBlock returns the block i of a sender or receiver report.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                             SSRC                              |
//	| fraction lost |             total lost (signed)               |
//	|                extended highest sequence number               |
//	|                            jitter                             |
//	|                            last SR                            |
//	|                     delay since last SR                       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
func (p RTCPPacket) ReportBlock(i int) (ReportBlock, bool) {
	offset := 4
	switch p.Type {
	case TypeRR:
	case TypeSR:
		offset += senderInfoSize
	default:
		return ReportBlock{}, false
	}
	if i < 0 || i >= int(p.Count) {
		return ReportBlock{}, false
	}
	offset += i * reportBlockSize
	if len(p.Body) < offset+reportBlockSize {
		return ReportBlock{}, false
	}
	b := p.Body[offset:]
	lost := binary.BigEndian.Uint32(b[4:])
	return ReportBlock{
		SSRC:             binary.BigEndian.Uint32(b),
		FractionLost:     uint8(lost >> 24),
		TotalLost:        int32(lost<<8) >> 8,
		HighestSeq:       binary.BigEndian.Uint32(b[8:]),
		Jitter:           binary.BigEndian.Uint32(b[12:]),
		LastSR:           binary.BigEndian.Uint32(b[16:]),
		DelaySinceLastSR: binary.BigEndian.Uint32(b[20:]),
	}, true
}

// ByeSSRC returns the source i of a BYE packet.
func (p RTCPPacket) ByeSSRC(i int) (uint32, bool) {
	if p.Type != TypeBYE || i < 0 || i >= int(p.Count) {
		return 0, false
	}
	return p.word(4 * i)
}

// AppendSR appends a sender report. Blocks beyond the 31 that one packet can
// hold follow in receiver reports of the same SSRC (RFC 3550 §6.4.1).
func AppendSR(dst []byte, sr SenderReport, blocks []ReportBlock) []byte {
	start := len(dst)
	n := min(len(blocks), maxCount)
	dst = AppendRTCPHeader(dst, TypeSR, uint8(n))
	dst = binary.BigEndian.AppendUint32(dst, sr.SSRC)
	dst = binary.BigEndian.AppendUint64(dst, uint64(sr.NTP))
	dst = binary.BigEndian.AppendUint32(dst, sr.RTPTime)
	dst = binary.BigEndian.AppendUint32(dst, sr.PacketCount)
	dst = binary.BigEndian.AppendUint32(dst, sr.OctetCount)
	dst = appendReportBlocks(dst, blocks[:n])
	PatchRTCPLength(dst, start)
	if n < len(blocks) {
		dst = AppendRR(dst, sr.SSRC, blocks[n:])
	}
	return dst
}

// AppendRR appends a receiver report, or as many as the blocks need; without
// blocks an empty one, with which a compound of feedback may begin.
func AppendRR(dst []byte, ssrc uint32, blocks []ReportBlock) []byte {
	for {
		start := len(dst)
		n := min(len(blocks), maxCount)
		dst = AppendRTCPHeader(dst, TypeRR, uint8(n))
		dst = binary.BigEndian.AppendUint32(dst, ssrc)
		dst = appendReportBlocks(dst, blocks[:n])
		PatchRTCPLength(dst, start)
		blocks = blocks[n:]
		if len(blocks) == 0 {
			return dst
		}
	}
}

func appendReportBlocks(dst []byte, blocks []ReportBlock) []byte {
	for i := range blocks {
		b := &blocks[i]
		const limit = 1 << 23
		lost := min(max(b.TotalLost, -limit), limit-1)
		dst = binary.BigEndian.AppendUint32(dst, b.SSRC)
		dst = binary.BigEndian.AppendUint32(dst, uint32(b.FractionLost)<<24|uint32(lost)&0xFFFFFF)
		dst = binary.BigEndian.AppendUint32(dst, b.HighestSeq)
		dst = binary.BigEndian.AppendUint32(dst, b.Jitter)
		dst = binary.BigEndian.AppendUint32(dst, b.LastSR)
		dst = binary.BigEndian.AppendUint32(dst, b.DelaySinceLastSR)
	}
	return dst
}

// AppendSDES appends a source description with one chunk: the CNAME of ssrc,
// cut after 255 bytes (RFC 3550 §6.5).
func AppendSDES(dst []byte, ssrc uint32, cname string) []byte {
	start := len(dst)
	cname = cname[:min(len(cname), 255)]
	dst = AppendRTCPHeader(dst, TypeSDES, 1)
	dst = binary.BigEndian.AppendUint32(dst, ssrc)
	dst = append(dst, itemCNAME, byte(len(cname)))
	dst = append(dst, cname...)
	// The list of items ends with at least one zero, on a word boundary.
	dst = append(dst, 0)
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, 0)
	}
	PatchRTCPLength(dst, start)
	return dst
}

// AppendBYE appends a BYE packet, or as many as the sources need; nothing for
// no source.
func AppendBYE(dst []byte, ssrcs []uint32) []byte {
	for len(ssrcs) > 0 {
		start := len(dst)
		n := min(len(ssrcs), maxCount)
		dst = AppendRTCPHeader(dst, TypeBYE, uint8(n))
		for _, ssrc := range ssrcs[:n] {
			dst = binary.BigEndian.AppendUint32(dst, ssrc)
		}
		PatchRTCPLength(dst, start)
		ssrcs = ssrcs[n:]
	}
	return dst
}
