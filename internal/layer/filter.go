package layer

import "github.com/takoserver/takos-call/internal/codec"

// All as a target stands for every layer: nothing is dropped, not even lower
// spatial layers that the highest does not depend on.
var All = codec.Layer{Spatial: 255, Temporal: 255}

// Packet is what is known of a packet before anybody is sent it. It is read
// once and only read by the filters of all receivers.
type Packet struct {
	Codec     codec.Codec
	Timestamp uint32 // of RTP: the same for all frames of a picture
	Marker    bool   // of RTP: last packet of the picture
	// Frame is what the payload tells, zero if nothing.
	codec.Frame

	// Descriptor is the dependency descriptor, nil if the packet has none, or
	// none of which so much as the frame number could be read.
	Descriptor *codec.DependencyDescriptor
	// Structure is what Descriptor was read by. Without it, since it was lost
	// (codec.ErrDependencyTemplate), only the frame number and the frame's
	// bounds are valid.
	Structure *codec.DependencyStructure
}

// Verdict is what becomes of a packet.
type Verdict struct {
	// Forward is whether the packet is sent.
	Forward bool
	// Marker is the marker bit to send it with: set on the last packet of a
	// picture as the receiver gets it.
	Marker bool
	// NeedsKeyframe is set while the wanted layers cannot be reached, or what
	// is sent cannot be decoded, before the next keyframe.
	NeedsKeyframe bool
	// Targets are the decode targets that the receiver can decode, for the
	// dependency descriptor it is sent; zero if the packet has none.
	Targets uint32
}

// Filter selects the layers of one stream that one receiver is sent. The zero
// value sends the base layer; see SetTarget.
//
// Frames are sent whole or not at all. Layers change between pictures only, so
// that the last packet of a picture is known when it is sent.
type Filter struct {
	target       codec.Layer
	mode         mode
	byDescriptor descriptorFilter
	byPayload    payloadFilter
}

// mode is what a stream is filtered by.
type mode uint8

const (
	undecided mode = iota
	byNothing
	byDescriptor
	byPayload
)

// SetTarget sets the highest layers that are wanted, from the next picture on
// or as soon as the stream allows. More than the stream has is as good as its
// highest; when it has nothing as low, its lowest is sent.
func (f *Filter) SetTarget(l codec.Layer) { f.target = l }

// Target returns what SetTarget was given.
func (f *Filter) Target() codec.Layer { return f.target }

// Restart makes the receiver start anew with the next packet, maybe one of
// another stream. The caller sees to it that a keyframe starts with that
// packet, if the stream shows keyframes. That packet itself may be of a layer
// that is not sent.
func (f *Filter) Restart() { f.mode = undecided }

// Current returns the highest layers being sent. It is false before anything
// was selected and for a stream that shows no layers.
func (f *Filter) Current() (l codec.Layer, ok bool) {
	switch f.mode {
	case byDescriptor:
		return f.byDescriptor.now.layer, true
	case byPayload:
		return f.byPayload.current(), true
	}
	return codec.Layer{}, false
}

// Select decides on a packet of the stream. Each packet that arrives is to be
// shown once, in the order of arrival; one shown again gets the same answer
// for as long as its frame is remembered.
func (f *Filter) Select(p *Packet) Verdict {
	f.chooseMode(p)
	switch f.mode {
	case byDescriptor:
		return f.byDescriptor.decide(p, f.target)
	case byPayload:
		return f.byPayload.decide(p, f.target)
	}
	return Verdict{Forward: true, Marker: p.Marker}
}

// chooseMode finds what the stream is to be filtered by, from p on.
func (f *Filter) chooseMode(p *Packet) {
	switch {
	case p.Descriptor != nil && p.Structure != nil:
		if f.mode != byDescriptor {
			f.mode = byDescriptor
			f.byDescriptor.start(p, f.target)
		}
	case f.mode == byDescriptor:
	case showsLayers(p):
		if f.mode != byPayload {
			f.mode = byPayload
			f.byPayload.start(f.target)
		}
	case f.mode == undecided:
		f.mode = byNothing
	}
}

// showsLayers reports whether the payload tells the layer in each packet, and
// enough of the dependencies to drop some. AV1's does not: the header that
// tells is in the first packet of a frame only.
func showsLayers(p *Packet) bool {
	return p.HasLayer && (p.Codec == codec.VP8 || p.Codec == codec.VP9 || p.Codec == codec.H265)
}
