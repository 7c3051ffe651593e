package codec

// OBU types (AV1 bitstream §6.2.2) and frame types (§6.8.2).
const (
	obuSequenceHeader = 1
	obuFrameHeader    = 3
	obuMetadata       = 5
	obuFrame          = 6
)

// readAV1 reads the aggregation header and the OBU headers behind it
// (AV1 RTP specification §4.4).
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|Z|Y| W |N|-|-|-|  Z: continues an OBU, W: number of elements or 0,
//	+-+-+-+-+-+-+-+-+  N: first packet of a coded video sequence
//	| length | OBU …   LEB128; none for the last of W elements
//
// N marks a keyframe. Some senders leave it out; then a sequence header
// followed by a shown keyframe tells the same.
func readAV1(b []byte, f *Frame) bool {
	head := b[0]
	continues := head&0x80 != 0
	starts := head&0x08 != 0
	if continues && starts {
		return false // AV1 RTP specification §4.4: Z must be 0 if N is 1
	}
	r := obuReader{rest: b[1:], left: int(head >> 4 & 0x03)}
	if len(r.rest) == 0 {
		return false
	}
	r.counted = r.left > 0
	if continues {
		return r.skip()
	}
	var sequence, keyframe bool
	var u obu
	for first := true; r.next(&u); first = false {
		if first {
			f.Start = u.kind == obuSequenceHeader || u.kind == obuFrameHeader ||
				u.kind == obuMetadata || u.kind == obuFrame
		}
		if u.extended && !f.HasLayer {
			f.HasLayer, f.Layer = true, u.layer
		}
		if u.kind == obuSequenceHeader {
			sequence = true
		}
		if u.kind == obuFrame || u.kind == obuFrameHeader {
			keyframe = sequence && u.isKeyframe()
			break // the others of this packet belong to the same frame
		}
	}
	f.Keyframe = starts || keyframe
	f.Start = f.Start || f.Keyframe
	return !r.bad
}

// obu is what the header of an OBU tells.
type obu struct {
	kind     uint8
	extended bool
	layer    Layer
	data     []byte // after the header
}

// isKeyframe reports whether a frame's uncompressed header begins with
// show_existing_frame 0 and frame_type KEY_FRAME (AV1 bitstream §5.9.2).
func (u *obu) isKeyframe() bool { return len(u.data) > 0 && u.data[0]&0xE0 == 0 }

// obuReader walks the OBU elements of a packet.
type obuReader struct {
	rest    []byte
	left    int  // elements still to come, if counted
	counted bool // W was not zero, so the last element has no length
	bad     bool
}

// element returns the next OBU element.
func (r *obuReader) element() ([]byte, bool) {
	if len(r.rest) == 0 || r.counted && r.left == 0 {
		// W elements were promised and all have to be there.
		r.bad = r.bad || r.counted && r.left > 0
		return nil, false
	}
	r.left--
	if r.counted && r.left == 0 {
		e := r.rest
		r.rest = nil
		return e, true
	}
	size, n := leb128(r.rest)
	if n == 0 || size > uint64(len(r.rest)-n) {
		r.bad = true
		return nil, false
	}
	e := r.rest[n : n+int(size)]
	r.rest = r.rest[n+int(size):]
	return e, true
}

// skip reports whether the element that a packet begins with is well-formed.
func (r *obuReader) skip() bool {
	_, ok := r.element()
	return ok
}

// next reads the header of the next OBU (AV1 bitstream §5.3).
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|F| type  |X|S|-| TID |SID|  -  |  X: second byte, S: LEB128 size follows
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
func (r *obuReader) next(u *obu) bool {
	e, ok := r.element()
	if !ok {
		return false
	}
	if len(e) == 0 || e[0]&0x80 != 0 {
		r.bad = true
		return false
	}
	*u = obu{kind: e[0] >> 3 & 0x0F, extended: e[0]&0x04 != 0}
	sized := e[0]&0x02 != 0
	e = e[1:]
	if u.extended {
		if len(e) == 0 {
			r.bad = true
			return false
		}
		u.layer = Layer{Spatial: e[0] >> 3 & 0x03, Temporal: e[0] >> 5}
		e = e[1:]
	}
	if sized {
		_, n := leb128(e)
		e = e[n:] // cut off: the size may be in the next packet
	}
	u.data = e
	return true
}

// leb128 reads a number of at most eight bytes, least significant seven bits
// first (AV1 bitstream §4.10.5), and returns how many bytes it took; 0 if it
// is cut off or too long.
func leb128(b []byte) (value uint64, n int) {
	for i := 0; i < len(b) && i < 8; i++ {
		value |= uint64(b[i]&0x7F) << (7 * i)
		if b[i]&0x80 == 0 {
			return value, i + 1
		}
	}
	return 0, 0
}
