package client

import (
	"context"
	"encoding/json"
)

// ConsumerOptions are the properties of a new consumer.
type ConsumerOptions struct {
	ProducerID string `json:"producerId"` // where the media comes from; required
	// RTPCapabilities are those of the browser's Device; required.
	RTPCapabilities json.RawMessage `json:"rtpCapabilities"`
	Paused          bool            `json:"paused,omitempty"` // whether to begin paused
	// PreferredLayers are the highest wanted, of simulcast or SVC; nil is all.
	PreferredLayers *Layers `json:"preferredLayers,omitempty"`
	AppData         any     `json:"appData,omitempty"` // anything; it comes back in ConsumerInfo
}

type consumerRef struct {
	RoomID     string `json:"roomId"`
	PeerID     string `json:"peerId"`
	ConsumerID string `json:"consumerId"`
}

// CreateConsumer sends a producer of the room to a browser over a receiving
// transport, at once unless it begins paused. What it returns is handed to the
// consume method of the browser's transport. Codes: RoomNotFound, PeerNotFound,
// TransportNotFound, ProducerNotFound, WrongDirection, LimitReached,
// ConsumerError, InvalidParameters.
func (c *Client) CreateConsumer(ctx context.Context, roomID, peerID, transportID string, o ConsumerOptions) (ConsumerInfo, error) {
	return answerOf[ConsumerInfo](ctx, c, "createConsumer", struct {
		transportRef
		ConsumerOptions
	}{transportRef{roomID, peerID, transportID}, o})
}

// PauseConsumer stops sending to the browser. This and the following have the
// codes RoomNotFound, PeerNotFound and ConsumerNotFound.
func (c *Client) PauseConsumer(ctx context.Context, roomID, peerID, consumerID string) error {
	return c.Call(ctx, "pauseConsumer", consumerRef{roomID, peerID, consumerID}, nil)
}

// ResumeConsumer sends to the browser again; video begins with a keyframe.
func (c *Client) ResumeConsumer(ctx context.Context, roomID, peerID, consumerID string) error {
	return c.Call(ctx, "resumeConsumer", consumerRef{roomID, peerID, consumerID}, nil)
}

// RequestKeyFrame asks the producer of a video consumer for a keyframe.
func (c *Client) RequestKeyFrame(ctx context.Context, roomID, peerID, consumerID string) error {
	return c.Call(ctx, "requestKeyFrame", consumerRef{roomID, peerID, consumerID}, nil)
}

// CloseConsumer closes a consumer.
func (c *Client) CloseConsumer(ctx context.Context, roomID, peerID, consumerID string) error {
	return c.Call(ctx, "closeConsumer", consumerRef{roomID, peerID, consumerID}, nil)
}

// Consumer describes a consumer. The error is ErrNotFound if there is none.
func (c *Client) Consumer(ctx context.Context, roomID, peerID, consumerID string) (ConsumerInfo, error) {
	return find[ConsumerInfo](ctx, c, "getConsumerInfo", consumerRef{roomID, peerID, consumerID})
}

// ConsumerStats returns the figures of what is sent to the browser and, behind
// it, of what the producer sends.
func (c *Client) ConsumerStats(ctx context.Context, roomID, peerID, consumerID string) ([]StreamStats, error) {
	answer, err := answerOf[figures[StreamStats]](ctx, c, "getConsumerStats", consumerRef{roomID, peerID, consumerID})
	return answer.Stats, err
}
