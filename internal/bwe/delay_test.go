package bwe

import (
	"math"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const ms = time.Millisecond

// sendTime is the abs-send-time of a sender's clock.
func sendTime(d time.Duration) uint32 {
	return uint32(uint64(d)<<18/uint64(time.Second)) & 0xFFFFFF
}

func at(d time.Duration) mono.Instant { return mono.Instant(time.Hour + d) }

func TestSendDeltaGoesRoundTheCircle(t *testing.T) {
	for _, test := range []struct{ from, to, want time.Duration }{
		{0, 0, 0},
		{0, time.Second, time.Second},
		{time.Second, 0, -time.Second},
		{63 * time.Second, 65 * time.Second, 2 * time.Second},
		{65 * time.Second, 63 * time.Second, -2 * time.Second},
		{0, 31 * time.Second, 31 * time.Second},
		{0, 33 * time.Second, -31 * time.Second},
	} {
		if got := sendDelta(sendTime(test.to), sendTime(test.from)); got != test.want {
			t.Errorf("from %v to %v: %v, want %v", test.from, test.to, got, test.want)
		}
	}
}

// sample is a packet's time of sending and of arrival.
type sample struct{ send, arrival time.Duration }

// play returns what groups makes of the packets.
func play(g *groups, packets ...sample) (deltas []groupDelta) {
	for _, p := range packets {
		if d, ok := g.receive(at(p.arrival), sendTime(p.send)); ok {
			deltas = append(deltas, d)
		}
	}
	return deltas
}

// about compares durations to within the resolution of send times.
func about(a, b time.Duration) bool { return (a - b).Abs() < 10*time.Microsecond }

func TestGroupsAreWhatWasSentTogether(t *testing.T) {
	var g groups
	deltas := play(&g,
		sample{0, 0}, sample{2 * ms, 10 * ms}, sample{5 * ms, 12 * ms}, // the first
		sample{30 * ms, 40 * ms}, sample{33 * ms, 50 * ms}, // the second
		sample{60 * ms, 70 * ms}, // the third tells that the second is complete
		sample{90 * ms, 100 * ms})
	want := []groupDelta{
		{send: 28 * ms, arrival: 38 * ms}, // last to last
		{send: 27 * ms, arrival: 20 * ms},
	}
	if len(deltas) != len(want) {
		t.Fatalf("%v, want %v", deltas, want)
	}
	for i, d := range deltas {
		if !about(d.send, want[i].send) || d.arrival != want[i].arrival {
			t.Errorf("difference %d is %v, want %v", i, d, want[i])
		}
	}
}

func TestPacketsLetGoTogetherAreOneGroup(t *testing.T) {
	var g groups
	// Held up on the way, four groups arrive at once; as four they would
	// look like a queue that drains.
	deltas := play(&g,
		sample{0, 0}, sample{20 * ms, 20 * ms},
		sample{40 * ms, 100 * ms}, sample{60 * ms, 101 * ms}, sample{80 * ms, 102 * ms}, sample{100 * ms, 103 * ms},
		sample{120 * ms, 123 * ms}, sample{140 * ms, 143 * ms})
	if len(deltas) != 3 {
		t.Fatalf("%v", deltas)
	}
	if d := deltas[1]; !about(d.send, 80*ms) || d.arrival != 83*ms {
		t.Errorf("the held-up group: %v", d)
	}
}

func TestGroupThatKeepsArrivingEnds(t *testing.T) {
	var g groups
	var packets []sample
	for i := range 100 {
		packets = append(packets, sample{time.Duration(i) * 20 * ms, time.Duration(i) * 3 * ms})
	}
	if deltas := play(&g, packets...); len(deltas) == 0 {
		t.Error("300 ms of packets are one group")
	}
}

func TestReorderedPacketsAreLeftOut(t *testing.T) {
	var g groups
	deltas := play(&g,
		sample{0, 0}, sample{20 * ms, 20 * ms}, sample{40 * ms, 40 * ms}, sample{10 * ms, 41 * ms},
		sample{60 * ms, 60 * ms}, sample{80 * ms, 80 * ms})
	for i, d := range deltas {
		if !about(d.send, 20*ms) || d.arrival != 20*ms {
			t.Errorf("difference %d is %v", i, d)
		}
	}
	if len(deltas) != 3 {
		t.Errorf("%d differences", len(deltas))
	}
}

func TestJumpsOfTheSendClockBeginAnew(t *testing.T) {
	for name, jumped := range map[string]time.Duration{"back": 10 * time.Second, "ahead": 30 * time.Second} {
		var g groups
		start := 20 * time.Second
		play(&g, sample{start, 0}, sample{start + 20*ms, 20 * ms}, sample{start + 40*ms, 40 * ms})
		deltas := play(&g,
			sample{jumped, 60 * ms}, sample{jumped + 20*ms, 80 * ms},
			sample{jumped + 40*ms, 100 * ms}, sample{jumped + 60*ms, 120 * ms})
		if len(deltas) == 0 {
			t.Errorf("%s: nothing is compared any more", name)
		}
		for _, d := range deltas {
			if !about(d.send, 20*ms) || d.arrival != 20*ms {
				t.Errorf("%s: compares across the jump: %v", name, d)
			}
		}
	}
}

func TestTrendIsTheSlopeOfTheDelay(t *testing.T) {
	for _, slope := range []float64{0, 0.1, -0.1, 0.5} {
		var tr trend
		now := at(0)
		var got float64
		for i := range 400 {
			now = now.Add(20 * ms)
			send := time.Duration(float64(20*ms) * (1 - slope))
			got = tr.update(now, groupDelta{send: send, arrival: 20 * ms})
			if i < trendWindow-1 && got != 0 {
				t.Fatalf("a slope of %v from %d groups", got, i+1)
			}
		}
		if math.Abs(got-slope) > 0.001 {
			t.Errorf("slope %v, want %v", got, slope)
		}
	}
}

func TestTrendOfGroupsThatArriveAtOnceIsTheOldOne(t *testing.T) {
	var tr trend
	for range 2 * trendWindow {
		tr.update(at(0), groupDelta{send: 20 * ms})
	}
	if got := tr.update(at(0), groupDelta{send: 20 * ms}); got != 0 {
		t.Errorf("slope %v", got)
	}
}

// detect feeds a slope for a time, a group each 20 ms, and returns after how
// long the usage became want; -1 if never.
func detect(d *detector, from, duration time.Duration, slope float64, want usage) time.Duration {
	for now := from; now < from+duration; now += 20 * ms {
		d.update(at(now), slope, trendMaxCount, 20*ms)
		if d.usage == want {
			return now - from
		}
	}
	return -1
}

func TestDetectorNeedsMoreThanASpike(t *testing.T) {
	d := newDetector()
	detect(&d, 0, time.Second, 0, usageOver)
	d.update(at(time.Second), 0.2, trendMaxCount, 20*ms)
	if d.usage != usageNormal {
		t.Error("overuse after one group")
	}
	if after := detect(&d, 1020*ms, 100*ms, 0.2, usageOver); after < 0 {
		t.Error("no overuse although the delay keeps growing")
	}
	if after := detect(&d, 1200*ms, 100*ms, 0, usageNormal); after != 0 {
		t.Error("overuse although the delay has stopped growing")
	}
	if after := detect(&d, 1300*ms, 100*ms, -0.2, usageUnder); after != 0 {
		t.Error("no underuse although the queue drains")
	}
}

func TestDetectorWaitsWhileTheSlopeFalls(t *testing.T) {
	d := newDetector()
	for i, slope := range []float64{0.5, 0.45, 0.4, 0.35, 0.3} {
		d.update(at(time.Duration(i)*20*ms), slope, trendMaxCount, 20*ms)
		if d.usage == usageOver {
			t.Errorf("overuse at group %d, while it is getting better", i)
		}
	}
}

func TestDetectorGetsUsedToAPath(t *testing.T) {
	d := newDetector()
	detect(&d, 0, 10*time.Second, 0, usageOver)
	if d.threshold != minThreshold {
		t.Errorf("threshold %v on a quiet path", d.threshold)
	}
	// Waves of TCP beside ours: offsets just above the threshold.
	for now := 10 * time.Second; now < 20*time.Second; now += 20 * ms {
		slope := (d.threshold + 5) / (trendMaxCount * detectorGain)
		d.update(at(now), slope, trendMaxCount, 20*ms)
	}
	if d.threshold < 2*minThreshold {
		t.Errorf("threshold %v on a busy path", d.threshold)
	}
	// A spike far above it teaches nothing.
	before := d.threshold
	d.update(at(20*time.Second), 10, trendMaxCount, 20*ms)
	if d.threshold != before {
		t.Errorf("threshold %v after a spike, %v before", d.threshold, before)
	}
}

func TestDetectorSaysNothingOfOneGroup(t *testing.T) {
	d := newDetector()
	d.update(at(0), 100, 1, 20*ms)
	if d.usage != usageNormal || d.threshold != initialThreshold {
		t.Errorf("%+v", d)
	}
}
