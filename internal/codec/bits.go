package codec

import "math/bits"

// bitReader reads numbers of any number of bits, most significant bit first.
// Beyond the end it reads zeros and remembers that it did.
type bitReader struct {
	b   []byte
	pos int // in bits
	bad bool
}

// read returns the next n bits, at most 32.
func (r *bitReader) read(n int) uint32 {
	if r.pos+n > 8*len(r.b) {
		r.bad = true
		r.pos = 8 * len(r.b)
		return 0
	}
	var v uint32
	for n > 0 {
		free := 8 - r.pos%8
		take := min(free, n)
		part := r.b[r.pos/8] >> (free - take) & (1<<take - 1)
		v = v<<take | uint32(part)
		r.pos += take
		n -= take
	}
	return v
}

func (r *bitReader) flag() bool { return r.read(1) == 1 }

// readNonSymmetric reads a number below n in as few bits as its size takes:
// the low ones in one bit less than the high ones (AV1 bitstream §4.10.7).
func (r *bitReader) readNonSymmetric(n uint32) uint32 {
	w := bits.Len32(n)
	if w == 0 {
		return 0
	}
	short := uint32(1)<<w - n
	v := r.read(w - 1)
	if v < short {
		return v
	}
	return v<<1 - short + r.read(1)
}
