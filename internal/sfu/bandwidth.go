package sfu

import (
	"slices"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

const (
	// allocationInterval is how often bandwidth is divided anew.
	allocationInterval = 100 * time.Millisecond
	// leastDivided is what is divided at least: a line that seems to carry less is
	// more likely one whose receiver was too busy to take what came, and there is
	// little to gain by pausing a thumbnail.
	leastDivided = 100 * bwe.KilobitPerSecond
	// choices are the layers of a producer as an Allocation counts them: the
	// temporal layers of the first spatial layer, then those of the next.
	choices = maxSpatial * maxTemporal
)

// bandwidth divides what the line to a receiver carries among what it is sent.
// It is there where something can be divided: several videos, or one that has
// layers. Guarded by sendMu.
type bandwidth struct {
	estimator  *bwe.SendEstimator
	prober     bwe.Prober
	allocation bwe.Allocation
	due        mono.Instant // of the next allocation
	traced     BWETrace     // the last one, while that is traced
	probator   *Consumer    // for receivers without RTX; nil until it is needed

	// The memory of allocate.
	consumers []*Consumer
	demands   []bwe.Demand
	bitrates  [][choices]bwe.Bitrate
	chosen    []int
	awaited   []*recvStream // whose keyframes the change calls for

	repairs repairBudget
}

// OutgoingBitrates limit what is sent to a receiver.
type OutgoingBitrates struct {
	Initial bwe.Bitrate // before anything is known of the line; 0: 300 kbit/s
	Min     bwe.Bitrate // that is sent however narrow the line seems; 0: 30 kbit/s
	Max     bwe.Bitrate // 0: no limit
}

func (o OutgoingBitrates) validate() error {
	if o.Max > 0 && o.Min > o.Max {
		return typeErrorf("minOutgoingBitrate: %d is more than maxOutgoingBitrate, %d", o.Min, o.Max)
	}
	return nil
}

// defaultInitial is less than a second encoding of simulcast takes. A wide line
// shows itself by the first probe, after some tenths of a second; on a narrow one
// the keyframe of a stream that is too large for it would stand in the queue for
// seconds, and be lost.
const defaultInitial = 300 * bwe.KilobitPerSecond

// defaultLeast is what Min is taken for if it is 0.
const defaultLeast = 30 * bwe.KilobitPerSecond

func (o OutgoingBitrates) estimatorOptions() bwe.SendEstimatorOptions {
	if o.Initial == 0 {
		o.Initial = defaultInitial
	}
	return bwe.SendEstimatorOptions{Start: o.Initial, Min: o.Min, Max: o.Max}
}

// SetMaxOutgoingBitrate limits what is sent to the receiver; 0 is no limit.
// Errors: ErrClosed, *ortc.Error.
func (t *Transport) SetMaxOutgoingBitrate(b bwe.Bitrate) error {
	return t.changeLimits(func(o *OutgoingBitrates) { o.Max = b })
}

// SetMinOutgoingBitrate has so much sent to the receiver however narrow its line
// seems; 0 is 30 kbit/s. Errors: ErrClosed, *ortc.Error.
func (t *Transport) SetMinOutgoingBitrate(b bwe.Bitrate) error {
	return t.changeLimits(func(o *OutgoingBitrates) { o.Min = b })
}

func (t *Transport) changeLimits(change func(*OutgoingBitrates)) error {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	if err := t.openLocked("setting the outgoing bitrate"); err != nil {
		return err
	}
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	limits := t.send.limits
	change(&limits)
	if err := limits.validate(); err != nil {
		return err
	}
	t.send.limits = limits
	if b := t.send.bandwidth; b != nil {
		b.estimator.SetLimits(limits.estimatorOptions())
	}
	return nil
}

// OutgoingBitrates are the limits in force.
func (t *Transport) OutgoingBitrates() OutgoingBitrates {
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	return t.send.limits
}

// AvailableOutgoingBitrate is what the line to the receiver is taken to carry; 0
// where nothing is sent that could be adapted to it.
func (t *Transport) AvailableOutgoingBitrate() bwe.Bitrate {
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	return t.send.availableLocked()
}

func (s *sendState) availableLocked() bwe.Bitrate {
	if s.bandwidth == nil {
		return 0
	}
	return s.bandwidth.estimator.Estimate()
}

// needsBandwidthLocked reports whether there is anything to divide: c is to be
// sent beside what is sent already. Where no line is in between, or the receiver
// will never tell what comes through, there is not. sendMu is held.
func (t *Transport) needsBandwidthLocked(c *Consumer) bool {
	if !c.video || c.pipe != nil || t.send.bandwidth != nil || t.send.direct != nil || !c.reportsBandwidth() {
		return false
	}
	videos := 1
	for _, other := range t.send.streams {
		if other.video && other.pipe == nil {
			videos++
		}
	}
	return videos > 1 || c.layered
}

// reportsBandwidth reports whether the receiver knows a kind of feedback that an
// estimate can be made from. GStreamer and ffmpeg do not.
func (c *Consumer) reportsBandwidth() bool {
	return slices.ContainsFunc(c.params.Codecs[0].RTCPFeedback, func(f ortc.RTCPFeedback) bool {
		return f.Type == "transport-cc" || f.Type == "goog-remb"
	})
}

// prepareBandwidth lets a new consumer begin with layers that the line carries.
func (t *Transport) prepareBandwidth(c *Consumer) {
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	if t.needsBandwidthLocked(c) {
		t.send.bandwidth = &bandwidth{estimator: bwe.NewSendEstimator(t.send.limits.estimatorOptions())}
	}
	if t.send.bandwidth != nil && c.layered {
		// The least there is, until something is known of the layers' bitrates.
		c.layers.choice, c.layers.allowed = maxTemporal-1, Layer{Temporal: layer.All.Temporal}
	}
	if b := t.send.bandwidth; b != nil && c.video {
		b.due = 0
		t.wake(0)
	}
}

// noteSent counts a packet just made towards what the line has been given. sendMu
// is held.
func (b *bandwidth) noteSent(now mono.Instant, c *Consumer, seq uint16, sizeBytes int) {
	if c.extensions[extTransportCC] != 0 {
		b.estimator.Sent(now, seq, sizeBytes)
	} else if c.video {
		b.estimator.SentUnnumbered(now, sizeBytes)
	}
}

// applyTransportFeedback takes in when packets have arrived at the receiver.
func (w *worker) applyTransportFeedback(t *Transport, p rtp.RTCPPacket) {
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	if b := t.send.bandwidth; b != nil {
		b.estimator.Feedback(w.now, p)
	}
}

// applyREMB takes in the receiver's own estimate.
func (w *worker) applyREMB(t *Transport, p rtp.RTCPPacket) {
	remb, ok := rtp.ParseREMB(p)
	if !ok {
		return
	}
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	if b := t.send.bandwidth; b != nil {
		b.estimator.REMB(w.now, bwe.Bitrate(remb.Bitrate))
	}
}

// tickBandwidth probes, and divides anew what the line carries.
func (sc *scratch) tickBandwidth(t *Transport) {
	t.sendMu.Lock()
	sc.sending = t
	var awaited []*recvStream
	if b := t.send.bandwidth; b != nil && t.canSendLocked() {
		awaited = sc.tickBandwidthLocked(t, b)
	}
	sc.sending = nil
	t.sendMu.Unlock()
	sc.requestKeyframes(awaited)
}

// requestKeyframes asks for a keyframe of each stream.
func (sc *scratch) requestKeyframes(streams []*recvStream) {
	for _, s := range streams {
		s.requestKeyframe(sc, sc.now)
	}
}

// requestKeyframes is for goroutines that have no scratch of their own.
func (s *SFU) requestKeyframes(streams []*recvStream) {
	if len(streams) == 0 {
		return
	}
	sc := s.borrowScratch()
	defer s.returnScratch(sc)
	sc.requestKeyframes(streams)
}

func (sc *scratch) tickBandwidthLocked(t *Transport, b *bandwidth) (awaited []*recvStream) {
	if sc.now >= b.due {
		b.due = sc.now.Add(allocationInterval)
		b.estimator.Tick(sc.now)
		b.repairs.noteLoss(b.estimator.InherentLoss())
		awaited = b.allocate(t, sc.now)
		if t.traces.has(traceBWE) {
			sc.traceBandwidth(t, b)
		}
	} else if !b.prober.Active() {
		t.wake(b.due)
		return nil
	}
	if c := t.paddingConsumerLocked(); c != nil {
		if n := b.prober.Tick(sc.now, b.estimator, b.allocation); n > 0 {
			sc.sendPaddingLocked(t, c, n)
		}
	}
	next := b.due
	if b.prober.Active() {
		next = sc.now.Add(bwe.ProbeTick)
	}
	t.wake(next)
	return awaited
}

// allocate divides the estimate among the videos that t's receiver wants, and
// returns the streams whose keyframes the change calls for. What they return is
// good until it is called again.
func (b *bandwidth) allocate(t *Transport, now mono.Instant) (awaited []*recvStream) {
	b.consumers, b.demands, b.bitrates = b.consumers[:0], b.demands[:0], b.bitrates[:0]
	reserved, numbered := bwe.Bitrate(0), b.numbered(t)
	for _, c := range t.send.streams {
		bitrates, known := [choices]bwe.Bitrate{}, false
		if c.video && c.pipe == nil && c.active.Load() {
			bitrates, known = c.producer.choices()
		}
		if !known {
			if c.counts(numbered) {
				reserved += c.sent.rate.Rate(now)
			}
			continue
		}
		if c.layers.preferred.Temporal > 0 {
			hideStutter(&bitrates)
		}
		c.layers.doubts.apply(now, int(c.layers.choice), &bitrates)
		b.consumers = append(b.consumers, c)
		b.bitrates = append(b.bitrates, bitrates)
		b.demands = append(b.demands, b.demandLocked(now, c, &bitrates))
	}
	if len(b.demands) == 0 {
		b.allocation = bwe.Allocation{}
		return nil
	}
	first := 0
	for i := range b.demands {
		b.demands[i].Layers = b.bitrates[i][:]
		if b.demands[i].Priority > b.demands[first].Priority {
			first = i
		}
	}
	b.demands[first].Essential = true // a call is not to go without any picture
	if !b.estimator.Limited() {
		// Nobody is to wait for a picture because little was tried so far.
		for i := range b.demands {
			b.demands[i].Essential = true
		}
	}
	for len(b.chosen) < len(b.demands) {
		b.chosen = append(b.chosen, bwe.Paused)
	}
	used := b.allocation.Used
	b.allocation = bwe.Allocate(max(b.estimator.Estimate(), leastDivided), reserved, b.demands, b.chosen)
	b.awaited = b.awaited[:0]
	for i, c := range b.consumers {
		if b.chosen[i] > b.demands[i].Current {
			b.prober.Wait(now.Add(b.estimator.RoundTrip() + probeWait))
			b.estimator.Rise(now, used)
		}
		if s := b.giveLocked(now, c, b.chosen[i], b.demands[i].Preferred); s != nil {
			b.awaited = append(b.awaited, s)
		}
	}
	return b.awaited
}

// demandLocked is what c asks of the line. sendMu is held.
func (b *bandwidth) demandLocked(now mono.Instant, c *Consumer, bitrates *[choices]bwe.Bitrate) bwe.Demand {
	l := &c.layers
	preferred := l.preferred
	if !b.estimator.Opened(now) {
		preferred.Spatial = 0
	}
	d := bwe.Demand{Preferred: c.choice(preferred, bitrates), Current: int(l.choice), Priority: l.priority}
	if c.producer.typ == ortc.Simulcast && b.estimator.Limited() {
		d.Encoding = maxTemporal
	}
	if l.silentUntil != 0 && now.Sub(l.silentUntil) < settlingTime {
		d.Preferred = min(d.Preferred, (d.Current/maxTemporal+1)*maxTemporal-1)
	}
	return d
}

// giveLocked lets c be sent what it was given, and returns the stream of which a
// keyframe is needed for it at once, if any. sendMu is held.
func (b *bandwidth) giveLocked(now mono.Instant, c *Consumer, choice, preferred int) (awaited *recvStream) {
	before := int(c.layers.choice)
	c.layers.doubts.note(now, before, choice, preferred)
	smaller := choice != bwe.Paused && choice/maxTemporal < min(before, preferred)/maxTemporal
	awaited = c.allowLocked(choice)
	if smaller && b.estimator.Limited() && c.fallSilentLocked(now, b.estimator) {
		return nil // asked for when the silence is over
	}
	return awaited
}

// numbered reports whether the estimate is made from transport-wide numbers. It is
// then of what carries them, beside which audio flows without; a REMB is of all.
func (b *bandwidth) numbered(t *Transport) bool {
	for _, c := range t.send.streams {
		if c.video && c.extensions[extTransportCC] != 0 {
			return true
		}
	}
	return false
}

// counts reports whether what c is sent is part of what the estimate is of.
func (c *Consumer) counts(numbered bool) bool {
	return !numbered || c.extensions[extTransportCC] != 0
}

// hideStutter takes the lowest frame rate of the larger pictures off the choices,
// where there are more: a smaller picture that moves is worth more.
func hideStutter(bitrates *[choices]bwe.Bitrate) {
	least := true
	for spatial := range maxSpatial {
		layers := bitrates[spatial*maxTemporal : (spatial+1)*maxTemporal]
		if layers[0] == 0 {
			continue
		}
		if !least && layers[1] > 0 {
			layers[0] = 0
		}
		least = false
	}
}

// choice is the highest choice that c's receiver is to be sent: what it prefers
// or, if there is nothing as low, the least there is.
func (c *Consumer) choice(l Layer, bitrates *[choices]bwe.Bitrate) int {
	if !c.layered {
		return choices - 1
	}
	preferred := int(min(l.Spatial, maxSpatial-1))*maxTemporal + int(min(l.Temporal, maxTemporal-1))
	for i, bitrate := range bitrates {
		if bitrate > 0 {
			return max(preferred, i)
		}
	}
	return preferred
}

// allowLocked lets c be sent a choice, or nothing. It returns the stream of which
// a keyframe is needed for it, if any. sendMu is held.
func (c *Consumer) allowLocked(choice int) (awaited *recvStream) {
	l := &c.layers
	if choice == int(l.choice) {
		return nil
	}
	before := int(l.choice)
	l.choice = int8(choice)
	if choice == bwe.Paused {
		c.noteEncodingsLocked()
		c.tellLayersLocked(noLayer)
		c.transport.router.emit(c.events.BandwidthPaused)
		return nil
	}
	l.allowed = Layer{Spatial: uint8(choice / maxTemporal), Temporal: uint8(choice % maxTemporal)}
	if before == bwe.Paused {
		c.rewrite.restart()
		c.transport.router.emit(c.events.BandwidthResumed)
	}
	was := l.target
	c.chooseTargetLocked()
	higher := choice/maxTemporal > before/maxTemporal && c.producer.typ == ortc.SVC
	if l.target != was || before == bwe.Paused || higher {
		return l.target
	}
	return nil
}

// starvedLocked reports whether the line carries nothing of c. sendMu is held.
func (c *Consumer) starvedLocked() bool { return c.layers.choice == bwe.Paused }

// paddingConsumerLocked is a consumer whose packets can be sent again to fill
// the line: that harms no decoder. Best is one that is being sent, since its
// packets are still there. Without any it is the probator, if there is that. sendMu
// is held.
func (t *Transport) paddingConsumerLocked() (best *Consumer) {
	if t.send.dest.tcp != nil && t.send.dest.tcp.Congested() {
		return nil
	}
	for _, c := range t.send.streams {
		if c.rtxSSRC != 0 && c.rewrite.started && c.active.Load() && c.payloadTypes[c.params.Codecs[0].PayloadType].rtx != 0 {
			if !c.starvedLocked() {
				return c
			}
			best = c
		}
	}
	if best == nil {
		return t.probatorLocked()
	}
	return best
}

const (
	// paddingWindow is of how many of the newest packets the padding is made.
	paddingWindow = 32
	// maxPaddingPackets bounds what one tick sends.
	maxPaddingPackets = 64
	// emptyPadding is the size of a packet that is nothing but padding: its last
	// byte tells how much (RFC 3550 §5.1).
	emptyPadding = 255
)

// sendPaddingLocked fills the line with about so many bytes: of c's newest
// packets, sent again as RTX, or of nothing if they are gone. sendMu is held.
func (sc *scratch) sendPaddingLocked(t *Transport, c *Consumer, bytes int) {
	for i := 0; bytes > 0 && i < maxPaddingPackets; i++ {
		n := 0
		if e := c.history.find(uint16(c.rewrite.seq) - uint16(i%paddingWindow)); e != nil {
			n = sc.makeAgain(t, c, e)
		}
		if n == 0 {
			n = sc.makeEmpty(t, c)
		}
		t.send.countProbation(sc.now, sc.sendReadyLocked(t, 1, c.classOf()))
		if t.traces.has(traceProbation) {
			t.trace(sc.now, TraceProbation, "out", nil)
		}
		bytes -= n
	}
}

// makeEmpty builds a packet of padding as RTX, as the first packet ready, and
// returns its size. sendMu is held.
func (sc *scratch) makeEmpty(t *Transport, c *Consumer) (sizeBytes int) {
	p := &sc.again
	p.ext.present, p.payloadLen, p.prefix = 0, emptyPadding, 0
	p.frame.Packet = layer.Packet{}
	clear(p.slot[headroom : headroom+emptyPadding])
	p.slot[headroom+emptyPadding-1] = emptyPadding
	c.rtxSeq++
	f := form{
		ssrc: c.rtxSSRC, ts: c.rewrite.ts, seq: c.rtxSeq,
		pt: c.payloadTypes[c.params.Codecs[0].PayloadType].rtx,
	}
	o := &sc.ready[0]
	sizeBytes = sc.make(o, t, c, p, &f)
	o.slot[o.start] |= paddingBit
	return sizeBytes
}
