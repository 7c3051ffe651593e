package room

// EventType says what has happened.
type EventType string

// The events. Each carries its room; the comment says which other fields of Event
// are set.
const (
	RoomCreated      EventType = "roomCreated"
	RoomClosed       EventType = "roomClosed"       // Reason
	PeerAdded        EventType = "peerAdded"        // Peer
	PeerClosed       EventType = "peerClosed"       // Peer, By, Reason
	TransportCreated EventType = "transportCreated" // Peer, Transport
	TransportState   EventType = "transportState"   // Peer, Transport
	TransportClosed  EventType = "transportClosed"  // Peer, Transport, By, Reason
	ProducerCreated  EventType = "producerCreated"  // Peer, Transport, Producer
	ProducerMuted    EventType = "producerMuted"    // Peer, Producer, By; ProducerPaused follows
	ProducerPaused   EventType = "producerPaused"   // Peer, Producer
	ProducerResumed  EventType = "producerResumed"  // Peer, Producer
	ProducerClosed   EventType = "producerClosed"   // Peer, Transport, Producer, By, Reason
	ConsumerCreated  EventType = "consumerCreated"  // Peer, Transport, Consumer
	ConsumerClosed   EventType = "consumerClosed"   // Peer, Transport, Consumer, By, Reason

	DataProducerCreated EventType = "dataProducerCreated" // Peer, Transport, DataProducer
	DataProducerPaused  EventType = "dataProducerPaused"  // Peer, DataProducer
	DataProducerResumed EventType = "dataProducerResumed" // Peer, DataProducer
	DataProducerClosed  EventType = "dataProducerClosed"  // Peer, Transport, DataProducer, By, Reason
	DataConsumerCreated EventType = "dataConsumerCreated" // Peer, Transport, DataConsumer
	DataConsumerClosed  EventType = "dataConsumerClosed"  // Peer, Transport, DataConsumer, By, Reason

	ActiveSpeaker EventType = "activeSpeaker" // Peer, Producer: has the floor until another takes it
	AudioLevels   EventType = "audioLevels"   // Levels

	ConsumerLayersChanged EventType = "consumerLayersChanged" // Peer, Consumer, Layers
	ConsumerScored        EventType = "consumerScore"         // Peer, Consumer, ConsumerScore
	ProducerScored        EventType = "producerScore"         // Peer, Producer, EncodingScores
	ProducerLayersWanted  EventType = "producerLayersWanted"  // Peer, Producer, WantedSpatial
)

// Event is something that has happened in a room. Peer is the owner of the
// object concerned.
type Event struct {
	Type      EventType
	Room      *Room
	Peer      *Peer
	Transport *Transport
	Producer  *Producer
	Consumer  *Consumer

	DataProducer *DataProducer
	DataConsumer *DataConsumer
	// Levels are those who are heard, the loudest first; empty is silence, which
	// is told once.
	Levels []Level
	// Layers are what a consumer is sent from now on; nil is nothing.
	Layers         *Layer
	ConsumerScore  ConsumerScore
	EncodingScores []EncodingScore
	// WantedSpatial is the highest spatial layer of a video that anybody wants; nil
	// is none.
	WantedSpatial *uint8
	// Ending is whether the object ended because its owner is leaving or was
	// removed; PeerClosed follows.
	Ending bool
	// By is the id of the peer who asked for it, empty if it was the server, a
	// backend or chance.
	By string
	// Reason is a word for why something ended: "requested", the SFU's reason,
	// or what a host or backend gave.
	Reason string
}

// Reasons of our own; others are those of sfu.CloseReason.
const (
	ReasonRequested  = "requested"
	ReasonPeerClosed = "peerClosed"
	ReasonRoomClosed = "roomClosed"
	ReasonEmpty      = "empty"
)

// observer is a function that gets events until it is stopped.
type observer struct{ receive func(Event) }
