package ortc

import "encoding/json"

// Encoding gives the shape that mediasoup's clients expect: lists and parameter
// objects are there even when empty, and never null.

// MarshalJSON encodes the capabilities with every list present.
func (c RTPCapabilities) MarshalJSON() ([]byte, error) {
	type plain RTPCapabilities
	c.Codecs = present(c.Codecs)
	c.HeaderExtensions = present(c.HeaderExtensions)
	return json.Marshal(plain(c))
}

// MarshalJSON encodes the codec with every list present.
func (c RTPCodecCapability) MarshalJSON() ([]byte, error) {
	type plain RTPCodecCapability
	c.RTCPFeedback = present(c.RTCPFeedback)
	return json.Marshal(plain(c))
}

// MarshalJSON encodes the parameters with every list present.
func (p RTPParameters) MarshalJSON() ([]byte, error) {
	type plain RTPParameters
	p.Codecs = present(p.Codecs)
	p.HeaderExtensions = present(p.HeaderExtensions)
	p.Encodings = present(p.Encodings)
	return json.Marshal(plain(p))
}

// MarshalJSON encodes the codec with every list present.
func (c RTPCodecParameters) MarshalJSON() ([]byte, error) {
	type plain RTPCodecParameters
	c.RTCPFeedback = present(c.RTCPFeedback)
	return json.Marshal(plain(c))
}

// MarshalJSON encodes the mapping with every list present.
func (m RTPMapping) MarshalJSON() ([]byte, error) {
	type plain RTPMapping
	m.Codecs = present(m.Codecs)
	m.Encodings = present(m.Encodings)
	return json.Marshal(plain(m))
}

// MarshalJSON encodes the parameters as an object, which is never null.
func (p CodecParameters) MarshalJSON() ([]byte, error) {
	if p == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]any(p))
}

func present[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
