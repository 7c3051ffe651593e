package rtp

import "encoding/binary"

// ExtensionReader walks the elements of a header extension block. The zero
// value has none.
type ExtensionReader struct {
	rest    []byte
	twoByte bool
}

// Extensions returns a reader of the extension elements of b, the packet h was
// parsed from. A block of a profile other than the two of RFC 8285 has none.
func (h *Header) Extensions(b []byte) ExtensionReader {
	if h.extEnd > len(b) || h.extStart >= h.extEnd {
		return ExtensionReader{}
	}
	twoByte := h.extProfile&profileTwoByteMask == profileTwoByte
	if h.extProfile != profileOneByte && !twoByte {
		return ExtensionReader{}
	}
	return ExtensionReader{rest: b[h.extStart:h.extEnd], twoByte: twoByte}
}

// Next returns the next element, and false after the last. The data is a slice
// of the packet and may be written to; it can be empty, but is not nil. What
// follows an element that is cut off is not looked at.
func (r *ExtensionReader) Next() (id uint8, data []byte, ok bool) {
	if r.twoByte {
		return r.nextTwoByte()
	}
	return r.nextOneByte()
}

// nextOneByte reads
//
//	+-+-+-+-+-+-+-+-+
//	|  ID   | len-1 | data …
//	+-+-+-+-+-+-+-+-+
//
// where a zero byte is padding. ID 15, and ID 0 with a length, end the block
// (RFC 8285 §4.2).
func (r *ExtensionReader) nextOneByte() (uint8, []byte, bool) {
	b := r.rest
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 {
		r.rest = nil
		return 0, nil, false
	}
	id, end := b[0]>>4, 2+int(b[0]&0x0F)
	if id == 0 || id == 15 || end > len(b) {
		r.rest = nil
		return 0, nil, false
	}
	r.rest = b[end:]
	return id, b[1:end:end], true
}

// nextTwoByte reads
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|       ID      |      len      | data …
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// where an ID of zero is one byte of padding (RFC 8285 §4.3).
func (r *ExtensionReader) nextTwoByte() (uint8, []byte, bool) {
	b := r.rest
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) < 2 || 2+int(b[1]) > len(b) {
		r.rest = nil
		return 0, nil, false
	}
	end := 2 + int(b[1])
	r.rest = b[end:]
	return b[0], b[2:end:end], true
}

// Extension returns the data of the first header extension element with the
// given id in b, the packet h was parsed from, or nil when there is none. The
// slice may be written to; an element without data gives an empty one.
func (h *Header) Extension(b []byte, id uint8) []byte {
	if !h.HasExtension || id == 0 {
		return nil
	}
	r := h.Extensions(b)
	for {
		got, data, ok := r.Next()
		if !ok {
			return nil
		}
		if got == id {
			return data
		}
	}
}

// ExtensionWriter builds a header extension block in the place where it is to
// be sent from. The zero value is ready for Start, and one writer can build
// any number of blocks.
//
// It begins in the one-byte form. The first element that this form cannot hold
// (an id above 14, more than 16 bytes, or none) makes it rewrite the block in
// the two-byte form, which every receiver that negotiated such an element
// understands.
type ExtensionWriter struct {
	b       []byte
	n       int // bytes used, with the header of the block
	twoByte bool
}

const (
	blockHeaderSize = 4
	maxOneByteID    = 14
	maxOneByteData  = 16
	maxTwoByteData  = 255
)

// Start begins a block at the beginning of b; its room is len(b). The block
// grows by at most three bytes of padding in Finish, for which elements leave
// room.
func (w *ExtensionWriter) Start(b []byte) {
	w.b, w.n, w.twoByte = b, blockHeaderSize, false
}

// Add copies an element into the block. It reports whether the element fitted;
// if not the block is as it was before.
func (w *ExtensionWriter) Add(id uint8, data []byte) bool {
	room := w.Reserve(id, len(data))
	copy(room, data)
	return room != nil
}

// Reserve adds an element of n bytes whose value the caller fills in, or
// returns nil when it does not fit. The slice is good until the next Add or
// Reserve, which may move what is there to turn to the two-byte form; the one
// reserved last stays where it is through Finish, so an element that is
// filled in later (the transport-wide sequence number) goes last.
func (w *ExtensionWriter) Reserve(id uint8, n int) []byte {
	if id == 0 || n < 0 || n > maxTwoByteData {
		return nil
	}
	if w.twoByte || id > maxOneByteID || n > maxOneByteData || n == 0 {
		return w.reserveTwoByte(id, n)
	}
	start, end := w.n+1, w.n+1+n
	if padded(end) > len(w.b) {
		return nil
	}
	w.b[w.n] = id<<4 | byte(n-1)
	w.n = end
	return w.b[start:end:end]
}

func (w *ExtensionWriter) reserveTwoByte(id uint8, n int) []byte {
	need := w.n + 2 + n
	if !w.twoByte {
		need += w.elements()
	}
	if padded(need) > len(w.b) {
		return nil
	}
	if !w.twoByte {
		w.widen()
	}
	start, end := w.n+2, w.n+2+n
	w.b[w.n], w.b[w.n+1] = id, byte(n)
	w.n = end
	return w.b[start:end:end]
}

// elements counts the one-byte elements written so far.
func (w *ExtensionWriter) elements() int {
	count := 0
	for i := blockHeaderSize; i < w.n; count++ {
		i += 2 + int(w.b[i]&0x0F)
	}
	return count
}

// widen turns the one-byte elements written so far into two-byte ones, each of
// which is a byte longer. The caller has checked that they fit.
func (w *ExtensionWriter) widen() {
	grow := w.elements()
	copy(w.b[blockHeaderSize+grow:], w.b[blockHeaderSize:w.n])
	from, to, end := blockHeaderSize+grow, blockHeaderSize, w.n+grow
	for from < end {
		id, n := w.b[from]>>4, 1+int(w.b[from]&0x0F)
		// The gap between to and from shrinks by one with each element
		// and is at least one here, so the header does not touch data.
		copy(w.b[to+2:], w.b[from+1:from+1+n])
		w.b[to], w.b[to+1] = id, byte(n)
		from += 1 + n
		to += 2 + n
	}
	w.n = end
	w.twoByte = true
}

// Finish pads the block to a multiple of 32 bits, fills in its header and
// returns its length in bytes. It returns 0 when nothing was added; the packet
// then has no extension bit and no block.
func (w *ExtensionWriter) Finish() int {
	if w.n <= blockHeaderSize {
		return 0
	}
	end := padded(w.n)
	clear(w.b[w.n:end])
	profile := uint16(profileOneByte)
	if w.twoByte {
		profile = profileTwoByte
	}
	binary.BigEndian.PutUint16(w.b, profile)
	binary.BigEndian.PutUint16(w.b[2:], uint16(end/4-1))
	w.n = end
	return end
}

// padded rounds up to a multiple of four.
func padded(n int) int { return (n + 3) &^ 3 }
