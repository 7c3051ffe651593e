package sfu

import "github.com/takoserver/takos-call/internal/codec"

// As many layers are told apart in one stream; what is beyond counts as the
// highest.
const maxSpatial, maxTemporal = 4, 4

// frameInfo is what a packet tells of its frame.
type frameInfo struct {
	codec.Frame
	// descriptor is how the frame depends on others, to be read by structure,
	// which is nil where the stream brings no descriptors.
	descriptor codec.DependencyDescriptor
	structure  *codec.DependencyStructure
}

// read takes from a packet of s what it tells of its frame: the dependency
// descriptor knows best, since the payload may be encrypted end to end. The
// recvMu of s's transport is held.
func (f *frameInfo) read(s *recvStream, c codec.Codec, payload, descriptor []byte) {
	codec.Read(c, payload, &f.Frame)
	f.structure = nil
	if len(descriptor) == 0 {
		return
	}
	if structure := s.readDependency(descriptor, &f.descriptor); structure != nil {
		f.structure = structure
		f.descriptor.Describe(&f.Frame)
	}
}

// readDependency reads a descriptor by the structure of the stream, which it
// returns; nil if it cannot be read, maybe because the structure was lost. One that
// brings a structure, unless it is a late one, makes it the stream's; consumers
// may still be reading the old one, so that is left as it is.
func (s *recvStream) readDependency(data []byte, d *codec.DependencyDescriptor) *codec.DependencyStructure {
	if !codec.BringsStructure(data) {
		if s.structure == nil || d.Parse(data, s.structure) != nil {
			return nil
		}
		return s.structure
	}
	structure := new(codec.DependencyStructure)
	if d.Parse(data, structure) != nil {
		return nil
	}
	if s.structure == nil || int16(d.FrameNumber-s.structureFrame) >= 0 {
		s.structure, s.structureFrame = structure, d.FrameNumber
	}
	return structure
}
