package tcp

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// vitalReserve is the part of a queue that only Vital may fill: 13 s of audio
	// of 40 kbit/s.
	vitalReserve = 64 << 10
	// writePiece is how much is handed to the kernel at once: with each piece
	// accepted there is room for so much again.
	writePiece = 32 << 10
	// drained is what a queue may still hold when its congestion is over.
	drained = 4 << 10
	// keepBuffer is the largest buffer kept for what is queued next; what a
	// congestion needed is given back.
	keepBuffer = 256 << 10
)

// queue is what waits to be sent on a connection. Senders append to one buffer
// while the writer has another in hand.
type queue struct {
	// Constant.
	limit int
	delay time.Duration
	// direct hands bytes to the kernel without waiting and returns how many it
	// took. It spares the switch to the writer, a quarter of what sending
	// costs; nil where the system has no such call.
	direct func([]byte) int

	congested atomic.Bool // changes under mu

	mu       sync.Mutex // a leaf
	wake     sync.Cond  // on mu; for the writer
	pending  []byte
	since    mono.Instant // when the first byte of pending was queued
	held     int          // bytes that the writer has in hand
	heldFrom mono.Instant // when the first of them was queued
	ended    bool         // nothing more is taken
}

func (q *queue) init(limit int, delay time.Duration, direct func([]byte) int) {
	q.limit, q.delay, q.direct = limit, delay, direct
	q.wake.L = &q.mu
}

// put queues run or nothing of it. Errors: ErrQueueFull, net.ErrClosed.
func (q *queue) put(now mono.Instant, run []byte, size int, class Class) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return net.ErrClosed
	}
	length := q.held + len(q.pending)
	need := framedSize(run, size)
	room := q.limit - length
	if class == Bulk {
		room -= vitalReserve
		if q.congested.Load() || q.waitedLocked(now) > q.delay {
			room = 0
		}
	}
	if need > room {
		if class == Bulk {
			q.congested.Store(length > 0) // what drains ends it
		}
		return ErrQueueFull
	}
	if len(q.pending) == 0 {
		q.since = now
	}
	q.pending = appendFrames(q.pending, run, size)
	if length == 0 && q.direct != nil {
		n := q.direct(q.pending)
		q.pending = q.pending[:copy(q.pending, q.pending[n:])]
	}
	if q.held == 0 && len(q.pending) > 0 {
		q.wake.Signal()
	}
	return nil
}

// waitedLocked is how long the oldest byte has waited, not less. mu is held.
func (q *queue) waitedLocked(now mono.Instant) time.Duration {
	switch {
	case q.held > 0:
		return now.Sub(q.heldFrom)
	case len(q.pending) > 0:
		return now.Sub(q.since)
	}
	return 0
}

// end takes nothing more in; what is queued still goes out.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.wake.Signal()
}

// take waits for bytes and hands them over, with buffer in exchange for what
// comes next. It returns nothing when the queue has ended and is empty.
func (q *queue) take(buffer []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.pending) == 0 && !q.ended {
		q.wake.Wait()
	}
	if cap(buffer) > keepBuffer {
		buffer = nil
	}
	taken := q.pending
	q.pending = buffer[:0]
	q.held, q.heldFrom = len(taken), q.since
	return taken
}

// written notes that n bytes of what was taken have gone.
func (q *queue) written(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= n
	if q.congested.Load() && q.held+len(q.pending) <= drained {
		q.congested.Store(false)
	}
}

// drain writes to w what is queued until the queue ends or w fails.
func (q *queue) drain(w net.Conn) error {
	var buffer []byte
	for {
		buffer = q.take(buffer)
		if len(buffer) == 0 {
			return nil
		}
		for rest := buffer; len(rest) > 0; {
			n, err := w.Write(rest[:min(writePiece, len(rest))])
			if err != nil {
				return err
			}
			q.written(n)
			rest = rest[n:]
		}
	}
}
