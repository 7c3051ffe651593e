package sfu

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/speaker"
)

// ProducerEvents are called from the router's event goroutine; nil ones are not.
type ProducerEvents struct {
	Closed          func(CloseReason)
	Paused, Resumed func()
	Score           func([]EncodingScore) // has changed
	// VideoOrientation tells how the picture is to be turned, first when that is
	// known.
	VideoOrientation func(VideoOrientation)
	// WantedLayer tells which spatial layer of a video is the highest that any
	// receiver wants from now on; false: nobody wants any. See
	// [Producer.WantedLayer]. Nothing is told of a piped producer, whose sender is
	// the original's.
	WantedLayer func(spatial uint8, wanted bool)
}

// ProducerOptions are what a producer is made from.
type ProducerOptions struct {
	// ID must be new in the router; empty picks one.
	ID            string
	Kind          ortc.MediaKind
	RTPParameters ortc.RTPParameters
	// Paused producers are received and not forwarded.
	Paused bool
	// KeyFrameRequestDelay is the least time between two keyframe requests; 0
	// is defaultKeyframeInterval.
	KeyFrameRequestDelay time.Duration
	// NumberPackets gives each packet that comes without one mediasoup's packet-id
	// header extension, towards receivers that take it. No other packet of its
	// stream has that number, and it has the same if it is sent again.
	NumberPackets bool
	AppData       any
	Events        ProducerEvents
}

// Producer is media that one peer sends.
type Producer struct {
	// Constant after newProducer, id after Produce.
	transport        *Transport
	id               string
	kind             ortc.MediaKind
	typ              ortc.ProducerType
	params           ortc.RTPParameters
	consumable       ortc.RTPParameters
	codecs           [128]payloadCodec // by payload type
	extensions       extensionIDs
	extensionsByID   extensionByID
	keyframeInterval time.Duration
	useNACK, usePLI  bool
	useFIR, useREMB  bool
	numberPackets    bool
	useFEC           bool  // it is Opus that repeats what may get lost
	redBlocks        uint8 // payload type of the blocks in RED, if there is RED
	appData          any
	events           ProducerEvents
	mapping          ortc.RTPMapping

	// Constant, and nil except for what was piped from another router: what it
	// was piped from, the producer at the beginning of all pipes, and what that
	// one's payload types (as mapped) have become.
	parent, origin *Producer
	renumbered     *[128]uint8

	// views are in other routers. Changes reach them by the SFU's chores, one after
	// the other: whoever makes the change holds the lock of one router and must not
	// take that of another.
	views sharedList[*Producer]

	wanted producerWanted // of video that is not piped; it has a lock of its own

	// Guarded by router.mu.
	closed    bool
	paused    bool
	consumers map[*Consumer]struct{}

	// Guarded by transport.recvMu.
	encodings []encoding
	scores    []uint8 // by encoding
	// orientation is the byte of the last header extension that told it.
	orientation uint8
	speech      *speaker.Source // nil unless it is audio whose sender tells its level; the pointer is constant

	// Atomic.
	rates       layerRates
	muted       atomic.Bool              // paused, for the packet path
	copyOf      atomic.Pointer[Consumer] // of another router, by whose pipe it comes; nearly always nil
	traces      traceSet
	keepPackets atomic.Bool                 // a consumer may ask for retransmissions
	fanout      atomic.Pointer[[]*Consumer] // consumers, copied on change
	live        atomic.Pointer[liveStreams] // what consumers can be sent
}

// payloadCodec is what a payload type of a producer stands for.
type payloadCodec struct {
	use     payloadUse
	codec   codec.Codec
	mapped  uint8 // payload type towards consumers, or of the media that RTX repairs
	clockHz uint32
}

type payloadUse uint8

const (
	payloadUnknown payloadUse = iota
	payloadMedia
	payloadRTX
)

// encoding is one of the producer's streams as announced, and what was found
// to be it.
type encoding struct {
	ssrc, rtxSSRC uint32 // 0: not announced
	rid           string
	stream        *recvStream // nil until its first packet
	rtx           *recvStream // likewise
}

// newProducer checks the options and makes a producer of them. t.router.mu is
// held.
func newProducer(t *Transport, o ProducerOptions) (*Producer, error) {
	if o.Kind != ortc.Audio && o.Kind != ortc.Video {
		return nil, typeErrorf("kind: %q is neither \"audio\" nor \"video\"", o.Kind)
	}
	params := o.RTPParameters.Clone()
	if err := ortc.ValidateRTPParameters(&params); err != nil {
		return nil, err
	}
	mapping, err := ortc.ProducerRTPMapping(params, t.router.capabilities)
	if err != nil {
		return nil, err
	}
	params.RTCP.CNAME = t.cnameLocked(params.RTCP.CNAME)
	p := &Producer{
		transport: t, kind: o.Kind, typ: ortc.TypeOf(params),
		params:           ortc.AcceptedRTPParameters(params, t.router.capabilities, mapping),
		consumable:       ortc.ConsumableRTPParameters(o.Kind, params, t.router.capabilities, mapping),
		extensions:       extensionIDsOf(params.HeaderExtensions),
		keyframeInterval: o.KeyFrameRequestDelay,
		numberPackets:    o.NumberPackets,
		orientation:      noOrientation,
		appData:          o.AppData, events: o.Events, mapping: mapping,
		paused: o.Paused, consumers: map[*Consumer]struct{}{},
	}
	if p.kind == ortc.Audio && p.extensions[extAudioLevel] != 0 {
		p.speech = new(speaker.Source)
	}
	p.muted.Store(o.Paused)
	p.fanout.Store(new([]*Consumer))
	if p.keyframeInterval <= 0 {
		p.keyframeInterval = defaultKeyframeInterval
	}
	p.extensionsByID.add(&p.extensions)
	p.readCodecs(mapping)
	for _, e := range params.Encodings {
		enc := encoding{ssrc: e.SSRC, rid: e.RID}
		if e.RTX != nil {
			enc.rtxSSRC = e.RTX.SSRC
		}
		p.encodings = append(p.encodings, enc)
	}
	p.rates = newLayerRates(params)
	p.wanted.layers.told = highestSpatial(params)
	p.scores = make([]uint8, len(p.encodings))
	p.live.Store(new(make(liveStreams, len(p.encodings))))
	return p, nil
}

func (p *Producer) readCodecs(mapping ortc.RTPMapping) {
	var knowsREMB, knowsTWCC bool
	mapped := map[uint8]uint8{}
	for _, m := range mapping.Codecs {
		mapped[m.PayloadType] = m.MappedPayloadType
	}
	for _, c := range p.params.Codecs {
		info := payloadCodec{use: payloadMedia, codec: codec.FromMimeType(c.MimeType), mapped: mapped[c.PayloadType], clockHz: c.ClockRate}
		if info.codec == codec.RTX {
			info.use, info.mapped = payloadRTX, uint8(c.Parameters.Int("apt", 0)&0x7f)
		}
		p.codecs[c.PayloadType&0x7f] = info
		p.useFEC = p.useFEC || info.codec == codec.Opus && c.Parameters.Int("useinbandfec", 0) == 1
		for _, f := range c.RTCPFeedback {
			switch [2]string{f.Type, f.Parameter} {
			case [2]string{"nack", ""}:
				p.useNACK = true
			case [2]string{"nack", "pli"}:
				p.usePLI = p.kind == ortc.Video
			case [2]string{"ccm", "fir"}:
				p.useFIR = p.kind == ortc.Video
			case [2]string{"goog-remb", ""}:
				knowsREMB = true
			case [2]string{"transport-cc", ""}:
				knowsTWCC = true
			}
		}
	}
	_, p.redBlocks, _ = p.params.RED()
	p.useREMB = knowsREMB && !(knowsTWCC && p.extensions[extTransportCC] != 0)
}

// ID is unique in the router.
func (p *Producer) ID() string { return p.id }

// Kind is audio or video.
func (p *Producer) Kind() ortc.MediaKind { return p.kind }

// Type is simple, simulcast or svc.
func (p *Producer) Type() ortc.ProducerType { return p.typ }

// RTPParameters are what the peer sends.
func (p *Producer) RTPParameters() ortc.RTPParameters { return p.params.Clone() }

// ConsumableRTPParameters are the same in the router's payload types and ids.
func (p *Producer) ConsumableRTPParameters() ortc.RTPParameters { return p.consumable.Clone() }

// AppData is what the maker of the producer attached to it.
func (p *Producer) AppData() any { return p.appData }

// Transport returns the transport that the producer comes in on.
func (p *Producer) Transport() *Transport { return p.transport }

// Paused reports whether the producer is not forwarded.
func (p *Producer) Paused() bool { return p.muted.Load() }

// Closed reports whether the producer was closed, by whatever.
func (p *Producer) Closed() bool {
	p.transport.router.mu.Lock()
	defer p.transport.router.mu.Unlock()
	return p.closed
}

// Pause stops the forwarding; the peer may go on sending.
func (p *Producer) Pause() { p.setPaused(true) }

// Resume forwards again; video starts with a keyframe.
func (p *Producer) Resume() { p.setPaused(false) }

func (p *Producer) setPaused(paused bool) {
	r := p.transport.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.closed || p.paused == paused {
		return
	}
	p.paused = paused
	p.muted.Store(paused)
	own := p.events.Resumed
	if paused {
		own = p.events.Paused
	}
	r.emit(own)
	r.notify(Event{Type: pausedEvent(paused, EventProducerPaused, EventProducerResumed), Producer: p})
	p.pauseViewsLocked()
	for c := range p.consumers {
		c.updateActiveLocked()
		changed := c.events.ProducerResumed
		if paused {
			changed = c.events.ProducerPaused
		}
		r.emit(changed)
		r.notify(Event{Type: pausedEvent(paused, EventConsumerProducerPaused, EventConsumerProducerResumed), Consumer: c})
		c.pauseCopyLocked()
	}
}

// Close ends the producer and its consumers.
func (p *Producer) Close() { p.closeFor(CloseRequested) }

func (p *Producer) closeFor(reason CloseReason) {
	p.transport.router.mu.Lock()
	defer p.transport.router.mu.Unlock()
	p.closeLocked(reason)
}

func (p *Producer) closeLocked(reason CloseReason) {
	if p.closed {
		return
	}
	p.closed = true
	for c := range p.consumers {
		c.closeLocked(CloseProducer)
	}
	p.closeViewsLocked()
	p.closeOriginalLocked()
	t := p.transport
	for _, o := range t.router.observers {
		o.remove(p)
	}
	delete(t.producers, p.id)
	delete(t.router.producers, p.id)
	t.removeProducer(p)
	if closed := p.events.Closed; closed != nil {
		t.router.emit(func() { closed(reason) })
	}
	t.router.notify(Event{Type: EventProducerClosed, Producer: p, Data: reason})
}

func (t *Transport) removeProducer(p *Producer) {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	t.recv.demux.remove(p)
}

// addConsumerLocked makes the packet path send to c. router.mu is held.
func (p *Producer) addConsumerLocked(c *Consumer) {
	p.consumers[c] = struct{}{}
	if c.rtxSSRC != 0 {
		c.producer.keepPackets.Store(true)
	}
	c.producer.changeFanout(func(list []*Consumer) []*Consumer { return append(list, c.streams()...) })
}

func (p *Producer) removeConsumerLocked(c *Consumer) {
	delete(p.consumers, c)
	c.producer.changeFanout(func(list []*Consumer) []*Consumer {
		return slices.DeleteFunc(list, func(other *Consumer) bool { return other.whole() == c })
	})
}

// changeFanout puts a changed copy in the list's place. Consumers of several
// routers may come and go at once.
func (p *Producer) changeFanout(change func([]*Consumer) []*Consumer) {
	for {
		old := p.fanout.Load()
		next := change(slices.Clone(*old))
		if p.fanout.CompareAndSwap(old, &next) {
			return
		}
	}
}

// wanted reports whether any consumer is sent the stream, or is to be. What
// nobody receives need not be repaired.
func (s *recvStream) wanted() bool {
	for _, c := range *s.producer.fanout.Load() {
		if c.active.Load() && c.encodings.Load()&(1<<s.encoding) != 0 {
			return true
		}
	}
	return false
}
