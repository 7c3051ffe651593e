package sfu

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/codec"
)

// readDescriptor has s read a descriptor, which must be well-formed.
func readDescriptor(t *testing.T, s *recvStream, data []byte) (*codec.DependencyStructure, codec.DependencyDescriptor) {
	t.Helper()
	var d codec.DependencyDescriptor
	structure, known := s.readDependency(data, &d)
	if !known {
		t.Fatalf("% x could not be read", data)
	}
	return structure, d
}

func TestStructureIsSharedUntilThereIsAnother(t *testing.T) {
	s := testStream(false)
	one, other := ddStream{offset: 0, temporal: 2}, ddStream{offset: 2, temporal: 3}
	if structure, d := readDescriptor(t, s, one.append(nil, ddFrame{number: 7})); structure != nil || d.FrameNumber != 7 {
		t.Errorf("without a structure, read %+v by %v", d, structure)
	}
	first, _ := readDescriptor(t, s, one.append(nil, ddFrame{number: 10, structure: true}))
	for _, f := range []ddFrame{{number: 11, temporal: 1}, {number: 20, structure: true}, {number: 15, structure: true}, {number: 21}} {
		if structure, _ := readDescriptor(t, s, one.append(nil, f)); structure != first {
			t.Errorf("frame %d was read by another structure", f.number)
		}
	}
	second, _ := readDescriptor(t, s, other.append(nil, ddFrame{number: 30, structure: true}))
	if second == first || first.DecodeTargets != 2 || second.DecodeTargets != 3 {
		t.Errorf("the second structure, %p, has %d targets; the first, %p, has %d", second, second.DecodeTargets, first, first.DecodeTargets)
	}
	// The first one comes late.
	if late, _ := readDescriptor(t, s, one.append(nil, ddFrame{number: 20, structure: true})); late.DecodeTargets != 2 {
		t.Errorf("a late structure has %d targets", late.DecodeTargets)
	}
	if structure, _ := readDescriptor(t, s, other.append(nil, ddFrame{number: 31, temporal: 2})); structure != second {
		t.Error("a late structure took the place of the newer one")
	}
}

// A sender that sees no need for a keyframe sends none for an hour; its frame
// numbers go round meanwhile.
func TestStructureAfterALongTimeIsNotTakenForALateOne(t *testing.T) {
	one, other := ddStream{offset: 0, temporal: 3}, ddStream{offset: 32, temporal: 3}
	for _, frames := range []int{1, 20_000, 33_000, 50_000, 65_536, 100_000} {
		s := testStream(false)
		readDescriptor(t, s, one.append(nil, ddFrame{structure: true}))
		for number := 100; number < frames; number += 100 {
			readDescriptor(t, s, one.append(nil, ddFrame{number: uint16(number)}))
		}
		readDescriptor(t, s, other.append(nil, ddFrame{number: uint16(frames), structure: true}))
		if structure, _ := readDescriptor(t, s, other.append(nil, ddFrame{number: uint16(frames + 1)})); structure == nil {
			t.Errorf("after %d frames the new structure was not taken", frames)
		}
	}
}

func TestSenderThatCountsAnewIsReadByItsNewStructure(t *testing.T) {
	s := testStream(false)
	one, other := ddStream{offset: 0, temporal: 2}, ddStream{offset: 20, temporal: 2}
	readDescriptor(t, s, one.append(nil, ddFrame{number: 9000, structure: true}))
	readDescriptor(t, s, other.append(nil, ddFrame{number: 1, structure: true}))
	if structure, _ := readDescriptor(t, s, other.append(nil, ddFrame{number: 2})); structure == nil {
		t.Error("the structure was not taken")
	}
}

func TestStructureOnEachPacketAllocatesNothing(t *testing.T) {
	s := testStream(false)
	var d codec.DependencyDescriptor
	same := ddStream{offset: 5, temporal: 3}.append(nil, ddFrame{structure: true, active: 3})
	s.readDependency(same, &d)
	if n := testing.AllocsPerRun(100, func() { s.readDependency(same, &d) }); n != 0 {
		t.Errorf("the same one: %v allocations", n)
	}
	var differing [60][]byte
	for i := range differing {
		differing[i] = ddStream{offset: uint8(i), temporal: 3}.append(nil, ddFrame{number: uint16(i), structure: true})
	}
	next := 0
	if n := testing.AllocsPerRun(6000, func() {
		s.readDependency(differing[next%len(differing)], &d)
		next++
	}); n != 0 {
		t.Errorf("one after the other: %v allocations", n)
	}
	if structure, known := s.readDependency(differing[next%len(differing)], &d); structure != nil || !known || !d.HasStructure {
		t.Errorf("too many structures: read %+v by %v", d, structure)
	}
	s.lastPacket = s.lastPacket.Add(time.Second)
	if structure, _ := readDescriptor(t, s, differing[next%len(differing)]); structure == nil {
		t.Error("a second later, no other structure was taken")
	}
}
