package ortc

import (
	"fmt"
	"maps"
	"slices"
)

// ConsumerOptions say how a consumer is to be made.
type ConsumerOptions struct {
	// SSRC returns a fresh SSRC, unique among the streams of the consumer's
	// transport and not 0, at each call. It is required.
	SSRC func() uint32
	// MID is the consumer's value of the MID extension. It is ignored with Pipe.
	MID string
	// EnableRTX is whether to retransmit; nil is yes for video and no for audio.
	EnableRTX *bool
	// Pipe keeps all encodings instead of making one of them.
	Pipe bool
}

// CanConsume reports whether a receiver with the given capabilities understands
// at least one media codec of the consumable parameters. It fails if the
// capabilities are not valid; they need not be completed.
func CanConsume(consumable RTPParameters, caps RTPCapabilities) (bool, error) {
	if err := checkCapabilities(&caps); err != nil {
		return false, within(err, capabilitiesPath)
	}
	for i := range consumable.Codecs {
		if isRED(consumable.Codecs[i].MimeType) {
			continue // without what it repeats it is nothing, and with that not needed
		}
		if understood(&consumable.Codecs[i], caps.Codecs) != nil {
			// RTX comes after its codec: if it is the first match, the codec is none.
			return !isRTX(consumable.Codecs[i].MimeType), nil
		}
	}
	return false, nil
}

// understood returns the first of a receiver's codecs that is the same as c, or
// nil.
func understood(c *RTPCodecParameters, caps []RTPCodecCapability) *RTPCodecCapability {
	want := c.format()
	for i := range caps {
		if sameFormat(caps[i].format(), want) {
			return &caps[i]
		}
	}
	return nil
}

// understandsInside reports whether a receiver understands what the blocks of a
// RED codec are.
func understandsInside(codecs []RTPCodecParameters, red *RTPCodecParameters, caps []RTPCodecCapability) bool {
	inside := codecInRED(codecs, red)
	return inside != nil && understood(inside, caps) != nil
}

// ConsumerRTPParameters describes the streams that a receiver with the given
// valid capabilities gets of a producer: the codecs, header extensions and
// feedback that both know, one encoding that stands for all of the producer's,
// and fresh SSRCs.
//
// It fails with UnsupportedError if the receiver understands none of the codecs.
func ConsumerRTPParameters(consumable RTPParameters, remote RTPCapabilities, opts ConsumerOptions) (RTPParameters, error) {
	codecs := consumerCodecs(consumable.Codecs, remote.Codecs, opts.enableRTX(consumable.Codecs))
	if len(codecs) == 0 || isRTX(codecs[0].MimeType) {
		return RTPParameters{}, unsupportedf("no codec of the producer is one of %s.codecs", capabilitiesPath)
	}
	p := RTPParameters{
		Codecs:           codecs,
		HeaderExtensions: consumerExtensions(consumable.HeaderExtensions, remote.HeaderExtensions),
		RTCP:             consumable.RTCP.Clone(),
		MSID:             consumable.MSID,
	}
	reduceFeedback(p.Codecs, p.HeaderExtensions)
	hasRTX := slices.ContainsFunc(codecs, func(c RTPCodecParameters) bool { return isRTX(c.MimeType) })
	if opts.Pipe {
		p.Encodings = pipeEncodings(consumable.Encodings, hasRTX, opts.SSRC)
		return p, nil
	}
	p.MID = opts.MID
	p.Encodings = []RTPEncodingParameters{consumerEncoding(consumable.Encodings, hasRTX, opts.SSRC)}
	return p, nil
}

func (o *ConsumerOptions) enableRTX(codecs []RTPCodecParameters) bool {
	if o.EnableRTX != nil {
		return *o.EnableRTX
	}
	return len(codecs) > 0 && kindOf(codecs[0].MimeType) == Video
}

// consumerCodecs keeps the codecs that the receiver understands, with the
// feedback that it wants, and the RTX codecs of those, each of which follows its
// codec in the list.
func consumerCodecs(codecs []RTPCodecParameters, remote []RTPCodecCapability, enableRTX bool) []RTPCodecParameters {
	out := make([]RTPCodecParameters, 0, len(codecs))
	for i := range codecs {
		c := codecs[i]
		if isRTX(c.MimeType) && (!enableRTX || codecOfRTX(out, &c) == nil) {
			continue
		}
		if isRED(c.MimeType) && !understandsInside(codecs, &c, remote) {
			continue
		}
		match := understood(&c, remote)
		if match == nil {
			continue
		}
		c.Parameters = maps.Clone(c.Parameters)
		c.RTCPFeedback = make([]RTCPFeedback, 0, len(match.RTCPFeedback))
		for _, fb := range match.RTCPFeedback {
			if enableRTX || !fb.isNACK() {
				c.RTCPFeedback = append(c.RTCPFeedback, fb)
			}
		}
		out = append(out, c)
	}
	return out
}

// isNACK reports whether the feedback asks for packets again, rather than for a
// keyframe (nack pli).
func (fb RTCPFeedback) isNACK() bool { return fb.Type == "nack" && fb.Parameter == "" }

// consumerExtensions keeps the header extensions that the receiver knows by the
// same id. The kind in its capabilities says nothing: clients list an extension
// that audio and video share only once, under either.
func consumerExtensions(extensions []RTPHeaderExtensionParameters, remote []RTPHeaderExtension) []RTPHeaderExtensionParameters {
	out := make([]RTPHeaderExtensionParameters, 0, len(extensions))
	for _, e := range extensions {
		if slices.ContainsFunc(remote, func(r RTPHeaderExtension) bool {
			return r.PreferredID == e.ID && r.URI == e.URI
		}) {
			e.Parameters = maps.Clone(e.Parameters)
			out = append(out, e)
		}
	}
	return out
}

// reduceFeedback leaves one way of estimating the bandwidth: transport-wide
// feedback if its extension is in use, else REMB if send times are, else none.
func reduceFeedback(codecs []RTPCodecParameters, extensions []RTPHeaderExtensionParameters) {
	transportCC := hasExtension(extensions, URITransportWideCC)
	remb := !transportCC && hasExtension(extensions, URIAbsSendTime)
	for i := range codecs {
		codecs[i].RTCPFeedback = slices.DeleteFunc(codecs[i].RTCPFeedback, func(fb RTCPFeedback) bool {
			return fb.Type == "transport-cc" && !transportCC || fb.Type == "goog-remb" && !remb
		})
	}
}

// consumerEncoding is the one stream into which the producer's are made.
func consumerEncoding(encodings []RTPEncodingParameters, hasRTX bool, ssrc func() uint32) RTPEncodingParameters {
	e := RTPEncodingParameters{SSRC: ssrc()}
	if hasRTX {
		e.RTX = &RTXParameters{SSRC: ssrc()}
	}
	for i := range encodings {
		e.MaxBitrate = max(e.MaxBitrate, encodings[i].MaxBitrate)
		if e.ScalabilityMode == "" {
			e.ScalabilityMode = encodings[i].ScalabilityMode
		}
	}
	if len(encodings) > 1 {
		// To its receiver each simulcast stream is a spatial layer.
		temporal := ParseScalabilityMode(e.ScalabilityMode).TemporalLayers
		e.ScalabilityMode = fmt.Sprintf("L%dT%d", len(encodings), temporal)
	}
	return e
}

// pipeEncodings gives each encoding SSRCs of its own: those of the streams in
// sequence, then those of their RTX streams.
func pipeEncodings(encodings []RTPEncodingParameters, hasRTX bool, ssrc func() uint32) []RTPEncodingParameters {
	out := make([]RTPEncodingParameters, 0, len(encodings))
	for _, e := range encodings {
		e = e.Clone()
		e.SSRC, e.RTX = ssrc(), nil
		out = append(out, e)
	}
	if hasRTX {
		for i := range out {
			out[i].RTX = &RTXParameters{SSRC: ssrc()}
		}
	}
	return out
}

// PipeConsumerRTPParameters describes a producer's streams as they go to another
// router: all encodings with fresh SSRCs, and nothing that belongs to one
// transport only, which is the MID and bandwidth estimation. ssrc returns a
// fresh SSRC at each call.
func PipeConsumerRTPParameters(consumable RTPParameters, enableRTX bool, ssrc func() uint32) RTPParameters {
	p := RTPParameters{
		Codecs:    make([]RTPCodecParameters, 0, len(consumable.Codecs)),
		Encodings: pipeEncodings(consumable.Encodings, enableRTX, ssrc),
		RTCP:      consumable.RTCP.Clone(),
		MSID:      consumable.MSID,
	}
	for _, c := range consumable.Codecs {
		if isRTX(c.MimeType) && !enableRTX {
			continue
		}
		c = c.Clone()
		c.RTCPFeedback = slices.DeleteFunc(present(c.RTCPFeedback), func(fb RTCPFeedback) bool {
			return fb != RTCPFeedback{"nack", "pli"} && fb != RTCPFeedback{"ccm", "fir"} &&
				(!enableRTX || !fb.isNACK())
		})
		p.Codecs = append(p.Codecs, c)
	}
	p.HeaderExtensions = pipeExtensions(consumable.HeaderExtensions)
	return p
}

// pipeExtensions adds the dependency descriptor, which another router gets
// whether the producer sends it or not.
func pipeExtensions(extensions []RTPHeaderExtensionParameters) []RTPHeaderExtensionParameters {
	out := make([]RTPHeaderExtensionParameters, 0, len(extensions)+1)
	for _, e := range cloneExtensions(extensions) {
		switch e.URI {
		case URIMID, URIAbsSendTime, URITransportWideCC:
		default:
			out = append(out, e)
		}
	}
	for _, row := range extensionTable {
		if row.uri == URIDependencyDescriptor && !hasExtension(out, row.uri) {
			out = append(out, RTPHeaderExtensionParameters{URI: row.uri, ID: row.id, Parameters: CodecParameters{}})
		}
	}
	slices.SortStableFunc(out, func(a, b RTPHeaderExtensionParameters) int { return int(a.ID) - int(b.ID) })
	return out
}
