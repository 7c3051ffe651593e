package bwe

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// lossRun feeds a model with windows of 60 packets.
type lossRun struct {
	model  lossModel
	random *rand.Rand
}

func newLossRun() *lossRun { return &lossRun{random: rand.New(rand.NewPCG(1, 2))} }

func (r *lossRun) window(rate, p float64) lossVerdict {
	w := lossWindow{rate: rate, sent: 60}
	for range 60 {
		if r.random.Float64() < p {
			w.lost++
		}
	}
	return r.model.observe(w)
}

// policed is the loss that a policer of a capacity causes.
func policed(rate, capacity float64) float64 { return max(0, 1-capacity/rate) }

func TestRandomLossIsNotTakenForACapacity(t *testing.T) {
	for _, p := range []float64{0.01, 0.02, 0.05, 0.1} {
		r := newLossRun()
		for i := range 200 {
			rate := 2e6 * (0.8 + 0.4*r.random.Float64())
			if v := r.window(rate, p); v.excess && v.capacity < rate {
				t.Errorf("loss %v, window %d: %+v", p, i, v)
			}
		}
	}
}

func TestPolicerIsTakenForACapacity(t *testing.T) {
	r := newLossRun()
	var v lossVerdict
	for range 20 {
		v = r.window(0.9e6, 0)
	}
	if !math.IsInf(v.capacity, 1) {
		t.Errorf("without loss: %+v", v)
	}
	for rate := 1.0e6; rate < 1.6e6; rate += 0.1e6 {
		v = r.window(rate, policed(rate, 1e6))
	}
	if !v.excess || v.capacity < 0.85e6 || v.capacity > 1.15e6 {
		t.Errorf("of a policer of 1 Mbit/s: %+v", v)
	}
}

func TestSuddenHeavyLossIsTakenForACapacityUntilItGoesOn(t *testing.T) {
	r := newLossRun()
	for range 20 {
		r.window(2e6, 0)
	}
	found := false
	for range 12 {
		v := r.window(2e6, 0.3)
		found = found || v.excess && v.capacity < 1.5e6
	}
	if !found {
		t.Fatal("a third of what is sent is lost, and no capacity met")
	}
	var v lossVerdict
	for range 6 {
		v = r.window(0.8e6, 0.3)
	}
	if !math.IsInf(v.capacity, 1) {
		t.Errorf("the loss goes on at less than half the rate: %+v", v)
	}
	r.model.mistake()
	for i := range 100 {
		if v := r.window(2e6*(0.9+0.2*r.random.Float64()), 0.3); v.excess && v.capacity < 2e6 {
			t.Errorf("window %d after the mistake: %+v", i, v)
		}
	}
}

func TestMistakesAreForgottenWhenThePathChanges(t *testing.T) {
	r := newLossRun()
	for range 10 {
		r.window(1e6, 0.3)
	}
	r.model.mistake()
	for range 10 {
		r.window(1e6, 0.3)
	}
	if r.model.mistakes == 0 {
		t.Error("forgotten while the loss goes on")
	}
	r.window(1e6, 0)
	if r.model.mistakes != 0 || r.model.n != 1 {
		t.Error("not forgotten when the loss has ended")
	}
}

func TestOutageSaysNothingOfTheCapacity(t *testing.T) {
	r := newLossRun()
	for range 20 {
		r.window(2e6, 0)
	}
	for range 10 {
		if v := r.window(2e6, 1); v.excess || !math.IsInf(v.capacity, 1) {
			t.Fatalf("%+v", v)
		}
	}
	if v := r.model.observe(lossWindow{}); v.excess {
		t.Errorf("of an empty window: %+v", v)
	}
}

func TestLossWindowsTellRateAndLoss(t *testing.T) {
	var l lossTracker
	p := sentPacket{sizeBytes: 1000}
	for i := range 40 {
		p.at = at(10 * ms * time.Duration(i))
		l.add(&p, i%10 == 0)
		if _, ok := l.complete(); ok != (i == 20) && i <= 20 {
			t.Fatalf("complete after %d packets: %v", i+1, ok)
		}
	}
	// 19 of the second window.
	if l.window.sent != 19 || l.window.lost != 1 {
		t.Errorf("%+v", l.window)
	}
	l.takeBack()
	l.takeBack() // one that an earlier window counted
	if l.window.lost != 0 {
		t.Errorf("%v lost after all came", l.window.lost)
	}
	l.begin(at(time.Duration(1000) * ms))
	l.add(&p, true)
	if l.window.sent != 0 {
		t.Error("counts what was sent before the window")
	}
}

func TestLossWindowHasItsRate(t *testing.T) {
	var l lossTracker
	var w lossWindow
	for i, done := 0, false; !done; i++ {
		l.add(&sentPacket{at: at(10 * ms * time.Duration(i)), sizeBytes: 1250}, i%4 == 3)
		w, done = l.complete()
	}
	if !within(w.rate, 1e6) || w.sent != 21 || w.lost != 5 {
		t.Errorf("%+v, want 1 Mbit/s", w)
	}
	if !within(w.delivered(), 1e6*16/21) {
		t.Errorf("%v came through", w.delivered())
	}
}
