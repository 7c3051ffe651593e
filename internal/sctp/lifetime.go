package sctp

import (
	"math"
	"time"

	pion "github.com/pion/sctp"
)

// lifetime watches over a stream whose messages are given up when they are too old.
//
// Pion takes the age of a message from its last transmission, so that one that is sent
// again and again never grows old. Therefore we keep the time: while the oldest message
// that is not acknowledged is older than the limit, the stream is one without
// retransmissions, which makes Pion give up what it would send again. Younger messages
// of the stream share that fate; ordered ones could not be delivered before it anyway.
type lifetime struct {
	written uint64 // bytes, ever
	sent    []sentMessage
	timer   *time.Timer
	strict  bool // nothing is sent again
}

// sentMessage is a message that may not be acknowledged yet.
type sentMessage struct {
	end uint64 // lifetime.written behind it
	at  time.Time
}

// sentLocked notes that a message of a stream with a lifetime was sent.
func (a *Association) sentLocked(s *stream, sizeBytes int) {
	if s.reliability.MaxLifetime <= 0 {
		return
	}
	l := &s.lifetime
	l.written += uint64(sizeBytes)
	l.sent = append(l.sent, sentMessage{l.written, time.Now()})
	if l.timer == nil {
		l.timer = time.AfterFunc(s.reliability.MaxLifetime, func() { a.expire(s) })
	}
}

// expire looks at a stream when its oldest message may have become too old.
func (a *Association) expire(s *stream) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.lifetime.timer = nil
	if a.pion != nil && !s.closing {
		a.expireLocked(s)
	}
}

func (a *Association) expireLocked(s *stream) {
	l := &s.lifetime
	acknowledged := l.written - min(s.pion.BufferedAmount(), l.written)
	for len(l.sent) > 0 && l.sent[0].end <= acknowledged {
		l.sent = l.sent[1:]
	}
	old := time.Duration(0)
	if len(l.sent) > 0 {
		old = time.Since(l.sent[0].at)
	}
	limit := s.reliability.MaxLifetime
	if strict := old >= limit; strict != l.strict {
		l.strict = strict
		s.applyReliability()
	}
	if len(l.sent) > 0 && l.timer == nil {
		again := limit - old
		if l.strict {
			again = limit // to see whether the rest is younger
		}
		l.timer = time.AfterFunc(again, func() { a.expire(s) })
	}
}

// applyReliability tells Pion what becomes of lost messages.
func (s *stream) applyReliability() {
	limit, value := pion.ReliabilityTypeReliable, uint32(0)
	switch r := s.reliability; {
	case s.lifetime.strict:
		limit, value = pion.ReliabilityTypeRexmit, 1
	case r.Limited && r.MaxLifetime <= 0:
		// Pion counts transmissions, not retransmissions.
		limit, value = pion.ReliabilityTypeRexmit, min(r.MaxRetransmits, math.MaxUint32-1)+1
	}
	s.pion.SetReliabilityParams(s.reliability.Unordered, limit, value)
}
