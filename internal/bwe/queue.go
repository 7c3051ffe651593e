package bwe

import (
	"math"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// queueEpoch is half of how long the least delay is remembered: long enough to
// have seen an empty queue, short enough for clocks that drift (100 ppm of it
// are 3 ms) and for changes of the route.
const queueEpoch = 15 * time.Second

// queue is how long packets wait on the path: the delay over the least there
// was in the last 15 to 30 s. As the clocks of both ends have nothing to do
// with each other, only differences of delays mean anything.
type queue struct {
	least    time.Duration // of this epoch
	before   time.Duration // of the epoch before
	began    mono.Instant
	reported time.Duration // least of the last report
}

const noDelay = time.Duration(math.MaxInt64)

// begin begins a report.
func (q *queue) begin() { q.reported = noDelay }

// observe adds the delay of a packet.
func (q *queue) observe(delay time.Duration, arrival mono.Instant) {
	switch {
	case q.began == 0:
		q.least, q.before, q.began = delay, delay, arrival
	case arrival.Sub(q.began) > queueEpoch:
		q.before, q.least, q.began = q.least, delay, arrival
	}
	q.least = min(q.least, delay)
	q.reported = min(q.reported, delay)
}

// standing is how long even the fastest packet of the last report waited.
func (q *queue) standing() time.Duration {
	if q.began == 0 || q.reported == noDelay {
		return 0
	}
	return q.reported - min(q.least, q.before)
}

// wait is how long a packet of the delay given has waited.
func (q *queue) wait(delay time.Duration) time.Duration {
	if q.began == 0 {
		return 0
	}
	return delay - min(q.least, q.before)
}

const (
	// busyWait is a wait that only a queue explains, and minBusy the least time
	// that a rate is taken of.
	busyWait = 15 * time.Millisecond
	minBusy  = 80 * time.Millisecond
	// maxBusy is when RateMeter.recent is about as good, and knows of changes.
	maxBusy = 500 * time.Millisecond
)

// busy is what came out of the queue since there is one, one packet behind the
// other: that is what the path carries, free of what it carried before.
type busy struct {
	from, to  mono.Instant
	sizeBytes int // after the first packet
}

// observe adds a packet that has waited so long.
func (b *busy) observe(wait time.Duration, arrival mono.Instant, sizeBytes int) {
	switch {
	case wait < busyWait:
		*b = busy{}
	case b.from == 0:
		b.from, b.to = arrival, arrival
	default:
		b.to = arrival
		b.sizeBytes += sizeBytes
	}
}

// rate is in bit/s, infinite if it cannot be told.
func (b *busy) rate() float64 {
	span := b.to.Sub(b.from)
	if span < minBusy || span > maxBusy {
		return math.Inf(1)
	}
	return float64(b.sizeBytes) * 8 / span.Seconds()
}
