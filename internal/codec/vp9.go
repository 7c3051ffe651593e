package codec

// Bits of the first byte of a VP9 payload descriptor (RFC 9628 §4.2).
const (
	vp9PictureID    = 0x80 // I
	vp9Inter        = 0x40 // P: predicted from an earlier picture
	vp9Layers       = 0x20 // L
	vp9Flexible     = 0x10 // F
	vp9Begin        = 0x08 // B
	vp9End          = 0x04 // E
	vp9Structure    = 0x02 // V
	vp9NoInterLayer = 0x01 // Z
)

// maxVP9References is the number of P_DIFF a flexible descriptor may have
// (RFC 9628 §4.2).
const maxVP9References = 3

// readVP9 reads the payload descriptor and the first byte of the bitstream.
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|I|P|L|F|B|E|V|Z|
//	+-+-+-+-+-+-+-+-+
//	|M| picture id  |  if I, 15 bits if M
//	+-+-+-+-+-+-+-+-+
//	| TID |U| SID |D|  if L; U: switching up point, D: inter-layer predicted
//	+-+-+-+-+-+-+-+-+
//	|   TL0PICIDX   |  if L and not F
//	+-+-+-+-+-+-+-+-+
//	|   P_DIFF    |N|  if F and P, up to three times while N
//	+-+-+-+-+-+-+-+-+
//	| scalability … |  if V
//
// A keyframe is a picture that is not predicted from an earlier one and starts
// with its base layer. Intra-only frames, which leave other references as they
// are, look the same up to here; the bitstream's frame type tells them apart.
func readVP9(b []byte, f *Frame) bool {
	first := b[0]
	f.Start = first&vp9Begin != 0
	f.End = first&vp9End != 0
	f.NoInterLayer = first&vp9NoInterLayer != 0
	f.NoInterPicture = first&vp9Inter == 0
	offset, ok := 1, true
	if first&vp9PictureID != 0 {
		if offset, ok = readPictureID(b, offset, f); !ok {
			return false
		}
	}
	if first&vp9Layers != 0 {
		if offset, ok = readVP9Layer(b, offset, f); !ok {
			return false
		}
	}
	if first&vp9Flexible != 0 && first&vp9Inter != 0 {
		if offset, ok = skipVP9References(b, offset); !ok {
			return false
		}
	}
	if first&vp9Structure != 0 {
		if offset, ok = skipVP9Structure(b, offset); !ok {
			return false
		}
	}
	if offset >= len(b) || offset > 255 {
		return false
	}
	f.DescriptorSize = uint8(offset)
	f.Keyframe = f.Start && first&vp9Inter == 0 && f.Spatial == 0 && !isVP9InterHeader(b[offset])
	return true
}

func readVP9Layer(b []byte, offset int, f *Frame) (int, bool) {
	if offset >= len(b) {
		return 0, false
	}
	f.HasLayer = true
	f.Temporal = b[offset] >> 5
	f.SwitchUp = b[offset]&0x10 != 0
	f.Spatial = b[offset] >> 1 & 0x07
	offset++
	if b[0]&vp9Flexible != 0 {
		return offset, true
	}
	if offset >= len(b) {
		return 0, false
	}
	f.HasTL0PicIdx, f.TL0PicIdx, f.TL0PicIdxOffset = true, b[offset], uint8(offset)
	return offset + 1, true
}

func skipVP9References(b []byte, offset int) (int, bool) {
	for range maxVP9References {
		if offset >= len(b) {
			return 0, false
		}
		more := b[offset]&0x01 != 0
		offset++
		if !more {
			return offset, true
		}
	}
	return 0, false
}

// skipVP9Structure returns the offset after the scalability structure
// (RFC 9628 §4.2.1).
//
//	+-+-+-+-+-+-+-+-+
//	| N_S |Y|G|-|-|-|
//	+-+-+-+-+-+-+-+-+
//	| width, height |  if Y, 4 bytes for each of N_S+1 layers
//	+-+-+-+-+-+-+-+-+
//	|      N_G      |  if G, then for each of N_G pictures:
//	+-+-+-+-+-+-+-+-+
//	| TID |U| R |-|-|  and R bytes of P_DIFF
//	+-+-+-+-+-+-+-+-+
func skipVP9Structure(b []byte, offset int) (int, bool) {
	if offset >= len(b) {
		return 0, false
	}
	head := b[offset]
	offset++
	if head&0x10 != 0 {
		offset += 4 * (1 + int(head>>5))
	}
	if head&0x08 == 0 {
		return offset, true
	}
	if offset >= len(b) {
		return 0, false
	}
	pictures := int(b[offset])
	offset++
	for range pictures {
		if offset >= len(b) {
			return 0, false
		}
		offset += 1 + int(b[offset]>>2&0x03)
	}
	return offset, true
}

// isVP9InterHeader reports whether a frame's first byte says that it is not a
// keyframe: frame marker (2 bits, 0b10), profile (2 bits, a reserved one after
// profile 3), show_existing_frame, frame_type (VP9 bitstream §6.2).
func isVP9InterHeader(first byte) bool {
	if first>>6 != 0b10 {
		return false // encrypted end to end, perhaps: trust the descriptor
	}
	if first&0x30 == 0x30 {
		first <<= 1
	}
	return first&0x0C != 0
}
