package sfu

import (
	"slices"
	"sync/atomic"
)

// DataProducerEvents are called from the router's event goroutine; nil ones are not.
type DataProducerEvents struct {
	Closed          func(CloseReason)
	Paused, Resumed func()
}

// DataProducerOptions are what a data producer is made from.
type DataProducerOptions struct {
	// ID must be new in the router; empty picks one.
	ID string
	// SCTPStreamParameters have no meaning on a DirectTransport.
	SCTPStreamParameters SCTPStreamParameters
	// Label and Protocol are the data channel's, for those who consume it.
	Label, Protocol string
	// Paused data producers are received and not forwarded.
	Paused  bool
	AppData any
	Events  DataProducerEvents
}

// DataProducer is the messages of one data channel that a peer sends.
type DataProducer struct {
	// Constant after ProduceData.
	transport       *Transport
	id              string
	params          SCTPStreamParameters
	label, protocol string
	appData         any
	events          DataProducerEvents
	parent          *DataProducer // that it was piped from; nearly always nil

	// views are in other routers. Changes reach them by the SFU's chores, one after
	// the other: whoever makes the change holds the lock of one router and must not
	// take that of another.
	views sharedList[*DataProducer]

	// Guarded by router.mu.
	closed    bool
	consumers map[*DataConsumer]struct{}
	copyOf    *DataConsumer // of another router, by whose pipe it comes; nearly always nil

	// Atomic.
	muted           atomic.Bool                     // paused
	fanout          atomic.Pointer[[]*DataConsumer] // consumers, copied on change
	messages, bytes atomic.Uint64
}

func newDataProducer(t *Transport, o DataProducerOptions, params SCTPStreamParameters) *DataProducer {
	p := &DataProducer{
		transport: t, params: params, label: o.Label, protocol: o.Protocol,
		appData: o.AppData, events: o.Events, consumers: map[*DataConsumer]struct{}{},
	}
	p.muted.Store(o.Paused)
	p.fanout.Store(new([]*DataConsumer))
	return p
}

// forward sends a message to every consumer. It is called by the transport's
// association, one call at a time, which waits for consumers that are slow: that is
// how a sender is told to send less.
func (p *DataProducer) forward(m dataMessage) {
	p.messages.Add(1)
	p.bytes.Add(uint64(len(m.data)))
	if p.muted.Load() {
		return
	}
	for _, c := range *p.fanout.Load() {
		c.forward(m)
	}
	for _, view := range p.views.all() {
		view.forward(m)
	}
}

// ID is unique in the router.
func (p *DataProducer) ID() string { return p.id }

// SCTPStreamParameters are how the messages come in, with Ordered filled in.
func (p *DataProducer) SCTPStreamParameters() SCTPStreamParameters { return p.params }

// Type says how the messages come in.
func (p *DataProducer) Type() DataType {
	for p.parent != nil { // as it was where the pipe begins
		p = p.parent
	}
	return p.transport.dataType()
}

// Label is the data channel's.
func (p *DataProducer) Label() string { return p.label }

// Protocol is the data channel's.
func (p *DataProducer) Protocol() string { return p.protocol }

// AppData is what the maker attached.
func (p *DataProducer) AppData() any { return p.appData }

// Paused reports whether messages are not forwarded.
func (p *DataProducer) Paused() bool { return p.muted.Load() }

// Closed reports whether the data producer was closed, by whatever.
func (p *DataProducer) Closed() bool {
	p.transport.router.mu.Lock()
	defer p.transport.router.mu.Unlock()
	return p.closed
}

// Stats are the figures.
func (p *DataProducer) Stats() DataProducerStats {
	return DataProducerStats{
		Type: "data-producer", Timestamp: p.transport.sfu.now().Wall().UnixMilli(),
		Label: p.label, Protocol: p.protocol,
		MessagesReceived: p.messages.Load(), BytesReceived: p.bytes.Load(),
	}
}

// Pause makes messages be dropped.
func (p *DataProducer) Pause() { p.setPaused(true) }

// Resume forwards messages again.
func (p *DataProducer) Resume() { p.setPaused(false) }

func (p *DataProducer) setPaused(paused bool) {
	r := p.transport.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.closed || p.muted.Load() == paused {
		return
	}
	p.muted.Store(paused)
	own := p.events.Resumed
	if paused {
		own = p.events.Paused
	}
	r.emit(own)
	r.notify(Event{Type: pausedEvent(paused, EventDataProducerPaused, EventDataProducerResumed), DataProducer: p})
	p.pauseViewsLocked()
	for c := range p.consumers {
		changed := c.events.DataProducerResumed
		if paused {
			changed = c.events.DataProducerPaused
		}
		r.emit(changed)
		r.notify(Event{Type: pausedEvent(paused, EventDataConsumerProducerPaused, EventDataConsumerProducerResumed), DataConsumer: c})
	}
}

// Close ends the data producer, its consumers and the client's data channel.
func (p *DataProducer) Close() { p.closeFor(CloseRequested) }

func (p *DataProducer) closeFor(reason CloseReason) {
	p.transport.router.mu.Lock()
	defer p.transport.router.mu.Unlock()
	p.closeLocked(reason)
}

func (p *DataProducer) closeLocked(reason CloseReason) {
	if p.closed {
		return
	}
	p.closed = true
	for c := range p.consumers {
		c.closeLocked(CloseProducer)
	}
	p.closeViewsLocked()
	p.closeOriginalLocked()
	t := p.transport
	delete(t.data.producers, p.id)
	delete(t.router.dataProducers, p.id)
	if p.parent == nil {
		t.leaveData(p.params.StreamID, p, nil)
	}
	if closed := p.events.Closed; closed != nil {
		t.router.emit(func() { closed(reason) })
	}
	t.router.notify(Event{Type: EventDataProducerClosed, DataProducer: p, Data: reason})
}

// addConsumerLocked makes c get the messages. router.mu is held.
func (p *DataProducer) addConsumerLocked(c *DataConsumer) {
	p.consumers[c] = struct{}{}
	p.fanout.Store(new(append(slices.Clone(*p.fanout.Load()), c)))
}

func (p *DataProducer) removeConsumerLocked(c *DataConsumer) {
	delete(p.consumers, c)
	rest := slices.DeleteFunc(slices.Clone(*p.fanout.Load()), func(other *DataConsumer) bool { return other == c })
	p.fanout.Store(&rest)
}
