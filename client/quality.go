package client

import "context"

// Layers are a spatial and a temporal layer of video, from 0. Of simulcast the
// spatial layers are the encodings.
type Layers struct {
	Spatial  int `json:"spatialLayer"`
	Temporal int `json:"temporalLayer"`
}

// AllLayers is more than there is, and so all that there is.
var AllLayers = Layers{Spatial: 7, Temporal: 7}

// ConsumerScore is how well a consumer is served. Scores are 10, nothing is lost
// for good, to 0.
type ConsumerScore struct {
	Score          int   `json:"score"`         // of what the browser gets
	ProducerScore  int   `json:"producerScore"` // of the encoding that it is sent
	ProducerScores []int `json:"producerScores"`
}

// EncodingScore is how well an encoding of a producer arrives.
type EncodingScore struct {
	Encoding int    `json:"encodingIdx"`
	SSRC     uint32 `json:"ssrc"`
	RID      string `json:"rid,omitempty"`
	Score    int    `json:"score"` // 10, nothing is lost for good, to 0, nothing arrives
}

// SetConsumerPreferredLayers limits which layers of simulcast or SVC are sent to
// a browser; beyond what there is means the highest there is. It returns those in
// force, or nil for a consumer without layers. Codes: RoomNotFound, PeerNotFound,
// ConsumerNotFound, InvalidState.
func (c *Client) SetConsumerPreferredLayers(ctx context.Context, roomID, peerID, consumerID string, l Layers) (*Layers, error) {
	answer, err := answerOf[struct {
		PreferredLayers *Layers `json:"preferredLayers"`
	}](ctx, c, "setConsumerPreferredLayers", struct {
		consumerRef
		Layers
	}{consumerRef{roomID, peerID, consumerID}, l})
	return answer.PreferredLayers, err
}

// SetConsumerPriority says how important a consumer is among those of its
// transport, where the browser's line cannot carry all in full: 1, as to begin
// with, to 255, the most important. Codes: RoomNotFound, PeerNotFound,
// ConsumerNotFound, InvalidField, InvalidState.
func (c *Client) SetConsumerPriority(ctx context.Context, roomID, peerID, consumerID string, priority int) error {
	return c.Call(ctx, "setConsumerPriority", struct {
		consumerRef
		Priority int `json:"priority"`
	}{consumerRef{roomID, peerID, consumerID}, priority}, nil)
}

// ConsumerLayersChanged tells which layers a browser is sent from now on; nil is
// nothing. This and the next three come only with Options.Quality.
type ConsumerLayersChanged struct {
	RoomID     string  `json:"roomId"`
	PeerID     string  `json:"peerId"`
	ConsumerID string  `json:"consumerId"`
	ProducerID string  `json:"producerId"`
	Layers     *Layers `json:"layers"`
}

// ConsumerScored tells that a consumer is served better or worse.
type ConsumerScored struct {
	RoomID     string        `json:"roomId"`
	PeerID     string        `json:"peerId"`
	ConsumerID string        `json:"consumerId"`
	ProducerID string        `json:"producerId"`
	Score      ConsumerScore `json:"score"`
}

// ProducerScored tells that what a peer sends arrives better or worse, by
// encoding, of those that have ever come.
type ProducerScored struct {
	RoomID     string          `json:"roomId"`
	PeerID     string          `json:"peerId"`
	ProducerID string          `json:"producerId"`
	Scores     []EncodingScore `json:"score"`
}

// ProducerLayersWanted tells that the highest spatial layer of a video that
// anybody wants has changed; nil is none. It goes by what consumers prefer, not
// by what their lines carry now. The browser need not send more.
type ProducerLayersWanted struct {
	RoomID        string `json:"roomId"`
	PeerID        string `json:"peerId"`
	ProducerID    string `json:"producerId"`
	WantedSpatial *int   `json:"wantedSpatialLayer"`
}

func (ConsumerLayersChanged) event() {}
func (ConsumerScored) event()        {}
func (ProducerScored) event()        {}
func (ProducerLayersWanted) event()  {}
