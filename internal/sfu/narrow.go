package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
)

// What is done for a line that has turned out too narrow for what it was sent: its
// queue is full, or a policer has nothing left to give. Whatever is sent now is
// lost, above all the keyframe with which a smaller encoding begins.

const (
	// silence is how long nothing is sent beyond what waits in the line's queue:
	// what was under way when that was measured, and room for the keyframe.
	// Longer is a picture that stands; shorter is a keyframe that is lost.
	silence = 100 * time.Millisecond
	// maxSilence is as long as a picture may stand with a good conscience.
	maxSilence = 400 * time.Millisecond
	// settlingTime is how long after that nothing larger is begun with.
	settlingTime = time.Second
	// probeWait is how much more than a round trip passes after a rise before the
	// next probe: receivers report ten times a second.
	probeWait = 100 * time.Millisecond
)

// fallSilentLocked ends what c is sent of a larger encoding, lets the line's
// queue drain, and has c go on with a keyframe of the smaller one. It does
// nothing, and is false, where no keyframe is needed. sendMu is held.
func (c *Consumer) fallSilentLocked(now mono.Instant, e *bwe.SendEstimator) bool {
	if c.producer.typ != ortc.Simulcast || c.layers.target == c.rewrite.stream {
		return false
	}
	if c.rewrite.restarting {
		return now < c.layers.silentUntil
	}
	c.rewrite.restart()
	c.layers.silentUntil = now.Add(min(e.Standing()+silence, maxSilence))
	e.Pause(now)
	return true
}

// repairBudget bounds what is sent again. An overfull line loses what is sent again
// as well, and its receiver asks for that too: without a bound, most of what such
// a line is given are retransmissions. The zero value is for a line of which
// nothing is known yet.
type repairBudget struct {
	bytes float64
	at    mono.Instant
	loss  float64 // of the line however little it is sent
}

const (
	// repairShare is what may be sent again at least, of what the line carries: on
	// one with a queue, which has to drain, and on one without.
	queuedRepairShare = 0.1
	repairShare       = 0.3
	// repairQueue is the least queue that has to drain.
	repairQueue = 50 * time.Millisecond
	// repairLoss is how much more than the path loses anyway may be sent again: of
	// what is sent again some is lost, too.
	repairLoss = 2
	// lossyLine is a loss with which hardly a keyframe comes whole. It is what has
	// been found lately, by the weight of lossNews: a policer may look for a moment as
	// if it lost a share whatever it is given.
	lossyLine = 0.1
	lossNews  = 0.1
	// repairBurst is how much of the line's time may have been saved up.
	repairBurst = 200 * time.Millisecond
	// leastRepairBurst is a few packets, bytes.
	leastRepairBurst = 6000
)

// mayRepairLocked reports whether a packet of c may be sent again. On a line that
// was found narrow, what came before the newest keyframe may not, since that makes
// up for it; but where keyframes are lost by chance one has to come through while
// others follow it. And of what was saved up the first half is for the pictures that
// all others build on. sendMu is held.
func (b *bandwidth) mayRepairLocked(now mono.Instant, c *Consumer, e *sentPacket) bool {
	burst := b.saveRepairs(now)
	if !b.estimator.Limited() {
		return b.repairs.bytes > 0
	}
	if now < c.layers.silentUntil || c.rewrite.restarting {
		return false
	}
	if !c.rewrite.sinceKeyframe(e.seq) && b.repairs.loss < lossyLine {
		return false
	}
	return b.repairs.bytes > 0 && (e.flags&sentUpper == 0 || b.repairs.bytes > burst/2)
}

// saveRepairs adds what was saved up since the last time, and returns how much
// that can be at most.
func (b *bandwidth) saveRepairs(now mono.Instant) (burst float64) {
	r := &b.repairs
	estimate := float64(b.estimator.Estimate())
	burst = max(estimate/8*repairBurst.Seconds(), leastRepairBurst)
	share := repairShare
	if b.estimator.Standing() > repairQueue {
		share = queuedRepairShare
	}
	if r.loss >= lossyLine {
		share = max(share, repairLoss*r.loss)
	}
	rate := max(estimate-float64(b.allocation.Used), share*estimate) / 8
	if r.at == 0 {
		r.bytes = burst
	} else {
		r.bytes = min(r.bytes+rate*now.Sub(r.at).Seconds(), burst)
	}
	r.at = now
	return burst
}

// noteLoss takes in, at each division, what the line loses whatever it is sent.
func (r *repairBudget) noteLoss(inherent float64) { r.loss += lossNews * (inherent - r.loss) }

// noteRepair notes what was sent again.
func (b *bandwidth) noteRepair(sizeBytes int) { b.repairs.bytes -= float64(sizeBytes) }
