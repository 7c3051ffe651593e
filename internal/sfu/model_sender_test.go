package sfu

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/ortc"
)

// modelMode is what the streams of a model simulcast are.
type modelMode struct {
	name     string
	codec    codec.Codec
	temporal int
	dd       bool // they have the dependency descriptor
}

var modelModes = []modelMode{
	{"VP8", codec.VP8, 1, false},
	{"VP8 L1T2", codec.VP8, 2, false},
	{"VP8 L1T3", codec.VP8, 3, false},
	{"VP9 L1T3", codec.VP9, 3, false},
	{"H264", codec.H264, 1, false},
	{"H265", codec.H265, 1, false},
	{"H265 L1T3", codec.H265, 3, false},
	{"H264 L1T3, descriptor", codec.H264, 3, true},
	{"H265 L1T3, descriptor", codec.H265, 3, true},
	{"AV1 L1T3, descriptor", codec.AV1, 3, true},
}

var modelMimeTypes = map[codec.Codec]string{
	codec.VP8: "video/VP8", codec.VP9: "video/VP9", codec.H264: "video/H264", codec.H265: "video/H265", codec.AV1: "video/AV1",
}

const modelPT, modelDescriptorID = 100, 12

func (m modelMode) capability() ortc.RTPCodecCapability {
	return ortc.RTPCodecCapability{Kind: ortc.Video, MimeType: modelMimeTypes[m.codec], ClockRate: 90000, Parameters: m.parameters()}
}

func (m modelMode) parameters() ortc.CodecParameters {
	if m.codec == codec.H264 {
		return ortc.CodecParameters{"packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1}
	}
	return ortc.CodecParameters{}
}

// modelFrame is a frame with what it really refers to.
type modelFrame struct {
	encoding, id int
	temporal     int
	key          bool
	refs         []*modelFrame
	packets      int
	pictureID    uint16
}

// modelEncoding makes one stream of a simulcast.
type modelEncoding struct {
	modelMode
	random    *rand.Rand
	index     int
	frames    []*modelFrame
	last      [3]*modelFrame // of each temporal layer
	position  int            // in the temporal pattern
	seq       uint16
	firstTS   uint32
	firstID   uint16 // picture id or frame number of frame 0
	tl0       uint8
	structure ddStream
	silent    bool
	wantsKey  bool
}

func newModelEncoding(m modelMode, index int, random *rand.Rand) *modelEncoding {
	return &modelEncoding{
		modelMode: m, random: random, index: index, wantsKey: true,
		// All numbers go round after a while.
		seq: uint16(1<<16 - random.IntN(300)), firstTS: uint32(1<<32 - random.Uint64N(300_000)),
		firstID: uint16(1<<16 - random.IntN(100)), tl0: uint8(256 - random.IntN(50)),
		structure: ddStream{temporal: m.temporal},
	}
}

var modelPatterns = [...][]int{1: {0}, 2: {0, 1}, 3: {0, 2, 1, 2}}

// next makes the packets of the next frame, captured at ts since the beginning.
func (e *modelEncoding) next(t testing.TB, ts uint32) (packets []*pionrtp.Packet) {
	f := &modelFrame{encoding: e.index, id: len(e.frames), key: e.wantsKey, packets: 1 + e.random.IntN(3)}
	if f.key {
		e.position, e.wantsKey = 0, false
		e.structure.offset = uint8(e.random.IntN(60))
	}
	pattern := modelPatterns[e.temporal]
	f.temporal = pattern[e.position%len(pattern)]
	switch {
	case f.key:
	case f.temporal == 2 && e.position%4 == 3:
		f.refs = []*modelFrame{e.last[1]}
	default:
		f.refs = []*modelFrame{e.last[0]}
	}
	f.pictureID = (e.firstID + uint16(f.id)) & 0x7FFF
	if f.temporal == 0 {
		e.tl0++
	}
	e.frames = append(e.frames, f)
	for i := range f.packets {
		p := &pionrtp.Packet{Header: pionrtp.Header{
			Version: 2, PayloadType: modelPT, SSRC: uint32(5000 + e.index), SequenceNumber: e.seq, Timestamp: e.firstTS + ts, Marker: i == f.packets-1,
		}}
		e.seq++
		p.Payload = append(e.payload(f, i), tailOf(f, i)...)
		if e.dd {
			if err := p.SetExtension(modelDescriptorID, e.descriptor(f, i)); err != nil {
				t.Fatal(err)
			}
		}
		packets = append(packets, p)
	}
	e.last[f.temporal] = f
	e.position++
	return packets
}

func (e *modelEncoding) descriptor(f *modelFrame, i int) []byte {
	d := ddFrame{
		start: i == 0, end: i == f.packets-1, temporal: f.temporal, number: e.firstID + uint16(f.id),
		structure: f.key && i == 0,
	}
	for _, ref := range f.refs {
		d.refs = append(d.refs, e.firstID+uint16(ref.id))
	}
	return e.structure.append(nil, d)
}

// payload begins the payload of packet i, as an encoder's does.
func (e *modelEncoding) payload(f *modelFrame, i int) []byte {
	first, last := i == 0, i == f.packets-1
	set := func(flag bool, bits byte) byte {
		if flag {
			return bits
		}
		return 0
	}
	// T1 refers to T0 only, and so does the T2 before it.
	switchUp := f.temporal == 1 || f.temporal == 2 && e.position%4 == 1
	switch e.codec {
	case codec.VP8: // RFC 7741 §4.2
		return []byte{
			0x80 | set(first, 0x10), 0xE0, 0x80 | byte(f.pictureID>>8), byte(f.pictureID), e.tl0,
			byte(f.temporal)<<6 | set(switchUp, 0x20), set(!f.key, 1),
		}
	case codec.VP9: // RFC 9628 §4.2, not flexible
		return []byte{
			0xA1 | set(!f.key, 0x40) | set(first, 0x08) | set(last, 0x04), 0x80 | byte(f.pictureID>>8), byte(f.pictureID),
			byte(f.temporal)<<5 | set(switchUp, 0x10), e.tl0, 0x80 | set(!f.key, 0x04),
		}
	case codec.H264: // RFC 6184 §5.8: FU-A of an IDR picture or another
		return []byte{0x7C, set(first, 0x80) | set(last, 0x40) | 1 | set(f.key, 5^1), 0x80}
	case codec.H265: // RFC 7798 §4.4.3: a fragment of IDR_W_RADL, TRAIL_R or TSA_R
		kind := set(f.temporal > 0, 3^1) ^ set(f.key, 19^1) ^ 1
		return []byte{49 << 1, byte(f.temporal + 1), set(first, 0x80) | set(last, 0x40) | kind, 0x80}
	}
	return []byte{0x10, 0x30, 0x00} // AV1: told by the descriptor
}

// tailOf identifies a packet to the model's receiver.
func tailOf(f *modelFrame, i int) []byte {
	return binary.BigEndian.AppendUint32([]byte{0xA5, byte(f.encoding), byte(i)}, uint32(f.id))
}
