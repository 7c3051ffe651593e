package link

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	ms    = time.Millisecond
	start = mono.Instant(5 * time.Second)
)

func newLink(t *testing.T, c Conditions) *Link {
	t.Helper()
	l := New(1)
	if err := l.Set(start, c); err != nil {
		t.Fatal(err)
	}
	return l
}

// sendEvery sends count datagrams and returns when those that pass arrive,
// after their sending.
func sendEvery(l *Link, interval time.Duration, count, payload int) []time.Duration {
	var delays []time.Duration
	for i := range count {
		now := start.Add(time.Duration(i) * interval)
		a := l.Send(now, payload)
		for _, at := range a.All() {
			delays = append(delays, at.Sub(now))
		}
	}
	return delays
}

func TestPerfectLink(t *testing.T) {
	l := New(1)
	for _, d := range sendEvery(l, ms, 100, 1000) {
		if d != 0 {
			t.Fatalf("a datagram takes %v", d)
		}
	}
	if want := (Stats{Passed: 100, Bytes: 100_000}); l.Stats() != want {
		t.Error(cmp.Diff(want, l.Stats()))
	}
}

func TestLossHasItsShareAndBursts(t *testing.T) {
	const count = 200_000
	for _, test := range []struct{ loss, burst, wantBurst float64 }{
		{0.02, 0, 1 / 0.98},
		{0.10, 1, 1 / 0.90},
		{0.05, 4, 4},
		{0.30, 10, 10},
	} {
		l := newLink(t, Conditions{Loss: test.loss, Burst: test.burst})
		lost, bursts, before := 0, 0, false
		for i := range count {
			a := l.Send(start.Add(time.Duration(i)*ms), 100)
			gone := len(a.All()) == 0
			if gone {
				lost++
				if !before {
					bursts++
				}
			}
			before = gone
		}
		if got := float64(lost) / count; math.Abs(got-test.loss) > test.loss/10 {
			t.Errorf("loss %v burst %v: %v were lost", test.loss, test.burst, got)
		}
		if got := float64(lost) / float64(bursts); math.Abs(got-test.wantBurst) > test.wantBurst/20 {
			t.Errorf("loss %v burst %v: bursts have %v", test.loss, test.burst, got)
		}
		if l.Stats().Lost != uint64(lost) || l.Stats().Passed != uint64(count-lost) {
			t.Errorf("loss %v burst %v: counted %+v", test.loss, test.burst, l.Stats())
		}
	}
}

func TestEverythingLost(t *testing.T) {
	for _, burst := range []float64{0, 5} {
		l := newLink(t, Conditions{Loss: 1, Burst: burst})
		if got := sendEvery(l, ms, 100, 100); len(got) != 0 {
			t.Errorf("burst %v: %d arrive", burst, len(got))
		}
	}
}

func TestSameSeedSameFate(t *testing.T) {
	c := Conditions{Loss: 0.1, Burst: 3, Delay: 30 * ms, Jitter: 10 * ms, Duplicate: 0.1, Reorder: 0.1, ReorderBy: 20 * ms}
	first := sendEvery(newLink(t, c), ms, 1000, 500)
	if diff := cmp.Diff(first, sendEvery(newLink(t, c), ms, 1000, 500)); diff != "" {
		t.Error(diff)
	}
	other := New(2)
	if err := other.Set(start, c); err != nil {
		t.Fatal(err)
	}
	if cmp.Equal(first, sendEvery(other, ms, 1000, 500)) {
		t.Error("another seed makes no difference")
	}
}

func TestJitterKeepsOrder(t *testing.T) {
	l := newLink(t, Conditions{Delay: 30 * ms, Jitter: 20 * ms})
	var before mono.Instant
	var least, most = time.Hour, time.Duration(0)
	for i := range 2000 {
		now := start.Add(time.Duration(i) * 5 * ms)
		a := l.Send(now, 100)
		at := a.All()[0]
		if at < before {
			t.Fatalf("datagram %d overtakes the one before", i)
		}
		before = at
		least, most = min(least, at.Sub(now)), max(most, at.Sub(now))
	}
	if least < 30*ms || least > 32*ms || most > 50*ms || most < 48*ms {
		t.Errorf("delays are from %v to %v", least, most)
	}
}

func TestReorder(t *testing.T) {
	l := newLink(t, Conditions{Delay: 10 * ms, Reorder: 0.2, ReorderBy: 15 * ms})
	late := 0
	for _, d := range sendEvery(l, 2*ms, 10_000, 100) {
		switch d {
		case 10 * ms:
		case 25 * ms:
			late++
		default:
			t.Fatalf("a datagram takes %v", d)
		}
	}
	if late < 1800 || late > 2200 || l.Stats().HeldBack != uint64(late) {
		t.Errorf("%d of 10000 are late, counted %d", late, l.Stats().HeldBack)
	}
}

func TestDuplicate(t *testing.T) {
	l := newLink(t, Conditions{Duplicate: 0.1})
	got := len(sendEvery(l, ms, 10_000, 100))
	if got < 10_800 || got > 11_200 || l.Stats().Duplicated != uint64(got-10_000) || l.Stats().Passed != 10_000 {
		t.Errorf("%d arrive; %+v", got, l.Stats())
	}
}

func TestRateLetsThroughWhatItSays(t *testing.T) {
	const rate, payload = 500_000, 1000 - headers
	for _, police := range []bool{false, true} {
		l := newLink(t, Conditions{Rate: rate, Queue: 200 * ms, Police: police})
		// Twice the rate, for ten seconds.
		delays := sendEvery(l, 8*ms, 1250, payload)
		if bits := len(delays) * 8000; math.Abs(float64(bits)-10*rate) > 0.03*10*rate {
			t.Errorf("police %v: %d bit pass in 10 s", police, bits)
		}
		last := delays[len(delays)-1]
		if police && last != 0 || !police && (last < 200*ms || last > 216*ms) {
			t.Errorf("police %v: the last one takes %v", police, last)
		}
		st := l.Stats()
		if police == (st.Policed == 0) || police == (st.Dropped != 0) || st.Passed+st.Policed+st.Dropped != 1250 {
			t.Errorf("police %v: %+v", police, st)
		}
	}
}

func TestRateTakesNothingFromWhatFits(t *testing.T) {
	for _, police := range []bool{false, true} {
		l := newLink(t, Conditions{Rate: 1_000_000, Queue: 50 * ms, Delay: 20 * ms, Police: police})
		delays := sendEvery(l, 10*ms, 1000, 1000-headers)
		want := 20 * ms
		if !police {
			want += 8 * ms
		}
		if len(delays) != 1000 || delays[999] != want {
			t.Errorf("police %v: %d pass, the last takes %v", police, len(delays), delays[len(delays)-1])
		}
	}
}

func TestSlowerRateMakesTheQueueLonger(t *testing.T) {
	l := newLink(t, Conditions{Rate: 1_000_000, Queue: time.Second})
	for range 10 {
		l.Send(start, 1000-headers) // 8 ms each
	}
	if err := l.Set(start, Conditions{Rate: 100_000, Queue: time.Second}); err != nil {
		t.Fatal(err)
	}
	a := l.Send(start, 1000-headers)
	if got, want := a.All()[0].Sub(start), 880*ms; got != want {
		t.Errorf("behind 80 kbit at 100 kbit/s a datagram takes %v, want %v", got, want)
	}
	if err := l.Set(start, Conditions{}); err != nil {
		t.Fatal(err)
	}
}

func TestOrderIsKeptWhenTheDelayShrinks(t *testing.T) {
	l := newLink(t, Conditions{Delay: 100 * ms})
	first := l.Send(start, 100)
	if err := l.Set(start.Add(ms), Conditions{Delay: 10 * ms}); err != nil {
		t.Fatal(err)
	}
	second := l.Send(start.Add(ms), 100)
	if second.All()[0] < first.All()[0] {
		t.Error("the second overtakes the first")
	}
}

func TestDown(t *testing.T) {
	l := newLink(t, Conditions{Down: true})
	if got := sendEvery(l, ms, 10, 100); len(got) != 0 {
		t.Errorf("%d arrive", len(got))
	}
	if err := l.Set(start, Conditions{}); err != nil {
		t.Fatal(err)
	}
	if got := sendEvery(l, ms, 10, 100); len(got) != 10 {
		t.Errorf("%d arrive when the link is up again", len(got))
	}
	if want := (Stats{Dark: 10, Passed: 10, Bytes: 1000}); l.Stats() != want {
		t.Error(cmp.Diff(want, l.Stats()))
	}
}

func TestConditionsThatMakeNoSense(t *testing.T) {
	for _, c := range []Conditions{
		{Loss: -0.1}, {Loss: 1.1}, {Loss: math.NaN()}, {Reorder: 2, ReorderBy: ms}, {Duplicate: -1},
		{Delay: -ms}, {Jitter: time.Hour}, {ReorderBy: -1}, {Queue: -1},
		{Burst: -1}, {Burst: math.Inf(1)}, {Rate: -1}, {Rate: 1}, {Reorder: 0.5},
	} {
		l := New(1)
		if err := l.Set(start, c); err == nil {
			t.Errorf("%+v is taken", c)
		}
		if len(sendEvery(l, ms, 10, 10)) != 10 {
			t.Errorf("%+v is refused, but has changed the link", c)
		}
	}
}

func TestSendDoesNotAllocate(t *testing.T) {
	l := newLink(t, Conditions{Loss: 0.1, Burst: 3, Delay: ms, Jitter: ms, Duplicate: 0.1, Rate: 1_000_000, Queue: ms})
	now := start
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(ms)
		a := l.Send(now, 100)
		_ = a.All()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
