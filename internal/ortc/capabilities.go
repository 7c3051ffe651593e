package ortc

// RTPCapabilities are the codecs and header extensions that a router or an
// endpoint can receive.
type RTPCapabilities struct {
	Codecs           []RTPCodecCapability `json:"codecs"`
	HeaderExtensions []RTPHeaderExtension `json:"headerExtensions"`
}

// RTPCodecCapability is one codec that can be received. There is one of these
// for each set of parameters that needs a payload type of its own (each H264
// profile, each VP9 profile), and one for the RTX stream of each.
type RTPCodecCapability struct {
	// Kind is taken from MimeType when the capability is validated.
	Kind MediaKind `json:"kind"`
	// MimeType is the media type and subtype, like "video/VP8", in any case.
	MimeType string `json:"mimeType"`
	// PreferredPayloadType is 0 to 127. It is nil only in the codecs that a
	// router is made from, where it means "any"; 0 is PCMU's.
	PreferredPayloadType *uint8 `json:"preferredPayloadType,omitempty"`
	// ClockRate is the RTP clock in Hz.
	ClockRate uint32 `json:"clockRate"`
	// Channels is 1 or more for audio and 0 for video.
	Channels     uint8           `json:"channels,omitempty"`
	Parameters   CodecParameters `json:"parameters"`
	RTCPFeedback []RTCPFeedback  `json:"rtcpFeedback"`
}

// RTPHeaderExtension is one RTP header extension (RFC 8285) that is supported
// for a kind of media.
type RTPHeaderExtension struct {
	Kind MediaKind `json:"kind"`
	URI  string    `json:"uri"`
	// PreferredID is 1 to 255.
	PreferredID uint8 `json:"preferredId"`
	// PreferredEncrypt asks for RFC 6904, which is not supported; it is always
	// false in our capabilities.
	PreferredEncrypt bool `json:"preferredEncrypt"`
	// Direction is the router's: sendrecv, sendonly, recvonly or inactive. It is
	// ignored in the capabilities of endpoints.
	Direction string `json:"direction"`
}

// RTCPFeedback is one kind of RTCP feedback message for a codec, as in the SDP
// attribute rtcp-fb (RFC 4585 §4.2): type "nack", parameter "pli".
type RTCPFeedback struct {
	Type      string `json:"type"`
	Parameter string `json:"parameter"`
}
