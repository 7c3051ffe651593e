package client

import (
	"context"
	"encoding/json"
)

// RoomOptions are the properties of a new room. The zero value is good.
type RoomOptions struct {
	// MaxPeers is the most peers the room takes; 0 is the server's limit.
	MaxPeers int `json:"maxPeers,omitempty"`
	// Codecs are what may be sent in the room, preferred first; nil for the
	// server's: Opus, VP8, H264 and more.
	Codecs []Codec `json:"codecs,omitempty"`
}

// Codec is a codec that a room takes: mediasoup's RtpCodecCapability.
type Codec struct {
	Kind     MediaKind `json:"kind"`
	MimeType string    `json:"mimeType"` // like "video/VP8"
	// PreferredPayloadType is 0 to 127, or nil for any.
	PreferredPayloadType *uint8         `json:"preferredPayloadType,omitempty"`
	ClockRate            uint32         `json:"clockRate"`            // Hz
	Channels             uint8          `json:"channels,omitempty"`   // of audio
	Parameters           map[string]any `json:"parameters,omitempty"` // strings and integers, as in the SDP attribute fmtp
	RTCPFeedback         []RTCPFeedback `json:"rtcpFeedback,omitempty"`
}

// RTCPFeedback is a kind of feedback, as in the SDP attribute rtcp-fb (RFC 4585
// §4.2): type "nack", parameter "pli".
type RTCPFeedback struct {
	Type      string `json:"type"`
	Parameter string `json:"parameter,omitempty"`
}

type roomRef struct {
	RoomID string `json:"roomId"`
}

// CreateRoom makes a room, which stays until it is closed. Codes: RoomExists,
// LimitReached, InvalidParameters, Unsupported, ServerClosing.
func (c *Client) CreateRoom(ctx context.Context, roomID string, o RoomOptions) (RoomInfo, error) {
	return answerOf[RoomInfo](ctx, c, "createRoom", struct {
		roomRef
		Options RoomOptions `json:"options"`
	}{roomRef{roomID}, o})
}

// CloseRoom closes a room and everything in it. Codes: RoomNotFound.
func (c *Client) CloseRoom(ctx context.Context, roomID string) error {
	return c.Call(ctx, "closeRoom", roomRef{roomID}, nil)
}

// Room describes a room. The error is ErrNotFound if there is none.
func (c *Client) Room(ctx context.Context, roomID string) (RoomInfo, error) {
	return find[RoomInfo](ctx, c, "getRoomInfo", roomRef{roomID})
}

// Rooms describes all rooms that the key may see, in the order of their ids.
func (c *Client) Rooms(ctx context.Context) ([]RoomInfo, error) {
	answer, err := answerOf[struct {
		Rooms []RoomInfo `json:"rooms"`
	}](ctx, c, "getAllRooms", nil)
	return answer.Rooms, err
}

// RouterRTPCapabilities returns what a browser's mediasoup-client Device is loaded
// with. Codes: RoomNotFound.
func (c *Client) RouterRTPCapabilities(ctx context.Context, roomID string) (json.RawMessage, error) {
	answer, err := answerOf[struct {
		RTPCapabilities json.RawMessage `json:"rtpCapabilities"`
	}](ctx, c, "getRouterRtpCapabilities", roomRef{roomID})
	return answer.RTPCapabilities, err
}
