package takosapi

import (
	"encoding/json"
	"errors"

	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
)

var dataCommands = []command{
	creates(define("createDataProducer", "Takes in the messages of a data channel that the client sends.", createDataProducer,
		RoomNotFound, PeerNotFound, TransportNotFound, WrongDirection, LimitReached, InvalidMedia, InvalidState)),
	define("pauseDataProducer", "Drops the messages of a data producer.", pauseDataProducer, dataProducerErrors...),
	define("resumeDataProducer", "Forwards the messages of a data producer again.", resumeDataProducer, dataProducerErrors...),
	define("closeDataProducer", "Closes a data producer, its data consumers and the client's data channel.", closeDataProducer, dataProducerErrors...),
	reads(define("getDataProducerInfo", "Describes a data producer; null if there is none.", getDataProducerInfo)),
	reads(define("getDataProducerStats", "Figures of a data producer.", getDataProducerStats, dataProducerErrors...)),
	creates(define("createDataConsumer", "Sends the messages of a data producer of the room to the client.", createDataConsumer,
		RoomNotFound, PeerNotFound, TransportNotFound, DataProducerNotFound, WrongDirection, LimitReached, InvalidMedia, InvalidState)),
	define("pauseDataConsumer", "Stops sending messages to the client; those of the meantime are lost to it.", pauseDataConsumer, dataConsumerErrors...),
	define("resumeDataConsumer", "Sends messages to the client again.", resumeDataConsumer, dataConsumerErrors...),
	define("sendData", "Sends a message of the backend's own to the client of a data consumer.", sendData,
		append(dataConsumerErrors, InvalidMedia, InvalidState, LimitReached)...),
	define("closeDataConsumer", "Closes a data consumer and the client's data channel.", closeDataConsumer, dataConsumerErrors...),
	reads(define("getDataConsumerInfo", "Describes a data consumer; null if there is none.", getDataConsumerInfo)),
	reads(define("getDataConsumerStats", "Figures of a data consumer.", getDataConsumerStats, dataConsumerErrors...)),
}

var (
	dataProducerErrors = []Code{RoomNotFound, PeerNotFound, DataProducerNotFound}
	dataConsumerErrors = []Code{RoomNotFound, PeerNotFound, DataConsumerNotFound}
)

// DataProducerInfo describes a data channel that a peer sends on.
type DataProducerInfo struct {
	ID                   string `json:"id" doc:"the data producer's id"`
	SCTPStreamParameters any    `json:"sctpStreamParameters" doc:"{streamId, ordered, maxPacketLifeTime, maxRetransmits}"`
	Label                string `json:"label" doc:"of the data channel"`
	Protocol             string `json:"protocol" doc:"of the data channel"`
	Paused               bool   `json:"paused" doc:"whether messages are dropped"`
	AppData              any    `json:"appData,omitempty" doc:"what was given to createDataProducer"`
}

// DataConsumerInfo describes a data channel that a peer receives on. Its first five
// fields are what mediasoup-client's consumeData takes.
type DataConsumerInfo struct {
	ID                   string `json:"id" doc:"the data consumer's id"`
	DataProducerID       string `json:"dataProducerId" doc:"where the messages come from"`
	SCTPStreamParameters any    `json:"sctpStreamParameters" doc:"{streamId, ordered, maxPacketLifeTime, maxRetransmits}"`
	Label                string `json:"label" doc:"of the data channel"`
	Protocol             string `json:"protocol" doc:"of the data channel"`
	Paused               bool   `json:"paused" doc:"whether the data consumer is paused"`
	DataProducerPaused   bool   `json:"dataProducerPaused" doc:"whether its data producer is"`
	BufferedAmount       int    `json:"bufferedAmount" doc:"bytes that wait to be sent"`
	AppData              any    `json:"appData,omitempty" doc:"what was given to createDataConsumer"`
}

func dataProducerInfo(p *room.DataProducer) DataProducerInfo {
	return DataProducerInfo{
		ID: p.ID(), SCTPStreamParameters: p.SCTPStreamParameters(), Label: p.Label(), Protocol: p.Protocol(),
		Paused: p.Paused(), AppData: p.AppData(),
	}
}

func dataConsumerInfo(c *room.DataConsumer) DataConsumerInfo {
	return DataConsumerInfo{
		ID: c.ID(), DataProducerID: c.DataProducerID(), SCTPStreamParameters: c.SCTPStreamParameters(),
		Label: c.Label(), Protocol: c.Protocol(), Paused: c.Paused(), DataProducerPaused: c.DataProducerPaused(),
		BufferedAmount: c.BufferedAmount(), AppData: c.AppData(),
	}
}

type dataProducerRef struct {
	peerRef
	DataProducerID string `json:"dataProducerId" check:"id" doc:"the data producer's id"`
}

type dataConsumerRef struct {
	peerRef
	DataConsumerID string `json:"dataConsumerId" check:"id" doc:"the data consumer's id"`
}

func (c *caller) dataProducer(ref dataProducerRef) (*room.DataProducer, error) {
	p, err := c.peer(ref.peerRef)
	if err != nil {
		return nil, err
	}
	return p.DataProducer(ref.DataProducerID)
}

func (c *caller) dataConsumer(ref dataConsumerRef) (*room.DataConsumer, error) {
	p, err := c.peer(ref.peerRef)
	if err != nil {
		return nil, err
	}
	return p.DataConsumer(ref.DataConsumerID)
}

// sctpOptions are part of a transport's options, in mediasoup's words.
type sctpOptions struct {
	EnableSCTP         bool `json:"enableSctp" doc:"whether it carries data channels"`
	NumSCTPStreams     int  `json:"numSctpStreams" check:"min=0,max=65535" doc:"data channels in each direction; 0 is 1024"`
	MaxSCTPMessageSize int  `json:"maxSctpMessageSize" check:"min=0,max=16777216" doc:"bytes; 0 is 262144"`
	SCTPSendBufferSize int  `json:"sctpSendBufferSize" check:"min=0,max=67108864" doc:"bytes that may wait for the client; 0 is 2000000"`
}

func (o sctpOptions) room() room.SCTPOptions {
	return room.SCTPOptions{
		Enable: o.EnableSCTP, Streams: uint16(o.NumSCTPStreams),
		MaxSendBytes: o.MaxSCTPMessageSize, MaxReceiveBytes: o.MaxSCTPMessageSize,
		SendBufferBytes: o.SCTPSendBufferSize, StreamBufferBytes: o.SCTPSendBufferSize,
	}
}

type sctpStreamParameters struct {
	StreamID          int     `json:"streamId" check:"required,min=0,max=65534" doc:"the data channel's id"`
	Ordered           *bool   `json:"ordered" doc:"default true, unless one of the limits is given"`
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime" check:"min=0,max=65535" doc:"ms after which a message is given up"`
	MaxRetransmits    *uint16 `json:"maxRetransmits" check:"min=0,max=65535" doc:"how often a message is sent again"`
}

type createDataProducerRequest struct {
	transportRef
	SCTPStreamParameters sctpStreamParameters `json:"sctpStreamParameters" check:"required,nested" doc:"from mediasoup-client's producedata event"`
	Label                string               `json:"label" check:"max=1024" doc:"of the data channel"`
	Protocol             string               `json:"protocol" check:"max=1024" doc:"of the data channel"`
	Paused               bool                 `json:"paused" doc:"whether to begin paused"`
	AppData              json.RawMessage      `json:"appData" doc:"anything; it comes back in DataProducerInfo"`
}

func createDataProducer(c *caller, q *createDataProducerRequest) (DataProducerInfo, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return DataProducerInfo{}, err
	}
	stream := q.SCTPStreamParameters
	p, err := t.ProduceData(room.ProduceDataOptions{
		SCTPStreamParameters: room.SCTPStreamParameters{
			StreamID: uint16(stream.StreamID), Ordered: stream.Ordered,
			MaxPacketLifeTime: stream.MaxPacketLifeTime, MaxRetransmits: stream.MaxRetransmits,
		},
		Label: q.Label, Protocol: q.Protocol, Paused: q.Paused, AppData: appData(q.AppData),
	})
	if err != nil {
		return DataProducerInfo{}, err
	}
	return dataProducerInfo(p), nil
}

func pauseDataProducer(c *caller, q *dataProducerRef) (none, error) {
	p, err := c.dataProducer(*q)
	if err == nil {
		p.Pause()
	}
	return none{}, err
}

func resumeDataProducer(c *caller, q *dataProducerRef) (none, error) {
	p, err := c.dataProducer(*q)
	if err == nil {
		p.Resume()
	}
	return none{}, err
}

func closeDataProducer(c *caller, q *dataProducerRef) (none, error) {
	p, err := c.dataProducer(*q)
	if err == nil {
		p.Close("")
	}
	return none{}, err
}

func getDataProducerInfo(c *caller, q *dataProducerRef) (*DataProducerInfo, error) {
	p, err := c.dataProducer(*q)
	if err != nil {
		return nil, unlessMissing(err)
	}
	return new(dataProducerInfo(p)), nil
}

func getDataProducerStats(c *caller, q *dataProducerRef) (DataProducerFigures, error) {
	p, err := c.dataProducer(*q)
	if err != nil {
		return DataProducerFigures{}, err
	}
	return DataProducerFigures{[]sfu.DataProducerStats{p.Stats()}}, nil
}

type createDataConsumerRequest struct {
	transportRef
	DataProducerID    string          `json:"dataProducerId" check:"id" doc:"where the messages come from"`
	Ordered           *bool           `json:"ordered" doc:"the data producer's unless one of these three is given"`
	MaxPacketLifeTime *uint16         `json:"maxPacketLifeTime" check:"min=0,max=65535" doc:"ms after which a message is given up"`
	MaxRetransmits    *uint16         `json:"maxRetransmits" check:"min=0,max=65535" doc:"how often a message is sent again"`
	Paused            bool            `json:"paused" doc:"whether to begin paused"`
	AppData           json.RawMessage `json:"appData" doc:"anything; it comes back in DataConsumerInfo"`
}

func createDataConsumer(c *caller, q *createDataConsumerRequest) (DataConsumerInfo, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return DataConsumerInfo{}, err
	}
	consumer, err := t.ConsumeData(room.ConsumeDataOptions{
		DataProducerID: q.DataProducerID, Ordered: q.Ordered, MaxPacketLifeTime: q.MaxPacketLifeTime,
		MaxRetransmits: q.MaxRetransmits, Paused: q.Paused, AppData: appData(q.AppData),
	})
	if err != nil {
		return DataConsumerInfo{}, err
	}
	return dataConsumerInfo(consumer), nil
}

func pauseDataConsumer(c *caller, q *dataConsumerRef) (none, error) {
	consumer, err := c.dataConsumer(*q)
	if err == nil {
		consumer.Pause()
	}
	return none{}, err
}

func resumeDataConsumer(c *caller, q *dataConsumerRef) (none, error) {
	consumer, err := c.dataConsumer(*q)
	if err == nil {
		consumer.Resume()
	}
	return none{}, err
}

type sendDataRequest struct {
	dataConsumerRef
	Message string `json:"message" doc:"what is sent; may be empty"`
	Binary  bool   `json:"binary" doc:"whether the message is base64 of bytes; otherwise it is sent as text"`
}

// SentData is the answer of sendData.
type SentData struct {
	BufferedAmount int `json:"bufferedAmount" doc:"bytes that wait to be sent"`
}

func sendData(c *caller, q *sendDataRequest) (SentData, error) {
	consumer, err := c.dataConsumer(q.dataConsumerRef)
	if err != nil {
		return SentData{}, err
	}
	data := []byte(q.Message)
	if q.Binary {
		if data, err = decodeBase64("message", q.Message); err != nil {
			return SentData{}, err
		}
	}
	buffered, err := consumer.Send(data, !q.Binary)
	if errors.Is(err, sfu.ErrSendBufferFull) {
		return SentData{}, errorf(LimitReached, "the client has not taken what was sent before")
	}
	return SentData{buffered}, err
}

func closeDataConsumer(c *caller, q *dataConsumerRef) (none, error) {
	consumer, err := c.dataConsumer(*q)
	if err == nil {
		consumer.Close("")
	}
	return none{}, err
}

func getDataConsumerInfo(c *caller, q *dataConsumerRef) (*DataConsumerInfo, error) {
	consumer, err := c.dataConsumer(*q)
	if err != nil {
		return nil, unlessMissing(err)
	}
	return new(dataConsumerInfo(consumer)), nil
}

func getDataConsumerStats(c *caller, q *dataConsumerRef) (DataConsumerFigures, error) {
	consumer, err := c.dataConsumer(*q)
	if err != nil {
		return DataConsumerFigures{}, err
	}
	return DataConsumerFigures{[]sfu.DataConsumerStats{consumer.Stats()}}, nil
}
