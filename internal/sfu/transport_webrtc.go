package sfu

import (
	"fmt"
	"slices"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// TransportEvents are called from the router's event goroutine; nil ones are
// not. Nothing follows Closed.
type TransportEvents struct {
	ICEStateChange func(ice.State)
	// DTLSStateChange tells of connected, failed and closed (by the remote);
	// "connecting" is what comes of Connect.
	DTLSStateChange func(dtls.State)
	// ICESelectedTupleChange tells where media goes to from now on.
	ICESelectedTupleChange func(TransportTuple)
	SCTPStateChange        func(SCTPState)
	Closed                 func(CloseReason)
}

// WebRTCTransportOptions are what a transport is made from.
type WebRTCTransportOptions struct {
	// MaxIncomingBitrate is asked of the sender by REMB; 0 is no limit.
	MaxIncomingBitrate bwe.Bitrate
	// OutgoingBitrates limit what is sent.
	OutgoingBitrates OutgoingBitrates
	// Server is where the transport is reached; nil is the SFU's own port.
	Server *WebRTCServer
	// ListenInfos are sockets of the transport's own, in place of a Server's.
	ListenInfos []ListenInfo
	Protocols   Protocols
	SCTP        SCTPOptions
	// ConsentTimeout is how long ICE stays connected without a check of the peer
	// (RFC 7675); 0 is the SFU's, a negative one never ends.
	ConsentTimeout time.Duration
	// DisconnectTimeout closes the transport so long after ICE was lost, and at
	// once when DTLS ends or fails; 0 leaves that to the caller.
	DisconnectTimeout time.Duration
	AppData           any
	Events            TransportEvents
}

// WebRTCTransport is one peer connection: ICE-lite, DTLS and SRTP, in either
// direction.
type WebRTCTransport struct {
	Transport

	// Constant after NewWebRTCTransport.
	events            TransportEvents
	disconnectTimeout time.Duration
	dtls              *dtls.Conn
	server            *WebRTCServer
	protocols         Protocols
	candidates        []ice.Candidate

	connected bool // Connect was called; guarded by router.mu

	link linkState // guarded by recvMu
}

// linkState is where ICE and DTLS stand.
type linkState struct {
	agent          *ice.Agent
	iceState       ice.State
	disconnectedAt mono.Instant // since when iceState is disconnected; 0 otherwise
	touchDue       mono.Instant // when ICE is to be told of media
	connections    []*connection
	dtlsWaits      bool // DTLS is to start as client once there is a path
	dtlsState      dtls.State
	remote         []dtls.Fingerprint // for dtlsWaits
}

// NewWebRTCTransport makes a transport that waits for its peer. Errors:
// ErrClosed, ErrLimit, ErrPortInUse, ErrNoAddress, *ortc.Error.
func (r *Router) NewWebRTCTransport(o WebRTCTransportOptions) (*WebRTCTransport, error) {
	if err := o.OutgoingBitrates.validate(); err != nil {
		return nil, err
	}
	server, err := r.serverFor(o)
	if err != nil {
		return nil, fmt.Errorf("making a transport: %w", err)
	}
	t, err := r.newTransportOn(server, o)
	if err != nil && server.private {
		server.Close()
	}
	return t, err
}

// serverFor is where a transport is to be reached. Errors: those of
// NewWebRTCTransport.
func (r *Router) serverFor(o WebRTCTransportOptions) (*WebRTCServer, error) {
	switch {
	case o.ListenInfos == nil && o.Server == nil:
		return r.sfu.own, nil
	case o.ListenInfos == nil && o.Server.sfu == r.sfu:
		return o.Server, nil
	case o.ListenInfos == nil:
		return nil, typeErrorf("webRtcServer: %q is of another server", o.Server.id)
	case o.Server != nil:
		return nil, typeErrorf("only one of webRtcServer and listenInfos can be given")
	}
	return r.newPrivateServer(o.ListenInfos, o.Protocols)
}

func (r *Router) newTransportOn(server *WebRTCServer, o WebRTCTransportOptions) (*WebRTCTransport, error) {
	candidates, err := server.candidates(o.Protocols)
	if err != nil {
		return nil, fmt.Errorf("making a transport: %w", err)
	}
	t := &WebRTCTransport{
		events: o.Events, disconnectTimeout: o.DisconnectTimeout,
		server: server, protocols: o.Protocols, candidates: candidates,
	}
	t.init(r, t, o.AppData, o.Events.Closed)
	t.recv.maxIncoming, t.send.limits = o.MaxIncomingBitrate, o.OutgoingBitrates
	t.prepareLink(o)

	r.mu.Lock()
	defer r.mu.Unlock()
	if err := server.enter(t); err != nil {
		return nil, err
	}
	if err := t.enterLocked(); err != nil {
		server.leave(t)
		server.goodbyes.Done()
		return nil, err
	}
	for _, ufrag := range t.link.agent.Ufrags() {
		r.sfu.ufrags.set(ufrag, t)
	}
	return t, nil
}

// prepareLink makes ICE and DTLS, which wait for the peer.
func (t *WebRTCTransport) prepareLink(o WebRTCTransportOptions) {
	consent := o.ConsentTimeout
	if consent == 0 {
		consent = t.sfu.options.ConsentTimeout
	}
	t.link = linkState{
		agent:    ice.NewAgent(ice.Options{ConsentTimeout: consent}),
		iceState: ice.StateNew, dtlsState: dtls.StateNew,
	}
	var data func([]byte)
	if o.SCTP.Enable {
		t.enableSCTP(o.SCTP, func(packet []byte) error { return t.dtls.Write(packet) }, o.Events.SCTPStateChange)
		data = t.data.sctp.Feed
	}
	t.dtls = dtls.New(dtls.Options{
		Certificate: t.router.certificate,
		Logger:      t.sfu.log.With("transport", t.id),
		Profiles:    t.sfu.options.SRTPProfiles,
		Send:        t.sendDTLS,
		StateChange: t.dtlsStateChanged,
		Data:        data,
	})
}

// Server is what the transport is reached at: the WebRTCServer that it was made
// with, the SFU's own, or one that has only this transport.
func (t *WebRTCTransport) Server() *WebRTCServer { return t.server }

// ICEParameters are the credentials that the peer's checks must carry.
func (t *WebRTCTransport) ICEParameters() ice.Parameters {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.link.agent.Parameters()
}

// ICECandidates are the addresses at which the transport can be reached.
func (t *WebRTCTransport) ICECandidates() []ice.Candidate {
	return append([]ice.Candidate(nil), t.candidates...)
}

// DTLSParameters have role auto before Connect, since the peer's decides, and
// then the one that we have taken.
func (t *WebRTCTransport) DTLSParameters() dtls.Parameters {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.dtlsParametersLocked()
}

func (t *WebRTCTransport) dtlsParametersLocked() dtls.Parameters {
	p := dtls.Parameters{Role: t.dtls.Role(), Fingerprints: t.router.certificate.Fingerprints()}
	if t.link.dtlsWaits {
		p.Role = dtls.RoleClient
	}
	return p
}

// DTLSRemoteCertificate is the peer's certificate in PEM; "" before the handshake
// is done.
func (t *WebRTCTransport) DTLSRemoteCertificate() string {
	return dtls.EncodeCertificate(t.dtls.RemoteCertificate())
}

// ICESelectedTuple is where media goes to; false where there is no such path.
func (t *WebRTCTransport) ICESelectedTuple() (TransportTuple, bool) {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if tuple := t.selectedTupleLocked(); tuple != nil {
		return *tuple, true
	}
	return TransportTuple{}, false
}

// ICEState is where ICE stands.
func (t *WebRTCTransport) ICEState() ice.State {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.link.iceState
}

// DTLSState is where DTLS stands.
func (t *WebRTCTransport) DTLSState() dtls.State {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.link.dtlsState
}

// Connect gives the transport the peer's DTLS role and fingerprints. It works
// once. Errors: ErrClosed, *ortc.Error.
func (t *WebRTCTransport) Connect(p dtls.Parameters) error {
	if err := p.Validate(); err != nil {
		return typeErrorf("dtlsParameters: %v", err)
	}
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	if err := t.openLocked("connecting"); err != nil {
		return err
	}
	if t.connected {
		return invalidStatef("connecting: transport %q is connected already", t.id)
	}
	t.connected = true
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if dtls.LocalRole(p.Role) == dtls.RoleServer {
		return t.startDTLSLocked(dtls.RoleServer, p.Fingerprints)
	}
	// A ClientHello sent into nowhere would cost a retransmission interval.
	t.link.dtlsWaits, t.link.remote = true, p.Fingerprints
	if _, ok := t.link.agent.Selected(); ok {
		return t.startDTLSClientLocked()
	}
	return nil
}

// AllowFingerprints makes the handshake, while it is not done, accept further
// certificates: for a client whose transports cannot be told apart. Errors:
// ErrClosed, *ortc.Error.
func (t *WebRTCTransport) AllowFingerprints(more []dtls.Fingerprint) error {
	if err := (dtls.Parameters{Fingerprints: more}).Validate(); err != nil {
		return typeErrorf("dtlsParameters: %v", err)
	}
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	if err := t.openLocked("allowing fingerprints"); err != nil {
		return err
	}
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if t.link.dtlsWaits {
		t.link.remote = append(slices.Clone(t.link.remote), more...)
		return nil
	}
	t.dtls.Allow(more)
	return nil
}

// startDTLSClientLocked starts the handshake that has waited for a path.
// recvMu is held.
func (t *WebRTCTransport) startDTLSClientLocked() error {
	t.link.dtlsWaits = false
	return t.startDTLSLocked(dtls.RoleClient, t.link.remote)
}

func (t *WebRTCTransport) startDTLSLocked(role dtls.Role, remote []dtls.Fingerprint) error {
	if err := t.dtls.Start(role, remote); err != nil {
		return fmt.Errorf("connecting transport %q: %w", t.id, err)
	}
	t.link.dtlsState = dtls.StateConnecting
	t.router.notify(Event{Type: EventDTLSState, Transport: &t.Transport, Data: dtls.StateConnecting})
	return nil
}

// RestartICE makes new credentials; the old ones work until the peer uses the
// new. Errors: ErrClosed.
func (t *WebRTCTransport) RestartICE() (ice.Parameters, error) {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	if err := t.openLocked("restarting ICE"); err != nil {
		return ice.Parameters{}, err
	}
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	before := t.link.agent.Ufrags()
	p := t.link.agent.Restart()
	for _, ufrag := range before {
		if !t.link.agent.HasUfrag(ufrag) {
			t.sfu.ufrags.remove(ufrag)
		}
	}
	t.sfu.ufrags.set(p.UsernameFragment, t)
	return p, nil
}

func (*WebRTCTransport) transportType() TransportType { return TransportWebRTC }

// tickLocked looks after consent, and after a peer that is gone for too long.
// recvMu is held.
func (t *WebRTCTransport) tickLocked(sc *scratch) {
	a := t.link.agent
	if d := a.Deadline(); d != 0 && sc.now >= d {
		t.applyExpiryLocked(a.Expire(sc.now), sc.now)
	}
	lost := t.link.disconnectedAt
	if lost != 0 && t.disconnectTimeout > 0 && sc.now.Sub(lost) >= t.disconnectTimeout {
		t.link.disconnectedAt = 0 // once
		t.closeBySelf(CloseDisconnected)
	}
}

// applyExpiryLocked does what follows from the end of tuples. recvMu is held.
func (t *WebRTCTransport) applyExpiryLocked(e ice.Expiry, now mono.Instant) {
	for _, tuple := range e.Removed {
		t.dropTupleLocked(tuple)
	}
	if e.SelectedChanged {
		t.selectPathLocked()
	}
	if e.StateChanged {
		t.iceStateChangedLocked(now)
	}
}

// closeLocked makes t unreachable for packets and lets DTLS say goodbye in the
// background. router.mu is held.
func (t *WebRTCTransport) closeLocked() {
	t.disappear()
	t.server.leave(t)
	t.sfu.goodbyes.Go(t.sayGoodbye)
}

// sayGoodbye lets SCTP and DTLS end, and what was the transport's alone.
func (t *WebRTCTransport) sayGoodbye() {
	if t.data.sctp != nil {
		t.data.sctp.Close() // before DTLS, which waits until its data is taken
	}
	t.dtls.Close() // its close_notify still needs the path
	t.sendMu.Lock()
	t.send.hasDest = false
	t.sendMu.Unlock()
	t.closeConnections()
	t.server.goodbyes.Done()
	if t.server.private {
		t.server.Close()
	}
}

// disappear makes t unreachable for packets.
func (t *WebRTCTransport) disappear() {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	for _, ufrag := range t.link.agent.Ufrags() {
		t.sfu.ufrags.remove(ufrag)
	}
	for _, tuple := range t.link.agent.Tuples() {
		if tuple.Protocol == ice.UDP { // the others stay for the goodbye
			t.sfu.paths.remove(pathOf(tuple), t)
		}
	}
	t.link.agent.Close()
	t.link.iceState = ice.StateClosed
	t.link.dtlsState = dtls.StateClosed
	t.stopMediaLocked()
}

// sendDTLS sends one datagram of a handshake to the selected path. Without one
// it is lost, as on any network; DTLS repeats it.
func (t *WebRTCTransport) sendDTLS(packet []byte) error {
	sc := t.sfu.borrowScratch()
	defer t.sfu.returnScratch(sc)
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	if !t.send.hasDest {
		return nil
	}
	t.send.count(sc.now, len(packet), 1)
	sc.send(&t.send.dest, packet, len(packet), tcp.Vital)
	return nil
}

// dtlsStateChanged is called from DTLS' goroutine. It must not wait for
// router.mu, whose holder may wait for that goroutine: what needs the graph
// is left to others.
func (t *WebRTCTransport) dtlsStateChanged(state dtls.State, err error) {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if t.ended.Load() {
		return
	}
	switch state {
	case dtls.StateConnected:
		t.sfu.counters.handshakes.Add(1)
		t.takeKeysLocked()
	case dtls.StateFailed:
		t.sfu.counters.handshakesFailed.Add(1)
		t.sfu.log.Info("DTLS failed", "transport", t.id, "error", err)
		t.stopMediaLocked()
		t.endSCTP()
		t.closeBySelf(CloseDTLSFailed)
	case dtls.StateClosed:
		t.stopMediaLocked()
		t.endSCTP()
		t.closeBySelf(CloseDTLSClosed)
	}
	t.setDTLSStateLocked(state)
	t.sfu.chores.post(t.activateConsumers)
}

// setDTLSStateLocked changes the state and tells whoever wants to know. Under
// recvMu, so that the event comes before that of closing.
func (t *WebRTCTransport) setDTLSStateLocked(state dtls.State) {
	t.link.dtlsState = state
	if changed := t.events.DTLSStateChange; changed != nil {
		t.router.emit(func() { changed(state) })
	}
	t.router.notify(Event{Type: EventDTLSState, Transport: &t.Transport, Data: state})
}

// takeKeysLocked arms SRTP with what DTLS agreed on. recvMu is held.
func (t *WebRTCTransport) takeKeysLocked() {
	inbound, outbound, _, ok := t.dtls.SRTP()
	if !ok {
		t.sfu.log.Warn("DTLS connected without SRTP keys", "transport", t.id)
		return
	}
	t.recv.inbound = inbound
	t.sendMu.Lock()
	t.send.outbound = outbound
	t.sendMu.Unlock()
}

// closeBySelf closes a transport that has a DisconnectTimeout, soon.
func (t *WebRTCTransport) closeBySelf(reason CloseReason) {
	if t.disconnectTimeout > 0 {
		t.sfu.chores.post(func() { t.closeFor(reason) })
	}
}

// selectPathLocked makes media go where the agent says. recvMu is held.
func (t *WebRTCTransport) selectPathLocked() {
	tuple, ok := t.link.agent.Selected()
	t.sendMu.Lock()
	had := t.send.hasDest
	if ok {
		t.send.dest, ok = t.destLocked(tuple)
	}
	t.send.hasDest = ok
	t.sendMu.Unlock()
	if ok {
		t.tellTuple(tuple)
	}
	if ok && t.link.dtlsWaits {
		if err := t.startDTLSClientLocked(); err != nil {
			t.sfu.log.Warn("starting DTLS", "error", err)
		}
	}
	if ok != had {
		t.sfu.chores.post(t.activateConsumers)
	}
}

// tellTuple tells whoever wants to know where media goes.
func (t *WebRTCTransport) tellTuple(tuple ice.Tuple) {
	described := t.server.describe(tuple)
	if changed := t.events.ICESelectedTupleChange; changed != nil {
		t.router.emit(func() { changed(described) })
	}
	t.router.notify(Event{Type: EventICETuple, Transport: &t.Transport, Data: described})
}

// iceStateChangedLocked tells whoever wants to know. recvMu is held.
func (t *WebRTCTransport) iceStateChangedLocked(now mono.Instant) {
	state := t.link.agent.State()
	t.link.iceState, t.link.disconnectedAt = state, 0
	if state == ice.StateDisconnected {
		t.link.disconnectedAt = now
	}
	if changed := t.events.ICEStateChange; changed != nil {
		t.router.emit(func() { changed(state) })
	}
	t.router.notify(Event{Type: EventICEState, Transport: &t.Transport, Data: state})
}

func pathOf(t ice.Tuple) udp.Path {
	return udp.Path{Remote: udp.AddrFrom(t.Remote), Local: udp.AddrFrom(t.Local)}
}

// tupleOf is the tuple of the path of a packet of the batch.
func (w *worker) tupleOf(p udp.Path) ice.Tuple {
	return ice.Tuple{Protocol: w.protocol(), Local: p.Local.AddrPort(), Remote: p.Remote.AddrPort()}
}
