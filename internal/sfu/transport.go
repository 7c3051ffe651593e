package sfu

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
)

// Transport is what transports of all kinds have in common: the media that
// comes in and goes out, and the objects that it belongs to.
type Transport struct {
	// Constant after newTransport.
	sfu     *SFU
	router  *Router
	id      string
	appData any
	kind    transportKind
	onClose func(CloseReason) // nil, or an event callback

	// Guarded by router.mu.
	closed    bool
	mids      int    // of consumers, counted up
	cname     string // of all producers; empty before the first
	producers map[string]*Producer
	consumers map[string]*Consumer

	// Atomic.
	nextTick atomic.Int64 // mono.Instant at which tick has something to do
	ended    atomic.Bool  // closed, for the packet path
	traces   traceSet

	recvMu sync.Mutex // guards the following
	recv   receiveState

	sendMu sync.Mutex // guards the following
	send   sendState

	data dataState // has its own rules
}

// TransportType is the kind of a transport, in mediasoup's words.
type TransportType string

// The kinds.
const (
	TransportWebRTC TransportType = "webrtc"
	TransportPlain  TransportType = "plain"
	TransportPipe   TransportType = "pipe"
	TransportDirect TransportType = "direct"
)

// transportKind is what sets the kinds of transports apart, besides how their
// packets come in.
type transportKind interface {
	transportType() TransportType
	// tickLocked does what is due by time besides media. recvMu is held.
	tickLocked(sc *scratch)
	// closeLocked makes the transport unreachable for packets and lets it say
	// goodbye. router.mu is held.
	closeLocked()
}

// receiveState is what packets that come in read and write.
type receiveState struct {
	inbound *srtp.Context // nil until DTLS is connected
	// unprotected is whether packets come as plain RTP and RTCP. There is no
	// inbound then.
	unprotected bool
	demux       demux
	sinks       map[uint32]*Consumer // by SSRC and RTX SSRC, for RTCP

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
	liftREMB    int // reports that still have to take back a limit
	ssrcs       int // that SRTP has let pass …
	rtcpSSRCs   int // … and of senders of RTCP

	loss lossMeter // of what comes in

	bytes, rtpBytes, rtxBytes uint64
}

// sendState is what packets that go out read and write.
type sendState struct {
	outbound *srtp.Context // nil until DTLS is connected
	// unprotected is whether packets go out as they are. There is no outbound
	// then.
	unprotected bool
	dest        dest
	hasDest     bool
	rtcp        *dest        // where RTCP goes, nearly always dest; nil: nowhere yet
	direct      *directQueue // takes all that is sent, in dest's place; nearly always nil
	twccSeq     uint16
	limits      OutgoingBitrates
	bandwidth   *bandwidth  // nil where there is nothing to divide
	streams     []*Consumer // all consumers, for sender reports
	rate        bwe.RateMeter
	rtpRate     bwe.RateMeter
	rtxRate     bwe.RateMeter
	probation   bwe.RateMeter // of the padding with which bandwidth is looked for
	loss        lossMeter     // as receivers have reported

	packets, bytes, rtpBytes, rtxBytes, probationBytes uint64
}

// init fills in what is the same for every kind of transport.
func (t *Transport) init(r *Router, kind transportKind, appData any, onClose func(CloseReason)) {
	t.sfu, t.router, t.id = r.sfu, r, newID()
	t.kind, t.appData, t.onClose = kind, appData, onClose
	t.producers, t.consumers = map[string]*Producer{}, map[string]*Consumer{}
	t.recv.demux = newDemux()
	t.data = newDataState()
	t.recv.sinks = map[uint32]*Consumer{}
	t.send.rtcp = &t.send.dest
	t.nextTick.Store(int64(r.sfu.now().Add(reportInterval)))
}

// enterLocked makes t one of its router's transports. router.mu is held.
// Errors: ErrClosed, ErrLimit.
func (t *Transport) enterLocked() error {
	if err := t.router.openLocked("making a transport"); err != nil {
		return err
	}
	if err := t.sfu.addTransport(t); err != nil {
		return err
	}
	t.router.transports[t.id] = t
	t.router.notify(Event{Type: EventNewTransport, Transport: t})
	return nil
}

// ID is unique in the process.
func (t *Transport) ID() string { return t.id }

// Type is the kind of the transport.
func (t *Transport) Type() TransportType { return t.kind.transportType() }

// Kind returns the transport as what it is: a *[WebRTCTransport], a
// *[PlainTransport], a *[DirectTransport] and so on.
func (t *Transport) Kind() any { return t.kind }

// Router returns the router that the transport belongs to.
func (t *Transport) Router() *Router { return t.router }

// AppData is what the maker of the transport attached to it.
func (t *Transport) AppData() any { return t.appData }

// Closed reports whether the transport was closed, by whatever.
func (t *Transport) Closed() bool { return t.ended.Load() }

// SetMaxIncomingBitrate asks the sender, by REMB, not to send more; 0 takes
// the limit back. Errors: ErrClosed.
func (t *Transport) SetMaxIncomingBitrate(b bwe.Bitrate) error {
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
func (t *Transport) Close() { t.closeFor(CloseRequested) }

func (t *Transport) closeFor(reason CloseReason) {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	t.closeLocked(reason)
}

// closeLocked takes the transport out of every table, so that no packet finds
// it. router.mu is held.
func (t *Transport) closeLocked(reason CloseReason) {
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
	t.closeDataLocked()
	delete(t.router.transports, t.id)
	t.sfu.removeTransport(t)
	t.kind.closeLocked()
	if closed := t.onClose; closed != nil {
		t.router.emit(func() { closed(reason) })
	}
	if !t.isPipeEnd() { // which nobody was told of
		t.router.notify(Event{Type: EventTransportClosed, Transport: t, Data: reason})
	}
}

func (t *Transport) openLocked(doing string) error {
	if t.closed {
		return fmt.Errorf("%s: transport %q %w", doing, t.id, ErrClosed)
	}
	return nil
}

// wake makes the clock look at the transport at the latest at the given time.
func (t *Transport) wake(at mono.Instant) {
	for {
		next := t.nextTick.Load()
		if int64(at) >= next || t.nextTick.CompareAndSwap(next, int64(at)) {
			return
		}
	}
}

// stopMediaLocked forgets the keys of SRTP. recvMu is held.
func (t *Transport) stopMediaLocked() {
	t.recv.disarm()
	t.sendMu.Lock()
	t.send.disarm()
	t.sendMu.Unlock()
}

// disarm makes no media be taken in any more.
func (r *receiveState) disarm() { r.inbound, r.unprotected = nil, false }

// disarm makes no media go out any more.
func (s *sendState) disarm() { s.outbound, s.unprotected = nil, false }

// activateConsumers starts and stops consumers after the transport has become
// able to send, or unable.
func (t *Transport) activateConsumers() {
	t.router.mu.Lock()
	defer t.router.mu.Unlock()
	for _, c := range t.consumers {
		c.updateActiveLocked()
	}
}

// canSendLocked reports whether media sent now would reach the peer. sendMu is
// held.
func (t *Transport) canSendLocked() bool {
	return (t.send.outbound != nil || t.send.unprotected) && t.send.hasDest
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

func (s *sendState) countProbation(now mono.Instant, sizeBytes int) {
	s.count(now, sizeBytes, 1)
	s.probationBytes += uint64(sizeBytes)
	s.probation.Add(now, sizeBytes)
}
