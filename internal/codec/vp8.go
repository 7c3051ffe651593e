package codec

// readVP8 reads the payload descriptor and the first byte of the bitstream
// (RFC 7741 §4.2 and §4.3).
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|X|R|N|S|R| PID |  N: not a reference, S: start of partition PID
//	+-+-+-+-+-+-+-+-+
//	|I|L|T|K|  RSV  |  if X
//	+-+-+-+-+-+-+-+-+
//	|M| picture id  |  if I, 15 bits if M
//	+-+-+-+-+-+-+-+-+
//	|   TL0PICIDX   |  if L
//	+-+-+-+-+-+-+-+-+
//	|TID|Y| KEYIDX  |  if T or K; Y: depends on the base layer only
//	+-+-+-+-+-+-+-+-+
//	|  size  |H|VER|P|  P: not a keyframe; in the first packet of a frame
func readVP8(b []byte, f *Frame) bool {
	first := b[0]
	offset := 1
	f.Discardable = first&0x20 != 0
	f.Start = first&0x10 != 0 && first&0x07 == 0
	if first&0x80 != 0 {
		var ok bool
		if offset, ok = readVP8Extension(b, f); !ok {
			return false
		}
	}
	if offset >= len(b) {
		return false // RFC 7741 §4.2: there is a bitstream in every packet
	}
	f.DescriptorSize = uint8(offset)
	f.Keyframe = f.Start && b[offset]&0x01 == 0
	return true
}

func readVP8Extension(b []byte, f *Frame) (offset int, ok bool) {
	if len(b) < 2 {
		return 0, false
	}
	has := b[1]
	offset = 2
	if has&0x80 != 0 {
		if offset, ok = readPictureID(b, offset, f); !ok {
			return 0, false
		}
	}
	if has&0x40 != 0 {
		if offset >= len(b) {
			return 0, false
		}
		f.HasTL0PicIdx, f.TL0PicIdx, f.TL0PicIdxOffset = true, b[offset], uint8(offset)
		offset++
	}
	if has&0x30 != 0 {
		if offset >= len(b) {
			return 0, false
		}
		if has&0x20 != 0 {
			f.HasLayer = true
			f.Temporal = b[offset] >> 6
			f.SwitchUp = b[offset]&0x20 != 0
		}
		offset++
	}
	return offset, true
}
