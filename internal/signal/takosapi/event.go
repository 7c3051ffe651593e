package takosapi

import (
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

type eventMessage struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

// eventData is what an event carries; which fields is in eventTable.
type eventData struct {
	Event         room.EventType `json:"event"`
	RoomID        string         `json:"roomId"`
	PeerID        string         `json:"peerId,omitempty"`
	TransportID   string         `json:"transportId,omitempty"`
	ProducerID    string         `json:"producerId,omitempty"`
	ConsumerID    string         `json:"consumerId,omitempty"`
	Direction     room.Direction `json:"direction,omitempty"`
	Kind          ortc.MediaKind `json:"kind,omitempty"`
	ICEState      string         `json:"iceState,omitempty"`
	DTLSState     string         `json:"dtlsState,omitempty"`
	By            string         `json:"by,omitempty"`
	Reason        string         `json:"reason,omitempty"`
	RoomInfo      *RoomInfo      `json:"roomInfo,omitempty"`
	PeerInfo      *PeerInfo      `json:"peerInfo,omitempty"`
	TransportInfo *TransportInfo `json:"transportInfo,omitempty"`
	ProducerInfo  *ProducerInfo  `json:"producerInfo,omitempty"`
	ConsumerInfo  *ConsumerInfo  `json:"consumerInfo,omitempty"`
}

// forward hands an event to the sessions that want it. It is called under the
// room's lock and encodes at most once.
func (d *Door) forward(e room.Event) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var text []byte
	for s := range d.sessions {
		if !s.wants(e.Room.ID()) {
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
	}
}
