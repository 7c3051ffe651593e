package ortc

// RTPParameters describe the streams that a sender sends or a receiver gets.
type RTPParameters struct {
	// MID is the value of the MID header extension, empty if there is none.
	MID              string                         `json:"mid,omitempty"`
	Codecs           []RTPCodecParameters           `json:"codecs"`
	HeaderExtensions []RTPHeaderExtensionParameters `json:"headerExtensions"`
	// Encodings has one entry per stream, RTX streams not counted: several for
	// simulcast, lowest first; always one for a consumer.
	Encodings []RTPEncodingParameters `json:"encodings"`
	RTCP      RTCPParameters          `json:"rtcp"`
	// MSID names the MediaStream and its track (RFC 8830), empty if unknown.
	MSID string `json:"msid,omitempty"`
}

// RTPCodecParameters is a codec in use, with the payload type it has in packets.
type RTPCodecParameters struct {
	MimeType    string `json:"mimeType"`
	PayloadType uint8  `json:"payloadType"`
	// ClockRate is the RTP clock in Hz.
	ClockRate uint32 `json:"clockRate"`
	// Channels is 1 or more for audio and 0 for video.
	Channels     uint8           `json:"channels,omitempty"`
	Parameters   CodecParameters `json:"parameters"`
	RTCPFeedback []RTCPFeedback  `json:"rtcpFeedback"`
}

// RTPHeaderExtensionParameters is a header extension in use, with the id it has
// in packets (1 to 255).
type RTPHeaderExtensionParameters struct {
	URI        string          `json:"uri"`
	ID         uint8           `json:"id"`
	Encrypt    bool            `json:"encrypt"`
	Parameters CodecParameters `json:"parameters"`
}

// RTPEncodingParameters is one stream and, if it has one, its RTX stream.
type RTPEncodingParameters struct {
	// SSRC is 0 if the stream is found by MID or RID.
	SSRC uint32 `json:"ssrc,omitempty"`
	// RID is the value of the RID header extension (RFC 8852), or empty.
	RID string `json:"rid,omitempty"`
	// CodecPayloadType is the codec of this stream; nil is the first one.
	CodecPayloadType *uint8         `json:"codecPayloadType,omitempty"`
	RTX              *RTXParameters `json:"rtx,omitempty"`
	// DTX says that pauses in the stream are meant (discontinuous transmission).
	DTX bool `json:"dtx,omitempty"`
	// ScalabilityMode is the layers inside the stream, like "L1T3"
	// (W3C webrtc-svc); see ParseScalabilityMode.
	ScalabilityMode       string  `json:"scalabilityMode,omitempty"`
	ScaleResolutionDownBy float64 `json:"scaleResolutionDownBy,omitempty"`
	// MaxBitrate is in bit/s, 0 if not announced.
	MaxBitrate uint64 `json:"maxBitrate,omitempty"`
}

// RTXParameters is the stream that carries retransmissions (RFC 4588).
type RTXParameters struct {
	SSRC uint32 `json:"ssrc"`
}

// RTCPParameters is how RTCP is used with the streams.
type RTCPParameters struct {
	// CNAME is the name of the sender's clock (RFC 3550 §6.5.1), shared by the
	// streams that can be played in sync.
	CNAME string `json:"cname,omitempty"`
	// ReducedSize is RFC 5506; validation sets it to true, whatever it was.
	ReducedSize *bool `json:"reducedSize,omitempty"`
	// Mux is whether RTCP shares the port of RTP (RFC 5761), nil if not said.
	Mux *bool `json:"mux,omitempty"`
}

// RTPMapping translates a producer's numbers into its router's.
type RTPMapping struct {
	Codecs    []CodecMapping    `json:"codecs"`
	Encodings []EncodingMapping `json:"encodings"`
}

// CodecMapping is the router's payload type for one of the producer's.
type CodecMapping struct {
	PayloadType       uint8 `json:"payloadType"`
	MappedPayloadType uint8 `json:"mappedPayloadType"`
}

// EncodingMapping is the SSRC by which one of a producer's encodings is known
// inside its router. It is unique within the producer only, and never sent.
type EncodingMapping struct {
	SSRC            uint32 `json:"ssrc,omitempty"`
	RID             string `json:"rid,omitempty"`
	ScalabilityMode string `json:"scalabilityMode,omitempty"`
	MappedSSRC      uint32 `json:"mappedSsrc"`
}

// Kind returns the kind of the codecs, which in valid parameters is one, or ""
// if there are none. What a client says beside the parameters may differ.
func (p RTPParameters) Kind() MediaKind {
	if len(p.Codecs) == 0 {
		return ""
	}
	return kindOf(p.Codecs[0].MimeType)
}
