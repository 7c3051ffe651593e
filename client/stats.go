package client

// figures are the answer of the commands for figures.
type figures[S any] struct {
	Stats []S `json:"stats"`
}

// ICETuple is the path that a transport uses.
type ICETuple = TransportTuple

// StreamStats are the figures of one stream of a producer or to a consumer, under
// mediasoup's names.
type StreamStats struct {
	Type                 string    `json:"type"`      // "inbound-rtp" or "outbound-rtp"
	Timestamp            int64     `json:"timestamp"` // ms of Unix time
	SSRC                 uint32    `json:"ssrc"`
	RTXSSRC              uint32    `json:"rtxSsrc,omitempty"`
	RID                  string    `json:"rid,omitempty"`
	Kind                 MediaKind `json:"kind"`
	MimeType             string    `json:"mimeType"`
	PacketsLost          int64     `json:"packetsLost"`
	FractionLost         uint8     `json:"fractionLost"` // of 256
	PacketsDiscarded     uint64    `json:"packetsDiscarded"`
	PacketsRetransmitted uint64    `json:"packetsRetransmitted"`
	PacketsRepaired      uint64    `json:"packetsRepaired"`
	NACKCount            uint64    `json:"nackCount"`
	NACKPacketCount      uint64    `json:"nackPacketCount"`
	PLICount             uint64    `json:"pliCount"`
	FIRCount             uint64    `json:"firCount"`
	PacketCount          uint64    `json:"packetCount"`
	ByteCount            uint64    `json:"byteCount"`
	Bitrate              uint64    `json:"bitrate"`                 // bit/s
	RoundTripTime        float64   `json:"roundTripTime,omitempty"` // ms; 0 before it was measured
	Score                uint8     `json:"score"`                   // 0 to 10, by loss
	Jitter               uint32    `json:"jitter"`                  // in units of the stream's clock; inbound only
}
