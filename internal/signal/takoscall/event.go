package takoscall

import (
	"bytes"
	"encoding/json"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// Messages to the client that are no answers.
type (
	joinMessage struct {
		Type        string         `json:"type"`
		PeerID      string         `json:"peerId"`
		DisplayName string         `json:"displayName"`
		Host        bool           `json:"host"`
		Producers   []producerInfo `json:"producers"`
	}
	leaveMessage struct {
		Type   string `json:"type"`
		PeerID string `json:"peerId"`
	}
	producerMessage struct {
		Type       string         `json:"type"`
		ProducerID string         `json:"producerId"`
		PeerID     string         `json:"peerId"`
		Kind       ortc.MediaKind `json:"kind,omitempty"`
		Paused     bool           `json:"paused,omitempty"`
		Source     string         `json:"source,omitempty"`
		AppData    any            `json:"appData,omitempty"`
		RequestID  string         `json:"requestId,omitempty"`
	}
	consumerMessage struct {
		Type       string `json:"type"`
		ConsumerID string `json:"consumerId"`
		ProducerID string `json:"producerId,omitempty"`
	}
	mutedMessage struct {
		Type       string         `json:"type"`
		ProducerID string         `json:"producerId"`
		Kind       ortc.MediaKind `json:"kind"`
		By         string         `json:"by"`
	}
	kickedMessage struct {
		Type   string `json:"type"`
		By     string `json:"by"`
		Reason string `json:"reason"`
	}
	activeSpeakerMessage struct {
		Type string `json:"type"`
		speakerInfo
	}
	audioLevelsMessage struct {
		Type    string       `json:"type"`
		Volumes []volumeInfo `json:"volumes"`
	}
	volumeInfo struct {
		speakerInfo
		Volume int `json:"volume"`
	}
	transportStateMessage struct {
		Type          string         `json:"type"`
		TransportType room.Direction `json:"transportType"`
		ICEState      string         `json:"iceState"`
		DTLSState     string         `json:"dtlsState"`
	}
)

// observe turns an event of the room into messages. It is called under the
// room's lock.
func (s *session) observe(e room.Event) {
	mine := e.Peer == s.peer
	if mine && e.Ending && e.Type != room.PeerClosed {
		return // who has to go need not hear what goes with them
	}
	switch e.Type {
	case room.RoomClosed:
		s.end(signal.CodeRoomClosed, "the room was closed")
	case room.PeerAdded:
		if !mine {
			s.tell(encode(joinMessage{
				Type: "join", PeerID: e.Peer.ID(), DisplayName: e.Peer.DisplayName(), Host: e.Peer.Host(),
				Producers: []producerInfo{},
			}))
		}
	case room.PeerClosed:
		s.peerClosed(e, mine)
	case room.TransportState, room.TransportClosed:
		if mine && e.By != s.peer.ID() {
			s.transportState(e.Transport)
		}
	case room.ProducerCreated, room.ProducerPaused, room.ProducerResumed, room.ProducerClosed:
		s.producerEvent(e, mine)
	case room.DataProducerCreated, room.DataProducerClosed, room.DataConsumerClosed:
		s.dataEvent(e, mine)
	case room.ProducerMuted:
		if mine {
			s.tell(encode(mutedMessage{Type: "muted", ProducerID: e.Producer.ID(), Kind: e.Producer.Kind(), By: e.By}))
		}
	case room.ActiveSpeaker:
		s.tell(encode(activeSpeakerMessage{"activeSpeaker", speakerInfoOf(e.Producer)}))
	case room.AudioLevels:
		s.audioLevels(e.Levels)
	case room.ConsumerLayersChanged, room.ConsumerScored, room.ProducerScored, room.ProducerLayersWanted:
		if mine {
			s.quality(e)
		}
	case room.ConsumerClosed:
		if mine && e.By != s.peer.ID() {
			s.tell(encode(consumerMessage{Type: "consumerClosed", ConsumerID: e.Consumer.ID(), ProducerID: e.Consumer.ProducerID()}))
		}
	}
}

// end closes the session after what has been said.
func (s *session) end(code int, reason string) { s.conn.Close(code, reason) }

func (s *session) peerClosed(e room.Event, mine bool) {
	switch {
	case mine && e.By == s.peer.ID(): // we are leaving
	case mine:
		s.tell(encode(kickedMessage{Type: "kicked", By: e.By, Reason: e.Reason}))
		s.end(signal.CodeKicked, "removed from the call")
	case s.grant.Kind == auth.FriendCall:
		s.end(signal.CodeCallEnded, "the call has ended")
	default:
		s.tell(encode(leaveMessage{Type: "leave", PeerID: e.Peer.ID()}))
	}
}

func (s *session) transportState(t *room.Transport) {
	s.tell(encode(transportStateMessage{
		Type: "transportState", TransportType: t.Direction(),
		ICEState: string(t.WebRTC().ICEState()), DTLSState: string(t.WebRTC().DTLSState()),
	}))
}

func (s *session) audioLevels(levels []room.Level) {
	m := audioLevelsMessage{Type: "audioLevels", Volumes: make([]volumeInfo, len(levels))}
	for i, l := range levels {
		m.Volumes[i] = volumeInfo{speakerInfoOf(l.Producer), l.DBov}
	}
	s.tell(encode(m))
}

// producerEvent tells about somebody's producer. The client's own is only of
// interest to it when somebody else did something to it, or when it waits for
// the confirmation of a pause.
func (s *session) producerEvent(e room.Event, mine bool) {
	m := producerMessage{ProducerID: e.Producer.ID(), PeerID: e.Peer.ID()}
	switch e.Type {
	case room.ProducerCreated:
		if mine {
			return // answered by produce
		}
		info := producerInfoOf(e.Producer)
		m.Type, m.Kind, m.Paused, m.Source, m.AppData = s.newsOfProducer(), info.Kind, info.Paused, info.Source, info.AppData
	case room.ProducerPaused:
		m.Type = "producerPaused"
	case room.ProducerResumed:
		m.Type = "producerResumed"
	case room.ProducerClosed:
		if mine && e.By == s.peer.ID() {
			return
		}
		m.Type = "producerClosed"
	}
	s.tell(encode(m))
}

// newsOfProducer is what the client's dialect calls a new producer of another.
func (s *session) newsOfProducer() string {
	if s.dialect == Deployed {
		return "produce"
	}
	return "produced"
}

// encode returns a message of ours, without the escapes that are only needed
// inside HTML.
func encode(message any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(message); err != nil {
		panic(err) // our own structs
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
