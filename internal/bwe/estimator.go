package bwe

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// defaultStart is what Chromium begins to send with; telling it less
	// would only slow it down.
	defaultStart = 300 * KilobitPerSecond
	defaultMin   = 30 * KilobitPerSecond
	defaultMax   = 100 * MegabitPerSecond

	// startAfter is how long the incoming rate is measured before there is an
	// estimate, staleAfter how long it is good when nothing arrives.
	startAfter = 500 * time.Millisecond
	staleAfter = 2 * time.Second
)

// ReceiveEstimatorOptions are the settings of a ReceiveEstimator; zero fields
// have the defaults given.
type ReceiveEstimatorOptions struct {
	Start Bitrate // of the first estimate, at least; 300 kbit/s
	Min   Bitrate // never less; 30 kbit/s
	Max   Bitrate // never more; 100 Mbit/s
}

// ReceiveEstimator estimates what a sender can send to us, from the times at
// which its packets left (the abs-send-time header extension) and arrived, the
// rate at which they come in, and loss. It serves senders that understand REMB
// but not transport-wide feedback.
//
//	packets → groups sent together → slope of the queueing delay → over-, under-
//	or normal use → additive increase, multiplicative decrease → estimate
//
// Detection and rate control are those of draft-ietf-rmcat-gcc-02 §5.4, §5.5
// and §6. In place of the Kalman filter of §5.3 the slope is that of a line
// through the last delays, which libwebrtc has used for years: it has no
// covariances to go wrong and reacts alike to large and small frames. Until the
// first sign of a limit the estimate rises faster than §5.5 has it, see
// searchFactor.
type ReceiveEstimator struct {
	groups   groups
	trend    trend
	detector detector
	control  rateControl
	rate     RateMeter

	options ReceiveEstimatorOptions
	first   mono.Instant
	last    mono.Instant
	started bool
	valid   bool
}

// NewReceiveEstimator returns an estimator for a transport on which nothing
// has arrived.
func NewReceiveEstimator(o ReceiveEstimatorOptions) *ReceiveEstimator {
	if o.Min == 0 {
		o.Min = defaultMin
	}
	if o.Max == 0 {
		o.Max = defaultMax
	}
	if o.Start == 0 {
		o.Start = defaultStart
	}
	e := &ReceiveEstimator{options: o}
	e.reset()
	return e
}

func (e *ReceiveEstimator) reset() {
	e.groups, e.trend, e.rate = groups{}, trend{}, RateMeter{}
	e.detector = newDetector()
	e.control = newRateControl(e.options)
	e.started, e.valid = false, false
}

// Receive notes a packet of sizeBytes that arrived at now, whose abs-send-time
// was absSendTime (24 bits, 6.18 fixed point seconds).
func (e *ReceiveEstimator) Receive(now mono.Instant, absSendTime uint32, sizeBytes int) {
	if e.started && now.Sub(e.last) > staleAfter {
		e.reset() // what was learnt of the path before is worth nothing
	}
	if !e.started {
		e.started = true
		e.first = now
	}
	e.last = now
	e.rate.Add(now, sizeBytes)
	if d, ok := e.groups.receive(now, absSendTime); ok {
		slope := e.trend.update(now, d)
		e.detector.update(now, slope, e.trend.count(), d.send)
	}
	e.update(now)
}

// update lets the rate control follow what was detected.
func (e *ReceiveEstimator) update(now mono.Instant) {
	if !e.valid {
		if now.Sub(e.first) < startAfter {
			return
		}
		e.valid = true
		e.control.begin(now, e.rate.Rate(now))
	}
	if e.control.due(now, e.detector.usage) {
		e.control.update(now, e.detector.usage, e.rate.Rate(now))
	}
}

// ReportLoss tells how many of expected packets were lost since it was last
// called, after repair of reordering but before retransmission; called about
// once a second, with the receiver reports. It bounds the estimate when loss
// comes without delay, as with a policer or a very short queue.
func (e *ReceiveEstimator) ReportLoss(lost, expected int) {
	if e.valid && expected > 0 {
		e.control.lose(float64(lost) / float64(expected))
	}
}

// SetRoundTrip tells the round-trip time to the sender, on which depends how
// soon a new estimate can have shown its effect; 200 ms until it is told.
func (e *ReceiveEstimator) SetRoundTrip(rtt time.Duration) { e.control.setRoundTrip(rtt) }

// Estimate returns the estimate. It is not valid before half a second of
// packets has been seen, and when none has arrived for two seconds.
func (e *ReceiveEstimator) Estimate(now mono.Instant) (Bitrate, bool) {
	if !e.valid || now.Sub(e.last) > staleAfter {
		return 0, false
	}
	return e.control.estimate(), true
}
