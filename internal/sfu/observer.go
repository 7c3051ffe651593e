package sfu

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/speaker"
)

// RTPObserverType is the kind of an observer, in mediasoup's words.
type RTPObserverType string

// The kinds.
const (
	AudioLevels   RTPObserverType = "audiolevel"
	ActiveSpeaker RTPObserverType = "activespeaker"
)

// RTPObserver is what observers of all kinds have in common: producers of one
// router, looked at again and again by the clock.
type RTPObserver struct {
	// Constant after init.
	router   *Router
	id       string
	appData  any
	interval time.Duration
	kind     observerKind
	onClose  func(CloseReason) // nil, or an event callback

	due mono.Instant // owned by the clock once the observer is known to it

	closed bool // guarded by router.mu

	mu      sync.Mutex // guards the following
	paused  bool
	members []*observed // in the order in which they were added
}

// observerKind is what sets the kinds of observers apart. The observer's mu is
// held in each but the first.
type observerKind interface {
	observerType() RTPObserverType
	// beginLocked makes what m has sent before not count.
	beginLocked(m *observed)
	// observeLocked looks at the members.
	observeLocked(now mono.Instant)
	// removedLocked is told of one that is not a member any more.
	removedLocked(m *observed)
	// pausedLocked is told of Pause.
	pausedLocked()
}

// observed is a producer and what an observer knows of it.
type observed struct {
	producer *Producer
	reading  speaker.Reading  // for audio levels
	activity speaker.Activity // for the active speaker
}

// read has f called with how loud the producer is, unless its sender does not
// tell.
func (m *observed) read(f func(*speaker.Source)) bool {
	p := m.producer.source()
	if p.speech == nil {
		return false
	}
	p.transport.recvMu.Lock()
	defer p.transport.recvMu.Unlock()
	f(p.speech)
	return true
}

func (o *RTPObserver) init(r *Router, kind observerKind, interval time.Duration, appData any, onClose func(CloseReason)) {
	o.router, o.id, o.kind, o.interval, o.appData, o.onClose = r, newID(), kind, interval, appData, onClose
	o.due = r.sfu.now().Add(interval)
}

// enter makes o one of its router's observers. Errors: ErrClosed.
func (o *RTPObserver) enter() error {
	r := o.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked("making an observer"); err != nil {
		return err
	}
	r.observers[o.id] = o
	r.sfu.observers.add(o)
	r.notify(Event{Type: EventNewRTPObserver, RTPObserver: o})
	return nil
}

// ID is unique in the process.
func (o *RTPObserver) ID() string { return o.id }

// Type is the kind of the observer.
func (o *RTPObserver) Type() RTPObserverType { return o.kind.observerType() }

// Router returns the router whose producers are observed.
func (o *RTPObserver) Router() *Router { return o.router }

// AppData is what the maker of the observer attached to it.
func (o *RTPObserver) AppData() any { return o.appData }

// Closed reports whether the observer was closed, by whatever.
func (o *RTPObserver) Closed() bool {
	o.router.mu.Lock()
	defer o.router.mu.Unlock()
	return o.closed
}

// Paused reports whether the observer observes nothing for now.
func (o *RTPObserver) Paused() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.paused
}

// Pause stops the observing; producers may be added and removed all the same.
func (o *RTPObserver) Pause() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.paused {
		return
	}
	o.paused = true
	o.router.notify(Event{Type: EventRTPObserverPaused, RTPObserver: o})
	o.kind.pausedLocked()
}

// Resume observes again. What came in the pause does not count.
func (o *RTPObserver) Resume() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.paused {
		return
	}
	o.paused = false
	o.router.notify(Event{Type: EventRTPObserverResumed, RTPObserver: o})
	for _, m := range o.members {
		o.kind.beginLocked(m)
	}
}

// AddProducer makes an audio producer of the router be observed; it leaves when
// it is closed. One whose sender does not tell its level (RFC 6464) never
// counts. Adding it again changes nothing. Errors: ErrClosed, ErrNotFound,
// *ortc.Error where it is not audio.
func (o *RTPObserver) AddProducer(id string) error {
	r := o.router
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := o.producerLocked("observing", id)
	if err != nil {
		return err
	}
	if p.kind != ortc.Audio {
		return typeErrorf("producer %q is not audio", id)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.indexLocked(p) >= 0 {
		return nil
	}
	m := &observed{producer: p}
	o.kind.beginLocked(m)
	o.members = append(o.members, m)
	r.notify(Event{Type: EventAddProducer, RTPObserver: o, Producer: p})
	return nil
}

// RemoveProducer makes a producer not be observed any more, if it was. Errors:
// ErrClosed, ErrNotFound.
func (o *RTPObserver) RemoveProducer(id string) error {
	r := o.router
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := o.producerLocked("observing no more", id)
	if err != nil {
		return err
	}
	o.remove(p)
	return nil
}

// producerLocked finds an open producer for an open observer. router.mu is held.
func (o *RTPObserver) producerLocked(doing, id string) (*Producer, error) {
	if o.closed {
		return nil, fmt.Errorf("%s: observer %w", doing, ErrClosed)
	}
	if p := o.router.producers[id]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s: producer %q %w", doing, id, ErrNotFound)
}

func (o *RTPObserver) remove(p *Producer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := o.indexLocked(p); i >= 0 {
		m := o.members[i]
		o.members = slices.Delete(o.members, i, i+1)
		o.router.notify(Event{Type: EventRemoveProducer, RTPObserver: o, Producer: p})
		o.kind.removedLocked(m)
	}
}

func (o *RTPObserver) indexLocked(p *Producer) int {
	return slices.IndexFunc(o.members, func(m *observed) bool { return m.producer == p })
}

// Close ends the observer.
func (o *RTPObserver) Close() {
	o.router.mu.Lock()
	defer o.router.mu.Unlock()
	o.closeLocked(CloseRequested)
}

// closeLocked makes the clock and the producers forget o. router.mu is held.
func (o *RTPObserver) closeLocked(reason CloseReason) {
	if o.closed {
		return
	}
	o.closed = true
	delete(o.router.observers, o.id)
	o.router.sfu.observers.remove(o)
	o.mu.Lock()
	o.members = nil
	o.mu.Unlock()
	if closed := o.onClose; closed != nil {
		o.router.emit(func() { closed(reason) })
	}
	o.router.notify(Event{Type: EventRTPObserverClosed, RTPObserver: o, Data: reason})
}

// boundedInterval is an interval within what makes sense, by default def.
func boundedInterval(wanted, def, least time.Duration) time.Duration {
	const most = 5 * time.Second
	if wanted == 0 {
		return def
	}
	return min(max(wanted, least), most)
}
