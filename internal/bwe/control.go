package bwe

import (
	"math"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	decreaseFactor = 0.85 // of the incoming rate, draft-ietf-rmcat-gcc-02 §5.5
	increaseFactor = 1.08 // per second
	// searchFactor takes the place of increaseFactor until the first sign of
	// a limit. A REMB sender has no other way to learn soon that a fast path
	// is fast: at 8 % a second a call would be blurred for half a minute.
	searchFactor = 2
	// headroom bounds the estimate by what comes in: an estimate that nothing
	// was sent to confirm is worth nothing.
	defaultHeadroom = 1.5
	headroomExtra   = 10 * KilobitPerSecond

	updateInterval   = 50 * time.Millisecond
	defaultRoundTrip = 200 * time.Millisecond
	// processingTime is what a sender needs to follow a new estimate.
	processingTime = 100 * time.Millisecond

	lossIgnored = 0.02 // draft-ietf-rmcat-gcc-02 §6
	lossHeavy   = 0.10
	lossGrowth  = 1.05
)

// rateControl turns usage into a bitrate: additive or multiplicative increase,
// multiplicative decrease (draft-ietf-rmcat-gcc-02 §5.5), below a bound from
// loss (§6). Rates are in bits per second.
type rateControl struct {
	min, max, start float64
	headroom        float64 // how far the rate is above what comes in, at most
	roundTrip       time.Duration

	rate     float64
	lossRate float64 // bound from loss
	limited  bool    // a limit was met: the search is over
	updated  mono.Instant
	reduced  mono.Instant

	capacity capacity
}

func newRateControl(o ReceiveEstimatorOptions) rateControl {
	return rateControl{
		min:       float64(o.Min),
		max:       float64(max(o.Max, o.Min)),
		start:     float64(o.Start),
		headroom:  defaultHeadroom,
		roundTrip: defaultRoundTrip,
		lossRate:  math.Inf(1),
	}
}

// begin sets the first estimate.
func (c *rateControl) begin(now mono.Instant, incoming Bitrate) {
	c.rate = c.clamp(max(c.start, float64(incoming)*c.headroom))
	c.updated = now
}

func (c *rateControl) setRoundTrip(rtt time.Duration) {
	c.roundTrip = min(max(rtt, 10*time.Millisecond), time.Second)
}

func (c *rateControl) clamp(rate float64) float64 { return min(max(rate, c.min), c.max) }

func (c *rateControl) estimate() Bitrate { return Bitrate(c.clamp(min(c.rate, c.lossRate))) }

// due reports whether it is time for an update: regularly, and at once when a
// queue grows, unless it is too early to see the effect of the last reduction.
func (c *rateControl) due(now mono.Instant, u usage) bool {
	if u == usageOver {
		return c.reduced == 0 || now.Sub(c.reduced) >= c.roundTrip+processingTime
	}
	return now.Sub(c.updated) >= updateInterval
}

// update follows the table of draft-ietf-rmcat-gcc-02 §5.5: overuse decreases,
// underuse holds until the queue is drained, normal use increases.
func (c *rateControl) update(now mono.Instant, u usage, incoming Bitrate) {
	elapsed := min(now.Sub(c.updated), time.Second)
	c.updated = now
	in := float64(incoming)
	switch u {
	case usageOver:
		c.decrease(now, in)
	case usageUnder:
		// The queue that drains lets the incoming rate look higher than
		// what the path carries.
	default:
		c.increase(elapsed, in)
	}
}

func (c *rateControl) decrease(now mono.Instant, in float64) {
	c.capacity.observe(in)
	c.limited = true
	c.rate = c.clamp(min(c.rate, decreaseFactor*in))
	c.reduced = now
}

// increase grows the rate by a packet per response time when it is near the
// capacity of the path as it was seen, by 8 % a second when that is far away,
// and fast while nothing is known of it.
func (c *rateControl) increase(elapsed time.Duration, in float64) {
	if c.capacity.isExceededBy(in) {
		c.capacity.forget()
	}
	var rate float64
	switch {
	case c.capacity.isNear(in):
		rate = c.rate + c.additive()*elapsed.Seconds()
	case c.limited:
		rate = c.rate * math.Pow(increaseFactor, elapsed.Seconds())
	default:
		rate = c.rate * math.Pow(searchFactor, elapsed.Seconds())
	}
	bound := max(c.rate, c.headroom*in+float64(headroomExtra))
	c.rate = c.clamp(min(rate, bound))
}

// additive is one packet per response time, but at least 4 kbit/s, in
// bits per second and second; packets are those of a video of 30 frames/s.
func (c *rateControl) additive() float64 {
	const packetBits = 1200 * 8
	frameBits := c.rate / 30
	packets := math.Ceil(frameBits / packetBits)
	response := (c.roundTrip + processingTime).Seconds()
	return max(4000, frameBits/packets/response)
}

// lose adapts the bound from loss: down under heavy loss, up while there is
// next to none, until it no longer binds.
func (c *rateControl) lose(fraction float64) {
	switch {
	case fraction > lossHeavy:
		c.limited = true
		c.lossRate = max(min(c.lossRate, c.rate)*(1-0.5*fraction), c.min)
	case fraction < lossIgnored:
		c.lossRate *= lossGrowth
		if c.lossRate > c.rate {
			c.lossRate = math.Inf(1)
		}
	}
}

const (
	capacitySmoothing = 0.05
	capacityDeviation = 3 // standard deviations
)

// capacity is the bitrate at which overuse was seen: a running mean and its
// variance, relative to the mean in kbit/s.
type capacity struct {
	known    bool
	mean     float64 // bit/s
	variance float64 // of the normalised error, in kbit/s
}

func (c *capacity) observe(rate float64) {
	if rate < c.mean-c.deviation() {
		c.forget() // the path got worse: begin anew
	}
	if !c.known {
		c.known, c.mean, c.variance = true, rate, 0.4
		return
	}
	c.mean += capacitySmoothing * (rate - c.mean)
	errorKbit := (c.mean - rate) / 1000
	normalised := errorKbit * errorKbit / max(c.mean/1000, 1)
	c.variance += capacitySmoothing * (normalised - c.variance)
	c.variance = min(max(c.variance, 0.4), 2.5)
}

func (c *capacity) forget() { *c = capacity{} }

// deviation is three standard deviations, in bit/s.
func (c *capacity) deviation() float64 {
	return capacityDeviation * math.Sqrt(c.variance*c.mean/1000) * 1000
}

func (c *capacity) isExceededBy(rate float64) bool {
	return c.known && rate > c.mean+c.deviation()
}

func (c *capacity) isNear(rate float64) bool { return c.known && rate >= c.mean-c.deviation() }
