package sctp

import (
	"errors"
	"time"

	pion "github.com/pion/sctp"
)

// stream is what we know of one stream; guarded by Association.mu.
type stream struct {
	id          uint16
	reliability Reliability
	low         int  // threshold of the buffered amount
	opened      bool // by Open
	closing     bool // by us
	queued      bool // in Association.work
	lifetime    lifetime
	pion        *pion.Stream // nil before StateConnected; never replaced
}

// Open sets how a stream is sent on, and what may come in on it, before or after the
// association is connected. A stream that is not opened is ordered and reliable.
func (a *Association) Open(id uint16, r Reliability) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if int(id) >= a.options.Streams {
		return errStreamRange
	}
	if a.state == StateClosed || a.state == StateFailed {
		return ErrNotConnected
	}
	s := a.streamLocked(id)
	if s.closing {
		return ErrStreamClosed
	}
	s.reliability = r
	if !s.opened {
		s.opened = true
		a.opened++
	}
	if s.pion == nil {
		a.openLocked(s)
	} else {
		s.applyReliability()
	}
	return nil
}

// CloseStream closes a stream towards the peer, which then closes it towards us (RFC
// 8831 §6.7). It cannot be opened again before that has happened.
func (a *Association) CloseStream(id uint16) {
	a.mu.Lock()
	s := a.streams[id]
	if s == nil || s.closing {
		a.mu.Unlock()
		return
	}
	s.closing = true
	if s.pion == nil {
		a.forgetLocked(s)
	}
	p := s.pion
	a.mu.Unlock()
	if p != nil {
		_ = p.Close()
	}
}

// streamLocked returns a stream, a new one if need be.
func (a *Association) streamLocked(id uint16) *stream {
	s := a.streams[id]
	if s == nil {
		s = &stream{id: id}
		a.streams[id] = s
	}
	return s
}

// forgetLocked makes the id of a stream free, if it is that one's.
func (a *Association) forgetLocked(s *stream) {
	if a.streams[s.id] != s {
		return
	}
	delete(a.streams, s.id)
	a.unsent.forget(s.id)
	if s.opened {
		a.opened--
	}
}

var past = time.Unix(0, 1)

// openLocked gives a stream its Pion stream once there is an association. It returns
// another stream where the peer has closed the one and uses its id again.
func (a *Association) openLocked(s *stream) *stream {
	if a.pion == nil {
		return s
	}
	p, err := a.pion.OpenStream(s.id, pion.PayloadTypeWebRTCBinary)
	if err != nil {
		return s // the association has just ended
	}
	if s.pion != nil && s.pion != p {
		a.queueLocked(s) // what is left in it, and its end
		a.forgetLocked(s)
		s = a.streamLocked(s.id)
	}
	if s.pion == nil {
		s.pion = p
		_ = p.SetReadDeadline(past) // reading never waits
		s.applyReliability()
	}
	return s
}

// SetBufferedAmountLowThreshold sets when Options.BufferedAmountLow is called for a
// stream; 0, where each stream begins, is when all is acknowledged.
func (a *Association) SetBufferedAmountLowThreshold(id uint16, thresholdBytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.streamLocked(id).low = thresholdBytes
}

// BufferedAmount is how many bytes wait on a stream to be acknowledged by the peer.
func (a *Association) BufferedAmount(id uint16) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.streams[id]
	if s == nil || s.pion == nil {
		return 0
	}
	return int(s.pion.BufferedAmount())
}

// Buffered is how many bytes wait on all streams to be acknowledged by the peer.
func (a *Association) Buffered() int {
	a.mu.Lock()
	p := a.pion
	a.mu.Unlock()
	if p == nil {
		return 0
	}
	return p.BufferedAmount()
}

// Send sends a message, of whose data it keeps a copy. While a buffer is full it
// waits for up to the given time; the error is then ErrBufferFull. A message that is
// bigger than the buffer is taken when the buffer is empty.
func (a *Association) Send(m Message, patience time.Duration) error {
	switch {
	case len(m.Data) == 0:
		return ErrEmpty
	case len(m.Data) > a.options.MaxSendBytes:
		return ErrTooBig
	}
	a.sendMu.Lock()
	defer a.sendMu.Unlock()
	if err := a.awaitRoom(m.Stream, len(m.Data), patience); err != nil {
		return err
	}
	return a.sendNow(m)
}

func (a *Association) sendNow(m Message) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pion == nil {
		return ErrNotConnected
	}
	if int(m.Stream) >= a.options.Streams {
		return errStreamRange
	}
	s := a.streamLocked(m.Stream)
	if s.pion == nil {
		a.openLocked(s)
	}
	if s.pion == nil || s.closing {
		return ErrStreamClosed
	}
	a.unsent.add(m.Stream, len(m.Data)) // before it can have gone
	if _, err := s.pion.WriteSCTP(m.Data, pion.PayloadProtocolIdentifier(m.PPID)); err != nil {
		a.unsent.add(m.Stream, -len(m.Data))
		if errors.Is(err, pion.ErrStreamClosed) {
			return ErrStreamClosed
		}
		return ErrNotConnected
	}
	a.sentLocked(s, len(m.Data))
	if int(s.pion.BufferedAmount()) > s.low {
		a.full[s] = struct{}{}
	}
	return nil
}

// hasRoom reports whether so many bytes may be sent on a stream now. What is bigger than
// a buffer is taken when that is empty.
func (a *Association) hasRoom(p *pion.Association, id uint16, sizeBytes int) bool {
	buffered := p.BufferedAmount()
	if buffered > 0 && buffered+sizeBytes > a.options.SendBufferBytes {
		return false
	}
	buffered = a.BufferedAmount(id)
	return buffered == 0 || buffered+sizeBytes <= a.options.StreamBufferBytes
}

// awaitRoom waits until the send buffers have room for so many bytes.
func (a *Association) awaitRoom(id uint16, sizeBytes int, patience time.Duration) error {
	a.waiting.Add(1) // before looking, so that no room is missed
	defer a.waiting.Add(-1)
	var timeout <-chan time.Time
	for {
		a.mu.Lock()
		p, room := a.pion, a.room
		a.mu.Unlock()
		if p == nil {
			return ErrNotConnected
		}
		if a.hasRoom(p, id, sizeBytes) {
			return nil
		}
		if patience <= 0 {
			return ErrBufferFull
		}
		if timeout == nil {
			timer := time.NewTimer(patience)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-room:
		case <-timeout:
			return ErrBufferFull
		}
	}
}
