package sfu

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

// PlainTransportEvents are called from the router's event goroutine; nil ones
// are not. Nothing follows Closed.
type PlainTransportEvents struct {
	// Tuple and RTCPTuple tell, with Comedia, who was learnt.
	Tuple, RTCPTuple func(TransportTuple)
	Closed           func(CloseReason)
}

// PlainTransportOptions are what a transport is made from.
type PlainTransportOptions struct {
	// ListenIP is an unspecified address or one of this machine; the zero value
	// is the first that the SFU listens on.
	ListenIP netip.Addr
	// Port and RTCPPort are to listen on; 0 takes a free one of the SFU's
	// PlainPorts.
	Port, RTCPPort uint16
	// AnnouncedAddress stands in the tuples in ListenIP's place.
	AnnouncedAddress string
	// DisableRTCPMux gives RTCP a port of its own.
	DisableRTCPMux bool
	// Comedia learns where the remote end is from the first packet that comes,
	// once and for all: the first that authenticates with EnableSRTP, otherwise
	// the first that is RTP or RTCP.
	Comedia bool
	// AllowedRemotes are who may be learnt; empty is anybody. Without SRTP the
	// first who finds the port has it, so name them where they are known.
	AllowedRemotes []netip.Prefix
	// EnableSRTP takes in and sends SRTP only, with keys from Connect and
	// SRTPParameters.
	EnableSRTP bool
	// SRTPCryptoSuite is of our key until Connect brings another; empty is
	// AES_CM_128_HMAC_SHA1_80, mediasoup's default.
	SRTPCryptoSuite SRTPCryptoSuite
	AppData         any
	Events          PlainTransportEvents
}

// PlainRemote is where the other end of a PlainTransport is.
type PlainRemote struct {
	// IP, Port and RTCPPort are where to send. With Comedia they are not looked
	// at; RTCPPort is given with DisableRTCPMux only.
	IP             netip.Addr
	Port, RTCPPort uint16
	// SRTP is the remote's key, with EnableSRTP.
	SRTP *SRTPParameters
}

// PlainTransport is RTP without ICE and DTLS, for the likes of GStreamer and
// ffmpeg, on sockets of its own.
type PlainTransport struct {
	Transport

	// Constant after NewPlainTransport.
	events    PlainTransportEvents
	comedia   bool
	allowed   []netip.Prefix
	announced string
	media     *plainSocket
	control   *plainSocket // nil: RTCP shares the port of RTP

	connected bool // Connect was called; guarded by router.mu

	own *SRTPParameters // nil without SRTP; guarded by recvMu
}

// NewPlainTransport opens the ports of a transport. Errors: ErrClosed,
// ErrLimit, *ortc.Error, or that of a port which cannot be had.
func (r *Router) NewPlainTransport(o PlainTransportOptions) (*PlainTransport, error) {
	t := &PlainTransport{
		events: o.Events, comedia: o.Comedia, allowed: slices.Clone(o.AllowedRemotes), announced: o.AnnouncedAddress,
	}
	if !o.ListenIP.IsValid() {
		o.ListenIP = r.sfu.options.ListenIPs[0]
	}
	if err := t.arm(o); err != nil {
		return nil, fmt.Errorf("making a plain transport: %w", err)
	}
	t.init(r, t, o.AppData, o.Events.Closed)
	t.recv.unprotected, t.send.unprotected = t.own == nil, t.own == nil
	if err := r.sfu.plainSlots.take(1); err != nil {
		return nil, fmt.Errorf("making a plain transport: %w", err)
	}
	if err := t.openSockets(o); err != nil {
		r.sfu.plainSlots.giveBack(1)
		return nil, fmt.Errorf("making a plain transport: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.enterLocked(); err != nil {
		t.closeSockets()
		return nil, err
	}
	for _, k := range t.sockets() {
		r.sfu.running.Go(k.run)
	}
	return t, nil
}

// arm draws our key, if there is to be one.
func (t *PlainTransport) arm(o PlainTransportOptions) error {
	switch {
	case !o.EnableSRTP && o.SRTPCryptoSuite != "":
		return typeErrorf("srtpCryptoSuite: given without enableSrtp")
	case !o.EnableSRTP:
		return nil
	case o.SRTPCryptoSuite == "":
		o.SRTPCryptoSuite = AESCM128HMACSHA180
	}
	p, err := newSRTPParameters(o.SRTPCryptoSuite)
	t.own = &p
	return err
}

func (t *PlainTransport) openSockets(o PlainTransportOptions) (err error) {
	if t.media, err = t.openSocket(o.ListenIP, o.Port); err != nil {
		return err
	}
	if !o.DisableRTCPMux {
		return nil
	}
	t.send.rtcp = nil // until it is known where
	if t.control, err = t.openSocket(o.ListenIP, o.RTCPPort); err != nil {
		return errors.Join(err, t.media.server.Close())
	}
	return nil
}

func (t *PlainTransport) sockets() []*plainSocket {
	if t.control == nil {
		return []*plainSocket{t.media}
	}
	return []*plainSocket{t.media, t.control}
}

// Tuple is where the transport is, and its remote end if that is known.
func (t *PlainTransport) Tuple() TransportTuple {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.tupleLocked(t.media)
}

// RTCPTuple is Tuple for the port of RTCP; false where it shares that of RTP.
func (t *PlainTransport) RTCPTuple() (tuple TransportTuple, ok bool) {
	if t.control == nil {
		return TransportTuple{}, false
	}
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.tupleLocked(t.control), true
}

// SRTPParameters are what the remote end decrypts with; false without SRTP.
// Connect may change them.
func (t *PlainTransport) SRTPParameters() (p SRTPParameters, ok bool) {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if t.own == nil {
		return SRTPParameters{}, false
	}
	return *t.own, true
}

// tupleLocked needs recvMu.
func (t *PlainTransport) tupleLocked(k *plainSocket) TransportTuple {
	address := t.announced
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

// Connect says where the remote end is and what its key is. It works once, and
// is not needed with Comedia and without SRTP. Errors: ErrClosed, *ortc.Error.
func (t *PlainTransport) Connect(remote PlainRemote) error {
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

func (t *PlainTransport) checkRemote(remote PlainRemote) error {
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
// same suite. recvMu is held.
func (t *PlainTransport) takeKeyLocked(key *SRTPParameters) error {
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
	if own.CryptoSuite != key.CryptoSuite {
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
func (t *PlainTransport) setRemoteLocked(k *plainSocket, remote, local udp.Addr) {
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
		t.sfu.chores.post(t.activateConsumers)
	}
}

// learnLocked makes who sent the first packet the remote end. recvMu is held.
func (t *PlainTransport) learnLocked(k *plainSocket, path udp.Path) {
	t.setRemoteLocked(k, path.Remote, path.Local)
	tell, event := t.events.Tuple, EventTuple
	if k == t.control {
		tell, event = t.events.RTCPTuple, EventRTCPTuple
	}
	tuple := t.tupleLocked(k)
	if tell != nil {
		t.router.emit(func() { tell(tuple) })
	}
	t.router.notify(Event{Type: event, Transport: &t.Transport, Data: tuple})
}

// mayLearnLocked reports whether remote, whose packet came to k, could be the
// remote end. recvMu is held.
func (t *PlainTransport) mayLearnLocked(k *plainSocket, remote udp.Addr) bool {
	if !t.comedia || k.remote.IsValid() {
		return false
	}
	ip := remote.AddrPort().Addr().WithZone("")
	return len(t.allowed) == 0 || slices.ContainsFunc(t.allowed, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// receiveLocked takes in a datagram from a socket of t. recvMu is held.
func (t *PlainTransport) receiveLocked(w *worker, k *plainSocket, d *udp.Datagram) {
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
	default:
		w.drop(dropMalformed)
	}
	if learn && genuine {
		t.learnLocked(k, d.Path)
	}
}

func (*PlainTransport) transportType() TransportType { return TransportPlain }

func (*PlainTransport) tickLocked(*scratch) {}

// closeLocked closes the sockets; their goroutines end with them. router.mu is
// held.
func (t *PlainTransport) closeLocked() {
	t.recvMu.Lock()
	t.stopMediaLocked()
	t.recvMu.Unlock()
	t.sendMu.Lock()
	t.send.hasDest, t.send.rtcp = false, nil
	t.sendMu.Unlock()
	t.closeSockets()
}
