package takosapi

import "github.com/takoserver/takos-call/internal/room"

// Layers are a spatial and a temporal layer of video.
type Layers struct {
	SpatialLayer  int `json:"spatialLayer" doc:"from 0, the smallest; of simulcast these are the encodings"`
	TemporalLayer int `json:"temporalLayer" doc:"from 0, the fewest frames a second"`
}

// ConsumerScore is how well a consumer is served. Scores are 10, nothing is lost
// for good, to 0.
type ConsumerScore struct {
	Score          int   `json:"score" doc:"of what the client gets: 10, nothing is lost for good, to 0"`
	ProducerScore  int   `json:"producerScore" doc:"of what the encoding that it is sent is made from"`
	ProducerScores []int `json:"producerScores" doc:"of all encodings"`
}

// EncodingScore is how well an encoding of a producer arrives.
type EncodingScore struct {
	EncodingIdx int    `json:"encodingIdx" doc:"from 0, in the order of rtpParameters.encodings"`
	SSRC        int64  `json:"ssrc" doc:"of the stream"`
	RID         string `json:"rid,omitempty" doc:"if it has one"`
	Score       int    `json:"score" doc:"10, nothing is lost for good, to 0, nothing arrives"`
}

func layersOf(l room.Layer) *Layers { return &Layers{int(l.Spatial), int(l.Temporal)} }

func consumerScoreOf(s room.ConsumerScore) ConsumerScore {
	made := ConsumerScore{int(s.Score), int(s.ProducerScore), make([]int, len(s.ProducerScores))}
	for i, score := range s.ProducerScores {
		made.ProducerScores[i] = int(score)
	}
	return made
}

func encodingScoresOf(list []room.EncodingScore) []EncodingScore {
	made := make([]EncodingScore, len(list))
	for i, s := range list {
		made[i] = EncodingScore{s.Encoding, int64(s.SSRC), s.RID, int(s.Score)}
	}
	return made
}

// layersRequest is the highest layers that a client wants.
type layersRequest struct {
	SpatialLayer  *uint8 `json:"spatialLayer" check:"required,max=7" doc:"the highest wanted; beyond what there is means the highest there is"`
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
