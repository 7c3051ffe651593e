package client

import (
	"errors"
	"strings"
)

var (
	// ErrDisconnected means that the connection was lost after a command had
	// been sent and before its answer came: it may or may not have been carried
	// out. What was lost is in the error's text.
	ErrDisconnected = errors.New("connection lost")
	// ErrClosed means that the client was closed.
	ErrClosed = errors.New("client closed")
	// ErrNotFound means that there is no such room, peer, transport, producer,
	// consumer, token or invitation. An Error with a code that says so is it too.
	ErrNotFound = errors.New("not found")
)

// Code says why the server refused something.
type Code string

// The codes. A newer server may have more.
const (
	InvalidJSON          Code = "INVALID_JSON"
	InvalidMessage       Code = "INVALID_MESSAGE"
	UnknownCommand       Code = "UNKNOWN_COMMAND"
	MissingField         Code = "MISSING_FIELD"
	InvalidField         Code = "INVALID_FIELD"
	InvalidParameters    Code = "INVALID_PARAMETERS" // RTP or DTLS parameters, capabilities
	Unsupported          Code = "UNSUPPORTED"        // such as a codec
	InvalidState         Code = "INVALID_STATE"      // such as a transport connected twice
	WrongDirection       Code = "WRONG_DIRECTION"    // a producer on a receiving transport, or the reverse
	ConsumerError        Code = "CONSUMER_ERROR"     // the capabilities do not fit the producer
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
	IdempotencyConflict  Code = "IDEMPOTENCY_CONFLICT" // HTTP only
	NeedsConnection      Code = "NEEDS_CONNECTION"     // HTTP only
	UpgradeRequired      Code = "UPGRADE_REQUIRED"     // HTTP only
	MethodNotAllowed     Code = "METHOD_NOT_ALLOWED"   // HTTP only
	MessageTooBig        Code = "MESSAGE_TOO_BIG"
	RateLimited          Code = "RATE_LIMITED"
	ServerClosing        Code = "SERVER_CLOSING"
	InternalError        Code = "INTERNAL_ERROR"
)

// Error is the server's refusal of a command, or of the connection.
type Error struct {
	Code Code `json:"code"`
	// Message names the field or the id that is wrong. It is for people.
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message + " (" + string(e.Code) + ")" }

// Is makes errors.Is(err, ErrNotFound) hold for the codes that say so.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && strings.HasSuffix(string(e.Code), "_NOT_FOUND")
}
