package client

import (
	"encoding/json"
	"time"
)

// Event is something that has happened: one of the structs of this package that
// say so, to be told apart by a type switch.
type Event interface{ event() }

// Connected is yielded when the connection stands, for the first time or again.
// What happened before is not told: look with Client.Rooms.
type Connected struct{}

// Disconnected is yielded when the connection is lost.
type Disconnected struct {
	Err error
}

// Reconnecting is yielded before each attempt to connect again.
type Reconnecting struct {
	Attempt int           // from 1 for each loss
	Delay   time.Duration // how long is waited before it
	Err     error         // why there is no connection
}

// EventsLost is yielded in place of events that were dropped because too many
// waited to be taken. Connected and Disconnected may be among them;
// Client.Connected says how it stands.
type EventsLost struct {
	Count int
}

// RoomCreated tells that a room was made.
type RoomCreated struct {
	RoomID string   `json:"roomId"`
	Room   RoomInfo `json:"roomInfo"`
}

// RoomClosed tells that a room is gone, and with it everything that was in it, of
// which nothing more is told.
type RoomClosed struct {
	RoomID string `json:"roomId"`
	Reason string `json:"reason"`
}

// PeerAdded tells that somebody came in, through whichever door.
type PeerAdded struct {
	RoomID string   `json:"roomId"`
	PeerID string   `json:"peerId"`
	Peer   PeerInfo `json:"peerInfo"`
}

// PeerClosed tells that somebody left or was removed.
type PeerClosed struct {
	RoomID string `json:"roomId"`
	PeerID string `json:"peerId"`
	By     string `json:"by"` // the peer who removed them, or empty
	Reason string `json:"reason"`
}

// TransportCreated tells that a peer got a transport.
type TransportCreated struct {
	RoomID      string        `json:"roomId"`
	PeerID      string        `json:"peerId"`
	TransportID string        `json:"transportId"`
	Direction   Direction     `json:"direction"`
	Transport   TransportInfo `json:"transportInfo"`
}

// TransportStateChanged tells that a client came, went or came back.
type TransportStateChanged struct {
	RoomID      string `json:"roomId"`
	PeerID      string `json:"peerId"`
	TransportID string `json:"transportId"`
	ICEState    string `json:"iceState"`
	DTLSState   string `json:"dtlsState"`
}

// TransportClosed tells that a transport is gone: it was closed, or its client
// has vanished for too long.
type TransportClosed struct {
	RoomID      string `json:"roomId"`
	PeerID      string `json:"peerId"`
	TransportID string `json:"transportId"`
	By          string `json:"by"` // the peer who caused it, or empty
	Reason      string `json:"reason"`
}

// ProducerCreated tells that a peer sends something new. Usually the others are
// to get a consumer of it.
type ProducerCreated struct {
	RoomID      string       `json:"roomId"`
	PeerID      string       `json:"peerId"`
	ProducerID  string       `json:"producerId"`
	TransportID string       `json:"transportId"`
	Kind        MediaKind    `json:"kind"`
	Producer    ProducerInfo `json:"producerInfo"`
}

// ProducerMuted tells that a producer was paused by somebody else than its owner;
// ProducerPaused follows if it was not paused already.
type ProducerMuted struct {
	RoomID     string `json:"roomId"`
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
	By         string `json:"by"` // the peer who did it, or empty
}

// ProducerPaused tells that a producer is forwarded to nobody.
type ProducerPaused struct {
	RoomID     string `json:"roomId"`
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
}

// ProducerResumed tells that a producer is forwarded again.
type ProducerResumed struct {
	RoomID     string `json:"roomId"`
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
}

// ProducerClosed tells that a peer sends something no longer. Its consumers are
// closed too.
type ProducerClosed struct {
	RoomID      string `json:"roomId"`
	PeerID      string `json:"peerId"`
	ProducerID  string `json:"producerId"`
	TransportID string `json:"transportId"`
	By          string `json:"by"` // the peer who caused it, or empty
	Reason      string `json:"reason"`
}

// ConsumerCreated tells that a peer gets something new.
type ConsumerCreated struct {
	RoomID      string       `json:"roomId"`
	PeerID      string       `json:"peerId"`
	ConsumerID  string       `json:"consumerId"`
	ProducerID  string       `json:"producerId"`
	TransportID string       `json:"transportId"`
	Consumer    ConsumerInfo `json:"consumerInfo"`
}

// ConsumerClosed tells that a peer gets something no longer.
type ConsumerClosed struct {
	RoomID      string `json:"roomId"`
	PeerID      string `json:"peerId"`
	ConsumerID  string `json:"consumerId"`
	ProducerID  string `json:"producerId"`
	TransportID string `json:"transportId"`
	By          string `json:"by"` // the peer who caused it, or empty
	Reason      string `json:"reason"`
}

// ActiveSpeaker tells that somebody has the floor, until another takes it.
type ActiveSpeaker struct {
	RoomID     string `json:"roomId"`
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
}

// AudioLevels tells who of a room is heard, the loudest first, twice a second for
// as long as anybody is; none, once, when nobody is any more. It comes only with
// Options.AudioLevels.
type AudioLevels struct {
	RoomID  string   `json:"roomId"`
	Volumes []Volume `json:"volumes"`
}

// Volume is how loud a producer was, on average.
type Volume struct {
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
	DBov       int    `json:"volume"` // −127 to 0, the loudest there is
}

// ServerStopping tells that the server takes no new rooms and ends soon.
type ServerStopping struct {
	Remaining time.Duration // until it ends, from when this was sent
}

// UnknownEvent is one that this version of the package has no struct for.
type UnknownEvent struct {
	Name string
	Data json.RawMessage // the whole data of the event
}

func (Connected) event()             {}
func (Disconnected) event()          {}
func (Reconnecting) event()          {}
func (EventsLost) event()            {}
func (RoomCreated) event()           {}
func (RoomClosed) event()            {}
func (PeerAdded) event()             {}
func (PeerClosed) event()            {}
func (TransportCreated) event()      {}
func (TransportStateChanged) event() {}
func (TransportClosed) event()       {}
func (ProducerCreated) event()       {}
func (ProducerMuted) event()         {}
func (ProducerPaused) event()        {}
func (ProducerResumed) event()       {}
func (ProducerClosed) event()        {}
func (ConsumerCreated) event()       {}
func (ConsumerClosed) event()        {}
func (ActiveSpeaker) event()         {}
func (AudioLevels) event()           {}
func (ServerStopping) event()        {}
func (UnknownEvent) event()          {}

// eventDecoders are the names of the events on the wire.
var eventDecoders = map[string]func(json.RawMessage) (Event, error){
	"roomCreated":      decodeEvent[RoomCreated],
	"roomClosed":       decodeEvent[RoomClosed],
	"peerAdded":        decodeEvent[PeerAdded],
	"peerClosed":       decodeEvent[PeerClosed],
	"transportCreated": decodeEvent[TransportCreated],
	"transportState":   decodeEvent[TransportStateChanged],
	"transportClosed":  decodeEvent[TransportClosed],
	"producerCreated":  decodeEvent[ProducerCreated],
	"producerMuted":    decodeEvent[ProducerMuted],
	"producerPaused":   decodeEvent[ProducerPaused],
	"producerResumed":  decodeEvent[ProducerResumed],
	"producerClosed":   decodeEvent[ProducerClosed],
	"consumerCreated":  decodeEvent[ConsumerCreated],
	"consumerClosed":   decodeEvent[ConsumerClosed],

	"dataProducerCreated": decodeEvent[DataProducerCreated],
	"dataProducerPaused":  decodeEvent[DataProducerPaused],
	"dataProducerResumed": decodeEvent[DataProducerResumed],
	"dataProducerClosed":  decodeEvent[DataProducerClosed],
	"dataConsumerCreated": decodeEvent[DataConsumerCreated],
	"dataConsumerClosed":  decodeEvent[DataConsumerClosed],

	"activeSpeaker":         decodeEvent[ActiveSpeaker],
	"consumerLayersChanged": decodeEvent[ConsumerLayersChanged],
	"consumerScore":         decodeEvent[ConsumerScored],
	"producerScore":         decodeEvent[ProducerScored],
	"producerLayersWanted":  decodeEvent[ProducerLayersWanted],
	"audioLevels":           decodeEvent[AudioLevels],
	"serverClosing":         decodeServerStopping,
}

func decodeEvent[E Event](data json.RawMessage) (Event, error) {
	var e E
	err := json.Unmarshal(data, &e)
	return e, err
}

func decodeServerStopping(data json.RawMessage) (Event, error) {
	var wire struct {
		DeadlineMs int64 `json:"deadlineMs"`
	}
	err := json.Unmarshal(data, &wire)
	return ServerStopping{time.Duration(wire.DeadlineMs) * time.Millisecond}, err
}

// parseEvent reads the data of an event message.
func parseEvent(data json.RawMessage) (Event, error) {
	var head struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if decode := eventDecoders[head.Event]; decode != nil {
		return decode(data)
	}
	if decode := objectEventDecoders[head.Event]; decode != nil {
		return decode(data)
	}
	return UnknownEvent{head.Event, data}, nil
}
