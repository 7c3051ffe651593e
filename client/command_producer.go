package client

import (
	"context"
	"encoding/json"
)

// ProducerOptions are the properties of a new producer.
type ProducerOptions struct {
	Kind MediaKind `json:"kind"` // required
	// RTPParameters are what the browser's transport gave with its produce
	// event; required.
	RTPParameters json.RawMessage `json:"rtpParameters"`
	Paused        bool            `json:"paused,omitempty"`  // whether to begin paused
	Source        string          `json:"source,omitempty"`  // "mic", "camera", "screen" or any text of at most 64 bytes
	AppData       any             `json:"appData,omitempty"` // anything; it comes back in ProducerInfo
}

type producerRef struct {
	RoomID     string `json:"roomId"`
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
}

// CreateProducer takes in media that a browser sends over a sending transport.
// Codes: RoomNotFound, PeerNotFound, TransportNotFound, WrongDirection,
// LimitReached, InvalidParameters, Unsupported, InvalidState.
func (c *Client) CreateProducer(ctx context.Context, roomID, peerID, transportID string, o ProducerOptions) (ProducerInfo, error) {
	return answerOf[ProducerInfo](ctx, c, "createProducer", struct {
		transportRef
		ProducerOptions
	}{transportRef{roomID, peerID, transportID}, o})
}

// PauseProducer stops a producer from being forwarded. This and the following
// have the codes RoomNotFound, PeerNotFound and ProducerNotFound.
func (c *Client) PauseProducer(ctx context.Context, roomID, peerID, producerID string) error {
	return c.Call(ctx, "pauseProducer", producerRef{roomID, peerID, producerID}, nil)
}

// ResumeProducer forwards a producer again.
func (c *Client) ResumeProducer(ctx context.Context, roomID, peerID, producerID string) error {
	return c.Call(ctx, "resumeProducer", producerRef{roomID, peerID, producerID}, nil)
}

// MuteProducer pauses a producer and lets its owner know, who may resume it.
func (c *Client) MuteProducer(ctx context.Context, roomID, peerID, producerID string) error {
	return c.Call(ctx, "muteProducer", producerRef{roomID, peerID, producerID}, nil)
}

// CloseProducer closes a producer and its consumers.
func (c *Client) CloseProducer(ctx context.Context, roomID, peerID, producerID string) error {
	return c.Call(ctx, "closeProducer", producerRef{roomID, peerID, producerID}, nil)
}

// Producer describes a producer. The error is ErrNotFound if there is none.
func (c *Client) Producer(ctx context.Context, roomID, peerID, producerID string) (ProducerInfo, error) {
	return find[ProducerInfo](ctx, c, "getProducerInfo", producerRef{roomID, peerID, producerID})
}

// ProducerStats returns the figures of each stream of a producer that has arrived.
func (c *Client) ProducerStats(ctx context.Context, roomID, peerID, producerID string) ([]StreamStats, error) {
	answer, err := answerOf[figures[StreamStats]](ctx, c, "getProducerStats", producerRef{roomID, peerID, producerID})
	return answer.Stats, err
}
