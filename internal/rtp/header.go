package rtp

import (
	"encoding/binary"
	"errors"
)

// HeaderSize is the length of the fixed part of an RTP header in bytes.
const HeaderSize = 12

// Version is the only version of RTP and RTCP that exists on the wire,
// RFC 3550 §5.1.
const Version = 2

const (
	profileOneByte     = 0xBEDE // RFC 8285 §4.2
	profileTwoByte     = 0x1000 // RFC 8285 §4.3, the low four bits are "appbits"
	profileTwoByteMask = 0xFFF0
)

// What can be wrong with an RTP packet. The values are sentinels: they are
// returned bare, so that they can be compared and counted without allocating.
var (
	ErrShort     = errors.New("rtp: packet too short")
	ErrVersion   = errors.New("rtp: version is not 2")
	ErrExtension = errors.New("rtp: header extension exceeds packet")
	ErrPadding   = errors.New("rtp: padding length exceeds payload or is zero")
)

// Header is what a forwarder needs of an RTP header. It holds no pointers;
// the methods that read from the packet are given the packet again.
type Header struct {
	Marker       bool
	Padding      bool
	HasExtension bool
	PayloadType  uint8
	CSRCCount    uint8
	Seq          uint16
	Timestamp    uint32
	SSRC         uint32

	// PayloadOffset is the number of bytes before the payload: the fixed
	// header, the CSRC list and the extension block.
	PayloadOffset int

	extProfile uint16
	extStart   int // first byte after the four-byte header of the block
	extEnd     int
}

// Parse reads the header of the RTP packet b. It looks at nothing that SRTP
// encrypts and so works before decryption as well as after it.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|V=2|P|X|  CC   |M|     PT      |              seq              |
//	|                           timestamp                           |
//	|                             SSRC                              |
//	|                        CSRC × CC …                            |
//	|      extension profile        |    length in 32-bit words     |  if X
//	|                     extension elements …                      |
//
// (RFC 3550 §5.1 and §5.3.1.) On an error h is left undefined.
func (h *Header) Parse(b []byte) error {
	if len(b) < HeaderSize {
		return ErrShort
	}
	if b[0]>>6 != Version {
		return ErrVersion
	}
	h.Padding = b[0]&0x20 != 0
	h.HasExtension = b[0]&0x10 != 0
	h.CSRCCount = b[0] & 0x0F
	h.Marker = b[1]&0x80 != 0
	h.PayloadType = b[1] & 0x7F
	h.Seq = binary.BigEndian.Uint16(b[2:])
	h.Timestamp = binary.BigEndian.Uint32(b[4:])
	h.SSRC = binary.BigEndian.Uint32(b[8:])

	offset := HeaderSize + 4*int(h.CSRCCount)
	h.extProfile, h.extStart, h.extEnd = 0, offset, offset
	if h.HasExtension {
		if len(b) < offset+4 {
			return ErrExtension
		}
		h.extProfile = binary.BigEndian.Uint16(b[offset:])
		words := int(binary.BigEndian.Uint16(b[offset+2:]))
		h.extStart = offset + 4
		h.extEnd = h.extStart + 4*words
		offset = h.extEnd
	}
	if len(b) < offset {
		if h.HasExtension {
			return ErrExtension
		}
		return ErrShort
	}
	h.PayloadOffset = offset
	return nil
}

// PayloadEnd returns the index in b of the end of the payload: the length of
// b less its padding, whose size is the packet's last byte (RFC 3550 §5.1).
// That byte is encrypted by SRTP, so b must have been decrypted, and must be
// the packet that h was parsed from without its authentication tag. A packet
// that is padding only, such as a bandwidth probe, has its payload end where
// it starts.
func (h *Header) PayloadEnd(b []byte) (int, error) {
	if !h.Padding {
		return len(b), nil
	}
	if len(b) <= h.PayloadOffset {
		return 0, ErrPadding
	}
	n := int(b[len(b)-1])
	end := len(b) - n
	if n == 0 || end < h.PayloadOffset {
		return 0, ErrPadding
	}
	return end, nil
}

// PutFixedHeader writes the twelve bytes of a header without CSRCs to the
// beginning of b, which must have room for them. The caller adds what the
// padding and extension bits promise.
func PutFixedHeader(b []byte, marker, padding, extension bool, pt uint8, seq uint16, ts, ssrc uint32) {
	_ = b[HeaderSize-1]
	first := byte(Version << 6)
	if padding {
		first |= 0x20
	}
	if extension {
		first |= 0x10
	}
	second := pt & 0x7F
	if marker {
		second |= 0x80
	}
	b[0], b[1] = first, second
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}
