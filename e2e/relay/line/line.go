// Package line is a bad network between a client and a server: a relay, on
// this machine, that loses, delays, reorders, doubles and throttles what
// passes it. It is the shell around package link, for tests.
//
// A [Line] is what joins one person to the internet: all their connections
// share its rate and its luck. Each client address gets a socket of its own
// towards the server, as behind a router with address translation, and
// [Line.Rebind] gives all of them new ones, as when that router is restarted
// or a phone moves to another network.
//
// UDP goes through the links datagram by datagram. TCP has the delay and the
// rate of the link, and stands still while it is down; of loss, jitter and
// order it knows nothing, since the kernels at both ends would repair that
// themselves.
//
// Exported methods may be called from any goroutine.
package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/takoserver/takos-call/e2e/relay/link"
	"github.com/takoserver/takos-call/internal/mono"
)

// Options of a Line.
type Options struct {
	// Server is where everything goes, by UDP and TCP.
	Server netip.AddrPort
	// Listen is the address for clients. The zero Addr is 127.0.0.1.
	Listen netip.Addr
	// Seed decides which datagrams have bad luck.
	Seed uint64
}

// Way is the direction, seen from the client.
type Way int

// The ways.
const (
	Up   Way = iota // to the server
	Down            // to the client
)

// Stats are the figures of a Line.
type Stats struct {
	Up, Down link.Stats
	// Flows are client addresses that have sent anything by UDP, and
	// connections by TCP that are open.
	Flows, Connections int
	// Blocked are datagrams that came while UDP was blocked.
	Blocked uint64
	// Unsent datagrams were refused by the system.
	Unsent uint64
}

// Line is a running relay.
type Line struct {
	// Constant after Listen.
	options  Options
	clients  *net.UDPConn
	listener *net.TCPListener
	wake     chan struct{} // to the deliverer: something earlier is due
	closing  chan struct{}
	running  sync.WaitGroup

	mu          sync.Mutex
	closed      bool
	blocked     bool
	links       [2]*link.Link
	conditions  [2]link.Conditions
	flows       map[netip.AddrPort]*flow
	connections map[net.Conn]struct{}
	changed     chan struct{} // closed and replaced when conditions change
	pending     queue
	stats       Stats
}

// flow is what comes from one address of a client.
type flow struct {
	client netip.AddrPort
	server *net.UDPConn // guarded by Line.mu
}

// Listen starts a Line with a perfect network. Close it.
func Listen(o Options) (*Line, error) {
	if !o.Listen.IsValid() {
		o.Listen = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	clients, listener, err := listenBoth(o.Listen)
	if err != nil {
		return nil, err
	}
	l := &Line{
		options: o, clients: clients, listener: listener,
		wake: make(chan struct{}, 1), closing: make(chan struct{}), changed: make(chan struct{}),
		links: [2]*link.Link{link.New(o.Seed), link.New(^o.Seed)},
		flows: map[netip.AddrPort]*flow{}, connections: map[net.Conn]struct{}{},
	}
	l.running.Go(l.deliver)
	l.running.Go(l.readClients)
	l.running.Go(l.accept)
	return l, nil
}

// listenAttempts bounds the search for a port that is free for both protocols.
const listenAttempts = 32

// listenBoth listens on one port, which the system chooses, by UDP and TCP.
func listenBoth(ip netip.Addr) (*net.UDPConn, *net.TCPListener, error) {
	var errs []error
	for range listenAttempts {
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			return nil, nil, fmt.Errorf("listen for clients on %s: %w", ip, err)
		}
		config := net.ListenConfig{Control: narrowly}
		tcp, err := config.Listen(context.Background(), "tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp.(*net.TCPListener), nil
		}
		errs = append(errs, err, udp.Close())
	}
	return nil, nil, fmt.Errorf("listen for clients on %s: %w", ip, errors.Join(errs...))
}

// Address is where clients find the server.
func (l *Line) Address() netip.AddrPort {
	return l.clients.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Set changes the conditions of one way.
func (l *Line) Set(w Way, c link.Conditions) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.links[w].Set(mono.Now(), c); err != nil {
		return err
	}
	l.conditions[w] = c
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

// BlockUDP makes the line lose every datagram, both ways, or no longer.
func (l *Line) BlockUDP(blocked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked = blocked
}

// Rebind gives every flow a new source port towards the server. What the
// server still sends to the old ones is lost.
func (l *Line) Rebind() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.flows {
		old := f.server
		if err := l.bindLocked(f); err != nil {
			return err
		}
		if err := old.Close(); err != nil {
			return fmt.Errorf("give up a port: %w", err)
		}
	}
	return nil
}

// Stats returns the figures.
func (l *Line) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.stats
	st.Up, st.Down = l.links[Up].Stats(), l.links[Down].Stats()
	st.Flows, st.Connections = len(l.flows), len(l.connections)/2
	return st
}

// Close cuts the line.
func (l *Line) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.closing)
	errs := []error{l.clients.Close(), l.listener.Close()}
	for _, f := range l.flows {
		errs = append(errs, f.server.Close())
	}
	for c := range l.connections {
		errs = append(errs, c.Close())
	}
	l.mu.Unlock()
	l.running.Wait()
	return errors.Join(errs...)
}

// bindLocked gives a flow a socket to the server, and reads it.
func (l *Line) bindLocked(f *flow) error {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(l.options.Server))
	if err != nil {
		return fmt.Errorf("open a socket to %s: %w", l.options.Server, err)
	}
	f.server = conn
	l.running.Go(func() { l.readServer(f, conn) })
	return nil
}

// maxDatagram is the largest that UDP has.
const maxDatagram = 64 << 10

// readClients takes in what clients send.
func (l *Line) readClients() {
	buffer := make([]byte, maxDatagram)
	for {
		n, from, err := l.clients.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			l.send(Up, l.flowOf(from), buffer[:n])
		}
	}
}

// flowOf returns the flow of a client's address; nil when there can be none.
func (l *Line) flowOf(client netip.AddrPort) *flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.flows[client]; ok || l.closed {
		return f
	}
	f := &flow{client: client}
	if err := l.bindLocked(f); err != nil {
		l.stats.Unsent++
		return nil
	}
	l.flows[client] = f
	return f
}

// readServer takes in what the server sends to one of our ports.
func (l *Line) readServer(f *flow, conn *net.UDPConn) {
	buffer := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // else an ICMP error: nobody listens there
			l.send(Down, f, buffer[:n])
		}
	}
}

// send lets a datagram have its fate.
func (l *Line) send(w Way, f *flow, b []byte) {
	if f == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blocked {
		l.stats.Blocked++
		return
	}
	arrivals := l.links[w].Send(mono.Now(), len(b))
	if len(arrivals.All()) == 0 {
		return
	}
	kept := append([]byte(nil), b...)
	for _, at := range arrivals.All() {
		if l.pending.push(at, w, f, kept) {
			l.wakeDeliverer()
		}
	}
}

func (l *Line) wakeDeliverer() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// deliver sends on what has arrived, until the line is closed.
func (l *Line) deliver() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(l.deliverDue())
		select {
		case <-timer.C:
		case <-l.wake:
		case <-l.closing:
			return
		}
	}
}

// deliverDue sends on what is due, and returns how long to wait for the next.
func (l *Line) deliverDue() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		at, ok := l.pending.next()
		if !ok {
			return time.Hour
		}
		if wait := at.Sub(mono.Now()); wait > 0 {
			return wait
		}
		l.deliverLocked(l.pending.pop())
	}
}

func (l *Line) deliverLocked(d datagram) {
	var err error
	if d.way == Up {
		_, err = d.flow.server.Write(d.data)
	} else {
		_, err = l.clients.WriteToUDPAddrPort(d.data, d.flow.client)
	}
	if err != nil && !l.closed {
		l.stats.Unsent++
	}
}
