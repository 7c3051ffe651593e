package bwe

import (
	"math"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

const (
	// defaultSendStart is what mediasoup begins with.
	defaultSendStart = 600 * KilobitPerSecond

	// sendHeadroom bounds the estimate by what has arrived once a limit was
	// met. It is less than a receiver's headroom, as a sender can probe: what
	// lies further up is found out, not hoped for.
	sendHeadroom = 1.2

	// lossWindowTime and lossWindowPackets are the least that a share of lost
	// packets is taken of.
	lossWindowTime    = 200 * time.Millisecond
	lossWindowPackets = 20
	// lossBackoff is the share of a capacity shown by loss that is used.
	lossBackoff = 0.9
	// lossUndo is how long a reduction for loss can turn out to be a mistake.
	lossUndo = 5 * time.Second

	// queueNoise is the standing queue below which there is no congestion,
	// whatever the trend says.
	queueNoise = 8 * time.Millisecond

	// drainQueue is a standing queue that is drained although it does not grow.
	// If it is still there after maxDrains reductions, drainInterval apart, it
	// is not ours: a flow beside ours that fills it would have us give way for
	// ever. It takes a queue below drainedQueue to begin anew.
	drainQueue    = 100 * time.Millisecond
	drainedQueue  = 30 * time.Millisecond
	drainInterval = time.Second
	maxDrains     = 2

	// correctionTime is how long a reduction is checked against what comes out
	// of the queue.
	correctionTime = 500 * time.Millisecond

	// outageAfter is how long there is no feedback before the path is taken to
	// be interrupted, or that long and a few round trips.
	outageAfter = 700 * time.Millisecond
	// rembKept is how long a REMB is good for.
	rembKept = 10 * time.Second
)

// SendEstimatorOptions are the settings of a SendEstimator; zero fields have
// the defaults given.
type SendEstimatorOptions struct {
	Start Bitrate // before anything is known; 600 kbit/s
	Min   Bitrate // never less; 30 kbit/s
	Max   Bitrate // never more; 100 Mbit/s
}

// SendEstimator estimates what can be sent to a receiver. It knows
//
//   - when each packet left and, by transport-wide feedback, when it arrived:
//     the slope of the delay tells of a queue that grows, the arrival rate is
//     what the path carries (draft-ietf-rmcat-gcc-02 §5, see ReceiveEstimator),
//   - which were lost: see lossModel, which takes the place of §6, since that
//     gives way to any loss above a tenth and to none below,
//   - what came of probes, see Prober,
//   - or, of a receiver without such feedback, its REMB and its reports of loss.
//
// The estimate grows by itself only as far as what is sent confirms it, and
// does not fall because little is sent.
//
// All methods belong under one lock, that of the sending. None allocates, but
// for Sent when more packets are under way than ever before.
type SendEstimator struct {
	sent     sentHistory
	clock    receiverClock
	groups   groups
	trend    trend
	detector detector
	queue    queue
	busy     busy
	opening  opening
	drained  int       // times in a row that the queue was to be drained
	acked    RateMeter // by the receiver's clock
	control  rateControl
	loss     lossTracker
	cluster  cluster
	probed   probeResult
	rise     rise

	roundTrip    time.Duration
	begun        mono.Instant // with the first packet sent
	paused       mono.Instant // see Pause; 0: nothing was sent since
	started      bool         // the first feedback has come
	arrived      mono.Instant // last arrival, by the receiver's clock
	feedback     mono.Instant // last feedback
	unanswered   mono.Instant // first packet sent after that
	outage       bool
	halved       mono.Instant // when the estimate was last halved in an outage
	beforeOutage float64

	remb     Bitrate // 0: none
	rembAt   mono.Instant
	lossCap  float64 // for receivers without feedback
	sentRate RateMeter
}

// probeResult is what a probe has come to, for the Prober.
type probeResult struct {
	id        uint8
	rate      float64 // bit/s; 0: nothing is known
	saturated bool
}

// NewSendEstimator returns an estimator for a transport on which nothing was
// sent.
func NewSendEstimator(o SendEstimatorOptions) *SendEstimator {
	e := &SendEstimator{detector: newDetector(), roundTrip: defaultRoundTrip, lossCap: math.Inf(1)}
	e.control = newRateControl(ReceiveEstimatorOptions{})
	e.SetLimits(o)
	return e
}

// SetLimits sets other limits; a Start is of use before the first feedback.
func (e *SendEstimator) SetLimits(o SendEstimatorOptions) {
	if o.Min == 0 {
		o.Min = defaultMin
	}
	if o.Max == 0 {
		o.Max = defaultMax
	}
	if o.Start == 0 {
		o.Start = defaultSendStart
	}
	c := &e.control
	c.min, c.max, c.start = float64(o.Min), float64(max(o.Max, o.Min)), float64(o.Start)
	if !e.started {
		c.rate = c.start
	}
	c.rate = c.clamp(c.rate)
}

// Sent notes that the packet with the transport-wide sequence number seq left
// at now. The size is that of the datagram, or of the packet without what
// comes around it, the same for all.
func (e *SendEstimator) Sent(now mono.Instant, seq uint16, sizeBytes int) {
	p := sentPacket{at: max(now, 1), sizeBytes: uint16(min(sizeBytes, math.MaxUint16)), seq: seq}
	if e.cluster.open {
		p.cluster = e.cluster.id
		e.cluster.send(now, seq)
	}
	if e.unanswered == 0 {
		e.unanswered = p.at
	}
	if e.begun == 0 {
		e.begun = p.at
	}
	e.sent.note(p)
}

// SentUnnumbered notes a media packet to a receiver without transport-wide
// feedback.
func (e *SendEstimator) SentUnnumbered(now mono.Instant, sizeBytes int) {
	e.sent.sum += uint64(sizeBytes)
	e.sent.newest = now
	if e.begun == 0 {
		e.begun = now
	}
	e.sentRate.Add(now, sizeBytes)
}

// Feedback takes in a transport-wide feedback packet that came at now. It is
// false if p is none, or malformed.
func (e *SendEstimator) Feedback(now mono.Instant, p rtp.RTCPPacket) bool {
	r, ok := readFeedback(p)
	if !ok {
		return false
	}
	base := e.clock.at(r.reference)
	var newest mono.Instant // when the packet that arrived last had been sent
	e.queue.begin()
	for s, ok := r.next(); ok; s, ok = r.next() {
		p := e.sent.find(s.seq)
		switch {
		case p == nil:
		case s.arrived:
			newest = max(newest, p.at)
			e.receive(mono.Instant(base+time.Duration(s.ticks)*deltaTick), p)
			*p = sentPacket{}
		case !p.reported:
			p.reported = true
			e.loss.add(p, true)
			e.rise.add(p, true)
		}
	}
	e.answered(now, newest)
	e.conclude(now)
	return true
}

// receive takes in the arrival of a packet.
func (e *SendEstimator) receive(arrival mono.Instant, p *sentPacket) {
	if p.reported {
		e.loss.takeBack()
	} else {
		e.loss.add(p, false)
	}
	e.rise.add(p, false)
	if e.paused != 0 && p.at > e.paused {
		e.resume()
	}
	e.acked.Add(arrival, int(p.sizeBytes))
	if c := &e.cluster; p.cluster != 0 && p.cluster == c.id {
		c.receive(arrival, p)
	}
	if arrival < e.arrived {
		return // reordered on the way; the order is part of the measurement
	}
	e.arrived = arrival
	e.opening.receive(arrival, p)
	e.busy.observe(e.queue.wait(arrival.Sub(p.at)), arrival, int(p.sizeBytes))
	e.queue.observe(arrival.Sub(p.at), arrival)
	if d, ok := e.groups.receive(arrival, rtp.AbsSendTime(p.at)); ok {
		slope := e.trend.update(arrival, d)
		e.detector.update(arrival, slope, e.trend.count(), d.send)
	}
}

// answered notes that the path works.
func (e *SendEstimator) answered(now, newest mono.Instant) {
	e.feedback = now
	e.unanswered = 0
	if newest == 0 {
		return
	}
	e.observeRoundTrip(now.Sub(newest))
	if !e.started {
		e.started = true
		e.control.updated = now
	}
	if e.outage {
		// Half of what it was: the path may be another now, and a probe soon
		// shows if it is not.
		e.outage = false
		e.control.rate = e.control.clamp(max(e.control.rate, e.beforeOutage/2))
		e.control.limited, e.control.headroom = false, defaultHeadroom
		e.control.updated = now
		e.restart()
	}
}

// restart forgets what was learnt of the delays.
func (e *SendEstimator) restart() {
	e.groups, e.trend, e.queue, e.busy = groups{}, trend{}, queue{}, busy{}
	e.detector = newDetector()
	e.loss.begin(0)
}

func (e *SendEstimator) observeRoundTrip(sample time.Duration) {
	e.roundTrip += (sample - e.roundTrip) / 8
	e.control.setRoundTrip(e.roundTrip)
}

// SetRoundTrip tells the round-trip time to a receiver without transport-wide
// feedback.
func (e *SendEstimator) SetRoundTrip(rtt time.Duration) {
	if !e.started {
		e.roundTrip = rtt
		e.control.setRoundTrip(rtt)
	}
}

// conclude lets the estimate follow what a report has told.
func (e *SendEstimator) conclude(now mono.Instant) {
	if w, ok := e.loss.complete(); ok {
		e.concludeLoss(now, w, e.loss.model.observe(w))
	}
	e.concludeProbe(now)
	if rate := e.opening.rate(); !e.control.limited && rate < e.control.rate {
		e.reduce(now, clusterMargin*rate)
	}
	if e.rise.failed(e.loss.inherent) {
		e.reduce(now, e.rise.before)
		e.loss.reduced, e.rise = now, rise{}
	}
	u := e.usage()
	switch {
	case e.drains(now):
		e.reduce(now, decreaseFactor*e.carried())
	case e.overrated(now):
		e.control.rate = e.control.clamp(decreaseFactor * e.busy.rate())
	case !e.control.due(now, u):
	case u == usageOver:
		e.reduce(now, decreaseFactor*e.carried())
	default:
		e.control.update(now, u, e.acked.Rate(e.arrived))
	}
}

// drains reports whether it is time to reduce the estimate for a queue that
// only stands.
func (e *SendEstimator) drains(now mono.Instant) bool {
	switch standing := e.queue.standing(); {
	case standing < drainedQueue:
		e.drained = 0
	case standing > drainQueue && e.drained < maxDrains && now.Sub(e.control.reduced) > drainInterval:
		e.drained++
		return true
	}
	return false
}

// overrated reports whether the estimate was reduced too little. When a queue
// begins to grow, what has arrived lately is still from before; while it stands,
// what comes out of it is what the path carries.
func (e *SendEstimator) overrated(now mono.Instant) bool {
	return e.control.reduced != 0 && now.Sub(e.control.reduced) < correctionTime &&
		e.queue.standing() > drainQueue && e.busy.rate() < e.control.rate
}

// usage is that of the detector, but for a trend without a queue, which is
// jitter.
func (e *SendEstimator) usage() usage {
	if e.detector.usage == usageOver && e.queue.standing() < queueNoise {
		return usageNormal
	}
	return e.detector.usage
}

// Limited reports whether what the path carries was found out, since the start or
// the last interruption. Until then the estimate is only as high as what was
// tried.
func (e *SendEstimator) Limited() bool { return e.control.limited || e.remb != 0 }

// carried is the rate at which packets have come out of a queue lately.
func (e *SendEstimator) carried() float64 {
	return min(float64(e.acked.recent(e.arrived)), e.busy.rate())
}

// reduce brings the estimate down to a rate.
func (e *SendEstimator) reduce(now mono.Instant, rate float64) {
	c := &e.control
	c.capacity.observe(e.carried())
	c.limited, c.headroom = true, sendHeadroom
	c.rate = c.clamp(min(c.rate, rate))
	c.reduced, c.updated = now, now
	e.loss.reducedFrom = 0
}

// concludeLoss reduces the estimate to a capacity that loss has shown, and
// takes that back when the loss goes on at the lower rate.
func (e *SendEstimator) concludeLoss(now mono.Instant, w lossWindow, v lossVerdict) {
	l := &e.loss
	l.inherent = v.inherent
	if now.Sub(l.reducedAt) > lossUndo {
		l.reducedFrom = 0
	}
	carried := w.carried(v.capacity)
	switch {
	case carried < e.control.rate && v.excess:
		from, at, by := l.reducedFrom, l.reducedAt, l.reducedBy
		if from == 0 {
			from, at, by = e.control.rate, now, w
		}
		e.reduce(now, lossBackoff*carried)
		l.reducedFrom, l.reducedAt, l.reducedBy, l.reduced = from, at, by, now
		l.begin(now.Add(processingTime))
	case l.reducedFrom > 0 && math.IsInf(v.capacity, 1) && w.showsMistake(l.reducedBy):
		e.control.rate = e.control.clamp(max(e.control.rate, l.reducedFrom))
		l.reducedFrom = 0
		l.model.mistake()
	}
}

// concludeProbe raises the estimate to what a probe has shown.
func (e *SendEstimator) concludeProbe(now mono.Instant) {
	c := &e.cluster
	if c.id == 0 || c.open || c.id == e.probed.id {
		return
	}
	if e.sent.find(c.last) != nil && !e.sent.find(c.last).reported && !c.overdue(now, e.roundTrip) {
		return
	}
	rate, saturated, ok := c.result(e.loss.inherent)
	e.probed = probeResult{id: c.id, rate: rate, saturated: saturated}
	if !ok {
		return
	}
	if saturated {
		e.control.limited, e.control.headroom = true, sendHeadroom
	}
	if rate > e.control.rate {
		e.control.rate = e.control.clamp(rate)
		e.control.updated = now
		if !saturated {
			e.control.capacity.forget()
		}
	}
}

// REMB takes in a receiver's own estimate. It is all there is to go by if the
// receiver gives no transport-wide feedback, and a limit if it does.
func (e *SendEstimator) REMB(now mono.Instant, limit Bitrate) { e.remb, e.rembAt = limit, now }

// ReportLoss tells, of a receiver that gives no transport-wide feedback, how
// many of expected packets were lost between its last two reports.
func (e *SendEstimator) ReportLoss(now mono.Instant, lost, expected int) {
	if e.started || expected <= 0 {
		return
	}
	rate := float64(e.sentRate.Rate(now))
	lost = min(max(lost, 0), expected)
	v := e.loss.model.observe(lossWindow{rate: rate, sent: float64(expected), lost: float64(lost)})
	if v.capacity < min(e.lossCap, float64(e.Estimate())) && v.excess {
		e.lossCap = max(lossBackoff*v.capacity, e.control.min)
		return
	}
	e.lossCap *= lossGrowth
	if e.remb == 0 {
		e.control.update(now, usageNormal, Bitrate(rate))
	}
}

// Tick looks for an outage, which shows by nothing happening: the estimate
// halves each second that nothing is heard of what was sent. Called some ten
// times a second.
func (e *SendEstimator) Tick(now mono.Instant) {
	if e.rembAt != 0 && now.Sub(e.rembAt) > rembKept {
		e.remb, e.rembAt = 0, 0
	}
	wait := outageAfter + 3*e.roundTrip
	if !e.started || e.unanswered == 0 || now.Sub(e.unanswered) < wait {
		return
	}
	if !e.outage {
		e.outage = true
		e.beforeOutage = e.control.rate
	} else if now.Sub(e.halved) < time.Second {
		return
	}
	e.halved = now
	e.control.rate = e.control.clamp(e.control.rate / 2)
}

// Estimate returns what can be sent in all.
func (e *SendEstimator) Estimate() Bitrate {
	rate := e.control.rate
	if !e.started && e.remb > 0 {
		rate = float64(e.remb)
	}
	rate = min(rate, e.lossCap)
	if e.remb > 0 {
		rate = min(rate, float64(e.remb))
	}
	return Bitrate(e.control.clamp(rate))
}

// Congested reports whether a queue grows on the path, or it is interrupted.
func (e *SendEstimator) Congested() bool { return e.outage || e.usage() == usageOver }

// RoundTrip returns the smoothed round-trip time.
func (e *SendEstimator) RoundTrip() time.Duration { return e.roundTrip }

// Standing is how long packets wait in the path's queue at the least, as far as
// the last report has told.
func (e *SendEstimator) Standing() time.Duration { return e.queue.standing() }

// InherentLoss is the share of packets that the path loses however little it is
// sent, as far as that is known.
func (e *SendEstimator) InherentLoss() float64 { return e.loss.inherent }

// Rise notes that more is let through from now on, and that so much was before:
// the estimate falls to little more than that at once if what comes now is lost.
func (e *SendEstimator) Rise(now mono.Instant, before Bitrate) {
	switch r := &e.rise; {
	case !e.started:
	case r.from == 0 || now.Sub(r.from) > riseTime:
		*r = rise{from: now, before: riseMargin * float64(before)}
	default: // the next step of the same
	}
}

// Pause notes that the sender pauses from now on for the queue to drain. That it
// has grown tells nothing about what is sent next, nor does what arrives while
// nothing is sent.
func (e *SendEstimator) Pause(now mono.Instant) { e.paused = now }

// resume begins to measure anew with the first packet sent after a pause.
func (e *SendEstimator) resume() {
	e.paused = 0
	e.groups, e.trend, e.busy, e.acked = groups{}, trend{}, busy{}, RateMeter{}
	e.detector = detector{threshold: e.detector.threshold, adapted: e.detector.adapted}
}

// Opened reports whether the path has shown what it makes of the first burst, or
// will not in the time that people wait for a better picture.
func (e *SendEstimator) Opened(now mono.Instant) bool {
	return e.opening.over || e.remb != 0 || e.begun != 0 && now.Sub(e.begun) > openingPatience
}
