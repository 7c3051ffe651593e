package sfu

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/udp"
)

// TransportEvents are called from the router's event goroutine; nil ones are
// not. Nothing follows Closed.
type TransportEvents struct {
	ICEStateChange func(ice.State)
	// DTLSStateChange tells of connected, failed and closed (by the remote);
	// "connecting" is what comes of Connect.
	DTLSStateChange func(dtls.State)
	Closed          func(CloseReason)
}

// WebRTCTransportOptions are what a transport is made from.
type WebRTCTransportOptions struct {
	// MaxIncomingBitrate is asked of the sender by REMB; 0 is no limit.
	MaxIncomingBitrate bwe.Bitrate
	// DisconnectTimeout closes the transport so long after ICE was lost, and at
	// once when DTLS ends or fails; 0 leaves that to the caller.
	DisconnectTimeout time.Duration
	AppData           any
	Events            TransportEvents
}

// WebRTCTransport is one peer connection: ICE-lite, DTLS and SRTP, in either
// direction.
type WebRTCTransport struct {
	// Constant after newWebRTCTransport.
	sfu               *SFU
	router            *Router
	id                string
	appData           any
	events            TransportEvents
	disconnectTimeout time.Duration
	dtls              *dtls.Conn

	// Guarded by router.mu.
	closed    bool
	connected bool   // Connect was called
	mids      int    // of consumers, counted up
	cname     string // of all producers; empty before the first
	producers map[string]*Producer
	consumers map[string]*Consumer

	// Atomic.
	nextTick atomic.Int64 // mono.Instant at which tick has something to do
	ended    atomic.Bool  // closed, for the packet path

	recvMu sync.Mutex // guards the following
	recv   receiveState

	sendMu sync.Mutex // guards the following
	send   sendState
}

// receiveState is what packets that come in read and write.
type receiveState struct {
	agent          *ice.Agent
	iceState       ice.State
	disconnectedAt mono.Instant // since when iceState is disconnected; 0 otherwise
	dtlsWaits      bool         // DTLS is to start as client once there is a path
	dtlsState      dtls.State
	remote         []dtls.Fingerprint // for dtlsWaits

	inbound *srtp.Context // nil until DTLS is connected
	demux   demux
	sinks   map[uint32]*Consumer // by SSRC and RTX SSRC, for RTCP

	twcc        bwe.Recorder
	twccDue     mono.Instant
	twccSSRC    uint32                // of the packet seen last: feedback must name one
	estimator   *bwe.ReceiveEstimator // nil unless the sender knows only REMB
	maxIncoming bwe.Bitrate
	reportDue   mono.Instant
	senderClock clockOffset
	reference   receiverReference
	rtt         time.Duration
	rate        bwe.RateMeter
	rtpRate     bwe.RateMeter
	rtxRate     bwe.RateMeter
	liftREMB    int          // reports that still have to take back a limit
	touchDue    mono.Instant // when ICE is to be told of media
	ssrcs       int          // that SRTP has let pass …
	rtcpSSRCs   int          // … and of senders of RTCP

	bytes, rtpBytes, rtxBytes uint64
}

// sendState is what packets that go out read and write.
type sendState struct {
	outbound *srtp.Context // nil until DTLS is connected
	dest     udp.Dest
	hasDest  bool
	twccSeq  uint16
	streams  []*Consumer // all consumers, for sender reports
	rate     bwe.RateMeter
	rtpRate  bwe.RateMeter
	rtxRate  bwe.RateMeter

	packets, bytes, rtpBytes, rtxBytes uint64
}

// NewWebRTCTransport makes a transport that waits for its peer. Errors:
// ErrClosed, ErrLimit.
func (r *Router) NewWebRTCTransport(o WebRTCTransportOptions) (*WebRTCTransport, error) {
	t := &WebRTCTransport{
		sfu: r.sfu, router: r, id: newID(),
		appData: o.AppData, events: o.Events, disconnectTimeout: o.DisconnectTimeout,
		producers: map[string]*Producer{}, consumers: map[string]*Consumer{},
	}
	t.recv.agent = ice.NewAgent(ice.Options{ConsentTimeout: r.sfu.options.ConsentTimeout})
	t.recv.iceState = ice.StateNew
	t.recv.dtlsState = dtls.StateNew
	t.recv.demux = newDemux()
	t.recv.sinks = map[uint32]*Consumer{}
	t.recv.maxIncoming = o.MaxIncomingBitrate
	t.nextTick.Store(int64(r.sfu.now().Add(reportInterval)))
	t.dtls = dtls.New(dtls.Options{
		Certificate: r.sfu.certificate,
		Logger:      r.sfu.log.With("transport", t.id),
		Profiles:    r.sfu.options.SRTPProfiles,
		Send:        t.sendDTLS,
		StateChange: t.dtlsStateChanged,
	})

	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked("making a transport"); err != nil {
		return nil, err
	}
	if err := r.sfu.addTransport(t); err != nil {
		return nil, err
	}
	r.transports[t.id] = t
	for _, ufrag := range t.recv.agent.Ufrags() {
		r.sfu.ufrags.set(ufrag, t)
	}
	return t, nil
}

// ID is unique in the process.
func (t *WebRTCTransport) ID() string { return t.id }

// Router returns the router that the transport belongs to.
func (t *WebRTCTransport) Router() *Router { return t.router }

// AppData is what the maker of the transport attached to it.
func (t *WebRTCTransport) AppData() any { return t.appData }

// ICEParameters are the credentials that the peer's checks must carry.
func (t *WebRTCTransport) ICEParameters() ice.Parameters {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.recv.agent.Parameters()
}

// ICECandidates are the addresses at which the transport can be reached.
func (t *WebRTCTransport) ICECandidates() []ice.Candidate {
	return append([]ice.Candidate(nil), t.sfu.candidates...)
}

// DTLSParameters have role auto: the peer's decides.
func (t *WebRTCTransport) DTLSParameters() dtls.Parameters {
	return dtls.Parameters{Role: dtls.RoleAuto, Fingerprints: t.sfu.certificate.Fingerprints()}
}

// ICEState is where ICE stands.
func (t *WebRTCTransport) ICEState() ice.State {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.recv.iceState
}

// DTLSState is where DTLS stands.
func (t *WebRTCTransport) DTLSState() dtls.State {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	return t.recv.dtlsState
}

// Closed reports whether the transport was closed, by whatever.
func (t *WebRTCTransport) Closed() bool { return t.ended.Load() }

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
	t.recv.dtlsWaits, t.recv.remote = true, p.Fingerprints
	if _, ok := t.recv.agent.Selected(); ok {
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
	if t.recv.dtlsWaits {
		t.recv.remote = append(slices.Clone(t.recv.remote), more...)
		return nil
	}
	t.dtls.Allow(more)
	return nil
}

// startDTLSClientLocked starts the handshake that has waited for a path.
// recvMu is held.
func (t *WebRTCTransport) startDTLSClientLocked() error {
	t.recv.dtlsWaits = false
	return t.startDTLSLocked(dtls.RoleClient, t.recv.remote)
}

func (t *WebRTCTransport) startDTLSLocked(role dtls.Role, remote []dtls.Fingerprint) error {
	if err := t.dtls.Start(role, remote); err != nil {
		return fmt.Errorf("connecting transport %q: %w", t.id, err)
	}
	t.recv.dtlsState = dtls.StateConnecting
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
	before := t.recv.agent.Ufrags()
	p := t.recv.agent.Restart()
	for _, ufrag := range before {
		if !t.recv.agent.HasUfrag(ufrag) {
			t.sfu.ufrags.remove(ufrag)
		}
	}
	t.sfu.ufrags.set(p.UsernameFragment, t)
	return p, nil
}

// SetMaxIncomingBitrate asks the sender, by REMB, not to send more; 0 takes
// the limit back. Errors: ErrClosed.
func (t *WebRTCTransport) SetMaxIncomingBitrate(b bwe.Bitrate) error {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	if err := t.openLocked("setting the incoming bitrate"); err != nil {
		return err
	}
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if b == 0 && t.recv.maxIncoming > 0 {
		t.recv.liftREMB = liftREMBReports
	}
	t.recv.maxIncoming = b
	t.recv.reportDue = 0
	t.wake(0)
	return nil
}

// Close closes the transport, its producers and its consumers.
func (t *WebRTCTransport) Close() { t.closeFor(CloseRequested) }

func (t *WebRTCTransport) closeFor(reason CloseReason) {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	t.closeLocked(reason)
}

// closeLocked takes the transport out of every table, so that no packet finds
// it, and lets DTLS say goodbye in the background. router.mu is held.
func (t *WebRTCTransport) closeLocked(reason CloseReason) {
	if t.closed {
		return
	}
	t.closed = true
	for _, p := range t.producers {
		p.closeLocked(CloseTransport)
	}
	for _, c := range t.consumers {
		c.closeLocked(CloseTransport)
	}
	t.ended.Store(true)
	delete(t.router.transports, t.id)
	t.sfu.removeTransport(t)

	t.disappear()
	t.sfu.goodbyes.Go(func() {
		t.dtls.Close() // its close_notify still needs the path
		t.sendMu.Lock()
		t.send.hasDest = false
		t.sendMu.Unlock()
	})
	if closed := t.events.Closed; closed != nil {
		t.router.emit(func() { closed(reason) })
	}
}

// disappear makes t unreachable for packets.
func (t *WebRTCTransport) disappear() {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	for _, ufrag := range t.recv.agent.Ufrags() {
		t.sfu.ufrags.remove(ufrag)
	}
	for _, tuple := range t.recv.agent.Tuples() {
		t.sfu.paths.remove(pathOf(tuple), t)
	}
	t.recv.agent.Close()
	t.recv.iceState = ice.StateClosed
	t.recv.dtlsState = dtls.StateClosed
	t.stopMediaLocked()
}

// stopMediaLocked forgets the keys of SRTP. recvMu is held.
func (t *WebRTCTransport) stopMediaLocked() {
	t.recv.inbound = nil
	t.sendMu.Lock()
	t.send.outbound = nil
	t.sendMu.Unlock()
}

func (t *WebRTCTransport) openLocked(doing string) error {
	if t.closed {
		return fmt.Errorf("%s: transport %q %w", doing, t.id, ErrClosed)
	}
	return nil
}

// wake makes the clock look at the transport at the latest at the given time.
func (t *WebRTCTransport) wake(at mono.Instant) {
	for {
		next := t.nextTick.Load()
		if int64(at) >= next || t.nextTick.CompareAndSwap(next, int64(at)) {
			return
		}
	}
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
	return sc.sender.Send(&t.send.dest, packet, len(packet))
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
		t.closeBySelf(CloseDTLSFailed)
	case dtls.StateClosed:
		t.stopMediaLocked()
		t.closeBySelf(CloseDTLSClosed)
	}
	t.setDTLSStateLocked(state)
	t.sfu.chores.post(t.activateConsumers)
}

// setDTLSStateLocked changes the state and tells whoever wants to know. Under
// recvMu, so that the event comes before that of closing.
func (t *WebRTCTransport) setDTLSStateLocked(state dtls.State) {
	t.recv.dtlsState = state
	if changed := t.events.DTLSStateChange; changed != nil {
		t.router.emit(func() { changed(state) })
	}
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

// activateConsumers starts and stops consumers after the transport has become
// able to send, or unable.
func (t *WebRTCTransport) activateConsumers() {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	for _, c := range t.consumers {
		c.updateActiveLocked()
	}
}

// canSendLocked reports whether media sent now would reach the peer. sendMu is
// held.
func (t *WebRTCTransport) canSendLocked() bool { return t.send.outbound != nil && t.send.hasDest }

// selectPathLocked makes media go where the agent says. recvMu is held.
func (t *WebRTCTransport) selectPathLocked() {
	tuple, ok := t.recv.agent.Selected()
	t.sendMu.Lock()
	had := t.send.hasDest
	if t.send.hasDest = ok; ok {
		t.send.dest = t.sfu.sockets.Dest(pathOf(tuple))
	}
	t.sendMu.Unlock()
	if ok && t.recv.dtlsWaits {
		if err := t.startDTLSClientLocked(); err != nil {
			t.sfu.log.Warn("starting DTLS", "error", err)
		}
	}
	if ok != had {
		t.sfu.chores.post(t.activateConsumers)
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

func (s *sendState) count(now mono.Instant, sizeBytes, packets int) {
	s.bytes += uint64(sizeBytes)
	s.packets += uint64(packets)
	s.rate.Add(now, sizeBytes)
}

func (s *sendState) countRTP(now mono.Instant, sizeBytes, packets int) {
	s.count(now, sizeBytes, packets)
	s.rtpBytes += uint64(sizeBytes)
	s.rtpRate.Add(now, sizeBytes)
}

func (s *sendState) countRTX(now mono.Instant, sizeBytes, packets int) {
	s.count(now, sizeBytes, packets)
	s.rtxBytes += uint64(sizeBytes)
	s.rtxRate.Add(now, sizeBytes)
}

func pathOf(t ice.Tuple) udp.Path {
	return udp.Path{Remote: udp.AddrFrom(t.Remote), Local: udp.AddrFrom(t.Local)}
}

func tupleOf(p udp.Path) ice.Tuple {
	return ice.Tuple{Protocol: ice.UDP, Local: p.Local.AddrPort(), Remote: p.Remote.AddrPort()}
}
