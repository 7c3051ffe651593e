package takosapi

import (
	"encoding/json"

	"github.com/takoserver/takos-call/internal/room"
)

var peerCommands = []command{
	creates(define("addPeer", "Adds a participant to a room.", addPeer, RoomNotFound, PeerExists, RoomFull)),
	define("removePeer", "Removes a participant and everything that is theirs. One who came through the call "+
		"endpoint is told the reason and disconnected.", removePeer, RoomNotFound, PeerNotFound),
	reads(define("getPeerInfo", "Describes a participant; null if there is none.", getPeerInfo)),
}

type peerRef struct {
	roomRef
	PeerID string `json:"peerId" check:"id" doc:"the peer's id"`
}

type peerOptions struct {
	DisplayName string          `json:"displayName" check:"chars=64" doc:"what others see"`
	Host        bool            `json:"host" doc:"whether the peer may remove and mute others"`
	AppData     json.RawMessage `json:"appData" doc:"anything; it comes back in PeerInfo"`
}

type addPeerRequest struct {
	peerRef
	Options peerOptions `json:"options" check:"nested" doc:"the peer's properties"`
}

func addPeer(c *caller, q *addPeerRequest) (PeerInfo, error) {
	r, err := c.room(q.RoomID)
	if err != nil {
		return PeerInfo{}, err
	}
	p, err := r.AddPeer(q.PeerID, room.PeerOptions{
		DisplayName: q.Options.DisplayName, Host: q.Options.Host, AppData: appData(q.Options.AppData),
	})
	if err != nil {
		return PeerInfo{}, err
	}
	return peerInfo(p.Snapshot()), nil
}

// appData keeps absent data absent: a nil json.RawMessage in an interface is
// not nil.
func appData(data json.RawMessage) any {
	if len(data) == 0 {
		return nil
	}
	return data
}

type removePeerRequest struct {
	peerRef
	Reason string `json:"reason" check:"max=100" doc:"for the one removed, and in peerClosed; default \"requested\""`
}

func removePeer(c *caller, q *removePeerRequest) (none, error) {
	p, err := c.peer(q.peerRef)
	if err != nil {
		return none{}, err
	}
	if q.Reason == "" {
		q.Reason = room.ReasonRequested
	}
	p.Remove(q.Reason)
	return none{}, nil
}

func getPeerInfo(c *caller, q *peerRef) (*PeerInfo, error) {
	p, err := c.peer(*q)
	if err != nil {
		return nil, unlessMissing(err)
	}
	info := peerInfo(p.Snapshot())
	return &info, nil
}
