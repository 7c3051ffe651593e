package takosapi

import (
	"encoding/json"
	"errors"

	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
)

var routerPipeCommands = []command{
	creates(define("router.createPipeTransport", "Makes a transport that has another router at its other end, of this server, of another one or of mediasoup.", createPipeTransport,
		RouterNotFound, InvalidMedia, LimitReached, PortInUse, NoSuchAddress)),
	creates(define("router.pipeToRouter", "Makes a producer or data producer one of another router of this server too. Two routers have one pair of pipe transports for all that goes between them; the options of transports count when that is made.",
		pipeToRouter, RouterNotFound, ProducerNotFound, DataProducerNotFound, InvalidMedia, Unsupported, InvalidState, LimitReached, PortInUse, NoSuchAddress)),
}

type createPipeTransportRequest struct {
	routerRef
	ListenInfo listenInfo `json:"listenInfo" check:"required,nested" doc:"where to listen, by UDP"`
	EnableRTX  bool       `json:"enableRtx" doc:"whether what is lost between the routers is sent again"`
	EnableSRTP bool       `json:"enableSrtp" doc:"whether packets are encrypted, with keys from transport.connect and in srtpParameters"`
	objectSCTPOptions
	AppData json.RawMessage `json:"appData" doc:"anything; it comes back in RouterTransportInfo"`
}

func createPipeTransport(c *caller, q *createPipeTransportRequest) (RouterTransportInfo, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return RouterTransportInfo{}, err
	}
	listen, err := q.ListenInfo.socket("listenInfo")
	if err != nil {
		return RouterTransportInfo{}, err
	}
	t, err := r.NewPipeTransport(sfu.PipeTransportOptions{
		Listen: listen, EnableRTX: q.EnableRTX, EnableSRTP: q.EnableSRTP, SCTP: q.options(), AppData: appData(q.AppData),
	})
	if err != nil {
		return RouterTransportInfo{}, err
	}
	return routerTransportInfo(&t.Transport), nil
}

type pipeToRouterRequest struct {
	routerRef
	ToRouterID     string      `json:"toRouterId" check:"id" doc:"the other router, of this server"`
	ProducerID     string      `json:"producerId" check:"max=256" doc:"what is piped; either this …"`
	DataProducerID string      `json:"dataProducerId" check:"max=256" doc:"… or this"`
	KeepID         *bool       `json:"keepId" doc:"whether it has the same id there, which two routers of one worker must not have; default true"`
	ListenInfo     *listenInfo `json:"listenInfo" check:"nested" doc:"where both transports listen; default 127.0.0.1"`
	EnableRTX      bool        `json:"enableRtx" doc:"whether what is lost between the routers is sent again"`
	EnableSRTP     bool        `json:"enableSrtp" doc:"whether packets are encrypted between them"`
	EnableSCTP     *bool       `json:"enableSctp" doc:"whether the transports carry data channels; default true"`
	objectSCTPSizes
}

// RouterPiped is what router.pipeToRouter has made, or found.
type RouterPiped struct {
	PipeTransports   []RouterTransportInfo   `json:"pipeTransports" doc:"the router's own, and the other one's"`
	PipeConsumer     *RouterConsumerInfo     `json:"pipeConsumer,omitempty" doc:"of the producer, on the first of them"`
	PipeProducer     *RouterProducerInfo     `json:"pipeProducer,omitempty" doc:"what it comes out of in the other router"`
	PipeDataConsumer *RouterDataConsumerInfo `json:"pipeDataConsumer,omitempty" doc:"likewise, of a data producer"`
	PipeDataProducer *RouterDataProducerInfo `json:"pipeDataProducer,omitempty" doc:"likewise, of a data producer"`
}

func pipeToRouter(c *caller, q *pipeToRouterRequest) (RouterPiped, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return RouterPiped{}, err
	}
	to, err := c.router(routerRef{q.ToRouterID})
	if err != nil {
		return RouterPiped{}, err
	}
	if (q.ProducerID == "") == (q.DataProducerID == "") {
		return RouterPiped{}, errorf(InvalidMedia, "either producerId or dataProducerId must be given")
	}
	o := sfu.PipeToRouterOptions{
		ProducerID: q.ProducerID, DataProducerID: q.DataProducerID, NewID: q.KeepID != nil && !*q.KeepID,
		EnableRTX: q.EnableRTX, EnableSRTP: q.EnableSRTP, SCTP: q.options(),
	}
	o.SCTP.Enable = q.EnableSCTP == nil || *q.EnableSCTP
	if sameWorker(r, to) && !o.NewID {
		return RouterPiped{}, errorf(InvalidState, "both routers are of one worker, where an id must not be there twice: set keepId to false")
	}
	if l := q.ListenInfo; l != nil {
		if o.Listen, err = l.socket("listenInfo"); err != nil {
			return RouterPiped{}, err
		}
	}
	pipe, err := r.PipeToRouter(to.Router, o)
	if errors.Is(err, sfu.ErrNotFound) && q.DataProducerID != "" {
		return RouterPiped{}, errorf(DataProducerNotFound, "the router has no data producer %q", signal.Clip(q.DataProducerID))
	}
	if err != nil {
		return RouterPiped{}, err
	}
	return routerPiped(pipe), nil
}

// sameWorker reports whether a and b are two routers of one worker.
func sameWorker(a, b foundRouter) bool {
	return a.Router != b.Router && a.ofWorker != nil && b.ofWorker != nil && a.ofWorker.Worker() == b.ofWorker.Worker()
}

func routerPiped(p *sfu.RouterPipe) RouterPiped {
	info := RouterPiped{PipeTransports: []RouterTransportInfo{routerTransportInfo(&p.Here.Transport), routerTransportInfo(&p.There.Transport)}}
	if p.Consumer != nil {
		info.PipeConsumer, info.PipeProducer = new(routerConsumerInfo(p.Consumer)), new(routerProducerInfo(p.Producer))
	}
	if p.DataConsumer != nil {
		info.PipeDataConsumer, info.PipeDataProducer = new(routerDataConsumerInfo(p.DataConsumer)), new(routerDataProducerInfo(p.DataProducer))
	}
	return info
}
