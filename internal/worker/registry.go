package worker

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/takoserver/takos-call/internal/sfu"
)

// Limits bound what applications can make the server hold. A field that is zero
// has the default.
type Limits struct {
	Workers          int // of the server, default 1,000
	WorkersPerOwner  int // default 500, so that one application leaves something for others
	RoutersPerWorker int // default 1,000
}

func (l Limits) withDefaults() Limits {
	for _, field := range []struct {
		value *int
		def   int
	}{{&l.Workers, 1000}, {&l.WorkersPerOwner, 500}, {&l.RoutersPerWorker, 1000}} {
		if *field.value <= 0 {
			*field.value = field.def
		}
	}
	return l
}

// ErrDraining means that the server is about to end.
var ErrDraining = errors.New("the server is shutting down and makes no new workers and routers")

// Registry has all workers of the server.
type Registry struct {
	sfu    *sfu.SFU // constant
	limits Limits   // constant

	mu      sync.Mutex // taken after Worker.mu
	workers map[string]*Worker
	routers map[string]*Router
	order   []*Worker // as they were made
	closed  bool

	draining bool
}

// NewRegistry makes a registry without workers.
func NewRegistry(media *sfu.SFU, l Limits) *Registry {
	return &Registry{sfu: media, limits: l.withDefaults(), workers: map[string]*Worker{}, routers: map[string]*Router{}}
}

// Options are what a worker is made from.
type Options struct {
	Settings
	// Owner is the name of the API key that the worker is made with.
	Owner string
	// CloseWhenReleased ends the worker when nobody has held it, see
	// [Worker.Hold], for the length of Grace.
	CloseWhenReleased bool
	Grace             time.Duration
	AppData           any
}

// Create makes a worker. Errors: *ortc.Error, sfu.ErrLimit, sfu.ErrClosed,
// ErrDraining.
func (g *Registry) Create(o Options) (*Worker, error) {
	o.Settings = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	certificate, err := o.certificate()
	if err != nil {
		return nil, err
	}
	w := &Worker{
		certificate: certificate,
		registry:    g, id: uuid.NewString(), owner: o.Owner, appData: o.AppData, settings: o.Settings,
		closeWhenReleased: o.CloseWhenReleased, grace: o.Grace, routers: map[string]*Router{},
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.mayCreateLocked(o.Owner); err != nil {
		return nil, err
	}
	g.workers[w.id] = w
	g.order = append(g.order, w)
	return w, nil
}

func (g *Registry) mayCreateLocked(owner string) error {
	owned := 0
	for _, w := range g.order {
		if w.owner == owner {
			owned++
		}
	}
	switch {
	case g.closed:
		return fmt.Errorf("making a worker: server %w", sfu.ErrClosed)
	case g.draining:
		return ErrDraining
	case len(g.workers) >= g.limits.Workers:
		return fmt.Errorf("making a worker: %w: %d workers are open on this server", sfu.ErrLimit, g.limits.Workers)
	case owned >= g.limits.WorkersPerOwner:
		return fmt.Errorf("making a worker: %w: %d workers of this key are open", sfu.ErrLimit, g.limits.WorkersPerOwner)
	}
	return nil
}

// Drain makes the registry refuse new workers and routers; those that exist go
// on.
func (g *Registry) Drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
}

// mayMakeRouter fails where a worker that has so many routers is to get no more.
func (g *Registry) mayMakeRouter(routers int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.draining:
		return ErrDraining
	case routers >= g.limits.RoutersPerWorker:
		return fmt.Errorf("making a router: %w: %d routers are open in this worker", sfu.ErrLimit, routers)
	}
	return nil
}

// Connected counts the transports of all workers that have somebody at their
// other end: those of browsers and of plain RTP.
func (g *Registry) Connected() (transports int) {
	for _, w := range g.Workers() {
		for _, r := range w.Routers() {
			for _, t := range r.Transports() {
				if kind := t.Type(); kind == sfu.TransportWebRTC || kind == sfu.TransportPlain {
					transports++
				}
			}
		}
	}
	return transports
}

// Worker returns the open worker with that id, or nil.
func (g *Registry) Worker(id string) *Worker {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.workers[id]
}

// Workers are those that are open, the oldest first.
func (g *Registry) Workers() []*Worker {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*Worker(nil), g.order...)
}

// Router returns the open router with that id, of whatever worker, or nil.
func (g *Registry) Router(id string) *Router {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.routers[id]
}

// Close closes every worker.
func (g *Registry) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	for _, w := range g.Workers() {
		w.Close()
	}
}

func (g *Registry) forgetWorker(w *Worker) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.workers, w.id)
	for i, other := range g.order {
		if other == w {
			g.order = append(g.order[:i], g.order[i+1:]...)
			return
		}
	}
}

func (g *Registry) setRouter(r *Router) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.routers[r.ID()] = r
}

func (g *Registry) forgetRouter(r *Router) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.routers, r.ID())
}
