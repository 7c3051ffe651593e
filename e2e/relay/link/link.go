// Package link decides what one direction of a bad network does to datagrams:
// which are lost, doubled or overtaken, and when each arrives.
//
// It is an engine: values in, values out, time handed in, chance from a seed,
// so that the same calls have the same answers. It holds no bytes and sends
// nothing; the relay does. A Link is used by one goroutine at a time.
package link

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// Conditions are those of one direction. The zero value is a perfect network.
type Conditions struct {
	// Loss is the share of datagrams that are lost by chance, 0 to 1.
	Loss float64
	// Burst is how many are lost in a row, on average. Up to 1 each is lost or
	// not for itself. At the same Loss, longer bursts are rarer.
	Burst float64
	// Delay is how long each datagram takes; Jitter is what may be added to it,
	// anything up to that with the same probability. Order is kept.
	Delay, Jitter time.Duration
	// Reorder is the share of datagrams that are held back by ReorderBy more,
	// so that others overtake them.
	Reorder   float64
	ReorderBy time.Duration
	// Duplicate is the share of datagrams that arrive twice.
	Duplicate float64
	// Rate is what passes, in bit/s, with the headers of IPv4 and UDP; 0 is no
	// limit. What is too much waits for its turn, as long as it would wait no
	// longer than Queue; else it is lost.
	Rate  int64
	Queue time.Duration
	// Police loses what exceeds Rate instead of letting it wait: bursts of as
	// much as Rate lets through in Queue pass.
	Police bool
	// Down loses everything.
	Down bool
}

// Validate returns an error that names the first field that makes no sense.
func (c Conditions) Validate() error {
	for _, share := range []struct {
		name  string
		value float64
	}{{"loss", c.Loss}, {"reorder", c.Reorder}, {"duplicate", c.Duplicate}} {
		if !(share.value >= 0 && share.value <= 1) {
			return fmt.Errorf("%s is %v, which is not from 0 to 1", share.name, share.value)
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"delay", c.Delay}, {"jitter", c.Jitter}, {"reorderBy", c.ReorderBy}, {"queue", c.Queue}} {
		if d.value < 0 || d.value > time.Minute {
			return fmt.Errorf("%s is %v, which is not from 0 to a minute", d.name, d.value)
		}
	}
	switch {
	case !(c.Burst >= 0 && c.Burst <= 10_000):
		return fmt.Errorf("burst is %v, which is not from 0 to 10000 datagrams", c.Burst)
	case c.Rate < 0:
		return fmt.Errorf("rate is %d bit/s", c.Rate)
	case c.Rate > 0 && c.Queue == 0:
		return errors.New("rate needs queue: with none, nothing passes a link that is busy")
	case c.Reorder > 0 && c.ReorderBy == 0:
		return errors.New("reorder needs reorderBy")
	}
	return nil
}

// Stats counts datagrams that were sent into a Link, each under one of the
// first five, and what else happened to those that passed.
type Stats struct {
	Passed  uint64 // arrived, or will
	Lost    uint64 // by chance
	Dropped uint64 // because the queue was full
	Policed uint64 // because they exceeded the rate
	Dark    uint64 // while the link was down

	Bytes      uint64 // of those that passed, without headers
	Duplicated uint64
	HeldBack   uint64
	// MaxQueue is the longest that one waited for its turn.
	MaxQueue time.Duration
}

// Arrivals are the times at which a datagram arrives: never, once or twice.
type Arrivals struct {
	times [2]mono.Instant
	n     int
}

// All returns the times, the earlier first.
func (a *Arrivals) All() []mono.Instant { return a.times[:a.n] }

func (a *Arrivals) add(t mono.Instant) {
	a.times[a.n] = t
	a.n++
}

// Link is one direction of a network.
type Link struct {
	conditions Conditions
	chance     *rand.Rand
	stats      Stats

	losing bool         // within a burst of losses
	free   mono.Instant // when all that waits will have gone out
	newest mono.Instant // latest arrival of those in order
	tokens float64      // bits that the policer lets through at once
	filled mono.Instant // when tokens was so much
}

// New returns a perfect link, whose chance is that of the seed.
func New(seed uint64) *Link {
	return &Link{chance: rand.New(rand.NewPCG(seed, 0x7461_6b6f))}
}

// Stats returns the counters.
func (l *Link) Stats() Stats { return l.stats }

// Set changes the conditions for what is sent from now on. What waits for its
// turn goes out at the old rate; what comes behind it waits as long as it takes
// at the new one.
func (l *Link) Set(now mono.Instant, c Conditions) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if waiting := l.free.Sub(now); waiting > 0 && c.Rate > 0 && l.conditions.Rate > 0 {
		bits := waiting.Seconds() * float64(l.conditions.Rate)
		l.free = now.Add(seconds(bits / float64(c.Rate)))
	} else {
		l.free = now
	}
	l.conditions, l.losing = c, false
	l.tokens, l.filled = c.depth(), now
	return nil
}

// depth is how many bits the policer lets through at once.
func (c Conditions) depth() float64 { return c.Queue.Seconds() * float64(c.Rate) }

// headers are those of IPv4 and UDP, in bytes.
const headers = 20 + 8

// Send sends a datagram with so many bytes of payload, and returns when it
// arrives.
func (l *Link) Send(now mono.Instant, payload int) Arrivals {
	var a Arrivals
	if l.conditions.Down {
		l.stats.Dark++
		return a
	}
	out, ok := l.queue(now, payload)
	if !ok {
		return a
	}
	if l.lose() {
		l.stats.Lost++
		return a
	}
	l.stats.Passed++
	l.stats.Bytes += uint64(payload)
	a.add(l.arrive(out))
	if l.happens(l.conditions.Duplicate) {
		l.stats.Duplicated++
		a.add(a.times[0])
	}
	return a
}

// queue returns when the datagram has gone out, ok false when it does not.
func (l *Link) queue(now mono.Instant, payload int) (out mono.Instant, ok bool) {
	c := &l.conditions
	if c.Rate == 0 {
		return now, true
	}
	bits := float64((payload + headers) * 8)
	if c.Police {
		if ok = l.police(now, bits); !ok {
			l.stats.Policed++
		}
		return now, ok
	}
	begin := max(now, l.free)
	wait := begin.Sub(now)
	if wait > c.Queue {
		l.stats.Dropped++
		return 0, false
	}
	l.stats.MaxQueue = max(l.stats.MaxQueue, wait)
	l.free = begin.Add(seconds(bits / float64(c.Rate)))
	return l.free, true
}

// police is a token bucket.
func (l *Link) police(now mono.Instant, bits float64) bool {
	c := &l.conditions
	l.tokens = min(l.tokens+now.Sub(l.filled).Seconds()*float64(c.Rate), c.depth())
	l.filled = now
	if l.tokens < bits {
		return false
	}
	l.tokens -= bits
	return true
}

// lose decides by the model of Gilbert: two states, in one of which everything
// is lost. A burst ends with probability 1/Burst; one begins as often as makes
// the share of lost ones Loss.
func (l *Link) lose() bool {
	c := &l.conditions
	switch {
	case c.Burst <= 1 || c.Loss == 0 || c.Loss == 1:
		return l.happens(c.Loss)
	case l.losing:
		l.losing = !l.happens(1 / c.Burst)
	default:
		l.losing = l.happens(c.Loss / (1 - c.Loss) / c.Burst)
	}
	return l.losing
}

// arrive returns when a datagram that goes out then is there.
func (l *Link) arrive(out mono.Instant) mono.Instant {
	c := &l.conditions
	at := out.Add(c.Delay)
	if c.Jitter > 0 {
		at = at.Add(time.Duration(l.chance.Int64N(int64(c.Jitter) + 1)))
	}
	if l.happens(c.Reorder) {
		l.stats.HeldBack++
		return at.Add(c.ReorderBy)
	}
	l.newest = max(l.newest, at)
	return l.newest
}

func (l *Link) happens(share float64) bool {
	return share > 0 && l.chance.Float64() < share
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
