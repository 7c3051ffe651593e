package rtp

import (
	"encoding/binary"
	"errors"
)

// RTCP packet types, the second byte of a packet.
const (
	TypeSR    = 200 // sender report, RFC 3550 §6.4.1
	TypeRR    = 201 // receiver report, RFC 3550 §6.4.2
	TypeSDES  = 202 // source description, RFC 3550 §6.5
	TypeBYE   = 203 // goodbye, RFC 3550 §6.6
	TypeAPP   = 204 // application-defined, RFC 3550 §6.7
	TypeRTPFB = 205 // transport-layer feedback, RFC 4585 §6.2
	TypePSFB  = 206 // payload-specific feedback, RFC 4585 §6.3
	TypeXR    = 207 // extended report, RFC 3611 §2
)

// Feedback message types (FMT), which take the place of the count in RTPFB and
// PSFB packets.
const (
	FormatNACK        = 1  // RTPFB, RFC 4585 §6.2.1
	FormatTransportCC = 15 // RTPFB, draft-holmer-rmcat-transport-wide-cc-extensions-01
	FormatPLI         = 1  // PSFB, RFC 4585 §6.3.1
	FormatFIR         = 4  // PSFB, RFC 5104 §4.3.1
	FormatAFB         = 15 // PSFB, application layer feedback: REMB
)

// What can be wrong with a compound RTCP packet.
var (
	ErrRTCPShort   = errors.New("rtp: RTCP packet shorter than its header")
	ErrRTCPVersion = errors.New("rtp: RTCP version is not 2")
	ErrRTCPLength  = errors.New("rtp: RTCP length exceeds datagram")
	ErrRTCPPadding = errors.New("rtp: RTCP padding length exceeds packet or is zero")
)

const (
	rtcpHeaderSize = 4
	// maxCount is the largest number of blocks, sources or chunks that the
	// five bits of a packet's count can tell.
	maxCount = 31
)

// RTCPPacket is one packet of a compound, by reference. The methods that read
// from it return ok == false for packets of another type and for indexes and
// fields that are beyond its end.
type RTCPPacket struct {
	Type  uint8
	Count uint8  // number of blocks, sources or chunks; FMT in feedback
	Body  []byte // after the four-byte header, without padding
}

// RTCPReader walks the packets of a compound without allocating.
type RTCPReader struct {
	rest []byte
	err  error
}

// NewRTCPReader returns a reader of the decrypted datagram compound. A single
// packet is accepted as well (RFC 5506), whatever its type.
func NewRTCPReader(compound []byte) RTCPReader { return RTCPReader{rest: compound} }

// Next reads the next packet into p and reports whether there was one. It
// stops at the first malformed packet; Err then says what was wrong.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|V=2|P|  count  |     type      |  length in words, less one    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
func (r *RTCPReader) Next(p *RTCPPacket) bool {
	b := r.rest
	if len(b) == 0 || r.err != nil {
		return false
	}
	if len(b) < rtcpHeaderSize {
		return r.fail(ErrRTCPShort)
	}
	if b[0]>>6 != Version {
		return r.fail(ErrRTCPVersion)
	}
	size := rtcpHeaderSize + 4*int(binary.BigEndian.Uint16(b[2:]))
	if size > len(b) {
		return r.fail(ErrRTCPLength)
	}
	body := b[rtcpHeaderSize:size:size]
	if b[0]&0x20 != 0 {
		if len(body) == 0 {
			return r.fail(ErrRTCPPadding)
		}
		n := int(body[len(body)-1])
		if n == 0 || n > len(body) {
			return r.fail(ErrRTCPPadding)
		}
		body = body[:len(body)-n]
	}
	p.Type, p.Count, p.Body = b[1], b[0]&0x1F, body
	r.rest = b[size:]
	return true
}

func (r *RTCPReader) fail(err error) bool {
	r.rest, r.err = nil, err
	return false
}

// Err returns why Next stopped, nil if it was at the end.
func (r *RTCPReader) Err() error { return r.err }

// SenderSSRC returns the SSRC that a report, feedback or XR packet begins
// with: who sent it.
func (p RTCPPacket) SenderSSRC() (uint32, bool) { return p.word(0) }

// word returns the 32-bit word at a byte offset of the body.
func (p RTCPPacket) word(offset int) (uint32, bool) {
	if offset < 0 || len(p.Body) < offset+4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(p.Body[offset:]), true
}

// AppendRTCPHeader begins a packet: it appends the four-byte header with its
// length still to be filled in by PatchRTCPLength.
func AppendRTCPHeader(dst []byte, packetType, count uint8) []byte {
	return append(dst, Version<<6|count&0x1F, packetType, 0, 0)
}

// PatchRTCPLength fills in the length of the packet that begins at dst[start]
// and ends with dst; its size must be a multiple of four bytes.
func PatchRTCPLength(dst []byte, start int) {
	binary.BigEndian.PutUint16(dst[start+2:], uint16((len(dst)-start)/4-1))
}
