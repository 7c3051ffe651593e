package sfu

import (
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/mono"
)

// TraceType is what is traced, in mediasoup's words.
type TraceType string

// What can be traced: of transports probation and estimates of the bandwidth, of
// producers all but those, of consumers all but those and sender reports.
const (
	TraceRTP       TraceType = "rtp"
	TraceKeyframe  TraceType = "keyframe" // of a packet with one, in place of TraceRTP
	TraceNACK      TraceType = "nack"
	TracePLI       TraceType = "pli"
	TraceFIR       TraceType = "fir"
	TraceSR        TraceType = "sr"
	TraceProbation TraceType = "probation"
	TraceBWE       TraceType = "bwe"
)

// traceTypes are the types by their bit in a traceSet.
var traceTypes = [...]TraceType{TraceRTP, TraceKeyframe, TraceNACK, TracePLI, TraceFIR, TraceSR, TraceProbation, TraceBWE}

// traceBits is a set of types, the first being the lowest bit.
type traceBits uint32

const (
	traceRTP traceBits = 1 << iota
	traceKeyframe
	traceNACK
	tracePLI
	traceFIR
	traceSR
	traceProbation
	traceBWE

	traceConsumer  = traceRTP | traceKeyframe | traceNACK | tracePLI | traceFIR
	traceProducer  = traceConsumer | traceSR
	traceTransport = traceProbation | traceBWE
)

// traceSet is what is traced of one object; nothing to begin with. Whoever might
// have something to tell asks it first, which costs one load.
type traceSet struct{ bits atomic.Uint32 }

func (s *traceSet) has(some traceBits) bool { return traceBits(s.bits.Load())&some != 0 }

// set takes those of the names that are possible.
func (s *traceSet) set(names []string, possible traceBits) {
	chosen := traceBits(0)
	for _, name := range names {
		for i, t := range traceTypes {
			if string(t) == name {
				chosen |= 1 << i & possible
			}
		}
	}
	s.bits.Store(uint32(chosen))
}

func (s *traceSet) types() []TraceType {
	list := []TraceType{}
	for i, t := range traceTypes {
		if s.has(1 << i) {
			list = append(list, t)
		}
	}
	return list
}

// Trace is something that was seen on the packet path, under mediasoup's names.
type Trace struct {
	Type      TraceType `json:"type"`
	Timestamp int64     `json:"timestamp"` // ms of Unix time
	Direction string    `json:"direction"` // "in" or "out", as the server sees it
	// Info is a PacketTrace, SSRCTrace, SenderReportTrace or BWETrace, or empty.
	Info any `json:"info"`
}

// PacketTrace is a packet of media, plain.
type PacketTrace struct {
	Packet TracedPacket `json:"rtpPacket"`
	IsRTX  bool         `json:"isRtx"`
}

// TracedPacket is what there is to be known of a packet. Sizes are in bytes.
type TracedPacket struct {
	PayloadType        uint8   `json:"payloadType"`
	SequenceNumber     uint16  `json:"sequenceNumber"`
	Timestamp          uint32  `json:"timestamp"`
	Marker             bool    `json:"marker"`
	SSRC               uint32  `json:"ssrc"`
	IsKeyframe         bool    `json:"isKeyFrame"`
	Size               int     `json:"size"`
	PayloadSize        int     `json:"payloadSize"`
	SpatialLayer       uint8   `json:"spatialLayer"`
	TemporalLayer      uint8   `json:"temporalLayer"`
	MID                *string `json:"mid"`
	RID                *string `json:"rid"`
	RepairedRID        *string `json:"rrid"`
	WideSequenceNumber *uint16 `json:"wideSequenceNumber"`
}

// SSRCTrace is which stream a keyframe is asked of.
type SSRCTrace struct {
	SSRC uint32 `json:"ssrc"`
}

// SenderReportTrace is a sender report.
type SenderReportTrace struct {
	SSRC        uint32 `json:"ssrc"`
	NTPSeconds  uint32 `json:"ntpSec"`
	NTPFraction uint32 `json:"ntpFrac"`
	RTPTime     uint32 `json:"rtpTs"`
	PacketCount uint32 `json:"packetCount"`
	OctetCount  uint32 `json:"octetCount"`
}

// BWETrace is what a transport's line is taken to carry, and what for. Bitrates
// are in bit/s.
type BWETrace struct {
	// Type is the feedback that the estimate is made from: "transport-cc" or
	// "remb".
	Type             string `json:"bweType"`
	Desired          uint64 `json:"desiredBitrate"`
	EffectiveDesired uint64 `json:"effectiveDesiredBitrate"`
	Min              uint64 `json:"minBitrate"`
	Max              uint64 `json:"maxBitrate"`
	Start            uint64 `json:"startBitrate"`
	MaxPadding       uint64 `json:"maxPaddingBitrate"`
	Available        uint64 `json:"availableBitrate"`
}

// maxTraces is how many may wait for those who observe a router. What is more is
// lost: a trace is for looking, not for counting.
const maxTraces = 1024

// trace tells whoever observes the router of what was seen at now. Any lock may
// be held.
func (r *Router) trace(now mono.Instant, e Event, what TraceType, direction string, info any) {
	watchers := r.watchers.all()
	if len(watchers) == 0 {
		return
	}
	if r.traces.Add(1) > maxTraces {
		r.traces.Add(-1)
		return
	}
	if info == nil {
		info = struct{}{}
	}
	e.Data = Trace{Type: what, Timestamp: now.Wall().UnixMilli(), Direction: direction, Info: info}
	r.events.post(func() {
		r.traces.Add(-1)
		tell(watchers, e)
	})
}

// EnableTraceEvents has EventTransportTrace tell of what has one of the types,
// in place of those before; names that are none are ignored.
func (t *Transport) EnableTraceEvents(types []string) { t.traces.set(types, traceTransport) }

// EnableTraceEvents has EventProducerTrace tell of what has one of the types, in
// place of those before; names that are none are ignored. A piped producer tells
// of nothing: its packets come in elsewhere.
func (p *Producer) EnableTraceEvents(types []string) { p.traces.set(types, traceProducer) }

// EnableTraceEvents has EventConsumerTrace tell of what has one of the types, in
// place of those before; names that are none are ignored.
func (c *Consumer) EnableTraceEvents(types []string) {
	for _, s := range c.streams() {
		s.traces.set(types, traceConsumer)
	}
}

func (p *Producer) trace(now mono.Instant, what TraceType, direction string, info any) {
	p.transport.router.trace(now, Event{Type: EventProducerTrace, Producer: p}, what, direction, info)
}

func (c *Consumer) trace(now mono.Instant, what TraceType, direction string, info any) {
	c.transport.router.trace(now, Event{Type: EventConsumerTrace, Consumer: c.whole()}, what, direction, info)
}

func (t *Transport) trace(now mono.Instant, what TraceType, direction string, info any) {
	t.router.trace(now, Event{Type: EventTransportTrace, Transport: t}, what, direction, info)
}
