package bwe_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// link plays a video sender that follows the estimate, and the bottleneck
// between it and us, in virtual time.
type link struct {
	estimator *bwe.ReceiveEstimator
	start     mono.Instant
	// capacity of the bottleneck and jitter behind it, at a time since start.
	capacity func(time.Duration) bwe.Bitrate
	jitter   time.Duration
	// wants is what the encoder makes at most.
	wants bwe.Bitrate
	// lossRate is the share of packets that are lost whatever the rate.
	lossRate float64
	// sendClock is how many seconds the sender counts in one of ours.
	sendClock float64

	random   *rand.Rand
	target   bwe.Bitrate
	linkFree time.Duration // when the bottleneck has sent all it has
	arrived  time.Duration // of the packet before: a link does not reorder

	// What was seen: samples each 100 ms.
	estimates []bwe.Bitrate
	queues    []time.Duration
}

const (
	propagation = 20 * ms
	maxQueue    = 500 * ms
	packetSize  = 1100
)

func newLink(capacity bwe.Bitrate) *link {
	return &link{
		estimator: bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{}),
		start:     at(0),
		capacity:  func(time.Duration) bwe.Bitrate { return capacity },
		wants:     bwe.Bitrate(3_000_000),
		sendClock: 1,
		random:    rand.New(rand.NewPCG(1, 2)),
		target:    300_000,
	}
}

// run plays until the time given since start; frames of 30/s whose packets
// leave 1 ms apart, and a REMB each 200 ms.
func (l *link) run(from, to time.Duration) {
	const frame = time.Second / 30
	lost, sent, reported := 0, 0, from
	for now := from; now < to; now += frame {
		rate := min(l.target, l.wants)
		bytes := int(rate) / 8 / 30
		for i := 0; bytes > 0; i++ {
			size := min(bytes, packetSize)
			bytes -= size
			sent++
			if !l.send(now+time.Duration(i)*ms, max(size, 100)) {
				lost++
			}
		}
		l.queues = append(l.queues, max(l.linkFree-now, 0))
		if now-reported >= 200*ms {
			reported = now
			l.estimator.ReportLoss(lost, sent)
			lost, sent = 0, 0
			if estimate, ok := l.estimator.Estimate(l.start.Add(now)); ok {
				l.target = estimate
			}
		}
		l.estimates = append(l.estimates, l.target)
	}
}

// send plays one packet and reports whether it arrived.
func (l *link) send(now time.Duration, size int) bool {
	sendTime := rtp.AbsSendTime(mono.Instant(float64(l.start.Add(now)) * l.sendClock))
	l.linkFree = max(l.linkFree, now)
	if l.linkFree-now > maxQueue || l.random.Float64() < l.lossRate {
		return false
	}
	l.linkFree += time.Duration(size*8) * time.Second / time.Duration(l.capacity(now))
	arrival := l.linkFree + propagation
	if l.jitter > 0 {
		arrival += time.Duration(l.random.Int64N(int64(l.jitter)))
	}
	l.arrived = max(l.arrived, arrival)
	l.estimator.Receive(l.start.Add(l.arrived), sendTime, size)
	return true
}

// mean of the estimates in the last part of the run.
func (l *link) mean(last time.Duration) bwe.Bitrate {
	var sum bwe.Bitrate
	n := int(last * 30 / time.Second)
	for _, e := range l.estimates[len(l.estimates)-n:] {
		sum += e
	}
	return sum / bwe.Bitrate(n)
}

func (l *link) lowest(last time.Duration) bwe.Bitrate {
	lowest := l.estimates[len(l.estimates)-1]
	for _, e := range l.estimates[len(l.estimates)-int(last*30/time.Second):] {
		lowest = min(lowest, e)
	}
	return lowest
}

func (l *link) meanQueue(last time.Duration) time.Duration {
	var sum time.Duration
	n := int(last * 30 / time.Second)
	for _, q := range l.queues[len(l.queues)-n:] {
		sum += q
	}
	return sum / time.Duration(n)
}

func TestEstimateRisesWhenThereIsHeadroom(t *testing.T) {
	l := newLink(20 * bwe.MegabitPerSecond)
	l.run(0, 10*time.Second)
	if got := l.mean(ms * 1000); got < 3*bwe.MegabitPerSecond {
		t.Errorf("%d after 10 s, the sender wants 3 Mbit/s", got)
	}
	if got := l.mean(ms * 1000); got > 5*bwe.MegabitPerSecond {
		t.Errorf("%d, far more than was ever seen to arrive", got)
	}
}

func TestEstimateSettlesAtABottleneck(t *testing.T) {
	for _, capacity := range []bwe.Bitrate{250_000, 500_000, 1_000_000, 2_500_000} {
		l := newLink(capacity)
		l.run(0, 60*time.Second)
		if got := l.mean(30 * time.Second); float64(got) < 0.7*float64(capacity) || got > capacity*11/10 {
			t.Errorf("capacity %d: estimate %d", capacity, got)
		}
		if got := l.meanQueue(30 * time.Second); got > 120*ms {
			t.Errorf("capacity %d: %v in the queue", capacity, got)
		}
	}
}

func TestEstimateFallsWithTheCapacityAndRisesAgain(t *testing.T) {
	l := newLink(0)
	l.capacity = func(now time.Duration) bwe.Bitrate {
		if now > 20*time.Second && now < 40*time.Second {
			return 500_000
		}
		return 2_500_000
	}
	l.run(0, 20*time.Second)
	if got := l.mean(5 * time.Second); got < 1_600_000 {
		t.Errorf("%d before", got)
	}
	l.run(20*time.Second, 23*time.Second)
	if got := l.mean(ms * 500); got > 600_000 {
		t.Errorf("%d three seconds after the capacity fell to 500 kbit/s", got)
	}
	l.run(23*time.Second, 40*time.Second)
	if got := l.mean(10 * time.Second); got < 350_000 || got > 550_000 {
		t.Errorf("%d while the capacity is 500 kbit/s", got)
	}
	l.run(40*time.Second, 75*time.Second)
	if got := l.mean(5 * time.Second); got < 1_500_000 {
		t.Errorf("%d half a minute after the capacity came back", got)
	}
}

func TestEstimateIsNotMovedByJitter(t *testing.T) {
	l := newLink(20 * bwe.MegabitPerSecond)
	l.jitter = 8 * ms
	l.run(0, 40*time.Second)
	if got := l.lowest(20 * time.Second); got < 2*bwe.MegabitPerSecond {
		t.Errorf("fell to %d", got)
	}
}

func TestEstimateIsNotMovedByAClockThatDrifts(t *testing.T) {
	for _, clock := range []float64{0.9998, 1.0002} {
		l := newLink(20 * bwe.MegabitPerSecond)
		l.sendClock = clock
		l.run(0, 40*time.Second)
		if got := l.lowest(20 * time.Second); got < 3*bwe.MegabitPerSecond {
			t.Errorf("clock %v: fell to %d", clock, got)
		}
	}
}

func TestEstimateIsNotMovedByTheWrapOfSendTimes(t *testing.T) {
	l := newLink(20 * bwe.MegabitPerSecond)
	l.run(0, 150*time.Second) // wraps twice at least
	if got := l.lowest(140 * time.Second); got < 3*bwe.MegabitPerSecond {
		t.Errorf("fell to %d", got)
	}
}

func TestEstimateFallsUnderHeavyLoss(t *testing.T) {
	l := newLink(20 * bwe.MegabitPerSecond)
	l.run(0, 10*time.Second)
	before := l.mean(ms * 500)
	l.lossRate = 0.3
	l.run(10*time.Second, 15*time.Second)
	during := l.mean(ms * 500)
	if during > before/2 {
		t.Errorf("%d under a loss of 30 %%, %d before", during, before)
	}
	l.lossRate = 0
	l.run(15*time.Second, 45*time.Second)
	if got := l.mean(ms * 500); got < before*3/4 {
		t.Errorf("%d half a minute after the loss ended, %d before", got, before)
	}
}

func TestEstimateIsNotMovedByALittleLoss(t *testing.T) {
	l := newLink(20 * bwe.MegabitPerSecond)
	l.lossRate = 0.01
	l.run(0, 30*time.Second)
	if got := l.lowest(15 * time.Second); got < 2_500_000 {
		t.Errorf("fell to %d", got)
	}
}

func TestEstimateKeepsWithinItsLimits(t *testing.T) {
	l := newLink(100_000)
	l.estimator = bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{Start: 400_000, Min: 300_000, Max: 500_000})
	l.run(0, 20*time.Second)
	if got := l.lowest(15 * time.Second); got != 300_000 {
		t.Errorf("fell to %d, not to the least", got)
	}
	l.capacity = func(time.Duration) bwe.Bitrate { return 10_000_000 }
	l.run(20*time.Second, 60*time.Second)
	if got := l.mean(time.Second); got != 500_000 {
		t.Errorf("rose to %d, not to the most", got)
	}
}

func TestEstimateIsValidWhilePacketsArrive(t *testing.T) {
	e := bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})
	valid := func(now time.Duration) bool {
		_, ok := e.Estimate(at(now))
		return ok
	}
	if valid(0) {
		t.Error("valid before the first packet")
	}
	e.ReportLoss(1, 2) // of no use yet, but no harm
	for now := time.Duration(0); now <= 3*time.Second; now += 20 * ms {
		e.Receive(at(now), rtp.AbsSendTime(at(now)), 500)
		if got := valid(now); got != (now >= 500*ms) {
			t.Fatalf("after %v valid: %v", now, got)
		}
	}
	if !valid(5*time.Second) || valid(5*time.Second+ms) {
		t.Error("is not valid for two seconds after the last packet")
	}
	// A new beginning.
	e.Receive(at(10*time.Second), 0, 500)
	if valid(10 * time.Second) {
		t.Error("valid at once after a silence")
	}
}

func TestEstimateBeginsWithWhatSendersBeginWith(t *testing.T) {
	e := bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})
	for now := time.Duration(0); now <= 520*ms; now += 20 * ms {
		e.Receive(at(now), rtp.AbsSendTime(at(now)), 100) // 40 kbit/s
	}
	if got, ok := e.Estimate(at(520 * ms)); !ok || !near(got, 300_000, 0.05) {
		t.Errorf("%d, %v", got, ok)
	}
}

func TestEstimateSurvivesGarbageSendTimes(t *testing.T) {
	e := bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})
	random := rand.New(rand.NewPCG(3, 4))
	now := at(0)
	for range 50_000 {
		now = now.Add(time.Duration(random.Int64N(int64(10 * ms))))
		e.Receive(now, random.Uint32(), random.IntN(1500))
		if got, ok := e.Estimate(now); ok && (got < 30_000 || got > 100_000_000) {
			t.Fatalf("%d", got)
		}
	}
}

func TestEstimateFollowsTheRoundTrip(t *testing.T) {
	// With a short round trip the sender is told to back off more often, so
	// the same overload is over sooner.
	queue := func(rtt time.Duration) time.Duration {
		l := newLink(0)
		l.capacity = func(now time.Duration) bwe.Bitrate {
			if now > 15*time.Second {
				return 400_000
			}
			return 2_500_000
		}
		l.estimator.SetRoundTrip(rtt)
		l.run(0, 20*time.Second)
		return l.meanQueue(5 * time.Second)
	}
	if short, long := queue(20*ms), queue(time.Second); short >= long {
		t.Errorf("%v in the queue with a short round trip, %v with a long one", short, long)
	}
}

func TestReceiveEstimatorDoesNotAllocate(t *testing.T) {
	e := bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})
	now := at(0)
	if allocs := testing.AllocsPerRun(5000, func() {
		now = now.Add(3 * ms)
		e.Receive(now, rtp.AbsSendTime(now), 1200)
		e.Estimate(now)
	}); allocs != 0 {
		t.Errorf("%v allocations per packet", allocs)
	}
}

func BenchmarkReceiveEstimator(b *testing.B) {
	e := bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})
	now := at(0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(3 * ms)
		e.Receive(now, rtp.AbsSendTime(now), 1200)
	}
}
