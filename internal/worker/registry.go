package worker

import (
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/takoserver/takos-call/internal/sfu"
)

// DefaultMaxWorkers bounds the open workers.
const DefaultMaxWorkers = 1000

// Registry has all workers of the server.
type Registry struct {
	sfu        *sfu.SFU // constant
	maxWorkers int      // constant

	mu      sync.Mutex // taken after Worker.mu
	workers map[string]*Worker
	routers map[string]*Router
	order   []*Worker // as they were made
	closed  bool
}

// NewRegistry makes a registry without workers; maxWorkers of 0 is
// DefaultMaxWorkers.
func NewRegistry(media *sfu.SFU, maxWorkers int) *Registry {
	if maxWorkers <= 0 {
		maxWorkers = DefaultMaxWorkers
	}
	return &Registry{sfu: media, maxWorkers: maxWorkers, workers: map[string]*Worker{}, routers: map[string]*Router{}}
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

// Create makes a worker. Errors: *ortc.Error, sfu.ErrLimit, sfu.ErrClosed.
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
		certificate: certificate, servers: map[string]*sfu.WebRTCServer{},
		registry: g, id: uuid.NewString(), owner: o.Owner, appData: o.AppData, settings: o.Settings,
		closeWhenReleased: o.CloseWhenReleased, grace: o.Grace, routers: map[string]*Router{},
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, fmt.Errorf("making a worker: server %w", sfu.ErrClosed)
	}
	if len(g.workers) >= g.maxWorkers {
		return nil, fmt.Errorf("making a worker: %w: %d workers are open on this server", sfu.ErrLimit, g.maxWorkers)
	}
	g.workers[w.id] = w
	g.order = append(g.order, w)
	return w, nil
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
