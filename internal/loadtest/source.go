package loadtest

import "encoding/binary"

// Video is what a Sender sends as VP8.
type Video struct {
	// Bitrate is of the RTP payload, in bit/s. 0 means 1.5 Mbit/s.
	Bitrate int
	// FrameRate is in frames per second. 0 means 30.
	FrameRate int
	// Width and Height are what keyframes say, in pixels. 0 means 1280×720.
	Width, Height uint16
	// Temporal is three temporal layers, of which the lowest has a quarter of
	// the frames and 40 % of the bitrate, and the two lowest half of the
	// frames and 60 %.
	Temporal bool
}

func (v Video) withDefaults() Video {
	if v.Bitrate == 0 {
		v.Bitrate = 1_500_000
	}
	if v.FrameRate == 0 {
		v.FrameRate = 30
	}
	if v.Width == 0 || v.Height == 0 {
		v.Width, v.Height = 1280, 720
	}
	return v
}

const (
	// maxPayload is the largest RTP payload of Chromium's VP8 with the usual
	// header extensions.
	maxPayload = 1176
	// vp8DescriptorSize is of the descriptor with a 15-bit picture id, and of
	// that with layers.
	vp8DescriptorSize  = 4
	vp8LayerDescriptor = vp8DescriptorSize + 2
	// keyframeFactor is how many times the size of other frames a keyframe has.
	keyframeFactor = 4
)

// videoSource makes the payloads of VP8 packets, frame by frame. It draws no
// picture: behind valid descriptors and frame headers there is filler.
type videoSource struct {
	video     Video
	pictureID uint16
	frames    int
	sizes     []int

	// Of the current frame.
	keyframe  bool
	place     int    // in the pattern of temporal layers
	number    uint32 // and that of the frame that it needs, its own in a keyframe
	reference uint32
	tl0       uint8     // TL0PICIDX
	newest    [3]uint32 // number of the newest frame of each temporal layer
}

// temporal is the place of a frame in the pattern of three temporal layers,
// which repeats every four frames.
type temporal struct {
	layer uint8
	needs uint8 // the layer of the frame that it refers to
	sync  bool  // it refers to the lowest layer only: one can switch up here
	size  int   // in percent of the mean
}

var pattern = [4]temporal{
	{layer: 0, needs: 0, sync: false, size: 160},
	{layer: 2, needs: 0, sync: true, size: 80},
	{layer: 1, needs: 0, sync: true, size: 80},
	{layer: 2, needs: 1, sync: false, size: 80},
}

func newVideoSource(v Video) *videoSource {
	return &videoSource{video: v, pictureID: 1 << 14}
}

// next begins a frame and returns how many packets it has. Frame sizes swing
// by 5 % around their mean. A frame is cut as libwebrtc does it: into packets
// that differ by a byte at most, the longer ones last.
func (v *videoSource) next(keyframe bool) int {
	v.pictureID = (v.pictureID + 1) & 0x7fff
	v.keyframe = keyframe
	size := v.video.Bitrate / 8 / v.video.FrameRate
	size += size * (v.frames*7%11 - 5) / 100
	v.frames++
	size = v.arrange(size)
	if keyframe {
		size *= keyframeFactor
	}
	room := maxPayload - vp8LayerDescriptor
	if !v.video.Temporal {
		room = maxPayload - vp8DescriptorSize
	}
	count := (size + room - 1) / room
	v.sizes = v.sizes[:0]
	for i := range count {
		part := size / count
		if i >= count-size%count {
			part++
		}
		v.sizes = append(v.sizes, max(part, minVP8Part))
	}
	return count
}

// arrange finds the place of the current frame among the others, and returns
// the size that it has there.
func (v *videoSource) arrange(size int) int {
	v.number++
	at := temporal{size: 100}
	if v.video.Temporal {
		v.place = (v.place + 1) % len(pattern)
		if v.keyframe {
			v.place = 0
		}
		at = pattern[v.place]
	}
	v.reference = v.newest[at.needs]
	if v.keyframe {
		v.reference = v.number
		v.newest = [3]uint32{v.number, v.number, v.number}
	}
	v.newest[at.layer] = v.number
	if at.layer == 0 {
		v.tl0++
	}
	return size * at.size / 100
}

// minVP8Part has room for a keyframe's header and the stamp.
const minVP8Part = 10 + stampSize

// appendPayload appends packet i of the current frame to b.
//
// The descriptor (RFC 7741 §4.2), with a picture id, and the last line where
// there are layers:
//
//	|1|0|0|S|0|0 0 0|  X=1, S at the start of the frame
//	|1|L|T|0|0 0 0 0|  I=1
//	|1| picture id (15)            |
//	|  TL0PICIDX    |TID|Y|0 0 0 0 0|
func (v *videoSource) appendPayload(b []byte, i int) []byte {
	first := byte(0x80)
	if i == 0 {
		first |= 0x10
	}
	b = append(b, first, 0x80, 0x80|byte(v.pictureID>>8), byte(v.pictureID))
	if v.video.Temporal {
		b[len(b)-3] |= 0x60
		at := pattern[v.place]
		last := at.layer << 6
		if at.sync {
			last |= 0x20
		}
		b = append(b, v.tl0, last)
	}
	start := len(b)
	b = append(b, filler[:v.sizes[i]]...)
	if i == 0 {
		v.putFrameHeader(b[start:])
	}
	return b
}

// putFrameHeader writes the uncompressed header of RFC 6386 §9.1: a frame tag
// (0 for a keyframe, version 0, shown, size of the first partition), and in
// keyframes a start code and the dimensions.
func (v *videoSource) putFrameHeader(b []byte) {
	const shown = 1 << 4
	tag := uint32(shown | len(b)<<5)
	if !v.keyframe {
		tag |= 1
	}
	b[0], b[1], b[2] = byte(tag), byte(tag>>8), byte(tag>>16)
	if v.keyframe {
		b[3], b[4], b[5] = 0x9d, 0x01, 0x2a
		binary.LittleEndian.PutUint16(b[6:], v.video.Width)
		binary.LittleEndian.PutUint16(b[8:], v.video.Height)
	}
}

// filler is what compressed video looks like from outside: no pattern.
var filler = func() (b [maxPayload]byte) {
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223 // Numerical Recipes
		b[i] = byte(state >> 24)
	}
	return b
}()

// appendOpus appends the payload of the n-th packet of 20 ms stereo at about
// 32 kbit/s: a TOC byte (RFC 6716 §3.1) and filler.
func appendOpus(b []byte, n int) []byte {
	const fullBand20ms, stereo = 31 << 3, 1 << 2
	b = append(b, fullBand20ms|stereo)
	return append(b, filler[:75+n*5%11]...)
}

// vp8Frame is what the first bytes of a payload tell of its frame.
type vp8Frame struct {
	start    bool // the payload begins the frame
	keyframe bool // it does, and the frame is a keyframe
}

// parseVP8 reads a payload descriptor and, at the start of a frame, the frame
// tag behind it. ok is false when the payload is too short for what it says.
func parseVP8(b []byte) (f vp8Frame, ok bool) {
	if len(b) == 0 {
		return f, false
	}
	first, at := b[0], 1
	if first&0x80 != 0 { // X: extensions are present
		if len(b) < 2 {
			return f, false
		}
		flags := b[1]
		at = 2
		if flags&0x80 != 0 { // I: picture id, of two bytes when M is set
			if len(b) <= at {
				return f, false
			}
			at += 1 + int(b[at]>>7)
		}
		if flags&0x40 != 0 { // L: TL0PICIDX
			at++
		}
		if flags&0x30 != 0 { // T or K
			at++
		}
	}
	if len(b) <= at {
		return f, false
	}
	f.start = first&0x10 != 0 && first&0x07 == 0
	f.keyframe = f.start && b[at]&1 == 0
	return f, true
}
