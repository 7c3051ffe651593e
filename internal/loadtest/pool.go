package loadtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/mono"
)

// Roles of a client in the DTLS handshake.
const (
	RoleClient = "client"
	RoleServer = "server"
)

// Options of a Pool. The zero value is a pool of ordinary clients.
type Options struct {
	// LocalIP is the address to send from; the zero Addr leaves it to the
	// system. Only candidates of its family are used.
	LocalIP netip.Addr
	// JoinDatagrams lets the kernel hand over datagrams in bulk (UDP_GRO,
	// Linux only). That is cheaper here, and on loopback it also spares the
	// server's thread from cutting up what it has sent as one.
	JoinDatagrams bool
	// KernelTime takes as the arrival of a packet when the kernel took it in
	// (SO_TIMESTAMPNS, Linux only), not when this process got to read it: then
	// latency is the network's and the server's alone.
	KernelTime bool
	// DecryptEvery makes receivers decrypt only every n-th packet of video
	// once they have seen a keyframe. 0 and 1 mean all.
	DecryptEvery int
	// DTLSRole is RoleClient, as of browsers, which it is when empty, or
	// RoleServer.
	DTLSRole string
	// Profile is the only SRTP profile that is offered, or accepted as
	// RoleServer. 0 means AEAD_AES_128_GCM.
	Profile srtp.ProtectionProfile
}

func (o Options) withDefaults() Options {
	o.DecryptEvery = max(o.DecryptEvery, 1)
	if o.DTLSRole == "" {
		o.DTLSRole = RoleClient
	}
	if o.Profile == 0 {
		o.Profile = srtp.ProtectionProfileAeadAes128Gcm
	}
	return o
}

// Pool is clients that share a certificate and a clock.
type Pool struct {
	// Constant after NewPool.
	options     Options
	certificate tls.Certificate
	fingerprint DTLSFingerprint
	closing     chan struct{}
	clockEnded  chan struct{}

	mu      sync.Mutex
	closed  bool
	clients map[client]struct{}
}

// client is a Sender or a Receiver.
type client interface {
	// tick does what is due. It is called every tickInterval.
	tick(now mono.Instant)
	Close() error
}

// tickInterval is the resolution of everything that clients do by time, but
// for sending media.
const tickInterval = 10 * time.Millisecond

// NewPool returns a pool without clients, and starts its clock. Close it.
func NewPool(o Options) (*Pool, error) {
	o = o.withDefaults()
	if o.DTLSRole != RoleClient && o.DTLSRole != RoleServer {
		return nil, fmt.Errorf("DTLS role %q is neither %q nor %q", o.DTLSRole, RoleClient, RoleServer)
	}
	c, f, err := certificate()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		options: o, certificate: c, fingerprint: f,
		closing: make(chan struct{}), clockEnded: make(chan struct{}),
		clients: map[client]struct{}{},
	}
	go p.runClock()
	return p, nil
}

// runClock ticks all clients. One that joins or leaves meanwhile waits for a
// tick of the others, which takes microseconds.
func (p *Pool) runClock() {
	defer close(p.clockEnded)
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-p.closing:
			return
		case <-ticker.C:
			p.tick(mono.Now())
		}
	}
}

func (p *Pool) tick(now mono.Instant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.clients {
		c.tick(now)
	}
}

// add makes c a client of the pool.
func (p *Pool) add(c client) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.New("the pool of clients is closed")
	}
	p.clients[c] = struct{}{}
	return nil
}

// remove takes c out and reports whether it was in.
func (p *Pool) remove(c client) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, was := p.clients[c]
	delete(p.clients, c)
	return was
}

// Close closes all clients and waits for them.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	all := make([]client, 0, len(p.clients))
	for c := range p.clients {
		all = append(all, c)
	}
	p.mu.Unlock()
	close(p.closing)
	<-p.clockEnded
	var errs []error
	for _, c := range all {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// connect makes a transport of the server and connects to it.
func (p *Pool) connect(ctx context.Context, s TransportSignalling, d Direction, m media) (*transport, error) {
	info, err := s.CreateTransport(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("create a %s transport: %w", d, err)
	}
	t, err := p.openTransport(info, m)
	if err != nil {
		return nil, err
	}
	if err := t.establish(ctx, s); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}
