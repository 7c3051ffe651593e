package takosapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
)

// Code says what went wrong. Codes never change their meaning.
type Code string

// The codes.
const (
	InvalidJSON         Code = "INVALID_JSON"
	InvalidMessage      Code = "INVALID_MESSAGE"
	UnknownCommand      Code = "UNKNOWN_COMMAND"
	MissingField        Code = "MISSING_FIELD"
	InvalidField        Code = "INVALID_FIELD"
	InvalidMedia        Code = "INVALID_PARAMETERS"
	Unsupported         Code = "UNSUPPORTED"
	InvalidState        Code = "INVALID_STATE"
	WrongDirection      Code = "WRONG_DIRECTION"
	ConsumerError       Code = "CONSUMER_ERROR"
	Unauthorized        Code = "UNAUTHORIZED"
	Forbidden           Code = "FORBIDDEN"
	RoomNotFound        Code = "ROOM_NOT_FOUND"
	PeerNotFound        Code = "PEER_NOT_FOUND"
	TransportNotFound   Code = "TRANSPORT_NOT_FOUND"
	ProducerNotFound    Code = "PRODUCER_NOT_FOUND"
	ConsumerNotFound    Code = "CONSUMER_NOT_FOUND"
	TokenNotFound       Code = "TOKEN_NOT_FOUND"
	InvitationNotFound  Code = "INVITATION_NOT_FOUND"
	RoomExists          Code = "ROOM_EXISTS"
	PeerExists          Code = "PEER_EXISTS"
	RoomFull            Code = "ROOM_FULL"
	LimitReached        Code = "LIMIT_REACHED"
	IdempotencyConflict Code = "IDEMPOTENCY_CONFLICT"
	NeedsConnection     Code = "NEEDS_CONNECTION"
	UpgradeRequired     Code = "UPGRADE_REQUIRED"
	MethodNotAllowed    Code = "METHOD_NOT_ALLOWED"
	MessageTooBig       Code = "MESSAGE_TOO_BIG"
	RateLimited         Code = "RATE_LIMITED"
	ServerClosing       Code = "SERVER_CLOSING"
	Internal            Code = "INTERNAL_ERROR"
)

// statuses are the HTTP statuses of the codes.
var statuses = map[Code]int{
	InvalidJSON:         http.StatusBadRequest,
	InvalidMessage:      http.StatusBadRequest,
	UnknownCommand:      http.StatusNotFound,
	MissingField:        http.StatusBadRequest,
	InvalidField:        http.StatusBadRequest,
	InvalidMedia:        http.StatusBadRequest,
	Unsupported:         http.StatusBadRequest,
	InvalidState:        http.StatusConflict,
	WrongDirection:      http.StatusConflict,
	ConsumerError:       http.StatusConflict,
	Unauthorized:        http.StatusUnauthorized,
	Forbidden:           http.StatusForbidden,
	RoomNotFound:        http.StatusNotFound,
	PeerNotFound:        http.StatusNotFound,
	TransportNotFound:   http.StatusNotFound,
	ProducerNotFound:    http.StatusNotFound,
	ConsumerNotFound:    http.StatusNotFound,
	TokenNotFound:       http.StatusNotFound,
	InvitationNotFound:  http.StatusNotFound,
	RoomExists:          http.StatusConflict,
	PeerExists:          http.StatusConflict,
	RoomFull:            http.StatusConflict,
	LimitReached:        http.StatusTooManyRequests,
	IdempotencyConflict: http.StatusConflict,
	NeedsConnection:     http.StatusBadRequest,
	UpgradeRequired:     http.StatusUpgradeRequired,
	MethodNotAllowed:    http.StatusMethodNotAllowed,
	MessageTooBig:       http.StatusRequestEntityTooLarge,
	RateLimited:         http.StatusTooManyRequests,
	ServerClosing:       http.StatusServiceUnavailable,
	Internal:            http.StatusInternalServerError,
}

// Error is what a command fails with. The message names the field or the id.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

var roomCodes = map[room.ErrorKind]Code{
	room.RoomNotFound:      RoomNotFound,
	room.PeerNotFound:      PeerNotFound,
	room.TransportNotFound: TransportNotFound,
	room.ProducerNotFound:  ProducerNotFound,
	room.ConsumerNotFound:  ConsumerNotFound,
	room.RoomExists:        RoomExists,
	room.PeerExists:        PeerExists,
	room.RoomFull:          RoomFull,
	room.LimitReached:      LimitReached,
	room.WrongDirection:    WrongDirection,
	room.CannotConsume:     ConsumerError,
	room.NotHost:           Forbidden,
	room.Draining:          ServerClosing,
}

var mediaCodes = map[ortc.ErrorKind]Code{
	ortc.TypeError:        InvalidMedia,
	ortc.UnsupportedError: Unsupported,
	ortc.InvalidState:     InvalidState,
}

// coded turns what a command failed with into what its caller is told. It
// reports false for what only the operator can do something about.
func coded(err error) (*Error, bool) {
	var own *Error
	var ofField *signal.FieldError
	var ofRoom *room.Error
	var ofMedia *ortc.Error
	switch {
	case errors.As(err, &own):
		return own, true
	case errors.As(err, &ofField) && ofField.Missing:
		return &Error{MissingField, ofField.Message}, true
	case errors.As(err, &ofField):
		return &Error{InvalidField, ofField.Message}, true
	case errors.As(err, &ofRoom):
		return &Error{roomCodes[ofRoom.Kind], ofRoom.Message}, true
	case errors.As(err, &ofMedia):
		return &Error{mediaCodes[ofMedia.Kind], ofMedia.Message}, true
	case errors.Is(err, auth.ErrToken):
		return &Error{TokenNotFound, err.Error()}, true
	case errors.Is(err, auth.ErrInvitation):
		return &Error{InvitationNotFound, err.Error()}, true
	case errors.Is(err, sfu.ErrLimit):
		return &Error{LimitReached, err.Error()}, true
	case errors.Is(err, sfu.ErrClosed):
		return &Error{InvalidState, err.Error()}, true
	}
	return &Error{Internal, "the server failed; its log says why"}, false
}
