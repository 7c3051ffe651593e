package sfu

import "fmt"

// PipeDataOptions are what a piped data producer is made from.
type PipeDataOptions struct {
	AppData any
	Events  DataProducerEvents
}

// PipeDataTo is PipeTo for a data producer. Errors: ErrClosed, ErrNotFound,
// *ortc.Error.
func (r *Router) PipeDataTo(to *Router, dataProducerID string, o PipeDataOptions) (*DataProducer, error) {
	if err := r.canPipeTo(to); err != nil {
		return nil, err
	}
	r.mu.Lock()
	parent := r.dataProducers[dataProducerID]
	r.mu.Unlock()
	if parent == nil {
		return nil, fmt.Errorf("piping: data producer %q %w", dataProducerID, ErrNotFound)
	}
	view, err := to.newDataView(parent, o)
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

// newDataView makes what stands for parent in r.
func (r *Router) newDataView(parent *DataProducer, o PipeDataOptions) (*DataProducer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked("piping"); err != nil {
		return nil, err
	}
	view := newDataProducer(r.pipeEndLocked(), DataProducerOptions{
		Label: parent.label, Protocol: parent.protocol, AppData: o.AppData, Events: o.Events,
	}, parent.params)
	view.id, view.parent = parent.id, parent
	return view, nil
}

// enter makes the view one of its router's data producers.
func (p *DataProducer) enter() error {
	r := p.transport.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked("piping"); err != nil {
		return err
	}
	if p.closed { // the original has ended meanwhile
		return fmt.Errorf("piping: data producer %q %w", p.id, ErrClosed)
	}
	if _, err := freshIDLocked(r.dataProducers, p.id, "data producer"); err != nil {
		return err
	}
	p.transport.data.producers[p.id], r.dataProducers[p.id] = p, p
	r.notify(Event{Type: EventNewDataProducer, Transport: p.transport, DataProducer: p})
	return nil
}

// addView makes view follow p. Errors: ErrClosed.
func (p *DataProducer) addView(view *DataProducer) error {
	r := p.transport.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.closed {
		return fmt.Errorf("piping: data producer %q %w", p.id, ErrClosed)
	}
	view.muted.Store(p.muted.Load())
	p.views.add(view)
	return nil
}

// pauseViewsLocked lets the views follow Pause and Resume. router.mu is held.
func (p *DataProducer) pauseViewsLocked() {
	for _, view := range p.views.all() {
		p.transport.sfu.chores.post(func() { view.setPaused(p.Paused()) })
	}
}

// closeViewsLocked ends p's views, and p's own being one. router.mu is held.
func (p *DataProducer) closeViewsLocked() {
	for _, view := range p.views.all() {
		p.transport.sfu.chores.post(func() { view.closeFor(CloseProducer) })
	}
	if p.parent != nil {
		p.parent.views.remove(p)
	}
}
