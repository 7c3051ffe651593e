package codec

import "encoding/binary"

// NAL unit types of H265 (RFC 7798 §1.1.4 and §4.4, the codec's table 7-1).
const (
	h265TSAN      = 2  // temporal sub-layer access, not a reference
	h265STSAR     = 5  // step-wise temporal sub-layer access
	h265LastNonR  = 14 // up to here even types are not referred to in their layer
	h265FirstIRAP = 16 // BLA, IDR and CRA: a decoder can start
	h265LastIRAP  = 21
	h265LastSlice = 31
	h265VPS       = 32
	h265SPS       = 33
	h265PPS       = 34
	h265Delimiter = 35
	h265SEI       = 39
	h265Aggregate = 48
	h265Fragment  = 49
	h265MaxType   = 47
)

const h265HeaderSize = 2

// readH265 reads a single NAL unit, an aggregation packet or a fragment, none
// of which have decoding order numbers: those are only there when
// sprop-max-don-diff says so, which no WebRTC endpoint does (RFC 7798 §4.4).
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|F|   type    |  layer id | TID |  TID is one more than the temporal layer
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
func readH265(b []byte, f *Frame) bool {
	if len(b) < h265HeaderSize || b[1]&0x07 == 0 {
		return false
	}
	f.HasLayer = true
	f.Temporal = b[1]&0x07 - 1
	switch t := h265Type(b); {
	case t <= h265MaxType:
		f.readH265Unit(t, b[h265HeaderSize:])
		return true
	case t == h265Aggregate:
		return readH265Aggregate(b[h265HeaderSize:], f)
	case t == h265Fragment:
		return readH265Fragment(b, f)
	default:
		return false
	}
}

func h265Type(b []byte) uint8 { return b[0] >> 1 & 0x3F }

// readH265Aggregate reads the units of an aggregation packet, each behind its
// length of two bytes (RFC 7798 §4.4.2).
func readH265Aggregate(b []byte, f *Frame) bool {
	for len(b) > 0 {
		if len(b) < 2 {
			return false
		}
		size := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if size < h265HeaderSize || size > len(b) {
			return false
		}
		f.readH265Unit(h265Type(b), b[h265HeaderSize:size])
		b = b[size:]
	}
	return true
}

// readH265Fragment reads a fragmentation unit (RFC 7798 §4.4.3).
//
//	+-+-+-+-+-+-+-+-+
//	|S|E|   type    |  after the header of two bytes
//	+-+-+-+-+-+-+-+-+
func readH265Fragment(b []byte, f *Frame) bool {
	if len(b) <= h265HeaderSize {
		return false
	}
	head := b[h265HeaderSize]
	t := head & 0x3F
	f.noteH265Type(t)
	if head&0x80 != 0 {
		f.readH265Unit(t, b[h265HeaderSize+1:])
	}
	return true
}

// readH265Unit notes what a NAL unit of type t tells; data follows its header.
func (f *Frame) readH265Unit(t uint8, data []byte) {
	f.noteH265Type(t)
	switch {
	case t <= h265LastSlice:
		if startsSlice(data) {
			f.Start = true
			f.Keyframe = f.Keyframe || t >= h265FirstIRAP && t <= h265LastIRAP
		}
	case t == h265VPS || t == h265SPS:
		f.Start, f.Keyframe = true, true
	case t == h265PPS || t == h265Delimiter || t == h265SEI:
		f.Start = true
	}
}

// noteH265Type notes what the type of a slice tells about its picture.
func (f *Frame) noteH265Type(t uint8) {
	f.SwitchUp = f.SwitchUp || t >= h265TSAN && t <= h265STSAR
	f.Discardable = f.Discardable || t <= h265LastNonR && t%2 == 0
}
