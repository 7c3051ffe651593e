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
	"github.com/takoserver/takos-call/internal/worker"
)

// Code says what went wrong. Codes never change their meaning.
type Code string

// The codes.
const (
	InvalidJSON          Code = "INVALID_JSON"
	InvalidMessage       Code = "INVALID_MESSAGE"
	UnknownCommand       Code = "UNKNOWN_COMMAND"
	MissingField         Code = "MISSING_FIELD"
	InvalidField         Code = "INVALID_FIELD"
	InvalidMedia         Code = "INVALID_PARAMETERS"
	Unsupported          Code = "UNSUPPORTED"
	InvalidState         Code = "INVALID_STATE"
	WrongDirection       Code = "WRONG_DIRECTION"
	ConsumerError        Code = "CONSUMER_ERROR"
	Unauthorized         Code = "UNAUTHORIZED"
	Forbidden            Code = "FORBIDDEN"
	WorkerNotFound       Code = "WORKER_NOT_FOUND"
	WebRTCServerNotFound Code = "WEBRTC_SERVER_NOT_FOUND"
	RouterNotFound       Code = "ROUTER_NOT_FOUND"
	RTPObserverNotFound  Code = "RTP_OBSERVER_NOT_FOUND"
	RoomNotFound         Code = "ROOM_NOT_FOUND"
	PeerNotFound         Code = "PEER_NOT_FOUND"
	TransportNotFound    Code = "TRANSPORT_NOT_FOUND"
	ProducerNotFound     Code = "PRODUCER_NOT_FOUND"
	ConsumerNotFound     Code = "CONSUMER_NOT_FOUND"
	DataProducerNotFound Code = "DATA_PRODUCER_NOT_FOUND"
	DataConsumerNotFound Code = "DATA_CONSUMER_NOT_FOUND"
	TokenNotFound        Code = "TOKEN_NOT_FOUND"
	InvitationNotFound   Code = "INVITATION_NOT_FOUND"
	RoomExists           Code = "ROOM_EXISTS"
	PeerExists           Code = "PEER_EXISTS"
	RoomFull             Code = "ROOM_FULL"
	LimitReached         Code = "LIMIT_REACHED"
	PortInUse            Code = "PORT_IN_USE"
	NoSuchAddress        Code = "NO_SUCH_ADDRESS"
	IdempotencyConflict  Code = "IDEMPOTENCY_CONFLICT"
	NeedsConnection      Code = "NEEDS_CONNECTION"
	UpgradeRequired      Code = "UPGRADE_REQUIRED"
	MethodNotAllowed     Code = "METHOD_NOT_ALLOWED"
	MessageTooBig        Code = "MESSAGE_TOO_BIG"
	RateLimited          Code = "RATE_LIMITED"
	ServerClosing        Code = "SERVER_CLOSING"
	Internal             Code = "INTERNAL_ERROR"
)

// codes are the HTTP statuses and meanings of the codes, in the order of the
// reference.
var codes = []struct {
	code   Code
	status int
	doc    string
}{
	{InvalidJSON, http.StatusBadRequest, "The message or body is not JSON. The response's id is \"unknown\"."},
	{InvalidMessage, http.StatusBadRequest, "The message is not an object, or its type is missing or not a string."},
	{UnknownCommand, http.StatusNotFound, "There is no command of that name."},
	{MissingField, http.StatusBadRequest, "A required field is missing or null; the message names it."},
	{InvalidField, http.StatusBadRequest, "A field has the wrong type, is too long, out of range or not one of its values; the message names it."},
	{InvalidMedia, http.StatusBadRequest, "RTP or DTLS parameters or codecs that contradict themselves or what is there: mediasoup's TypeError."},
	{Unsupported, http.StatusBadRequest, "RTP parameters or codecs that make sense and are not supported: mediasoup's UnsupportedError."},
	{InvalidState, http.StatusConflict, "What is asked for cannot be done any more, such as connecting twice: mediasoup's InvalidStateError."},
	{WrongDirection, http.StatusConflict, "Producing on a recv transport, or consuming on a send transport."},
	{ConsumerError, http.StatusConflict, "The client's capabilities do not include the producer's codec."},
	{Unauthorized, http.StatusUnauthorized, "The API key is missing or wrong, or the server has none and is open to more than its own machine."},
	{Forbidden, http.StatusForbidden, "The address or the page's origin is not on the list, or the key's scope does not include this."},
	{WorkerNotFound, http.StatusNotFound, "There is no such worker, or none that this key may use."},
	{WebRTCServerNotFound, http.StatusNotFound, "The worker has no such WebRTC server."},
	{RouterNotFound, http.StatusNotFound, "There is no such router, or none that this key may use."},
	{RTPObserverNotFound, http.StatusNotFound, "The router has no such observer."},
	{RoomNotFound, http.StatusNotFound, "There is no such room."},
	{PeerNotFound, http.StatusNotFound, "There is no such peer in the room."},
	{TransportNotFound, http.StatusNotFound, "The peer or router has no such transport."},
	{ProducerNotFound, http.StatusNotFound, "The peer or router, or for createConsumer the room, has no such producer."},
	{ConsumerNotFound, http.StatusNotFound, "The peer or router has no such consumer."},
	{DataProducerNotFound, http.StatusNotFound, "The peer or router, or for createDataConsumer the room, has no such data producer."},
	{DataConsumerNotFound, http.StatusNotFound, "The peer or router has no such data consumer."},
	{TokenNotFound, http.StatusNotFound, "The token is wrong, expired or revoked already."},
	{InvitationNotFound, http.StatusNotFound, "The invitation is wrong, expired or revoked already."},
	{RoomExists, http.StatusConflict, "A room with this id exists."},
	{PeerExists, http.StatusConflict, "A peer with this id is in the room."},
	{RoomFull, http.StatusConflict, "The room has as many peers as it takes."},
	{LimitReached, http.StatusTooManyRequests, "The server or the peer has as many of these as the settings allow."},
	{PortInUse, http.StatusConflict, "A port to listen on belongs to another program, or to another object of this server."},
	{NoSuchAddress, http.StatusBadRequest, "An address to listen on is none of the server's machine."},
	{IdempotencyConflict, http.StatusConflict, "The Idempotency-Key was used with other data."},
	{NeedsConnection, http.StatusBadRequest, "The command makes sense over a WebSocket only."},
	{UpgradeRequired, http.StatusUpgradeRequired, "A plain request where a WebSocket is expected."},
	{MethodNotAllowed, http.StatusMethodNotAllowed, "A command over HTTP is a POST."},
	{MessageTooBig, http.StatusRequestEntityTooLarge, "The body is over the size limit. Over a WebSocket the connection is closed with 1009 instead."},
	{RateLimited, http.StatusTooManyRequests, "Too many requests from this address. Over a WebSocket the connection is closed with 4007 instead."},
	{ServerClosing, http.StatusServiceUnavailable, "The server is about to end and makes no new rooms, workers and routers."},
	{Internal, http.StatusInternalServerError, "The server failed; its log says why."},
}

var statuses = func() map[Code]int {
	m := make(map[Code]int, len(codes))
	for _, row := range codes {
		m[row.code] = row.status
	}
	return m
}()

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
	room.RoomNotFound:         RoomNotFound,
	room.PeerNotFound:         PeerNotFound,
	room.TransportNotFound:    TransportNotFound,
	room.ProducerNotFound:     ProducerNotFound,
	room.ConsumerNotFound:     ConsumerNotFound,
	room.DataProducerNotFound: DataProducerNotFound,
	room.DataConsumerNotFound: DataConsumerNotFound,
	room.RoomExists:           RoomExists,
	room.PeerExists:           PeerExists,
	room.RoomFull:             RoomFull,
	room.LimitReached:         LimitReached,
	room.WrongDirection:       WrongDirection,
	room.CannotConsume:        ConsumerError,
	room.NotHost:              Forbidden,
	room.Draining:             ServerClosing,
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
	case errors.Is(err, worker.ErrDraining):
		return &Error{ServerClosing, err.Error()}, true
	case errors.Is(err, sfu.ErrLimit):
		return &Error{LimitReached, err.Error()}, true
	case errors.Is(err, sfu.ErrPortInUse):
		return &Error{PortInUse, err.Error()}, true
	case errors.Is(err, sfu.ErrNoAddress):
		return &Error{NoSuchAddress, err.Error()}, true
	case errors.Is(err, sfu.ErrNotFound):
		return &Error{ProducerNotFound, err.Error()}, true // other ids are looked up before
	case errors.Is(err, sfu.ErrClosed):
		return &Error{InvalidState, err.Error()}, true
	}
	return &Error{Internal, "the server failed; its log says why"}, false
}
