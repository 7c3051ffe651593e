package layer

import (
	"math/bits"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/rtp"
)

// payloadFilter selects by what the payload tells of layers.
//
// Temporal layers go down with any picture and up where the sender says that
// it can be done. Spatial layers go down while the lower one is being sent,
// and up with a keyframe.
type payloadFilter struct {
	now      codec.Layer // highest layers sent
	needsKey bool

	// whole has a bit for each spatial layer of which nothing was left out
	// since the keyframe.
	whole uint8
	// seen and noUse have one for each spatial layer that the newest picture
	// has, and for those of them that no higher one of it depends on;
	// lastSeen and lastNoUse are of the picture before.
	seen, noUse, lastSeen, lastNoUse uint8
	temporal                         uint8 // highest temporal layer there was

	pictures [pictureWindow]picture
	newest   uint8 // index
	used     uint8
}

// pictureWindow is for how many pictures decisions are remembered: a second.
const pictureWindow = 32

// picture is what was decided on the frames of one picture, a bit for each
// spatial layer. What comes late is selected as it was at its time.
type picture struct {
	ts            uint32
	limit         codec.Layer // highest layers sent
	whole         uint8
	decided, send uint8
}

func (f *payloadFilter) start(target codec.Layer) {
	*f = payloadFilter{now: target, whole: 0xFF}
}

func (f *payloadFilter) current() codec.Layer {
	top := uint8(7 - bits.LeadingZeros8(f.seen|f.lastSeen|1))
	return codec.Layer{Spatial: min(top, f.now.Spatial), Temporal: min(f.temporal, f.now.Temporal)}
}

func (f *payloadFilter) decide(p *Packet, target codec.Layer) Verdict {
	if !p.HasLayer {
		return Verdict{Forward: true, Marker: p.Marker, NeedsKeyframe: f.needsKey}
	}
	s := p.Spatial & 7
	pic := f.find(p, target)
	if pic.decided>>s&1 == 0 {
		f.decideFrame(p, pic)
	}
	return Verdict{
		Forward:       pic.send>>s&1 != 0,
		Marker:        p.Marker || p.End && pic.limit != All && s == pic.limit.Spatial,
		NeedsKeyframe: f.needsKey,
	}
}

// find returns p's picture, which may be new.
func (f *payloadFilter) find(p *Packet, target codec.Layer) *picture {
	for i := range f.used {
		if pic := &f.pictures[(f.newest-i)%pictureWindow]; pic.ts == p.Timestamp {
			return pic
		}
	}
	if f.used > 0 && !rtp.TSNewer(p.Timestamp, f.pictures[f.newest].ts) {
		return f.insertLate(p.Timestamp)
	}
	f.lastSeen, f.lastNoUse = f.seen, f.noUse
	f.seen, f.noUse = 0, 0
	f.choose(p, target)
	f.newest = (f.newest + 1) % pictureWindow
	f.used = min(f.used+1, pictureWindow)
	f.pictures[f.newest] = picture{ts: p.Timestamp, limit: f.now, whole: f.whole}
	return &f.pictures[f.newest]
}

// insertLate makes room for a picture that is not the newest, which stays at
// its index. It takes the place of the oldest.
func (f *payloadFilter) insertLate(ts uint32) *picture {
	before := f.before(ts)
	next := (f.newest + 1) % pictureWindow
	f.pictures[next] = f.pictures[f.newest]
	f.pictures[f.newest] = picture{ts: ts, limit: before.limit, whole: before.whole}
	late := &f.pictures[f.newest]
	f.newest = next
	f.used = min(f.used+1, pictureWindow)
	return late
}

// before returns the last picture remembered before ts; one without layers if
// there is none.
func (f *payloadFilter) before(ts uint32) (last picture) {
	found := false
	for i := range f.used {
		pic := &f.pictures[(f.newest-i)%pictureWindow]
		if rtp.TSNewer(ts, pic.ts) && (!found || rtp.TSNewer(pic.ts, last.ts)) {
			last, found = *pic, true
		}
	}
	return last
}

// choose selects the layers from p's picture on.
func (f *payloadFilter) choose(p *Packet, target codec.Layer) {
	now := f.now
	if p.Keyframe {
		f.whole, f.lastNoUse, f.needsKey = 0xFF, 0, false
		now = target
	} else {
		// What is above may be missing, to be left out when it comes.
		f.whole &= upTo(now.Spatial)
		now.Temporal = f.temporalFrom(p, target.Temporal)
		now.Spatial = f.spatialFrom(target.Spatial)
		wanted := f.lastSeen & upTo(target.Spatial)
		f.needsKey = target.Spatial < now.Spatial || wanted&^upTo(now.Spatial) != 0
	}
	f.now = now
}

// upTo has a bit for each spatial layer that is not above s.
func upTo(s uint8) uint8 { return uint8(1<<(min(s, 7)+1) - 1) }

// temporalFrom returns the highest temporal layer from p's picture on.
func (f *payloadFilter) temporalFrom(p *Packet, target uint8) uint8 {
	now := f.now.Temporal
	switch {
	case target <= now:
		return target
	case !p.SwitchUp:
		return now
	case p.Codec == codec.VP9 && p.Temporal <= now:
		// RFC 9628 §4.2: no later picture of higher layers depends on what was
		// before this one.
		return target
	case p.Temporal == now+1:
		// RFC 7741 §4.2: depends on the base layer only; RFC 7798 §1.1.4: not
		// on earlier pictures of its own layer.
		return p.Temporal
	}
	return now
}

// spatialFrom returns the highest spatial layer from the next picture on.
func (f *payloadFilter) spatialFrom(target uint8) uint8 {
	now := f.now.Spatial
	if target < now {
		if f.whole>>min(target, 7)&1 != 0 {
			return target
		}
		return now
	}
	return now
}

// decideFrame selects the frame of p.
func (f *payloadFilter) decideFrame(p *Packet, pic *picture) {
	s := p.Spatial & 7
	bit := uint8(1) << s
	late := pic != &f.pictures[f.newest]
	if !late {
		f.seen |= bit
		if p.NoInterLayer {
			f.noUse |= bit
		}
		f.temporal = max(f.temporal, p.Temporal)
	}
	if p.NoInterPicture && p.Spatial <= pic.limit.Spatial {
		// Of a keyframe, maybe, whose first packet is late.
		pic.whole |= bit
		if !late {
			f.whole |= bit
		}
	}
	pic.decided |= bit
	switch {
	case pic.limit == All:
		pic.send |= bit
	case p.Temporal > pic.limit.Temporal:
	case p.Spatial <= pic.limit.Spatial && pic.whole&bit != 0 && (late || !f.useless(p, pic.limit)):
		pic.send |= bit
	case !late:
		f.whole &^= bit
		pic.whole &^= bit
	}
}

// useless reports whether the receiver shows a higher layer of p's picture,
// which does not depend on p: if it was so in the picture before.
func (f *payloadFilter) useless(p *Packet, limit codec.Layer) bool {
	above := f.lastSeen & upTo(limit.Spatial) &^ upTo(p.Spatial)
	return p.NoInterLayer && f.lastNoUse>>(p.Spatial&7)&1 != 0 && above != 0
}
