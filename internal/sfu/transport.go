package sfu

import (
	"fmt"
	"strconv"
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

// TransportEvents are called from the router's event goroutine; nil ones are not.
type TransportEvents struct {
	ICEStateChange  func(ice.State)
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
	connected bool // Connect was called
	mids      int  // consumers made so far
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
	profile srtp.ProtectionProfile
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

	packets, bytes, rtpPackets, rtpBytes uint64
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

	packets, bytes, rtpPackets, rtpBytes uint64
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
	t.nextTick.Store(int64(mono.Now().Add(time.Second)))
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
		return t.dtls.Start(dtls.RoleServer, p.Fingerprints)
	}
	// A ClientHello sent into nowhere would cost a retransmission interval.
	t.recv.dtlsWaits, t.recv.remote = true, p.Fingerprints
	t.startDTLSClientLocked()
	return nil
}

// startDTLSClientLocked starts the handshake if it waits for a path and there
// is one. recvMu is held.
func (t *WebRTCTransport) startDTLSClientLocked() {
	if !t.recv.dtlsWaits {
		return
	}
	if _, ok := t.recv.agent.Selected(); !ok {
		return
	}
	t.recv.dtlsWaits = false
	if err := t.dtls.Start(dtls.RoleClient, t.recv.remote); err != nil {
		t.sfu.log.Warn("starting DTLS", "transport", t.id, "error", err)
	}
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
	t.recv.maxIncoming = b
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

	t.recvMu.Lock()
	for _, ufrag := range t.recv.agent.Ufrags() {
		t.sfu.ufrags.remove(ufrag)
	}
	for _, tuple := range t.recv.agent.Tuples() {
		t.sfu.paths.remove(pathOf(tuple), t)
	}
	t.recv.agent.Close()
	t.recv.iceState = ice.StateClosed
	t.recv.dtlsState = dtls.StateClosed
	t.recv.inbound = nil
	t.recvMu.Unlock()

	t.router.closing.Add(1)
	t.sfu.running.Go(func() {
		defer t.router.closing.Done()
		t.dtls.Close()
		t.sendMu.Lock()
		t.send.outbound, t.send.hasDest = nil, false
		t.sendMu.Unlock()
	})
	if closed := t.events.Closed; closed != nil {
		t.router.emit(func() { closed(reason) })
	}
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
// is posted.
func (t *WebRTCTransport) dtlsStateChanged(state dtls.State, err error) {
	t.recvMu.Lock()
	if t.ended.Load() {
		t.recvMu.Unlock()
		return
	}
	t.recv.dtlsState = state
	if state == dtls.StateConnected {
		t.takeKeysLocked()
	}
	t.recvMu.Unlock()

	switch state {
	case dtls.StateConnected:
		t.sfu.counters.handshakes.Add(1)
		t.router.events.post(t.activateConsumers)
	case dtls.StateFailed:
		t.sfu.counters.handshakesFailed.Add(1)
		t.sfu.log.Info("DTLS failed", "transport", t.id, "error", err)
		t.closeBySelf(CloseDTLSFailed)
	case dtls.StateClosed:
		t.closeBySelf(CloseDTLSClosed)
	}
	if changed := t.events.DTLSStateChange; changed != nil {
		t.router.emit(func() { changed(state) })
	}
}

// takeKeysLocked arms SRTP with what DTLS agreed on. recvMu is held.
func (t *WebRTCTransport) takeKeysLocked() {
	inbound, outbound, profile, ok := t.dtls.SRTP()
	if !ok {
		t.sfu.log.Warn("DTLS connected without SRTP keys", "transport", t.id)
		return
	}
	t.recv.inbound, t.recv.profile = inbound, profile
	t.sendMu.Lock()
	t.send.outbound = outbound
	t.sendMu.Unlock()
}

// closeBySelf closes a transport that has a DisconnectTimeout, from the event
// goroutine.
func (t *WebRTCTransport) closeBySelf(reason CloseReason) {
	if t.disconnectTimeout > 0 {
		t.router.events.post(func() { t.closeFor(reason) })
	}
}

// activateConsumers starts the consumers that were made before the transport
// could send.
func (t *WebRTCTransport) activateConsumers() {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	for _, c := range t.consumers {
		c.updateActiveLocked()
	}
}

// canSendLocked reports whether media sent now would reach the peer.
func (t *WebRTCTransport) canSend() bool {
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	return t.send.outbound != nil && t.send.hasDest
}

func (s *sendState) count(now mono.Instant, sizeBytes, packets int) {
	s.bytes += uint64(sizeBytes)
	s.packets += uint64(packets)
	s.rate.Add(now, sizeBytes)
}

func (s *sendState) countRTP(now mono.Instant, sizeBytes, packets int) {
	s.count(now, sizeBytes, packets)
	s.rtpBytes += uint64(sizeBytes)
	s.rtpPackets += uint64(packets)
	s.rtpRate.Add(now, sizeBytes)
}

func pathOf(t ice.Tuple) udp.Path {
	return udp.Path{Remote: udp.AddrFrom(t.Remote), Local: udp.AddrFrom(t.Local)}
}

func tupleOf(p udp.Path) ice.Tuple {
	return ice.Tuple{Protocol: ice.UDP, Local: p.Local.AddrPort(), Remote: p.Remote.AddrPort()}
}

// Produce starts to take in media that the peer sends. Errors: ErrClosed,
// *ortc.Error.
func (t *WebRTCTransport) Produce(o ProducerOptions) (*Producer, error) {
	p, err := newProducer(t, o)
	if err != nil {
		return nil, err
	}
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := t.openLocked("producing"); err != nil {
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
	return p, nil
}

// Consume starts to send a producer of the same router to the peer. Errors:
// ErrClosed, ErrNotFound, *ortc.Error.
func (t *WebRTCTransport) Consume(o ConsumerOptions) (*Consumer, error) {
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
	t.recvMu.Lock()
	for _, ssrc := range c.ssrcs() {
		t.recv.sinks[ssrc] = c
	}
	t.recvMu.Unlock()
	t.sendMu.Lock()
	t.send.streams = append(t.send.streams, c)
	t.sendMu.Unlock()
	p.addConsumerLocked(c)
	c.updateActiveLocked()
	return c, nil
}

// freshSSRC draws an SSRC that no consumer of the transport has. router.mu is
// held.
func (t *WebRTCTransport) freshSSRC() uint32 {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	for {
		ssrc := randomSSRC()
		if _, taken := t.recv.sinks[ssrc]; !taken {
			return ssrc
		}
	}
}

// nextMID is the MID of the next consumer: counted up, as mediasoup does.
// router.mu is held.
func (t *WebRTCTransport) nextMID() string {
	mid := strconv.Itoa(t.mids)
	t.mids++
	return mid
}
