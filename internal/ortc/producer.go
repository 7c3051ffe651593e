package ortc

import (
	"maps"
	"slices"
)

// firstMappedSSRC is the SSRC by which a producer's first encoding is known
// inside the router; the next ones follow. It need not be random as on the wire,
// where it never appears.
const firstMappedSSRC = 100_000_000

// ProducerRTPMapping finds, for each codec of a producer's valid parameters, the
// payload type that it has in the router's capabilities, and gives each encoding
// an SSRC inside the router. Media codecs come first, then RTX codecs.
//
// It fails with UnsupportedError if the router was made without one of the
// codecs, and with TypeError if an RTX codec belongs to none.
func ProducerRTPMapping(params RTPParameters, caps RTPCapabilities) (RTPMapping, error) {
	m := RTPMapping{
		Codecs:    make([]CodecMapping, 0, len(params.Codecs)),
		Encodings: make([]EncodingMapping, 0, len(params.Encodings)),
	}
	for i := range params.Codecs {
		if c := &params.Codecs[i]; !isRTX(c.MimeType) {
			if err := m.addMedia(c, caps); err != nil {
				return RTPMapping{}, within(err, parametersPath)
			}
		}
	}
	for i := range params.Codecs {
		if c := &params.Codecs[i]; isRTX(c.MimeType) {
			if err := m.addRTX(c, params.Codecs, caps); err != nil {
				return RTPMapping{}, within(err, parametersPath)
			}
		}
	}
	for i := range params.Encodings {
		e := &params.Encodings[i]
		m.Encodings = append(m.Encodings, EncodingMapping{
			SSRC:            e.SSRC,
			RID:             e.RID,
			ScalabilityMode: e.ScalabilityMode,
			MappedSSRC:      firstMappedSSRC + uint32(i),
		})
	}
	return m, nil
}

func (m *RTPMapping) addMedia(c *RTPCodecParameters, caps RTPCapabilities) error {
	for i := range caps.Codecs {
		router := &caps.Codecs[i]
		if router.PreferredPayloadType != nil && sameFormat(c.format(), router.format()) {
			m.Codecs = append(m.Codecs, CodecMapping{c.PayloadType, *router.PreferredPayloadType})
			return nil
		}
	}
	return unsupportedf("codecs: %s with payload type %d is not one of the router's", c.MimeType, c.PayloadType)
}

func (m *RTPMapping) addRTX(rtx *RTPCodecParameters, codecs []RTPCodecParameters, caps RTPCapabilities) error {
	media := codecOfRTX(codecs, rtx)
	if media == nil || isRTX(media.MimeType) {
		return typeErrorf("codecs: the RTX codec with payload type %d belongs to no media codec", rtx.PayloadType)
	}
	mapped, _ := m.payloadType(media.PayloadType)
	router := caps.rtxOf(mapped)
	if router == nil {
		return unsupportedf("codecs: the router has no RTX for payload type %d", media.PayloadType)
	}
	m.Codecs = append(m.Codecs, CodecMapping{rtx.PayloadType, *router.PreferredPayloadType})
	return nil
}

// payloadType returns the router's payload type for one of the producer's.
func (m *RTPMapping) payloadType(pt uint8) (mapped uint8, ok bool) {
	for _, c := range m.Codecs {
		if c.PayloadType == pt {
			return c.MappedPayloadType, true
		}
	}
	return 0, false
}

// codec returns the codec with the payload type, or nil.
func (c *RTPCapabilities) codec(pt uint8) *RTPCodecCapability {
	for i := range c.Codecs {
		if p := c.Codecs[i].PreferredPayloadType; p != nil && *p == pt {
			return &c.Codecs[i]
		}
	}
	return nil
}

// rtxOf returns the RTX codec of the codec with the payload type, or nil.
func (c *RTPCapabilities) rtxOf(pt uint8) *RTPCodecCapability {
	for i := range c.Codecs {
		codec := &c.Codecs[i]
		if !isRTX(codec.MimeType) || codec.PreferredPayloadType == nil {
			continue
		}
		if n, ok := number(codec.Parameters[apt]); ok && n == float64(pt) {
			return codec
		}
	}
	return nil
}

// AcceptedRTPParameters returns a producer's parameters as the router accepts
// them, which is how mediasoup shows them from then on: each H264
// profile-level-id is replaced by the answer to the router's. m is their mapping.
func AcceptedRTPParameters(params RTPParameters, caps RTPCapabilities, m RTPMapping) RTPParameters {
	params = params.Clone()
	for i := range params.Codecs {
		c := &params.Codecs[i]
		pt, _ := m.payloadType(c.PayloadType)
		if router := caps.codec(pt); router != nil {
			c.Parameters = acceptedParameters(c, router)
		}
	}
	return params
}

// acceptedParameters returns a copy of the codec's parameters, with the answer
// to the router's codec in it.
func acceptedParameters(c *RTPCodecParameters, router *RTPCodecCapability) CodecParameters {
	p := maps.Clone(c.Parameters)
	if !isH264(c.MimeType) || p == nil {
		return p
	}
	if answer := h264Answer(c.Parameters, router.Parameters); answer != "" {
		p[profileLevelID] = answer
	} else {
		delete(p, profileLevelID)
	}
	return p
}

// ConsumableRTPParameters describes a producer's streams in the numbers of its
// router, from which the parameters of each consumer are made: the router's
// payload types and header extensions, and the SSRCs of the mapping. Codec
// parameters stay the producer's. kind, params and m belong to one producer;
// codecs that m does not have are left out.
func ConsumableRTPParameters(kind MediaKind, params RTPParameters, caps RTPCapabilities, m RTPMapping) RTPParameters {
	return RTPParameters{
		Codecs:           consumableCodecs(params.Codecs, caps, m),
		HeaderExtensions: consumableExtensions(kind, params.HeaderExtensions, caps),
		Encodings:        consumableEncodings(params.Encodings, m),
		RTCP:             RTCPParameters{CNAME: params.RTCP.CNAME, ReducedSize: new(true)},
		MSID:             params.MSID,
	}
}

// consumableCodecs offers RTX wherever the router has it: what the producer
// sends does not matter, since each consumer's retransmissions are our own.
func consumableCodecs(codecs []RTPCodecParameters, caps RTPCapabilities, m RTPMapping) []RTPCodecParameters {
	out := make([]RTPCodecParameters, 0, 2*len(codecs))
	for i := range codecs {
		c := &codecs[i]
		pt, ok := m.payloadType(c.PayloadType)
		router := caps.codec(pt)
		if isRTX(c.MimeType) || !ok || router == nil {
			continue
		}
		out = append(out, inUse(router, acceptedParameters(c, router)))
		if rtx := caps.rtxOf(pt); rtx != nil {
			out = append(out, inUse(rtx, maps.Clone(rtx.Parameters)))
		}
	}
	nameBlocksOfRED(out)
	return out
}

// inUse is the router's codec with the parameters of a stream.
func inUse(router *RTPCodecCapability, p CodecParameters) RTPCodecParameters {
	if p == nil {
		p = CodecParameters{}
	}
	return RTPCodecParameters{
		MimeType:     router.MimeType,
		PayloadType:  *router.PreferredPayloadType,
		ClockRate:    router.ClockRate,
		Channels:     router.Channels,
		Parameters:   p,
		RTCPFeedback: present(slices.Clone(router.RTCPFeedback)),
	}
}

// consumableExtensions are those that the router may send for the kind.
func consumableExtensions(kind MediaKind, sent []RTPHeaderExtensionParameters, caps RTPCapabilities) []RTPHeaderExtensionParameters {
	out := make([]RTPHeaderExtensionParameters, 0, len(caps.HeaderExtensions))
	for _, e := range caps.HeaderExtensions {
		if e.Kind != kind || e.Direction != DirectionSendRecv && e.Direction != DirectionSendOnly {
			continue
		}
		// The capture time is forwarded from the producer's packets, and nothing
		// we could fill in: without it a receiver would wait for it in vain.
		// Likewise the dependency descriptor.
		if (e.URI == URIAbsCaptureTime || e.URI == URIDependencyDescriptor) && !hasExtension(sent, e.URI) {
			continue
		}
		out = append(out, RTPHeaderExtensionParameters{
			URI: e.URI, ID: e.PreferredID, Encrypt: e.PreferredEncrypt, Parameters: CodecParameters{},
		})
	}
	return out
}

func hasExtension(extensions []RTPHeaderExtensionParameters, uri string) bool {
	return slices.ContainsFunc(extensions, func(e RTPHeaderExtensionParameters) bool { return e.URI == uri })
}

// consumableEncodings drops what only the producer's transport needs to know.
func consumableEncodings(encodings []RTPEncodingParameters, m RTPMapping) []RTPEncodingParameters {
	out := make([]RTPEncodingParameters, 0, len(encodings))
	for i := range min(len(encodings), len(m.Encodings)) {
		e := encodings[i]
		e.SSRC, e.RID, e.RTX, e.CodecPayloadType = m.Encodings[i].MappedSSRC, "", nil, nil
		out = append(out, e)
	}
	return out
}
