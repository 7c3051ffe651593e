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
	// MaxMessageBytes is the biggest message in either direction; 0 is 262144.
	MaxMessageBytes int
	// SendBufferBytes is how much may wait to be taken by the peer; 0 is 2,000,000.
	SendBufferBytes int
}

// The defaults are mediasoup's.
const (
	defaultSCTPStreams     = 1024
	defaultMaxMessageBytes = 256 << 10
	defaultSendBufferBytes = 2_000_000
	// defaultLowThreshold of the buffered amount, in bytes.
	defaultLowThreshold = 1024
)

func (o SCTPOptions) withDefaults() SCTPOptions {
	if o.Streams == 0 {
		o.Streams = defaultSCTPStreams
	}
	if o.MaxMessageBytes <= 0 {
		o.MaxMessageBytes = defaultMaxMessageBytes
	}
	if o.SendBufferBytes <= 0 {
		o.SendBufferBytes = defaultSendBufferBytes
	}
	return o
}

// SCTPParameters are what a client needs to know of the association, under all names
// that versions of mediasoup-client read.
type SCTPParameters struct {
	Port                  uint16 `json:"port"`
	OS                    uint16 `json:"OS"`
	MIS                   uint16 `json:"MIS"`
	MaxMessageSize        int    `json:"maxMessageSize"`
	MaxSendMessageSize    int    `json:"maxSendMessageSize"`
	MaxReceiveMessageSize int    `json:"maxReceiveMessageSize"`
	SendBufferSize        int    `json:"sendBufferSize"`
	IsDataChannel         bool   `json:"isDataChannel"`
}

// sctpPort is the only one in use (RFC 8841 §5.2 has it as an example; nobody reads it).
const sctpPort = 5000

func (o SCTPOptions) parameters() SCTPParameters {
	return SCTPParameters{
		Port: sctpPort, OS: o.Streams, MIS: o.Streams, MaxMessageSize: o.MaxMessageBytes,
		MaxSendMessageSize: o.MaxMessageBytes, MaxReceiveMessageSize: o.MaxMessageBytes,
		SendBufferSize: o.SendBufferBytes, IsDataChannel: true,
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
