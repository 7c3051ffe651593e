package codec

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// encoder writes dependency descriptors by appendix A of the AV1 RTP
// specification, for the tests.
type encoder struct {
	idOffset    uint8
	targets     int
	templates   []template
	protectedBy []uint32 // per target; nil without chains
	chains      int
	resolutions []Resolution
}

type template struct {
	layer       Layer
	indications []Indication
	diffs       []uint8
	chainDiffs  []uint8
}

// packet is a descriptor to encode; nil slices and pointers are left to the
// template.
type packet struct {
	start, end  bool
	template    uint8
	number      uint16
	structure   *encoder
	active      *uint32
	indications []Indication
	diffs       []uint16
	customDiffs bool
	chainDiffs  []uint8
}

func (e *encoder) encode(p packet) []byte {
	var w bitWriter
	w.flag(p.start)
	w.flag(p.end)
	w.write(uint32(p.template), 6)
	w.write(uint32(p.number), 16)
	if p.structure == nil && p.active == nil && p.indications == nil && !p.customDiffs && p.chainDiffs == nil {
		return w.b
	}
	w.flag(p.structure != nil)
	w.flag(p.active != nil)
	w.flag(p.indications != nil)
	w.flag(p.customDiffs)
	w.flag(p.chainDiffs != nil)
	if p.structure != nil {
		p.structure.encodeStructure(&w)
	}
	if p.active != nil {
		w.write(*p.active, e.targets)
	}
	for _, indication := range p.indications {
		w.write(uint32(indication), 2)
	}
	if p.customDiffs {
		for _, diff := range p.diffs {
			size := 1
			for diff > 1<<(4*size) {
				size++
			}
			w.write(uint32(size), 2)
			w.write(uint32(diff-1), 4*size)
		}
		w.write(0, 2)
	}
	for _, diff := range p.chainDiffs {
		w.write(uint32(diff), 8)
	}
	return w.b
}

func (e *encoder) encodeStructure(w *bitWriter) {
	w.write(uint32(e.idOffset), 6)
	w.write(uint32(e.targets-1), 5)
	for i, t := range e.templates {
		if i == 0 {
			continue
		}
		switch before := e.templates[i-1].layer; {
		case t.layer == before:
			w.write(0, 2)
		case t.layer.Spatial == before.Spatial:
			w.write(1, 2)
		default:
			w.write(2, 2)
		}
	}
	w.write(3, 2)
	for _, t := range e.templates {
		for _, indication := range t.indications {
			w.write(uint32(indication), 2)
		}
	}
	for _, t := range e.templates {
		for _, diff := range t.diffs {
			w.write(1, 1)
			w.write(uint32(diff-1), 4)
		}
		w.write(0, 1)
	}
	w.nonSymmetric(uint32(e.chains), uint32(e.targets)+1)
	if e.chains > 0 {
		for _, chain := range e.protectedBy {
			w.nonSymmetric(chain, uint32(e.chains))
		}
		for _, t := range e.templates {
			for _, diff := range t.chainDiffs {
				w.write(uint32(diff), 4)
			}
		}
	}
	w.flag(e.resolutions != nil)
	for _, r := range e.resolutions {
		w.write(r.Width-1, 16)
		w.write(r.Height-1, 16)
	}
}

// l2t2 is a stream of two spatial and two temporal layers, four targets, a
// chain for each spatial layer.
func l2t2() *encoder {
	return &encoder{
		idOffset: 60, targets: 4, chains: 2,
		protectedBy: []uint32{0, 0, 1, 1},
		resolutions: []Resolution{{640, 360}, {1280, 720}},
		templates: []template{
			{Layer{0, 0}, []Indication{Switch, Switch, Switch, Switch}, nil, []uint8{0, 0}},
			{Layer{0, 0}, []Indication{Switch, Switch, Required, Required}, []uint8{4}, []uint8{4, 3}},
			{Layer{0, 1}, []Indication{NotPresent, Discardable, NotPresent, Required}, []uint8{2}, []uint8{2, 1}},
			{Layer{1, 0}, []Indication{NotPresent, NotPresent, Switch, Switch}, []uint8{1}, []uint8{1, 1}},
			{Layer{1, 1}, []Indication{NotPresent, NotPresent, NotPresent, Discardable}, []uint8{1, 2}, []uint8{3, 2}},
		},
	}
}

// see parses a descriptor that must be well-formed.
func see(t *testing.T, data []byte, s *DependencyStructure) DependencyDescriptor {
	t.Helper()
	var d DependencyDescriptor
	if err := d.Parse(data, s); err != nil {
		t.Fatalf("% x: %v", data, err)
	}
	return d
}

func TestDependencyStructureThenFrames(t *testing.T) {
	e := l2t2()
	var s DependencyStructure
	d := see(t, e.encode(packet{start: true, end: true, template: 60, number: 1000, structure: e}), &s)
	if !d.Start || !d.End || d.TemplateID != 60 || d.FrameNumber != 1000 || !d.HasStructure ||
		d.Layer != (Layer{}) || d.FrameDiffCount != 0 || d.ActiveDecodeTargets != 0b1111 ||
		d.Resolution != (Resolution{640, 360}) {
		t.Errorf("keyframe: %+v", d)
	}
	if s.DecodeTargets != 4 || s.Chains != 2 || s.SpatialLayers != 2 {
		t.Errorf("%d targets, %d chains, %d spatial layers", s.DecodeTargets, s.Chains, s.SpatialLayers)
	}
	for target, want := range []Layer{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		if got, ok := s.DecodeTargetLayer(target); !ok || got != want {
			t.Errorf("target %d is of layer %+v, want %+v", target, got, want)
		}
		if chain, ok := s.ProtectedBy(target); !ok || chain != target/2 {
			t.Errorf("target %d is protected by %d", target, chain)
		}
	}

	// A frame whose template id has gone round: 60 + 4 is 0.
	d = see(t, e.encode(packet{start: true, template: 0, number: 1003}), &s)
	if !d.Start || d.End || d.HasStructure || d.Layer != (Layer{1, 1}) || d.Resolution != (Resolution{1280, 720}) {
		t.Errorf("upper layers: %+v", d)
	}
	if diff := cmp.Diff([]uint16{1, 2}, d.FrameDiffs[:d.FrameDiffCount]); diff != "" {
		t.Error(diff)
	}
	for target, want := range []Indication{NotPresent, NotPresent, NotPresent, Discardable} {
		if got := d.Indication(target); got != want {
			t.Errorf("target %d: %v, want %v", target, got, want)
		}
	}
	if d.ChainDiff(0) != 3 || d.ChainDiff(1) != 2 {
		t.Errorf("chains %d, %d", d.ChainDiff(0), d.ChainDiff(1))
	}
}

func TestDependencyFrameDiffersFromItsTemplate(t *testing.T) {
	e := l2t2()
	var s DependencyStructure
	see(t, e.encode(packet{start: true, template: 60, number: 65534, structure: e}), &s)
	active := uint32(0b0011)
	d := see(t, e.encode(packet{
		start: true, template: 61, number: 65535, active: &active,
		indications: []Indication{Required, Discardable, NotPresent, Switch},
		customDiffs: true, diffs: []uint16{1, 16, 17, 256, 257, 4096},
		chainDiffs: []uint8{255, 7},
	}), &s)
	if diff := cmp.Diff([]uint16{1, 16, 17, 256, 257, 4096}, d.FrameDiffs[:d.FrameDiffCount]); diff != "" {
		t.Error(diff)
	}
	for target, want := range []Indication{Required, Discardable, NotPresent, Switch} {
		if got := d.Indication(target); got != want {
			t.Errorf("target %d: %v, want %v", target, got, want)
		}
	}
	if d.ChainDiff(0) != 255 || d.ChainDiff(1) != 7 || d.ActiveDecodeTargets != active {
		t.Errorf("%+v", d)
	}
	// What is active stays so, the rest was for this frame alone.
	d = see(t, e.encode(packet{start: true, template: 61, number: 0}), &s)
	if d.ActiveDecodeTargets != active || d.Indication(0) != Switch || d.FrameDiffCount != 1 {
		t.Errorf("%+v", d)
	}
}

func TestDependencyDescribesFrames(t *testing.T) {
	e := l2t2()
	var s DependencyStructure
	for _, test := range []struct {
		name string
		p    packet
		want Frame
	}{
		{"keyframe", packet{start: true, template: 60, structure: e}, Frame{Keyframe: true, Start: true, HasLayer: true}},
		{"keyframe's last packet", packet{end: true, template: 60}, Frame{End: true, HasLayer: true}},
		{"keyframe's upper layer", packet{start: true, end: true, template: 63},
			Frame{Start: true, End: true, HasLayer: true, Layer: Layer{Spatial: 1}}},
		{"structure repeated with a later packet", packet{template: 60, structure: e}, Frame{HasLayer: true}},
		{"structure with an interframe", packet{start: true, template: 61, structure: e}, Frame{Start: true, HasLayer: true}},
	} {
		d := see(t, e.encode(test.p), &s)
		got := Frame{Keyframe: true, PictureID: 0}
		d.Describe(&got)
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestDependencyWithoutStructureTellsWhatItCan(t *testing.T) {
	var s DependencyStructure
	var d DependencyDescriptor
	e := l2t2()
	err := d.Parse(e.encode(packet{start: true, end: true, template: 61, number: 7}), &s)
	if !errors.Is(err, ErrDependencyTemplate) {
		t.Errorf("%v, want %v", err, ErrDependencyTemplate)
	}
	if !d.Start || !d.End || d.TemplateID != 61 || d.FrameNumber != 7 {
		t.Errorf("%+v", d)
	}
}

func TestDependencyKeepsStructureWhenTheNextIsBroken(t *testing.T) {
	e := l2t2()
	var s DependencyStructure
	see(t, e.encode(packet{start: true, template: 60, structure: e}), &s)
	before := s
	other := l2t2()
	other.idOffset = 0
	whole := other.encode(packet{start: true, template: 0, structure: other, chainDiffs: []uint8{1, 2}})
	for n := range whole {
		if n == mandatoryDependencyBytes {
			continue // by itself a descriptor without structure
		}
		var d DependencyDescriptor
		if err := d.Parse(whole[:n], &s); err == nil {
			t.Errorf("%d of %d bytes are well-formed: %+v", n, len(whole), d)
		}
		if s != before {
			t.Fatalf("%d of %d bytes changed the structure", n, len(whole))
		}
	}
	see(t, whole, &s)
	if s == before {
		t.Error("the whole changed nothing")
	}
}

func TestActiveDecodeTargetsAreThoseOfTheNewestFrameThatTold(t *testing.T) {
	e := l2t2()
	var s DependencyStructure
	all, lower := uint32(0b1111), uint32(0b0011)
	for i, step := range []struct {
		packet
		want uint32
	}{
		{packet{template: 60, number: 65500, structure: e}, all},
		{packet{template: 61, number: 65504, active: &lower}, lower},
		{packet{template: 61, number: 65508}, lower},
		{packet{template: 61, number: 65503, active: &all}, all}, // late: of its own frame only
		{packet{template: 60, number: 65500, structure: e}, all}, // repeated
		{packet{template: 61, number: 65512}, lower},
		{packet{template: 61, number: 4, active: &all}, all}, // gone round
		{packet{template: 61, number: 65516, active: &lower}, lower},
		{packet{template: 61, number: 6}, all},
		{packet{template: 60, number: 8, structure: e, active: &lower}, lower},
		{packet{template: 61, number: 10}, lower},
		{packet{template: 60, number: 12, structure: e}, all}, // the same structure again
		{packet{template: 61, number: 14}, all},
	} {
		if d := see(t, e.encode(step.packet), &s); d.ActiveDecodeTargets != step.want {
			t.Errorf("%d: frame %d says that %04b are active, want %04b", i, step.number, d.ActiveDecodeTargets, step.want)
		}
	}
	// A long time without any change, and then one.
	for number := uint32(14); number < 14+50_000; number += 1000 {
		see(t, e.encode(packet{template: 61, number: uint16(number)}), &s)
	}
	see(t, e.encode(packet{template: 61, number: 50_014, active: &lower}), &s)
	if d := see(t, e.encode(packet{template: 61, number: 50_015}), &s); d.ActiveDecodeTargets != lower {
		t.Errorf("after a long time %04b are active", d.ActiveDecodeTargets)
	}
}

func TestStructureIsKnownAgain(t *testing.T) {
	e, other := l2t2(), l2t2()
	other.templates[4].diffs[0]++
	var s DependencyStructure
	if s.BroughtBy(e.encode(packet{template: 60, structure: e})) {
		t.Error("nothing is known, and yet it is known again")
	}
	see(t, e.encode(packet{template: 60, number: 7, structure: e}), &s)
	active := uint32(3)
	for _, c := range []struct {
		what string
		data []byte
		want bool
	}{
		{"another frame", e.encode(packet{start: true, end: true, template: 62, number: 9, structure: e}), true},
		{"with more behind it", e.encode(packet{template: 60, structure: e, active: &active, customDiffs: true, diffs: []uint16{300}}), true},
		{"another structure", e.encode(packet{template: 60, structure: other}), false},
		{"no structure", e.encode(packet{template: 60, active: &active}), false},
		{"mandatory fields only", e.encode(packet{template: 60}), false},
		{"cut off", e.encode(packet{template: 60, structure: e})[:12], false},
		{"nothing", nil, false},
	} {
		if got := s.BroughtBy(c.data); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
	before := s
	d := see(t, e.encode(packet{start: true, template: 63, number: 8, structure: e}), &s)
	if !d.HasStructure || d.Layer != (Layer{1, 0}) {
		t.Errorf("read by the structure known: %+v", d)
	}
	if s.activeSince = before.activeSince; s != before {
		t.Error("the same structure changed what was known")
	}
}

// Whatever structures come one after the other, each descriptor is read as by one
// who did not know any.
func TestKnownStructureIsReadAsAnew(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		encoders := []*encoder{drawEncoder(rt), drawEncoder(rt)}
		var s DependencyStructure
		for i := range 6 {
			e := encoders[rapid.IntRange(0, 1).Draw(rt, "encoder")]
			data := e.encode(packet{
				template: (e.idOffset + uint8(rapid.IntRange(0, len(e.templates)-1).Draw(rt, "template"))) % 64,
				number:   uint16(i), structure: e,
			})
			var fresh DependencyStructure
			var got, want DependencyDescriptor
			if err := want.Parse(data, &fresh); err != nil {
				rt.Fatal(err)
			}
			known := s.BroughtBy(data)
			if err := got.Parse(data, &s); err != nil || got != want {
				rt.Fatalf("known %v: %+v, want %+v: %v", known, got, want, err)
			}
			if s != fresh {
				rt.Fatalf("known %v: the structure is another", known)
			}
		}
	})
}

func TestDependencyLimits(t *testing.T) {
	base := func() *encoder {
		return &encoder{targets: 1, templates: []template{{indications: []Indication{Switch}}}}
	}
	many := base()
	for range 64 {
		many.templates = append(many.templates, many.templates[0])
	}
	spatial := base()
	for i := range 4 {
		spatial.templates = append(spatial.templates, template{layer: Layer{Spatial: uint8(i + 1)}, indications: []Indication{Switch}})
	}
	temporal := base()
	for i := range 8 {
		temporal.templates = append(temporal.templates, template{layer: Layer{Temporal: uint8(i + 1)}, indications: []Indication{Switch}})
	}
	references := base()
	for range 17 {
		references.templates[0].diffs = append(references.templates[0].diffs, 1)
	}
	for name, p := range map[string]packet{
		"65 templates":                {structure: many},
		"5 spatial layers":            {structure: spatial},
		"9 temporal layers":           {structure: temporal},
		"17 references of a template": {structure: references},
		"17 references of a frame":    {structure: base(), customDiffs: true, diffs: make17()},
	} {
		var s DependencyStructure
		var d DependencyDescriptor
		if err := d.Parse(p.structure.encode(p), &s); !errors.Is(err, ErrDependencyStructure) {
			t.Errorf("%s: %v, want %v", name, err, ErrDependencyStructure)
		}
	}
	// The most that is allowed.
	many.templates = many.templates[:64]
	many.targets = 32
	for i := range many.templates {
		many.templates[i].indications = make([]Indication, 32)
	}
	var s DependencyStructure
	if d := see(t, many.encode(packet{structure: many, template: 63}), &s); d.ActiveDecodeTargets != 1<<32-1 {
		t.Errorf("active %b", d.ActiveDecodeTargets)
	}
}

func make17() []uint16 {
	diffs := make([]uint16, 17)
	for i := range diffs {
		diffs[i] = 1
	}
	return diffs
}

func TestDependencyViewsCheckBounds(t *testing.T) {
	var s DependencyStructure
	var d DependencyDescriptor
	if _, ok := s.DecodeTargetLayer(0); ok {
		t.Error("a target of an empty structure")
	}
	if _, ok := s.ProtectedBy(0); ok {
		t.Error("a chain of an empty structure")
	}
	if s.Resolution(4) != (Resolution{}) || s.Resolution(255) != (Resolution{}) {
		t.Error("a resolution from nowhere")
	}
	for _, i := range []int{-1, 32} {
		if d.Indication(i) != NotPresent || d.ChainDiff(i) != 0 {
			t.Errorf("something at %d", i)
		}
	}
}

func TestDependencyDescriptorAnyShape(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := drawEncoder(rt)
		index := rapid.IntRange(0, len(e.templates)-1).Draw(rt, "template")
		p := packet{
			start: true, number: rapid.Uint16().Draw(rt, "number"),
			template: (e.idOffset + uint8(index)) % 64, structure: e,
		}
		var s DependencyStructure
		var d DependencyDescriptor
		if err := d.Parse(e.encode(p), &s); err != nil {
			rt.Fatal(err)
		}
		want := e.templates[index]
		if d.Layer != want.layer || d.FrameNumber != p.number || d.FrameDiffCount != len(want.diffs) ||
			s.DecodeTargets != e.targets || s.Chains != e.chains {
			rt.Fatalf("%+v, want %+v", d, want)
		}
		for i, diff := range want.diffs {
			if d.FrameDiffs[i] != uint16(diff) {
				rt.Fatalf("reference %d is %d, want %d", i, d.FrameDiffs[i], diff)
			}
		}
		for i, indication := range want.indications {
			if d.Indication(i) != indication {
				rt.Fatalf("target %d is %d, want %d", i, d.Indication(i), indication)
			}
		}
		for i, diff := range want.chainDiffs {
			if d.ChainDiff(i) != diff {
				rt.Fatalf("chain %d is %d, want %d", i, d.ChainDiff(i), diff)
			}
		}
		for spatial, want := range e.resolutions {
			if got := s.Resolution(uint8(spatial)); got != want {
				rt.Fatalf("resolution %d is %v, want %v", spatial, got, want)
			}
		}
	})
}

// drawEncoder draws any structure within the limits.
func drawEncoder(t *rapid.T) *encoder {
	e := &encoder{
		idOffset: rapid.Uint8Range(0, 63).Draw(t, "offset"),
		targets:  rapid.IntRange(1, 32).Draw(t, "targets"),
	}
	e.chains = rapid.IntRange(0, e.targets).Draw(t, "chains")
	var layer Layer
	for range rapid.IntRange(1, 20).Draw(t, "templates") {
		tpl := template{layer: layer}
		for range e.targets {
			tpl.indications = append(tpl.indications, Indication(rapid.Uint8Range(0, 3).Draw(t, "indication")))
		}
		tpl.diffs = rapid.SliceOfN(rapid.Uint8Range(1, 16), 0, 16).Draw(t, "diffs")
		for range e.chains {
			tpl.chainDiffs = append(tpl.chainDiffs, rapid.Uint8Range(0, 15).Draw(t, "chain diff"))
		}
		e.templates = append(e.templates, tpl)
		switch step := rapid.IntRange(0, 2).Draw(t, "step"); {
		case step == 1 && layer.Temporal < 7:
			layer.Temporal++
		case step == 2 && layer.Spatial < 3:
			layer = Layer{Spatial: layer.Spatial + 1}
		}
	}
	if e.chains > 0 {
		for range e.targets {
			e.protectedBy = append(e.protectedBy, rapid.Uint32Range(0, uint32(e.chains-1)).Draw(t, "protected by"))
		}
	}
	if rapid.Bool().Draw(t, "resolutions") {
		for range int(e.templates[len(e.templates)-1].layer.Spatial) + 1 {
			e.resolutions = append(e.resolutions, Resolution{
				Width:  rapid.Uint32Range(1, 65536).Draw(t, "width"),
				Height: rapid.Uint32Range(1, 65536).Draw(t, "height"),
			})
		}
	}
	return e
}

func TestDependencyDescriptorDoesNotAllocate(t *testing.T) {
	e := l2t2()
	first := e.encode(packet{start: true, template: 60, structure: e})
	next := e.encode(packet{start: true, template: 61})
	var s DependencyStructure
	var d DependencyDescriptor
	if allocs := testing.AllocsPerRun(100, func() {
		if d.Parse(first, &s) != nil || d.Parse(next, &s) != nil {
			t.Fatal("cannot parse")
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkDependencyDescriptor(b *testing.B) {
	e := l2t2()
	var s DependencyStructure
	var d DependencyDescriptor
	if err := d.Parse(e.encode(packet{start: true, template: 60, structure: e}), &s); err != nil {
		b.Fatal(err)
	}
	next := e.encode(packet{start: true, template: 61})
	b.ReportAllocs()
	for b.Loop() {
		if d.Parse(next, &s) != nil {
			b.Fatal("cannot parse")
		}
	}
}

func FuzzDependencyDescriptor(f *testing.F) {
	e := l2t2()
	structure := e.encode(packet{start: true, template: 60, structure: e})
	active := uint32(5)
	f.Add(structure)
	f.Add(e.encode(packet{template: 62}))
	f.Add(e.encode(packet{template: 62, active: &active, indications: []Indication{1, 2, 3, 0},
		customDiffs: true, diffs: []uint16{1, 300, 20}, chainDiffs: []uint8{1, 2}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, first := range [][]byte{nil, structure} {
			var s DependencyStructure
			var d DependencyDescriptor
			if first != nil {
				see(t, first, &s)
			}
			before := s
			if err := d.Parse(data, &s); err != nil {
				if s != before {
					t.Fatal("a malformed descriptor changed the structure")
				}
				continue
			}
			if s.DecodeTargets < 1 || s.DecodeTargets > maxDecodeTargets || s.Chains > s.DecodeTargets ||
				int(d.Spatial) >= s.SpatialLayers || d.FrameDiffCount > maxFrameDiffs {
				t.Fatalf("%+v of %d targets, %d chains", d, s.DecodeTargets, s.Chains)
			}
			for target := range s.DecodeTargets {
				if chain, ok := s.ProtectedBy(target); ok && chain >= s.Chains {
					t.Fatalf("target %d is protected by chain %d of %d", target, chain, s.Chains)
				}
			}
		}
	})
}
