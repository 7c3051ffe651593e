// Package sctp carries the messages of data channels: one SCTP association over
// the DTLS records of one transport, or over its datagrams. It is no engine: Pion's association runs on
// goroutines of its own, which live from the peer's first packet to [Association.Close].
//
// It knows streams and messages. What a data channel is called, who may send on it
// and to whom a message goes on is the business of its caller. The establishment
// protocol of RFC 8832 is passed through as any message ([PPIDControl]): clients of
// ours agree on streams by signalling.
//
// The association is passive: it answers an INIT and sends none unless it is told to
// connect. All WebRTC endpoints send theirs (RFC 8841 §9.3) as soon as they want a data
// channel, which may be an hour after DTLS; until then a transport with SCTP costs nothing.
//
// Obeyed: RFC 9260 (SCTP), RFC 8261 (over DTLS), RFC 8831 (data channels), RFC 3758
// (partial reliability), RFC 6525 (closing streams), RFC 9653 (no checksum over DTLS).
//
// All methods of Association may be called from any goroutine, but Close not from a
// callback.
package sctp

import (
	"errors"
	"time"
)

// PPID says what a message is (RFC 8831 §8).
type PPID uint32

// The payload protocol identifiers of data channels. An empty message is sent as one
// byte of any value, because SCTP has none without.
const (
	PPIDControl     PPID = 50
	PPIDText        PPID = 51
	PPIDBinary      PPID = 53
	PPIDEmptyText   PPID = 56
	PPIDEmptyBinary PPID = 57
)

// Message is what came in on a stream.
type Message struct {
	Stream uint16
	PPID   PPID
	Data   []byte // as on the wire: an empty message has one byte
}

// Encode returns how a text or binary message is sent.
func Encode(data []byte, text bool) (PPID, []byte) {
	switch {
	case text && len(data) == 0:
		return PPIDEmptyText, []byte{0}
	case text:
		return PPIDText, data
	case len(data) == 0:
		return PPIDEmptyBinary, []byte{0}
	default:
		return PPIDBinary, data
	}
}

// Content undoes Encode; ok is false for what is no message of a data channel.
func (m Message) Content() (data []byte, text, ok bool) {
	switch m.PPID {
	case PPIDText, PPIDBinary:
		return m.Data, m.PPID == PPIDText, true
	case PPIDEmptyText, PPIDEmptyBinary:
		return nil, m.PPID == PPIDEmptyText, true
	default:
		return nil, false, false
	}
}

// Reliability says what becomes of messages that are lost on their way. The zero
// value is ordered and reliable.
type Reliability struct {
	Unordered bool
	// Limited messages are given up after MaxLifetime or, where that is 0, after
	// MaxRetransmits. A lifetime is looked at when a message would be sent again.
	Limited        bool
	MaxLifetime    time.Duration
	MaxRetransmits uint32
}

// State is the state of an association, in mediasoup's words.
type State string

const (
	// StateNew is before the peer's first packet.
	StateNew State = "new"
	// StateConnecting is between the peer's INIT and the end of the handshake.
	StateConnecting State = "connecting"
	// StateConnected carries messages.
	StateConnected State = "connected"
	// StateFailed ended with a violation of the protocol by the peer; it is final.
	StateFailed State = "failed"
	// StateClosed was ended by either side; it is final.
	StateClosed State = "closed"
)

// What Send can answer.
var (
	// ErrNotConnected means that the association is not there yet, or no longer.
	ErrNotConnected = errors.New("the SCTP association is not connected")
	// ErrStreamClosed means that the stream is being closed.
	ErrStreamClosed = errors.New("the SCTP stream is closed")
	// ErrTooBig means that the message is bigger than Options.MaxSendBytes.
	ErrTooBig = errors.New("the message is bigger than the association takes")
	// ErrBufferFull means that the peer has not taken what was sent before.
	ErrBufferFull = errors.New("the SCTP send buffer is full")
	// ErrEmpty means that there is nothing to send; see Encode.
	ErrEmpty = errors.New("SCTP has no empty messages")
)

// What a peer loses its association for.
var (
	errStreamRange = errors.New("the peer sends on a stream beyond those that were announced")
	errFlood       = errors.New("the peer sends pieces that make no messages")
	errStrangers   = errors.New("the peer sends on more streams than were opened")
	errNoUserData  = errors.New("the peer sends a chunk without data")
)
