package takoscall

import (
	"strings"

	"github.com/takoserver/takos-call/internal/room"
)

// wishes are the news that come only to clients that have asked for them when
// they connected: there are many, and older clients have no use for them.
type wishes struct{ layers, consumerScores, producerScores, layersWanted bool }

// wishesOf reads the query parameter events: names with commas between them.
// Those that are unknown may be of newer servers.
func wishesOf(events string) (w wishes) {
	for name := range strings.SplitSeq(events, ",") {
		switch room.EventType(name) {
		case room.ConsumerLayersChanged:
			w.layers = true
		case room.ConsumerScored:
			w.consumerScores = true
		case room.ProducerScored:
			w.producerScores = true
		case room.ProducerLayersWanted:
			w.layersWanted = true
		}
	}
	return w
}

type (
	// layersInfo is layers with mediasoup's names.
	layersInfo struct {
		SpatialLayer  uint8 `json:"spatialLayer"`
		TemporalLayer uint8 `json:"temporalLayer"`
	}
	layersMessage struct {
		Type       string      `json:"type"`
		ConsumerID string      `json:"consumerId"`
		ProducerID string      `json:"producerId"`
		Layers     *layersInfo `json:"layers"`
	}
	consumerScoreMessage struct {
		Type       string            `json:"type"`
		ConsumerID string            `json:"consumerId"`
		ProducerID string            `json:"producerId"`
		Score      consumerScoreInfo `json:"score"`
	}
	consumerScoreInfo struct {
		Score          int   `json:"score"`
		ProducerScore  int   `json:"producerScore"`
		ProducerScores []int `json:"producerScores"`
	}
	producerScoreMessage struct {
		Type       string               `json:"type"`
		ProducerID string               `json:"producerId"`
		Score      []room.EncodingScore `json:"score"`
	}
	layersWantedMessage struct {
		Type               string `json:"type"`
		ProducerID         string `json:"producerId"`
		WantedSpatialLayer *uint8 `json:"wantedSpatialLayer"`
	}
)

func layersInfoOf(l *room.Layer) *layersInfo {
	if l == nil {
		return nil
	}
	return &layersInfo{l.Spatial, l.Temporal}
}

// quality tells of an event about the client's own media, if that is wanted.
func (s *session) quality(e room.Event) {
	switch {
	case e.Type == room.ConsumerLayersChanged && s.wishes.layers:
		s.tell(encode(layersMessage{string(e.Type), e.Consumer.ID(), e.Consumer.ProducerID(), layersInfoOf(e.Layers)}))
	case e.Type == room.ConsumerScored && s.wishes.consumerScores:
		score := consumerScoreInfo{int(e.ConsumerScore.Score), int(e.ConsumerScore.ProducerScore), []int{}}
		for _, each := range e.ConsumerScore.ProducerScores {
			score.ProducerScores = append(score.ProducerScores, int(each))
		}
		s.tell(encode(consumerScoreMessage{string(e.Type), e.Consumer.ID(), e.Consumer.ProducerID(), score}))
	case e.Type == room.ProducerScored && s.wishes.producerScores:
		s.tell(encode(producerScoreMessage{string(e.Type), e.Producer.ID(), e.EncodingScores}))
	case e.Type == room.ProducerLayersWanted && s.wishes.layersWanted:
		s.tell(encode(layersWantedMessage{string(e.Type), e.Producer.ID(), e.WantedSpatial}))
	}
}

// layersRequest is the highest layers that a client wants.
type layersRequest struct {
	SpatialLayer  *uint8 `json:"spatialLayer" check:"required,max=7" doc:"the highest wanted, from 0; beyond what there is means the highest there is"`
	TemporalLayer *uint8 `json:"temporalLayer" check:"max=7" doc:"likewise; default the highest there is"`
}

// layer is what was asked for, nil for nothing.
func (q layersRequest) layer() *room.Layer {
	if q.SpatialLayer == nil {
		return nil
	}
	l := room.Layer{Spatial: *q.SpatialLayer, Temporal: 255}
	if q.TemporalLayer != nil {
		l.Temporal = *q.TemporalLayer
	}
	return &l
}

type preferredLayersRequest struct {
	consumerRequest
	layersRequest
}

func setPreferredLayers(s *session, m *preferredLayersRequest) error {
	c, err := s.peer.Consumer(m.ConsumerID)
	if err != nil {
		return err
	}
	return c.SetPreferredLayers(*m.layer())
}

type priorityRequest struct {
	consumerRequest
	Priority int `json:"priority" check:"required,min=1,max=255" doc:"1, as to begin with, to 255, the most important"`
}

func setPriority(s *session, m *priorityRequest) error {
	c, err := s.peer.Consumer(m.ConsumerID)
	if err != nil {
		return err
	}
	return c.SetPriority(m.Priority)
}
