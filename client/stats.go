package client

// figures are the answer of the commands for figures.
type figures[S any] struct {
	Stats []S `json:"stats"`
}

// TransportStats are the figures of a transport, under mediasoup's names. Sizes
// are in bytes, bitrates in bit/s.
type TransportStats struct {
	Type             string    `json:"type"` // "webrtc-transport"
	TransportID      string    `json:"transportId"`
	Timestamp        int64     `json:"timestamp"` // ms of Unix time
	ICERole          string    `json:"iceRole"`
	ICEState         string    `json:"iceState"`
	ICESelectedTuple *ICETuple `json:"iceSelectedTuple,omitempty"` // nil before there is one
	DTLSState        string    `json:"dtlsState"`
	SCTPState        string    `json:"sctpState,omitempty"` // of transports with data channels

	BytesReceived    uint64 `json:"bytesReceived"`
	RecvBitrate      uint64 `json:"recvBitrate"`
	BytesSent        uint64 `json:"bytesSent"`
	SendBitrate      uint64 `json:"sendBitrate"`
	RTPBytesReceived uint64 `json:"rtpBytesReceived"`
	RTPRecvBitrate   uint64 `json:"rtpRecvBitrate"`
	RTPBytesSent     uint64 `json:"rtpBytesSent"`
	RTPSendBitrate   uint64 `json:"rtpSendBitrate"`
	RTXBytesReceived uint64 `json:"rtxBytesReceived"`
	RTXRecvBitrate   uint64 `json:"rtxRecvBitrate"`
	RTXBytesSent     uint64 `json:"rtxBytesSent"`
	RTXSendBitrate   uint64 `json:"rtxSendBitrate"`

	// What is sent to find out how much more the line carries. It is in BytesSent,
	// and in none of the others.
	ProbationBytesSent   uint64 `json:"probationBytesSent"`
	ProbationSendBitrate uint64 `json:"probationSendBitrate"`

	MaxIncomingBitrate uint64 `json:"maxIncomingBitrate,omitempty"` // 0 is no limit
	// AvailableOutgoingBitrate is what the browser's line is taken to carry; 0 where
	// nothing is sent that could be adapted to it.
	AvailableOutgoingBitrate uint64 `json:"availableOutgoingBitrate,omitempty"`
	MaxOutgoingBitrate       uint64 `json:"maxOutgoingBitrate,omitempty"` // 0 is no limit
	MinOutgoingBitrate       uint64 `json:"minOutgoingBitrate,omitempty"` // 0 is the default
}

// ICETuple is the path that a transport uses.
type ICETuple struct {
	LocalAddress string `json:"localAddress"`
	LocalIP      string `json:"localIp"` // the same under its older name
	LocalPort    uint16 `json:"localPort"`
	RemoteIP     string `json:"remoteIp"`
	RemotePort   uint16 `json:"remotePort"`
	Protocol     string `json:"protocol"` // udp or tcp
}

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
