package sfu

import (
	"fmt"

	"github.com/takoserver/takos-call/internal/ortc"
)

// PipeOptions are what a piped producer is made from.
type PipeOptions struct {
	AppData any
	Events  ProducerEvents
}

// PipeTo makes a producer of r one of another router of the same SFU, where it
// has the same id, so that it can be consumed there. It pauses, resumes and ends
// as the original does; requests for keyframes and the choice among its
// encodings go to the original as if its receivers were here. Ending the piped
// one leaves the original as it is.
//
// [Router.PipeToRouter] is for those who want pipe transports and consumers to hold.
//
// No packet is copied for it: consumers there are served with those of r, one
// by one. Errors: ErrClosed, ErrNotFound, *ortc.Error: it exists there already,
// or the other router was made without its codec.
func (r *Router) PipeTo(to *Router, producerID string, o PipeOptions) (*Producer, error) {
	if err := r.canPipeTo(to); err != nil {
		return nil, err
	}
	parent := r.Producer(producerID)
	if parent == nil {
		return nil, fmt.Errorf("piping: producer %q %w", producerID, ErrNotFound)
	}
	view, err := to.newView(parent, o)
	if err != nil {
		return nil, err
	}
	if err := parent.addView(view); err != nil {
		return nil, err
	}
	if err := view.enter(); err != nil {
		parent.views.remove(view)
		return nil, err
	}
	return view, nil
}

// canPipeTo says what is wrong with piping from r to another router.
func (r *Router) canPipeTo(to *Router) error {
	if to == r || to.sfu != r.sfu {
		return typeErrorf("router: %q is not another router of this server", to.id)
	}
	return nil
}

// newView makes what stands for parent in r. Its media is that of the producer
// at the beginning of all pipes: packets know nothing of views.
func (r *Router) newView(parent *Producer, o PipeOptions) (*Producer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked("piping"); err != nil {
		return nil, err
	}
	mapping, err := ortc.ProducerRTPMapping(parent.consumable, r.capabilities)
	if err != nil {
		return nil, err
	}
	origin := parent.source()
	view := &Producer{
		id: parent.id, parent: parent, origin: origin,
		kind: parent.kind, typ: parent.typ, params: parent.consumable,
		consumable: ortc.ConsumableRTPParameters(parent.kind, parent.consumable, r.capabilities, mapping),
		speech:     origin.speech,
		appData:    o.AppData, events: o.Events, mapping: mapping,
		consumers: map[*Consumer]struct{}{},
	}
	view.renumbered = new([128]uint8)
	for from := range view.renumbered {
		view.renumbered[from] = noPayloadType
		for _, m := range mapping.Codecs {
			if m.PayloadType == parent.payloadType(uint8(from)) {
				view.renumbered[from] = m.MappedPayloadType
			}
		}
	}
	view.transport = r.pipeEndLocked()
	return view, nil
}

// enter makes the view one of its router's producers.
func (p *Producer) enter() error {
	r := p.transport.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked("piping"); err != nil {
		return err
	}
	if p.closed { // the original has ended meanwhile
		return fmt.Errorf("piping: producer %q %w", p.id, ErrClosed)
	}
	if _, err := freshIDLocked(r.producers, p.id, "producer"); err != nil {
		return err
	}
	p.transport.producers[p.id], r.producers[p.id] = p, p
	r.notify(Event{Type: EventNewProducer, Transport: p.transport, Producer: p})
	return nil
}

// pipeEnd is the kind of the transport that a router's piped producers are on.
// Nothing comes in or goes out there.
type pipeEnd struct{}

func (pipeEnd) transportType() TransportType { return TransportPipe }
func (pipeEnd) tickLocked(*scratch)          {}
func (pipeEnd) closeLocked()                 {}

// pipeEndLocked is r's, made when it is first needed. It is no business of the
// clock, nor does it count as a transport. r.mu is held.
func (r *Router) pipeEndLocked() *Transport {
	if r.pipeEnd == nil {
		t := new(Transport)
		t.init(r, pipeEnd{}, nil, nil)
		r.transports[t.id], r.pipeEnd = t, t
	}
	return r.pipeEnd
}

// noPayloadType stands for a payload type that does not go through a pipe.
const noPayloadType = 255

// payloadType is what a payload type of the source's router is in p's router.
func (p *Producer) payloadType(of uint8) uint8 {
	if p.renumbered == nil {
		return of
	}
	return p.renumbered[of]
}

// source is the producer whose packets consumers of p are sent.
func (p *Producer) source() *Producer {
	if p.origin != nil {
		return p.origin
	}
	return p
}

// addView makes view follow p. Errors: ErrClosed.
func (p *Producer) addView(view *Producer) error {
	r := p.transport.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.closed {
		return fmt.Errorf("piping: producer %q %w", p.id, ErrClosed)
	}
	view.paused = p.paused // nobody else knows it yet
	view.muted.Store(p.paused)
	p.views.add(view)
	return nil
}

// pauseViewsLocked lets the views follow Pause and Resume. router.mu is held.
func (p *Producer) pauseViewsLocked() {
	for _, view := range p.views.all() {
		p.transport.sfu.chores.post(func() { view.setPaused(p.Paused()) })
	}
}

// closeViewsLocked ends p's views, and p's own being one. router.mu is held.
func (p *Producer) closeViewsLocked() {
	for _, view := range p.views.all() {
		p.transport.sfu.chores.post(func() { view.closeFor(CloseProducer) })
	}
	if p.parent != nil {
		p.parent.views.remove(p)
	}
}

// tellScores has the Score events of p and its views called.
func (p *Producer) tellScores() {
	if tell := p.events.Score; tell != nil {
		p.transport.router.emit(func() { tell(p.Score()) })
	}
	p.notifyScore()
	for _, view := range p.views.all() {
		view.tellScores()
	}
}
