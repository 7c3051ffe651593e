package layer

import (
	"math/bits"

	"github.com/takoserver/takos-call/internal/codec"
)

// descriptorFilter selects by the dependency descriptor.
//
// A decode target is a set of frames that refer to no others. One of them is
// sent. Another can be sent from a picture on if it is whole: if nothing of it
// that later frames may need was left out since the last frame that it could
// be started with.
type descriptorFilter struct {
	now       selection
	before    [selections]selection // in turn, for what comes late
	next      uint8                 // index in before
	ts        uint32                // newest picture
	whole     uint32                // targets that can be sent from here on
	needsKey  bool
	allowed   uint32 // targets that the receiver can decode
	decisions frameWindow
}

// selections is how many selections are remembered for what comes late.
const selections = 8

// selection is the decode target that is sent.
type selection struct {
	first  int64  // number of the first frame
	ts     uint32 // its picture
	target uint8
	all    bool        // and all others
	layer  codec.Layer // highest of the target
	within uint32      // targets of no higher layers
	sure   uint32      // those of them of the same spatial layer, which it contains
}

// start begins with p, whatever it is.
func (d *descriptorFilter) start(p *Packet, target codec.Layer) {
	*d = descriptorFilter{whole: everything(p.Structure), ts: p.Timestamp}
	n := int64(1)<<16 + int64(p.Descriptor.FrameNumber)
	d.decisions = frameWindow{newest: n - 1, first: n}
	d.choose(p, n, target, d.whole)
}

func everything(s *codec.DependencyStructure) uint32 { return uint32(1<<s.DecodeTargets - 1) }

// decide selects p, all packets of whose frame get the same answer.
func (d *descriptorFilter) decide(p *Packet, target codec.Layer) Verdict {
	if p.Descriptor == nil {
		return Verdict{Forward: true, Marker: p.Marker, NeedsKeyframe: d.needsKey}
	}
	n := d.decisions.unwrap(p.Descriptor.FrameNumber)
	if n <= d.decisions.newest-frameWindowSize && beginsSequence(p) {
		d.start(p, target) // the sender counts anew
		n = d.decisions.first
	}
	if !d.decisions.known(n) {
		d.decideFrame(p, n, target)
	}
	v := Verdict{
		Forward: d.decisions.sent(n), Marker: p.Marker,
		NeedsKeyframe: d.needsKey, Targets: d.allowed,
	}
	if s := d.at(n, p.Timestamp); p.Structure != nil && !s.all && p.Descriptor.End && p.Descriptor.Spatial == s.layer.Spatial {
		v.Marker = true
	}
	return v
}

// beginsSequence reports whether a decoder starts with p's frame.
func beginsSequence(p *Packet) bool {
	d := p.Descriptor
	return p.Structure != nil && d.HasStructure && d.FrameDiffCount == 0 && d.Spatial == 0
}

// at returns what the frame n of the picture ts is selected by.
func (d *descriptorFilter) at(n int64, ts uint32) *selection {
	if n >= d.now.first || ts == d.now.ts {
		return &d.now
	}
	for i := range uint8(selections) {
		if s := &d.before[(d.next-1-i)%selections]; n >= s.first || ts == s.ts {
			return s
		}
	}
	return &d.before[d.next%selections] // the oldest
}

func (d *descriptorFilter) decideFrame(p *Packet, n int64, target codec.Layer) {
	newest := d.decisions.newest
	if p.Structure == nil {
		// What it is comes later, if at all. It is left out if late, unless
		// all is sent: it may be of a layer that is not sent.
		d.decisions.note(n, n > newest || d.at(n, p.Timestamp).all)
		return
	}
	k := readKinds(p)
	refs := d.decisions.references(p.Descriptor, n)
	if n > newest {
		if n > newest+1 {
			// What is missing may be left out when it comes. It is sent if it
			// belongs to what is sent, as lower temporal layers do; lower
			// spatial ones may not.
			d.whole &= d.now.sure
		}
		if p.Timestamp != d.ts || beginsSequence(p) {
			d.ts = p.Timestamp
			d.choose(p, n, target, d.available(p, &k, refs))
			if n > newest+1 && p.Descriptor.Spatial > 0 {
				// Some of what is missing is of this picture, and selected
				// by what was chosen just now.
				d.whole &= d.now.sure
			}
		}
	}
	s, late := d.at(n, p.Timestamp), n < newest
	send := s.all || k.present>>s.target&1 != 0 && refs != refLeftOut
	d.decisions.note(n, send)
	switch {
	case !send:
		d.whole &^= k.needed
	case refs == refSent && !late:
		d.whole |= k.begins
	}
	d.allowed = p.Descriptor.ActiveDecodeTargets & d.whole & d.now.within
	if d.now.all {
		d.allowed = p.Descriptor.ActiveDecodeTargets
	}
}

// available returns the targets that can be sent from p's frame on.
func (d *descriptorFilter) available(p *Packet, k *kinds, refs references) uint32 {
	if beginsSequence(p) {
		d.whole = everything(p.Structure)
		return d.whole
	}
	switch refs {
	case refSent:
		return d.whole | k.begins
	case refMissing:
		// On its way, if it belongs to what is sent.
		return d.whole &^ (k.present &^ d.now.sure)
	}
	return d.whole &^ k.present
}

// choose selects the best of the available targets from the frame n on.
func (d *descriptorFilter) choose(p *Packet, n int64, target codec.Layer, available uint32) {
	active := p.Descriptor.ActiveDecodeTargets
	if active == 0 {
		active = everything(p.Structure)
	}
	wanted, _ := best(p.Structure, active, target)
	chosen, ok := best(p.Structure, available&active, target)
	if !ok {
		d.needsKey = true // and what was sent goes on
		return
	}
	// What was left out so far may be referred to.
	s := selection{target: chosen, all: target == All && active&^available == 0}
	s.layer, _ = p.Structure.DecodeTargetLayer(int(chosen))
	for i := range p.Structure.DecodeTargets {
		if l, _ := p.Structure.DecodeTargetLayer(i); l.Spatial <= s.layer.Spatial && l.Temporal <= s.layer.Temporal {
			s.within |= 1 << i
			if l.Spatial == s.layer.Spatial {
				s.sure |= 1 << i
			}
		}
	}
	if s.all {
		s.within = everything(p.Structure)
		s.sure = s.within
	}
	if s.target != d.now.target || s.all != d.now.all || s.within != d.now.within || s.layer != d.now.layer {
		d.before[d.next%selections] = d.now
		d.next++
		s.first, s.ts = n, p.Timestamp
		d.now = s
	}
	highest, _ := p.Structure.DecodeTargetLayer(int(wanted))
	d.needsKey = highest.Spatial != s.layer.Spatial
}

// best returns the target with the highest layers that are not above limit,
// spatial ones first; if there is none, the lowest, with no higher temporal
// layers than needed.
func best(s *codec.DependencyStructure, targets uint32, limit codec.Layer) (target uint8, ok bool) {
	score := -1
	for ; targets != 0; targets &= targets - 1 {
		i := bits.TrailingZeros32(targets)
		l, known := s.DecodeTargetLayer(i)
		if !known {
			break
		}
		if r := rank(l, limit); r > score {
			score, target = r, uint8(i)
		}
	}
	return target, score >= 0
}

// rank orders layers by how well they serve a receiver that wants no higher
// ones than limit.
func rank(l, limit codec.Layer) int {
	const step = 16 // more than there are layers of a kind
	r := step*step + int(l.Spatial)*step
	if l.Spatial > limit.Spatial {
		r = (step - int(l.Spatial)) * step / 2
	}
	if l.Temporal > limit.Temporal {
		return r/step*step + max(0, 7-int(l.Temporal))
	}
	return r + 8 + int(l.Temporal)
}

// kinds are the decode targets to which a frame is something.
type kinds struct {
	present uint32 // it is part of them
	needed  uint32 // and later frames of them may depend on it
	begins  uint32 // they can be started with it
}

func readKinds(p *Packet) (k kinds) {
	for i := range p.Structure.DecodeTargets {
		switch p.Descriptor.Indication(i) {
		case codec.Discardable:
			k.present |= 1 << i
		case codec.Switch:
			k.present |= 1 << i
			k.needed |= 1 << i
			k.begins |= 1 << i
		case codec.Required:
			k.present |= 1 << i
			k.needed |= 1 << i
		}
	}
	return k
}

// frameWindowSize is for how many frames decisions are remembered.
const frameWindowSize = 256

// frameWindow remembers which of the newest frames were sent. What was before
// the first counts as sent: a stream without keyframes is started anywhere.
type frameWindow struct {
	newest, first int64
	decided, send [frameWindowSize / 64]uint64
}

// references is what is known of the frames that a frame refers to.
type references uint8

const (
	refSent    references = iota // all of them were
	refMissing                   // some did not arrive yet
	refLeftOut                   // some were
)

func (w *frameWindow) unwrap(number uint16) int64 {
	return w.newest + int64(int16(number-uint16(w.newest)))
}

// known reports whether it was decided on n; what is too old is left out.
func (w *frameWindow) known(n int64) bool {
	if n <= w.newest-frameWindowSize || n < w.first {
		return true
	}
	return n <= w.newest && w.decided[n/64%int64(len(w.decided))]>>(n%64)&1 != 0
}

// sent reports whether n is sent, if it was decided on.
func (w *frameWindow) sent(n int64) bool {
	return n > w.newest-frameWindowSize && n >= w.first && n <= w.newest &&
		w.send[n/64%int64(len(w.send))]>>(n%64)&1 != 0
}

// note remembers whether n is sent.
func (w *frameWindow) note(n int64, send bool) {
	for m := max(w.newest+1, n-frameWindowSize+1); m <= n; m++ {
		w.decided[m/64%int64(len(w.decided))] &^= 1 << (m % 64)
		w.send[m/64%int64(len(w.send))] &^= 1 << (m % 64)
	}
	w.newest = max(w.newest, n)
	w.decided[n/64%int64(len(w.decided))] |= 1 << (n % 64)
	if send {
		w.send[n/64%int64(len(w.send))] |= 1 << (n % 64)
	}
}

func (w *frameWindow) references(d *codec.DependencyDescriptor, n int64) references {
	result := refSent
	for _, diff := range d.FrameDiffs[:d.FrameDiffCount] {
		ref := n - int64(diff)
		if ref < w.first || ref <= w.newest-frameWindowSize {
			continue
		}
		if ref > w.newest || !w.known(ref) {
			result = max(result, refMissing)
		} else if !w.sent(ref) {
			return refLeftOut
		}
	}
	return result
}
