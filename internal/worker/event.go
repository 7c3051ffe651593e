package worker

import (
	"slices"

	"github.com/takoserver/takos-call/internal/sfu"
)

// EventType says what happened to a worker.
type EventType string

// The types.
const (
	// RouterEvent is what happened in a router.
	RouterEvent EventType = "router"
	// RouterCreated is a new router.
	RouterCreated EventType = "routerCreated"
	// WebRTCServerCreated and WebRTCServerClosed are about WebRTC servers.
	WebRTCServerCreated EventType = "webRtcServerCreated"
	WebRTCServerClosed  EventType = "webRtcServerClosed"
	// Closed is the end of the worker.
	Closed EventType = "closed"
)

// Event is something that happened to a worker or to what belongs to it.
type Event struct {
	Type   EventType
	Worker *Worker
	Router *Router   // of RouterCreated and RouterEvent
	Media  sfu.Event // of RouterEvent

	WebRTCServer *sfu.WebRTCServer // of WebRTCServerCreated and WebRTCServerClosed
}

type observer struct{ tell func(Event) }

// Observe calls f for what happens from now on, in the order of each router's
// events, with the worker's lock held: f must not block or call back into it.
func (w *Worker) Observe(f func(Event)) (stop func()) {
	o := &observer{f}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observers = append(w.observers, o)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.observers = slices.DeleteFunc(w.observers, func(other *observer) bool { return other == o })
	}
}

// watchLocked passes on what happens in r.
func (w *Worker) watchLocked(r *Router) {
	r.Observe(func(e sfu.Event) { w.tell(Event{Type: RouterEvent, Worker: w, Router: r, Media: e}) })
}

func (w *Worker) tell(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tellLocked(e)
}

func (w *Worker) tellLocked(e Event) {
	for _, o := range w.observers {
		o.tell(e)
	}
}
