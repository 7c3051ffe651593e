package sctp

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// pass reports whether Pion is to see a packet: it ends an association for an INIT
// that comes late, which is one that the peer has repeated.
func (a *Association) pass(packet []byte) bool {
	return !isInit(packet) || a.State() == StateConnecting
}

// accept notes which streams a packet concerns. An error ends the association.
func (a *Association) accept(packet []byte) error {
	for c, rest, ok := nextChunk(chunksOf(packet)); ok; c, rest, ok = nextChunk(rest) {
		switch c.kind() {
		case chunkInit, chunkInitAck:
			if outbound, inbound, ok := c.streamCounts(); ok {
				a.peer.Store(uint32(outbound)<<16 | uint32(inbound))
			}
		case chunkData:
			if err := a.acceptData(c); err != nil {
				return err
			}
		case chunkForwardTSN:
			a.touched = a.appendKnown(a.touched, c.appendForwarded(nil))
		case chunkReconfig:
			a.closed = a.appendKnown(a.closed, c.appendReset(nil))
		}
	}
	return nil
}

// acceptData is accept for a piece of a message.
func (a *Association) acceptData(c chunk) error {
	id, err := c.dataStream()
	if err != nil {
		return err
	}
	if int(id) >= a.options.Streams {
		return errStreamRange
	}
	if a.pending.Add(1) > maxPending {
		return errFlood
	}
	if slices.Contains(a.touched, id) {
		return nil
	}
	if a.tooMany(id) {
		return errStrangers
	}
	a.touched = append(a.touched, id)
	return nil
}

// maxStrangers is how many streams the peer may use that nobody has opened here. It
// may be ahead of its signalling; without a limit it could make us hold one of each id.
const maxStrangers = DefaultStreams

// tooMany reports whether a stream would be one too many of those.
func (a *Association) tooMany(id uint16) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.streams[id] == nil && len(a.streams)+len(a.touched)-a.opened >= maxStrangers
}

// minPiece is less than a piece of a message that does not fit into one packet has on
// any path.
const minPiece = 400

// complete takes the pieces of a message of that size off those that are pending. How
// many it had Pion does not say; what is counted too few or too often, as what came
// twice, is put right when nothing is pending.
func (a *Association) complete(sizeBytes int) {
	pieces := int64(max(1, sizeBytes/minPiece))
	for {
		before := a.pending.Load()
		if a.pending.CompareAndSwap(before, max(0, before-pieces)) {
			return
		}
	}
}

// sent looks at a packet that we send: when it says that our window is empty, nothing
// is pending; and what has gone does not wait to be sent any more.
func (a *Association) sent(packet []byte) {
	for c, rest, ok := nextChunk(chunksOf(packet)); ok; c, rest, ok = nextChunk(rest) {
		if window, ok := c.window(); ok && window == a.options.receiveWindow() {
			a.pending.Store(0)
		}
		a.unsent.sent(c)
	}
}

// appendKnown appends the streams that there are to list, once each.
func (a *Association) appendKnown(list, ids []uint16) []uint16 {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		if a.streams[id] != nil && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// settle looks at what the packet before has brought: messages, streams that the peer
// has closed, room to send. Pion's reader calls it between two packets.
func (a *Association) settle() {
	a.mu.Lock()
	if a.pion == nil {
		a.mu.Unlock()
		return
	}
	for _, id := range a.touched {
		a.queueLocked(a.openLocked(a.streamLocked(id)))
	}
	for _, id := range a.closed {
		if s := a.streams[id]; s != nil && s.pion != nil && !slices.Contains(a.resets, s) {
			a.resets = append(a.resets, s)
		}
	}
	for _, s := range a.resets {
		a.queueLocked(s) // until the request has taken effect, after what is on its way
	}
	a.touched, a.closed = a.touched[:0], a.closed[:0]
	lows := a.lowsLocked()
	if a.waiting.Load() > 0 {
		close(a.room)
		a.room = make(chan struct{})
	}
	a.mu.Unlock()
	for _, l := range lows {
		a.options.BufferedAmountLow(l.id, l.buffered)
	}
}

// low is a stream whose buffered amount has fallen to the threshold.
type low struct {
	id       uint16
	buffered int
}

func (a *Association) lowsLocked() (lows []low) {
	for s := range a.full {
		if buffered := int(s.pion.BufferedAmount()); buffered <= s.low {
			delete(a.full, s)
			lows = append(lows, low{s.id, buffered})
		}
	}
	return lows
}

// queueLocked makes the deliverer look at a stream.
func (a *Association) queueLocked(s *stream) {
	if s.queued || s.pion == nil {
		return
	}
	s.queued = true
	a.work = append(a.work, s)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// deliver hands messages on until the link is closed. It is apart from Pion's reader
// so that acknowledgements are read while a message waits for others to take it.
func (a *Association) deliver() {
	for open := true; open; {
		select {
		case <-a.link.shut:
			open = false // what the peer has sent before it ended is handed on
		case <-a.wake:
		}
		for s := a.nextWork(); s != nil; s = a.nextWork() {
			a.deliverStream(s)
		}
	}
}

// isClosing reports whether Close was called, which waits for nothing more.
func (a *Association) isClosing() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closing
}

func (a *Association) nextWork() *stream {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.work) == 0 {
		a.work = nil
		return nil
	}
	s := a.work[0]
	a.work = a.work[1:]
	s.queued = false
	return s
}

// messageBuffers are as big as the messages that were read into them.
var messageBuffers = sync.Pool{New: func() any { return new([]byte) }}

// deliverStream hands on the messages of a stream that are complete, and its end.
func (a *Association) deliverStream(s *stream) {
	buffer := messageBuffers.Get().(*[]byte)
	defer messageBuffers.Put(buffer)
	for !a.isClosing() {
		n, ppid, err := s.pion.ReadSCTP(*buffer)
		switch {
		case err == nil && n <= a.options.MaxMessageBytes:
			a.complete(n)
			a.options.Message(Message{Stream: s.id, PPID: PPID(ppid), Data: (*buffer)[:n]})
		case err == nil:
			a.complete(n)
			a.dropped.Add(1)
		case errors.Is(err, io.ErrShortBuffer):
			*buffer = make([]byte, n)
		case errors.Is(err, io.EOF):
			a.endStream(s)
			return
		default:
			return // nothing more
		}
	}
}

// endStream closes our direction of a stream that the peer has closed (RFC 8831 §6.7).
func (a *Association) endStream(s *stream) {
	a.mu.Lock()
	a.resets = slices.DeleteFunc(a.resets, func(other *stream) bool { return other == s })
	a.forgetLocked(s)
	delete(a.full, s)
	closing := s.closing
	s.closing = true
	a.mu.Unlock()
	_ = s.pion.Close() // nothing happens where it is closed already
	if !closing {
		a.options.Reset(s.id)
	}
}
