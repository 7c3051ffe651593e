package ortc

import (
	"maps"
	"slices"
)

// Clone returns a copy that shares no memory with c.
func (c RTPCapabilities) Clone() RTPCapabilities {
	c.Codecs = slices.Clone(c.Codecs)
	for i := range c.Codecs {
		c.Codecs[i] = c.Codecs[i].Clone()
	}
	c.HeaderExtensions = slices.Clone(c.HeaderExtensions)
	return c
}

// Clone returns a copy that shares no memory with c.
func (c RTPCodecCapability) Clone() RTPCodecCapability {
	c.PreferredPayloadType = clonePointer(c.PreferredPayloadType)
	c.Parameters = maps.Clone(c.Parameters)
	c.RTCPFeedback = slices.Clone(c.RTCPFeedback)
	return c
}

// Clone returns a copy that shares no memory with p.
func (p RTPParameters) Clone() RTPParameters {
	p.Codecs = slices.Clone(p.Codecs)
	for i := range p.Codecs {
		p.Codecs[i] = p.Codecs[i].Clone()
	}
	p.HeaderExtensions = cloneExtensions(p.HeaderExtensions)
	p.Encodings = slices.Clone(p.Encodings)
	for i := range p.Encodings {
		p.Encodings[i] = p.Encodings[i].Clone()
	}
	p.RTCP = p.RTCP.Clone()
	return p
}

// Clone returns a copy that shares no memory with c.
func (c RTPCodecParameters) Clone() RTPCodecParameters {
	c.Parameters = maps.Clone(c.Parameters)
	c.RTCPFeedback = slices.Clone(c.RTCPFeedback)
	return c
}

// Clone returns a copy that shares no memory with e.
func (e RTPEncodingParameters) Clone() RTPEncodingParameters {
	e.CodecPayloadType = clonePointer(e.CodecPayloadType)
	e.RTX = clonePointer(e.RTX)
	return e
}

// Clone returns a copy that shares no memory with r.
func (r RTCPParameters) Clone() RTCPParameters {
	r.ReducedSize = clonePointer(r.ReducedSize)
	r.Mux = clonePointer(r.Mux)
	return r
}

func cloneExtensions(s []RTPHeaderExtensionParameters) []RTPHeaderExtensionParameters {
	s = slices.Clone(s)
	for i := range s {
		s[i].Parameters = maps.Clone(s[i].Parameters)
	}
	return s
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
