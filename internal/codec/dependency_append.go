package codec

import "encoding/binary"

// AppendDependency appends to dst the dependency descriptor data, which d was
// read from by the structure s, as a receiver gets it that is sent a part of
// the stream: with frameDelta added to the frame number, and with the mask of
// the decode targets that it can decode, if that differs from the sender's. A
// nil s leaves the mask as it is. All else is kept bit by bit.
//
//	 0                   1                   2                   3
//	+-+-+-----------+-------------------------------+-+-+-+-+-+-----
//	|S|E| template  |         frame number          |T|A|I|F|C| …
//	+-+-+-----------+-------------------------------+-+-+-+-+-+-----
//
// S, E: start and end of the frame. T: a structure follows, A: then the mask,
// of as many bits as there are decode targets; I, F, C: then what differs from
// the template. (AV1 RTP specification, §A.8.2.)
func AppendDependency(dst, data []byte, d *DependencyDescriptor, s *DependencyStructure, frameDelta uint16, mask uint32) []byte {
	if len(data) < mandatoryDependencyBytes {
		return append(dst, data...)
	}
	start := len(dst)
	if s == nil || mask == d.ActiveDecodeTargets || s.DecodeTargets == 0 {
		dst = append(dst, data...)
	} else {
		dst = appendMask(dst, data, d, mask, s.DecodeTargets)
	}
	binary.BigEndian.PutUint16(dst[start+1:], d.FrameNumber+frameDelta)
	return dst
}

// appendMask appends data with a mask of the given number of bits.
func appendMask(dst, data []byte, d *DependencyDescriptor, mask uint32, targets int) []byte {
	const hasMask = 0x40 // in the byte after the mandatory ones
	w := bitAppender{b: dst}
	if len(data) == mandatoryDependencyBytes {
		dst = append(dst, data...)
		w = bitAppender{b: append(dst, hasMask), free: 3}
		w.write(mask, targets)
		return w.b
	}
	r := bitReader{b: data}
	w.copy(&r, d.maskAt)
	w.b[len(dst)+mandatoryDependencyBytes] |= hasMask
	w.write(mask, targets)
	if d.hasMask {
		r.read(targets)
	}
	w.copy(&r, d.end-r.pos)
	return w.b
}

// bitAppender appends numbers of any number of bits, most significant first.
type bitAppender struct {
	b    []byte
	free int // bits of the last byte
}

// write appends the low n bits of v, at most 32.
func (w *bitAppender) write(v uint32, n int) {
	for n > 0 {
		if w.free == 0 {
			w.b = append(w.b, 0)
			w.free = 8
		}
		take := min(w.free, n)
		part := byte(v>>(n-take)) & byte(1<<take-1)
		w.b[len(w.b)-1] |= part << (w.free - take)
		w.free -= take
		n -= take
	}
}

// copy appends the next n bits of r.
func (w *bitAppender) copy(r *bitReader, n int) {
	for n > 0 {
		take := min(n, 32)
		w.write(r.read(take), take)
		n -= take
	}
}
