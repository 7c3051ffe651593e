package sfu

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/sctp"
)

// DataConsumerEvents are called from the router's event goroutine; nil ones are not.
type DataConsumerEvents struct {
	Closed func(CloseReason)
	// Message is given the messages of a consumer on a [DirectTransport]. It is called
	// by whoever sends, who waits for it, and not from the event goroutine; the data is
	// valid until it returns.
	Message                                 func(data []byte, text bool)
	DataProducerPaused, DataProducerResumed func()
	// SendBufferFull tells that messages are dropped because the peer does not take
	// them fast enough; once until it has caught up.
	SendBufferFull func()
	// BufferedAmountLow tells that what the peer has not acknowledged has fallen to the
	// threshold. That includes what was sent, which BufferedAmount leaves out.
	BufferedAmountLow func(bufferedBytes int)
}

// DataConsumerOptions are what a data consumer is made from.
type DataConsumerOptions struct {
	// ID must be new in the router; empty picks one.
	ID             string
	DataProducerID string
	// Ordered, MaxPacketLifeTime (ms) and MaxRetransmits are the data producer's
	// unless given.
	Ordered           *bool
	MaxPacketLifeTime *uint16
	MaxRetransmits    *uint16
	// Paused data consumers send nothing, and nothing is kept for them.
	Paused bool
	// Subchannels are those that the consumer begins subscribed to.
	Subchannels []uint16
	AppData     any
	Events      DataConsumerEvents
}

// streamParameters of the new consumer, but for the stream.
func (o DataConsumerOptions) streamParameters(p *DataProducer) (SCTPStreamParameters, error) {
	params := SCTPStreamParameters{
		Ordered: o.Ordered, MaxPacketLifeTime: o.MaxPacketLifeTime, MaxRetransmits: o.MaxRetransmits,
	}
	if o.Ordered == nil && o.MaxPacketLifeTime == nil && o.MaxRetransmits == nil {
		params = p.params
	}
	params.StreamID = 0
	return params, params.normalize(1)
}

// DataConsumer is the copy of a data producer's messages that one peer gets.
type DataConsumer struct {
	// Constant after ConsumeData.
	transport *Transport
	producer  *DataProducer
	id        string
	params    SCTPStreamParameters
	appData   any
	events    DataConsumerEvents

	// Guarded by router.mu.
	closed bool
	paused bool
	copy   *DataProducer // what it comes out of in another router; nearly always nil

	// Atomic.
	lowThreshold    atomic.Uint32 // of the buffered amount
	active          atomic.Bool   // neither paused nor closed
	subchannels     atomic.Pointer[[]uint16]
	slow            atomic.Bool // messages are dropped until the buffer has half emptied
	messages, bytes atomic.Uint64
	dropped         atomic.Uint64
}

func newDataConsumer(t *Transport, p *DataProducer, o DataConsumerOptions) *DataConsumer {
	c := &DataConsumer{transport: t, producer: p, appData: o.AppData, events: o.Events, paused: o.Paused}
	c.SetSubchannels(o.Subchannels)
	return c
}

// dataPatience is how long a reliable consumer whose buffer is full holds up the
// sender before messages to it are dropped. Less would lose messages of a sender that
// is faster than the receiver's line; more would let one dead line hold up all others.
const dataPatience = time.Second

// forward sends a message of the data producer.
func (c *DataConsumer) forward(m dataMessage) {
	switch {
	case !c.active.Load():
	case c.transport.isPipe():
		c.relay(m)
	case !m.reaches(*c.subchannels.Load()):
	case c.transport.isDirect():
		c.handOver(m)
	default:
		c.sendSCTP(m)
	}
}

func (c *DataConsumer) sendSCTP(m dataMessage) {
	association := c.transport.data.sctp
	patience := dataPatience
	if c.params.MaxPacketLifeTime != nil || c.params.MaxRetransmits != nil {
		patience = 0 // who takes loss for speed does not wait
	}
	if c.slow.Load() {
		if c.backedUp(association) {
			c.dropped.Add(1)
			return
		}
		c.slow.Store(false)
	}
	err := association.Send(sctp.Message{Stream: c.params.StreamID, PPID: m.ppid, Data: m.data}, patience)
	switch {
	case err == nil:
		c.count(m.data)
	case errors.Is(err, sctp.ErrBufferFull):
		c.dropped.Add(1)
		c.slow.Store(true)
		c.tellSendBufferFull()
	default:
		c.dropped.Add(1) // not connected yet, or no longer
	}
}

// backedUp reports whether half of a buffer or more is full.
func (c *DataConsumer) backedUp(association *sctp.Association) bool {
	o := &c.transport.data.options
	return association.Buffered() > o.SendBufferBytes/2 ||
		association.BufferedAmount(c.params.StreamID) > o.StreamBufferBytes/2
}

func (c *DataConsumer) tellSendBufferFull() {
	c.transport.router.emit(c.events.SendBufferFull)
	c.transport.router.notify(Event{Type: EventSendBufferFull, DataConsumer: c})
}

func (c *DataConsumer) count(data []byte) {
	c.messages.Add(1)
	c.bytes.Add(uint64(len(data)))
}

// Send sends a message of the server's own, beside those of the data producer. It
// returns how many bytes wait then on the stream. Errors: ErrClosed, ErrSendBufferFull,
// *ortc.Error.
func (c *DataConsumer) Send(data []byte, text bool) (bufferedBytes int, err error) {
	if c.transport.isDirect() {
		return 0, invalidStatef("sending data: data consumer %q is on a DirectTransport", c.id)
	}
	if c.Closed() {
		return 0, fmt.Errorf("sending data: data consumer %q %w", c.id, ErrClosed)
	}
	ppid, wire := sctp.Encode(data, text)
	before := c.BufferedAmount()
	err = c.transport.data.sctp.Send(sctp.Message{Stream: c.params.StreamID, PPID: ppid, Data: wire}, 0)
	switch {
	case err == nil:
		c.count(wire)
		if before == 0 { // else it waits behind what the line has no room for
			c.transport.data.sctp.Flush(c.params.StreamID, flushPatience)
		}
		return c.BufferedAmount(), nil
	case errors.Is(err, sctp.ErrBufferFull):
		c.tellSendBufferFull()
		return 0, fmt.Errorf("sending data: %w", ErrSendBufferFull)
	case errors.Is(err, sctp.ErrTooBig):
		return 0, typeErrorf("sending data: %d bytes are more than %d", len(data), c.transport.data.options.MaxSendBytes)
	default:
		return 0, invalidStatef("sending data: %v", err)
	}
}

// flushPatience is how long Send waits for its message to go, which on a line that has
// room takes a moment.
const flushPatience = 5 * time.Millisecond

// ErrSendBufferFull means that the peer has not taken what was sent before.
var ErrSendBufferFull = errors.New("the send buffer is full")

// ID is unique in the router.
func (c *DataConsumer) ID() string { return c.id }

// DataProducerID is where the messages come from.
func (c *DataConsumer) DataProducerID() string { return c.producer.id }

// SCTPStreamParameters are how the messages go out, with Ordered filled in.
func (c *DataConsumer) SCTPStreamParameters() SCTPStreamParameters { return c.params }

// Type says how the messages go out.
func (c *DataConsumer) Type() DataType { return c.transport.dataType() }

// Label is the data producer's.
func (c *DataConsumer) Label() string { return c.producer.label }

// Protocol is the data producer's.
func (c *DataConsumer) Protocol() string { return c.producer.protocol }

// AppData is what the maker attached.
func (c *DataConsumer) AppData() any { return c.appData }

// DataProducerPaused reports whether the data producer is paused.
func (c *DataConsumer) DataProducerPaused() bool { return c.producer.Paused() }

// BufferedAmount is how many bytes wait on the stream to be sent for the first time.
func (c *DataConsumer) BufferedAmount() int {
	if c.transport.isDirect() {
		return 0
	}
	return c.transport.data.sctp.Unsent(c.params.StreamID)
}

// SetBufferedAmountLowThreshold sets at how many bytes that are not acknowledged
// BufferedAmountLow is called; it
// begins as 1024.
func (c *DataConsumer) SetBufferedAmountLowThreshold(thresholdBytes int) {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	if !c.closed && !c.transport.isDirect() {
		c.lowThreshold.Store(uint32(thresholdBytes))
		c.transport.data.sctp.SetBufferedAmountLowThreshold(c.params.StreamID, thresholdBytes)
	}
}

// Paused reports whether the consumer itself is paused.
func (c *DataConsumer) Paused() bool {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	return c.paused
}

// Closed reports whether the data consumer was closed, by whatever.
func (c *DataConsumer) Closed() bool {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	return c.closed
}

// Stats are the figures.
func (c *DataConsumer) Stats() DataConsumerStats {
	return DataConsumerStats{
		Type: "data-consumer", Timestamp: c.transport.sfu.now().Wall().UnixMilli(),
		Label: c.Label(), Protocol: c.Protocol(),
		MessagesSent: c.messages.Load(), BytesSent: c.bytes.Load(), MessagesDropped: c.dropped.Load(),
		BufferedAmount: c.BufferedAmount(),
	}
}

// Pause stops sending; messages of that time are not sent later.
func (c *DataConsumer) Pause() { c.setPaused(true) }

// Resume sends again.
func (c *DataConsumer) Resume() { c.setPaused(false) }

func (c *DataConsumer) setPaused(paused bool) {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	if c.closed || c.paused == paused {
		return
	}
	c.paused = paused
	c.transport.router.notify(Event{Type: pausedEvent(paused, EventDataConsumerPaused, EventDataConsumerResumed), DataConsumer: c})
	c.updateActiveLocked()
}

// updateActiveLocked needs router.mu.
func (c *DataConsumer) updateActiveLocked() { c.active.Store(!c.paused && !c.closed) }

// Close ends the data consumer and the client's data channel.
func (c *DataConsumer) Close() {
	c.transport.router.mu.Lock()
	defer c.transport.router.mu.Unlock()
	c.closeLocked(CloseRequested)
}

func (c *DataConsumer) closeLocked(reason CloseReason) {
	if c.closed {
		return
	}
	c.closed = true
	c.updateActiveLocked()
	c.producer.removeConsumerLocked(c)
	t := c.transport
	delete(t.data.consumers, c.id)
	delete(t.router.dataConsumers, c.id)
	t.leaveData(c.params.StreamID, nil, c)
	if closed := c.events.Closed; closed != nil {
		t.router.emit(func() { closed(reason) })
	}
	t.router.notify(Event{Type: EventDataConsumerClosed, DataConsumer: c, Data: reason})
	c.closeCopyLocked()
}
