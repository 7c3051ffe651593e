package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/takoserver/takos-call/internal/ortc"
)

// Direction is which way the media of a transport go, seen from the client.
type Direction string

// The directions.
const (
	Send    Direction = "send"
	Receive Direction = "recv"
)

// SendSignalling is how a Sender reaches the server.
type SendSignalling interface {
	TransportSignalling
	// Produce announces a stream and returns the id of its producer.
	Produce(ctx context.Context, transportID string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error)
}

// ReceiveSignalling is how a Receiver reaches the server.
type ReceiveSignalling interface {
	TransportSignalling
	// Consume asks for a producer's stream, in all codecs and with all header
	// extensions that the server's router has, not paused.
	Consume(ctx context.Context, transportID, producerID string) (ConsumerInfo, error)
}

// TransportSignalling makes transports.
type TransportSignalling interface {
	// CreateTransport makes a transport of the server.
	CreateTransport(ctx context.Context, d Direction) (TransportInfo, error)
	// ConnectTransport gives it the client's DTLS parameters.
	ConnectTransport(ctx context.Context, transportID string, p DTLSParameters) error
}

// TransportInfo describes a transport of the server: the object that
// mediasoup-client takes, which is also what /takos-api answers.
type TransportInfo struct {
	ID             string          `json:"id"`
	ICEParameters  ICEParameters   `json:"iceParameters"`
	ICECandidates  []ICECandidate  `json:"iceCandidates"`
	DTLSParameters DTLSParameters  `json:"dtlsParameters"`
	SCTPParameters json.RawMessage `json:"sctpParameters,omitempty"` // not used
}

// ICEParameters are the server's credentials for connectivity checks.
type ICEParameters struct {
	UsernameFragment string `json:"usernameFragment"`
	Password         string `json:"password"`
	ICELite          bool   `json:"iceLite,omitempty"`
}

// ICECandidate is an address at which the server listens.
type ICECandidate struct {
	Foundation string `json:"foundation"`
	Priority   uint32 `json:"priority"`
	// Address is the host, and IP its name in older versions; either may be
	// given.
	Address  string `json:"address"`
	IP       string `json:"ip,omitempty"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
	Type     string `json:"type"`
	TCPType  string `json:"tcpType,omitempty"`
}

// DTLSParameters are the role of one side in the DTLS handshake and the
// fingerprints of its certificate.
type DTLSParameters struct {
	// Role is "auto", "client" or "server".
	Role         string            `json:"role,omitempty"`
	Fingerprints []DTLSFingerprint `json:"fingerprints"`
}

// DTLSFingerprint is a hash of a certificate, RFC 8122 §5.
type DTLSFingerprint struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// ConsumerInfo describes a consumer of the server.
type ConsumerInfo struct {
	ID            string             `json:"id"`
	ProducerID    string             `json:"producerId"`
	Kind          ortc.MediaKind     `json:"kind"`
	RTPParameters ortc.RTPParameters `json:"rtpParameters"`
}

// addrPort returns where the candidate is, ok false when it is not UDP or its
// host is a name.
func (c ICECandidate) addrPort() (at netip.AddrPort, ok bool) {
	host := c.Address
	if host == "" {
		host = c.IP
	}
	ip, err := netip.ParseAddr(host)
	return netip.AddrPortFrom(ip.Unmap(), c.Port), err == nil && c.Protocol == "udp"
}

// choose returns the UDP candidate with the highest priority that accept
// takes.
func (t TransportInfo) choose(accept func(netip.Addr) bool) (netip.AddrPort, error) {
	var best netip.AddrPort
	var priority uint32
	for _, c := range t.ICECandidates {
		at, ok := c.addrPort()
		if !ok || !accept(at.Addr()) {
			continue
		}
		if !best.IsValid() || c.Priority > priority {
			best, priority = at, c.Priority
		}
	}
	if !best.IsValid() {
		return best, fmt.Errorf("none of the %d ICE candidates can be used", len(t.ICECandidates))
	}
	return best, nil
}
