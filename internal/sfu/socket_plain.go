package sfu

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/udp"
)

// plainSocket is one port of a portTransport.
type plainSocket struct {
	// Constant.
	transport *portTransport
	server    *udp.Server
	announced string   // in the place of local's IP; empty: nothing
	local     udp.Addr // its IP may be unspecified

	remote udp.Addr // who packets are taken from; the zero Addr: not known; guarded by recvMu

	dest dest // of RTCP, for a port of RTCP; guarded by sendMu
}

// openSocket opens a port of t. Errors: ErrPortInUse, ErrNoAddress, ErrLimit, *ortc.Error.
func (t *portTransport) openSocket(l ListenInfo) (*plainSocket, error) {
	if !l.IP.IsValid() {
		l.IP = t.sfu.options.ListenIPs[0]
	}
	if wrong := l.check(); wrong != "" {
		return nil, typeErrorf("listenInfo.%s", wrong)
	}
	if l.Protocol == ice.TCP {
		return nil, typeErrorf("listenInfo.protocol: only \"udp\" can be had")
	}
	server, err := choosePort(&l, t.router.ports, func(port uint16) (*udp.Server, error) {
		return t.sfu.listenUDP(&l, port, udp.Options{DisableGRO: true}) // it takes a megabyte per socket
	})
	if err != nil {
		return nil, codedBindError(err)
	}
	local := netip.AddrPortFrom(l.IP, server.Port())
	return &plainSocket{transport: t, server: server, local: udp.AddrFrom(local), announced: l.AnnouncedAddress}, nil
}

// run reads the port until it is closed.
func (k *plainSocket) run() {
	s := k.transport.sfu
	reader := k.server.Readers()[0]
	batch := make([]udp.Datagram, batchSize)
	for {
		n, err := reader.Read(batch, nil)
		if err != nil {
			return // only when the socket is closed
		}
		w := s.workers.Get().(*worker)
		w.takePlain(s.now(), k, batch[:n])
		s.workers.Put(w)
	}
}

// takePlain is takeBatch for what came to a port of a portTransport.
func (w *worker) takePlain(now mono.Instant, k *plainSocket, batch []udp.Datagram) {
	w.now = now
	for next := 0; next < len(batch); {
		next = w.receivePort(k, batch, next)
	}
	w.finishBatch()
}

// receivePort takes in the datagrams from index from on. It returns how far it
// has got, which is less than all where a panic ended it.
func (w *worker) receivePort(k *plainSocket, batch []udp.Datagram, from int) (next int) {
	next = from
	defer w.recoverPanic()
	t := k.transport
	t.recvMu.Lock()
	w.receiving = &t.Transport
	for next < len(batch) {
		d := &batch[next]
		next++
		t.receiveLocked(w, k, d)
	}
	w.receiving = nil
	t.recvMu.Unlock()
	return next
}

// closeSockets gives the ports back.
func (t *portTransport) closeSockets() {
	for _, k := range t.sockets() {
		if err := k.server.Close(); err != nil {
			t.sfu.log.Warn("closing a port", "transport", t.id, "error", err)
		}
	}
	t.sfu.plainSlots.giveBack(1)
}

// defaultPlainTransports is how many portTransports there may be: each has a
// goroutine, one or two sockets and some 300 KB of buffers.
const defaultPlainTransports = 256

// slots bounds how many of something there are.
type slots struct {
	limit int64 // constant; 0: no limit
	taken atomic.Int64
}

// take takes n; it fails with ErrLimit, and takes none, where there are not as
// many.
func (s *slots) take(n int) error {
	if s.taken.Add(int64(n)) > s.limit && s.limit > 0 {
		s.giveBack(n)
		return fmt.Errorf("%w: %d are open on this server", ErrLimit, s.limit)
	}
	return nil
}

func (s *slots) giveBack(n int) { s.taken.Add(-int64(n)) }
