package sctp

import (
	"encoding/binary"
	"sync"
	"time"
)

// unsent counts, for each stream, what Pion has taken and has not sent yet, however
// often it will have to. Pion itself counts what is not acknowledged.
type unsent struct {
	mu      sync.Mutex // a leaf; guards the following
	bytes   map[uint16]int
	begun   bool
	highest uint32        // TSN that was sent
	left    chan struct{} // closed when something has left; nil while nobody waits
}

// add counts what is about to be handed to Pion, or with a negative size what Pion
// has not taken.
func (u *unsent) add(stream uint16, sizeBytes int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.bytes == nil {
		u.bytes = map[uint16]int{}
	}
	if u.bytes[stream] += sizeBytes; u.bytes[stream] <= 0 {
		delete(u.bytes, stream)
	}
}

// sent looks at a chunk that goes, and counts it the first time.
func (u *unsent) sent(c chunk) {
	if c.kind() != chunkData || len(c) < dataHeaderSize {
		return
	}
	tsn, stream := binary.BigEndian.Uint32(c[4:]), binary.BigEndian.Uint16(c[8:])
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.begun && int32(tsn-u.highest) <= 0 {
		return // once more
	}
	u.begun, u.highest = true, tsn
	if u.bytes[stream] -= len(c) - dataHeaderSize; u.bytes[stream] <= 0 {
		delete(u.bytes, stream)
	}
	if u.left != nil {
		close(u.left)
		u.left = nil
	}
}

func (u *unsent) of(stream uint16) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.bytes[stream]
}

// forget is for the end of a stream, with which what it had to send is gone.
func (u *unsent) forget(stream uint16) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.bytes, stream)
}

// leaving returns a channel that is closed when something leaves, nil if nothing of
// the stream is left to.
func (u *unsent) leaving(stream uint16) <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.bytes[stream] == 0 {
		return nil
	}
	if u.left == nil {
		u.left = make(chan struct{})
	}
	return u.left
}

// Unsent is how many bytes wait on a stream to be sent for the first time: what the
// W3C calls a data channel's buffered amount.
func (a *Association) Unsent(id uint16) int {
	// What Pion has dropped, as its time was over, is not counted when it goes.
	return min(a.unsent.of(id), a.BufferedAmount(id))
}

// Flush waits, for up to the given time, until all that waits on a stream has been
// sent once. Pion sends on a goroutine of its own.
func (a *Association) Flush(id uint16, patience time.Duration) {
	var late <-chan time.Time
	for {
		left := a.unsent.leaving(id)
		if left == nil {
			return
		}
		if late == nil {
			timer := time.NewTimer(patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-left:
		case <-late:
			return
		}
	}
}
