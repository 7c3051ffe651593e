package sfu

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/layer"
	"github.com/takoserver/takos-call/internal/ortc"
)

// ConsumerEvents are called from the router's event goroutine; nil ones are not.
type ConsumerEvents struct {
	Closed                          func(CloseReason)
	ProducerPaused, ProducerResumed func()
	Score                           func(ConsumerScore) // has changed
	// BandwidthPaused tells that the line carries nothing of it beside what is
	// more important, BandwidthResumed that it does again.
	BandwidthPaused, BandwidthResumed func()
	// LayersChange tells of what is sent from now on; false: nothing.
	LayersChange func(l Layer, sent bool)
	// RTP is called with each packet that a consumer on a [DirectTransport] is
	// sent, RTX included. The packet is valid until it returns.
	RTP func(packet []byte)
}

// ConsumerOptions are what a consumer is made from.
type ConsumerOptions struct {
	// ID must be new in the router; empty picks one.
	ID              string
	ProducerID      string
	RTPCapabilities ortc.RTPCapabilities
	Paused          bool
	// PreferredLayers are the highest that are sent; nil is all.
	PreferredLayers *Layer
	// MID is the value of the MID header extension, up to 16 bytes and unique in
	// the transport; empty counts up.
	MID string
	// EnableRTX answers NACKs; nil is yes for video.
	EnableRTX *bool
	// Pipe sends each encoding of the producer as a stream of its own, for whoever wants
	// to choose among them; layers, MID and bandwidth are no business of such a consumer.
	// On a PipeTransport all are so, and RTPCapabilities, EnableRTX and MID do not count.
	Pipe bool
	// IgnoreDTX leaves out the packets by which Opus tells that there is nothing to
	// be heard (RFC 6716 §3.1).
	IgnoreDTX bool
	AppData   any
	Events    ConsumerEvents
}

// Consumer is a producer's media on its way to one receiver.
type Consumer struct {
	// Constant after newConsumer, id after Consume.
	transport    *Transport
	producer     *Producer // whose packets are sent
	consumed     *Producer // the same, or what it is in the router it was piped to
	id           string
	params       ortc.RTPParameters
	mid          []byte
	ssrc         uint32
	rtxSSRC      uint32 // 0: NACKs are not answered
	payloadTypes [128]consumerPayload
	redBlocks    uint8 // payload type of the blocks in RED, if that is sent
	extensions   extensionIDs
	clockHz      uint32
	video        bool
	ignoreDTX    bool
	pipe         *pipedStreams // nil but for one of type "pipe", …
	encoding     int           // … of which it is the stream of this encoding
	highest      Layer         // that there can be
	layered      bool          // there is more than one
	appData      any
	events       ConsumerEvents

	// Guarded by router.mu. Only the first stream of a pipe has them.
	closed bool
	paused bool
	copy   *Producer // what it comes out of in another router; nearly always nil

	// active is whether packets are to be sent: there is nothing to wait for
	// but, maybe, a keyframe. It changes under transport.sendMu only, so that
	// nothing is sent after the change; without it, it is a hint.
	active atomic.Bool
	// encodings is the set of those that are sent or to be sent.
	encodings atomic.Uint64
	// loss is what the receiver has said of it.
	loss   reportedLoss
	traces traceSet
	// preferredSpatial is that of layers.preferred.
	preferredSpatial atomic.Uint32

	// Guarded by transport.sendMu.
	layers   consumerLayers
	filter   layer.Filter
	pictures layer.Pictures
	rewrite  rewriter
	// frameDeltas are what is added to frame numbers, by the lowest bit of the
	// rewriter's generation.
	frameDeltas [2]uint16
	history     history
	rtxSeq      uint16
	sent        sentCounters

	// Guarded by transport.recvMu.
	received receiverReport
}

// consumerPayload is what becomes of a payload type.
type consumerPayload struct {
	known bool  // packets of it, in the numbers of the producer's router, are sent …
	sent  uint8 // … as this, in the numbers of the consumer's router
	red   redForm
	rtx   uint8 // payload type of the RTX of what is sent with it; 0 if there is none
}

// sentCounters are a consumer's packets. Guarded by sendMu.
type sentCounters struct {
	packets, bytes       uint64
	payloadBytes         uint64 // for sender reports
	rtxPackets, rtxBytes uint64
	rtxCredit            int // bytes that may be retransmitted
	rate                 bwe.RateMeter
}

// receiverReport is what the receiver said last. Guarded by recvMu.
type receiverReport struct {
	fraction          uint8
	jitter            uint32 // in units of the stream's clock
	lost              int32
	rtt               time.Duration
	nacks, plis, firs uint64 // messages received
	nackedSeqs        uint64
	keyframes         keyframeBudget
	score             uint8
	sentWas           uint64 // packets, as of the last report
	resentWas         uint64
}

// newConsumer checks the options and makes a consumer of them. t.router.mu is
// held.
func newConsumer(t *Transport, p *Producer, o ConsumerOptions) (*Consumer, error) {
	params, err := t.consumerParametersLocked(p, &o)
	if err != nil {
		return nil, err
	}
	c := &Consumer{
		transport: t, producer: p.source(), consumed: p, params: params, mid: []byte(params.MID),
		extensions: extensionIDsOf(params.HeaderExtensions),
		clockHz:    params.Codecs[0].ClockRate, video: p.kind == ortc.Video,
		ignoreDTX: o.IgnoreDTX && codec.FromMimeType(params.Codecs[0].MimeType) == codec.Opus,
		appData:   o.AppData, events: o.Events, paused: o.Paused,
	}
	for _, pc := range params.Codecs {
		if codec.FromMimeType(pc.MimeType) == codec.RTX {
			c.payloadTypes[pc.Parameters.Int("apt", 0)&0x7f].rtx = pc.PayloadType
		} else {
			c.take(pc.PayloadType)
		}
	}
	c.takeRED()
	if o.Pipe {
		c.pipeStreams()
	}
	for _, s := range c.streams() {
		s.begin(o.PreferredLayers)
	}
	return c, nil
}

// consumerParametersLocked are what a new consumer of p sends. router.mu is held.
func (t *Transport) consumerParametersLocked(p *Producer, o *ConsumerOptions) (ortc.RTPParameters, error) {
	if pipe, ok := t.kind.(*PipeTransport); ok {
		o.Pipe = true
		return ortc.PipeConsumerRTPParameters(p.consumable, pipe.rtx, t.freshSSRCs()), nil
	}
	options := ortc.ConsumerOptions{SSRC: t.freshSSRCs(), EnableRTX: o.EnableRTX, Pipe: o.Pipe}
	if !o.Pipe {
		mid, err := t.midLocked(o.MID)
		if err != nil {
			return ortc.RTPParameters{}, err
		}
		options.MID = mid
	}
	capabilities := o.RTPCapabilities.Clone()
	if err := ortc.ValidateRTPCapabilities(&capabilities); err != nil {
		return ortc.RTPParameters{}, err
	}
	return ortc.ConsumerRTPParameters(p.consumable, capabilities, options)
}

// begin is the state of a stream of which nothing has been sent.
func (c *Consumer) begin(preferred *Layer) {
	encoding := &c.params.Encodings[c.encoding]
	c.ssrc = encoding.SSRC
	c.received.score = maxScore
	c.highest, c.layered = highestLayer(*encoding)
	c.layers = consumerLayers{allowed: layer.All, choice: choices - 1, priority: 1, told: noLayer}
	c.preferLocked(layer.All)
	switch {
	case c.pipe != nil:
		c.layered = false // whoever gets it may choose
		c.want(maxSpatial)
	case preferred != nil:
		c.preferLocked(*preferred)
	}
	if rtx := encoding.RTX; rtx != nil {
		c.rtxSSRC = rtx.SSRC
		c.history = newHistory()
		c.sent.rtxCredit = firstRTXCredit
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	c.rewrite.seq = int64(binary.BigEndian.Uint16(random[:2]) & 0x7fff)
	c.rtxSeq = binary.BigEndian.Uint16(random[2:]) & 0x7fff
}

// take makes packets be sent that have payload type pt in the consumer's router.
func (c *Consumer) take(pt uint8) {
	for from := range uint8(len(c.payloadTypes)) {
		if c.consumed.payloadType(from) == pt {
			c.payloadTypes[from].known, c.payloadTypes[from].sent = true, pt
		}
	}
}

func randomSSRC() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	// SSRCs of consumers stay in the range that mediasoup's clients know.
	return 100_000_000 + binary.BigEndian.Uint32(b[:])%900_000_000
}

// ID is unique in the router.
func (c *Consumer) ID() string { return c.id }

// ProducerID is the id of the producer consumed.
func (c *Consumer) ProducerID() string { return c.consumed.id }

// Producer returns the producer consumed.
func (c *Consumer) Producer() *Producer { return c.consumed }

// Transport returns the transport that the consumer goes out on.
func (c *Consumer) Transport() *Transport { return c.transport }

// Kind is audio or video.
func (c *Consumer) Kind() ortc.MediaKind { return c.producer.kind }

// Type is that of the producer, or "pipe".
func (c *Consumer) Type() ortc.ProducerType {
	if c.pipe != nil {
		return ortc.Pipe
	}
	return c.producer.typ
}

// RTPParameters are what the receiver is sent.
func (c *Consumer) RTPParameters() ortc.RTPParameters { return c.params.Clone() }

// AppData is what the maker of the consumer attached to it.
func (c *Consumer) AppData() any { return c.appData }

// Paused reports whether Pause was called, or Paused set, last.
func (c *Consumer) Paused() bool {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	return c.paused
}

// ProducerPaused reports whether the producer is paused.
func (c *Consumer) ProducerPaused() bool { return c.consumed.Paused() }

// Closed reports whether the consumer was closed, by whatever.
func (c *Consumer) Closed() bool {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	return c.closed
}

// Pause stops sending to the receiver.
func (c *Consumer) Pause() { c.setPaused(true) }

// Resume sends again; video starts with a keyframe.
func (c *Consumer) Resume() { c.setPaused(false) }

func (c *Consumer) setPaused(paused bool) {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	if c.closed || c.paused == paused {
		return
	}
	c.paused = paused
	c.transport.router.notify(Event{Type: pausedEvent(paused, EventConsumerPaused, EventConsumerResumed), Consumer: c})
	c.updateActiveLocked()
	c.pauseCopyLocked()
}

// RequestKeyFrame asks the sender of the media for a keyframe.
func (c *Consumer) RequestKeyFrame() {
	for _, s := range c.streams() {
		s.requestOwnKeyFrame()
	}
}

// requestOwnKeyFrame is RequestKeyFrame for one stream.
func (c *Consumer) requestOwnKeyFrame() {
	if !c.active.Load() {
		return
	}
	sc := c.transport.sfu.borrowScratch()
	defer c.transport.sfu.returnScratch(sc)
	sc.requestKeyframe(c)
}

// updateActiveLocked starts or stops sending after a change of what it
// depends on. router.mu is held.
func (c *Consumer) updateActiveLocked() {
	wanted := !c.closed && !c.paused && !c.consumed.paused
	for _, s := range c.streams() {
		s.activateLocked(wanted)
	}
}

// activateLocked is updateActiveLocked for one stream.
func (c *Consumer) activateLocked(wanted bool) {
	t := c.transport
	t.sendMu.Lock()
	active := wanted && t.canSendLocked()
	starts := active && !c.active.Load()
	if starts {
		c.rewrite.restart()
	}
	if !active {
		c.tellLayersLocked(noLayer)
	}
	c.active.Store(active)
	var awaited []*recvStream
	if b := t.send.bandwidth; b != nil && starts {
		awaited = slices.Clone(b.allocate(t, t.sfu.now())) // so that it begins with what the line carries
	}
	t.sendMu.Unlock()
	c.producer.noteWanted(t.sfu.now())
	t.sfu.requestKeyframes(awaited)
	if starts {
		c.requestOwnKeyFrame() // only now can the receiver see one
	}
}

// Close ends the consumer.
func (c *Consumer) Close() {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	c.closeLocked(CloseRequested)
}

func (c *Consumer) closeLocked(reason CloseReason) {
	if c.closed {
		return
	}
	c.closed = true
	c.consumed.removeConsumerLocked(c)
	t := c.transport
	delete(t.consumers, c.id)
	delete(t.router.consumers, c.id)
	for _, s := range c.streams() {
		s.removeFromTransport()
	}
	c.producer.noteWanted(t.sfu.now())
	if closed := c.events.Closed; closed != nil {
		t.router.emit(func() { closed(reason) })
	}
	t.router.notify(Event{Type: EventConsumerClosed, Consumer: c, Data: reason})
	c.closeCopyLocked()
}

// addToTransport makes the packet path know one stream.
func (c *Consumer) addToTransport() {
	t := c.transport
	t.recvMu.Lock()
	for _, ssrc := range c.ssrcs() {
		t.recv.sinks[ssrc] = c
	}
	t.recvMu.Unlock()
	t.sendMu.Lock()
	t.send.streams = append(t.send.streams, c)
	t.sendMu.Unlock()
}

// removeFromTransport undoes it, and tells the receiver.
func (c *Consumer) removeFromTransport() {
	t := c.transport
	t.recvMu.Lock()
	for _, ssrc := range c.ssrcs() {
		delete(t.recv.sinks, ssrc)
	}
	t.recvMu.Unlock()
	sc := t.sfu.borrowScratch()
	sc.removeStream(t, c)
	t.sfu.returnScratch(sc)
}

// ssrcs are the SSRCs by which the receiver's RTCP names the stream.
func (c *Consumer) ssrcs() []uint32 {
	if c.rtxSSRC == 0 {
		return []uint32{c.ssrc}
	}
	return []uint32{c.ssrc, c.rtxSSRC}
}
