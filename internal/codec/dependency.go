package codec

import (
	"bytes"
	"errors"
)

// What can be wrong with a dependency descriptor.
var (
	ErrDependencyShort     = errors.New("codec: dependency descriptor cut off")
	ErrDependencyTemplate  = errors.New("codec: dependency descriptor refers to an unknown template")
	ErrDependencyStructure = errors.New("codec: dependency structure exceeds the limits")
)

const (
	maxTemplates     = 64
	maxDecodeTargets = 32
	maxSpatial       = 4
	maxTemporal      = 8
	// maxFrameDiffs bounds how many frames one frame refers to. The format
	// has no bound; AV1 has seven references.
	maxFrameDiffs = 16

	mandatoryDependencyBytes = 3
	// structureAt is where a structure begins, in bits: after the mandatory
	// fields and five flags.
	structureAt        = 8*mandatoryDependencyBytes + 5
	firstStructureBits = 0xFF >> (structureAt % 8) // in its first byte
	// maxDependencyBytes is the most that a header extension holds (RFC 8285
	// §4.3).
	maxDependencyBytes = 255
	// frameNumberSpan is how many frame numbers back one is told from one that
	// is as far ahead.
	frameNumberSpan = 1 << 14
)

// Indication tells what a frame is to a decode target.
type Indication uint8

// The decode target indications, in their code on the wire.
const (
	NotPresent  Indication = iota // not part of the target
	Discardable                   // part of it, and nothing in it depends on the frame
	Switch                        // from here on the target can be decoded without earlier frames of it
	Required                      // part of it, and others depend on it
)

// Resolution is the size of a spatial layer in pixels; zero if not told.
type Resolution struct{ Width, Height uint32 }

// DependencyStructure is the template structure of one stream, by which its
// dependency descriptors are to be read until the next one comes. The zero
// value stands for a stream whose structure has not been seen.
type DependencyStructure struct {
	DecodeTargets int // 1 to 32
	Chains        int // 0 to 32
	SpatialLayers int // 1 to 4

	templates     [maxTemplates]dependencyTemplate
	templateCount int
	idOffset      uint8
	targetLayers  [maxDecodeTargets]Layer
	protectedBy   [maxDecodeTargets]uint8
	resolutions   [maxSpatial]Resolution

	// source is the data of a descriptor with the structure, which is in its
	// bits from structureAt to sourceEnd; the others are zero. The end is 0 if
	// that is too long.
	source    [maxDependencyBytes]byte
	sourceEnd int

	// What follows changes while the rest stays: the decode targets that the
	// sender is producing, and the frame that told so.
	active      uint32
	activeSince uint16
}

// dependencyTemplate is what frames of one kind have in common.
type dependencyTemplate struct {
	layer      Layer
	indication [maxDecodeTargets]Indication
	diffs      [maxFrameDiffs]uint8
	diffCount  uint8
	chainDiffs [maxDecodeTargets]uint8
}

// DecodeTargetLayer returns the highest layer of a decode target.
func (s *DependencyStructure) DecodeTargetLayer(target int) (Layer, bool) {
	if target < 0 || target >= s.DecodeTargets {
		return Layer{}, false
	}
	return s.targetLayers[target], true
}

// ProtectedBy returns the chain that protects a decode target: as long as
// every frame of the chain arrives, the target can be decoded. It is false
// when the stream has no chains.
func (s *DependencyStructure) ProtectedBy(target int) (chain int, ok bool) {
	if target < 0 || target >= s.DecodeTargets || s.Chains == 0 {
		return 0, false
	}
	return int(s.protectedBy[target]), true
}

// Resolution returns the size of a spatial layer, zero if not told.
func (s *DependencyStructure) Resolution(spatial uint8) Resolution {
	if int(spatial) >= maxSpatial {
		return Resolution{}
	}
	return s.resolutions[spatial]
}

// DependencyDescriptor is the header extension that tells how a frame depends
// on others without a look at the payload, which may be encrypted end to end
// (AV1 RTP specification, appendix A).
type DependencyDescriptor struct {
	Start       bool // first packet of the frame
	End         bool // last packet of the frame
	TemplateID  uint8
	FrameNumber uint16

	// HasStructure is set when the descriptor brings a template structure,
	// which begins a coded video sequence.
	HasStructure bool
	// ActiveDecodeTargets has a bit for each decode target that the sender
	// is producing, the lowest for the first: by this descriptor, else by that of
	// the newest frame that told.
	ActiveDecodeTargets uint32

	Layer
	Resolution Resolution
	// FrameDiffs tells the frames that this one refers to, as FrameNumber
	// less theirs; FrameDiffCount of them.
	FrameDiffs     [maxFrameDiffs]uint16
	FrameDiffCount int

	indication [maxDecodeTargets]Indication
	chainDiffs [maxDecodeTargets]uint8

	// For AppendDependency: in bits, where the mask of active decode targets
	// is or would be, and where the descriptor ends; zero if it has only the
	// mandatory fields.
	maskAt, end int
	hasMask     bool
}

// Indication returns what the frame is to a decode target.
func (d *DependencyDescriptor) Indication(target int) Indication {
	if target < 0 || target >= maxDecodeTargets {
		return NotPresent
	}
	return d.indication[target]
}

// ChainDiff returns FrameNumber less that of the frame before in a chain, 0 if
// the frame begins it.
func (d *DependencyDescriptor) ChainDiff(chain int) uint8 {
	if chain < 0 || chain >= maxDecodeTargets {
		return 0
	}
	return d.chainDiffs[chain]
}

// Describe puts into f what the descriptor knows better than the payload.
func (d *DependencyDescriptor) Describe(f *Frame) {
	f.Start, f.End = d.Start, d.End
	f.HasLayer, f.Layer = true, d.Layer
	f.Keyframe = d.HasStructure && d.Start && d.FrameDiffCount == 0 && d.Spatial == 0
}

// BringsStructure reports whether the data of a dependency descriptor holds a
// template structure, without reading it.
func BringsStructure(data []byte) bool {
	return len(data) > mandatoryDependencyBytes && data[mandatoryDependencyBytes]&0x80 != 0
}

// BroughtBy reports whether the data of a dependency descriptor holds the very
// structure s, so that reading it would replace nothing.
func (s *DependencyStructure) BroughtBy(data []byte) bool {
	if s.sourceEnd == 0 || 8*len(data) < s.sourceEnd || !BringsStructure(data) {
		return false
	}
	const first = structureAt / 8
	last := s.sourceEnd / 8
	if (data[first]^s.source[first])&firstStructureBits != 0 || !bytes.Equal(data[first+1:last], s.source[first+1:last]) {
		return false
	}
	rest := s.sourceEnd % 8 // bits in the last byte
	return rest == 0 || (data[last]^s.source[last])>>(8-rest) == 0
}

// noteActive takes in that frame has told, or not, which decode targets the
// sender is producing. What an earlier frame says, which was overtaken, is past.
func (s *DependencyStructure) noteActive(frame uint16, active uint32, told bool) {
	since := int16(frame - s.activeSince)
	switch {
	case told && since >= 0:
		s.active, s.activeSince = active, frame
	case since > frameNumberSpan:
		s.activeSince = frame - frameNumberSpan
	}
}

// Parse reads the data of the header extension. A structure in it replaces *s,
// unless it is the same, but only if all of the descriptor is well-formed. With
// ErrDependencyTemplate, which is what the packets of a stream give whose
// structure was lost, the first four fields are valid.
func (d *DependencyDescriptor) Parse(data []byte, s *DependencyStructure) error {
	r := bitReader{b: data}
	*d = DependencyDescriptor{
		Start:       r.flag(),
		End:         r.flag(),
		TemplateID:  uint8(r.read(6)),
		FrameNumber: uint16(r.read(16)),
	}
	if r.bad {
		return ErrDependencyShort
	}
	if len(data) == mandatoryDependencyBytes {
		return d.parseRest(&r, s, custom{}, false)
	}
	hasStructure := r.flag()
	d.hasMask = r.flag()
	c := custom{indications: r.flag(), diffs: r.flag(), chains: r.flag()}
	switch {
	case !hasStructure:
		return d.parseRest(&r, s, c, false)
	case s.BroughtBy(data):
		r.pos = s.sourceEnd
		return d.parseRest(&r, s, c, true)
	}
	var fresh DependencyStructure
	if err := fresh.parse(&r); err != nil {
		return err
	}
	fresh.keepSource(data, r.pos)
	fresh.activeSince = d.FrameNumber
	if err := d.parseRest(&r, &fresh, c, true); err != nil {
		return err
	}
	*s = fresh
	return nil
}

// parseRest reads what follows the flags and the structure, if data brought
// that. What it finds out about the active decode targets goes into s.
func (d *DependencyDescriptor) parseRest(r *bitReader, s *DependencyStructure, c custom, brought bool) error {
	short := r.pos == 8*mandatoryDependencyBytes
	maskAt, active := r.pos, s.active
	if brought {
		active = everyTarget(s.DecodeTargets)
	}
	if d.hasMask {
		active = r.read(s.DecodeTargets)
	}
	if err := d.define(r, s, c); err != nil {
		return err
	}
	if !short {
		d.maskAt, d.end = maskAt, r.pos
	}
	d.HasStructure, d.ActiveDecodeTargets = brought, active
	s.noteActive(d.FrameNumber, active, brought || d.hasMask)
	return nil
}

func everyTarget(targets int) uint32 { return uint32(1<<targets - 1) }

// custom says which parts of a frame's definition differ from its template.
type custom struct{ indications, diffs, chains bool }

// define reads frame_dependency_definition().
func (d *DependencyDescriptor) define(r *bitReader, s *DependencyStructure, c custom) error {
	index := int((d.TemplateID - s.idOffset) & (maxTemplates - 1))
	if index >= s.templateCount {
		return ErrDependencyTemplate
	}
	t := &s.templates[index]
	d.Layer = t.layer
	d.indication, d.chainDiffs = t.indication, t.chainDiffs
	if c.indications {
		for i := range s.DecodeTargets {
			d.indication[i] = Indication(r.read(2))
		}
	}
	if !c.diffs {
		d.FrameDiffCount = int(t.diffCount)
		for i := range d.FrameDiffCount {
			d.FrameDiffs[i] = uint16(t.diffs[i])
		}
	} else if err := d.readFrameDiffs(r); err != nil {
		return err
	}
	if c.chains {
		for i := range s.Chains {
			d.chainDiffs[i] = uint8(r.read(8))
		}
	}
	d.Resolution = s.resolutions[d.Spatial]
	if r.bad {
		return ErrDependencyShort
	}
	return nil
}

// readFrameDiffs reads frame_fdiffs(): each of 4, 8 or 12 bits as its size of
// two bits says, until a size of zero.
func (d *DependencyDescriptor) readFrameDiffs(r *bitReader) error {
	for size := r.read(2); size > 0; size = r.read(2) {
		if d.FrameDiffCount == maxFrameDiffs {
			return ErrDependencyStructure
		}
		d.FrameDiffs[d.FrameDiffCount] = uint16(r.read(int(4*size)) + 1)
		d.FrameDiffCount++
	}
	return nil
}

// parse reads template_dependency_structure() into s, which is zero.
func (s *DependencyStructure) parse(r *bitReader) error {
	s.idOffset = uint8(r.read(6))
	s.DecodeTargets = int(r.read(5)) + 1
	s.active = everyTarget(s.DecodeTargets)
	if err := s.readLayers(r); err != nil {
		return err
	}
	templates := s.templates[:s.templateCount]
	for i := range templates {
		for target := range s.DecodeTargets {
			templates[i].indication[target] = Indication(r.read(2))
		}
	}
	for i := range templates {
		if err := templates[i].readDiffs(r); err != nil {
			return err
		}
	}
	s.readChains(r)
	s.deriveTargetLayers()
	if r.flag() {
		for i := range s.SpatialLayers {
			s.resolutions[i] = Resolution{Width: r.read(16) + 1, Height: r.read(16) + 1}
		}
	}
	if r.bad {
		return ErrDependencyShort
	}
	return nil
}

// keepSource keeps the data that s was read from, in which it ends at a bit.
func (s *DependencyStructure) keepSource(data []byte, end int) {
	if end > 8*len(s.source) {
		return
	}
	const first = structureAt / 8
	s.sourceEnd = end
	copy(s.source[first:], data[first:(end+7)/8])
	s.source[first] &= firstStructureBits
	if rest := end % 8; rest > 0 {
		s.source[end/8] &^= 0xFF >> rest
	}
}

// readLayers reads template_layers(): for each template after the first
// whether it is of the same layer, the next temporal or the next spatial one.
func (s *DependencyStructure) readLayers(r *bitReader) error {
	const same, nextTemporal, nextSpatial, end = 0, 1, 2, 3
	var layer Layer
	for {
		if s.templateCount == maxTemplates {
			return ErrDependencyStructure
		}
		s.templates[s.templateCount].layer = layer
		s.templateCount++
		switch r.read(2) {
		case same:
		case nextTemporal:
			layer.Temporal++
		case nextSpatial:
			layer = Layer{Spatial: layer.Spatial + 1}
		case end:
			s.SpatialLayers = int(layer.Spatial) + 1
			return nil
		}
		if r.bad {
			return ErrDependencyShort
		}
		if layer.Spatial >= maxSpatial || layer.Temporal >= maxTemporal {
			return ErrDependencyStructure
		}
	}
}

// readDiffs reads the frames that a template refers to.
func (t *dependencyTemplate) readDiffs(r *bitReader) error {
	for r.flag() {
		if t.diffCount == maxFrameDiffs {
			return ErrDependencyStructure
		}
		t.diffs[t.diffCount] = uint8(r.read(4)) + 1
		t.diffCount++
	}
	return nil
}

// readChains reads template_chains().
func (s *DependencyStructure) readChains(r *bitReader) {
	s.Chains = int(r.readNonSymmetric(uint32(s.DecodeTargets) + 1))
	if s.Chains == 0 {
		return
	}
	for target := range s.DecodeTargets {
		s.protectedBy[target] = uint8(r.readNonSymmetric(uint32(s.Chains)))
	}
	for i := range s.templateCount {
		for chain := range s.Chains {
			s.templates[i].chainDiffs[chain] = uint8(r.read(4))
		}
	}
}

// deriveTargetLayers finds the highest layer of which each target has frames.
func (s *DependencyStructure) deriveTargetLayers() {
	for i := range s.templateCount {
		t := &s.templates[i]
		for target := range s.DecodeTargets {
			if t.indication[target] != NotPresent {
				l := &s.targetLayers[target]
				l.Spatial = max(l.Spatial, t.layer.Spatial)
				l.Temporal = max(l.Temporal, t.layer.Temporal)
			}
		}
	}
}
