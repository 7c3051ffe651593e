package sfu

import (
	"strings"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/ortc"
)

// ProducerDump is a producer as it is.
type ProducerDump struct {
	ID            string            `json:"id"`
	Kind          ortc.MediaKind    `json:"kind"`
	Type          ortc.ProducerType `json:"type"`
	RTPParameters RTPParametersDump `json:"rtpParameters"`
	RTPMapping    ortc.RTPMapping   `json:"rtpMapping"`
	// RTPStreams are those that have arrived.
	RTPStreams      []RTPStreamDump `json:"rtpStreams,omitempty"`
	TraceEventTypes []TraceType     `json:"traceEventTypes"`
	Paused          bool            `json:"paused"`
}

// RTPParametersDump are parameters with everything said that goes without saying:
// the codec of each encoding, and the names of codecs as we spell them.
type RTPParametersDump struct {
	MID              string                              `json:"mid,omitempty"`
	Codecs           []RTPCodecDump                      `json:"codecs"`
	HeaderExtensions []ortc.RTPHeaderExtensionParameters `json:"headerExtensions"`
	Encodings        []ortc.RTPEncodingParameters        `json:"encodings"`
	RTCP             ortc.RTCPParameters                 `json:"rtcp"`
	MSID             string                              `json:"msid,omitempty"`
}

// RTPCodecDump is a codec of them.
type RTPCodecDump struct {
	MimeType     string               `json:"mimeType"`
	PayloadType  uint8                `json:"payloadType"`
	ClockRate    uint32               `json:"clockRate"`
	Channels     uint8                `json:"channels,omitempty"`
	Parameters   ortc.CodecParameters `json:"parameters"`
	RTCPFeedback []RTCPFeedbackDump   `json:"rtcpFeedback"`
}

// RTCPFeedbackDump is a kind of feedback; an empty Parameter is left out.
type RTCPFeedbackDump struct {
	Type      string `json:"type"`
	Parameter string `json:"parameter,omitempty"`
}

// dumpParameters shows p; the names of its codecs are also in those of a router.
func dumpParameters(p ortc.RTPParameters, router ortc.RTPParameters) RTPParametersDump {
	p = p.Clone()
	d := RTPParametersDump{
		MID: p.MID, Codecs: []RTPCodecDump{}, HeaderExtensions: append([]ortc.RTPHeaderExtensionParameters{}, p.HeaderExtensions...),
		Encodings: p.Encodings, RTCP: p.RTCP, MSID: p.MSID,
	}
	for i := range d.Encodings {
		if e := &d.Encodings[i]; e.CodecPayloadType == nil {
			e.CodecPayloadType = new(p.Codecs[0].PayloadType)
		}
	}
	for _, c := range p.Codecs {
		for _, r := range router.Codecs {
			if strings.EqualFold(c.MimeType, r.MimeType) {
				c.MimeType = r.MimeType
			}
		}
		codec := RTPCodecDump{
			MimeType: c.MimeType, PayloadType: c.PayloadType, ClockRate: c.ClockRate, Channels: c.Channels,
			Parameters: c.Parameters, RTCPFeedback: []RTCPFeedbackDump{},
		}
		for _, f := range c.RTCPFeedback {
			codec.RTCPFeedback = append(codec.RTCPFeedback, RTCPFeedbackDump{f.Type, f.Parameter})
		}
		d.Codecs = append(d.Codecs, codec)
	}
	return d
}

// RTPStreamDump is a stream that comes in or goes out.
type RTPStreamDump struct {
	Params RTPStreamParameters `json:"params"`
	Score  uint8               `json:"score"`
	RTX    *RTXStreamDump      `json:"rtxStream,omitempty"`
}

// RTPStreamParameters are what a stream is.
type RTPStreamParameters struct {
	Encoding       int    `json:"encodingIdx"`
	SSRC           uint32 `json:"ssrc"`
	PayloadType    uint8  `json:"payloadType"`
	MimeType       string `json:"mimeType"`
	ClockRate      uint32 `json:"clockRate"`
	RID            string `json:"rid,omitempty"`
	CNAME          string `json:"cname"`
	RTXSSRC        uint32 `json:"rtxSsrc,omitempty"`
	RTXPayloadType *uint8 `json:"rtxPayloadType,omitempty"`
	UseNACK        bool   `json:"useNack"`
	UsePLI         bool   `json:"usePli"`
	UseFIR         bool   `json:"useFir"`
	UseInBandFEC   bool   `json:"useInBandFec"`
	UseDTX         bool   `json:"useDtx"`
	SpatialLayers  int    `json:"spatialLayers"`
	TemporalLayers int    `json:"temporalLayers"`
}

// RTXStreamDump is the stream of a stream's retransmissions.
type RTXStreamDump struct {
	Params RTXStreamParameters `json:"params"`
}

// RTXStreamParameters are what it is.
type RTXStreamParameters struct {
	SSRC        uint32 `json:"ssrc"`
	PayloadType uint8  `json:"payloadType"`
	MimeType    string `json:"mimeType"`
	ClockRate   uint32 `json:"clockRate"`
	RepairedRID string `json:"rrid,omitempty"`
	CNAME       string `json:"cname"`
}

// Dump shows the producer.
func (p *Producer) Dump() ProducerDump {
	d := ProducerDump{
		ID: p.id, Kind: p.kind, Type: p.typ, RTPParameters: dumpParameters(p.params, p.consumable), RTPMapping: p.mapping,
		TraceEventTypes: p.traces.types(), Paused: p.Paused(),
	}
	source := p.source()
	source.transport.recvMu.Lock()
	defer source.transport.recvMu.Unlock()
	for i := range source.encodings {
		if s := source.encodings[i].stream; s != nil {
			d.RTPStreams = append(d.RTPStreams, source.dumpStream(i, s))
		}
	}
	return d
}

// dumpStream needs the recvMu of p's transport.
func (p *Producer) dumpStream(i int, s *recvStream) RTPStreamDump {
	e := &p.encodings[i]
	d := RTPStreamDump{Params: streamParameters(p.params, i), Score: p.scores[i]}
	d.Params.MimeType = p.consumable.Codecs[0].MimeType
	d.Params.SSRC, d.Params.RID = s.ssrc, e.rid
	d.Params.UseNACK, d.Params.UsePLI, d.Params.UseFIR = p.useNACK, p.usePLI, p.useFIR
	if e.rtx == nil {
		return d
	}
	d.Params.RTXSSRC = e.rtx.ssrc
	if rtx := rtxCodecOf(p.params, d.Params.PayloadType); rtx != nil {
		d.RTX = rtxStream(rtx, e.rtx.ssrc, d.Params.CNAME)
		d.RTX.Params.RepairedRID = e.rid
	}
	return d
}

// ConsumerDump is a consumer as it is: what all have, and what those of its type
// have.
type ConsumerDump struct {
	ID                         string                       `json:"id"`
	ProducerID                 string                       `json:"producerId"`
	Kind                       ortc.MediaKind               `json:"kind"`
	Type                       ortc.ProducerType            `json:"type"`
	RTPParameters              RTPParametersDump            `json:"rtpParameters"`
	ConsumableRTPEncodings     []ortc.RTPEncodingParameters `json:"consumableRtpEncodings"`
	SupportedCodecPayloadTypes []int                        `json:"supportedCodecPayloadTypes"`
	TraceEventTypes            []TraceType                  `json:"traceEventTypes"`
	Paused                     bool                         `json:"paused"`
	ProducerPaused             bool                         `json:"producerPaused"`
	Priority                   int                          `json:"priority"`
	RTPStream                  *RTPStreamDump               `json:"rtpStream,omitempty"`
	RTPStreams                 []RTPStreamDump              `json:"rtpStreams,omitempty"` // of a pipe, by encoding

	*ConsumerLayersDump // of one with layers only
}

// ConsumerLayersDump is what a consumer with layers is sent and to be sent; −1 is
// nothing.
type ConsumerLayersDump struct {
	PreferredSpatialLayer  int `json:"preferredSpatialLayer"`
	TargetSpatialLayer     int `json:"targetSpatialLayer"`
	CurrentSpatialLayer    int `json:"currentSpatialLayer"`
	PreferredTemporalLayer int `json:"preferredTemporalLayer"`
	TargetTemporalLayer    int `json:"targetTemporalLayer"`
	CurrentTemporalLayer   int `json:"currentTemporalLayer"`
}

// Dump shows the consumer.
func (c *Consumer) Dump() ConsumerDump {
	d := ConsumerDump{
		ID: c.id, ProducerID: c.consumed.id, Kind: c.Kind(), Type: c.Type(),
		RTPParameters: dumpParameters(c.params, c.params), ConsumableRTPEncodings: c.consumed.consumable.Clone().Encodings,
		TraceEventTypes: c.traces.types(),
		Paused:          c.Paused(), ProducerPaused: c.ProducerPaused(), Priority: c.Priority(),
		SupportedCodecPayloadTypes: []int{},
	}
	for _, pc := range c.params.Codecs {
		if codec.FromMimeType(pc.MimeType) != codec.RTX {
			d.SupportedCodecPayloadTypes = append(d.SupportedCodecPayloadTypes, int(pc.PayloadType))
		}
	}
	c.transport.recvMu.Lock()
	defer c.transport.recvMu.Unlock()
	if c.pipe != nil {
		for i, s := range c.pipe.streams {
			d.RTPStreams = append(d.RTPStreams, s.dumpStream(i))
		}
		return d
	}
	d.RTPStream = new(c.dumpStream(0))
	if c.Type() != ortc.Simple {
		c.transport.sendMu.Lock()
		defer c.transport.sendMu.Unlock()
		d.ConsumerLayersDump = c.dumpLayersLocked()
	}
	return d
}

// dumpStream needs the recvMu of c's transport.
func (c *Consumer) dumpStream(i int) RTPStreamDump {
	d := RTPStreamDump{Params: streamParameters(c.params, i), Score: c.received.score}
	if rtx := rtxCodecOf(c.params, d.Params.PayloadType); rtx != nil && d.Params.RTXSSRC != 0 {
		d.RTX = rtxStream(rtx, d.Params.RTXSSRC, d.Params.CNAME)
	}
	return d
}

// dumpLayersLocked needs sendMu.
func (c *Consumer) dumpLayersLocked() *ConsumerLayersDump {
	preferred := c.boundLocked(c.layers.preferred)
	d := &ConsumerLayersDump{
		int(preferred.Spatial), -1, -1, int(preferred.Temporal), -1, -1,
	}
	if target := c.targetLocked(); target != nil && c.active.Load() && !c.starvedLocked() {
		aim := c.boundLocked(c.wantedLocked())
		d.TargetSpatialLayer, d.TargetTemporalLayer = int(aim.Spatial), int(aim.Temporal)
		if c.producer.typ == ortc.Simulcast {
			d.TargetSpatialLayer = target.encoding
		}
	}
	if told := c.layers.told; told != noLayer {
		d.CurrentSpatialLayer, d.CurrentTemporalLayer = int(told.Spatial), int(told.Temporal)
	}
	return d
}

// streamParameters are those of the stream of encoding i, as announced.
func streamParameters(p ortc.RTPParameters, i int) RTPStreamParameters {
	c, e := &p.Codecs[0], &p.Encodings[i]
	for j := range p.Codecs {
		if e.CodecPayloadType != nil && p.Codecs[j].PayloadType == *e.CodecPayloadType {
			c = &p.Codecs[j]
		}
	}
	mode := ortc.ParseScalabilityMode(e.ScalabilityMode)
	s := RTPStreamParameters{
		Encoding: i, SSRC: e.SSRC, RID: e.RID, PayloadType: c.PayloadType, MimeType: c.MimeType, ClockRate: c.ClockRate,
		CNAME:        p.RTCP.CNAME,
		UseInBandFEC: c.Parameters.Int("useinbandfec", 0) == 1,
		UseDTX:       c.Parameters.Int("usedtx", 0) == 1 || e.DTX,

		SpatialLayers: mode.SpatialLayers, TemporalLayers: mode.TemporalLayers,
	}
	for _, f := range c.RTCPFeedback {
		switch f {
		case ortc.RTCPFeedback{Type: "nack"}:
			s.UseNACK = true
		case ortc.RTCPFeedback{Type: "nack", Parameter: "pli"}:
			s.UsePLI = true
		case ortc.RTCPFeedback{Type: "ccm", Parameter: "fir"}:
			s.UseFIR = true
		}
	}
	if rtx := rtxCodecOf(p, c.PayloadType); rtx != nil && e.RTX != nil {
		s.RTXSSRC, s.RTXPayloadType = e.RTX.SSRC, &rtx.PayloadType
	}
	return s
}

// rtxCodecOf is the RTX codec of a payload type; nil if there is none.
func rtxCodecOf(p ortc.RTPParameters, pt uint8) *ortc.RTPCodecParameters {
	for i := range p.Codecs {
		c := &p.Codecs[i]
		if codec.FromMimeType(c.MimeType) == codec.RTX && c.Parameters.Int("apt", 0) == int(pt) {
			return c
		}
	}
	return nil
}

func rtxStream(c *ortc.RTPCodecParameters, ssrc uint32, cname string) *RTXStreamDump {
	return &RTXStreamDump{RTXStreamParameters{
		SSRC: ssrc, PayloadType: c.PayloadType, MimeType: c.MimeType, ClockRate: c.ClockRate, CNAME: cname,
	}}
}
