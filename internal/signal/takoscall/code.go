package takoscall

import (
	"errors"
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// Code says what was wrong with a request or a message. The answer to an HTTP
// request carries it; messages are only counted by it.
type Code string

// The codes. They mean what those of /takos-api mean.
const (
	InvalidJSON        Code = "INVALID_JSON"
	InvalidMessage     Code = "INVALID_MESSAGE"
	UnknownMessage     Code = "UNKNOWN_MESSAGE"
	MissingField       Code = "MISSING_FIELD"
	InvalidField       Code = "INVALID_FIELD"
	InvalidMedia       Code = "INVALID_PARAMETERS"
	Unsupported        Code = "UNSUPPORTED"
	InvalidState       Code = "INVALID_STATE"
	ConsumerError      Code = "CONSUMER_ERROR"
	SelfProducer       Code = "SELF_PRODUCER"
	Unauthorized       Code = "UNAUTHORIZED"
	Forbidden          Code = "FORBIDDEN"
	NotFound           Code = "NOT_FOUND"
	InvitationNotFound Code = "INVITATION_NOT_FOUND"
	PeerExists         Code = "PEER_EXISTS"
	RoomFull           Code = "ROOM_FULL"
	LimitReached       Code = "LIMIT_REACHED"
	UpgradeRequired    Code = "UPGRADE_REQUIRED"
	MethodNotAllowed   Code = "METHOD_NOT_ALLOWED"
	MessageTooBig      Code = "MESSAGE_TOO_BIG"
	RateLimited        Code = "RATE_LIMITED"
	ServerClosing      Code = "SERVER_CLOSING"
	Internal           Code = "INTERNAL_ERROR"
)

// codes are all there are.
var codes = []Code{
	InvalidJSON, InvalidMessage, UnknownMessage, MissingField, InvalidField, InvalidMedia, Unsupported, InvalidState,
	ConsumerError, SelfProducer, Unauthorized, Forbidden, NotFound, InvitationNotFound, PeerExists, RoomFull,
	LimitReached, UpgradeRequired, MethodNotAllowed, MessageTooBig, RateLimited, ServerClosing, Internal,
}

// errorCounters count by code. The map is constant.
type errorCounters map[Code]*atomic.Uint64

func newErrorCounters() errorCounters {
	c := make(errorCounters, len(codes))
	for _, code := range codes {
		c[code] = new(atomic.Uint64)
	}
	return c
}

// read returns what has been counted; codes that never were are left out.
func (c errorCounters) read() map[Code]uint64 {
	counts := make(map[Code]uint64)
	for code, counter := range c {
		if n := counter.Load(); n > 0 {
			counts[code] = n
		}
	}
	return counts
}

// roomCodes are those of the room's errors that are not NotFound.
var roomCodes = map[room.ErrorKind]Code{
	room.RoomExists:     InvalidState,
	room.PeerExists:     PeerExists,
	room.RoomFull:       RoomFull,
	room.LimitReached:   LimitReached,
	room.WrongDirection: InvalidState,
	room.CannotConsume:  ConsumerError,
	room.NotHost:        Forbidden,
	room.Draining:       ServerClosing,
}

var mediaCodes = map[ortc.ErrorKind]Code{
	ortc.TypeError:        InvalidMedia,
	ortc.UnsupportedError: Unsupported,
	ortc.InvalidState:     InvalidState,
}

// codeOf is what an error is counted as.
func codeOf(err error) Code {
	var ofField *signal.FieldError
	var ofRoom *room.Error
	var ofMedia *ortc.Error
	var own *protocolError
	switch {
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &ofField) && ofField.Missing:
		return MissingField
	case errors.As(err, &ofField):
		return InvalidField
	case errors.As(err, &ofRoom):
		if code := roomCodes[ofRoom.Kind]; code != "" {
			return code
		}
		return NotFound
	case errors.As(err, &ofMedia):
		return mediaCodes[ofMedia.Kind]
	}
	return Internal
}
