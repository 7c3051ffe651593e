package sfu

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/takoserver/takos-call/internal/sctp"
)

// dataState is what a transport has for data.
type dataState struct {
	// Constant after the transport was made.
	options SCTPOptions
	sctp    *sctp.Association // nil unless enabled
	bare    bool              // without DTLS
	changed func(SCTPState)   // nil, or an event callback

	// Guarded by router.mu.
	producers  map[string]*DataProducer
	consumers  map[string]*DataConsumer
	nextStream uint16 // where to look for a free one
	answers    bool   // the other end begins

	mu   sync.Mutex // guards the following; held while the association is asked
	in   map[uint16]*DataProducer
	out  map[uint16]*DataConsumer
	last SCTPState // that was told
}

func newDataState() dataState {
	return dataState{
		producers: map[string]*DataProducer{}, consumers: map[string]*DataConsumer{},
		in: map[uint16]*DataProducer{}, out: map[uint16]*DataConsumer{}, last: sctp.StateNew,
	}
}

// enableSCTP makes the transport carry data, in packets that write sends. What that does
// not take is lost, as on any network. It is called before anybody else knows the
// transport.
func (t *Transport) enableSCTP(o SCTPOptions, write func([]byte) error, changed func(SCTPState)) {
	d := &t.data
	d.options, d.changed = o.withDefaults(), changed
	d.sctp = sctp.New(sctp.Options{
		Write:              write,
		Bare:               d.bare,
		Message:            t.receiveMessage,
		StateChange:        t.sctpStateChanged,
		BufferedAmountLow:  t.bufferedAmountLow,
		MaxMessageBytes:    d.options.MaxReceiveBytes,
		MaxSendBytes:       d.options.MaxSendBytes,
		SendBufferBytes:    d.options.SendBufferBytes,
		StreamBufferBytes:  d.options.StreamBufferBytes,
		ReceiveWindowBytes: d.options.ReceiveWindowBytes,
		Streams:            int(d.options.Streams),
		Logger:             t.sfu.log.With("transport", t.id),
	})
}

// sctpStateChanged is called from the association's goroutine. It must not wait for
// router.mu, whose holder may wait for that goroutine.
func (t *Transport) sctpStateChanged(state SCTPState, err error) {
	if err != nil {
		t.sfu.log.Info("SCTP failed", "transport", t.id, "error", err)
	}
	if t.ended.Load() {
		return
	}
	t.data.mu.Lock()
	defer t.data.mu.Unlock()
	if t.data.last == state {
		return
	}
	t.data.last = state
	if changed := t.data.changed; changed != nil {
		t.router.emit(func() { changed(state) })
	}
	t.router.notify(Event{Type: EventSCTPState, Transport: t, Data: state})
}

// receiveMessage hands a message on to whoever gets it. It is called from a goroutine
// of the association, which waits for it.
func (t *Transport) receiveMessage(m sctp.Message) {
	defer t.recoverMessage()
	t.data.mu.Lock()
	p := t.data.in[m.Stream]
	t.data.mu.Unlock()
	if _, _, ok := m.Content(); !ok || p == nil {
		t.sfu.counters.drops[dropData].Add(1)
		return
	}
	p.forward(t.relayed(m))
}

// recoverMessage keeps a fault of ours with one message from ending every call.
func (t *Transport) recoverMessage() {
	if r := recover(); r != nil {
		t.sfu.counters.panics.Add(1)
		t.sfu.log.Error("panic at a message", "transport", t.id, "panic", r, "stack", string(debug.Stack()))
		t.sfu.chores.post(func() { t.closeFor(ClosePanic) })
	}
}

// endSCTP ends the association in the background, before what carries it: it may be
// waiting for a slow consumer.
func (t *Transport) endSCTP() {
	if t.data.sctp != nil {
		t.sfu.goodbyes.Go(t.data.sctp.Close)
	}
}

func (t *Transport) bufferedAmountLow(stream uint16, bufferedBytes int) {
	t.data.mu.Lock()
	c := t.data.out[stream]
	t.data.mu.Unlock()
	if c == nil {
		return
	}
	if low := c.events.BufferedAmountLow; low != nil {
		t.router.emit(func() { low(bufferedBytes) })
	}
	t.router.notify(Event{Type: EventBufferedAmountLow, DataConsumer: c, Data: bufferedBytes})
}

// SCTPParameters are what the other end needs for data; nil without SCTP.
func (t *Transport) SCTPParameters() *SCTPParameters { return t.data.parameters() }

// SCTPState is where the association stands; empty without SCTP.
func (t *Transport) SCTPState() SCTPState {
	if t.data.sctp == nil {
		return ""
	}
	return t.data.sctp.State()
}

// SCTPNegotiated is what both ends have agreed on, zeros before they have; nil without
// SCTP.
func (t *Transport) SCTPNegotiated() *SCTPNegotiated {
	if t.data.sctp == nil {
		return nil
	}
	outbound, inbound := t.data.sctp.Negotiated()
	return &SCTPNegotiated{Outbound: outbound, Inbound: inbound}
}

// connectSCTPLocked begins the association where no WebRTC client will: once it is known
// where the other end is, and there is something to be said. router.mu is held.
func (t *Transport) connectSCTPLocked() {
	if t.data.sctp == nil || !t.data.bare || t.data.answers || len(t.data.producers)+len(t.data.consumers) == 0 {
		return
	}
	t.sendMu.Lock()
	reachable := t.send.hasDest
	t.sendMu.Unlock()
	if reachable {
		t.data.sctp.Connect()
	}
}

// closeDataLocked closes the data producers and consumers. router.mu is held.
func (t *Transport) closeDataLocked() {
	for _, p := range t.data.producers {
		p.closeLocked(CloseTransport)
	}
	for _, c := range t.data.consumers {
		c.closeLocked(CloseTransport)
	}
}

// ProduceData starts to take in the messages that the peer sends on a stream. Errors:
// ErrClosed, *ortc.Error.
func (t *Transport) ProduceData(o DataProducerOptions) (*DataProducer, error) {
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.openDataLocked("producing data"); err != nil {
		return nil, err
	}
	params, err := o.SCTPStreamParameters, error(nil)
	if t.isDirect() {
		params = directStream()
	} else if err = params.normalize(t.data.options.Streams); err != nil {
		return nil, err
	}
	p := newDataProducer(t, o, params)
	if p.id, err = freshIDLocked(r.dataProducers, o.ID, "data producer"); err != nil {
		return nil, err
	}
	if !t.isDirect() {
		if err := t.enterDataProducer(p); err != nil {
			return nil, err
		}
	}
	t.data.producers[p.id], r.dataProducers[p.id] = p, p
	r.notify(Event{Type: EventNewDataProducer, Transport: t, DataProducer: p})
	t.connectSCTPLocked()
	return p, nil
}

// enterDataProducer takes the stream of a data producer.
func (t *Transport) enterDataProducer(p *DataProducer) error {
	id := p.params.StreamID
	t.data.mu.Lock()
	defer t.data.mu.Unlock()
	if t.data.in[id] != nil {
		return invalidStatef("producing data: stream %d has a data producer already", id)
	}
	if t.data.out[id] == nil { // it would change how the consumer's messages are sent
		if err := t.data.sctp.Open(id, p.params.reliability()); err != nil && !errors.Is(err, sctp.ErrNotConnected) {
			return invalidStatef("producing data: stream %d: %v", id, err)
		}
	}
	t.data.in[id] = p
	return nil
}

// ConsumeData starts to send the messages of a data producer of the same router to the
// peer. Errors: ErrClosed, ErrNotFound, ErrLimit, *ortc.Error.
func (t *Transport) ConsumeData(o DataConsumerOptions) (*DataConsumer, error) {
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.openDataLocked("consuming data"); err != nil {
		return nil, err
	}
	p := r.dataProducers[o.DataProducerID]
	if p == nil {
		return nil, fmt.Errorf("consuming data: data producer %q %w", o.DataProducerID, ErrNotFound)
	}
	params, err := o.streamParameters(p)
	if err != nil {
		return nil, err
	}
	c := newDataConsumer(t, p, o)
	if c.id, err = freshIDLocked(r.dataConsumers, o.ID, "data consumer"); err != nil {
		return nil, err
	}
	if t.isDirect() {
		c.params = directStream()
	} else if err := t.enterDataConsumerLocked(c, params); err != nil {
		return nil, err
	}
	t.data.consumers[c.id], r.dataConsumers[c.id] = c, c
	p.addConsumerLocked(c)
	c.updateActiveLocked()
	r.notify(Event{Type: EventNewDataConsumer, Transport: t, DataConsumer: c})
	t.connectSCTPLocked()
	return c, nil
}

// enterDataConsumerLocked finds a stream for a data consumer. router.mu is held.
func (t *Transport) enterDataConsumerLocked(c *DataConsumer, params SCTPStreamParameters) error {
	t.data.mu.Lock()
	defer t.data.mu.Unlock()
	streams := t.data.streams()
	for range streams {
		id := t.data.nextStream % streams
		t.data.nextStream = (id + 1) % streams
		// A client uses one id for one channel, whichever way it goes.
		if t.data.in[id] != nil || t.data.out[id] != nil {
			continue
		}
		err := t.data.sctp.Open(id, params.reliability())
		if errors.Is(err, sctp.ErrStreamClosed) {
			continue // the peer has not closed its side yet
		}
		low := *t.data.options.LowThreshold
		t.data.sctp.SetBufferedAmountLowThreshold(id, low)
		c.lowThreshold.Store(uint32(low))
		params.StreamID = id
		c.params = params
		t.data.out[id] = c
		return nil
	}
	return fmt.Errorf("consuming data: %w: all %d streams of transport %q are in use", ErrLimit, streams, t.id)
}

// streams is how many there are to send on, as far as it is known.
func (d *dataState) streams() uint16 {
	if outbound, _ := d.sctp.Negotiated(); outbound > 0 {
		return min(outbound, d.options.Streams)
	}
	return d.options.Streams
}

// leaveData gives a stream back, which closes the client's channel.
func (t *Transport) leaveData(id uint16, p *DataProducer, c *DataConsumer) {
	if t.isDirect() {
		return
	}
	t.data.mu.Lock()
	if p != nil {
		delete(t.data.in, id)
	}
	if c != nil {
		delete(t.data.out, id)
	}
	shared := t.data.in[id] != nil || t.data.out[id] != nil
	t.data.mu.Unlock()
	if !t.ended.Load() && !shared {
		t.data.sctp.CloseStream(id)
	}
}

func (t *Transport) openDataLocked(doing string) error {
	if err := t.openLocked(doing); err != nil {
		return err
	}
	if t.data.sctp == nil && !t.isDirect() {
		return invalidStatef("%s: transport %q has no SCTP", doing, t.id)
	}
	return nil
}
