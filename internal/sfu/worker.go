package sfu

import (
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
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
	reader *udp.Reader
	batch  [batchSize]udp.Datagram
	idle   func() // nothing is held back, so nothing is to be done

	packets [batchSize]packet
	count   int
	groups  [batchSize]group
	grouped int

	// The answer of the path table for the packet before; most come in runs.
	lastPath      udp.Path
	lastTransport *WebRTCTransport
	lastChanges   uint64
}

func newWorker(s *SFU, reader *udp.Reader, index int) *worker {
	w := &worker{reader: reader, idle: func() {}}
	w.scratch.init(s, index)
	slots := make([]byte, batchSize*slotSize)
	for i := range w.packets {
		w.packets[i].slot = slots[i*slotSize : (i+1)*slotSize : (i+1)*slotSize]
	}
	return w
}

func (w *worker) run() {
	for {
		n, err := w.reader.Read(w.batch[:], w.idle)
		if err != nil {
			return // only when the sockets are closed
		}
		w.now = mono.Now()
		for next := 0; next < n; {
			next = w.receiveBatch(next, n)
		}
		for next := 0; next < w.grouped; {
			next = w.forwardGroups(next)
		}
		w.count, w.grouped = 0, 0
	}
}

// receiveBatch takes in the datagrams from next on and returns n, or less
// where a panic ended it: the index of the first that was not looked at.
func (w *worker) receiveBatch(from, n int) (next int) {
	next = from
	defer w.recoverPanic()
	for next < n {
		d := &w.batch[next]
		next++
		w.receive(d)
	}
	return next
}

// forwardGroups sends on what the batch brought, in the order of arrival.
func (w *worker) forwardGroups(from int) (next int) {
	next = from
	defer w.recoverPanic()
	for next < w.grouped {
		g := &w.groups[next]
		next++
		w.forwardGroup(g)
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
		w.receiveRTP(t, d.Data)
	case rtp.KindRTCP:
		w.receiveRTCP(t, d.Data)
	case rtp.KindDTLS:
		t.dtls.Feed(d.Data)
	default:
		w.drop(dropMalformed)
	}
}

// transportOf looks the datagram's path up, once for a run of one path.
func (w *worker) transportOf(d *udp.Datagram) *WebRTCTransport {
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
	if t == nil {
		w.drop(dropUnknownUfrag)
		return
	}
	t.recvMu.Lock()
	w.receiving = t
	r := t.recv.agent.Receive(w.now, tupleOf(d.Path), d.Data, w.rtcp[:0])
	if r.Drop != ice.DropNone {
		w.drop(dropSTUN)
	} else {
		w.applyCheckLocked(t, d.Path, &r)
	}
	w.receiving = nil
	t.recvMu.Unlock()
	if len(r.Reply) > 0 {
		dest := w.sfu.sockets.Dest(d.Path)
		w.send(&dest, r.Reply, len(r.Reply))
	}
}

// applyCheckLocked does what an accepted check asks for. t.recvMu is held.
func (w *worker) applyCheckLocked(t *WebRTCTransport, path udp.Path, r *ice.Result) {
	if t.ended.Load() {
		return
	}
	if r.RemovedTuple != nil {
		w.sfu.paths.remove(pathOf(*r.RemovedTuple), t)
	}
	if r.TupleAdded {
		w.sfu.paths.set(path, t)
	}
	if r.RetiredUfrag != "" {
		w.sfu.ufrags.remove(r.RetiredUfrag)
	}
	if r.SelectedChanged {
		t.selectPathLocked()
	}
	if r.StateChanged {
		t.iceStateChangedLocked(w.now)
	}
}

// selectPathLocked makes media go where the agent says. recvMu is held.
func (t *WebRTCTransport) selectPathLocked() {
	tuple, ok := t.recv.agent.Selected()
	t.sendMu.Lock()
	had := t.send.hasDest
	if t.send.hasDest = ok; ok {
		t.send.dest = t.sfu.sockets.Dest(pathOf(tuple))
	}
	t.sendMu.Unlock()
	if ok {
		t.startDTLSClientLocked()
	}
	if ok != had {
		t.router.events.post(t.activateConsumers)
	}
}

// iceStateChangedLocked tells whoever wants to know. recvMu is held.
func (t *WebRTCTransport) iceStateChangedLocked(now mono.Instant) {
	state := t.recv.agent.State()
	t.recv.iceState, t.recv.disconnectedAt = state, 0
	if state == ice.StateDisconnected {
		t.recv.disconnectedAt = now
	}
	if changed := t.events.ICEStateChange; changed != nil {
		t.router.emit(func() { changed(state) })
	}
}
