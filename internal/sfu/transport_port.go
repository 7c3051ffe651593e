package sfu

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/sctp"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// portTransport is what transports on ports of their own have in common: RTP, RTCP
// and SCTP without ICE and DTLS, to and from one remote address.
type portTransport struct {
	Transport

	// Constant after open.
	tuples  tupleEvents
	comedia bool
	allowed []netip.Prefix
	media   *plainSocket
	control *plainSocket // nil: RTCP shares the port of RTP

	connected bool // connect was called; guarded by router.mu

	own *SRTPParameters // nil without SRTP; guarded by recvMu
}

// tupleEvents tell who was learnt; nil ones are not called.
type tupleEvents struct{ media, control func(TransportTuple) }

// portOptions are what the common part is made from.
type portOptions struct {
	what    string // in errors
	kind    transportKind
	listen  ListenInfo
	control *ListenInfo     // nil: RTCP shares the port of RTP
	suite   SRTPCryptoSuite // empty: no SRTP
	sctp    SCTPOptions
	changed func(SCTPState)   // nil, or an event callback
	closed  func(CloseReason) // likewise
	appData any
}

// open opens the ports and makes t one of r's transports.
func (t *portTransport) open(r *Router, o portOptions) error {
	if err := t.arm(o.suite); err != nil {
		return fmt.Errorf("making a %s transport: %w", o.what, err)
	}
	t.init(r, o.kind, o.appData, o.closed)
	t.recv.unprotected, t.send.unprotected = t.own == nil, t.own == nil
	t.data.bare = true
	if o.sctp.Enable {
		t.enableSCTP(o.sctp, t.sendSCTP, o.changed)
	}
	if err := r.sfu.plainSlots.take(1); err != nil {
		return fmt.Errorf("making a %s transport: %w", o.what, err)
	}
	if err := t.openSockets(o); err != nil {
		r.sfu.plainSlots.giveBack(1)
		return fmt.Errorf("making a %s transport: %w", o.what, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.enterLocked(); err != nil {
		t.closeSockets()
		return err
	}
	for _, k := range t.sockets() {
		r.sfu.running.Go(k.run)
	}
	return nil
}

// arm draws our key, if there is to be one.
func (t *portTransport) arm(suite SRTPCryptoSuite) error {
	if suite == "" {
		return nil
	}
	p, err := newSRTPParameters(suite)
	t.own = &p
	return err
}

func (t *portTransport) openSockets(o portOptions) (err error) {
	if t.media, err = t.openSocket(o.listen); err != nil {
		return err
	}
	if o.control == nil {
		return nil
	}
	t.send.rtcp = nil // until it is known where
	if t.control, err = t.openSocket(*o.control); err != nil {
		return errors.Join(err, t.media.server.Close())
	}
	return nil
}

func (t *portTransport) sockets() []*plainSocket {
	if t.control == nil {
		return []*plainSocket{t.media}
	}
	return []*plainSocket{t.media, t.control}
}

// Tuple is where the transport is, and its remote end if that is known.
func (t *portTransport) Tuple() TransportTuple {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.tupleLocked(t.media)
}

// SRTPParameters are what the remote end decrypts with; false without SRTP.
// Connect may change them.
func (t *portTransport) SRTPParameters() (p SRTPParameters, ok bool) {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if t.own == nil {
		return SRTPParameters{}, false
	}
	return *t.own, true
}

// tupleLocked needs recvMu.
func (t *portTransport) tupleLocked(k *plainSocket) TransportTuple {
	address := k.announced
	if address == "" {
		address = k.local.AddrPort().Addr().String()
	}
	tuple := TransportTuple{LocalAddress: address, LocalIP: address, LocalPort: k.local.Port(), Protocol: "udp"}
	if k.remote.IsValid() {
		remote := k.remote.AddrPort()
		tuple.RemoteIP, tuple.RemotePort = remote.Addr().String(), remote.Port()
	}
	return tuple
}

// connect says where the remote end is and what its key is. It works once.
func (t *portTransport) connect(remote PlainRemote) error {
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.openLocked("connecting"); err != nil {
		return err
	}
	if t.connected {
		return invalidStatef("connecting: transport %q is connected already", t.id)
	}
	if !t.comedia {
		if err := t.checkRemote(remote); err != nil {
			return err
		}
	}
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if err := t.takeKeyLocked(remote.SRTP); err != nil {
		return err
	}
	t.connected = true
	if t.comedia {
		return nil
	}
	t.setRemoteLocked(t.media, udp.AddrFrom(netip.AddrPortFrom(remote.IP, remote.Port)), t.media.local)
	if k := t.control; k != nil {
		t.setRemoteLocked(k, udp.AddrFrom(netip.AddrPortFrom(remote.IP, remote.RTCPPort)), k.local)
	}
	return nil
}

func (t *portTransport) checkRemote(remote PlainRemote) error {
	switch {
	case !remote.IP.IsValid():
		return typeErrorf("missing ip")
	case remote.IP.IsUnspecified():
		return typeErrorf("ip: %s is no address to send to", remote.IP)
	case remote.IP.Unmap().Is4() != t.media.local.Is4():
		return typeErrorf("ip: %s cannot be reached from %s", remote.IP, t.media.local.AddrPort().Addr())
	case remote.Port == 0:
		return typeErrorf("missing port")
	case t.control == nil && remote.RTCPPort != 0:
		return typeErrorf("cannot set rtcpPort with rtcpMux enabled")
	case t.control != nil && remote.RTCPPort == 0:
		return typeErrorf("missing rtcpPort (required with rtcpMux disabled)")
	}
	return nil
}

// takeKeyLocked arms SRTP with the remote's key, and with one of ours for the
// same suite; another router has ours already, and takes either. recvMu is held.
func (t *portTransport) takeKeyLocked(key *SRTPParameters) error {
	switch {
	case t.own == nil && key != nil:
		return typeErrorf("invalid srtpParameters (SRTP not enabled)")
	case t.own == nil:
		return nil
	case key == nil:
		return typeErrorf("missing srtpParameters (SRTP enabled)")
	}
	inbound, err := key.inbound()
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	own := *t.own
	if own.CryptoSuite != key.CryptoSuite && !t.isPipe() {
		if own, err = newSRTPParameters(key.CryptoSuite); err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
	}
	outbound, err := own.outbound()
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	t.own, t.recv.inbound = &own, inbound
	t.sendMu.Lock()
	t.send.outbound = outbound
	t.sendMu.Unlock()
	return nil
}

// setRemoteLocked makes packets be taken from and sent to remote, from the
// address local. recvMu is held.
func (t *portTransport) setRemoteLocked(k *plainSocket, remote, local udp.Addr) {
	k.remote = remote
	t.sendMu.Lock()
	to := dest{udp: k.server.Dest(udp.Path{Remote: remote, Local: local})}
	if k == t.media {
		t.send.dest, t.send.hasDest = to, true
	} else {
		k.dest = to
		t.send.rtcp = &k.dest
	}
	t.sendMu.Unlock()
	if k == t.media {
		t.sfu.chores.post(t.reachable)
	}
}

// reachable does what had to wait until it was known where the remote end is.
func (t *portTransport) reachable() {
	t.activateConsumers()
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	if !t.closed {
		t.connectSCTPLocked()
	}
}

// sendSCTP sends one packet of the association.
func (t *portTransport) sendSCTP(packet []byte) error {
	sc := t.sfu.borrowScratch()
	defer t.sfu.returnScratch(sc)
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	if !t.send.hasDest {
		return net.ErrClosed
	}
	t.send.count(sc.now, len(packet), 1)
	sc.send(&t.send.dest, packet, len(packet), tcp.Vital)
	return nil
}

// receiveSCTP takes in a packet of the association, and reports whether its sender could
// be the remote end: with SRTP it has to authenticate, which SCTP cannot. recvMu is held.
func (t *portTransport) receiveSCTP(w *worker, b []byte, learn bool) bool {
	switch {
	case learn && t.own != nil:
		w.drop(dropUnknownPath)
		return false
	case learn && !sctp.BeginsAssociation(b):
		w.drop(dropMalformed)
		return false
	}
	t.recv.count(w.now, len(b))
	t.data.sctp.Offer(b)
	return true
}

// mayBeSCTP reports whether a packet that is neither RTP nor RTCP could be one of SCTP,
// which begins with its port: they have nothing by which they could be told.
func (t *portTransport) mayBeSCTP(b []byte) bool {
	return t.data.sctp != nil && len(b) >= sctp.MinPacket && len(b)%4 == 0
}

// learnLocked makes who sent the first packet the remote end. recvMu is held.
func (t *portTransport) learnLocked(k *plainSocket, path udp.Path) {
	t.setRemoteLocked(k, path.Remote, path.Local)
	tell, event := t.tuples.media, EventTuple
	if k == t.control {
		tell, event = t.tuples.control, EventRTCPTuple
	}
	tuple := t.tupleLocked(k)
	if tell != nil {
		t.router.emit(func() { tell(tuple) })
	}
	t.router.notify(Event{Type: event, Transport: &t.Transport, Data: tuple})
}

// mayLearnLocked reports whether remote, whose packet came to k, could be the
// remote end. recvMu is held.
func (t *portTransport) mayLearnLocked(k *plainSocket, remote udp.Addr) bool {
	if !t.comedia || k.remote.IsValid() {
		return false
	}
	ip := remote.AddrPort().Addr().WithZone("")
	return len(t.allowed) == 0 || slices.ContainsFunc(t.allowed, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// receiveLocked takes in a datagram from a socket of t. recvMu is held.
func (t *portTransport) receiveLocked(w *worker, k *plainSocket, d *udp.Datagram) {
	learn := false
	if d.Path.Remote != k.remote {
		if learn = t.mayLearnLocked(k, d.Path.Remote); !learn {
			w.drop(dropUnknownPath)
			return
		}
	}
	genuine := false
	switch kind := rtp.Classify(d.Data); {
	case kind == rtp.KindRTP && k == t.media:
		genuine = w.receiveRTPLocked(&t.Transport, d.Data)
	case kind == rtp.KindRTCP && (k == t.control || t.control == nil):
		genuine = w.receiveRTCPLocked(&t.Transport, d.Data)
	case kind != rtp.KindRTP && kind != rtp.KindRTCP && k == t.media && t.mayBeSCTP(d.Data):
		genuine = t.receiveSCTP(w, d.Data, learn)
	default:
		w.drop(dropMalformed)
	}
	if learn && genuine {
		t.learnLocked(k, d.Path)
	}
}

// closeLocked closes the sockets; their goroutines end with them. router.mu is
// held.
func (t *portTransport) closeLocked() {
	t.recvMu.Lock()
	t.stopMediaLocked()
	t.recvMu.Unlock()
	t.sendMu.Lock()
	t.send.hasDest, t.send.rtcp = false, nil
	t.sendMu.Unlock()
	t.endSCTP()
	t.closeSockets()
}

func (*portTransport) tickLocked(*scratch) {}
