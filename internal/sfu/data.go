package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/sctp"
)

// SCTPState is where the association of a transport stands.
type SCTPState = sctp.State

// SCTPOptions say whether and how a transport carries data.
type SCTPOptions struct {
	Enable bool
	// Streams is how many there are in either direction; 0 is 1024.
	Streams uint16
	// MaxSendBytes is the biggest message to the peer; 0 is 262144.
	MaxSendBytes int
	// MaxReceiveBytes is the biggest message from the peer; 0 is 262144.
	MaxReceiveBytes int
	// SendBufferBytes is how much may wait to be taken by the peer; 0 is 2,000,000.
	SendBufferBytes int
	// StreamBufferBytes is the same for each stream; 0 is 2,000,000.
	StreamBufferBytes int
	// ReceiveWindowBytes is how much the peer may send before it is taken; 0 is
	// 5,242,880. Less than MaxReceiveBytes is taken for that.
	ReceiveWindowBytes int
	// LowThreshold is at how many bytes BufferedAmountLow of new data consumers is
	// called; nil is 1024.
	LowThreshold *int
}

// The defaults are mediasoup's.
const (
	defaultMaxMessageBytes = 256 << 10
	defaultSendBufferBytes = 2_000_000
	defaultReceiveWindow   = 5 << 20
	// defaultSCTPStreams is ours: browsers have no more.
	defaultSCTPStreams = 1024
	// defaultLowThreshold of the buffered amount, in bytes.
	defaultLowThreshold = 1024
)

func (o SCTPOptions) withDefaults() SCTPOptions {
	if o.Streams == 0 {
		o.Streams = defaultSCTPStreams
	}
	setDefault := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	setDefault(&o.MaxSendBytes, defaultMaxMessageBytes)
	setDefault(&o.MaxReceiveBytes, defaultMaxMessageBytes)
	setDefault(&o.SendBufferBytes, defaultSendBufferBytes)
	setDefault(&o.StreamBufferBytes, defaultSendBufferBytes)
	setDefault(&o.ReceiveWindowBytes, defaultReceiveWindow)
	if o.LowThreshold == nil {
		o.LowThreshold = new(defaultLowThreshold)
	}
	return o
}

// SCTPParameters are what a client needs to know of the association, under all names
// that versions of mediasoup-client read.
type SCTPParameters struct {
	Port                        uint16 `json:"port"`
	OS                          uint16 `json:"OS"`
	MIS                         uint16 `json:"MIS"`
	MaxMessageSize              int    `json:"maxMessageSize"`
	MaxSendMessageSize          int    `json:"maxSendMessageSize"`
	MaxReceiveMessageSize       int    `json:"maxReceiveMessageSize"`
	SendBufferSize              int    `json:"sendBufferSize"`
	PerStreamSendQueueLimit     int    `json:"perStreamSendQueueLimit"`
	MaxReceiverWindowBufferSize int    `json:"maxReceiverWindowBufferSize"`
	// IsDataChannel is whether SCTP goes over DTLS: on a WebRTCTransport only.
	IsDataChannel bool `json:"isDataChannel"`
}

// SCTPNegotiated is on how many streams messages may go out and come in, as both ends
// have said.
type SCTPNegotiated struct {
	Outbound uint16 `json:"negotiatedMaxOutboundStreams"`
	Inbound  uint16 `json:"negotiatedMaxInboundStreams"`
}

// sctpPort is the only one in use (RFC 8841 §5.2 has it as an example; nobody reads it).
const sctpPort = 5000

// parameters of a transport that has them; nil for others.
func (d *dataState) parameters() *SCTPParameters {
	if d.sctp == nil {
		return nil
	}
	o := &d.options
	return &SCTPParameters{
		Port: sctpPort, OS: o.Streams, MIS: o.Streams,
		// The old name is what the client may send.
		MaxMessageSize: o.MaxReceiveBytes, MaxSendMessageSize: o.MaxSendBytes, MaxReceiveMessageSize: o.MaxReceiveBytes,
		SendBufferSize: o.SendBufferBytes, PerStreamSendQueueLimit: o.StreamBufferBytes,
		MaxReceiverWindowBufferSize: o.ReceiveWindowBytes, IsDataChannel: !d.bare,
	}
}

// SCTPStreamParameters say how a data channel is carried. Ordered is true unless one
// of the limits is set, and both limits together make no sense.
type SCTPStreamParameters struct {
	StreamID uint16 `json:"streamId"`
	Ordered  *bool  `json:"ordered,omitempty"`
	// MaxPacketLifeTime is in ms.
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime,omitempty"`
	MaxRetransmits    *uint16 `json:"maxRetransmits,omitempty"`
}

// normalize checks the parameters and fills in Ordered. The pointers of p are not
// written through.
func (p *SCTPStreamParameters) normalize(streams uint16) error {
	limited := p.MaxPacketLifeTime != nil || p.MaxRetransmits != nil
	switch {
	case p.StreamID >= streams:
		return typeErrorf("sctpStreamParameters: streamId %d is not below %d", p.StreamID, streams)
	case p.MaxPacketLifeTime != nil && p.MaxRetransmits != nil:
		return typeErrorf("sctpStreamParameters: maxPacketLifeTime and maxRetransmits cannot both be given")
	case limited && p.Ordered != nil && *p.Ordered:
		return typeErrorf("sctpStreamParameters: ordered cannot be had with maxPacketLifeTime or maxRetransmits")
	}
	if p.Ordered == nil {
		p.Ordered = new(!limited)
	}
	return nil
}

// reliability of a normalized p.
func (p *SCTPStreamParameters) reliability() sctp.Reliability {
	r := sctp.Reliability{Unordered: !*p.Ordered}
	switch {
	case p.MaxPacketLifeTime != nil:
		r.Limited, r.MaxLifetime = true, max(time.Duration(*p.MaxPacketLifeTime), 1)*time.Millisecond
	case p.MaxRetransmits != nil:
		r.Limited, r.MaxRetransmits = true, uint32(*p.MaxRetransmits)
	}
	return r
}

// DataProducerStats are the figures of a data producer, under mediasoup's names.
type DataProducerStats struct {
	Type             string `json:"type"` // "data-producer"
	Timestamp        int64  `json:"timestamp"`
	Label            string `json:"label"`
	Protocol         string `json:"protocol"`
	MessagesReceived uint64 `json:"messagesReceived"`
	BytesReceived    uint64 `json:"bytesReceived"`
}

// DataConsumerStats are the figures of a data consumer, under mediasoup's names.
// MessagesDropped is ours: those for which there was no room.
type DataConsumerStats struct {
	Type            string `json:"type"` // "data-consumer"
	Timestamp       int64  `json:"timestamp"`
	Label           string `json:"label"`
	Protocol        string `json:"protocol"`
	MessagesSent    uint64 `json:"messagesSent"`
	BytesSent       uint64 `json:"bytesSent"`
	MessagesDropped uint64 `json:"messagesDropped"`
	BufferedAmount  int    `json:"bufferedAmount"`
}
