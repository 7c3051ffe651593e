package bwe

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// The window of packets that feedback is matched with begins with what an
	// audio call has under way and doubles up to what 100 Mbit/s over a long
	// path have.
	minSentWindow = 256
	maxSentWindow = 16384
	// sentKept is how long a packet waits for feedback. One that is older is
	// given up when its place is needed.
	sentKept = 2 * time.Second
)

// sentPacket is a packet on its way; 16 bytes, so that four share a line of
// the cache.
type sentPacket struct {
	at        mono.Instant // 0: none, or its arrival was reported
	sizeBytes uint16
	seq       uint16
	cluster   uint8 // of probes; 0: none
	reported  bool  // lost, so far
}

// sentHistory is a ring by transport-wide sequence number of what was sent.
type sentHistory struct {
	packets []sentPacket // a power of two
	newest  mono.Instant // when the last was sent
	sum     uint64       // bytes of all that was sent
}

// note enters a packet.
func (h *sentHistory) note(p sentPacket) {
	if h.packets == nil {
		h.packets = make([]sentPacket, minSentWindow)
	}
	h.newest = p.at
	h.sum += uint64(p.sizeBytes)
	slot := &h.packets[int(p.seq)&(len(h.packets)-1)]
	if slot.at != 0 && p.at.Sub(slot.at) < sentKept && len(h.packets) < maxSentWindow {
		h.grow()
		slot = &h.packets[int(p.seq)&(len(h.packets)-1)]
	}
	*slot = p
}

// grow doubles the window.
func (h *sentHistory) grow() {
	old := h.packets
	h.packets = make([]sentPacket, 2*len(old))
	for _, p := range old {
		if p.at != 0 {
			h.packets[int(p.seq)&(len(h.packets)-1)] = p
		}
	}
}

// find returns the packet seq if no arrival of it was reported yet.
func (h *sentHistory) find(seq uint16) *sentPacket {
	if len(h.packets) == 0 {
		return nil
	}
	p := &h.packets[int(seq)&(len(h.packets)-1)]
	if p.at == 0 || p.seq != seq {
		return nil
	}
	return p
}
