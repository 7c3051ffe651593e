package room

import (
	"errors"
	"fmt"
)

// ErrorKind is what kept something from happening.
type ErrorKind uint8

// The kinds of error.
const (
	// RoomNotFound to DataConsumerNotFound: no such object, or not any more.
	RoomNotFound ErrorKind = iota + 1
	PeerNotFound
	TransportNotFound
	ProducerNotFound
	ConsumerNotFound
	DataProducerNotFound
	DataConsumerNotFound
	// RoomExists and PeerExists: the id is taken.
	RoomExists
	PeerExists
	// RoomFull: the room has as many peers as it takes.
	RoomFull
	// LimitReached: there are as many of something as the settings allow.
	LimitReached
	// WrongDirection: producing on a receive transport, or the reverse.
	WrongDirection
	// NotHost: only a host of the room may do this.
	NotHost
	// CannotConsume: the receiver does not understand the producer's codec.
	CannotConsume
	// Draining: the server is about to end and makes no new rooms.
	Draining
)

// Error is what this package's methods fail with, besides the SFU's own errors.
// The message names the id or the limit and can be shown to whoever asked.
type Error struct {
	Kind    ErrorKind
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func errorf(kind ErrorKind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func notFound(kind ErrorKind, what, id string) error {
	return errorf(kind, "%s %q does not exist", what, id)
}

// IsKind reports whether err is an Error of that kind.
func IsKind(err error, kind ErrorKind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
