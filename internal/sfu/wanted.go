package sfu

import (
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
)

// wantedHold is for how long less must be wanted before the sender is told.
// Longer wastes its line, and a phone's battery; shorter has an encoder begin
// anew, with a keyframe, for each tile that is moved or tab that is looked into.
const wantedHold = 2 * time.Second

// nothingWanted stands below the spatial layers, which count from 0.
const nothingWanted int8 = -1

// wantedLayers decides when a sender is told which spatial layer is the highest
// that anybody wants: of more at once, of less once that has lasted. It is an
// engine.
type wantedLayers struct {
	told   int8         // what the sender was told; all to begin with
	now    int8         // what is wanted
	latest int8         // the most that was wanted since now fell below told
	due    mono.Instant // when the sender is told of less; 0: never
}

// want notes what is wanted, and reports whether to tell the sender at once. If
// not, expire will have to be called at due, unless that is 0.
func (w *wantedLayers) want(now mono.Instant, highest int8) (tell bool) {
	w.now = highest
	switch {
	case highest >= w.told:
		tell = highest > w.told
		w.told, w.due = highest, 0
	case w.due == 0:
		w.latest, w.due = highest, now.Add(wantedHold)
	default:
		w.latest = max(w.latest, highest)
	}
	return tell
}

// expire reports whether to tell the sender of less.
func (w *wantedLayers) expire(now mono.Instant) (tell bool) {
	if w.due == 0 || now < w.due {
		return false
	}
	w.told, w.due = w.latest, 0
	if w.now < w.told {
		w.latest, w.due = w.now, now.Add(wantedHold)
	}
	return true
}

// producerWanted is the same of one producer, with its lock. Nobody wants less
// or more of audio.
type producerWanted struct {
	mu     sync.Mutex // guards the following
	layers wantedLayers
}

// highestSpatial is the highest spatial layer that a producer announces: of
// simulcast, its last encoding.
func highestSpatial(p ortc.RTPParameters) int8 {
	if len(p.Encodings) > 1 {
		return int8(min(len(p.Encodings), maxSpatial) - 1)
	}
	return int8(ortc.ParseScalabilityMode(p.Encodings[0].ScalabilityMode).SpatialLayers - 1)
}

// WantedLayer is the highest spatial layer of a video that any receiver wants,
// in whatever router, as the sender was told last; wanted is false if nobody
// receives it at all. What a receiver's line carries at the moment does not
// matter: it may carry more in the next. To begin with all is wanted.
func (p *Producer) WantedLayer() (spatial uint8, wanted bool) {
	p = p.source()
	p.wanted.mu.Lock()
	defer p.wanted.mu.Unlock()
	return wantedLayer(p.wanted.layers.told)
}

func wantedLayer(told int8) (spatial uint8, wanted bool) {
	if told == nothingWanted {
		return 0, false
	}
	return uint8(told), true
}

// noteWanted looks at what the consumers of p want after one of them, in any
// router, has changed. It takes no lock of a router or transport.
func (p *Producer) noteWanted(now mono.Instant) {
	if p.kind != ortc.Video {
		return
	}
	p.wanted.mu.Lock()
	defer p.wanted.mu.Unlock()
	highest := nothingWanted
	for _, c := range *p.fanout.Load() {
		if c.active.Load() {
			highest = max(highest, int8(c.preferredSpatial.Load()))
		}
	}
	if p.wanted.layers.want(now, highest) {
		p.tellWantedLocked()
	}
	if due := p.wanted.layers.due; due != 0 {
		p.transport.wake(due)
	}
}

// tickWanted tells the sender of less where that is due.
func (p *Producer) tickWanted(now mono.Instant) {
	p.wanted.mu.Lock()
	defer p.wanted.mu.Unlock()
	if p.wanted.layers.expire(now) {
		p.tellWantedLocked()
	}
	if due := p.wanted.layers.due; due != 0 {
		p.transport.wake(due)
	}
}

// tellWantedLocked has WantedLayer called. p.wanted.mu is held.
func (p *Producer) tellWantedLocked() {
	p.wantOriginalLocked()
	if tell := p.events.WantedLayer; tell != nil {
		spatial, wanted := wantedLayer(p.wanted.layers.told)
		p.transport.router.emit(func() { tell(spatial, wanted) })
	}
}
