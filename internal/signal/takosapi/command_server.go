package takosapi

import (
	"encoding/json"
	"time"
)

var serverCommands = []command{
	reads(define("subscribe", "Chooses the rooms whose events this connection gets. Without it these are all within the scope of the key.",
		subscribe, NeedsConnection)),
	reads(define("getServerInfo", "Describes the server.", getServerInfo)),
}

type subscribeRequest struct {
	RoomIDs     json.RawMessage `json:"roomIds" check:"required" doc:"an array of room ids, or \"*\" for all"`
	AudioLevels bool            `json:"audioLevels" doc:"whether audioLevels are wanted, too; there are many"`
	Quality     bool            `json:"quality" doc:"whether consumerLayersChanged, consumerScore, producerScore and producerLayersWanted are wanted, too; likewise"`
}

// maxSubscriptions bounds what one connection makes the server remember.
const maxSubscriptions = 10000

func subscribe(c *caller, q *subscribeRequest) (none, error) {
	if c.session == nil {
		return none{}, errorf(NeedsConnection, "subscribe needs a WebSocket, over which events could come")
	}
	var all string
	if json.Unmarshal(q.RoomIDs, &all) == nil && all == "*" {
		c.session.subscribe(subscription{nil, q.AudioLevels, q.Quality})
		return none{}, nil
	}
	var ids []string
	if err := json.Unmarshal(q.RoomIDs, &ids); err != nil {
		return none{}, errorf(InvalidField, `roomIds must be an array of strings or "*"`)
	}
	if len(ids) > maxSubscriptions {
		return none{}, errorf(InvalidField, "roomIds has %d elements; %d is the most", len(ids), maxSubscriptions)
	}
	rooms := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		if err := c.mayUse(id); err != nil {
			return none{}, err
		}
		rooms[id] = struct{}{}
	}
	c.session.subscribe(subscription{rooms, q.AudioLevels, q.Quality})
	return none{}, nil
}

// ServerInfo is the answer of getServerInfo.
type ServerInfo struct {
	Version       string     `json:"version" doc:"of takos-call"`
	UptimeSeconds int64      `json:"uptimeSeconds" doc:"since the start"`
	Rooms         int        `json:"rooms" doc:"that there are"`
	Peers         int        `json:"peers" doc:"that there are"`
	Transports    int        `json:"transports" doc:"that there are"`
	Producers     int        `json:"producers" doc:"that there are"`
	Consumers     int        `json:"consumers" doc:"that there are"`
	Draining      bool       `json:"draining" doc:"whether the server is about to end"`
	Limits        LimitsInfo `json:"limits" doc:"what the server allows"`
}

// LimitsInfo is the server's limits.
type LimitsInfo struct {
	Rooms             int   `json:"rooms" doc:"on the server"`
	PeersPerRoom      int   `json:"peersPerRoom" doc:"and the most that createRoom can ask for"`
	TransportsPerPeer int   `json:"transportsPerPeer" doc:"send and recv together"`
	ProducersPerPeer  int   `json:"producersPerPeer" doc:"of all transports"`
	ConsumersPerPeer  int   `json:"consumersPerPeer" doc:"of all transports"`
	MessageBytes      int64 `json:"messageBytes" doc:"of a message or an HTTP body"`
}

func getServerInfo(c *caller, _ *none) (ServerInfo, error) {
	s, l := c.door.rooms.Stats(), c.door.rooms.Limits()
	return ServerInfo{
		Version: c.door.version, UptimeSeconds: int64(time.Since(c.door.started).Seconds()),
		Rooms: s.Rooms, Peers: s.Peers, Transports: s.Transports, Producers: s.Producers, Consumers: s.Consumers,
		Draining: c.door.rooms.Draining(),
		Limits: LimitsInfo{
			l.Rooms, l.PeersPerRoom, l.TransportsPerPeer, l.ProducersPerPeer, l.ConsumersPerPeer, c.door.limits.MessageBytes,
		},
	}, nil
}
