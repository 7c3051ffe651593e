package sfu

import (
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// batchSize is how many datagrams are taken in one go: enough for the frames
// that arrive while the last ones were sent on, few enough that the first
// does not wait for the last (decrypting 64 packets takes 20 µs).
const batchSize = 64

// worker reads one socket and does all that its packets ask for. Everything in
// it belongs to its goroutine.
type worker struct {
	scratch
	reader *udp.Reader // nil for one that is borrowed
	batch  [batchSize]udp.Datagram

	// Where the batch came from. Connection is nil for UDP.
	endpoint   *endpoint
	connection *connection

	packets [batchSize]packet
	newest  [batchSize]packet // of RED packets, by the same index; see takeNewest
	count   int
	groups  [batchSize]group
	grouped int
	fanout  fanout

	// The answer of the path table for the packet before; most come in runs.
	lastPath      udp.Path
	lastTransport *WebRTCTransport
	lastChanges   uint64
}

// newWorker makes a worker; the reader and the endpoint are nil for one that is
// borrowed.
func newWorker(s *SFU, e *endpoint, reader *udp.Reader, index int) *worker {
	w := &worker{endpoint: e, reader: reader}
	w.scratch.init(s, index)
	w.scratch.initMedia()
	giveSlots(&w.packets)
	giveSlots(&w.newest) // no real memory before it is written to
	return w
}

func giveSlots(packets *[batchSize]packet) {
	slots := make([]byte, batchSize*slotSize)
	for i := range packets {
		packets[i].slot = slots[i*slotSize : (i+1)*slotSize : (i+1)*slotSize]
	}
}

func (w *worker) run() {
	for {
		n, err := w.reader.Read(w.batch[:], nil)
		if err != nil {
			return // only when the sockets are closed
		}
		w.takeBatch(w.sfu.now(), w.batch[:n])
	}
}

// takeBatch does all that the datagrams, which have arrived by now, ask for.
func (w *worker) takeBatch(now mono.Instant, batch []udp.Datagram) {
	w.now = now
	for next := 0; next < len(batch); {
		next = w.receiveBatch(batch, next)
	}
	w.finishBatch()
}

// finishBatch sends on what the batch has brought.
func (w *worker) finishBatch() {
	for !w.forwardGroups() {
	}
	w.forget()
}

// forget drops the pointers to what the batch was about: a call that has ended
// would stay in memory for as long as nothing else arrives.
func (w *worker) forget() {
	for i := range w.packets[:w.count] {
		w.packets[i].stream, w.packets[i].frame.Structure = nil, nil
	}
	clear(w.groups[:w.grouped])
	w.count, w.grouped = 0, 0
}

// receiveBatch takes in the datagrams from index from on. It returns how far it
// has got, which is less than all where a panic ended it.
func (w *worker) receiveBatch(batch []udp.Datagram, from int) (next int) {
	next = from
	defer w.recoverPanic()
	for next < len(batch) {
		d := &batch[next]
		next++
		w.receive(d)
	}
	return next
}

func (w *worker) receive(d *udp.Datagram) {
	t := w.transportOf(d)
	kind := rtp.Classify(d.Data)
	if kind == rtp.KindSTUN {
		w.receiveSTUN(t, d)
		return
	}
	if t == nil {
		// DTLS and media are taken from paths only that a check has proven.
		w.drop(dropUnknownPath)
		return
	}
	switch kind {
	case rtp.KindRTP:
		w.receiveRTP(t, d)
	case rtp.KindRTCP:
		w.receiveRTCP(&t.Transport, d.Data)
	case rtp.KindDTLS:
		w.receiveDTLS(t, d.Data)
	default:
		w.drop(dropMalformed)
	}
}

func (w *worker) receiveDTLS(t *WebRTCTransport, b []byte) {
	t.recvMu.Lock()
	t.recv.count(w.now, len(b))
	t.recvMu.Unlock()
	t.dtls.Feed(b)
}

// transportOf looks the datagram's path up, once for a run of one path.
func (w *worker) transportOf(d *udp.Datagram) *WebRTCTransport {
	if w.connection != nil {
		return w.connection.transport.Load()
	}
	changes := w.sfu.paths.changes.Load()
	if w.lastChanges != changes || w.lastPath != d.Path {
		w.lastTransport = w.sfu.paths.find(d.Path)
		w.lastPath, w.lastChanges = d.Path, changes
	}
	return w.lastTransport
}

// receiveSTUN answers a connectivity check. t is the transport that the path
// belongs to, nil if it is new.
func (w *worker) receiveSTUN(t *WebRTCTransport, d *udp.Datagram) {
	if ufrag, ok := ice.LocalUfrag(d.Data); ok {
		// The name decides: a browser may use one port for one call after another.
		t = w.sfu.ufrags.find(ufrag)
	}
	if t == nil || !w.mayCheck(t) {
		w.drop(dropUnknownUfrag)
		return
	}
	t.recvMu.Lock()
	w.receiving = &t.Transport
	reply := w.receiveSTUNLocked(t, d)
	w.receiving = nil
	t.recvMu.Unlock()
	if len(reply) > 0 {
		to := w.answerTo(d.Path)
		w.send(&to, reply, len(reply), tcp.Vital)
	}
}

// receiveSTUNLocked returns what to answer. t.recvMu is held.
func (w *worker) receiveSTUNLocked(t *WebRTCTransport, d *udp.Datagram) (reply []byte) {
	t.recv.count(w.now, len(d.Data))
	if t.ended.Load() {
		w.drop(dropUnknownUfrag)
		return nil
	}
	r := t.link.agent.Receive(w.now, w.tupleOf(d.Path), d.Data, w.rtcp[:0])
	if r.Drop == ice.DropNone {
		w.applyCheckLocked(t, d.Path, &r)
	} else {
		w.drop(dropSTUN)
	}
	return r.Reply
}

// applyCheckLocked does what an accepted check asks for. t.recvMu is held.
func (w *worker) applyCheckLocked(t *WebRTCTransport, path udp.Path, r *ice.Result) {
	if r.RemovedTuple != nil {
		t.dropTupleLocked(*r.RemovedTuple)
	}
	if r.RetiredUfrag != "" {
		w.sfu.ufrags.remove(r.RetiredUfrag)
	}
	if t.ended.Load() {
		return
	}
	switch {
	case w.connection != nil:
		w.connection.proveLocked(t)
	case w.sfu.paths.find(path) != t:
		// Not only for a new tuple: a client that forged this one's address may
		// have taken the path over. Whoever was checked last has it.
		w.sfu.paths.set(path, t)
	}
	if r.SelectedChanged {
		t.selectPathLocked()
	}
	if r.StateChanged {
		t.iceStateChangedLocked(w.now)
	}
}
