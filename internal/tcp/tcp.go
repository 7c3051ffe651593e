// Package tcp is the server's TCP port for media: connections that carry
// packets, each behind its length in two bytes (RFC 4571), as ICE candidates of
// type passive take them (RFC 6544). It knows nothing of what the packets
// carry, and of who may connect only what its user tells it by [Conn.Keep].
//
// A [Server] listens on one port of any number of addresses. It is made for
// strangers: whoever connects has a few seconds to prove itself, those who have
// not are bounded in number, altogether and per address, and the oldest makes
// way for a newcomer.
//
// TCP repeats what is lost and waits for who is slow, which live media cannot.
// So each connection has a queue bounded in bytes and in time; [Conn.Send]
// never waits. Once it has refused something [Bulk], it goes on refusing it
// until the queue has drained, since what comes after a hole is of no use
// without a fresh start; the kernel is told to hold little (TCP_NOTSENT_LOWAT),
// or the queue would be there.
//
// Who may call what: everything may be called by anyone, with locks held:
// nothing waits but [Server.Close]. A connection has a goroutine that reads,
// which calls the [Receiver], and one that writes. Close waits for them.
package tcp

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"
)

// Receiver is the user's side of one connection. Its methods are called one at
// a time, from the connection's goroutine.
type Receiver interface {
	// Receive takes packets that have arrived, in order. They may be changed in
	// place and are valid until it returns. While it works, nothing more is
	// read: the sender is slowed down.
	Receive(packets [][]byte)
	// Closed is called once, after the last Receive, whoever ended the
	// connection.
	Closed()
}

// Options say where to listen and what to bear. Zero values mean the defaults.
type Options struct {
	// IPs are the addresses to listen on: the unspecified IPv4 or IPv6 address
	// (each means its own family only) or addresses of this machine.
	IPs []netip.Addr
	// DualStack makes the unspecified IPv6 address mean IPv4 too.
	DualStack bool
	// Port is the one port of all addresses; 0 picks a free one.
	Port uint16
	// Accept makes the Receiver of a new connection. It is called from the
	// connection's goroutine.
	Accept func(*Conn) Receiver
	// ProofTimeout is how long a connection may exist without Keep; 5 s.
	ProofTimeout time.Duration
	// MaxConns bounds all connections; 10 000.
	MaxConns int
	// MaxPerAddress bounds the connections of one IPv4 address or IPv6 /64; 512,
	// since a whole company may be behind one.
	MaxPerAddress int
	// MaxUnproven bounds those on which Keep was not called yet; 1000.
	MaxUnproven int
	// MaxUnprovenPerAddress does the same for one IPv4 address or IPv6 /64; 64.
	MaxUnprovenPerAddress int
	// QueueBytes bounds what waits to be sent on a connection; 1 MiB, a second of
	// 8 Mbit/s: several keyframes at once have to fit.
	QueueBytes int
	// QueueDelay bounds how long it has waited when more is queued; 500 ms. More
	// would be heard and seen as delay; less would refuse what follows a keyframe
	// that takes a slow line that long, and so cause the next one.
	QueueDelay time.Duration
	// ReceiveBuffer and SendBuffer are the wanted kernel buffers per connection in
	// bytes; 0 leaves them to the system, which adapts them.
	ReceiveBuffer, SendBuffer int
	// Logger hears about what an operator should know; nil means silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.ProofTimeout, 5*time.Second)
	setDefault(&o.MaxConns, 10_000)
	setDefault(&o.MaxPerAddress, 512)
	setDefault(&o.MaxUnproven, 1000)
	setDefault(&o.MaxUnprovenPerAddress, 64)
	setDefault(&o.QueueBytes, 1<<20)
	setDefault(&o.QueueDelay, 500*time.Millisecond)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T int | time.Duration](value *T, standard T) {
	if *value <= 0 {
		*value = standard
	}
}

// Class says what is to become of a run for which there is hardly room.
type Class uint8

const (
	// Vital is sent as long as there is any room: checks, handshakes, control,
	// audio. A part of the queue is kept for it.
	Vital Class = iota
	// Bulk is refused while the connection is congested: video.
	Bulk
)

var (
	// ErrQueueFull is returned by Send when nothing of the run was taken.
	ErrQueueFull = errors.New("tcp: queue full")
	// ErrPacketSize is returned by Send for packets that RFC 4571 cannot frame:
	// empty or larger than 65535 bytes.
	ErrPacketSize = errors.New("tcp: packet size out of range")
)
