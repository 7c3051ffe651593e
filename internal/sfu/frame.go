package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// As many layers are told apart in one stream; what is beyond counts as the
// highest.
const maxSpatial, maxTemporal = 4, 4

// frameInfo is what a packet tells of its frame.
type frameInfo struct {
	layer.Packet
	descriptor codec.DependencyDescriptor // Descriptor, if there is one
}

// read takes from a packet of s what it tells of its frame: the dependency
// descriptor knows best, since the payload may be encrypted end to end. The
// recvMu of s's transport is held.
func (f *frameInfo) read(s *recvStream, h *rtp.Header, c codec.Codec, payload, descriptor []byte) {
	f.Packet = layer.Packet{Codec: c, Timestamp: h.Timestamp, Marker: h.Marker}
	codec.Read(c, payload, &f.Frame)
	if len(descriptor) == 0 {
		return
	}
	known := false
	if f.Structure, known = s.readDependency(descriptor, &f.descriptor); known {
		f.Descriptor = &f.descriptor
	}
	if f.Structure != nil {
		f.descriptor.Describe(&f.Frame)
	}
}

// again is read for a packet that is sent once more. Its descriptor keeps the
// mask that its sender gave it.
func (f *frameInfo) again(c codec.Codec, payload, descriptor []byte) {
	f.Packet = layer.Packet{Codec: c}
	codec.Read(c, payload, &f.Frame)
	var none codec.DependencyStructure
	if len(descriptor) > 0 && f.descriptor.Parse(descriptor, &none) != codec.ErrDependencyShort {
		f.Descriptor = &f.descriptor
	}
}

// readDependency reads a descriptor by the structure of the stream, which it
// returns; nil if that was lost. known is false where not even the frame number
// could be read. A descriptor that brings another structure, unless it is a late
// one, makes it the stream's; consumers may still be reading the old one, so that
// is left as it is. The recvMu of s's transport is held.
func (s *recvStream) readDependency(data []byte, d *codec.DependencyDescriptor) (structure *codec.DependencyStructure, known bool) {
	structure = s.dependency.structure
	brings := codec.BringsStructure(data)
	if structure == nil || brings && !structure.BroughtBy(data) {
		if !brings || !s.dependency.mayLearn(s.lastPacket) {
			var none codec.DependencyStructure
			err := d.Parse(data, &none)
			return nil, err == nil || err == codec.ErrDependencyTemplate
		}
		structure = new(codec.DependencyStructure)
	}
	switch err := d.Parse(data, structure); {
	case err == codec.ErrDependencyTemplate:
		return nil, true
	case err != nil:
		return nil, false
	}
	s.dependency.note(structure, d.FrameNumber, brings)
	return structure, true
}

// dependency is by what the dependency descriptors of a stream are read. Guarded
// by recvMu.
type dependency struct {
	structure *codec.DependencyStructure // nil before the first
	frame     uint16                     // that brought it
	paid      mono.Instant               // until when structures were learnt in advance
}

const (
	// Structures come with keyframes. More than that is not believed, so that
	// nobody makes us allocate 6 KB for each packet: one that differs each
	// structureInterval in the long run, structureBurst of them at once.
	structureInterval = 100 * time.Millisecond
	structureBurst    = 10
	// lateStructure is how many frames back a structure comes too late. What is
	// further back is of a sender that counts anew.
	lateStructure = 1 << 10
)

// mayLearn reports whether there is another structure to be had at now, and
// counts it.
func (y *dependency) mayLearn(now mono.Instant) bool {
	paid := max(y.paid, now)
	if paid.Sub(now) >= structureBurst*structureInterval {
		return false
	}
	y.paid = paid.Add(structureInterval)
	return true
}

// note takes in that frame was read by a structure, which it brought or not.
func (y *dependency) note(structure *codec.DependencyStructure, frame uint16, brings bool) {
	ahead := int16(frame - y.frame)
	switch {
	case brings && (y.structure == nil || ahead >= 0 || ahead <= -lateStructure):
		y.structure, y.frame = structure, frame
	case ahead > lateStructure:
		// Frame numbers go round while there is no keyframe. What is so far
		// back is not late any more.
		y.frame = frame - lateStructure
	}
}
