package takoscall

import (
	"encoding/json"
	"reflect"

	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// A handler is what a client's message leads to: a row of the table messages.
type handler struct {
	name   string
	object *signal.Object
	run    func(s *session, text []byte) error
}

// on makes a row. M is a struct whose fields say how they are checked; see
// signal.Object.
func on[M any](name string, handle func(*session, *M) error) handler {
	object := signal.ObjectOf(reflect.TypeFor[M]())
	return handler{name: name, object: object, run: func(s *session, text []byte) error {
		var m M
		if err := object.Decode("the message", text, &m); err != nil {
			return err
		}
		return handle(s, &m)
	}}
}

// messages is the table, in the order of the reference.
var messages = []handler{
	on("connect", connect),
	on("produce", produce),
	on("consume", consume),
	on("pauseProducer", pauseProducer),
	on("resumeProducer", resumeProducer),
	on("closeProducer", closeProducer),
	on("pauseConsumer", pauseConsumer),
	on("resumeConsumer", resumeConsumer),
	on("requestKeyFrame", requestKeyFrame),
	on("closeConsumer", closeConsumer),
	on("restartIce", restartICE),
	on("getStats", stats),
	on("kick", kick),
	on("mute", mute),
	on("ping", ping),
	on("bye", bye),
}

var handlerByName = func() map[string]*handler {
	m := make(map[string]*handler, len(messages))
	for i := range messages {
		m[messages[i].name] = &messages[i]
	}
	return m
}()

// errorMessage is the answer to what could not be done. Context is the type of
// the message, except for connect, which deployed clients find by transportType.
type errorMessage struct {
	Type          string `json:"type"`
	Context       string `json:"context,omitempty"`
	TransportType string `json:"transportType,omitempty"`
	RequestID     string `json:"requestId,omitempty"`
	Message       string `json:"message"`
}

// envelope is what every message has, or may have.
type envelope struct {
	Type          string `json:"type"`
	TransportType string `json:"transportType"`
	RequestID     string `json:"requestId"`
}

// receive is called with each message of the client, one after another.
func (s *session) receive(text []byte) {
	if !json.Valid(text) {
		s.fail(errorMessage{Message: "the message is not JSON"})
		return
	}
	var e envelope
	_ = json.Unmarshal(text, &e) // whatever of it has the right type
	h := handlerByName[e.Type]
	switch {
	case e.Type == "" || signal.KindOf(text) != signal.Struct:
		s.fail(errorMessage{Message: "a message must be an object with a type"})
		return
	case h == nil:
		s.fail(errorMessage{RequestID: e.RequestID, Message: "unknown message type " + signal.Clip(e.Type)})
		return
	}
	err := h.run(s, text)
	if err == nil {
		return
	}
	failure := errorMessage{Context: e.Type, RequestID: e.RequestID, Message: clientMessage(err)}
	switch e.Type {
	case "connect":
		failure.TransportType = string(s.transportFor(e.TransportType).Direction())
	case "restartIce":
		failure.TransportType = e.TransportType
	}
	s.door.log.Debug("message failed", "room", s.grant.RoomID, "user", s.grant.UserID, "type", e.Type, "error", err)
	s.fail(failure)
}

func (s *session) fail(m errorMessage) {
	s.door.counters.errors.Add(1)
	m.Type = "error"
	s.reply(m)
}

// transport returns the session's transport of that type.
func (s *session) transport(kind string) *room.Transport {
	if kind == string(room.Send) {
		return s.send
	}
	return s.recv
}
