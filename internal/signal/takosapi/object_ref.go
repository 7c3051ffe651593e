package takosapi

import (
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
	"github.com/takoserver/takos-call/internal/worker"
)

// The commands object.method are mediasoup's server API: they handle the SFU's
// objects themselves, those of workers and those of rooms. An object is found by
// its router's id and its own.

type workerRef struct {
	WorkerID string `json:"workerId" check:"id" doc:"the worker's id"`
}

type routerRef struct {
	RouterID string `json:"routerId" check:"id" doc:"the router's id, from worker.createRouter or room.getRouter"`
}

type routerTransportRef struct {
	routerRef
	TransportID string `json:"transportId" check:"id" doc:"the transport's id"`
}

type routerProducerRef struct {
	routerRef
	ProducerID string `json:"producerId" check:"id" doc:"the producer's id"`
}

type routerConsumerRef struct {
	routerRef
	ConsumerID string `json:"consumerId" check:"id" doc:"the consumer's id"`
}

type routerDataProducerRef struct {
	routerRef
	DataProducerID string `json:"dataProducerId" check:"id" doc:"the data producer's id"`
}

type routerDataConsumerRef struct {
	routerRef
	DataConsumerID string `json:"dataConsumerId" check:"id" doc:"the data consumer's id"`
}

type rtpObserverRef struct {
	routerRef
	RTPObserverID string `json:"rtpObserverId" check:"id" doc:"the observer's id"`
}

// foundRouter is a router and what it belongs to.
type foundRouter struct {
	*sfu.Router
	ofWorker *worker.Router // or
	ofRoom   *room.Room
}

// worker finds a worker that the key may use: its own, or any if its scope is
// that of all rooms.
func (c *caller) worker(ref workerRef) (*worker.Worker, error) {
	w := c.door.workers.Worker(ref.WorkerID)
	if w == nil || !c.mayUseWorker(w) {
		return nil, errorf(WorkerNotFound, "there is no worker %q", signal.Clip(ref.WorkerID))
	}
	return w, nil
}

// mayUseWorker reports whether the key may. A worker of another is not there for
// who may not, so that ids cannot be tried out.
func (c *caller) mayUseWorker(w *worker.Worker) bool {
	return w.Owner() == c.access.KeyName || c.access.Scope.RoomPrefix == ""
}

// router finds a router of a worker or of a room that the key may use.
func (c *caller) router(ref routerRef) (foundRouter, error) {
	if r := c.door.workers.Router(ref.RouterID); r != nil && c.mayUseWorker(r.Worker()) {
		c.touched = append(c.touched, r.Router)
		return foundRouter{Router: r.Router, ofWorker: r}, nil
	}
	if r := c.door.rooms.RoomOfRouter(ref.RouterID); r != nil && c.mayUse(r.ID()) == nil {
		c.touched = append(c.touched, r.Router())
		return foundRouter{Router: r.Router(), ofRoom: r}, nil
	}
	return foundRouter{}, errorf(RouterNotFound, "there is no router %q", signal.Clip(ref.RouterID))
}

func (c *caller) routerTransport(ref routerTransportRef) (*sfu.Transport, error) {
	return find(c, ref.routerRef, TransportNotFound, "transport", ref.TransportID, (*sfu.Router).Transport)
}

func (c *caller) routerProducer(ref routerProducerRef) (*sfu.Producer, error) {
	return find(c, ref.routerRef, ProducerNotFound, "producer", ref.ProducerID, (*sfu.Router).Producer)
}

func (c *caller) routerConsumer(ref routerConsumerRef) (*sfu.Consumer, error) {
	return find(c, ref.routerRef, ConsumerNotFound, "consumer", ref.ConsumerID, (*sfu.Router).Consumer)
}

func (c *caller) routerDataProducer(ref routerDataProducerRef) (*sfu.DataProducer, error) {
	return find(c, ref.routerRef, DataProducerNotFound, "data producer", ref.DataProducerID, (*sfu.Router).DataProducer)
}

func (c *caller) routerDataConsumer(ref routerDataConsumerRef) (*sfu.DataConsumer, error) {
	return find(c, ref.routerRef, DataConsumerNotFound, "data consumer", ref.DataConsumerID, (*sfu.Router).DataConsumer)
}

// find finds an object of a router.
func find[T any](c *caller, ref routerRef, code Code, what, id string, in func(*sfu.Router, string) *T) (*T, error) {
	r, err := c.router(ref)
	if err != nil {
		return nil, err
	}
	object := in(r.Router, id)
	if object == nil {
		return nil, errorf(code, "the router has no %s %q", what, signal.Clip(id))
	}
	return object, nil
}
