package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
)

// SCTPOptions say whether a transport carries data channels; embedded in
// TransportOptions.
type SCTPOptions struct {
	EnableSCTP         bool `json:"enableSctp,omitempty"`
	NumSCTPStreams     int  `json:"numSctpStreams,omitempty"`     // data channels in each direction; 0 is 1024
	MaxSCTPMessageSize int  `json:"maxSctpMessageSize,omitempty"` // bytes; 0 is 262144
	SCTPSendBufferSize int  `json:"sctpSendBufferSize,omitempty"` // bytes that may wait for the browser; 0 is 2000000
}

// DataProducerInfo describes a data channel that a peer sends on.
type DataProducerInfo struct {
	ID                   string          `json:"id"`
	SCTPStreamParameters json.RawMessage `json:"sctpStreamParameters"`
	Label                string          `json:"label"`
	Protocol             string          `json:"protocol"`
	Paused               bool            `json:"paused"`
	AppData              json.RawMessage `json:"appData,omitempty"`
}

// DataConsumerInfo describes a data channel that a peer receives on. Encoded as JSON
// it is what the consumeData method of mediasoup-client's receiving transport takes.
type DataConsumerInfo struct {
	ID                   string          `json:"id"`
	DataProducerID       string          `json:"dataProducerId"`
	SCTPStreamParameters json.RawMessage `json:"sctpStreamParameters"`
	Label                string          `json:"label"`
	Protocol             string          `json:"protocol"`
	Paused               bool            `json:"paused"`
	DataProducerPaused   bool            `json:"dataProducerPaused"`
	BufferedAmount       int             `json:"bufferedAmount"` // bytes that wait for the browser
	AppData              json.RawMessage `json:"appData,omitempty"`
}

// DataProducerStats are the figures of a data producer, under mediasoup's names.
type DataProducerStats struct {
	Type             string `json:"type"`      // "data-producer"
	Timestamp        int64  `json:"timestamp"` // ms of Unix time
	Label            string `json:"label"`
	Protocol         string `json:"protocol"`
	MessagesReceived uint64 `json:"messagesReceived"`
	BytesReceived    uint64 `json:"bytesReceived"`
}

// DataConsumerStats are the figures of a data consumer, under mediasoup's names.
type DataConsumerStats struct {
	Type            string `json:"type"`      // "data-consumer"
	Timestamp       int64  `json:"timestamp"` // ms of Unix time
	Label           string `json:"label"`
	Protocol        string `json:"protocol"`
	MessagesSent    uint64 `json:"messagesSent"`
	BytesSent       uint64 `json:"bytesSent"`
	MessagesDropped uint64 `json:"messagesDropped"` // for which there was no room
	BufferedAmount  int    `json:"bufferedAmount"`
}

// DataProducerOptions are the properties of a new data producer.
type DataProducerOptions struct {
	// SCTPStreamParameters, Label and Protocol come with mediasoup-client's producedata
	// event; the first is required.
	SCTPStreamParameters json.RawMessage `json:"sctpStreamParameters"`
	Label                string          `json:"label,omitempty"`
	Protocol             string          `json:"protocol,omitempty"`
	Paused               bool            `json:"paused,omitempty"`  // whether to begin paused
	AppData              any             `json:"appData,omitempty"` // anything; it comes back in DataProducerInfo
}

// DataConsumerOptions are the properties of a new data consumer. Where Ordered,
// MaxPacketLifeTime (ms) and MaxRetransmits are all nil, they are the data producer's.
type DataConsumerOptions struct {
	DataProducerID    string  `json:"dataProducerId"` // where the messages come from; required
	Ordered           *bool   `json:"ordered,omitempty"`
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime,omitempty"`
	MaxRetransmits    *uint16 `json:"maxRetransmits,omitempty"`
	Paused            bool    `json:"paused,omitempty"`  // whether to begin paused
	AppData           any     `json:"appData,omitempty"` // anything; it comes back in DataConsumerInfo
}

type dataProducerRef struct {
	RoomID         string `json:"roomId"`
	PeerID         string `json:"peerId"`
	DataProducerID string `json:"dataProducerId"`
}

type dataConsumerRef struct {
	RoomID         string `json:"roomId"`
	PeerID         string `json:"peerId"`
	DataConsumerID string `json:"dataConsumerId"`
}

// CreateDataProducer takes in the messages of a browser's data channel. Codes:
// RoomNotFound, PeerNotFound, TransportNotFound, WrongDirection, LimitReached,
// InvalidParameters, InvalidState.
func (c *Client) CreateDataProducer(ctx context.Context, roomID, peerID, transportID string, o DataProducerOptions) (DataProducerInfo, error) {
	return answerOf[DataProducerInfo](ctx, c, "createDataProducer", struct {
		transportRef
		DataProducerOptions
	}{transportRef{roomID, peerID, transportID}, o})
}

// PauseDataProducer drops the messages. This and the following have the codes
// RoomNotFound, PeerNotFound and DataProducerNotFound.
func (c *Client) PauseDataProducer(ctx context.Context, roomID, peerID, dataProducerID string) error {
	return c.Call(ctx, "pauseDataProducer", dataProducerRef{roomID, peerID, dataProducerID}, nil)
}

// ResumeDataProducer forwards the messages again.
func (c *Client) ResumeDataProducer(ctx context.Context, roomID, peerID, dataProducerID string) error {
	return c.Call(ctx, "resumeDataProducer", dataProducerRef{roomID, peerID, dataProducerID}, nil)
}

// CloseDataProducer closes a data producer, its data consumers and the browser's data
// channel.
func (c *Client) CloseDataProducer(ctx context.Context, roomID, peerID, dataProducerID string) error {
	return c.Call(ctx, "closeDataProducer", dataProducerRef{roomID, peerID, dataProducerID}, nil)
}

// DataProducer describes a data producer. The error is ErrNotFound if there is none.
func (c *Client) DataProducer(ctx context.Context, roomID, peerID, dataProducerID string) (DataProducerInfo, error) {
	return find[DataProducerInfo](ctx, c, "getDataProducerInfo", dataProducerRef{roomID, peerID, dataProducerID})
}

// DataProducerStats returns the figures of a data producer.
func (c *Client) DataProducerStats(ctx context.Context, roomID, peerID, dataProducerID string) ([]DataProducerStats, error) {
	answer, err := answerOf[figures[DataProducerStats]](ctx, c, "getDataProducerStats", dataProducerRef{roomID, peerID, dataProducerID})
	return answer.Stats, err
}

// CreateDataConsumer sends the messages of a data producer to a browser over a
// receiving transport. What it returns is handed to the consumeData method of the
// browser's transport. Codes: RoomNotFound, PeerNotFound, TransportNotFound,
// DataProducerNotFound, WrongDirection, LimitReached, InvalidParameters, InvalidState.
func (c *Client) CreateDataConsumer(ctx context.Context, roomID, peerID, transportID string, o DataConsumerOptions) (DataConsumerInfo, error) {
	return answerOf[DataConsumerInfo](ctx, c, "createDataConsumer", struct {
		transportRef
		DataConsumerOptions
	}{transportRef{roomID, peerID, transportID}, o})
}

// PauseDataConsumer stops sending to the browser; messages of the meantime are lost to
// it. This and the following have the codes RoomNotFound, PeerNotFound and
// DataConsumerNotFound.
func (c *Client) PauseDataConsumer(ctx context.Context, roomID, peerID, dataConsumerID string) error {
	return c.Call(ctx, "pauseDataConsumer", dataConsumerRef{roomID, peerID, dataConsumerID}, nil)
}

// ResumeDataConsumer sends to the browser again.
func (c *Client) ResumeDataConsumer(ctx context.Context, roomID, peerID, dataConsumerID string) error {
	return c.Call(ctx, "resumeDataConsumer", dataConsumerRef{roomID, peerID, dataConsumerID}, nil)
}

// SendText sends a text of the backend's own to the browser of a data consumer, and
// returns how many bytes wait then. Codes besides: InvalidParameters for one that is
// too long, InvalidState while the browser is not connected, LimitReached while it does
// not take what was sent before.
func (c *Client) SendText(ctx context.Context, roomID, peerID, dataConsumerID, text string) (bufferedBytes int, err error) {
	return c.sendData(ctx, dataConsumerRef{roomID, peerID, dataConsumerID}, text, false)
}

// SendBytes is SendText for a binary message.
func (c *Client) SendBytes(ctx context.Context, roomID, peerID, dataConsumerID string, data []byte) (bufferedBytes int, err error) {
	return c.sendData(ctx, dataConsumerRef{roomID, peerID, dataConsumerID}, base64.StdEncoding.EncodeToString(data), true)
}

func (c *Client) sendData(ctx context.Context, ref dataConsumerRef, message string, binary bool) (int, error) {
	type sent struct {
		BufferedAmount int `json:"bufferedAmount"`
	}
	answer, err := answerOf[sent](ctx, c, "sendData", struct {
		dataConsumerRef
		Message string `json:"message"`
		Binary  bool   `json:"binary,omitempty"`
	}{ref, message, binary})
	return answer.BufferedAmount, err
}

// CloseDataConsumer closes a data consumer and the browser's data channel.
func (c *Client) CloseDataConsumer(ctx context.Context, roomID, peerID, dataConsumerID string) error {
	return c.Call(ctx, "closeDataConsumer", dataConsumerRef{roomID, peerID, dataConsumerID}, nil)
}

// DataConsumer describes a data consumer. The error is ErrNotFound if there is none.
func (c *Client) DataConsumer(ctx context.Context, roomID, peerID, dataConsumerID string) (DataConsumerInfo, error) {
	return find[DataConsumerInfo](ctx, c, "getDataConsumerInfo", dataConsumerRef{roomID, peerID, dataConsumerID})
}

// DataConsumerStats returns the figures of a data consumer.
func (c *Client) DataConsumerStats(ctx context.Context, roomID, peerID, dataConsumerID string) ([]DataConsumerStats, error) {
	answer, err := answerOf[figures[DataConsumerStats]](ctx, c, "getDataConsumerStats", dataConsumerRef{roomID, peerID, dataConsumerID})
	return answer.Stats, err
}
