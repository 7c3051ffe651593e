package takosapi

import (
	"encoding/json"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

var producerCommands = []command{
	creates(define("createProducer", "Takes in media that the client sends.", createProducer,
		RoomNotFound, PeerNotFound, TransportNotFound, WrongDirection, LimitReached, InvalidMedia, Unsupported, InvalidState)),
	define("pauseProducer", "Stops a producer from being forwarded.", pauseProducer, producerErrors...),
	define("resumeProducer", "Forwards a producer again.", resumeProducer, producerErrors...),
	define("muteProducer", "Pauses a producer and lets its owner know, who may resume it.", muteProducer, producerErrors...),
	define("closeProducer", "Closes a producer and its consumers.", closeProducer, producerErrors...),
	reads(define("getProducerInfo", "Describes a producer; null if there is none.", getProducerInfo)),
	reads(define("getProducerStats", "Figures of a producer.", getProducerStats, producerErrors...)),
}

var producerErrors = []Code{RoomNotFound, PeerNotFound, ProducerNotFound}

type producerRef struct {
	peerRef
	ProducerID string `json:"producerId" check:"id" doc:"the producer's id"`
}

type createProducerRequest struct {
	transportRef
	Kind          string             `json:"kind" check:"required,enum=audio|video" doc:"\"audio\" or \"video\""`
	RTPParameters ortc.RTPParameters `json:"rtpParameters" check:"required" doc:"from mediasoup-client's produce event"`
	Paused        bool               `json:"paused" doc:"whether to begin paused"`
	Source        string             `json:"source" check:"max=64" doc:"what it is: \"mic\", \"camera\", \"screen\" or any text"`
	AppData       json.RawMessage    `json:"appData" doc:"anything; it comes back in ProducerInfo"`
}

func createProducer(c *caller, q *createProducerRequest) (ProducerInfo, error) {
	t, err := c.transport(q.transportRef)
	if err != nil {
		return ProducerInfo{}, err
	}
	p, err := t.Produce(room.ProduceOptions{
		Kind: ortc.MediaKind(q.Kind), RTPParameters: q.RTPParameters, Paused: q.Paused,
		Source: q.Source, AppData: appData(q.AppData),
	})
	if err != nil {
		return ProducerInfo{}, err
	}
	return producerInfo(p), nil
}

func pauseProducer(c *caller, q *producerRef) (none, error) {
	p, err := c.producer(*q)
	if err == nil {
		p.Pause()
	}
	return none{}, err
}

func resumeProducer(c *caller, q *producerRef) (none, error) {
	p, err := c.producer(*q)
	if err == nil {
		p.Resume()
	}
	return none{}, err
}

func muteProducer(c *caller, q *producerRef) (none, error) {
	p, err := c.producer(*q)
	if err == nil {
		p.Mute("")
	}
	return none{}, err
}

func closeProducer(c *caller, q *producerRef) (none, error) {
	p, err := c.producer(*q)
	if err == nil {
		p.Close("")
	}
	return none{}, err
}

func getProducerInfo(c *caller, q *producerRef) (*ProducerInfo, error) {
	p, err := c.producer(*q)
	if err != nil {
		return nil, unlessMissing(err)
	}
	info := producerInfo(p)
	return &info, nil
}

func getProducerStats(c *caller, q *producerRef) (ProducerFigures, error) {
	p, err := c.producer(*q)
	if err != nil {
		return ProducerFigures{}, err
	}
	return ProducerFigures{p.Stats()}, nil
}
