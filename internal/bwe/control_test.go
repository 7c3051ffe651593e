package bwe

import (
	"testing"
	"time"
)

// control returns a rateControl that has begun with a rate.
func control(rate float64) rateControl {
	c := newRateControl(ReceiveEstimatorOptions{Start: Bitrate(rate), Min: 30_000, Max: 10_000_000})
	c.begin(at(0), 0)
	return c
}

// within compares rates to within a percent.
func within(got, want float64) bool { return got > want*0.99 && got < want*1.01 }

func TestOveruseBacksOffBelowWhatComesIn(t *testing.T) {
	c := control(1_000_000)
	c.update(at(100*ms), usageOver, 800_000)
	if !within(c.rate, 680_000) {
		t.Errorf("%v, want 85 %% of 800 kbit/s", c.rate)
	}
	// What comes in may be more than the estimate, from a queue.
	c.update(at(time.Second), usageOver, 2_000_000)
	if !within(c.rate, 680_000) {
		t.Errorf("overuse raised it to %v", c.rate)
	}
}

func TestUnderuseHolds(t *testing.T) {
	c := control(1_000_000)
	for now := 50 * ms; now < 5*time.Second; now += 50 * ms {
		c.update(at(now), usageUnder, 1_000_000)
	}
	if c.rate != 1_000_000 {
		t.Errorf("%v", c.rate)
	}
}

// increase lets a rate grow in normal use, with just as much coming in.
func increase(c *rateControl, from, to time.Duration) {
	c.updated = at(from)
	for now := from + 50*ms; now <= to; now += 50 * ms {
		c.update(at(now), usageNormal, Bitrate(c.rate))
	}
}

func TestIncreaseIsFastUntilALimitIsMet(t *testing.T) {
	c := control(500_000)
	increase(&c, 0, 2*time.Second)
	if !within(c.rate, 2_000_000) {
		t.Errorf("%v after two seconds, want twice twice as much", c.rate)
	}
	c.update(at(2*time.Second), usageOver, 2_000_000)
	c.capacity.forget() // far away from it again
	increase(&c, 2*time.Second, 3*time.Second)
	if !within(c.rate, 2_000_000*0.85*1.08) {
		t.Errorf("%v a second after the first limit, want 8 %% more", c.rate)
	}
}

func TestIncreaseIsSlowNearTheLimit(t *testing.T) {
	c := control(1_000_000)
	c.update(at(0), usageOver, 1_000_000) // 850 kbit/s
	c.updated = at(0)
	for now := 50 * ms; now <= time.Second; now += 50 * ms {
		c.update(at(now), usageNormal, 980_000)
	}
	// 30 frames a second of 3 or 4 packets; a packet's bits per 300 ms.
	if grown := c.rate - 850_000; grown < 20_000 || grown > 35_000 {
		t.Errorf("grew by %v in a second", grown)
	}
}

func TestLimitIsForgottenWhenMoreComesThrough(t *testing.T) {
	c := control(1_000_000)
	c.update(at(0), usageOver, 1_000_000)
	c.update(at(50*ms), usageNormal, 1_300_000)
	if c.capacity.known {
		t.Error("still believes in 1 Mbit/s")
	}
}

func TestLimitIsLearntAnewWhenLessComesThrough(t *testing.T) {
	c := control(2_000_000)
	c.update(at(0), usageOver, 2_000_000)
	c.update(at(time.Second), usageOver, 500_000)
	if !within(c.capacity.mean, 500_000) {
		t.Errorf("believes in %v", c.capacity.mean)
	}
}

func TestLimitIsAveraged(t *testing.T) {
	var c capacity
	for i := range 200 {
		c.observe(1_000_000 + float64(i%2)*20_000)
	}
	if !within(c.mean, 1_010_000) {
		t.Errorf("mean %v", c.mean)
	}
	if d := c.deviation(); d < 20_000 || d > 200_000 {
		t.Errorf("three deviations are %v", d)
	}
	if !c.isNear(1_000_000) || c.isNear(500_000) || c.isExceededBy(1_010_000) || !c.isExceededBy(2_000_000) {
		t.Error("near and far are mixed up")
	}
}

func TestEstimateDoesNotRunAheadOfWhatComesIn(t *testing.T) {
	c := control(300_000)
	for now := 50 * ms; now < 30*time.Second; now += 50 * ms {
		c.update(at(now), usageNormal, 200_000)
	}
	if !within(c.rate, 310_000) {
		t.Errorf("%v with 200 kbit/s coming in", c.rate)
	}
	// And it stays when less comes in: a muted camera is no congestion.
	for now := 30 * time.Second; now < 60*time.Second; now += 50 * ms {
		c.update(at(now), usageNormal, 10_000)
	}
	if !within(c.rate, 310_000) {
		t.Errorf("%v with 10 kbit/s coming in", c.rate)
	}
}

func TestOveruseIsAnsweredOnceInARoundTrip(t *testing.T) {
	c := control(1_000_000)
	c.setRoundTrip(100 * ms)
	if !c.due(at(0), usageOver) {
		t.Error("waits with the first")
	}
	c.update(at(0), usageOver, 1_000_000)
	if c.due(at(199*ms), usageOver) || !c.due(at(200*ms), usageOver) {
		t.Error("does not wait for the effect of the last")
	}
	if c.due(at(49*ms), usageNormal) || !c.due(at(50*ms), usageNormal) {
		t.Error("normal use is not looked at each 50 ms")
	}
}

func TestRoundTripIsHeldWithinReason(t *testing.T) {
	c := control(1_000_000)
	for _, test := range []struct{ rtt, want time.Duration }{
		{0, 10 * ms}, {-time.Second, 10 * ms}, {50 * ms, 50 * ms}, {time.Hour, time.Second},
	} {
		if c.setRoundTrip(test.rtt); c.roundTrip != test.want {
			t.Errorf("%v is taken for %v, want %v", test.rtt, c.roundTrip, test.want)
		}
	}
}

func TestLossBoundsTheEstimate(t *testing.T) {
	c := control(1_000_000)
	c.lose(0.05) // neither here nor there
	if c.estimate() != 1_000_000 {
		t.Errorf("%d after 5 %%", c.estimate())
	}
	c.lose(0.2)
	if c.estimate() != 900_000 {
		t.Errorf("%d after 20 %%", c.estimate())
	}
	c.lose(0.2)
	if c.estimate() != 810_000 {
		t.Errorf("%d after 20 %% again", c.estimate())
	}
	c.lose(0)
	if got := c.estimate(); got != 850_500 {
		t.Errorf("%d after the loss ended", got)
	}
	for range 10 {
		c.lose(0)
	}
	if c.estimate() != 1_000_000 {
		t.Errorf("%d long after", c.estimate())
	}
	for range 100 {
		c.lose(1)
	}
	if c.estimate() != 30_000 {
		t.Errorf("%d, less than the least", c.estimate())
	}
}
