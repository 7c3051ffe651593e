package codec

// Layer is a layer of a scalable stream, both counted from zero.
type Layer struct {
	Spatial  uint8
	Temporal uint8
}

// Frame is what one packet tells about the frame it carries a part of. What a
// codec's payload does not tell is zero.
type Frame struct {
	// Keyframe is set when a decoder can start with this packet: its frame
	// needs no earlier one, and this packet is the frame's beginning.
	//
	// In H264 and H265 a keyframe often begins with parameter sets in a
	// packet of their own; then that packet and the one in which the picture
	// begins are both marked. Decoding starts with the first of them.
	Keyframe bool
	// Start is set when the packet begins a frame (in VP9 the frame of one
	// spatial layer). In H264 and H265 it is set for each packet that may
	// begin one: parameter sets, delimiters and the first slice.
	Start bool
	// End is set when the payload says that its frame ends with it; only VP9
	// does. For the other video codecs the marker bit of the RTP header tells.
	End bool

	// Layer is the layer of the frame, if HasLayer.
	Layer
	HasLayer bool
	// SwitchUp is set when a receiver of lower temporal layers can go up to
	// this frame's temporal layer here.
	SwitchUp bool
	// Discardable is set when no other frame depends on this one.
	Discardable bool
	// NoInterLayer is set when no higher spatial layer of the same picture
	// depends on this frame (VP9).
	NoInterLayer bool
	// NoInterPicture is set when the frame depends on none of an earlier
	// picture (VP9): in all packets of a keyframe, and of a spatial layer that
	// begins.
	NoInterPicture bool

	HasPictureID bool
	HasTL0PicIdx bool
	PictureID    uint16 // 7 or 15 bits, see PictureIDSize
	TL0PicIdx    uint8

	// PictureIDSize is 1 for a picture id of 7 bits, 2 for one of 15.
	PictureIDSize uint8
	// PictureIDOffset and TL0PicIdxOffset are where these stand in the
	// payload, for a forwarder that renumbers them.
	PictureIDOffset uint8
	TL0PicIdxOffset uint8
	// DescriptorSize is the number of bytes before the codec's own bitstream
	// (VP8 and VP9).
	DescriptorSize uint8
}

// Read reads a payload of codec c, the RTP payload without padding, into f and
// reports whether it could. It cannot for an empty payload, for a malformed
// one, and for codecs that it does not know; f is then zero. Every frame of an
// audio codec is one packet that a decoder can start with.
func Read(c Codec, payload []byte, f *Frame) (ok bool) {
	*f = Frame{}
	if len(payload) == 0 {
		return false
	}
	switch c {
	case Opus, MultiOpus, PCMU, PCMA, G722, ComfortNoise, TelephoneEvent:
		f.Keyframe, f.Start, f.End = true, true, true
		return true
	case VP8:
		ok = readVP8(payload, f)
	case VP9:
		ok = readVP9(payload, f)
	case H264:
		ok = readH264(payload, f)
	case H265:
		ok = readH265(payload, f)
	case AV1:
		ok = readAV1(payload, f)
	}
	if !ok {
		*f = Frame{}
	}
	return ok
}

// IsKeyframe reports whether a decoder can start with payload; see
// Frame.Keyframe.
func IsKeyframe(c Codec, payload []byte) bool {
	var f Frame
	return Read(c, payload, &f) && f.Keyframe
}

// PutPictureID replaces the picture id in payload, which f was read from,
// keeping its size: of a 7-bit one the low seven bits are written. It does
// nothing when there is none.
func (f *Frame) PutPictureID(payload []byte, id uint16) {
	if !f.HasPictureID || len(payload) < int(f.PictureIDOffset+f.PictureIDSize) {
		return
	}
	b := payload[f.PictureIDOffset:]
	if f.PictureIDSize == 1 {
		b[0] = byte(id & 0x7F)
		return
	}
	b[0], b[1] = 0x80|byte(id>>8), byte(id)
}

// PutTL0PicIdx replaces the index of the temporal base layer in payload, which
// f was read from. It does nothing when there is none.
func (f *Frame) PutTL0PicIdx(payload []byte, index uint8) {
	if f.HasTL0PicIdx && int(f.TL0PicIdxOffset) < len(payload) {
		payload[f.TL0PicIdxOffset] = index
	}
}

// readPictureID reads a picture id of one or two bytes, which the first bit
// tells apart, at offset and returns the offset after it. VP8 and VP9 share
// the format (RFC 7741 §4.2, RFC 9628 §4.2).
func readPictureID(b []byte, offset int, f *Frame) (int, bool) {
	if offset >= len(b) {
		return 0, false
	}
	f.HasPictureID, f.PictureIDOffset = true, uint8(offset)
	if b[offset]&0x80 == 0 {
		f.PictureID, f.PictureIDSize = uint16(b[offset]), 1
		return offset + 1, true
	}
	if offset+1 >= len(b) {
		return 0, false
	}
	f.PictureID, f.PictureIDSize = uint16(b[offset]&0x7F)<<8|uint16(b[offset+1]), 2
	return offset + 2, true
}
