package sfu

import (
	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
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
// could be read. A descriptor that brings a structure, unless it is a late one,
// makes it the stream's; consumers may still be reading the old one, so that is
// left as it is. The recvMu of s's transport is held.
func (s *recvStream) readDependency(data []byte, d *codec.DependencyDescriptor) (structure *codec.DependencyStructure, known bool) {
	structure = s.structure
	brings := codec.BringsStructure(data)
	switch {
	case brings:
		structure = new(codec.DependencyStructure) // only with keyframes
	case structure == nil:
		var none codec.DependencyStructure
		return nil, d.Parse(data, &none) == codec.ErrDependencyTemplate
	}
	switch err := d.Parse(data, structure); {
	case err == codec.ErrDependencyTemplate:
		return nil, true
	case err != nil:
		return nil, false
	}
	if brings && (s.structure == nil || int16(d.FrameNumber-s.structureFrame) >= 0) {
		s.structure, s.structureFrame = structure, d.FrameNumber
	}
	return structure, true
}
