package bwe

import (
	"math"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// inRow are arrivals of packets of 1000 bytes that were sent at once, or with a
// gap before those from one on, over a path of so many bit/s.
func inRow(o *opening, packets, after int, gap time.Duration, rate float64) {
	each := time.Duration(8000 / rate * float64(time.Second))
	sent, free := at(time.Second), at(time.Second)
	for i := range packets {
		if i == after {
			sent = sent.Add(gap)
		}
		free = max(free, sent).Add(each)
		o.receive(free, &sentPacket{at: sent, sizeBytes: 1000})
	}
}

func TestOpeningTellsTheRateOfItsRow(t *testing.T) {
	for _, test := range []struct {
		name    string
		packets int
		after   int
		gap     time.Duration
		rate    float64
		want    float64
		over    bool
	}{
		{"a narrow path", 10, 0, 0, 150_000, 150_000, false},
		{"a wide path, in no time", 10, 0, 0, 100e6, math.Inf(1), false},
		{"too few packets", 2, 0, 0, 150_000, math.Inf(1), false},
		{"what comes later is none of it", 10, 5, 50 * ms, 150_000, 150_000, true},
	} {
		var o opening
		inRow(&o, test.packets, test.after, test.gap, test.rate)
		if got := o.rate(); math.Abs(got-test.want) > 0.01*test.want && got != test.want {
			t.Errorf("%s: %.0f, want %.0f", test.name, got, test.want)
		}
		if o.over != test.over {
			t.Errorf("%s: over is %v", test.name, o.over)
		}
	}
}

func TestBusyQueueTellsWhatThePathCarries(t *testing.T) {
	row := func(wait time.Duration, packets int) float64 {
		var b busy
		for i := range packets {
			b.observe(wait, at(time.Duration(i)*20*ms), 1000) // 400 kbit/s
		}
		return b.rate()
	}
	if got := row(50*ms, 10); math.Abs(got-400_000) > 1 {
		t.Errorf("a rate of %.0f, want 400000", got)
	}
	for name, got := range map[string]float64{
		"without a queue": row(5*ms, 10), "too short": row(50*ms, 4), "too long": row(50*ms, 40),
	} {
		if !math.IsInf(got, 1) {
			t.Errorf("%s: %.0f", name, got)
		}
	}
	var b busy
	b.observe(50*ms, at(0), 1000)
	b.observe(0, at(20*ms), 1000)
	if b != (busy{}) {
		t.Errorf("an empty queue leaves %+v", b)
	}
}

func TestQueueTellsHowLongOnePacketWaited(t *testing.T) {
	var q queue
	if got := q.wait(40 * ms); got != 0 {
		t.Errorf("%v before anything is known", got)
	}
	q.begin()
	q.observe(30*ms, at(0))
	q.observe(90*ms, at(10*ms))
	if got := q.wait(75 * ms); got != 45*ms {
		t.Errorf("%v, want 45 ms", got)
	}
}

func TestLossyWindowAboveTheCapacityTellsWhatWasCarried(t *testing.T) {
	w := lossWindow{rate: 1_000_000, sent: 100, lost: 40}
	for capacity, want := range map[float64]float64{
		700_000: 600_000, 500_000: 500_000, 1_200_000: 1_200_000,
	} {
		if got := w.carried(capacity); got != want {
			t.Errorf("with a capacity of %.0f it carried %.0f, want %.0f", capacity, got, want)
		}
	}
}

func TestRiseFailsByLossBeyondTheInherent(t *testing.T) {
	for _, test := range []struct {
		name       string
		sent, lost int
		inherent   float64
		late       time.Duration // after the rise
		want       bool
	}{
		{"nothing lost", 30, 0, 0, 0, false},
		{"a sixth lost", 30, 5, 0, 0, true},
		{"too little to tell", risePackets - 1, 10, 0, 0, false},
		{"as much as is always lost", 30, 9, 0.3, 0, false},
		{"far more than that", 30, 25, 0.3, 0, true},
		{"of what was sent before", 30, 30, 0, -ms, false},
		{"of what was sent long after", 30, 30, 0, riseTime + ms, false},
	} {
		r := rise{from: at(time.Minute), before: 1}
		for i := range test.sent {
			r.add(&sentPacket{at: at(time.Minute + test.late)}, i < test.lost)
		}
		if got := r.failed(test.inherent); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// acknowledged is an estimator of which so many packets of 1000 bytes, 10 ms
// apart, have arrived after 30 ms.
func acknowledged(packets int) (e *SendEstimator, now mono.Instant) {
	e, now = NewSendEstimator(SendEstimatorOptions{Start: 2_000_000}), at(time.Second)
	e.started = true
	for i := range packets {
		e.Sent(now, uint16(i), 1000)
		e.receive(now.Add(30*ms), e.sent.find(uint16(i)))
		now = now.Add(10 * ms)
	}
	return e, now
}

func TestEstimateFallsBackAtOnceWhenARiseIsLost(t *testing.T) {
	e, now := acknowledged(30)
	e.Rise(now, 350_000)
	e.Rise(now.Add(100*ms), 700_000) // the next step of the same
	for i := range 20 {
		p := &sentPacket{at: now.Add(150 * ms), sizeBytes: 1000}
		e.rise.add(p, i%3 == 0)
	}
	e.conclude(now.Add(250 * ms))
	if got := e.Estimate(); got != 420_000 {
		t.Errorf("the estimate is %d, want 420000", got)
	}
	if !e.Limited() || e.loss.reduced == 0 || e.rise.from != 0 {
		t.Errorf("limited %v, reduced for loss at %v; of the rise is left %+v", e.Limited(), e.loss.reduced, e.rise)
	}
}

func TestPauseForgetsWhatTheQueueWasLike(t *testing.T) {
	e, now := acknowledged(30)
	e.busy = busy{from: 1, to: 2, sizeBytes: 3}
	e.Pause(now)
	if e.Sent(now.Add(ms), 100, 1000); e.busy == (busy{}) {
		t.Error("forgotten before anything has arrived")
	}
	e.receive(now.Add(30*ms), e.sent.find(100))
	if e.busy != (busy{}) || e.paused != 0 || e.trend.count() != 0 {
		t.Errorf("after the pause: %+v, paused %v, a trend of %d", e.busy, e.paused, e.trend.count())
	}
}

func TestPathIsOpenedByItsFirstBurstOrByTime(t *testing.T) {
	e := NewSendEstimator(SendEstimatorOptions{})
	if e.Opened(at(time.Hour)) {
		t.Error("opened before anything was sent")
	}
	now := at(time.Second)
	e.Sent(now, 1, 1000)
	if e.Opened(now.Add(openingPatience)) || !e.Opened(now.Add(openingPatience+1)) {
		t.Error("not opened by time, or too soon")
	}
	e.receive(now.Add(30*ms), e.sent.find(1))
	e.Sent(now.Add(50*ms), 2, 1000)
	e.receive(now.Add(80*ms), e.sent.find(2))
	if !e.Opened(now.Add(80 * ms)) {
		t.Error("not opened by what came after the first burst")
	}
}

func TestStandingQueueIsTold(t *testing.T) {
	e, now := acknowledged(30)
	e.queue.begin()
	e.Sent(now, 100, 1000)
	e.receive(now.Add(110*ms), e.sent.find(100))
	if got := e.Standing(); got < 79*ms || got > 81*ms {
		t.Errorf("%v, want 80 ms", got)
	}
}

func TestPauseAfterAProbeIsLongerWhenLossShowsThatItMisled(t *testing.T) {
	for _, test := range []struct {
		name         string
		before       time.Duration
		recent, loss bool
		want         time.Duration
	}{
		{"a fall like any", 0, false, false, probeAgain},
		{"another", 8 * time.Second, false, true, 8 * time.Second},
		{"soon after a success", 0, true, false, probeAgain},
		{"by loss", 0, true, true, pauseMisled},
		{"again by loss", pauseMisled, true, true, 2 * pauseMisled},
		{"and again", 2 * pauseMisled, true, true, maxPauseMistaken},
	} {
		p := Prober{pause: test.before, succeeded: 1}
		p.lengthenPause(test.recent, test.loss)
		if p.pause != test.want || (p.succeeded == 0) != test.recent {
			t.Errorf("%s: %v, want %v; succeeded %v", test.name, p.pause, test.want, p.succeeded)
		}
	}
}

func TestProbeWaitsAndGoesAsFarAsTheNextLayerNeeds(t *testing.T) {
	e, now := acknowledged(30)
	var p Prober
	p.Wait(now.Add(time.Second))
	p.Wait(now) // is sooner
	a := Allocation{Used: 400_000, Wanted: 2_000_000, Next: 2_500_000}
	if p.Tick(now.Add(time.Second-1), e, a); p.Active() {
		t.Fatal("it did not wait")
	}
	if p.Tick(now.Add(time.Second), e, a); !p.Active() {
		t.Fatal("it did not begin")
	}
	if p.rate < 2_500_000 {
		t.Errorf("it goes to %.0f, of which the next layer does not come", p.rate)
	}
}
