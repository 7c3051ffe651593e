package client

import "context"

// PeerOptions are the properties of a new peer. The zero value is good.
type PeerOptions struct {
	DisplayName string `json:"displayName,omitempty"` // what others see; at most 64 bytes
	Host        bool   `json:"host,omitempty"`        // whether the peer may remove and mute others
	AppData     any    `json:"appData,omitempty"`     // anything; it comes back in PeerInfo
}

type peerRef struct {
	RoomID string `json:"roomId"`
	PeerID string `json:"peerId"`
}

// AddPeer adds a participant to a room. Codes: RoomNotFound, PeerExists, RoomFull.
func (c *Client) AddPeer(ctx context.Context, roomID, peerID string, o PeerOptions) (PeerInfo, error) {
	return answerOf[PeerInfo](ctx, c, "addPeer", struct {
		peerRef
		Options PeerOptions `json:"options"`
	}{peerRef{roomID, peerID}, o})
}

// RemovePeer removes a participant and everything that is theirs. One who came
// through the call endpoint is told the reason and disconnected; an empty reason
// is "requested". Codes: RoomNotFound, PeerNotFound.
func (c *Client) RemovePeer(ctx context.Context, roomID, peerID, reason string) error {
	return c.Call(ctx, "removePeer", struct {
		peerRef
		Reason string `json:"reason,omitempty"`
	}{peerRef{roomID, peerID}, reason}, nil)
}

// Peer describes a participant. The error is ErrNotFound if there is none.
func (c *Client) Peer(ctx context.Context, roomID, peerID string) (PeerInfo, error) {
	return find[PeerInfo](ctx, c, "getPeerInfo", peerRef{roomID, peerID})
}
