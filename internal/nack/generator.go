package nack

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// maxMissing bounds the list of missing packets. More costs memory and
	// time for packets that come too late to be shown; fewer gives up on a
	// short outage that retransmission could still have repaired without a
	// keyframe.
	maxMissing = 1000
	// maxAsks is how often a packet is asked for. At the usual round trips it
	// is exhausted long after a player has shown the frame broken.
	maxAsks = 10
	// minRetry is the least time between two requests for a packet: a round
	// trip measured on a local network is shorter than the sender's pacer.
	minRetry = 20 * time.Millisecond
	// maxBatch bounds what one call of Due returns, so that the resulting
	// NACK fits a datagram however the losses are spread (4 bytes each).
	maxBatch = 256
	// defaultMaxAge is when a packet is too late for any player.
	defaultMaxAge = 2 * time.Second
	// longSilence and longGap tell an outage from losses: so many packets
	// missing after such a silence. Senders keep about a second of packets,
	// and what they do send again takes the place of the keyframe with which
	// the picture moves again. A shorter gap is repaired for less than a
	// keyframe costs.
	longSilence = time.Second
	longGap     = 64
)

// GeneratorOptions are the settings of a Generator; the zero value is what
// most streams want.
type GeneratorOptions struct {
	// ReorderWindow is how long a packet may be missing before it is asked
	// for. Zero asks at once: on today's networks a gap nearly always is a
	// loss, and the round trip is what repair has least of.
	ReorderWindow time.Duration
	// MaxAge is how long a packet is asked for at most, 2 s if zero.
	MaxAge time.Duration
}

// missing is a packet that has not arrived.
type missing struct {
	extSeq int64
	since  mono.Instant
	next   mono.Instant // when to ask (again)
	asks   uint8
}

// GeneratorStats counts packets since the start of the stream. What is missing
// is in the end recovered, late or given up.
type GeneratorStats struct {
	Missing   uint64 // noticed as missing
	Asked     uint64 // requests, a packet counts each time
	Recovered uint64 // arrived as retransmissions
	Late      uint64 // arrived by themselves after all
	GivenUp   uint64 // never arrived, as far as anybody waited
}

// Generator keeps the list of missing packets of one received stream.
type Generator struct {
	// Constant after NewGenerator.
	reorderWindow time.Duration
	maxAge        time.Duration

	missing  []missing // ascending by extSeq
	first    int64
	newest   int64
	keyframe int64        // the last keyframe's first packet
	last     mono.Instant // of Receive
	nextDue  mono.Instant // no request is due before
	started  bool
	// keyframeNeeded is set when the list overflowed, or after an outage.
	keyframeNeeded bool
	stats          GeneratorStats
}

// NewGenerator returns a Generator for a stream that has not begun.
func NewGenerator(o GeneratorOptions) *Generator {
	if o.MaxAge <= 0 {
		o.MaxAge = defaultMaxAge
	}
	return &Generator{reorderWindow: max(o.ReorderWindow, 0), maxAge: o.MaxAge}
}

// Receive notes that the packet extSeq of the stream itself, not a
// retransmission, has arrived. What it skips becomes missing. keyframe tells
// that a decoder can start with it, so that older packets can be dispensed
// with when there are too many.
//
// It returns whether the packet is news; false for one that arrived before, by
// itself or as a retransmission, or was given up. What is too old for the list
// to know counts as news, so that a sender that begins anew is not shut out.
func (g *Generator) Receive(now mono.Instant, extSeq int64, keyframe bool) bool {
	silence := now.Sub(g.last)
	g.last = now
	if !g.started {
		g.started = true
		g.first, g.newest = extSeq, extSeq
		if keyframe {
			g.keyframe = extSeq
		}
		return true
	}
	if keyframe && extSeq > g.keyframe {
		g.keyframe = extSeq
		g.keyframeNeeded = false
	}
	if extSeq == g.newest+1 {
		g.newest = extSeq
		return true
	}
	if extSeq > g.newest {
		if silence > longSilence && extSeq-g.newest > longGap {
			g.skipOutage(extSeq)
		} else {
			g.skipTo(now, extSeq)
		}
		return true
	}
	if g.remove(extSeq) {
		g.stats.Late++
		return true
	}
	return extSeq < g.first || g.newest-extSeq > maxMissing
}

// Recovered notes that extSeq has arrived as a retransmission. It returns true
// if the packet had not arrived before and so is to be forwarded, false for
// one that is a duplicate or was given up. A retransmission may also run ahead
// of the stream, when the tail of a burst was lost and its sender probes with
// retransmissions.
func (g *Generator) Recovered(extSeq int64) bool {
	if !g.started {
		return false
	}
	if extSeq > g.newest {
		if extSeq-g.newest > maxMissing {
			return false
		}
		g.skipTo(g.last, extSeq)
		g.stats.Missing++
		g.stats.Recovered++
		return true
	}
	if !g.remove(extSeq) {
		return false
	}
	g.stats.Recovered++
	return true
}

// skipTo makes extSeq the newest packet and lists the ones before it as
// missing.
func (g *Generator) skipTo(now mono.Instant, extSeq int64) {
	first := g.newest + 1
	g.newest = extSeq
	count := extSeq - first
	g.stats.Missing += uint64(count)
	if !g.makeRoom(count) {
		g.stats.GivenUp += uint64(count)
		return
	}
	due := now.Add(g.reorderWindow)
	if len(g.missing) == 0 || due < g.nextDue {
		g.nextDue = due
	}
	for seq := first; seq < extSeq; seq++ {
		g.missing = append(g.missing, missing{extSeq: seq, since: now, next: due})
	}
}

// skipOutage is skipTo after an outage: nothing is listed, nor is what was
// missing before it.
func (g *Generator) skipOutage(extSeq int64) {
	count := uint64(extSeq - g.newest - 1)
	g.stats.Missing += count
	g.stats.GivenUp += count
	g.newest = extSeq
	g.drop(len(g.missing))
	g.keyframeNeeded = g.keyframe != extSeq
}

// makeRoom makes room for count more missing packets: by dropping those that a
// later keyframe made dispensable, and if this is not enough by dropping all,
// after which only a new keyframe can help, unless that is what has just
// arrived. It returns false if not even then they fit.
func (g *Generator) makeRoom(count int64) bool {
	if int64(len(g.missing))+count <= maxMissing {
		return true
	}
	n, _ := g.find(g.keyframe)
	g.drop(n)
	if int64(len(g.missing))+count <= maxMissing {
		return true
	}
	g.drop(len(g.missing))
	g.keyframeNeeded = g.keyframe != g.newest
	return count <= maxMissing
}

// drop gives up the n oldest missing packets.
func (g *Generator) drop(n int) {
	g.stats.GivenUp += uint64(n)
	g.missing = g.missing[:copy(g.missing, g.missing[n:])]
}

// find returns the index of extSeq in the list, or where it would be.
func (g *Generator) find(extSeq int64) (int, bool) {
	low, high := 0, len(g.missing)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if g.missing[middle].extSeq < extSeq {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(g.missing) && g.missing[low].extSeq == extSeq
}

func (g *Generator) remove(extSeq int64) bool {
	i, ok := g.find(extSeq)
	if ok {
		g.missing = g.missing[:i+copy(g.missing[i:], g.missing[i+1:])]
	}
	return ok
}

// Due appends to dst the sequence numbers to ask for now, in ascending order
// and at most 256 at a time, and notes that they were asked for; the rest is
// due again at once. rtt is the round-trip time to the sender, zero if
// unknown. It gives up packets that were asked for 10 times, or for too long.
// While nothing is due it costs a comparison.
func (g *Generator) Due(now mono.Instant, rtt time.Duration, dst []uint16) []uint16 {
	if len(g.missing) == 0 || now < g.nextDue {
		return dst
	}
	retry := max(rtt, minRetry)
	earliest := now.Add(retry)
	batch, kept := 0, 0
	for _, m := range g.missing {
		if m.next <= now {
			if m.asks >= maxAsks || now.Sub(m.since) > g.maxAge {
				g.stats.GivenUp++
				continue
			}
			if batch < maxBatch {
				batch++
				m.asks++
				m.next = now.Add(retry)
				dst = append(dst, uint16(m.extSeq))
			}
		}
		earliest = min(earliest, m.next)
		g.missing[kept] = m
		kept++
	}
	g.missing = g.missing[:kept]
	g.nextDue = earliest
	g.stats.Asked += uint64(batch)
	return dst
}

// Pending reports whether any packet is missing and may still be asked for.
func (g *Generator) Pending() bool { return len(g.missing) > 0 }

// GiveUp forgets what is missing, for a stream that nobody receives.
func (g *Generator) GiveUp() { g.drop(len(g.missing)) }

// KeyframeNeeded reports whether so much was lost since the last call that it
// was given up; the stream then needs a keyframe to go on.
func (g *Generator) KeyframeNeeded() bool {
	needed := g.keyframeNeeded
	g.keyframeNeeded = false
	return needed
}

// Stats returns the counters.
func (g *Generator) Stats() GeneratorStats { return g.stats }
