package takosapi

import (
	"github.com/takoserver/takos-call/internal/sfu"
)

var routerProducerCommands = []command{
	define("producer.close", "Closes a producer and its consumers.", closeRouterProducer, routerProducerErrors...),
	reads(define("producer.dump", "Tells all about a producer.", dumpProducer, routerProducerErrors...)),
	reads(define("producer.getStats", "Figures of each encoding that arrives.", routerProducerStats, routerProducerErrors...)),
	define("producer.pause", "Forwards nothing of a producer.", pauseRouterProducer, routerProducerErrors...),
	define("producer.resume", "Forwards it again; video begins with a keyframe.", resumeRouterProducer, routerProducerErrors...),
	define("producer.enableTraceEvent", "Has producer.trace events told, of the types given and no others.", traceProducer, routerProducerErrors...),
	define("producer.send", "Hands a packet to a producer of a direct transport, as if it had come from its other end.", sendToProducer,
		append(routerProducerErrors, InvalidState)...),
}

var routerConsumerCommands = []command{
	define("consumer.close", "Closes a consumer.", closeRouterConsumer, routerConsumerErrors...),
	reads(define("consumer.dump", "Tells all about a consumer.", dumpConsumer, routerConsumerErrors...)),
	reads(define("consumer.getStats", "Figures of what is sent, and of the producer's encoding that it is made from.", routerConsumerStats, routerConsumerErrors...)),
	define("consumer.pause", "Sends nothing to a consumer.", pauseRouterConsumer, routerConsumerErrors...),
	define("consumer.resume", "Sends to it again; video begins with a keyframe.", resumeRouterConsumer, routerConsumerErrors...),
	define("consumer.setPreferredLayers", "Limits which layers of simulcast or SVC are sent. A consumer without layers takes no notice.",
		setRouterConsumerLayers, routerConsumerErrors...),
	define("consumer.setPriority", "Says how important a consumer is among those of its transport, where the line cannot carry all in full.",
		setRouterConsumerPriority, routerConsumerErrors...),
	define("consumer.unsetPriority", "Makes a consumer as unimportant as it was to begin with.", unsetRouterConsumerPriority, routerConsumerErrors...),
	define("consumer.requestKeyFrame", "Asks the producer of a video consumer for a keyframe.", requestRouterKeyFrame, routerConsumerErrors...),
	define("consumer.enableTraceEvent", "Has consumer.trace events told, of the types given and no others.", traceConsumer, routerConsumerErrors...),
}

var (
	routerProducerErrors = []Code{RouterNotFound, ProducerNotFound}
	routerConsumerErrors = []Code{RouterNotFound, ConsumerNotFound}
)

// withProducer makes a handler of what a producer can do by itself.
func withProducer(do func(*sfu.Producer)) func(*caller, *routerProducerRef) (none, error) {
	return func(c *caller, q *routerProducerRef) (none, error) {
		p, err := c.routerProducer(*q)
		if err == nil {
			do(p)
		}
		return none{}, err
	}
}

var (
	closeRouterProducer  = withProducer((*sfu.Producer).Close)
	pauseRouterProducer  = withProducer((*sfu.Producer).Pause)
	resumeRouterProducer = withProducer((*sfu.Producer).Resume)
)

func routerProducerStats(c *caller, q *routerProducerRef) (ProducerFigures, error) {
	p, err := c.routerProducer(*q)
	if err != nil {
		return ProducerFigures{}, err
	}
	return ProducerFigures{p.Stats()}, nil
}

type traceProducerRequest struct {
	routerProducerRef
	Types []string `json:"types" check:"max=10" doc:"of rtp, keyframe, nack, pli, fir and sr; default none; others are left out"`
}

type sendToProducerRequest struct {
	routerProducerRef
	Packet string `json:"rtpPacket" check:"required,max=90000" doc:"an RTP packet, in base64"`
}

func sendToProducer(c *caller, q *sendToProducerRequest) (none, error) {
	p, err := c.routerProducer(q.routerProducerRef)
	if err != nil {
		return none{}, err
	}
	packet, err := decodeBase64("rtpPacket", q.Packet)
	if err != nil {
		return none{}, err
	}
	return none{}, p.Send(packet)
}

// withConsumer makes a handler of what a consumer can do by itself.
func withConsumer(do func(*sfu.Consumer)) func(*caller, *routerConsumerRef) (none, error) {
	return func(c *caller, q *routerConsumerRef) (none, error) {
		consumer, err := c.routerConsumer(*q)
		if err == nil {
			do(consumer)
		}
		return none{}, err
	}
}

var (
	unsetRouterConsumerPriority = withConsumer((*sfu.Consumer).UnsetPriority)
	closeRouterConsumer         = withConsumer((*sfu.Consumer).Close)
	pauseRouterConsumer         = withConsumer((*sfu.Consumer).Pause)
	resumeRouterConsumer        = withConsumer((*sfu.Consumer).Resume)
	requestRouterKeyFrame       = withConsumer((*sfu.Consumer).RequestKeyFrame)
)

func routerConsumerStats(c *caller, q *routerConsumerRef) (ConsumerFigures, error) {
	consumer, err := c.routerConsumer(*q)
	if err != nil {
		return ConsumerFigures{}, err
	}
	return ConsumerFigures{consumer.Stats()}, nil
}

// objectLayers are as mediasoup takes them: any number, of which what is beyond
// the highest layer is that.
type objectLayers struct {
	SpatialLayer  *int `json:"spatialLayer" check:"required,min=0,max=255" doc:"the highest wanted; beyond what there is means the highest there is"`
	TemporalLayer *int `json:"temporalLayer" check:"min=0,max=255" doc:"likewise; default the highest there is"`
}

// layer is what was asked for, nil for nothing.
func (q objectLayers) layer() *sfu.Layer {
	if q.SpatialLayer == nil {
		return nil
	}
	l := sfu.Layer{Spatial: uint8(*q.SpatialLayer), Temporal: 255}
	if q.TemporalLayer != nil {
		l.Temporal = uint8(*q.TemporalLayer)
	}
	return &l
}

type setRouterConsumerLayersRequest struct {
	routerConsumerRef
	objectLayers
}

func setRouterConsumerLayers(c *caller, q *setRouterConsumerLayersRequest) (PreferredLayers, error) {
	consumer, err := c.routerConsumer(q.routerConsumerRef)
	if err != nil {
		return PreferredLayers{}, err
	}
	if err := consumer.SetPreferredLayers(*q.layer()); err != nil {
		return PreferredLayers{}, err
	}
	if l, layered := consumer.PreferredLayers(); layered {
		return PreferredLayers{layersOf(l)}, nil
	}
	return PreferredLayers{}, nil
}

type setRouterConsumerPriorityRequest struct {
	routerConsumerRef
	Priority int `json:"priority" check:"required,min=1,max=255" doc:"1, as to begin with, to 255, the most important"`
}

func setRouterConsumerPriority(c *caller, q *setRouterConsumerPriorityRequest) (none, error) {
	consumer, err := c.routerConsumer(q.routerConsumerRef)
	if err != nil {
		return none{}, err
	}
	return none{}, consumer.SetPriority(q.Priority)
}

type traceConsumerRequest struct {
	routerConsumerRef
	Types []string `json:"types" check:"max=10" doc:"of rtp, keyframe, nack, pli and fir; default none; others are left out"`
}

func dumpProducer(c *caller, q *routerProducerRef) (sfu.ProducerDump, error) {
	p, err := c.routerProducer(*q)
	if err != nil {
		return sfu.ProducerDump{}, err
	}
	return p.Dump(), nil
}

func dumpConsumer(c *caller, q *routerConsumerRef) (sfu.ConsumerDump, error) {
	consumer, err := c.routerConsumer(*q)
	if err != nil {
		return sfu.ConsumerDump{}, err
	}
	return consumer.Dump(), nil
}

func traceProducer(c *caller, q *traceProducerRequest) (none, error) {
	p, err := c.routerProducer(q.routerProducerRef)
	if err == nil {
		p.EnableTraceEvents(q.Types)
	}
	return none{}, err
}

func traceConsumer(c *caller, q *traceConsumerRequest) (none, error) {
	consumer, err := c.routerConsumer(q.routerConsumerRef)
	if err == nil {
		consumer.EnableTraceEvents(q.Types)
	}
	return none{}, err
}
