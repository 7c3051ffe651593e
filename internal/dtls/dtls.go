// Package dtls secures a transport: it runs the DTLS handshake of a peer over
// datagrams that the transport feeds in, checks the peer's certificate against the
// fingerprints it announced, and hands out the SRTP contexts that follow from it.
//
// Pion does DTLS 1.2; this package is the lifecycle around it. It is no engine: a
// handshake runs on goroutines of its own. A connection without an owner to wait for
// them cannot be had: Close waits. Outside of a handshake, and a while after it, a
// connection has no goroutine at all (see [Conn]).
//
// Obeyed: RFC 5763 and RFC 5764 (DTLS-SRTP), RFC 6347 (DTLS 1.2), RFC 7714 (AES-GCM
// for SRTP), RFC 8122 (fingerprints), RFC 8842 (roles).
//
// All methods of Conn may be called from any goroutine.
package dtls

// Role is a side of the handshake, or "auto" for one that takes either.
type Role string

// The roles of mediasoup's DTLS parameters.
const (
	RoleAuto   Role = "auto"
	RoleClient Role = "client"
	RoleServer Role = "server"
)

// LocalRole returns the role to take towards a peer that signalled remote. A peer
// that leaves it open is waited for, as mediasoup does: browsers then send the first
// message, and nothing is lost when they do so before their parameters arrive.
func LocalRole(remote Role) Role {
	if remote == RoleClient || remote == RoleAuto || remote == "" {
		return RoleServer
	}
	return RoleClient
}

// State is the state of a connection, in mediasoup's words.
type State string

const (
	// StateNew is before Start.
	StateNew State = "new"
	// StateConnecting is between Start and the end of the handshake.
	StateConnecting State = "connecting"
	// StateConnected has keys for SRTP.
	StateConnected State = "connected"
	// StateFailed had a handshake that failed; it is final.
	StateFailed State = "failed"
	// StateClosed was closed by either side; it is final.
	StateClosed State = "closed"
)
