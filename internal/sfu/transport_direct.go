package sfu

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// DirectTransportEvents are called from the router's event goroutine; nil ones
// are not. Nothing follows Closed.
type DirectTransportEvents struct {
	// RTCP is called with each compound packet for the remote end, which is the
	// server itself. The packet is valid until it returns.
	RTCP   func(compound []byte)
	Closed func(CloseReason)
}

// DirectTransportOptions are what a transport is made from.
type DirectTransportOptions struct {
	// MaxSendBytes is the biggest message that data consumers hand over, and
	// MaxReceiveBytes the biggest that data producers take; 0 is 262144.
	MaxSendBytes, MaxReceiveBytes int

	AppData any
	Events  DirectTransportEvents
}

// DirectTransport has the server itself at its other end and no network in
// between: media comes in by [Producer.Send] and goes out by the RTP event of
// consumers, for recorders, mixers and bots inside the process.
//
// What goes out waits in a queue of bounded size for the callbacks, which run
// among all others of the router. When they are too slow, packets are lost, as
// on any network: video goes on with the next keyframe.
type DirectTransport struct {
	Transport
	events DirectTransportEvents // constant

	messages messageBudget
}

// NewDirectTransport makes a transport that can be used at once. Errors:
// ErrClosed, ErrLimit.
func (r *Router) NewDirectTransport(o DirectTransportOptions) (*DirectTransport, error) {
	t := &DirectTransport{events: o.Events, messages: newMessageBudget()}
	t.init(r, t, o.AppData, o.Events.Closed)
	t.data.options = SCTPOptions{MaxSendBytes: o.MaxSendBytes, MaxReceiveBytes: o.MaxReceiveBytes}.withDefaults()
	t.recv.unprotected = true
	t.send.unprotected, t.send.hasDest = true, true
	t.send.direct = newDirectQueue(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.enterLocked(); err != nil {
		return nil, err
	}
	return t, nil
}

// SendRTCP takes in a compound packet as if it had come from a remote end:
// reports of what was sent, feedback on what was received. Errors: ErrClosed.
func (t *DirectTransport) SendRTCP(compound []byte) error {
	if t.ended.Load() {
		return fmt.Errorf("sending RTCP: transport %q %w", t.id, ErrClosed)
	}
	w := t.sfu.workers.Get().(*worker)
	defer t.sfu.workers.Put(w)
	w.now = t.sfu.now()
	w.receiveOwnRTCP(&t.Transport, compound)
	w.finishBatch()
	return nil
}

func (*DirectTransport) transportType() TransportType { return TransportDirect }

func (*DirectTransport) tickLocked(*scratch) {}

// closeLocked makes nothing be taken in or handed out any more.
func (t *DirectTransport) closeLocked() {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	t.stopMediaLocked()
}

// Send takes in RTP packets of a producer on a [DirectTransport], in order, as
// if they had come from a remote end: SSRC, payload type and extensions are
// those of its parameters. Packets that make one frame are cheapest in one
// call. It is done with them when it returns, and may have changed those of an
// RTX stream. Errors: ErrClosed, *ortc.Error if the transport is of another
// kind.
func (p *Producer) Send(packets ...[]byte) error {
	t := p.transport
	if _, direct := t.kind.(*DirectTransport); !direct {
		return invalidStatef("sending RTP: producer %q is on no DirectTransport", p.id)
	}
	t.recvMu.Lock()
	open := slices.Contains(t.recv.demux.producers, p)
	t.recvMu.Unlock()
	if !open {
		return fmt.Errorf("sending RTP: producer %q %w", p.id, ErrClosed)
	}
	w := t.sfu.workers.Get().(*worker)
	defer t.sfu.workers.Put(w)
	now := t.sfu.now()
	for chunk := range slices.Chunk(packets, batchSize) {
		w.takeOwnRTP(now, t, chunk)
	}
	return nil
}

// takeOwnRTP does all that packets which are known to be t's ask for.
func (w *worker) takeOwnRTP(now mono.Instant, t *Transport, packets [][]byte) {
	w.now = now
	for next := 0; next < len(packets); {
		next = w.receiveOwnRTP(t, packets, next)
	}
	w.finishBatch()
}

// receiveOwnRTP takes in the packets from index from on. It returns how far it
// has got, which is less than all where a panic ended it.
func (w *worker) receiveOwnRTP(t *Transport, packets [][]byte, from int) (next int) {
	next = from
	defer w.recoverPanic()
	t.recvMu.Lock()
	w.receiving = t
	for next < len(packets) {
		b := packets[next]
		next++
		w.receiveRTPLocked(t, b)
	}
	w.receiving = nil
	t.recvMu.Unlock()
	return next
}

func (w *worker) receiveOwnRTCP(t *Transport, b []byte) {
	defer w.recoverPanic()
	w.receiveRTCP(t, b)
}

// directBytes is how much may wait for the callbacks of one transport: half a
// second of 16 Mbit/s. More would only make what is late later.
const directBytes = 1 << 20

// directQueue is what goes out on a DirectTransport and waits for the router's
// event goroutine.
type directQueue struct {
	// Constant.
	transport *DirectTransport
	drain     func() // deliver, bound once

	mu      sync.Mutex // guards the following; a leaf
	waiting directPackets
	posted  bool // deliver is about to be called

	delivered directPackets // of the event goroutine; empty while it is elsewhere
}

// directPackets are packets in a row.
type directPackets struct {
	data []byte
	ends []directEnd
}

// directEnd is where a packet ends.
type directEnd struct {
	at   int
	rtcp bool
}

func newDirectQueue(t *DirectTransport) *directQueue {
	q := &directQueue{transport: t}
	q.drain = q.deliver
	return q
}

// full reports whether video is to be held back: what is left is for audio.
func (q *directQueue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting.data) > directBytes/2
}

// put queues a copy of the packet.
func (q *directQueue) put(sc *scratch, packet []byte, rtcp bool) {
	q.mu.Lock()
	if len(q.waiting.data)+len(packet) > directBytes {
		q.mu.Unlock()
		sc.drop(dropSend)
		return
	}
	q.waiting.data = append(q.waiting.data, packet...)
	q.waiting.ends = append(q.waiting.ends, directEnd{len(q.waiting.data), rtcp})
	post := !q.posted
	q.posted = true
	q.mu.Unlock()
	if post {
		q.transport.router.emit(q.drain)
	}
}

// deliver calls the callbacks for all that waits.
func (q *directQueue) deliver() {
	q.mu.Lock()
	q.waiting, q.delivered = q.delivered, q.waiting
	q.posted = false
	q.mu.Unlock()
	defer func() { // whatever a callback does
		q.delivered.data, q.delivered.ends = q.delivered.data[:0], q.delivered.ends[:0]
	}()
	start := 0
	for _, end := range q.delivered.ends {
		q.call(q.delivered.data[start:end.at:end.at], end.rtcp)
		start = end.at
	}
}

func (q *directQueue) call(packet []byte, isRTCP bool) {
	t, watchers := q.transport, q.transport.router.watchers.all()
	if isRTCP {
		if f := t.events.RTCP; f != nil {
			f(packet)
		}
		if len(watchers) > 0 {
			tell(watchers, Event{Type: EventRTCP, Transport: &t.Transport, Data: packet})
		}
		return
	}
	if len(packet) < rtp.HeaderSize {
		return
	}
	t.recvMu.Lock()
	c := t.recv.sinks[binary.BigEndian.Uint32(packet[8:])]
	t.recvMu.Unlock()
	if c == nil { // it was closed meanwhile
		return
	}
	if c.events.RTP != nil {
		c.events.RTP(packet)
	}
	if len(watchers) > 0 {
		tell(watchers, Event{Type: EventRTP, Consumer: c.whole(), Data: packet})
	}
}

// sendDirectLocked hands over the n packets made and returns their size.
// t.sendMu is held.
func (sc *scratch) sendDirectLocked(t *Transport, n int) (sizeBytes int) {
	for i := range sc.ready[:n] {
		o := &sc.ready[i]
		t.send.direct.put(sc, o.slot[o.start:o.end], false)
		sizeBytes += o.size()
	}
	return sizeBytes
}
