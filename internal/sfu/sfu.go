package sfu

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
)

// Options say where an SFU listens and what it announces.
type Options struct {
	// ListenIPs are unspecified addresses (0.0.0.0, ::) or addresses of this
	// machine. Empty: both unspecified addresses.
	ListenIPs []netip.Addr
	// Port is the UDP port of everything, and the TCP port; 0 picks a free one.
	Port uint16
	// EnableTCP has the server listen on TCP too, for clients that UDP does not
	// reach.
	EnableTCP bool
	// MaxConnections bounds the TCP connections, and MaxConnectionsPerAddress
	// those of one IPv4 address or IPv6 /64; 0 is the default of package tcp.
	MaxConnections, MaxConnectionsPerAddress int
	// Announced are the IP addresses and host names that go into candidates,
	// the most preferred first.
	Announced []string
	// Readers is the number of sockets per address; 0 is one per core.
	Readers int
	// SRTPProfiles is the order of preference; empty is AEAD_AES_128_GCM,
	// AEAD_AES_256_GCM, AES_CM_128_HMAC_SHA1_80.
	SRTPProfiles []srtp.ProtectionProfile
	// ConsentTimeout is how long a transport stays connected without a STUN
	// check of its peer (RFC 7675); 0 is 30 s, a negative one never ends.
	ConsentTimeout time.Duration
	// MaxTransports limits the open transports; 0 is no limit.
	MaxTransports int
	// PlainPorts are the ports of sockets that are given none.
	PlainPorts PortRange
	// MaxPlainTransports limits the open PlainTransports and PipeTransports; 0 is 256.
	MaxPlainTransports int
	// MaxSockets limits the sockets of WebRTC servers besides the own port, and of
	// transports with sockets of their own; 0 is 1024.
	MaxSockets int
	// DisableGSO sends every datagram by itself.
	DisableGSO bool
	// Logger is told what an operator should know; nil is silence.
	Logger *slog.Logger
}

// SFU is the media server of a process.
type SFU struct {
	// Constant after New.
	options     Options
	log         *slog.Logger
	certificate *dtls.Certificate
	own         *WebRTCServer       // the server's own port
	now         func() mono.Instant // mono.Now, but in tests
	scratches   sync.Pool           // *scratch, for whoever is not a worker
	workers     sync.Pool           // *worker, for connections
	chores      *eventQueue         // what the packet path leaves to others
	stop        chan struct{}
	running     sync.WaitGroup // workers, clock, event queues
	goodbyes    sync.WaitGroup // DTLS connections on their way out
	closing     sync.Once

	// Atomic.
	paths                   pathTable
	ufrags                  ufragTable
	transports              atomic.Pointer[[]*Transport] // all open ones, for the clock; copied on change
	counters                counters
	observers               sharedList[*RTPObserver] // open ones, for the clock
	plainSlots, socketSlots slots

	pipes pipePairs // has locks of its own

	mu      sync.Mutex // guards what follows and changes of transports; taken after Router.mu
	routers map[string]*Router
	servers map[*WebRTCServer]struct{} // all open ones
	retired retiredStats
	closed  bool
}

// New opens the sockets and starts to read them. Its errors say which address
// or port could not be had.
func New(o Options) (*SFU, error) {
	s, err := listen(o)
	if err != nil {
		return nil, err
	}
	for _, e := range s.own.endpoints {
		if e.sockets == nil {
			continue
		}
		for i, reader := range e.sockets.Readers() {
			s.own.readers.Go(newWorker(s, e, reader, i).run)
		}
	}
	s.running.Go(s.runClock)
	s.running.Go(s.chores.run)
	return s, nil
}

// listen opens the sockets and starts nothing.
func listen(o Options) (*SFU, error) {
	if len(o.ListenIPs) == 0 {
		o.ListenIPs = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	if len(o.Announced) == 0 {
		return nil, errors.New("sfu: no announced address: without one no client can find the server")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxPlainTransports == 0 {
		o.MaxPlainTransports = defaultPlainTransports
	}
	if o.MaxSockets == 0 {
		o.MaxSockets = defaultMaxSockets
	}
	if p := o.PlainPorts; !p.valid() {
		return nil, fmt.Errorf("sfu: plain ports from %d to %d are no range", p.Min, p.Max)
	}
	certificate, err := dtls.NewCertificate()
	if err != nil {
		return nil, fmt.Errorf("making the DTLS certificate: %w", err)
	}
	s := &SFU{
		options: o, log: o.Logger, certificate: certificate,
		now: mono.Now, stop: make(chan struct{}), routers: map[string]*Router{}, servers: map[*WebRTCServer]struct{}{},
	}
	s.scratches.New = func() any { return newScratch(s, 0) }
	s.workers.New = func() any { return newWorker(s, nil, nil, rand.Int()) }
	s.chores = newEventQueue(s.log, func() { s.counters.panics.Add(1) })
	s.transports.Store(new([]*Transport))
	s.plainSlots.limit = int64(o.MaxPlainTransports)
	s.socketSlots.limit = int64(o.MaxSockets)
	if err := s.openOwn(); err != nil {
		return nil, err
	}
	s.servers[s.own] = struct{}{}
	return s, nil
}

// Port is the UDP port of all media, and the TCP port.
func (s *SFU) Port() uint16 { return s.own.endpoints[0].port }

// Close closes every router and waits for every goroutine. It must not be
// called from a callback.
func (s *SFU) Close() { s.closing.Do(s.close) }

func (s *SFU) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, r := range s.openRouters() {
		r.Close()
	}
	s.goodbyes.Wait() // they still need the sockets
	close(s.stop)
	for _, v := range s.openServers() {
		v.Close()
	}
	s.chores.close()
	s.running.Wait()
}

// NewRouter makes an empty router. Errors: ErrClosed, *ortc.Error.
func (s *SFU) NewRouter(o RouterOptions) (*Router, error) {
	if o.MediaCodecs == nil {
		o.MediaCodecs = DefaultMediaCodecs()
	}
	capabilities, err := ortc.RouterRTPCapabilities(o.MediaCodecs)
	if err != nil {
		return nil, err
	}
	if !o.PortRange.valid() {
		return nil, typeErrorf("portRange: from %d to %d is no range", o.PortRange.Min, o.PortRange.Max)
	}
	r := newRouter(s, capabilities)
	r.ports = o.PortRange.or(s.options.PlainPorts)
	if r.certificate = o.Certificate; r.certificate == nil {
		r.certificate = s.certificate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("making a router: server %w", ErrClosed)
	}
	s.routers[r.id] = r
	s.running.Go(r.events.run)
	return r, nil
}

func (s *SFU) forgetRouter(r *Router) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.routers, r.id)
}

// addTransport makes t known to the clock.
func (s *SFU) addTransport(t *Transport) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.transports.Load()
	if s.closed {
		return fmt.Errorf("making a transport: server %w", ErrClosed)
	}
	if limit := s.options.MaxTransports; limit > 0 && len(old) >= limit {
		return fmt.Errorf("making a transport: %w: %d transports are open on this server", ErrLimit, limit)
	}
	next := make([]*Transport, len(old)+1)
	next[copy(next, old)] = t
	s.transports.Store(&next)
	return nil
}

func (s *SFU) removeTransport(t *Transport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.transports.Load()
	next := make([]*Transport, 0, len(old))
	for _, other := range old {
		if other != t {
			next = append(next, other)
		}
	}
	s.transports.Store(&next)
}

// clockPeriod is how exact timers are. Retransmissions are asked for at the
// end of the batch that shows the gap; the clock only repeats them, at
// intervals of 20 ms and more.
const clockPeriod = 10 * time.Millisecond

// runClock calls tickDue again and again.
func (s *SFU) runClock() {
	ticker := time.NewTicker(clockPeriod)
	defer ticker.Stop()
	sc := newClockScratch(s)
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		sc.tickDue(s.now())
	}
}

// tickDue calls tick of each transport, and lets each observer look, whose time
// has come.
func (sc *scratch) tickDue(now mono.Instant) {
	for _, t := range *sc.sfu.transports.Load() {
		if t.nextTick.Load() <= int64(now) {
			sc.tick(t, now)
		}
	}
	sc.tickObservers(now)
}

func newID() string { return uuid.NewString() }
