package codec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// sameFrame compares what descriptors say, without where they say it.
var sameFrame = cmp.Options{
	cmp.AllowUnexported(DependencyDescriptor{}),
	cmpopts.IgnoreFields(DependencyDescriptor{}, "maskAt", "end", "hasMask"),
}

// rewritten reads data, rewrites it, reads the result by the same structure and
// checks that nothing changed but what should. It returns the result.
func rewritten(t testing.TB, data []byte, before DependencyStructure, delta uint16, mask uint32) []byte {
	t.Helper()
	s := before
	var d, got DependencyDescriptor
	if err := d.Parse(data, &s); err != nil {
		return nil
	}
	out := AppendDependency([]byte("in front"), data, &d, &s, delta, mask)
	if string(out[:8]) != "in front" {
		t.Fatalf("overwrote what was there: %x", out)
	}
	out = out[8:]
	after := before
	if err := got.Parse(out, &after); err != nil {
		t.Fatalf("%x became %x: %v", data, out, err)
	}
	want := d
	want.FrameNumber += delta
	want.ActiveDecodeTargets = mask & uint32(1<<s.DecodeTargets-1)
	if d := cmp.Diff(want, got, sameFrame); d != "" {
		t.Fatalf("%x became %x: %s", data, out, d)
	}
	after.active, after.activeSince = s.active, s.activeSince
	if after != s {
		t.Fatalf("%x became %x: the structure changed", data, out)
	}
	return out
}

func TestAppendDependencyAnyShape(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := drawEncoder(rt)
		var s DependencyStructure
		var d DependencyDescriptor
		structure := e.encode(packet{start: true, template: e.idOffset % 64, structure: e})
		if err := d.Parse(structure, &s); err != nil {
			rt.Fatal(err)
		}
		p := packet{template: (e.idOffset + uint8(rapid.IntRange(0, len(e.templates)-1).Draw(rt, "template"))) % 64}
		p.number = rapid.Uint16().Draw(rt, "number")
		if rapid.Bool().Draw(rt, "with mask") {
			active := rapid.Uint32().Draw(rt, "active") & uint32(1<<e.targets-1)
			p.active = &active
		}
		if rapid.Bool().Draw(rt, "with structure") {
			p.structure = e
		}
		if rapid.Bool().Draw(rt, "with diffs") {
			p.customDiffs, p.diffs = true, rapid.SliceOfN(rapid.Uint16Range(1, 4096), 0, 16).Draw(rt, "diffs")
		}
		delta := rapid.Uint16().Draw(rt, "delta")
		mask := rapid.Uint32().Draw(rt, "mask") & uint32(1<<e.targets-1)
		rewritten(t, e.encode(p), s, delta, mask)
	})
}

func TestAppendDependencyKeepsTheMaskThatIsRight(t *testing.T) {
	e := l2t2()
	var s DependencyStructure
	see(t, e.encode(packet{start: true, template: 60, structure: e}), &s)
	data := e.encode(packet{template: 61, number: 0xFFFF})
	if got := rewritten(t, data, s, 3, s.active); len(got) != len(data) {
		t.Errorf("%x became %x: it grew for a mask that says the same", data, got)
	}
	if got := rewritten(t, data, s, 3, 1); len(got) != len(data)+2 { // 5 flags, 4 targets
		t.Errorf("%x became %x", data, got)
	}
}

func TestAppendDependencyWithoutStructure(t *testing.T) {
	var d DependencyDescriptor
	var none DependencyStructure
	data := []byte{0x80, 0x01, 0x02, 0x40}
	if err := d.Parse(data, &none); err == nil {
		t.Fatal("parsed without a structure")
	}
	got := AppendDependency(nil, data, &d, nil, 0x10, 5)
	if diff := cmp.Diff([]byte{0x80, 0x01, 0x12, 0x40}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzAppendDependency(f *testing.F) {
	e := l2t2()
	structure := e.encode(packet{start: true, template: 60, structure: e})
	active := uint32(5)
	f.Add(structure, uint16(1), uint32(3))
	f.Add(e.encode(packet{template: 62}), uint16(0xFFFF), uint32(0))
	f.Add(e.encode(packet{template: 62, active: &active, customDiffs: true, diffs: []uint16{1, 300}}), uint16(9), uint32(15))
	f.Fuzz(func(t *testing.T, data []byte, delta uint16, mask uint32) {
		var s DependencyStructure
		see(t, structure, &s)
		rewritten(t, data, s, delta, mask&uint32(1<<s.DecodeTargets-1))
		var d DependencyDescriptor
		if d.Parse(data, &s) == nil {
			rewritten(t, data, s, delta, mask&uint32(1<<s.DecodeTargets-1))
		}
	})
}

func TestAppendDependencyDoesNotAllocate(t *testing.T) {
	e := l2t2()
	var s DependencyStructure
	see(t, e.encode(packet{start: true, template: 60, structure: e}), &s)
	data := e.encode(packet{template: 61})
	d := see(t, data, &s)
	dst := make([]byte, 0, 64)
	if allocs := testing.AllocsPerRun(100, func() {
		AppendDependency(dst, data, &d, &s, 7, 1)
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
