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
	doc    string
	object *signal.Object
	run    func(s *session, text []byte) error
}

// on makes a row. M is a struct whose fields say how they are checked; see
// signal.Object.
func on[M any](name, doc string, handle func(*session, *M) error) handler {
	object := signal.ObjectOf(reflect.TypeFor[M]())
	return handler{name: name, doc: doc, object: object, run: func(s *session, text []byte) error {
		var m M
		if err := object.Decode("the message", text, &m); err != nil {
			return err
		}
		return handle(s, &m)
	}}
}

// messages is the table, in the order of the reference.
var messages = []handler{
	on("connect", "Hands over the DTLS parameters of a transport, from mediasoup-client's `connect` event. Answer: `connected`.", connect),
	on("produce", "Sends a track, from mediasoup-client's `produce` event. Answer: `produced`.", produce),
	on("consume", "Asks for somebody's track. Answer: `consumed`, `producerNotFound` or `selfProducer`. Asking again gets the same consumer again.", consume),
	on("pauseProducer", "Stops sending for a while. Confirmed by `producerPaused`, which everybody gets.", pauseProducer),
	on("resumeProducer", "Sends again. Confirmed by `producerResumed`, which everybody gets.", resumeProducer),
	on("closeProducer", "Stops sending. The others get `producerClosed`.", closeProducer),
	on("pauseConsumer", "Stops receiving for a while. Confirmed by `consumerPaused`.", pauseConsumer),
	on("resumeConsumer", "Receives again; video begins with a keyframe. Confirmed by `consumerResumed`.", resumeConsumer),
	on("setPreferredLayers", "Limits which layers of simulcast or SVC come. A consumer without layers takes no notice. No answer.", setPreferredLayers),
	on("setPriority", "Says how important a consumer is among the client's, where its line cannot carry all in full. No answer.", setPriority),
	on("requestKeyFrame", "Asks for a keyframe. No answer.", requestKeyFrame),
	on("closeConsumer", "Stops receiving. No answer.", closeConsumer),
	on("produceData", "Opens a data channel to send on, from mediasoup-client's `producedata` event. Answer: `dataProduced`.", produceData),
	on("consumeData", "Asks for somebody's data channel. Answer: `dataConsumed` or `dataProducerNotFound`. Asking again gets the same data consumer again.", consumeData),
	on("closeDataProducer", "Stops sending on a data channel. The others get `dataProducerClosed`.", closeDataProducer),
	on("closeDataConsumer", "Stops receiving on a data channel. No answer.", closeDataConsumer),
	on("restartIce", "Asks for new ICE parameters, after the network has changed. Answer: `iceRestarted`.", restartICE),
	on("getStats", "Asks for the server's figures of one transport, producer or consumer. Answer: `stats`.", stats),
	on("kick", "Removes somebody from the call. For hosts.", kick),
	on("mute", "Pauses somebody's producers, who may resume them. For hosts.", mute),
	on("ping", "Asks for a sign of life. Answer: `pong`.", ping),
	on("bye", "Hangs up, as closing the WebSocket with code 1000 does.", bye),
}

// news are the messages to the client, in the order of the reference, and what
// each carries besides type. A question mark marks what may be missing.
var news = []struct {
	name   string
	doc    string
	fields []string
}{
	{"init", "The first message. See below.", []string{"data"}},
	{"connected", "A transport has taken the DTLS parameters.", []string{"transportType", "requestId?"}},
	{"produced", "The client's own producer; in the dialect `seed` also that somebody else has one.", []string{"producerId", "peerId", "kind", "paused?", "source?", "appData?", "requestId?"}},
	{"produce", "In the dialect `deployed`: somebody else has a producer.", []string{"producerId", "peerId", "kind", "paused?", "source?", "appData?"}},
	{"consumed", "A consumer. It runs already, unless it was asked for paused.", []string{"consumerId", "producerId", "peerId", "kind", "rtpParameters", "producerPaused", "source?", "requestId?"}},
	{"producerNotFound", "There is no such producer, or not any more.", []string{"producerId", "message", "requestId?"}},
	{"selfProducer", "The producer is the client's own.", []string{"producerId", "message", "requestId?"}},
	{"join", "Somebody is in the call.", []string{"peerId", "displayName", "host", "producers"}},
	{"leave", "Somebody has left the call.", []string{"peerId"}},
	{"producerPaused", "Somebody's producer, or the client's own, is paused.", []string{"producerId", "peerId"}},
	{"producerResumed", "Somebody's producer, or the client's own, goes on.", []string{"producerId", "peerId"}},
	{"producerClosed", "Somebody's producer has ended. The client's own, if somebody else has closed it.", []string{"producerId", "peerId"}},
	{"consumerPaused", "The client's consumer is paused.", []string{"consumerId"}},
	{"consumerResumed", "The client's consumer goes on.", []string{"consumerId"}},
	{"consumerClosed", "The client's consumer has ended, with its producer for instance.", []string{"consumerId", "producerId"}},
	{"consumerLayersChanged", "Other layers come from now on, as `{spatialLayer, temporalLayer}`; null is nothing. Only for clients that [have asked for it](#before-connecting); likewise the next three.", []string{"consumerId", "producerId", "layers"}},
	{"consumerScore", "How well a consumer is served has changed: `score`, 10 (nothing is lost for good) to 0, `producerScore`, that of the encoding that comes, and `producerScores` of all encodings.", []string{"consumerId", "producerId", "score"}},
	{"producerScore", "How well the client's producer arrives has changed: `[{encodingIdx, ssrc, rid?, score}]`.", []string{"producerId", "score"}},
	{"producerLayersWanted", "The highest spatial layer of the client's video that anybody wants has changed, counted from 0; null: nobody receives it. The client need not send more, for instance by mediasoup-client's `setMaxSpatialLayer`. It goes by the layers that receivers prefer, not by what their lines carry now. To begin with all are wanted; of more is told at once, of less after two seconds.", []string{"producerId", "wantedSpatialLayer"}},
	{"dataProduced", "A data channel that the client, or somebody else, sends on.", []string{"dataProducerId", "peerId", "label", "protocol?", "appData?", "requestId?"}},
	{"dataConsumed", "What mediasoup-client's `consumeData` takes, with `dataConsumerId` for its `id`.", []string{"dataConsumerId", "dataProducerId", "peerId", "sctpStreamParameters", "label", "protocol?", "requestId?"}},
	{"dataProducerNotFound", "There is no such data producer, or not any more.", []string{"dataProducerId", "message", "requestId?"}},
	{"dataProducerClosed", "Somebody's data channel has ended. The client's own, if somebody else has closed it.", []string{"dataProducerId", "peerId"}},
	{"dataConsumerClosed", "The client's data consumer has ended, with its data producer for instance.", []string{"dataConsumerId", "dataProducerId"}},
	{"iceRestarted", "What mediasoup-client's `restartIce` takes.", []string{"transportType", "iceParameters", "requestId?"}},
	{"transportState", "The server has noticed that a transport came up, was lost, or is closed and will not come back.", []string{"transportType", "iceState", "dtlsState"}},
	{"stats", "Figures with the names of mediasoup's.", []string{"stats", "requestId?"}},
	{"muted", "A host, or a backend if `by` is empty, has paused the client's producer. It may resume it.", []string{"producerId", "kind", "by"}},
	{"kicked", "A host, or a backend if `by` is empty, has removed the client. The WebSocket is closed after it.", []string{"by", "reason"}},
	{"activeSpeaker", "Somebody has the floor, the client itself perhaps, by how much they have spoken lately. Who stops keeps it until another takes it.", []string{"peerId", "producerId"}},
	{"audioLevels", "Who is heard, the loudest first, as `[{peerId, producerId, volume}]` with the average of half a second in dBov (−127 to 0), the client's own included. Comes that often while somebody is heard, and once with an empty list when it is silent.", []string{"volumes"}},
	{"pong", "The answer to `ping`.", []string{"requestId?"}},
	{"closing", "The server ends in so many milliseconds.", []string{"reason", "deadlineMs"}},
	{"error", "Something could not be done. `context` is the type of the message that asked for it; for a transport `transportType` is given too.", []string{"message", "context?", "transportType?", "requestId?"}},
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
type envelope struct{ Type, TransportType, RequestID string }

// envelopeOf reads whatever of it has the right type; nothing of what is no
// object. Names are compared letter by letter, which decoding into a struct
// would not do.
func envelopeOf(text []byte) (e envelope) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return envelope{}
	}
	for name, target := range map[string]*string{"type": &e.Type, "transportType": &e.TransportType, "requestId": &e.RequestID} {
		_ = json.Unmarshal(fields[name], target)
	}
	return e
}

// receive is called with each message of the client, one after another.
func (s *session) receive(text []byte) {
	if !json.Valid(text) {
		s.fail(InvalidJSON, errorMessage{Message: "the message is not JSON"})
		return
	}
	e := envelopeOf(text)
	h := handlerByName[e.Type]
	switch {
	case e.Type == "":
		s.fail(InvalidMessage, errorMessage{Message: "a message must be an object with a type"})
		return
	case h == nil:
		s.fail(UnknownMessage, errorMessage{RequestID: e.RequestID, Message: "unknown message type " + signal.Clip(e.Type)})
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
	s.fail(codeOf(err), failure)
}

// fail answers a message that could not be carried out.
func (s *session) fail(code Code, m errorMessage) {
	s.door.counters.errors[code].Add(1)
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
