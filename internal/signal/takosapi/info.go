package takosapi

import (
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

// RoomInfo describes a room and all that is in it.
type RoomInfo struct {
	ID       string              `json:"id" doc:"the room's id"`
	Peers    map[string]PeerInfo `json:"peers" doc:"by peer id"`
	MaxPeers int                 `json:"maxPeers" doc:"the most peers the room takes"`
}

// PeerInfo describes a participant.
type PeerInfo struct {
	ID          string                   `json:"id" doc:"the peer's id"`
	DisplayName string                   `json:"displayName,omitempty" doc:"what others see"`
	Host        bool                     `json:"host" doc:"may remove and mute others"`
	AppData     any                      `json:"appData,omitempty" doc:"what was given to addPeer"`
	Transports  map[string]TransportInfo `json:"transports" doc:"by transport id"`
	Producers   map[string]ProducerInfo  `json:"producers" doc:"by producer id"`
	Consumers   map[string]ConsumerInfo  `json:"consumers" doc:"by consumer id"`

	DataProducers map[string]DataProducerInfo `json:"dataProducers,omitempty" doc:"by data producer id"`
	DataConsumers map[string]DataConsumerInfo `json:"dataConsumers,omitempty" doc:"by data consumer id"`
}

// TransportInfo describes a transport. Its first five fields are what
// mediasoup-client's createSendTransport and createRecvTransport take.
type TransportInfo struct {
	ID             string         `json:"id" doc:"the transport's id"`
	ICEParameters  any            `json:"iceParameters" doc:"{usernameFragment, password, iceLite}"`
	ICECandidates  any            `json:"iceCandidates" doc:"[{foundation, priority, ip, address, protocol, port, type}]"`
	DTLSParameters any            `json:"dtlsParameters" doc:"{role, fingerprints}"`
	SCTPParameters any            `json:"sctpParameters" doc:"{port, OS, MIS, maxMessageSize, …}; null without enableSctp"`
	Direction      room.Direction `json:"direction" doc:"\"send\" or \"recv\", seen from the client; \"sendrecv\" of one that a command of objects has made"`
	Type           string         `json:"type,omitempty" doc:"plain or direct, of what is none of WebRTC and has none of these parameters and states"`
	ICEState       string         `json:"iceState" doc:"new, connected, completed, disconnected or closed"`
	DTLSState      string         `json:"dtlsState" doc:"new, connecting, connected, failed or closed"`
	AppData        any            `json:"appData,omitempty" doc:"what was given to createTransport"`
}

// ProducerInfo describes media that a peer sends.
type ProducerInfo struct {
	ID            string             `json:"id" doc:"the producer's id"`
	Kind          ortc.MediaKind     `json:"kind" doc:"\"audio\" or \"video\""`
	RTPParameters ortc.RTPParameters `json:"rtpParameters" doc:"as mediasoup's"`
	Type          ortc.ProducerType  `json:"type" doc:"simple, simulcast or svc"`
	Paused        bool               `json:"paused" doc:"whether it is forwarded to nobody"`
	Score         []EncodingScore    `json:"score" doc:"how well the encodings arrive, of those that have ever come"`
	Source        string             `json:"source,omitempty" doc:"what the sender says it is"`
	AppData       any                `json:"appData,omitempty" doc:"what was given to createProducer"`

	WantedSpatialLayer any `json:"wantedSpatialLayer,omitempty" doc:"of video, as the event producerLayersWanted told last: from 0, or null"`
}

// ConsumerInfo describes media that a peer gets.
type ConsumerInfo struct {
	ID              string             `json:"id" doc:"the consumer's id"`
	ProducerID      string             `json:"producerId" doc:"where the media comes from"`
	Kind            ortc.MediaKind     `json:"kind" doc:"\"audio\" or \"video\""`
	RTPParameters   ortc.RTPParameters `json:"rtpParameters" doc:"as mediasoup's"`
	Type            ortc.ProducerType  `json:"type" doc:"simple, simulcast or svc"`
	Paused          bool               `json:"paused" doc:"whether the consumer is paused"`
	ProducerPaused  bool               `json:"producerPaused" doc:"whether its producer is"`
	Score           ConsumerScore      `json:"score" doc:"how well it is served"`
	PreferredLayers *Layers            `json:"preferredLayers,omitempty" doc:"the highest that are sent, of simulcast or SVC"`
	CurrentLayers   *Layers            `json:"currentLayers,omitempty" doc:"those that are sent now, of simulcast or SVC"`
	Priority        int                `json:"priority" doc:"among the consumers of its transport, 1 to 255, the most important"`
	AppData         any                `json:"appData,omitempty" doc:"what was given to createConsumer"`
}

func roomInfo(s room.Snapshot) RoomInfo {
	info := RoomInfo{ID: s.Room.ID(), MaxPeers: s.Room.MaxPeers(), Peers: make(map[string]PeerInfo, len(s.Peers))}
	for _, p := range s.Peers {
		info.Peers[p.Peer.ID()] = peerInfo(p)
	}
	return info
}

func peerInfo(s room.PeerSnapshot) PeerInfo {
	info := PeerInfo{
		ID: s.Peer.ID(), DisplayName: s.Peer.DisplayName(), Host: s.Peer.Host(), AppData: s.Peer.AppData(),
		Transports: make(map[string]TransportInfo, len(s.Transports)),
		Producers:  make(map[string]ProducerInfo, len(s.Producers)),
		Consumers:  make(map[string]ConsumerInfo, len(s.Consumers)),

		DataProducers: make(map[string]DataProducerInfo, len(s.DataProducers)),
		DataConsumers: make(map[string]DataConsumerInfo, len(s.DataConsumers)),
	}
	for _, t := range s.Transports {
		info.Transports[t.ID()] = transportInfo(t)
	}
	for _, p := range s.Producers {
		info.Producers[p.ID()] = producerInfo(p)
	}
	for _, c := range s.Consumers {
		info.Consumers[c.ID()] = consumerInfo(c)
	}
	for _, p := range s.DataProducers {
		info.DataProducers[p.ID()] = dataProducerInfo(p)
	}
	for _, c := range s.DataConsumers {
		info.DataConsumers[c.ID()] = dataConsumerInfo(c)
	}
	return info
}

func transportInfo(t *room.Transport) TransportInfo {
	info := TransportInfo{ID: t.ID(), Direction: t.Direction(), AppData: t.AppData()}
	w := t.WebRTC()
	if w == nil {
		info.Type = string(t.Media().Type())
		return info
	}
	info.ICEParameters, info.ICECandidates, info.DTLSParameters = w.ICEParameters(), w.ICECandidates(), w.DTLSParameters()
	info.ICEState, info.DTLSState = string(w.ICEState()), string(w.DTLSState())
	if p := w.SCTPParameters(); p != nil {
		info.SCTPParameters = p
	}
	return info
}

func producerInfo(p *room.Producer) ProducerInfo {
	info := ProducerInfo{
		ID: p.ID(), Kind: p.Kind(), RTPParameters: p.RTPParameters(), Type: p.Type(),
		Paused: p.Paused(), Score: encodingScoresOf(p.Score()), Source: p.Source(), AppData: p.AppData(),
	}
	if info.Kind == ortc.Video {
		info.WantedSpatialLayer = p.WantedSpatial()
	}
	return info
}

func consumerInfo(c *room.Consumer) ConsumerInfo {
	info := ConsumerInfo{
		ID: c.ID(), ProducerID: c.ProducerID(), Kind: c.Kind(), RTPParameters: c.RTPParameters(),
		Type: c.Type(), Paused: c.Paused(), ProducerPaused: c.ProducerPaused(),
		Score: consumerScoreOf(c.Score()), PreferredLayers: preferredLayers(c), Priority: c.Priority(), AppData: c.AppData(),
	}
	if l, sent := c.CurrentLayers(); sent {
		info.CurrentLayers = layersOf(l)
	}
	return info
}

// preferredLayers is nil for a consumer without layers.
func preferredLayers(c *room.Consumer) *Layers {
	if l, layered := c.PreferredLayers(); layered {
		return layersOf(l)
	}
	return nil
}
