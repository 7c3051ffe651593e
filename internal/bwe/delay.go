package bwe

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// burstTime is how long after the first packet of a group others belong
	// to it: senders release packets in bursts of this length, and within one
	// the differences are those of the sender (draft-ietf-rmcat-gcc-02 §5.1).
	burstTime = 5 * time.Millisecond
	// maxBurst bounds a group that keeps on arriving at once.
	maxBurst = 100 * time.Millisecond
	// jump is a difference between groups that can only come from a restart
	// of either clock or a long pause.
	jump = 3 * time.Second
)

// groupDelta is the difference between two successive groups.
type groupDelta struct {
	send    time.Duration
	arrival time.Duration
}

// group is packets that were sent together.
type group struct {
	firstSend    uint32
	lastSend     uint32
	firstArrival mono.Instant
	lastArrival  mono.Instant
}

// groups gathers packets into groups and compares each with the one before
// (draft-ietf-rmcat-gcc-02 §5.1 and §5.2).
type groups struct {
	current, previous group
	hasCurrent        bool
	hasPrevious       bool
}

// sendDelta returns the time from the abs-send-time b to a, at most half the
// 64 s after which they repeat, either way.
func sendDelta(a, b uint32) time.Duration {
	units := int64(int32((a-b)<<8) >> 8)
	return time.Duration(units * int64(time.Second) / (1 << 18))
}

// receive adds a packet. When the packet begins a new group it returns how the
// complete one differs from the one before that.
func (g *groups) receive(now mono.Instant, send uint32) (d groupDelta, ok bool) {
	if !g.hasCurrent {
		g.begin(now, send)
		return groupDelta{}, false
	}
	sinceFirst := sendDelta(send, g.current.firstSend)
	if sinceFirst < 0 {
		if sinceFirst < -jump {
			*g = groups{}
			g.begin(now, send)
		}
		return groupDelta{}, false // reordered; its group is complete
	}
	if g.joins(now, send, sinceFirst) {
		if sendDelta(send, g.current.lastSend) > 0 {
			g.current.lastSend = send
		}
		g.current.lastArrival = now
		return groupDelta{}, false
	}
	if g.hasPrevious {
		d, ok = g.delta()
	}
	g.previous, g.hasPrevious = g.current, true
	g.begin(now, send)
	return d, ok
}

func (g *groups) begin(now mono.Instant, send uint32) {
	g.current = group{firstSend: send, lastSend: send, firstArrival: now, lastArrival: now}
	g.hasCurrent = true
}

// joins reports whether a packet belongs to the current group: because it was
// sent with it, or because it was held up on the way and let go with it, which
// says nothing about a queue that grows.
func (g *groups) joins(now mono.Instant, send uint32, sinceFirst time.Duration) bool {
	if sinceFirst <= burstTime {
		return true
	}
	arrival := now.Sub(g.current.lastArrival)
	return arrival <= burstTime && arrival < sendDelta(send, g.current.lastSend) &&
		now.Sub(g.current.firstArrival) < maxBurst
}

func (g *groups) delta() (groupDelta, bool) {
	d := groupDelta{
		send:    sendDelta(g.current.lastSend, g.previous.lastSend),
		arrival: g.current.lastArrival.Sub(g.previous.lastArrival),
	}
	if d.send <= 0 || d.arrival < 0 || d.send > jump || d.arrival > jump {
		g.hasPrevious = false
		return groupDelta{}, false
	}
	return d, true
}

const (
	trendWindow    = 20
	trendSmoothing = 0.9
	trendMaxCount  = 60
)

// trendPoint is in milliseconds.
type trendPoint struct{ arrival, delay float64 }

// trend is the slope of a line through the last 20 queueing delays, smoothed.
type trend struct {
	points   [trendWindow]trendPoint
	n        int // of all groups so far
	first    mono.Instant
	delay    float64 // accumulated, ms
	smoothed float64 // ms
	slope    float64
}

// update adds the group that arrived by now and returns the slope: by how many
// ms the delay grows per ms, 0 until it is known.
func (t *trend) update(now mono.Instant, d groupDelta) float64 {
	if t.n == 0 {
		t.first = now
	}
	t.delay += milliseconds(d.arrival - d.send)
	t.smoothed = trendSmoothing*t.smoothed + (1-trendSmoothing)*t.delay
	t.points[t.n%trendWindow] = trendPoint{milliseconds(now.Sub(t.first)), t.smoothed}
	t.n++
	if t.n >= trendWindow {
		t.slope = t.fit()
	}
	return t.slope
}

// count returns how many groups the slope rests on, at most 60.
func (t *trend) count() int { return min(t.n, trendMaxCount) }

// fit is the linear regression of delay over arrival; the old slope if all
// arrived at once.
func (t *trend) fit() float64 {
	var meanX, meanY float64
	for _, p := range t.points {
		meanX += p.arrival / trendWindow
		meanY += p.delay / trendWindow
	}
	var numerator, denominator float64
	for _, p := range t.points {
		numerator += (p.arrival - meanX) * (p.delay - meanY)
		denominator += (p.arrival - meanX) * (p.arrival - meanX)
	}
	if denominator == 0 {
		return t.slope
	}
	return numerator / denominator
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// usage is what the delay says about the path.
type usage uint8

const (
	usageNormal usage = iota
	usageOver         // a queue grows
	usageUnder        // a queue drains
)

const (
	detectorGain     = 4
	overuseTime      = 10 * time.Millisecond
	initialThreshold = 12.5 // ms
	minThreshold     = 6
	maxThreshold     = 600
	thresholdUp      = 0.0087 // K_u, per ms
	thresholdDown    = 0.039  // K_d, per ms
	maxAdaptOffset   = 15     // ms
	maxAdaptStep     = 100    // ms
)

// detector compares the slope with a threshold that adapts to the path
// (draft-ietf-rmcat-gcc-02 §5.4): slowly up, so that flows of TCP beside ours
// do not starve it, and slowly down again.
type detector struct {
	usage     usage
	threshold float64 // ms
	previous  float64 // slope
	overFor   time.Duration
	overCount int
	adapted   mono.Instant
}

func newDetector() detector { return detector{threshold: initialThreshold} }

// update takes the slope after a group that was sent sent after the one before.
func (d *detector) update(now mono.Instant, slope float64, count int, sent time.Duration) {
	if count < 2 {
		return
	}
	offset := float64(count) * slope * detectorGain
	switch {
	case offset > d.threshold:
		if d.overCount == 0 {
			d.overFor = sent / 2 // it began somewhere between the two
		} else {
			d.overFor += sent
		}
		d.overCount++
		if d.overFor > overuseTime && d.overCount > 1 && slope >= d.previous {
			d.overFor, d.overCount = 0, 0
			d.usage = usageOver
		}
	case offset < -d.threshold:
		d.overFor, d.overCount = 0, 0
		d.usage = usageUnder
	default:
		d.overFor, d.overCount = 0, 0
		d.usage = usageNormal
	}
	d.previous = slope
	d.adapt(now, max(offset, -offset))
}

// adapt moves the threshold towards offset, but not for a spike, such as a
// change of route.
func (d *detector) adapt(now mono.Instant, offset float64) {
	step := min(milliseconds(now.Sub(d.adapted)), maxAdaptStep)
	if d.adapted == 0 {
		step = 0
	}
	d.adapted = now
	if offset > d.threshold+maxAdaptOffset {
		return
	}
	gain := thresholdUp
	if offset < d.threshold {
		gain = thresholdDown
	}
	d.threshold += gain * (offset - d.threshold) * step
	d.threshold = min(max(d.threshold, minThreshold), maxThreshold)
}
