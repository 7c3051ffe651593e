package client

import (
	"context"
	"slices"
)

// subscription is the data of the command subscribe: room ids, or "*".
type subscription struct {
	RoomIDs     any  `json:"roomIds"`
	AudioLevels bool `json:"audioLevels,omitempty"`
	Quality     bool `json:"quality,omitempty"`
}

// Subscribe chooses the rooms whose events come, in place of those chosen before;
// none for no events. The rooms need not exist. The choice holds for connections
// that are opened later. Codes: Forbidden.
func (c *Client) Subscribe(ctx context.Context, roomIDs ...string) error {
	rooms := append([]string{}, roomIDs...)
	return c.call(ctx, "subscribe", c.wish(rooms), nil, func() { c.setSubscription(rooms) })
}

// SubscribeAll chooses the events of all rooms that the key may see, which is the
// default.
func (c *Client) SubscribeAll(ctx context.Context) error {
	return c.call(ctx, "subscribe", c.wish("*"), nil, func() { c.setSubscription(nil) })
}

// wish is the subscription to those rooms.
func (c *Client) wish(rooms any) subscription {
	return subscription{rooms, c.options.AudioLevels, c.options.Quality}
}

func (c *Client) setSubscription(rooms []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms = rooms
}

// subscription returns what is wanted, and whether it is not what the server
// takes it to be at the beginning of a connection.
func (c *Client) subscription() (s subscription, needed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s = c.wish("*")
	if c.rooms != nil {
		s.RoomIDs = slices.Clone(c.rooms)
	}
	return s, c.rooms != nil || s.AudioLevels || s.Quality
}

// ServerInfo describes the server.
type ServerInfo struct {
	Version       string `json:"version"`
	UptimeSeconds int64  `json:"uptimeSeconds"`
	Rooms         int    `json:"rooms"`
	Peers         int    `json:"peers"`
	Transports    int    `json:"transports"`
	Producers     int    `json:"producers"`
	Consumers     int    `json:"consumers"`
	Draining      bool   `json:"draining"` // whether it is about to end
	Limits        Limits `json:"limits"`
}

// Limits are what the server allows.
type Limits struct {
	Rooms             int   `json:"rooms"`
	PeersPerRoom      int   `json:"peersPerRoom"`
	TransportsPerPeer int   `json:"transportsPerPeer"`
	ProducersPerPeer  int   `json:"producersPerPeer"`
	ConsumersPerPeer  int   `json:"consumersPerPeer"`
	MessageBytes      int64 `json:"messageBytes"` // of one command
}

// ServerInfo describes the server.
func (c *Client) ServerInfo(ctx context.Context) (ServerInfo, error) {
	return answerOf[ServerInfo](ctx, c, "getServerInfo", nil)
}
