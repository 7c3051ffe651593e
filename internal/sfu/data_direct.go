package sfu

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/sctp"
)

// DataType says how messages of a data producer or consumer travel.
type DataType string

// The types, in mediasoup's words.
const (
	DataSCTP   DataType = "sctp"
	DataDirect DataType = "direct" // from or to the server itself
)

func (t *Transport) isDirect() bool {
	_, direct := t.kind.(*DirectTransport)
	return direct
}

func (t *Transport) isPipe() bool {
	_, pipe := t.kind.(*PipeTransport)
	return pipe
}

func (t *Transport) dataType() DataType {
	if t.isDirect() {
		return DataDirect
	}
	return DataSCTP
}

// directStream stands for the parameters of what has no stream: consumers that go over
// SCTP are ordered and reliable unless they want it otherwise.
func directStream() SCTPStreamParameters { return SCTPStreamParameters{Ordered: new(true)} }

// dataMessage is a message on its way from a data producer to its consumers.
type dataMessage struct {
	ppid sctp.PPID
	data []byte // as on the wire
	to   Subchannels
}

// Subchannels limit which consumers of a data producer get a message.
type Subchannels struct {
	// Any, unless empty, are those of which a consumer must have one.
	Any []uint16
	// Required, unless nil, is one that a consumer must have.
	Required *uint16
	// Ignored, unless nil, is one that a consumer must not have.
	Ignored *uint16
}

// reaches reports whether a consumer with those subchannels gets the message.
func (m *dataMessage) reaches(subscribed []uint16) bool {
	has := func(s uint16) bool { return slices.Contains(subscribed, s) }
	return (len(m.to.Any) == 0 || slices.ContainsFunc(m.to.Any, has)) &&
		(m.to.Required == nil || has(*m.to.Required)) &&
		(m.to.Ignored == nil || !has(*m.to.Ignored))
}

// Send sends a message from the server itself, on a data producer of a
// [DirectTransport]. Reliable consumers that are slow hold it up, each for a second at
// the most. Errors: ErrClosed, *ortc.Error.
func (p *DataProducer) Send(data []byte, text bool, to Subchannels) error {
	if !p.transport.isDirect() {
		return invalidStatef("sending data: data producer %q is on no DirectTransport", p.id)
	}
	if p.Closed() {
		return fmt.Errorf("sending data: data producer %q %w", p.id, ErrClosed)
	}
	if limit := p.transport.data.options.MaxReceiveBytes; len(data) > limit {
		return typeErrorf("sending data: %d bytes are more than %d", len(data), limit)
	}
	ppid, wire := sctp.Encode(data, text)
	p.forward(dataMessage{ppid: ppid, data: wire, to: to})
	return nil
}

// handOver gives a message to the server itself.
func (c *DataConsumer) handOver(m dataMessage) {
	data, text, ok := sctp.Message{PPID: m.ppid, Data: m.data}.Content()
	if !ok {
		return
	}
	if len(data) > c.transport.data.options.MaxSendBytes {
		c.dropped.Add(1)
		return
	}
	c.count(m.data)
	if f := c.events.Message; f != nil {
		f(data, text)
	}
	c.notifyMessage(Message{Data: data, Text: text, PPID: uint32(m.ppid)})
}

// notifyMessage queues a copy of the message for whoever observes the router. It
// waits for room as long as for a peer that is slow, then drops the message.
func (c *DataConsumer) notifyMessage(m Message) {
	r := c.transport.router
	watchers := r.watchers.all()
	if len(watchers) == 0 {
		return
	}
	budget := &c.transport.kind.(*DirectTransport).messages
	if !budget.take(len(m.Data), dataPatience) {
		c.dropped.Add(1)
		return
	}
	m.Data = bytes.Clone(m.Data)
	r.events.post(func() {
		defer budget.giveBack(len(m.Data))
		tell(watchers, Event{Type: EventMessage, DataConsumer: c, Data: m})
	})
}

// maxMessageBacklog is how many bytes of messages may wait for those who observe
// the router of a DirectTransport.
const maxMessageBacklog = 4 << 20

// messageBudget bounds the messages that wait.
type messageBudget struct {
	mu     sync.Mutex
	taken  int
	change chan struct{} // closed, and made anew, when something is given back
}

func newMessageBudget() messageBudget { return messageBudget{change: make(chan struct{})} }

// take reports whether there was room for so many bytes before patience ended. A
// message that is larger than all waits for the others to be gone.
func (b *messageBudget) take(sizeBytes int, patience time.Duration) bool {
	var timeout <-chan time.Time
	for {
		b.mu.Lock()
		if b.taken == 0 || b.taken+sizeBytes <= maxMessageBacklog {
			b.taken += sizeBytes
			b.mu.Unlock()
			return true
		}
		change := b.change
		b.mu.Unlock()
		if timeout == nil {
			timeout = time.After(patience)
		}
		select {
		case <-change:
		case <-timeout:
			return false
		}
	}
}

func (b *messageBudget) giveBack(sizeBytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= sizeBytes
	close(b.change)
	b.change = make(chan struct{})
}

// Subchannels are those that the consumer is subscribed to, in ascending order.
func (c *DataConsumer) Subchannels() []uint16 { return slices.Clone(*c.subchannels.Load()) }

// SetSubchannels replaces the subscription.
func (c *DataConsumer) SetSubchannels(subchannels []uint16) {
	list := slices.Clone(subchannels)
	slices.Sort(list)
	list = slices.Compact(list)
	c.subchannels.Store(&list)
}

// AddSubchannel subscribes to one more.
func (c *DataConsumer) AddSubchannel(subchannel uint16) {
	c.changeSubchannels(func(list []uint16) []uint16 { return append(list, subchannel) })
}

// RemoveSubchannel ends the subscription to one.
func (c *DataConsumer) RemoveSubchannel(subchannel uint16) {
	c.changeSubchannels(func(list []uint16) []uint16 {
		return slices.DeleteFunc(list, func(s uint16) bool { return s == subchannel })
	})
}

func (c *DataConsumer) changeSubchannels(change func([]uint16) []uint16) {
	c.transport.router.mu.Lock() // one change after the other
	defer c.transport.router.mu.Unlock()
	c.SetSubchannels(change(c.Subchannels()))
}
