package bwe_test

import (
	"math/rand/v2"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
)

// path is one direction of a network in virtual time: a bottleneck with a
// queue, and what lies behind it. Times are since the start of the run.
type path struct {
	rate     bwe.Bitrate
	maxQueue time.Duration // what the bottleneck holds, by its rate
	delay    time.Duration
	jitter   time.Duration // at most, behind the bottleneck, without reordering
	loss     float64       // share of packets lost, whatever the rate
	policed  bool          // no queue: what exceeds rate is dropped
	broken   bool          // nothing passes

	random  *rand.Rand
	free    time.Duration // when the bottleneck has sent all it has
	arrived time.Duration // last arrival
	tokens  float64       // bytes, of the policer
	filled  time.Duration
}

// policerBurst is the depth of the policer's bucket in bytes.
const policerBurst = 20_000

func newPath(rate bwe.Bitrate) *path {
	return &path{rate: rate, maxQueue: 400 * ms, delay: 25 * ms, tokens: policerBurst, random: rand.New(rand.NewPCG(5, 6))}
}

// send returns when a packet arrives, if it does.
func (p *path) send(now time.Duration, sizeBytes int) (arrival time.Duration, ok bool) {
	if p.broken || p.random.Float64() < p.loss {
		return 0, false
	}
	if p.policed {
		ok, arrival = p.pass(now, sizeBytes), now
	} else {
		ok, arrival = p.enqueue(now, sizeBytes), p.free
	}
	if !ok {
		return 0, false
	}
	arrival += p.delay
	if p.jitter > 0 {
		arrival += time.Duration(p.random.Int64N(int64(p.jitter)))
	}
	p.arrived = max(p.arrived, arrival)
	return p.arrived, true
}

func (p *path) enqueue(now time.Duration, sizeBytes int) bool {
	if p.queue(now) > p.maxQueue {
		return false
	}
	p.free = max(p.free, now) + time.Duration(sizeBytes*8)*time.Second/time.Duration(p.rate)
	return true
}

func (p *path) pass(now time.Duration, sizeBytes int) bool {
	p.tokens = min(p.tokens+(now-p.filled).Seconds()*float64(p.rate)/8, policerBurst)
	p.filled = now
	if p.tokens < float64(sizeBytes) {
		return false
	}
	p.tokens -= float64(sizeBytes)
	return true
}

// queue is how long a packet would wait.
func (p *path) queue(now time.Duration) time.Duration { return max(p.free-now, 0) }

// setRate changes the rate; what is queued takes its time by the new one.
func (p *path) setRate(now time.Duration, rate bwe.Bitrate) {
	if q := p.queue(now); q > 0 {
		p.free = now + time.Duration(float64(q)*float64(p.rate)/float64(rate))
	}
	p.rate = rate
}

// reno is a TCP flow that shares the path: additive increase, halving.
type reno struct {
	window   float64 // packets
	inFlight []renoPacket
	slow     bool // slow start
	lossAt   time.Duration
	received int // bytes
}

type renoPacket struct {
	acked time.Duration
	lost  bool
	sent  time.Duration
}

const renoSize = 1400

func newReno() *reno { return &reno{window: 4, slow: true, lossAt: -time.Second} }

// step sends what the window allows.
func (r *reno) step(now time.Duration, p *path) {
	for len(r.inFlight) > 0 && r.inFlight[0].acked <= now {
		r.acknowledge(now, r.inFlight[0])
		r.inFlight = r.inFlight[1:]
	}
	for float64(len(r.inFlight)) < r.window {
		arrival, ok := p.send(now, renoSize)
		if !ok {
			arrival = now + p.queue(now) + p.delay
		}
		// What comes later than the one before it is acknowledged after it.
		acked := arrival + p.delay
		if n := len(r.inFlight); n > 0 {
			acked = max(acked, r.inFlight[n-1].acked)
		}
		r.inFlight = append(r.inFlight, renoPacket{acked: acked, lost: !ok, sent: now})
	}
}

func (r *reno) acknowledge(now time.Duration, p renoPacket) {
	switch {
	case p.lost && p.sent > r.lossAt:
		r.window, r.slow, r.lossAt = max(r.window/2, 2), false, now
	case p.lost:
	case r.slow:
		r.window++
		r.received += renoSize
	default:
		r.window += 1 / r.window
		r.received += renoSize
	}
}
