package worker

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

// Worker is a set of routers.
type Worker struct {
	// Constant after Create.
	registry          *Registry
	id, owner         string
	appData           any
	certificate       *sfu.Certificate // nil: the server's
	closeWhenReleased bool
	grace             time.Duration

	closing sync.Once // whoever closes it too waits for the end

	mu        sync.Mutex
	settings  Settings
	closed    bool
	routers   map[string]*Router
	order     []*Router           // as they were made
	servers   []*sfu.WebRTCServer // likewise
	observers []*observer
	holders   int
	holds     int         // ever
	expiry    *time.Timer // runs while nobody holds a worker that ends then
}

// Router is a router of a worker.
type Router struct {
	*sfu.Router
	worker  *Worker
	appData any
}

// Worker is what the router belongs to.
func (r *Router) Worker() *Worker { return r.worker }

// AppData is what the maker of the router attached to it.
func (r *Router) AppData() any { return r.appData }

// ID is unique in the process.
func (w *Worker) ID() string { return w.id }

// Owner is the name of the API key that the worker was made with.
func (w *Worker) Owner() string { return w.owner }

// AppData is what the maker of the worker attached to it.
func (w *Worker) AppData() any { return w.appData }

// PID is the server's process.
func (w *Worker) PID() int { return os.Getpid() }

// Settings are those in force.
func (w *Worker) Settings() Settings {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settings
}

// SetLogging changes what the owner is told; nil fields of l leave what is.
// Errors: *ortc.Error, sfu.ErrClosed.
func (w *Worker) SetLogging(l Logging) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.openLocked("changing settings"); err != nil {
		return err
	}
	next := w.settings.Logging
	if l.Level != "" {
		next.Level = l.Level
	}
	if l.Tags != nil {
		next.Tags = l.Tags
	}
	if err := next.validate(); err != nil {
		return err
	}
	w.settings.Logging = next
	return nil
}

// NewRouter makes an empty router. No codecs means none, as in mediasoup, and
// not those of a room. Errors: *ortc.Error, sfu.ErrClosed, sfu.ErrLimit, ErrDraining.
func (w *Worker) NewRouter(mediaCodecs []ortc.RTPCodecCapability, appData any) (*Router, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.openLocked("making a router"); err != nil {
		return nil, err
	}
	if err := w.registry.mayMakeRouter(len(w.routers)); err != nil {
		return nil, err
	}
	if mediaCodecs == nil {
		mediaCodecs = []ortc.RTPCodecCapability{}
	}
	media, err := w.registry.sfu.NewRouter(sfu.RouterOptions{
		MediaCodecs: mediaCodecs, Certificate: w.certificate, PortRange: w.settings.Ports,
	})
	if err != nil {
		return nil, err
	}
	r := &Router{Router: media, worker: w, appData: appData}
	w.routers[r.ID()] = r
	w.order = append(w.order, r)
	w.registry.setRouter(r)
	w.watchLocked(r)
	w.tellLocked(Event{Type: RouterCreated, Worker: w, Router: r})
	return r, nil
}

// Routers are those that are open, the oldest first.
func (w *Worker) Routers() []*Router {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.order)
}

// CloseRouter closes a router of the worker.
func (w *Worker) CloseRouter(r *Router) {
	w.mu.Lock()
	if w.routers[r.ID()] != r {
		w.mu.Unlock()
		return
	}
	w.forgetRouterLocked(r)
	w.mu.Unlock()
	r.Close()
	r.Settle()
}

func (w *Worker) forgetRouterLocked(r *Router) {
	delete(w.routers, r.ID())
	w.order = slices.DeleteFunc(w.order, func(other *Router) bool { return other == r })
	w.registry.forgetRouter(r)
}

// Close closes the worker and its routers, and returns when everybody who
// observes it has been told. It must not be called from them.
func (w *Worker) Close() { w.closing.Do(w.close) }

func (w *Worker) close() {
	w.mu.Lock()
	w.closed = true
	if w.expiry != nil {
		w.expiry.Stop()
	}
	routers := slices.Clone(w.order)
	for _, r := range routers {
		w.forgetRouterLocked(r)
	}
	servers := slices.Clone(w.servers)
	w.mu.Unlock()
	w.registry.forgetWorker(w)
	for _, r := range routers {
		r.Close()
		r.Settle() // so that the worker's end is its last event
	}
	for _, v := range servers {
		w.CloseWebRTCServer(v)
	}
	w.tell(Event{Type: Closed, Worker: w})
}

func (w *Worker) openLocked(doing string) error {
	if w.closed {
		return fmt.Errorf("%s: worker %q %w", doing, w.id, sfu.ErrClosed)
	}
	return nil
}
