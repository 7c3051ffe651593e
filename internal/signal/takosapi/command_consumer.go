package takosapi

import (
	"encoding/json"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

var consumerCommands = []command{
	creates(define("createConsumer", "Sends a producer of the room to the client, at once unless `paused`.", createConsumer,
		RoomNotFound, PeerNotFound, TransportNotFound, ProducerNotFound, WrongDirection, LimitReached, ConsumerError, InvalidMedia)),
	define("pauseConsumer", "Stops sending to the client.", pauseConsumer, consumerErrors...),
	define("resumeConsumer", "Sends to the client again; video begins with a keyframe.", resumeConsumer, consumerErrors...),
	define("requestKeyFrame", "Asks the producer of a video consumer for a keyframe.", requestKeyFrame, consumerErrors...),
	define("requestConsumerKeyFrame", "The same under mediasoup's demo's name.", requestKeyFrame, consumerErrors...),
	define("setConsumerPreferredLayers", "Limits which layers of simulcast or SVC are sent to the client. A consumer without layers takes no notice.",
		setConsumerPreferredLayers, RoomNotFound, PeerNotFound, ConsumerNotFound, InvalidState),
	define("setConsumerPriority", "Says how important a consumer is among those of its transport, where the client's line cannot carry all in full.",
		setConsumerPriority, RoomNotFound, PeerNotFound, ConsumerNotFound, InvalidState),
	define("closeConsumer", "Closes a consumer.", closeConsumer, consumerErrors...),
	reads(define("getConsumerInfo", "Describes a consumer; null if there is none.", getConsumerInfo)),
	reads(define("getConsumerStats", "Figures of a consumer and of its producer.", getConsumerStats, consumerErrors...)),
}

var consumerErrors = []Code{RoomNotFound, PeerNotFound, ConsumerNotFound}

type consumerRef struct {
	peerRef
	ConsumerID string `json:"consumerId" check:"id" doc:"the consumer's id"`
}

type createConsumerRequest struct {
	transportRef
	ProducerID      string               `json:"producerId" check:"id" doc:"where the media comes from"`
	RTPCapabilities ortc.RTPCapabilities `json:"rtpCapabilities" check:"required" doc:"of the client's device"`
	Paused          bool                 `json:"paused" doc:"whether to begin paused"`
	PreferredLayers layersRequest        `json:"preferredLayers" check:"nested" doc:"the highest layers wanted, of simulcast or SVC; default all"`
	AppData         json.RawMessage      `json:"appData" doc:"anything; it comes back in ConsumerInfo"`
}

func createConsumer(c *caller, q *createConsumerRequest) (ConsumerInfo, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return ConsumerInfo{}, err
	}
	consumer, err := t.Consume(room.ConsumeOptions{
		ProducerID: q.ProducerID, RTPCapabilities: q.RTPCapabilities, Paused: q.Paused,
		PreferredLayers: q.PreferredLayers.layer(), AppData: appData(q.AppData),
	})
	if err != nil {
		return ConsumerInfo{}, err
	}
	return consumerInfo(consumer), nil
}

func pauseConsumer(c *caller, q *consumerRef) (none, error) {
	consumer, err := c.consumer(*q)
	if err == nil {
		consumer.Pause()
	}
	return none{}, err
}

func resumeConsumer(c *caller, q *consumerRef) (none, error) {
	consumer, err := c.consumer(*q)
	if err == nil {
		consumer.Resume()
	}
	return none{}, err
}

func requestKeyFrame(c *caller, q *consumerRef) (none, error) {
	consumer, err := c.consumer(*q)
	if err == nil {
		consumer.RequestKeyFrame()
	}
	return none{}, err
}

type preferredLayersRequest struct {
	consumerRef
	layersRequest
}

// PreferredLayers is the answer of setConsumerPreferredLayers.
type PreferredLayers struct {
	PreferredLayers *Layers `json:"preferredLayers" doc:"those in force; null for a consumer without layers"`
}

func setConsumerPreferredLayers(c *caller, q *preferredLayersRequest) (PreferredLayers, error) {
	consumer, err := c.consumer(q.consumerRef)
	if err != nil {
		return PreferredLayers{}, err
	}
	err = consumer.SetPreferredLayers(*q.layer())
	return PreferredLayers{preferredLayers(consumer)}, err
}

type priorityRequest struct {
	consumerRef
	Priority int `json:"priority" check:"required,min=1,max=255" doc:"1, as to begin with, to 255, the most important"`
}

func setConsumerPriority(c *caller, q *priorityRequest) (none, error) {
	consumer, err := c.consumer(q.consumerRef)
	if err != nil {
		return none{}, err
	}
	return none{}, consumer.SetPriority(q.Priority)
}

func closeConsumer(c *caller, q *consumerRef) (none, error) {
	consumer, err := c.consumer(*q)
	if err == nil {
		consumer.Close("")
	}
	return none{}, err
}

func getConsumerInfo(c *caller, q *consumerRef) (*ConsumerInfo, error) {
	consumer, err := c.consumer(*q)
	if err != nil {
		return nil, unlessMissing(err)
	}
	info := consumerInfo(consumer)
	return &info, nil
}

func getConsumerStats(c *caller, q *consumerRef) (ConsumerFigures, error) {
	consumer, err := c.consumer(*q)
	if err != nil {
		return ConsumerFigures{}, err
	}
	return ConsumerFigures{consumer.Stats()}, nil
}
