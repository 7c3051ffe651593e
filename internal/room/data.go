package room

import (
	"errors"

	"github.com/takoserver/takos-call/internal/sfu"
)

// SCTPOptions say whether a transport carries data, and how much.
type SCTPOptions = sfu.SCTPOptions

// SCTPStreamParameters say how a data channel is carried.
type SCTPStreamParameters = sfu.SCTPStreamParameters

// dataObjects are the data producers and consumers of a transport or a peer; guarded
// by the room's mu.
type dataObjects struct {
	dataProducers map[string]*DataProducer
	dataConsumers map[string]*DataConsumer
}

func newDataObjects() dataObjects {
	return dataObjects{map[string]*DataProducer{}, map[string]*DataConsumer{}}
}

func (d *dataObjects) producersInOrder() []*DataProducer {
	return inOrder(d.dataProducers, func(o *DataProducer) uint64 { return o.number })
}

func (d *dataObjects) consumersInOrder() []*DataConsumer {
	return inOrder(d.dataConsumers, func(o *DataConsumer) uint64 { return o.number })
}

// DataProducer is the messages of one data channel that a peer sends. The SFU's
// methods that change it are replaced by ours, which tell observers.
type DataProducer struct {
	*sfu.DataProducer // constant after ProduceData

	// constant after ProduceData
	transport *Transport
	appData   any
	number    uint64

	// guarded by the room's mu
	closed    bool
	paused    bool // as observers have been told
	consumers map[string]*DataConsumer
}

// Peer is the owner.
func (p *DataProducer) Peer() *Peer { return p.transport.peer }

// Transport is what carries it.
func (p *DataProducer) Transport() *Transport { return p.transport }

// AppData is what was attached when the data producer was made.
func (p *DataProducer) AppData() any { return p.appData }

// Pause stops messages from being forwarded. It reports whether that is a change.
func (p *DataProducer) Pause() bool { return p.setPaused(true) }

// Resume makes them forwarded again. It reports whether that is a change.
func (p *DataProducer) Resume() bool { return p.setPaused(false) }

func (p *DataProducer) setPaused(paused bool) bool {
	r := p.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.closed || p.paused == paused {
		return false
	}
	if paused {
		p.DataProducer.Pause()
	} else {
		p.DataProducer.Resume()
	}
	p.tellPausedLocked(paused)
	return true
}

// pauseChanged is an event of the SFU. It comes late for what we did ourselves,
// so only the state as it is now counts.
func (p *DataProducer) pauseChanged() {
	r := p.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if !p.closed && !r.closed && p.Paused() != p.paused {
		p.tellPausedLocked(!p.paused)
	}
}

func (p *DataProducer) tellPausedLocked(paused bool) {
	p.paused = paused
	kind := DataProducerResumed
	if paused {
		kind = DataProducerPaused
	}
	p.Peer().room.emitLocked(Event{Type: kind, Peer: p.Peer(), DataProducer: p})
}

// Close closes the data producer and its data consumers. by is the id of the peer who
// wants it, empty for a backend.
func (p *DataProducer) Close(by string) {
	r := p.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	p.closeLocked(by, ReasonRequested)
}

func (p *DataProducer) closedBySFU(reason sfu.CloseReason) {
	r := p.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		p.closeLocked("", string(reason))
	}
}

func (p *DataProducer) closeLocked(by, reason string) {
	if p.closed {
		return
	}
	p.closed = true
	for _, c := range inOrder(p.consumers, func(c *DataConsumer) uint64 { return c.number }) {
		c.closeLocked(by, string(sfu.CloseProducer))
	}
	p.DataProducer.Close()
	delete(p.transport.dataProducers, p.ID())
	delete(p.Peer().dataProducers, p.ID())
	p.transport.peer.room.emitLocked(Event{
		Type: DataProducerClosed, Peer: p.Peer(), Transport: p.transport, DataProducer: p, By: by, Reason: reason,
	})
}

// DataConsumer is the copy of a data producer's messages that a peer gets. Pausing,
// resuming and sending are the SFU's own methods.
type DataConsumer struct {
	*sfu.DataConsumer // constant after ConsumeData

	// constant after ConsumeData
	transport *Transport
	producer  *DataProducer
	appData   any
	number    uint64

	closed bool // guarded by the room's mu
}

// Peer is the owner, who receives.
func (c *DataConsumer) Peer() *Peer { return c.transport.peer }

// Transport is what carries it.
func (c *DataConsumer) Transport() *Transport { return c.transport }

// DataProducer is where it comes from.
func (c *DataConsumer) DataProducer() *DataProducer { return c.producer }

// AppData is what was attached when the data consumer was made.
func (c *DataConsumer) AppData() any { return c.appData }

// Close closes the data consumer. by is the id of the peer who wants it, empty for a
// backend.
func (c *DataConsumer) Close(by string) {
	r := c.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	c.closeLocked(by, ReasonRequested)
}

func (c *DataConsumer) closedBySFU(reason sfu.CloseReason) {
	r := c.transport.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		c.closeLocked("", string(reason))
	}
}

func (c *DataConsumer) closeLocked(by, reason string) {
	if c.closed {
		return
	}
	c.closed = true
	c.DataConsumer.Close()
	delete(c.transport.dataConsumers, c.ID())
	delete(c.Peer().dataConsumers, c.ID())
	delete(c.producer.consumers, c.ID())
	c.transport.peer.room.emitLocked(Event{
		Type: DataConsumerClosed, Peer: c.Peer(), Transport: c.transport, DataConsumer: c, By: by, Reason: reason,
	})
}

// closeDataLocked closes what carries data over the transport.
func (t *Transport) closeDataLocked(by string) {
	for _, p := range t.producersInOrder() {
		p.closeLocked(by, string(sfu.CloseTransport))
	}
	for _, c := range t.consumersInOrder() {
		c.closeLocked(by, string(sfu.CloseTransport))
	}
}

// ProduceDataOptions are the properties of a data producer.
type ProduceDataOptions struct {
	SCTPStreamParameters SCTPStreamParameters
	Label, Protocol      string
	Paused               bool
	AppData              any
	ID                   string // unique in the router; empty is a new one
}

// ProduceData makes a data producer. Errors: WrongDirection, LimitReached,
// TransportNotFound, *ortc.Error.
func (t *Transport) ProduceData(o ProduceDataOptions) (*DataProducer, error) {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	if err := t.openLocked(); err != nil {
		return nil, err
	}
	if err := t.direct(Send, "carry a data producer"); err != nil {
		return nil, err
	}
	if limit := t.peer.room.registry.options.Limits.ProducersPerPeer; len(t.peer.dataProducers) >= limit {
		return nil, errorf(LimitReached, "peer %q has %d data producers, which is the limit", t.peer.id, limit)
	}
	p := &DataProducer{
		transport: t, appData: o.AppData, paused: o.Paused, number: t.peer.room.nextLocked(), consumers: map[string]*DataConsumer{},
	}
	var err error
	p.DataProducer, err = t.media.ProduceData(sfu.DataProducerOptions{
		ID: o.ID, AppData: o.AppData,
		SCTPStreamParameters: o.SCTPStreamParameters, Label: o.Label, Protocol: o.Protocol, Paused: o.Paused,
		Events: sfu.DataProducerEvents{Closed: p.closedBySFU, Paused: p.pauseChanged, Resumed: p.pauseChanged},
	})
	if err != nil {
		return nil, err
	}
	t.dataProducers[p.ID()], t.peer.dataProducers[p.ID()] = p, p
	t.peer.room.emitLocked(Event{Type: DataProducerCreated, Peer: t.peer, Transport: t, DataProducer: p})
	return p, nil
}

// ConsumeDataOptions are the properties of a data consumer. Ordered,
// MaxPacketLifeTime (ms) and MaxRetransmits are the data producer's unless given.
type ConsumeDataOptions struct {
	DataProducerID    string
	Ordered           *bool
	MaxPacketLifeTime *uint16
	MaxRetransmits    *uint16
	Paused            bool
	AppData           any
	Subchannels       []uint16 // those it begins with
}

// ConsumeData makes a data consumer of a data producer of the room. Errors:
// WrongDirection, LimitReached, TransportNotFound, DataProducerNotFound, *ortc.Error.
func (t *Transport) ConsumeData(o ConsumeDataOptions) (*DataConsumer, error) {
	t.peer.room.mu.Lock()
	defer t.peer.room.mu.Unlock()
	if err := t.openLocked(); err != nil {
		return nil, err
	}
	if err := t.direct(Receive, "carry a data consumer"); err != nil {
		return nil, err
	}
	if limit := t.peer.room.registry.options.Limits.ConsumersPerPeer; len(t.peer.dataConsumers) >= limit {
		return nil, errorf(LimitReached, "peer %q has %d data consumers, which is the limit", t.peer.id, limit)
	}
	producer := t.peer.room.dataProducerLocked(o.DataProducerID)
	if producer == nil {
		return nil, notFound(DataProducerNotFound, "data producer", o.DataProducerID)
	}
	c := &DataConsumer{transport: t, producer: producer, appData: o.AppData, number: t.peer.room.nextLocked()}
	var err error
	c.DataConsumer, err = t.media.ConsumeData(sfu.DataConsumerOptions{
		Subchannels: o.Subchannels, AppData: o.AppData,
		DataProducerID: o.DataProducerID, Ordered: o.Ordered, MaxPacketLifeTime: o.MaxPacketLifeTime,
		MaxRetransmits: o.MaxRetransmits, Paused: o.Paused,
		Events: sfu.DataConsumerEvents{Closed: c.closedBySFU},
	})
	if errors.Is(err, sfu.ErrNotFound) { // it went in this moment
		return nil, notFound(DataProducerNotFound, "data producer", o.DataProducerID)
	}
	if err != nil {
		return nil, err
	}
	t.dataConsumers[c.ID()], t.peer.dataConsumers[c.ID()] = c, c
	producer.consumers[c.ID()] = c
	t.peer.room.emitLocked(Event{Type: DataConsumerCreated, Peer: t.peer, Transport: t, DataConsumer: c})
	return c, nil
}

// DataProducer returns the peer's data producer with that id, or
// DataProducerNotFound.
func (p *Peer) DataProducer(id string) (*DataProducer, error) {
	return find(p, p.dataProducers, id, DataProducerNotFound, "data producer")
}

// DataConsumer returns the peer's data consumer with that id, or
// DataConsumerNotFound.
func (p *Peer) DataConsumer(id string) (*DataConsumer, error) {
	return find(p, p.dataConsumers, id, DataConsumerNotFound, "data consumer")
}

// DataConsumerOf returns the peer's first data consumer of a data producer, or nil.
func (p *Peer) DataConsumerOf(dataProducerID string) *DataConsumer {
	for _, c := range p.Snapshot().DataConsumers {
		if c.DataProducerID() == dataProducerID {
			return c
		}
	}
	return nil
}

// DataProducer returns the room's data producer with that id, or
// DataProducerNotFound.
func (r *Room) DataProducer(id string) (*DataProducer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.dataProducerLocked(id); p != nil {
		return p, nil
	}
	return nil, notFound(DataProducerNotFound, "data producer", id)
}

func (r *Room) dataProducerLocked(id string) *DataProducer {
	for _, p := range r.peers {
		if producer := p.dataProducers[id]; producer != nil {
			return producer
		}
	}
	return nil
}
