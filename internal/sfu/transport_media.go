package sfu

import (
	"fmt"
	"strconv"

	"github.com/takoserver/takos-call/internal/bwe"
)

// Produce starts to take in media that the peer sends. Errors: ErrClosed,
// *ortc.Error.
func (t *Transport) Produce(o ProducerOptions) (*Producer, error) {
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.openLocked("producing"); err != nil {
		return nil, err
	}
	p, err := newProducer(t, o)
	if err != nil {
		return nil, err
	}
	if p.id, err = freshIDLocked(r.producers, o.ID, "producer"); err != nil {
		return nil, err
	}
	t.recvMu.Lock()
	err = t.recv.demux.add(p)
	if err == nil && p.useREMB && t.recv.estimator == nil {
		t.recv.estimator = bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})
	}
	t.recvMu.Unlock()
	if err != nil {
		return nil, err
	}
	t.producers[p.id], r.producers[p.id] = p, p
	p.noteWanted(t.sfu.now()) // nobody does, yet
	r.notify(Event{Type: EventNewProducer, Transport: t, Producer: p})
	return p, nil
}

// Consume starts to send a producer of the same router to the peer. Errors:
// ErrClosed, ErrNotFound, *ortc.Error.
func (t *Transport) Consume(o ConsumerOptions) (*Consumer, error) {
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.openLocked("consuming"); err != nil {
		return nil, err
	}
	p := r.producers[o.ProducerID]
	if p == nil {
		return nil, fmt.Errorf("consuming: producer %q %w", o.ProducerID, ErrNotFound)
	}
	c, err := newConsumer(t, p, o)
	if err != nil {
		return nil, err
	}
	if c.id, err = freshIDLocked(r.consumers, o.ID, "consumer"); err != nil {
		return nil, err
	}
	t.consumers[c.id], r.consumers[c.id] = c, c
	t.prepareBandwidth(c)
	for _, s := range c.streams() {
		s.id = c.id
		s.addToTransport()
	}
	p.addConsumerLocked(c)
	r.notify(Event{Type: EventNewConsumer, Transport: t, Consumer: c})
	c.updateActiveLocked()
	return c, nil
}

// freshSSRCs draws SSRCs that no stream of the transport has or ever had: SRTP
// must not use one key and SSRC for two streams (RFC 3711 §9.1). router.mu is
// held.
func (t *Transport) freshSSRCs() func() uint32 {
	drawn := map[uint32]bool{}
	return func() uint32 {
		for {
			ssrc := randomSSRC()
			if !drawn[ssrc] && !t.hasUsed(ssrc) {
				drawn[ssrc] = true
				return ssrc
			}
		}
	}
}

func (t *Transport) hasUsed(ssrc uint32) bool {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	if t.send.outbound != nil {
		if _, sent := t.send.outbound.ROC(ssrc); sent {
			return true
		}
	}
	return t.recv.sinks[ssrc] != nil || t.recv.demux.streams[ssrc] != nil
}

// maxMIDBytes is what the short form of a header extension holds (RFC 8285
// §4.2), of which every packet carries one.
const maxMIDBytes = 16

// midLocked is the MID of a new consumer: the one wanted, or else the next
// number, as mediasoup counts. router.mu is held.
func (t *Transport) midLocked(wanted string) (string, error) {
	taken := func(mid string) bool {
		for _, c := range t.consumers {
			if c.params.MID == mid {
				return true
			}
		}
		return false
	}
	switch {
	case wanted == "":
		for {
			mid := strconv.Itoa(t.mids)
			t.mids++
			if !taken(mid) {
				return mid, nil
			}
		}
	case len(wanted) > maxMIDBytes:
		return "", typeErrorf("mid: %q is longer than %d bytes", wanted, maxMIDBytes)
	case taken(wanted):
		return "", typeErrorf("mid: %q is taken by another consumer of the transport", wanted)
	}
	return wanted, nil
}

// cnameLocked is the CNAME of all producers of the transport: that of the
// first, or a random one. Receivers play in sync what has the same (RFC 3550
// §6.5.1); so what comes from another router keeps its own. router.mu is held.
func (t *Transport) cnameLocked(wanted string) string {
	if t.isPipe() && wanted != "" {
		return wanted
	}
	if t.cname == "" {
		t.cname = wanted
	}
	if t.cname == "" {
		t.cname = newID()[:8]
	}
	return t.cname
}
