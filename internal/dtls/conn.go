package dtls

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	pion "github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

// Defaults of Options.
const (
	DefaultHandshakeTimeout = 30 * time.Second
	// DefaultFlightInterval is the first retransmission interval; it doubles. RFC 6347
	// §4.2.4.1 suggests a second, which a call cannot wait for; a superfluous flight
	// costs a kilobyte. With a quarter of the datagrams lost, a handshake took 160 ms in
	// the mean at 20 ms round trip (270 ms with twice the interval), and 690 ms at 300.
	DefaultFlightInterval = 50 * time.Millisecond
	// DefaultHelloDelay is how long a client waits for the other side's ClientHello.
	DefaultHelloDelay = 50 * time.Millisecond
	// DefaultLinger outlasts the retransmissions of a peer that misses our last flight.
	DefaultLinger = 30 * time.Second
)

// wakeLinger is how long a connection stays awake for records that follow the one
// that woke it.
const wakeLinger = time.Second

// closeTimeout bounds the wait of Close, should Options.Send block.
const closeTimeout = 2 * time.Second

// maxEarly is how many datagrams are kept until Start: two repetitions of a
// ClientHello in three fragments.
const maxEarly = 6

// Options of a Conn. Certificate and Send are required.
type Options struct {
	Certificate *Certificate
	// Logger is nil for none. The lines carry no keys.
	Logger *slog.Logger
	// Send sends one datagram to the peer; it must not keep the slice, and an error
	// means that the datagram is lost. It is called from goroutines of the connection,
	// none of which is left when Close has waited for them.
	Send func(datagram []byte) error
	// StateChange is told of StateConnected, StateFailed and StateClosed (the latter
	// when the peer closes, not for Close), with the reason of a failure. It is called
	// from a goroutine of the connection, one call at a time, and may be nil.
	StateChange func(State, error)
	// Data is given the application data that arrives, a datagram's worth at a time,
	// which is valid during the call. It is called from a goroutine of the connection,
	// and Close waits for it. Nil discards what arrives.
	Data func([]byte)
	// Profiles overrides DefaultProfiles.
	Profiles []srtp.ProtectionProfile
	// HandshakeTimeout ends a handshake. It runs from the first message in or out, so a
	// server does not fail because its peer comes late.
	HandshakeTimeout time.Duration
	// FlightInterval is the first retransmission interval.
	FlightInterval time.Duration
	// HelloDelay is how long a client waits after Start for a ClientHello before it
	// sends its own; negative for not at all. See Start.
	HelloDelay time.Duration
	// Linger is how long after the handshake Pion's state is kept to repeat the last
	// flight, before the connection goes to sleep.
	Linger time.Duration
}

func (o Options) withDefaults() Options {
	setDefault := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	setDefault(&o.HandshakeTimeout, DefaultHandshakeTimeout)
	setDefault(&o.FlightInterval, DefaultFlightInterval)
	setDefault(&o.HelloDelay, DefaultHelloDelay)
	setDefault(&o.Linger, DefaultLinger)
	if len(o.Profiles) == 0 {
		o.Profiles = DefaultProfiles()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Conn is the DTLS connection of one transport.
//
// Its goroutines live for a handshake and Options.Linger after it. Then Pion's
// connection, some 40 KB with its stacks, is reduced to its secrets and counters; it
// is made again when an encrypted alert or application data arrives, and for Close.
// A connection with Options.Data stays awake from the first data on: who has sent some
// will send more, and Write needs Pion's connection. A server that waits for a ClientHello has no goroutine either.
type Conn struct {
	options Options // constant after New

	mu      sync.Mutex
	state   State
	role    Role
	remote  []Fingerprint // what the certificate is checked against
	early   [][]byte      // ClientHellos that came before Start
	closing bool          // Close was called
	// answered is whether a server has answered our ClientHello, after which the roles
	// are settled.
	answered bool
	run      *run        // goroutines at work; nil for none
	asleep   *pion.State // of an established connection without goroutines
	session  *pion.Conn  // for Write; nil until data has arrived

	profile     srtp.ProtectionProfile // 0 before the handshake and without use_srtp
	keys        *srtp.SessionKeys      // until SRTP has taken them
	certificate []byte                 // of the peer, DER
}

// run is a period in which goroutines are at work for a connection.
type run struct {
	ctx    context.Context // ended by Close
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutines have ended

	feed      *feed // guarded by Conn.mu
	reporting bool  // StateChange is running; guarded by Conn.mu
}

// New returns a connection in state "new". It has nothing to release before Start.
func New(o Options) *Conn {
	return &Conn{options: o.withDefaults(), state: StateNew, role: RoleAuto}
}

// Start begins the handshake in the given role, client or server, with a peer whose
// certificate must match one of the remote fingerprints. It does not block, and can
// be called once.
//
// A client that meets a ClientHello instead of an answer becomes the server:
// mediasoup-client signals the role "server" for a browser that acts as client where
// it was offered a fixed role. Since such a browser gives up when a ClientHello
// reaches it, a client listens for Options.HelloDelay before it speaks. Start a
// client when ICE has a path, or the delay and the first flights are in vain.
func (c *Conn) Start(local Role, remote []Fingerprint) error {
	if local != RoleClient && local != RoleServer {
		return fmt.Errorf("start DTLS: role %q is not client or server", local)
	}
	if err := validateFingerprints(remote); err != nil {
		return fmt.Errorf("start DTLS: %w", err)
	}
	if c.options.Certificate == nil || c.options.Send == nil {
		return errors.New("start DTLS: no certificate, or no way to send")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != StateNew {
		return fmt.Errorf("start DTLS: the connection is %s", c.state)
	}
	c.state, c.role = StateConnecting, local
	c.remote = append([]Fingerprint(nil), remote...)
	if len(c.early) > 0 {
		c.role = RoleServer // see above
	}
	if c.role == RoleClient || len(c.early) > 0 {
		r := c.newRunLocked(c.early...)
		go c.connect(r)
	}
	c.early = nil
	return nil
}

// Allow adds fingerprints to those that Start was given. Once the peer's
// certificate has been checked it changes nothing.
func (c *Conn) Allow(more []Fingerprint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == StateConnecting {
		c.remote = append(c.remote[:len(c.remote):len(c.remote)], more...)
	}
}

// Feed takes in a datagram from the peer, of which it keeps a copy. It never blocks:
// what is malformed, out of place or too much is dropped in silence. ClientHellos
// that come before Start are kept for it.
func (c *Conn) Feed(datagram []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.state == StateFailed || c.state == StateClosed {
		return
	}
	kept := filterRecords(datagram, c.state == StateConnected)
	switch {
	case kept == nil:
	case c.run != nil:
		c.feedRunLocked(kept)
	case c.asleep != nil:
		if hasEncrypted(kept) {
			c.wakeLocked(kept)
		}
	case !hasHandshake(kept, handshakeClientHello):
	case c.state == StateNew:
		if len(c.early) == maxEarly {
			c.early = append(c.early[:0], c.early[1:]...)
		}
		c.early = append(c.early, kept)
	default:
		r := c.newRunLocked(kept)
		go c.connect(r)
	}
}

// feedRunLocked passes a datagram to Pion, or begins anew as the server when it shows
// that the peer is a client as well.
func (c *Conn) feedRunLocked(datagram []byte) {
	if c.state == StateConnecting && c.role == RoleClient && !c.answered {
		switch {
		case hasHandshake(datagram, handshakeServerHello), hasHandshake(datagram, handshakeHelloVerifyRequest):
			c.answered = true
		case hasHandshake(datagram, handshakeClientHello):
			c.role = RoleServer
			c.run.feed.halt()
			c.run.feed = c.newFeed()
		}
	}
	c.run.feed.push(datagram)
}

// newRunLocked prepares a period of work that begins with the given datagrams. The
// caller starts the goroutine that ends it.
func (c *Conn) newRunLocked(datagrams ...[]byte) *run {
	ctx, cancel := context.WithCancel(context.Background())
	c.run = &run{ctx: ctx, cancel: cancel, done: make(chan struct{}), feed: c.newFeed()}
	for _, d := range datagrams {
		c.run.feed.push(d)
	}
	return c.run
}

func (c *Conn) newFeed() *feed {
	if c.options.Data == nil {
		return newFeed(c.options.Send, queueSize)
	}
	return newFeed(c.options.Send, dataQueueSize)
}

// Write sends application data in one record. It answers data: before the first has
// reached Options.Data, and after the connection's end, the error is ErrNoData.
func (c *Conn) Write(data []byte) error {
	c.mu.Lock()
	session := c.session
	c.mu.Unlock()
	if session == nil {
		return ErrNoData
	}
	if _, err := session.Write(data); err != nil {
		return fmt.Errorf("send data over DTLS: %w", err)
	}
	return nil
}

// ErrNoData is the error of Write on a connection that carries no data.
var ErrNoData = errors.New("send data over DTLS: the peer has sent none, or the connection has ended")

// State returns the current state.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Role returns our side of the handshake: "auto" before Start, and the final one from
// StateConnected on.
func (c *Conn) Role() Role {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.role
}

// RemoteCertificate returns the peer's certificate in DER, nil before StateConnected.
func (c *Conn) RemoteCertificate() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.certificate...)
}

// Close ends the connection, with a close_notify to the peer when it is connected,
// and waits for its goroutines. It may be called at any time and again, also from
// within StateChange, when it does not wait; but not under a lock that Options.Send
// takes.
func (c *Conn) Close() {
	c.mu.Lock()
	if !c.closing {
		c.closing = true
		if c.asleep != nil && c.state == StateConnected {
			c.wakeLocked()
		}
		c.state = StateClosed
		c.early, c.keys, c.asleep, c.session = nil, nil, nil, nil
		if c.run != nil {
			c.run.cancel()
		}
	}
	r := c.run
	wait := r != nil && !r.reporting
	c.mu.Unlock()
	if !wait {
		return
	}
	timeout := time.NewTimer(closeTimeout)
	defer timeout.Stop()
	select {
	case <-r.done:
	case <-timeout.C:
		c.options.Logger.Warn("DTLS connection does not end", "error", errStuck)
	}
}

var errStuck = errors.New("sending a datagram blocks")
