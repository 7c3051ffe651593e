package client

import "encoding/json"

// MediaKind tells audio from video.
type MediaKind string

// The kinds of media.
const (
	Audio MediaKind = "audio"
	Video MediaKind = "video"
)

// Direction is which way a transport carries media, seen from the browser.
type Direction string

// The directions.
const (
	Send    Direction = "send" // for producers
	Receive Direction = "recv" // for consumers
)

// RoomInfo describes a room and all that is in it.
type RoomInfo struct {
	ID       string              `json:"id"`
	Peers    map[string]PeerInfo `json:"peers"` // by id
	MaxPeers int                 `json:"maxPeers"`
}

// PeerInfo describes a participant.
type PeerInfo struct {
	ID          string                   `json:"id"`
	DisplayName string                   `json:"displayName,omitempty"`
	Host        bool                     `json:"host"` // may remove and mute others
	AppData     json.RawMessage          `json:"appData,omitempty"`
	Transports  map[string]TransportInfo `json:"transports"` // by id
	Producers   map[string]ProducerInfo  `json:"producers"`  // by id
	Consumers   map[string]ConsumerInfo  `json:"consumers"`  // by id

	DataProducers map[string]DataProducerInfo `json:"dataProducers,omitempty"` // by id
	DataConsumers map[string]DataConsumerInfo `json:"dataConsumers,omitempty"` // by id
}

// TransportInfo describes a transport. Encoded as JSON it is what
// mediasoup-client's createSendTransport and createRecvTransport take.
type TransportInfo struct {
	ID             string          `json:"id"`
	ICEParameters  json.RawMessage `json:"iceParameters"`
	ICECandidates  json.RawMessage `json:"iceCandidates"`
	DTLSParameters json.RawMessage `json:"dtlsParameters"`
	SCTPParameters json.RawMessage `json:"sctpParameters"`
	Direction      Direction       `json:"direction"`
	ICEState       string          `json:"iceState"`  // new, connected, completed, disconnected or closed
	DTLSState      string          `json:"dtlsState"` // new, connecting, connected, failed or closed
	AppData        json.RawMessage `json:"appData,omitempty"`
}

// ProducerInfo describes media that a peer sends.
type ProducerInfo struct {
	ID            string          `json:"id"`
	Kind          MediaKind       `json:"kind"`
	RTPParameters json.RawMessage `json:"rtpParameters"`
	Type          string          `json:"type"` // simple, simulcast or svc
	Paused        bool            `json:"paused"`
	Score         []EncodingScore `json:"score"`            // of those that have ever come
	Source        string          `json:"source,omitempty"` // what the sender says it is
	AppData       json.RawMessage `json:"appData,omitempty"`

	// WantedSpatial is the highest spatial layer of a video that anybody wants; nil
	// is none. See ProducerLayersWanted.
	WantedSpatial *int `json:"wantedSpatialLayer,omitempty"`
}

// ConsumerInfo describes media that a peer gets. Encoded as JSON it is what the
// consume method of mediasoup-client's receiving transport takes.
type ConsumerInfo struct {
	ID             string          `json:"id"`
	ProducerID     string          `json:"producerId"`
	Kind           MediaKind       `json:"kind"`
	RTPParameters  json.RawMessage `json:"rtpParameters"`
	Type           string          `json:"type"` // simple, simulcast or svc
	Paused         bool            `json:"paused"`
	ProducerPaused bool            `json:"producerPaused"`
	Score          ConsumerScore   `json:"score"`
	// PreferredLayers are the highest that are sent, CurrentLayers those that are
	// sent now; nil for a consumer without, and for nothing.
	PreferredLayers *Layers         `json:"preferredLayers,omitempty"`
	CurrentLayers   *Layers         `json:"currentLayers,omitempty"`
	Priority        int             `json:"priority"` // 1 to 255, the most important
	AppData         json.RawMessage `json:"appData,omitempty"`
}
