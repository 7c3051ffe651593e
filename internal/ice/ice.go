// Package ice is the ICE-lite agent of a transport: it answers the connectivity
// checks of the remote peer, decides which of the peer's addresses are to be
// trusted and which one media goes to, and notices when the peer has gone.
//
// It is an engine: datagrams and the time go in, replies and decisions come out.
// It owns no socket, goroutine, lock or clock, gathers no candidates and never
// sends a check of its own (RFC 8445 §2.5, lite implementation). STUN messages are
// Pion's; the rules around them are here.
//
// Obeyed: RFC 8445 (ICE; lite agent §7.3), RFC 8489 (STUN, short-term credentials
// §9.1), RFC 7675 (consent, as its receiving side). RFC 5245 aggressive nomination
// is understood, since browsers still use it towards lite agents.
//
// An Agent is not safe for concurrent use; the owner of the transport calls it
// under its lock. The package-level functions are pure and may be called anywhere.
package ice

import (
	"errors"
	"net/netip"
)

// Protocol is the transport protocol of a candidate or tuple.
type Protocol uint8

// The protocols that candidates can have.
const (
	UDP Protocol = iota
	TCP
)

// String returns "udp" or "tcp", as in candidates.
func (p Protocol) String() string {
	if p == TCP {
		return "tcp"
	}
	return "udp"
}

// MarshalText returns "udp" or "tcp".
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads "udp" or "tcp".
func (p *Protocol) UnmarshalText(text []byte) error {
	switch string(text) {
	case "udp":
		*p = UDP
	case "tcp":
		*p = TCP
	default:
		return errors.New("ice: a protocol is udp or tcp")
	}
	return nil
}

// Tuple is one path to a peer. It is comparable and can be a map key; both
// addresses should be unmapped (netip.Addr.Unmap) so that equal paths are equal.
type Tuple struct {
	Protocol      Protocol
	Local, Remote netip.AddrPort
}

// State is the ICE state of a transport, in mediasoup's words.
type State string

const (
	// StateNew is before the first authenticated check.
	StateNew State = "new"
	// StateConnected has a selected tuple that the peer has not nominated.
	StateConnected State = "connected"
	// StateCompleted has a selected tuple that the peer has nominated.
	StateCompleted State = "completed"
	// StateDisconnected has lost the peer's consent on every tuple; a new check
	// connects it again.
	StateDisconnected State = "disconnected"
	// StateClosed answers nothing any more.
	StateClosed State = "closed"
)

// Parameters are what the remote peer needs to authenticate its checks.
type Parameters struct {
	UsernameFragment string `json:"usernameFragment"`
	Password         string `json:"password"`
	ICELite          bool   `json:"iceLite"`
}

// DropReason says why a datagram had no effect on the agent's tuples. It is
// meant for a counter.
type DropReason uint8

const (
	// DropNone is a check that was authenticated and accepted.
	DropNone DropReason = iota
	// DropMalformed is not a well-formed STUN message.
	DropMalformed
	// DropFingerprint has a FINGERPRINT that is wrong or not the last attribute.
	DropFingerprint
	// DropIndication is a Binding indication, a keepalive without an answer.
	DropIndication
	// DropResponse is a response; a lite agent asks nothing.
	DropResponse
	// DropMethod is a request or indication of another method than Binding.
	DropMethod
	// DropUnauthenticated lacks USERNAME or MESSAGE-INTEGRITY.
	DropUnauthenticated
	// DropUsername is addressed to a username fragment that is not ours.
	DropUsername
	// DropIntegrity has a MESSAGE-INTEGRITY that our password does not explain.
	DropIntegrity
	// DropUnknownAttribute has a comprehension-required attribute we do not know.
	DropUnknownAttribute
	// DropRoleConflict comes from a peer that believes to be controlled.
	DropRoleConflict
	// DropClosed came after Close.
	DropClosed

	// DropReasons is how many reasons there are, for arrays of counters.
	DropReasons
)

var dropNames = [DropReasons]string{
	"none", "malformed", "fingerprint", "indication", "response", "method",
	"unauthenticated", "username", "integrity", "unknown_attribute", "role_conflict", "closed",
}

// String returns the reason as a metrics label.
func (r DropReason) String() string {
	if r >= DropReasons {
		return "unknown"
	}
	return dropNames[r]
}
