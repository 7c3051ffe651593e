package layer_test

import (
	"math/rand/v2"
	"testing"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
)

// dependence says how the spatial layers of a model stream depend on each
// other: always (L modes), in keyframes (_KEY), never (S).
type dependence uint8

const (
	always dependence = iota
	inKeyframes
	never
)

// description is how the model streams tell of their layers.
type description uint8

const (
	byVP8 description = iota
	byVP9
	byH265
	byDD
	byDDOfH265 // whose payload tells the temporal layer besides
)

type streamMode struct {
	name              string
	spatial, temporal int
	dependence        dependence
	description       description
}

var modes = []streamMode{
	{"VP8 L1T1", 1, 1, always, byVP8},
	{"VP8 L1T2", 1, 2, always, byVP8},
	{"VP8 L1T3", 1, 3, always, byVP8},
	{"VP9 L1T3", 1, 3, always, byVP9},
	{"VP9 L2T2", 2, 2, always, byVP9},
	{"VP9 L3T3", 3, 3, always, byVP9},
	{"VP9 L3T3_KEY", 3, 3, inKeyframes, byVP9},
	{"VP9 S2T1", 2, 1, never, byVP9},
	{"VP9 S3T3", 3, 3, never, byVP9},
	{"DD L1T3", 1, 3, always, byDD},
	{"DD L2T2", 2, 2, always, byDD},
	{"DD L3T3", 3, 3, always, byDD},
	{"DD L3T3_KEY", 3, 3, inKeyframes, byDD},
	{"DD S2T1", 2, 1, never, byDD},
	{"DD S3T3", 3, 3, never, byDD},
	{"H265 L1T1", 1, 1, always, byH265},
	{"H265 L1T2", 1, 2, always, byH265},
	{"H265 L1T3", 1, 3, always, byH265},
	{"DD H265 L1T3", 1, 3, always, byDDOfH265},
	{"DD H265 L3T3", 3, 3, always, byDDOfH265},
}

var patterns = map[int][]int{1: {0}, 2: {0, 1}, 3: {0, 2, 1, 2}}

// modelFrame is a frame with what it really refers to.
type modelFrame struct {
	id, picture int
	layer       codec.Layer
	key         bool
	begins      bool // its spatial layer comes back after an absence
	refs        []int
	packets     int
}

// modelPacket is a packet before and after the filter.
type modelPacket struct {
	layer.Packet
	extSeq int64
	frame  *modelFrame
	first  bool
}

// sender makes the stream of a mode.
type sender struct {
	streamMode
	active    int // spatial layers that it sends, the lowest
	told      int // active, when the descriptor said so last
	random    *rand.Rand
	frames    []*modelFrame
	extSeq    int64
	picture   int // since the start
	position  int // in the temporal pattern
	last      [3][3]int
	absent    [3]bool // until the next frame of the spatial layer
	firstID   uint16  // frame number of frame 0, picture id of picture 0
	firstTS   uint32
	tl0       uint8
	structure *codec.DependencyStructure
}

func newSender(m streamMode, random *rand.Rand) *sender {
	return &sender{
		streamMode: m, active: m.spatial, random: random, extSeq: 65536 + 65000,
		firstID: uint16(65536 - random.IntN(200)), firstTS: uint32(1<<32 - random.Uint64N(100000)),
		tl0: uint8(random.IntN(256)),
	}
}

// limit makes the sender send so many spatial layers from now on, as browsers do
// when their line gets narrow or their processor warm. What comes back does so
// with a keyframe where layers depend on each other in keyframes only.
func (s *sender) limit(active int) (needsKey bool) {
	needsKey = active > s.active && s.dependence == inKeyframes
	for spatial := s.active; spatial < active; spatial++ {
		s.absent[spatial] = true
	}
	s.active = active
	return needsKey
}

// mayLimit reports whether limit may be called now: layers come back with the
// temporal base layer.
func (s *sender) mayLimit() bool { return s.position%len(patterns[s.temporal]) == 0 }

// next makes the packets of the next picture.
func (s *sender) next(t testing.TB, key bool) (packets []*modelPacket) {
	if key {
		s.position = 0
	}
	temporal := patterns[s.temporal][s.position%len(patterns[s.temporal])]
	if temporal == 0 {
		s.tl0++
	}
	for spatial := range s.active {
		f := s.frame(spatial, temporal, key)
		s.last[spatial][temporal] = f.id
		s.frames = append(s.frames, f)
		packets = append(packets, s.packetize(t, f)...)
	}
	packets[len(packets)-1].Marker = true
	s.picture++
	s.position++
	return packets
}

// frame makes the next frame, with what it refers to.
func (s *sender) frame(spatial, temporal int, key bool) *modelFrame {
	f := &modelFrame{
		id: len(s.frames), picture: s.picture, key: key, begins: s.absent[spatial], packets: 1 + s.random.IntN(3),
		layer: codec.Layer{Spatial: uint8(spatial), Temporal: uint8(temporal)},
	}
	s.absent[spatial] = false
	if !key && !f.begins {
		f.refs = append(f.refs, s.reference(spatial, temporal))
	}
	if spatial > 0 && (s.dependence == always || s.dependence == inKeyframes && key) {
		f.refs = append(f.refs, f.id-1)
	}
	return f
}

// reference is the earlier frame of its own spatial layer that a frame refers
// to: the base, but for the last of the pattern 0 2 1 2.
func (s *sender) reference(spatial, temporal int) int {
	if temporal == 2 && s.position%4 == 3 {
		return s.last[spatial][1]
	}
	return s.last[spatial][0]
}

func (s *sender) packetize(t testing.TB, f *modelFrame) (packets []*modelPacket) {
	for i := range f.packets {
		p := &modelPacket{extSeq: s.extSeq, frame: f, first: i == 0}
		s.extSeq++
		p.Timestamp = s.firstTS + uint32(f.picture)*3000
		end := i == f.packets-1
		switch s.description {
		case byDD, byDDOfH265:
			p.Codec = codec.AV1
			if s.description == byDDOfH265 {
				s.readH265(p)
			}
			s.describe(t, p, p.first, end)
		case byH265:
			s.readH265(p)
		default:
			s.readVPX(p, end)
		}
		packets = append(packets, p)
	}
	return packets
}

// readH265 sets what the NAL unit header tells.
func (s *sender) readH265(p *modelPacket) {
	p.Codec = codec.H265
	p.HasLayer, p.Temporal = true, p.frame.layer.Temporal
	p.Start = p.first
	p.Keyframe = p.first && p.frame.key
	p.SwitchUp = p.Temporal > 0 // no frame refers to one of its own layer
}

// readVPX sets what the payload descriptors of VP8 and VP9 tell.
func (s *sender) readVPX(p *modelPacket, end bool) {
	f := p.frame
	p.Codec = codec.VP8
	if s.description == byVP9 {
		p.Codec = codec.VP9
		p.End = end
		p.NoInterPicture = f.key || f.begins
		p.NoInterLayer = int(f.layer.Spatial) == s.active-1 || s.dependence == never || s.dependence == inKeyframes && !f.key
	}
	p.HasLayer, p.Layer, p.Start = true, f.layer, p.first
	p.Keyframe = p.first && f.key && f.layer.Spatial == 0
	p.SwitchUp = f.layer.Temporal < 2 || s.position%4 == 1
	p.HasPictureID, p.PictureIDSize = true, 2
	p.PictureID = (s.firstID + uint16(f.picture)) & 0x7FFF
	p.HasTL0PicIdx, p.TL0PicIdx = true, s.tl0
}

// indication is what f is to the target of the highest layer l.
func (s *sender) indication(f *modelFrame, l codec.Layer) codec.Indication {
	together := s.dependence == always || s.dependence == inKeyframes && f.key
	switch {
	case f.layer.Temporal > l.Temporal, f.layer.Spatial > l.Spatial, !together && f.layer.Spatial != l.Spatial:
		return codec.NotPresent
	case f.key:
		return codec.Switch
	case f.layer.Spatial < l.Spatial:
		return codec.Required
	case f.layer.Temporal == 0, f.layer.Temporal == 1 && l.Temporal == 2:
		return codec.Switch
	}
	return codec.Discardable
}

// describe writes the dependency descriptor of a packet and reads it as a
// receiver of the stream does.
func (s *sender) describe(t testing.TB, p *modelPacket, start, end bool) {
	f := p.frame
	var w bitWriter
	w.flag(start)
	w.flag(end)
	w.write(uint32(int(f.layer.Spatial)*s.temporal+int(f.layer.Temporal)), 6)
	w.write(uint32(s.firstID+uint16(f.id)), 16)
	changed := s.told != s.active
	structure := start && f.layer.Spatial == 0 && (f.key || changed && s.random.IntN(2) == 0)
	mask := changed || structure && s.active < s.spatial || s.random.IntN(20) == 0
	s.told = s.active
	w.flag(structure)
	w.flag(mask)
	w.flag(true)  // indications
	w.flag(true)  // references
	w.flag(false) // chains
	if structure {
		s.writeStructure(&w)
	}
	if mask {
		w.write(1<<(s.active*s.temporal)-1, s.spatial*s.temporal)
	}
	s.eachTarget(func(l codec.Layer) { w.write(uint32(s.indication(f, l)), 2) })
	for _, ref := range f.refs {
		w.write(3, 2)
		w.write(uint32(f.id-ref-1), 12)
	}
	w.write(0, 2)
	if structure {
		s.structure = new(codec.DependencyStructure)
	}
	p.Descriptor, p.Structure = new(codec.DependencyDescriptor), s.structure
	if err := p.Descriptor.Parse(w.b, s.structure); err != nil {
		t.Fatalf("descriptor %x: %v", w.b, err)
	}
	p.Descriptor.Describe(&p.Frame)
}

func (s *sender) eachTarget(do func(codec.Layer)) {
	for spatial := range s.spatial {
		for temporal := range s.temporal {
			do(codec.Layer{Spatial: uint8(spatial), Temporal: uint8(temporal)})
		}
	}
}

// writeStructure writes a template for each layer, without chains.
func (s *sender) writeStructure(w *bitWriter) {
	w.write(0, 6)
	w.write(uint32(s.spatial*s.temporal-1), 5)
	s.eachTarget(func(l codec.Layer) {
		switch {
		case l == codec.Layer{}:
		case l.Temporal > 0:
			w.write(1, 2)
		default:
			w.write(2, 2)
		}
	})
	w.write(3, 2)
	s.eachTarget(func(l codec.Layer) {
		template := &modelFrame{layer: l, key: true}
		s.eachTarget(func(target codec.Layer) { w.write(uint32(s.indication(template, target)), 2) })
	})
	s.eachTarget(func(codec.Layer) { w.flag(false) })
	w.write(0, chainBits(s.spatial*s.temporal))
	w.flag(false) // resolutions
}

// chainBits is how many bits a zero below targets+1 takes (AV1 bitstream
// §4.10.7).
func chainBits(targets int) int {
	width := 0
	for n := targets + 1; n > 0; n >>= 1 {
		width++
	}
	return width - 1
}

// bitWriter writes numbers, most significant bit first.
type bitWriter struct {
	b    []byte
	free int
}

func (w *bitWriter) write(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>i&1) << w.free
	}
}

func (w *bitWriter) flag(v bool) {
	if v {
		w.write(1, 1)
	} else {
		w.write(0, 1)
	}
}
