package bwe

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// ProbeTick is how often Prober.Tick is to be called while it is Active.
	ProbeTick = 10 * time.Millisecond

	// probeSearch and probeStep are the factors from the estimate to what is
	// probed: before any limit was met, and after.
	probeSearch = 2.0
	probeStep   = 1.5
	probeLeast  = 1.25
	// probeBeyond is how much above what is wanted a probe goes, so that its
	// result confirms that much.
	probeBeyond = 1.1

	// A probe of this length at one and a half times the capacity leaves a
	// queue of half its length. The longer ones are of low rates, whose
	// packets are few.
	probeTime    = 100 * time.Millisecond
	maxProbeTime = 400 * time.Millisecond
	// rembProbeTime is the length where REMB is all there is: such receivers
	// take some time to believe in more than comes in, and rembSuccess is by
	// how much more they must.
	rembProbeTime = time.Second
	rembSuccess   = 1.02
	probeBytes    = 8 * 800

	// probeAgain is the pause after the first probe that has failed, or after
	// the estimate has fallen; it doubles up to maxProbeAgain.
	probeAgain    = 2 * time.Second
	maxProbeAgain = 10 * time.Second
	// probeSettles is the pause after a success.
	probeSettles = 50 * time.Millisecond
	// probeHolds is how long what a probe has shown must hold true. A policer
	// lets a probe pass and not what follows: then the pauses double further.
	probeHolds       = 5 * time.Second
	maxPauseMistaken = 40 * time.Second
	// pauseMisled is the first of those pauses, when loss has shown it.
	pauseMisled = 16 * time.Second

	// probeQueue is by how much the standing queue may grow in a probe.
	probeQueue = 60 * time.Millisecond
	// probeFell is the fall of the estimate that calls for a pause.
	probeFell = 0.85
)

// Prober finds out by sending padding whether more could be sent than is. An
// estimate is only worth what was sent to confirm it, and an SFU sends what
// there is: without probes a receiver that was moved to a low layer would stay
// there.
//
// It probes only while more is wanted than the estimate allows, in steps: each
// is a fraction of a second at a higher rate, and the next follows when the
// packets of the last have arrived at their rate. A probe that the path could
// not carry is repeated after 2 s, then 4 s, 8 s, and at last every 10 s; one
// that meets a growing queue ends at once. A receiver without transport-wide
// feedback is sent padding for as long as its REMB grows by it; one without
// either is never probed.
//
// It belongs under the lock of its SendEstimator. The zero value is ready.
type Prober struct {
	id        uint8
	active    bool
	waiting   bool // for the result
	rate      float64
	begun     mono.Instant
	length    time.Duration
	sumBefore uint64

	due       mono.Instant
	pause     time.Duration
	highest   float64 // estimate since the last probe
	succeeded mono.Instant
	fell      mono.Instant  // the estimate
	queue     time.Duration // standing when it began
	before    Bitrate       // estimate when it began
}

// Active reports whether a probe is under way: Tick is then to be called every
// ProbeTick, at other times some ten times a second.
func (p *Prober) Active() bool { return p.active }

// Wait has the next probe begin no sooner than at an instant. More media was let
// through, which is a probe too: what becomes of it is to be seen first.
func (p *Prober) Wait(until mono.Instant) { p.due = max(p.due, until) }

// Tick returns how many bytes of padding to send now. They count as Sent with
// everything else; what exceeds or falls short of the number is made up for in
// the next tick. a is what the last allocation came to.
func (p *Prober) Tick(now mono.Instant, e *SendEstimator, a Allocation) (paddingBytes int) {
	if p.active {
		return p.proceed(now, e)
	}
	if p.waiting {
		p.conclude(now, e)
		return 0
	}
	p.watch(now, e)
	if !p.worthwhile(now, e, a) {
		return 0
	}
	p.begin(now, e, a)
	return p.proceed(now, e)
}

// watch notes a fall of the estimate.
func (p *Prober) watch(now mono.Instant, e *SendEstimator) {
	estimate := float64(e.Estimate())
	recent := p.succeeded != 0 && now.Sub(p.succeeded) < probeHolds
	if p.succeeded != 0 && !recent {
		p.succeeded, p.pause = 0, 0
	}
	switch {
	case e.outage:
		p.highest, p.pause, p.due = 0, 0, 0
	case estimate >= probeFell*p.highest:
		p.highest = max(p.highest, estimate)
	default:
		if p.fell == 0 || now.Sub(p.fell) > probeAgain { // one that goes on is one
			p.lengthenPause(recent, e.loss.reduced != 0 && e.loss.reduced == e.control.reduced)
		}
		p.fell = now
		p.due = max(p.due, now.Add(p.pause))
		p.highest = estimate
	}
}

// lengthenPause lengthens the pause for a fall of the estimate: recently after a
// probe has succeeded, which then has misled, or for loss.
func (p *Prober) lengthenPause(recent, loss bool) {
	switch {
	case recent && loss:
		p.pause = max(2*p.pause, pauseMisled)
	case recent:
		p.pause = max(2*p.pause, probeAgain)
	default:
		p.pause = max(p.pause, probeAgain)
	}
	p.pause = min(p.pause, maxPauseMistaken)
	if recent {
		p.succeeded = 0
	}
}

// worthwhile reports whether a probe can begin and has something to gain.
func (p *Prober) worthwhile(now mono.Instant, e *SendEstimator, a Allocation) bool {
	estimate := e.Estimate()
	if !e.started && e.remb == 0 {
		return false // nobody would tell what comes of it
	}
	return a.Next > estimate && float64(estimate) < e.control.max && now >= p.due &&
		!e.Congested()
}

func (p *Prober) begin(now mono.Instant, e *SendEstimator, a Allocation) {
	estimate := float64(e.Estimate())
	factor := probeStep
	if !e.control.limited {
		factor = probeSearch
	}
	goal := max(float64(a.Next)*probeBeyond, estimate*probeLeast)
	enough := max(float64(a.Next), float64(a.Wanted)*probeBeyond) * probeBeyond
	p.rate = min(goal, estimate*factor, enough, e.control.max)
	p.length = min(max(time.Duration(probeBytes*8/p.rate*float64(time.Second)), probeTime), maxProbeTime)
	if !e.started {
		p.rate, p.length = min(p.rate, estimate*probeLeast), rembProbeTime
	}
	p.id++
	p.id = max(p.id, 1)
	p.active, p.begun, p.sumBefore = true, now, e.sent.sum
	p.queue, p.before = e.queue.standing(), e.Estimate()
	e.cluster = cluster{id: p.id, open: true}
}

// proceed returns the padding of a tick, and ends the probe when it is long
// enough or does harm.
func (p *Prober) proceed(now mono.Instant, e *SendEstimator) (paddingBytes int) {
	elapsed := now.Sub(p.begun)
	fell := float64(e.Estimate()) < probeFell*float64(p.before)
	if elapsed >= p.length || fell || e.Congested() || e.queue.standing() > p.queue+probeQueue {
		p.active, p.waiting = false, true
		e.cluster.open, e.cluster.closed = false, now
		return 0
	}
	due := p.rate / 8 * (elapsed + ProbeTick).Seconds()
	return max(int(due)-int(e.sent.sum-p.sumBefore), 0)
}

// succeeds reports whether the path has carried the probe.
func (p *Prober) succeeds(e *SendEstimator) bool {
	if !e.started {
		return float64(e.Estimate()) >= rembSuccess*float64(p.before)
	}
	return e.probed.rate > 0 && !e.probed.saturated
}

// conclude waits for the result and decides when to probe again.
func (p *Prober) conclude(now mono.Instant, e *SendEstimator) {
	if e.probed.id != p.id {
		if !e.cluster.overdue(now, e.roundTrip) {
			return
		}
		e.probed = probeResult{id: p.id}
	}
	p.waiting = false
	p.highest = float64(e.Estimate())
	if p.succeeds(e) {
		p.due, p.succeeded = max(p.due, now.Add(probeSettles)), now
		return
	}
	p.pause = min(max(2*p.pause, probeAgain), maxProbeAgain)
	p.due = now.Add(p.pause)
}
