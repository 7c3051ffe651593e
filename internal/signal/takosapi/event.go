package takosapi

import (
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

type eventMessage struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

// events are the events in the order of the reference, and what each carries
// besides event and roomId. A question mark marks what may be missing.
var events = []struct {
	name   room.EventType
	doc    string
	fields []string
}{
	{room.RoomCreated, "A room was made.", []string{"roomInfo"}},
	{room.RoomClosed, "A room and everything in it was closed; nothing of it has an event of its own.", []string{"reason"}},
	{room.PeerAdded, "Somebody is in the room, by whatever door.", []string{"peerId", "peerInfo"}},
	{room.PeerClosed, "Somebody is not in the room any more. Their objects were closed before.", []string{"peerId", "by?", "reason"}},
	{room.TransportCreated, "A transport was made.", []string{"peerId", "transportId", "direction", "transportInfo"}},
	{room.TransportState, "ICE or DTLS of a transport changed its state.", []string{"peerId", "transportId", "iceState", "dtlsState"}},
	{room.TransportClosed, "A transport was closed: by command, with its peer, or because its client has been gone for too long.", []string{"peerId", "transportId", "by?", "reason"}},
	{room.ProducerCreated, "A peer sends something new. Backends make consumers for the others.", []string{"peerId", "producerId", "transportId", "kind", "producerInfo"}},
	{room.ProducerMuted, "A producer was paused by somebody else than its owner; producerPaused follows.", []string{"peerId", "producerId", "by?"}},
	{room.ProducerPaused, "A producer is not forwarded for now.", []string{"peerId", "producerId"}},
	{room.ProducerResumed, "A producer is forwarded again.", []string{"peerId", "producerId"}},
	{room.ProducerClosed, "A producer was closed. Its consumers were closed before.", []string{"peerId", "producerId", "transportId", "by?", "reason"}},
	{room.ConsumerCreated, "A peer gets something new.", []string{"peerId", "consumerId", "producerId", "transportId", "consumerInfo"}},
	{room.ConsumerClosed, "A consumer was closed.", []string{"peerId", "consumerId", "producerId", "transportId", "by?", "reason"}},
	{room.DataProducerCreated, "A peer sends on a data channel. Backends make data consumers for the others.", []string{"peerId", "dataProducerId", "transportId", "dataProducerInfo"}},
	{room.DataProducerPaused, "The messages of a data producer are dropped for now.", []string{"peerId", "dataProducerId"}},
	{room.DataProducerResumed, "The messages of a data producer are forwarded again.", []string{"peerId", "dataProducerId"}},
	{room.DataProducerClosed, "A data producer was closed. Its data consumers were closed before.", []string{"peerId", "dataProducerId", "transportId", "by?", "reason"}},
	{room.DataConsumerCreated, "A peer gets the messages of a data producer.", []string{"peerId", "dataConsumerId", "dataProducerId", "transportId", "dataConsumerInfo"}},
	{room.DataConsumerClosed, "A data consumer was closed.", []string{"peerId", "dataConsumerId", "dataProducerId", "transportId", "by?", "reason"}},
	{room.ActiveSpeaker, "Somebody has the floor, by how much they have spoken lately; who stops keeps it until another takes it.", []string{"peerId", "producerId"}},
	{room.AudioLevels, "Who is heard, the loudest first, as `[{peerId, producerId, volume}]` with the average of half a second in dBov (−127 to 0). Comes that often while somebody is heard, and once with an empty list when it is silent. Only for connections that have asked for it with subscribe.", []string{"volumes"}},
	{room.ConsumerLayersChanged, "Other layers are sent to the client from now on; null is nothing. Only for connections that have asked for it with subscribe.", []string{"peerId", "consumerId", "producerId", "layers"}},
	{room.ConsumerScored, "How well a consumer is served has changed: a [ConsumerScore](#consumerscore). Only for connections that have asked for it with subscribe.", []string{"peerId", "consumerId", "producerId", "score"}},
	{room.ProducerScored, "How well the encodings of a producer arrive has changed: an array of [EncodingScore](#encodingscore), of those that have ever come. Only for connections that have asked for it with subscribe.", []string{"peerId", "producerId", "score"}},
	{room.ProducerLayersWanted, "The highest spatial layer of a video that anybody wants has changed, by the layers that consumers prefer, not by what their lines carry now; null is none. The client need not send more: mediasoup-client's `setMaxSpatialLayer`. To begin with all are wanted; of less is told after two seconds. Only for connections that have asked for it with subscribe.", []string{"peerId", "producerId", "wantedSpatialLayer"}},
	{"serverClosing", "The server ends in so many milliseconds. It has no roomId.", []string{"deadlineMs"}},
}

// eventData is what an event of a room carries.
type eventData struct {
	Event            room.EventType    `json:"event"`
	RoomID           string            `json:"roomId"`
	PeerID           string            `json:"peerId,omitempty"`
	TransportID      string            `json:"transportId,omitempty"`
	ProducerID       string            `json:"producerId,omitempty"`
	ConsumerID       string            `json:"consumerId,omitempty"`
	DataProducerID   string            `json:"dataProducerId,omitempty"`
	DataConsumerID   string            `json:"dataConsumerId,omitempty"`
	Direction        room.Direction    `json:"direction,omitempty"`
	Kind             ortc.MediaKind    `json:"kind,omitempty"`
	ICEState         string            `json:"iceState,omitempty"`
	DTLSState        string            `json:"dtlsState,omitempty"`
	By               string            `json:"by,omitempty"`
	Reason           string            `json:"reason,omitempty"`
	RoomInfo         *RoomInfo         `json:"roomInfo,omitempty"`
	PeerInfo         *PeerInfo         `json:"peerInfo,omitempty"`
	TransportInfo    *TransportInfo    `json:"transportInfo,omitempty"`
	ProducerInfo     *ProducerInfo     `json:"producerInfo,omitempty"`
	ConsumerInfo     *ConsumerInfo     `json:"consumerInfo,omitempty"`
	DataProducerInfo *DataProducerInfo `json:"dataProducerInfo,omitempty"`
	DataConsumerInfo *DataConsumerInfo `json:"dataConsumerInfo,omitempty"`
	Volumes          []volumeInfo      `json:"volumes,omitzero"`
	Layers           any               `json:"layers,omitempty"` // a *Layers: nil is told as null
	Score            any               `json:"score,omitempty"`

	WantedSpatialLayer any `json:"wantedSpatialLayer,omitempty"` // a *uint8, likewise
}

// volumeInfo is how loud somebody's producer was.
type volumeInfo struct {
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
	Volume     int    `json:"volume"`
}

func volumesOf(levels []room.Level) []volumeInfo {
	list := make([]volumeInfo, len(levels))
	for i, l := range levels {
		list[i] = volumeInfo{l.Producer.Peer().ID(), l.Producer.ID(), l.DBov}
	}
	return list
}

// forward hands an event to the sessions that want it. It is called under the
// room's lock and encodes at most once.
func (d *Door) forward(e room.Event) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var text []byte
	for s := range d.sessions {
		if !s.wants(e) {
			continue
		}
		if text == nil {
			text = marshal(eventMessage{Type: "event", Data: dataOf(e)})
		}
		d.counters.events.Add(1)
		s.conn.Send(text)
	}
}

func (d *Door) broadcast(text []byte) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for s := range d.sessions {
		d.counters.events.Add(1)
		s.conn.Send(text)
	}
}

func dataOf(e room.Event) eventData {
	data := eventData{Event: e.Type, RoomID: e.Room.ID(), By: e.By, Reason: e.Reason}
	if e.Peer != nil {
		data.PeerID = e.Peer.ID()
	}
	if e.Transport != nil {
		data.TransportID = e.Transport.ID()
	}
	if e.Producer != nil {
		data.ProducerID = e.Producer.ID()
	}
	if e.Consumer != nil {
		data.ConsumerID, data.ProducerID = e.Consumer.ID(), e.Consumer.ProducerID()
	}
	if e.DataProducer != nil {
		data.DataProducerID = e.DataProducer.ID()
	}
	if e.DataConsumer != nil {
		data.DataConsumerID, data.DataProducerID = e.DataConsumer.ID(), e.DataConsumer.DataProducerID()
	}
	data.describe(e)
	return data
}

// describe adds the info of what is new. The room's lock is held, so that only
// what an event carries can be described: a room and a peer are empty when they
// are new.
func (d *eventData) describe(e room.Event) {
	switch e.Type {
	case room.RoomCreated:
		info := roomInfo(room.Snapshot{Room: e.Room})
		d.RoomInfo = &info
	case room.PeerAdded:
		info := peerInfo(room.PeerSnapshot{Peer: e.Peer})
		d.PeerInfo = &info
	case room.TransportCreated:
		info := transportInfo(e.Transport)
		d.TransportInfo, d.Direction = &info, e.Transport.Direction()
	case room.TransportState:
		w := e.Transport.WebRTC()
		d.ICEState, d.DTLSState = string(w.ICEState()), string(w.DTLSState())
	case room.ProducerCreated:
		info := producerInfo(e.Producer)
		d.ProducerInfo, d.Kind = &info, info.Kind
	case room.ConsumerCreated:
		info := consumerInfo(e.Consumer)
		d.ConsumerInfo = &info
	case room.DataProducerCreated:
		d.DataProducerInfo = new(dataProducerInfo(e.DataProducer))
	case room.DataConsumerCreated:
		d.DataConsumerInfo = new(dataConsumerInfo(e.DataConsumer))
	case room.AudioLevels:
		d.Volumes = volumesOf(e.Levels)
	case room.ConsumerLayersChanged:
		var layers *Layers
		if e.Layers != nil {
			layers = layersOf(*e.Layers)
		}
		d.Layers = layers
	case room.ConsumerScored:
		d.Score = consumerScoreOf(e.ConsumerScore)
	case room.ProducerScored:
		d.Score = encodingScoresOf(e.EncodingScores)
	case room.ProducerLayersWanted:
		d.WantedSpatialLayer = e.WantedSpatial
	}
}
