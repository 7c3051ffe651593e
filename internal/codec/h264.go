package codec

import "encoding/binary"

// NAL unit types of H264 (RFC 6184 §5.2 and the codec's table 7-1).
const (
	h264Slice     = 1
	h264IDR       = 5
	h264SEI       = 6
	h264SPS       = 7
	h264PPS       = 8
	h264Delimiter = 9
	h264STAPA     = 24
	h264FUA       = 28
	h264TypeMask  = 0x1F
	h264RefMask   = 0x60
)

// readH264 reads a single NAL unit, a STAP-A or a FU-A packet, which are all
// there is in packetization modes 0 and 1 (RFC 6184 §6).
//
//	+-+-+-+-+-+-+-+-+
//	|F|NRI|  type   |  NRI 0: no other picture refers to this one
//	+-+-+-+-+-+-+-+-+
func readH264(b []byte, f *Frame) bool {
	f.Discardable = b[0]&h264RefMask == 0
	switch t := b[0] & h264TypeMask; {
	case t >= h264Slice && t < h264STAPA:
		f.readH264Unit(b)
		return true
	case t == h264STAPA:
		return readH264Aggregate(b[1:], f)
	case t == h264FUA:
		return readH264Fragment(b, f)
	default:
		return false
	}
}

// readH264Aggregate reads the units of a STAP-A, each behind its length of two
// bytes (RFC 6184 §5.7.1).
func readH264Aggregate(b []byte, f *Frame) bool {
	for len(b) > 0 {
		if len(b) < 2 {
			return false
		}
		size := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if size == 0 || size > len(b) {
			return false
		}
		f.readH264Unit(b[:size])
		b = b[size:]
	}
	return true
}

// readH264Fragment reads a FU-A (RFC 6184 §5.8).
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|F|NRI|   28    |S|E|R|  type   |  S: the unit starts here
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
func readH264Fragment(b []byte, f *Frame) bool {
	if len(b) < 2 {
		return false
	}
	if b[1]&0x80 != 0 {
		f.readH264Unit(b[1:])
	}
	return true
}

// readH264Unit notes what the NAL unit b tells, whose first byte holds at
// least the type.
func (f *Frame) readH264Unit(b []byte) {
	switch b[0] & h264TypeMask {
	case h264SPS:
		f.Start, f.Keyframe = true, true
	case h264PPS, h264SEI, h264Delimiter:
		f.Start = true
	case h264IDR:
		if startsSlice(b[1:]) {
			f.Start, f.Keyframe = true, true
		}
	case h264Slice:
		if startsSlice(b[1:]) {
			f.Start = true
		}
	}
}

// startsSlice reports whether slice data begins a picture. In H264 that is a
// first_mb_in_slice of zero, which Exp-Golomb code writes as a one bit; in
// H265 the first bit is first_slice_segment_in_pic_flag itself.
func startsSlice(b []byte) bool { return len(b) > 0 && b[0]&0x80 != 0 }
