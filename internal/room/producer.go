package room

import "github.com/takoserver/takos-call/internal/sfu"

// Producer is media that a peer sends. The SFU's methods that change it are
// replaced by ours, which say who did it.
type Producer struct {
	*sfu.Producer // constant after Produce

	// constant after Produce
	transport *Transport
	source    string
	appData   any
	number    uint64

	// guarded by the room's mu
	closed    bool
	paused    bool // as observers have been told
	consumers map[string]*Consumer
}

// Peer is the owner.
func (p *Producer) Peer() *Peer { return p.transport.peer }

// Transport is what carries it.
func (p *Producer) Transport() *Transport { return p.transport }

// Source is what the sender says it is: "mic", "camera", "screen" or any text.
func (p *Producer) Source() string { return p.source }

// AppData is what was attached when the producer was made.
func (p *Producer) AppData() any { return p.appData }

// Pause stops the producer from being forwarded. It reports whether that is a
// change.
func (p *Producer) Pause() bool { return p.setPaused(true) }

// Resume makes it forwarded again. It reports whether that is a change.
func (p *Producer) Resume() bool { return p.setPaused(false) }

func (p *Producer) setPaused(paused bool) bool {
	p.room().mu.Lock()
	defer p.room().mu.Unlock()
	return p.setPausedLocked(paused)
}

func (p *Producer) setPausedLocked(paused bool) bool {
	if p.closed || p.paused == paused {
		return false
	}
	if paused {
		p.Producer.Pause()
	} else {
		p.Producer.Resume()
	}
	p.tellPausedLocked(paused)
	return true
}

// Mute pauses the producer and lets its owner know that it was done to them. by
// is empty for a backend. It reports whether that is a change.
func (p *Producer) Mute(by string) bool {
	p.room().mu.Lock()
	defer p.room().mu.Unlock()
	return p.muteLocked(by)
}

func (p *Producer) muteLocked(by string) bool {
	if p.closed || p.paused {
		return false
	}
	p.room().emitLocked(Event{Type: ProducerMuted, Peer: p.Peer(), Producer: p, By: by})
	return p.setPausedLocked(true)
}

// pauseChanged is an event of the SFU. It comes late for what we did ourselves,
// so only the state as it is now counts.
func (p *Producer) pauseChanged() {
	p.room().mu.Lock()
	defer p.room().mu.Unlock()
	if p.closed || p.room().closed || p.Producer.Paused() == p.paused {
		return
	}
	p.tellPausedLocked(!p.paused)
}

func (p *Producer) tellPausedLocked(paused bool) {
	p.paused = paused
	kind := ProducerResumed
	if paused {
		kind = ProducerPaused
	}
	p.room().emitLocked(Event{Type: kind, Peer: p.Peer(), Producer: p})
}

// Close closes the producer and its consumers. by is the id of the peer who wants
// it, empty for a backend.
func (p *Producer) Close(by string) {
	p.room().mu.Lock()
	defer p.room().mu.Unlock()
	p.closeLocked(by, ReasonRequested)
}

func (p *Producer) closedBySFU(reason sfu.CloseReason) {
	p.room().mu.Lock()
	defer p.room().mu.Unlock()
	if !p.room().closed {
		p.closeLocked("", string(reason))
	}
}

func (p *Producer) closeLocked(by, reason string) {
	if p.closed {
		return
	}
	p.closed = true
	for _, c := range inOrder(p.consumers, func(c *Consumer) uint64 { return c.number }) {
		c.closeLocked(by, string(sfu.CloseProducer))
	}
	p.Producer.Close()
	if p.room().speaker == p {
		p.room().speaker = nil
	}
	delete(p.transport.producers, p.ID())
	delete(p.Peer().producers, p.ID())
	p.room().emitLocked(Event{
		Type: ProducerClosed, Peer: p.Peer(), Transport: p.transport, Producer: p, By: by, Reason: reason,
	})
}

func (p *Producer) room() *Room { return p.transport.peer.room }

func (r *Room) producerLocked(id string) *Producer {
	for _, p := range r.peers {
		if producer := p.producers[id]; producer != nil {
			return producer
		}
	}
	return nil
}
