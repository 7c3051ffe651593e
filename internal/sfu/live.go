package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// liveStreams are the streams of a producer that arrive, by encoding; nil where
// none does. A published one does not change: consumers see by its address
// whether there is a new one.
type liveStreams []*recvStream

// choose returns the stream that a receiver is to be sent who wants the spatial
// layer given of a simulcast: the highest up to that, or else the lowest above;
// nil if there is none.
func (l liveStreams) choose(spatial uint8) *recvStream {
	for i := min(int(spatial), len(l)-1); i >= 0; i-- {
		if l[i] != nil {
			return l[i]
		}
	}
	for _, s := range l {
		if s != nil {
			return s
		}
	}
	return nil
}

// encodingSilence is how long an encoding may be silent before another one is
// sent. Browsers stop the upper ones when their uplink gets narrow.
const encodingSilence = time.Second

// publishLive tells consumers which encodings arrive, if that has changed. The
// recvMu of p's transport is held.
func (p *Producer) publishLive(now mono.Instant) {
	changed := false
	for i, known := range *p.live.Load() {
		changed = changed || p.liveStream(i, now) != known
	}
	if !changed {
		return
	}
	live := make(liveStreams, len(p.encodings))
	for i := range live {
		live[i] = p.liveStream(i, now)
	}
	p.live.Store(&live)
}

// liveStream is the stream of encoding i if it arrives. The only encoding of a
// producer does from its first packet on: there is nothing to be sent in its
// place. The recvMu of p's transport is held.
func (p *Producer) liveStream(i int, now mono.Instant) *recvStream {
	s := p.encodings[i].stream
	if s == nil || len(p.encodings) > 1 && now.Sub(s.lastPacket) >= encodingSilence {
		return nil
	}
	return s
}
