package bwe

import (
	"testing"
	"time"
)

// bursts sends bursts of four packets of 1000 bytes each 10 ms, 3.2 Mbit/s, that
// take perPacket each on the way; lost says which are lost.
func bursts(perPacket time.Duration, lost func(i int) bool) *cluster {
	c := &cluster{id: 1, open: true}
	free := at(0)
	for i := range 40 {
		p := sentPacket{at: at(time.Duration(i/4) * 10 * ms), seq: uint16(i), sizeBytes: 1000}
		c.send(p.at, p.seq)
		if lost != nil && lost(i) {
			continue
		}
		free = max(free, p.at).Add(perPacket)
		c.receive(free.Add(30*ms), &p)
	}
	return c
}

func TestClusterTellsItsRate(t *testing.T) {
	for _, test := range []struct {
		name      string
		c         *cluster
		inherent  float64
		rate      float64
		saturated bool
	}{
		{"a fast path", bursts(10*time.Microsecond, nil), 0, 3.2e6, false},
		{"a path that is just fast enough", bursts(2400*time.Microsecond, nil), 0, 3.2e6, false},
		{"a path of 2 Mbit/s", bursts(4*ms, nil), 0, 0.95 * 2e6, true},
		{"a fast path that loses a tenth", bursts(10*time.Microsecond, func(i int) bool { return i%10 == 7 }), 0.1, 3.2e6, false},
		{"one that loses a tenth for the first time", bursts(10*time.Microsecond, func(i int) bool { return i%10 == 7 }), 0, 3.2e6, false},
		{"a policer of 1.6 Mbit/s", bursts(10*time.Microsecond, func(i int) bool { return i%2 == 1 }), 0.1, 0.95 * 1.6e6, true},
	} {
		rate, saturated, ok := test.c.result(test.inherent)
		if !ok || saturated != test.saturated || rate < 0.96*test.rate || rate > 1.04*test.rate {
			t.Errorf("%s: %.0f, full %v, %v; want %.0f, %v", test.name, rate, saturated, ok, test.rate, test.saturated)
		}
	}
}

func TestClusterOfTooLittleTellsNothing(t *testing.T) {
	for name, c := range map[string]*cluster{
		"nothing":            {},
		"nothing arrived":    bursts(ms, func(int) bool { return true }),
		"four packets":       bursts(ms, func(i int) bool { return i%10 != 0 }),
		"the first burst":    bursts(ms, func(i int) bool { return i > 3 }),
		"all at once, later": bursts(0, func(i int) bool { return i < 36 }),
	} {
		if rate, _, ok := c.result(0); ok {
			t.Errorf("%s: %v", name, rate)
		}
	}
}

func TestClusterIsOverdueAfterItsEnd(t *testing.T) {
	c := bursts(ms, nil)
	if c.overdue(at(time.Hour), 50*ms) {
		t.Error("overdue while it is sent")
	}
	c.open, c.closed = false, at(100*ms)
	if c.overdue(at(600*ms), 50*ms) || !c.overdue(at(700*ms), 50*ms) {
		t.Error("not overdue half a second and a round trip after its end")
	}
}
