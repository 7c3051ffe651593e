package loadtest

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// screen is what a receiver would show of the frames of a Sender: each that has
// come whole, if the one that it refers to was shown, and none after a later
// one. For what is missing before it a frame waits a while, as in the buffer of
// a browser. It decodes nothing: stamps tell what would be needed for it. The zero
// value has shown nothing.
type screen struct {
	pending []picture // not yet shown, by arrival
	origin  uint32    // encoding that was shown last
	shown   [screenMemory]uint32
	last    int64 // extSeq of the end of the frame that was shown last
	lastAt  mono.Instant
	count   uint64
}

const (
	// screenMemory is how far back a reference may go, in frames.
	screenMemory = 64
	// screenPending is how many frames may be incomplete; the oldest gives way.
	screenPending = 128
	// screenPatience is how long a frame waits for earlier ones: three round
	// trips of a call on one continent.
	screenPatience = 200 * time.Millisecond
)

// picture is a frame of which packets have come.
type picture struct {
	origin, frame, reference uint32

	first, end       int64 // extSeq of its first packet and of that behind the last
	hasFirst, hasEnd bool
	got              int64
	since            mono.Instant // when it was complete
}

func (p *picture) complete() bool { return p.hasFirst && p.hasEnd && p.got == p.end-p.first }

// receive takes in a packet that has not come before. start and marker tell
// that a frame begins or ends with it.
func (s *screen) receive(extSeq int64, start, marker bool, st stamp, now mono.Instant) {
	if s.count > 0 && extSeq <= s.last {
		return // of a frame that is skipped
	}
	p := s.picture(st)
	p.got++
	if start {
		p.first, p.hasFirst = extSeq, true
	}
	if marker {
		p.end, p.hasEnd = extSeq+1, true
	}
	if p.complete() {
		p.since = now
	}
	for s.showNext(now) {
	}
}

// picture returns the entry of a packet's frame.
func (s *screen) picture(st stamp) *picture {
	for i := range s.pending {
		if p := &s.pending[i]; p.origin == st.origin && p.frame == st.frame {
			return p
		}
	}
	if len(s.pending) == screenPending {
		s.pending = s.pending[:copy(s.pending, s.pending[1:])]
	}
	s.pending = append(s.pending, picture{origin: st.origin, frame: st.frame, reference: st.reference})
	return &s.pending[len(s.pending)-1]
}

// showNext shows the earliest frame that can be, if there is any.
func (s *screen) showNext(now mono.Instant) bool {
	next := -1
	for i := range s.pending {
		if p := &s.pending[i]; p.complete() && s.decodable(p) && s.due(p, now) && (next < 0 || p.first < s.pending[next].first) {
			next = i
		}
	}
	if next < 0 {
		return false
	}
	p := s.pending[next]
	if p.origin != s.origin {
		s.origin, s.shown = p.origin, [screenMemory]uint32{}
	}
	s.shown[p.frame%screenMemory] = p.frame
	s.last, s.lastAt = p.end-1, now
	s.count++
	s.forgetBefore(p.end)
	return true
}

// due tells whether the frame need not wait for others.
func (s *screen) due(p *picture, now mono.Instant) bool {
	return s.count == 0 || p.first == s.last+1 || now.Sub(p.since) >= screenPatience
}

// decodable tells whether what the frame refers to was shown. Frames count from
// 1, so that an empty place is none of them.
func (s *screen) decodable(p *picture) bool {
	if p.reference == p.frame {
		return true
	}
	return p.origin == s.origin && s.shown[p.reference%screenMemory] == p.reference
}

// forgetBefore drops what can no longer be shown.
func (s *screen) forgetBefore(extSeq int64) {
	kept := s.pending[:0]
	for _, p := range s.pending {
		if p.hasFirst && p.first >= extSeq || !p.hasFirst && (!p.hasEnd || p.end > extSeq) {
			kept = append(kept, p)
		}
	}
	s.pending = kept
}
