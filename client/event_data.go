package client

// DataProducerCreated tells that a peer sends on a data channel. Usually the others are
// to get a data consumer of it.
type DataProducerCreated struct {
	RoomID         string           `json:"roomId"`
	PeerID         string           `json:"peerId"`
	DataProducerID string           `json:"dataProducerId"`
	TransportID    string           `json:"transportId"`
	DataProducer   DataProducerInfo `json:"dataProducerInfo"`
}

// DataProducerPaused tells that messages are dropped for now.
type DataProducerPaused struct {
	RoomID         string `json:"roomId"`
	PeerID         string `json:"peerId"`
	DataProducerID string `json:"dataProducerId"`
}

// DataProducerResumed tells that messages are forwarded again.
type DataProducerResumed struct {
	RoomID         string `json:"roomId"`
	PeerID         string `json:"peerId"`
	DataProducerID string `json:"dataProducerId"`
}

// DataProducerClosed tells that a peer sends no longer on a data channel.
type DataProducerClosed struct {
	RoomID         string `json:"roomId"`
	PeerID         string `json:"peerId"`
	DataProducerID string `json:"dataProducerId"`
	TransportID    string `json:"transportId"`
	By             string `json:"by"` // the peer who caused it, or empty
	Reason         string `json:"reason"`
}

// DataConsumerCreated tells that a peer gets the messages of a data producer.
type DataConsumerCreated struct {
	RoomID         string           `json:"roomId"`
	PeerID         string           `json:"peerId"`
	DataConsumerID string           `json:"dataConsumerId"`
	DataProducerID string           `json:"dataProducerId"`
	TransportID    string           `json:"transportId"`
	DataConsumer   DataConsumerInfo `json:"dataConsumerInfo"`
}

// DataConsumerClosed tells that a peer gets them no longer.
type DataConsumerClosed struct {
	RoomID         string `json:"roomId"`
	PeerID         string `json:"peerId"`
	DataConsumerID string `json:"dataConsumerId"`
	DataProducerID string `json:"dataProducerId"`
	TransportID    string `json:"transportId"`
	By             string `json:"by"` // the peer who caused it, or empty
	Reason         string `json:"reason"`
}

func (DataProducerCreated) event() {}
func (DataProducerPaused) event()  {}
func (DataProducerResumed) event() {}
func (DataProducerClosed) event()  {}
func (DataConsumerCreated) event() {}
func (DataConsumerClosed) event()  {}
