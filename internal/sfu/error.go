package sfu

import (
	"errors"
	"fmt"

	"github.com/takoserver/takos-call/internal/ortc"
)

// What can be wrong besides the arguments; to be told apart with errors.Is.
// Wrong arguments are an *ortc.Error, whose Kind says of what kind mediasoup's
// error for the same mistake is.
var (
	// ErrClosed means that the object, or what it belongs to, is closed.
	ErrClosed = errors.New("closed")
	// ErrNotFound means that no object has the given id.
	ErrNotFound = errors.New("not found")
	// ErrLimit means that a limit of the settings is reached.
	ErrLimit = errors.New("limit reached")
	// ErrPortInUse means that a port to listen on belongs to somebody else.
	ErrPortInUse = errors.New("port in use")
	// ErrNoAddress means that an address to listen on is none of this machine.
	ErrNoAddress = errors.New("no such address here")
)

// CloseReason says why an object was closed.
type CloseReason string

const (
	// CloseRequested is the object's own Close.
	CloseRequested CloseReason = "closed"
	// CloseRouter, CloseTransport and CloseProducer are the end of what the
	// object belonged to.
	CloseRouter    CloseReason = "routerClosed"
	CloseTransport CloseReason = "transportClosed"
	CloseProducer  CloseReason = "producerClosed"
	// CloseListenServer is the end of the WebRTCServer that a transport was on.
	CloseListenServer CloseReason = "listenServerClosed"
	// CloseDTLSClosed is the remote's close_notify, CloseDTLSFailed a failed
	// handshake; both only where DisconnectTimeout is set.
	CloseDTLSClosed CloseReason = "dtlsClosed"
	CloseDTLSFailed CloseReason = "dtlsFailed"
	// CloseDisconnected is DisconnectTimeout after ICE was lost.
	CloseDisconnected CloseReason = "disconnected"
	// ClosePanic is a fault of ours while a packet of the transport was
	// worked on.
	ClosePanic CloseReason = "panic"
)

func typeErrorf(format string, args ...any) error {
	return &ortc.Error{Kind: ortc.TypeError, Message: fmt.Sprintf(format, args...)}
}

func invalidStatef(format string, args ...any) error {
	return &ortc.Error{Kind: ortc.InvalidState, Message: fmt.Sprintf(format, args...)}
}
