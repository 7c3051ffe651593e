package client

import (
	"context"
	"encoding/json"
)

// TransportOptions are the properties of a new transport. The zero value is good.
type TransportOptions struct {
	// MaxIncomingBitrate is what the browser is asked to send at most, in bit/s;
	// 0 is no limit.
	MaxIncomingBitrate int `json:"maxIncomingBitrate,omitempty"`
	// InitialOutgoingBitrate is what the browser's line is taken to carry at
	// first, Min and MaxOutgoingBitrate limit what it is sent, in bit/s; 0 is the
	// default.
	InitialOutgoingBitrate int `json:"initialAvailableOutgoingBitrate,omitempty"`
	MinOutgoingBitrate     int `json:"minOutgoingBitrate,omitempty"`
	MaxOutgoingBitrate     int `json:"maxOutgoingBitrate,omitempty"`
	// EnableUDP and EnableTCP are whether the browser may use these; nil is yes.
	EnableUDP   *bool `json:"enableUdp,omitempty"`
	EnableTCP   *bool `json:"enableTcp,omitempty"`
	PreferTCP   bool  `json:"preferTcp,omitempty"` // TCP before UDP
	SCTPOptions       // data channels
	AppData     any   `json:"appData,omitempty"` // anything; it comes back in TransportInfo
}

type transportRef struct {
	RoomID      string `json:"roomId"`
	PeerID      string `json:"peerId"`
	TransportID string `json:"transportId"`
}

type bitrateRequest struct {
	transportRef
	Bitrate int `json:"bitrate"`
}

// CreateTransport makes a WebRTC transport for a peer. What it returns is handed
// to the browser's createSendTransport or createRecvTransport. Codes:
// RoomNotFound, PeerNotFound, LimitReached.
func (c *Client) CreateTransport(ctx context.Context, roomID, peerID string, d Direction, o TransportOptions) (TransportInfo, error) {
	return answerOf[TransportInfo](ctx, c, "createTransport", struct {
		peerRef
		Direction Direction        `json:"direction"`
		Options   TransportOptions `json:"options"`
	}{peerRef{roomID, peerID}, d, o})
}

// ConnectTransport hands over the DTLS parameters that the browser's transport
// gave with its connect event. It works once per transport. Codes: RoomNotFound,
// PeerNotFound, TransportNotFound, InvalidParameters, InvalidState.
func (c *Client) ConnectTransport(ctx context.Context, roomID, peerID, transportID string, dtlsParameters json.RawMessage) error {
	return c.Call(ctx, "connectTransport", struct {
		transportRef
		DTLSParameters json.RawMessage `json:"dtlsParameters"`
	}{transportRef{roomID, peerID, transportID}, dtlsParameters}, nil)
}

// RestartICE makes new ICE parameters, to be handed to restartIce of the browser's
// transport. Codes: RoomNotFound, PeerNotFound, TransportNotFound.
func (c *Client) RestartICE(ctx context.Context, roomID, peerID, transportID string) (iceParameters json.RawMessage, err error) {
	answer, err := answerOf[struct {
		ICEParameters json.RawMessage `json:"iceParameters"`
	}](ctx, c, "restartIce", transportRef{roomID, peerID, transportID})
	return answer.ICEParameters, err
}

// SetMaxIncomingBitrate limits what the browser is asked to send over a transport,
// in bit/s; 0 is no limit. Codes: RoomNotFound, PeerNotFound, TransportNotFound.
func (c *Client) SetMaxIncomingBitrate(ctx context.Context, roomID, peerID, transportID string, bitrate int) error {
	return c.Call(ctx, "setMaxIncomingBitrate", bitrateRequest{transportRef{roomID, peerID, transportID}, bitrate}, nil)
}

// SetMaxOutgoingBitrate limits what the browser is sent over a transport, in
// bit/s; 0 is no limit. Codes: RoomNotFound, PeerNotFound, TransportNotFound,
// InvalidParameters.
func (c *Client) SetMaxOutgoingBitrate(ctx context.Context, roomID, peerID, transportID string, bitrate int) error {
	return c.Call(ctx, "setMaxOutgoingBitrate", bitrateRequest{transportRef{roomID, peerID, transportID}, bitrate}, nil)
}

// SetMinOutgoingBitrate has so much sent over a transport, in bit/s, however
// narrow its line seems; 0 is the default. Codes: RoomNotFound, PeerNotFound,
// TransportNotFound, InvalidParameters.
func (c *Client) SetMinOutgoingBitrate(ctx context.Context, roomID, peerID, transportID string, bitrate int) error {
	return c.Call(ctx, "setMinOutgoingBitrate", bitrateRequest{transportRef{roomID, peerID, transportID}, bitrate}, nil)
}

// CloseTransport closes a transport, its producers and its consumers. Codes:
// RoomNotFound, PeerNotFound, TransportNotFound.
func (c *Client) CloseTransport(ctx context.Context, roomID, peerID, transportID string) error {
	return c.Call(ctx, "closeTransport", transportRef{roomID, peerID, transportID}, nil)
}

// Transport describes a transport. The error is ErrNotFound if there is none.
func (c *Client) Transport(ctx context.Context, roomID, peerID, transportID string) (TransportInfo, error) {
	return find[TransportInfo](ctx, c, "getTransportInfo", transportRef{roomID, peerID, transportID})
}

// TransportStats returns the figures of a transport. Codes: RoomNotFound,
// PeerNotFound, TransportNotFound.
func (c *Client) TransportStats(ctx context.Context, roomID, peerID, transportID string) ([]TransportStats, error) {
	answer, err := answerOf[figures[TransportStats]](ctx, c, "getTransportStats", transportRef{roomID, peerID, transportID})
	return answer.Stats, err
}
