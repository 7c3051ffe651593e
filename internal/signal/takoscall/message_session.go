package takoscall

import (
	"reflect"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

var dtlsObject = signal.ObjectOf(reflect.TypeFor[dtlsParameters]())

type restartRequest struct {
	TransportType string `json:"transportType" check:"required,enum=send|recv" doc:"which transport"`
	RequestID     string `json:"requestId" check:"max=64" doc:"comes back in iceRestarted"`
}

type restartedMessage struct {
	Type          string `json:"type"`
	TransportType string `json:"transportType"`
	ICEParameters any    `json:"iceParameters"`
	RequestID     string `json:"requestId,omitempty"`
}

func restartICE(s *session, m *restartRequest) error {
	parameters, err := s.transport(m.TransportType).WebRTC().RestartICE()
	if err != nil {
		return &protocolError{InvalidState, "the " + m.TransportType + " transport is closed"}
	}
	s.reply(restartedMessage{"iceRestarted", m.TransportType, parameters, m.RequestID})
	return nil
}

type statsRequest struct {
	TransportType string `json:"transportType" check:"enum=send|recv" doc:"figures of a transport"`
	ProducerID    string `json:"producerId" check:"max=256" doc:"or of one of the client's producers"`
	ConsumerID    string `json:"consumerId" check:"max=256" doc:"or of one of its consumers"`
	RequestID     string `json:"requestId" check:"max=64" doc:"comes back in stats"`
}

type statsMessage struct {
	Type      string `json:"type"`
	RequestID string `json:"requestId,omitempty"`
	Stats     any    `json:"stats"`
}

func stats(s *session, m *statsRequest) error {
	answer := statsMessage{Type: "stats", RequestID: m.RequestID}
	switch {
	case m.TransportType != "":
		answer.Stats = []any{s.transport(m.TransportType).WebRTC().Stats()}
	case m.ProducerID != "":
		p, err := s.peer.Producer(m.ProducerID)
		if err != nil {
			return err
		}
		answer.Stats = p.Stats()
	case m.ConsumerID != "":
		c, err := s.peer.Consumer(m.ConsumerID)
		if err != nil {
			return err
		}
		answer.Stats = c.Stats()
	default:
		return &protocolError{MissingField, "one of transportType, producerId and consumerId is needed"}
	}
	s.reply(answer)
	return nil
}

type kickRequest struct {
	PeerID string `json:"peerId" check:"id" doc:"who is to leave"`
	Reason string `json:"reason" check:"max=100" doc:"for the one who leaves"`
}

func kick(s *session, m *kickRequest) error {
	if m.PeerID == s.peer.ID() {
		return &protocolError{InvalidField, "nobody can remove themselves; say bye"}
	}
	if m.Reason == "" {
		m.Reason = room.ReasonRequested
	}
	return s.peer.Kick(m.PeerID, m.Reason)
}

type muteRequest struct {
	PeerID     string `json:"peerId" check:"id" doc:"who is to be silent"`
	ProducerID string `json:"producerId" check:"max=256" doc:"one producer"`
	Kind       string `json:"kind" check:"enum=audio|video" doc:"or all of a kind; default \"audio\""`
}

func mute(s *session, m *muteRequest) error {
	kind := ortc.Audio
	if m.Kind != "" {
		kind = ortc.MediaKind(m.Kind)
	}
	n, err := s.peer.Mute(m.PeerID, func(p *room.Producer) bool {
		if m.ProducerID != "" {
			return p.ID() == m.ProducerID
		}
		return p.Kind() == kind
	})
	if err == nil && n == 0 && m.ProducerID != "" {
		return &protocolError{NotFound, "producer \"" + signal.Clip(m.ProducerID) + "\" does not exist"}
	}
	return err
}

type pingRequest struct {
	RequestID string `json:"requestId" check:"max=64" doc:"comes back in pong"`
}

type pongMessage struct {
	Type      string `json:"type"`
	RequestID string `json:"requestId,omitempty"`
}

func ping(s *session, m *pingRequest) error {
	s.reply(pongMessage{"pong", m.RequestID})
	return nil
}

type byeRequest struct{}

func bye(s *session, _ *byeRequest) error {
	end := signal.End{Code: signal.CodeNormal, Reason: "bye"}
	s.call.detach(s, end) // at once: closing takes as long as the client lets it
	s.conn.Close(end.Code, end.Reason)
	return nil
}
