package bwe_test

import (
	"slices"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
)

// probed is ours with a record of its probes.
type probed struct {
	*ours
	begun   []time.Duration
	ended   []time.Duration
	padding []int // per probe, bytes
}

func newProbed() *probed { return &probed{ours: newOurs()} }

func (p *probed) tick(now time.Duration, a bwe.Allocation) int {
	before := p.prober.Active()
	padding := p.ours.tick(now, a)
	switch after := p.prober.Active(); {
	case !before && after:
		p.begun, p.padding = append(p.begun, now), append(p.padding, 0)
	case before && !after:
		p.ended = append(p.ended, now)
	}
	if padding > 0 {
		p.padding[len(p.padding)-1] += padding
	}
	return padding
}

// pauses are the times from the end of one probe to the next, from a time on.
func (p *probed) pauses(from time.Duration) (pauses []time.Duration) {
	for i, begun := range p.begun[1:] {
		if p.ended[i] >= from {
			pauses = append(pauses, begun-p.ended[i])
		}
	}
	return pauses
}

func TestProbesStepUpUntilAllIsWanted(t *testing.T) {
	p := newProbed()
	r := newRun(p, newPath(20_000_000)).until(10 * time.Second)
	if n := len(p.begun); n < 2 || n > 8 {
		t.Errorf("%d probes", n)
	}
	if last := p.begun[len(p.begun)-1]; last > 2*time.Second {
		t.Errorf("the last begins after %v, the estimate is %d then", last, r.estimator.estimate())
	}
	for i, begun := range p.begun {
		if length := p.ended[i] - begun; length < 90*ms || length > 400*ms {
			t.Errorf("probe %d takes %v", i, length)
		}
	}
}

func TestProbesArePaced(t *testing.T) {
	e := bwe.NewSendEstimator(bwe.SendEstimatorOptions{Start: 1_000_000})
	o := &ours{SendEstimator: e}
	r := newRun(o, newPath(20_000_000))
	r.until(ms) // the first packets, and
	var prober bwe.Prober
	feed := newRun(o, newPath(20_000_000))
	feed.until(200 * ms) // feedback on others
	e.SetLimits(bwe.SendEstimatorOptions{Min: 1_000_000, Max: 1_000_001})
	e.SetLimits(bwe.SendEstimatorOptions{})
	now := time.Second
	if e.Estimate() != 1_000_001 {
		t.Fatalf("estimate %d", e.Estimate())
	}
	a := bwe.Allocation{Used: 900_000, Wanted: 5_000_000, Next: 3_000_000}
	total, seq := 0, uint16(1000)
	for range 10 {
		padding := prober.Tick(at(now), e, a)
		if padding < 2400 || padding > 2700 { // 2 Mbit/s in 10 ms
			t.Fatalf("%d bytes in a tick at twice a megabit per second", padding)
		}
		e.Sent(at(now), seq, padding+100) // what exceeds it is made up for
		seq++
		total += padding + 100
		now += bwe.ProbeTick
		if !prober.Active() {
			t.Fatal("ends too soon")
		}
	}
	if total < 25_000 || total > 25_500 {
		t.Errorf("%d bytes in 100 ms at 2 Mbit/s", total)
	}
	if prober.Tick(at(now), e, a) != 0 || prober.Active() {
		t.Error("does not end")
	}
}

func TestMediaTakesThePlaceOfPadding(t *testing.T) {
	o := newOurs()
	newRun(o, newPath(20_000_000)).until(150 * ms)
	var prober bwe.Prober
	a := bwe.Allocation{Used: 600_000, Wanted: 5_000_000, Next: 700_000}
	now := 10 * time.Second
	if prober.Tick(at(now), o.SendEstimator, a) == 0 {
		t.Fatal("no probe")
	}
	for i := range uint16(20) {
		o.Sent(at(now), 5000+i, 1200)
	}
	if padding := prober.Tick(at(now+10*ms), o.SendEstimator, a); padding != 0 {
		t.Errorf("%d bytes of padding beside a keyframe", padding)
	}
}

func TestNothingIsProbedThatNobodyWants(t *testing.T) {
	o := newOurs()
	newRun(o, newPath(5_000_000)).until(10 * time.Second)
	var prober bwe.Prober
	for _, a := range []bwe.Allocation{{}, {Used: 2_500_000, Wanted: 2_500_000}, {Used: 500_000, Wanted: 1_000_000, Next: 1_000_000}} {
		for now := 10 * time.Second; now < 15*time.Second; now += 100 * ms {
			if prober.Tick(at(now), o.SendEstimator, a) > 0 || prober.Active() {
				t.Fatalf("%+v with an estimate of %d", a, o.Estimate())
			}
		}
	}
}

func TestNobodyIsProbedWhoDoesNotAnswer(t *testing.T) {
	o := newOurs()
	a := bwe.Allocation{Wanted: 5_000_000, Next: 1_000_000}
	for now := time.Duration(0); now < 5*time.Second; now += 10 * ms {
		o.Sent(at(now), uint16(now/ms), 500)
		if o.tick(now, a) > 0 {
			t.Fatal("padding before the first feedback")
		}
	}
}

func TestProbesOfAFullPathBecomeRare(t *testing.T) {
	p := newProbed()
	path := newPath(620_000)
	r := newRun(p, path).until(60 * time.Second)
	pauses := p.pauses(5 * time.Second)
	if len(pauses) == 0 {
		t.Fatal("gives up")
	}
	slices.Sort(pauses)
	if median := pauses[len(pauses)/2]; median < 4*time.Second || pauses[len(pauses)-1] > 45*time.Second {
		t.Errorf("pauses of %v", pauses)
	}
	if f := r.figures(20*time.Second, 60*time.Second); f.padding > 0.03 || f.queue95 > 150*ms {
		t.Errorf("%.3f padding, queue up to %v", f.padding, f.queue95)
	}
}

func TestProbeEndsWhenTheQueueGrows(t *testing.T) {
	first := func(rate bwe.Bitrate) time.Duration {
		p := newProbed()
		p.SetLimits(bwe.SendEstimatorOptions{Start: 60_000}) // the probes of low rates are long
		path := newPath(10_000_000)
		r := newRun(p, path)
		r.each = func(now time.Duration) {
			if len(p.begun) > 0 {
				path.setRate(now, rate)
			}
		}
		r.until(3 * time.Second)
		return p.ended[0] - p.begun[0]
	}
	if fast, slow := first(10_000_000), first(50_000); fast != 400*ms || slow > 350*ms {
		t.Errorf("a probe takes %v on a fast path, %v on one that is full", fast, slow)
	}
}

func TestProbingDoesNotAllocate(t *testing.T) {
	o := newOurs()
	newRun(o, newPath(20_000_000)).until(150 * ms)
	var prober bwe.Prober
	a := bwe.Allocation{Wanted: 5_000_000, Next: 1_000_000}
	now := 10 * time.Second
	if allocs := testing.AllocsPerRun(1000, func() {
		prober.Tick(at(now), o.SendEstimator, a)
		now += 10 * ms
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
