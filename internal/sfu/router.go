package sfu

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ortc"
)

// RouterOptions are what a router is made from.
type RouterOptions struct {
	// MediaCodecs are the codecs, preferred first; nil is DefaultMediaCodecs, an
	// empty list is no media at all.
	MediaCodecs []ortc.RTPCodecCapability
	// Certificate is shown in the handshakes of the router's transports; nil is
	// the SFU's own.
	Certificate *dtls.Certificate
	// PortRange is for sockets of the router's transports that are given no port;
	// the zero value is the SFU's PlainPorts.
	PortRange PortRange
}

// DefaultMediaCodecs are those of a room that asks for none: Opus, VP8 and
// H264 as deployed servers offer them, then VP9 and AV1, so that old clients
// choose what they always chose.
func DefaultMediaCodecs() []ortc.RTPCodecCapability {
	video := func(name string, p ortc.CodecParameters) ortc.RTPCodecCapability {
		return ortc.RTPCodecCapability{Kind: ortc.Video, MimeType: "video/" + name, ClockRate: 90000, Parameters: p}
	}
	return []ortc.RTPCodecCapability{
		{Kind: ortc.Audio, MimeType: "audio/opus", ClockRate: 48000, Channels: 2},
		video("VP8", ortc.CodecParameters{"x-google-start-bitrate": 1000}),
		video("H264", ortc.CodecParameters{
			"packetization-mode": 1, "profile-level-id": "4d0032", "level-asymmetry-allowed": 1,
		}),
		video("VP9", ortc.CodecParameters{"profile-id": 0}),
		video("AV1", ortc.CodecParameters{}),
	}
}

// Router is a set of transports whose producers can be consumed by each other.
type Router struct {
	// Constant after NewRouter.
	sfu         *SFU
	id          string
	certificate *dtls.Certificate
	ports       PortRange
	events      *eventQueue

	mu         sync.Mutex
	closed     bool
	transports map[string]*Transport
	producers  map[string]*Producer
	consumers  map[string]*Consumer

	capabilities ortc.RTPCapabilities // one is put in the place of another, none is changed

	dataProducers map[string]*DataProducer
	dataConsumers map[string]*DataConsumer
	pipeEnd       *Transport // of producers piped here; nil before the first
	observers     map[string]*RTPObserver

	// What may be used with any lock held.
	watchers sharedList[*watcher] // who observes
	traces   atomic.Int32         // that wait for them
}

func newRouter(s *SFU, capabilities ortc.RTPCapabilities) *Router {
	return &Router{
		sfu:          s,
		id:           newID(),
		capabilities: capabilities,
		events:       newEventQueue(s.log, func() { s.counters.panics.Add(1) }),
		transports:   map[string]*Transport{},
		producers:    map[string]*Producer{},
		consumers:    map[string]*Consumer{},

		dataProducers: map[string]*DataProducer{},
		dataConsumers: map[string]*DataConsumer{},
		observers:     map[string]*RTPObserver{},
	}
}

// ID is unique in the process.
func (r *Router) ID() string { return r.id }

// RTPCapabilities are what clients load their device with.
func (r *Router) RTPCapabilities() ortc.RTPCapabilities {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.capabilities.Clone()
}

// UpdateMediaCodecs puts other codecs in the place of those that the router was
// made with. What there is already stays as it is. Errors: ErrClosed, *ortc.Error.
func (r *Router) UpdateMediaCodecs(codecs []ortc.RTPCodecCapability) error {
	capabilities, err := ortc.RouterRTPCapabilities(codecs)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked("changing the media codecs"); err != nil {
		return err
	}
	r.capabilities = capabilities
	return nil
}

// CanConsume reports whether a receiver with the given capabilities could
// decode the producer. It is false where the producer does not exist or the
// capabilities make no sense.
func (r *Router) CanConsume(producerID string, capabilities ortc.RTPCapabilities) bool {
	p := r.Producer(producerID)
	if p == nil {
		return false
	}
	ok, err := ortc.CanConsume(p.consumable, capabilities)
	return ok && err == nil
}

// Closed reports whether Close was called.
func (r *Router) Closed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// Close closes all transports and observers of the router. Their Closed
// callbacks, with reason CloseRouter, are the last events.
func (r *Router) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	for _, t := range r.transports {
		t.closeLocked(CloseRouter)
	}
	for _, o := range r.observers {
		o.closeLocked(CloseRouter)
	}
	r.notify(Event{Type: EventRouterClosed, Data: CloseRequested})
	r.mu.Unlock()
	r.sfu.forgetRouter(r)
	r.sfu.pipes.forget(r)
	r.events.close()
}

// Settle returns when the callbacks and observers have been told of everything
// that has happened so far. It must not be called from one of them.
func (r *Router) Settle() { r.events.settle() }

// emit posts a callback unless it is nil.
func (r *Router) emit(f func()) {
	if f != nil {
		r.events.post(f)
	}
}

// freshIDLocked checks an id that the caller wants for a new object of kind
// what, or makes one.
func freshIDLocked[T any](taken map[string]T, id, what string) (string, error) {
	if id == "" {
		return newID(), nil
	}
	if _, ok := taken[id]; ok {
		return "", invalidStatef("a %s with id %q already exists", what, id)
	}
	return id, nil
}

func (r *Router) openLocked(doing string) error {
	if r.closed {
		return fmt.Errorf("%s: router %w", doing, ErrClosed)
	}
	return nil
}
