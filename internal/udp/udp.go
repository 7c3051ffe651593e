// Package udp is the server's UDP sockets: many datagrams a system call, both
// ways, without an allocation. It knows nothing of what the datagrams carry.
//
// A [Server] has a group of sockets per local address, all on one port. On
// Linux the sockets of a group share it by SO_REUSEPORT, one per core, and the
// kernel keeps each remote on one of them; reading uses recvmmsg(2) and
// UDP_GRO, sending UDP_SEGMENT (GSO, udp(7)) with a live fall-back to plain
// sends. Elsewhere there is one socket per address and one datagram a call.
// There, too, a socket on the unspecified address cannot tell which address a
// datagram came to: Path.Local is unspecified then.
//
// Who may call what: a [Reader] belongs to one goroutine, a [Sender] to one
// goroutine at a time, a [Dest] to whoever holds its owner's lock. Everything
// of the [Server] may be called by anyone, and several Senders may share a
// socket. Close interrupts Readers and Senders.
package udp

import (
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
)

// Datagram is one received datagram.
type Datagram struct {
	// Data is the payload. It is valid until the next Read of the same Reader
	// and may be changed in place; its capacity is its length, since the
	// neighbour's payload may follow at once.
	Data []byte
	Path Path
}

// Options say where to listen and how.
type Options struct {
	// IPs are the addresses to listen on: the unspecified IPv4 or IPv6 address
	// (each means its own family only) or addresses of this machine.
	IPs []netip.Addr
	// DualStack makes the unspecified IPv6 address mean IPv4 too.
	DualStack bool
	// Port is the one port of all addresses; 0 picks a free one.
	Port uint16
	// Readers is the number of sockets per address; 0 means one per core. It
	// is always 1 where the system cannot share a port between sockets.
	Readers int
	// ReusePort lets other sockets that say so too have the same address and
	// port. The kernel then chooses who gets which remote's datagrams; those to
	// a multicast address go to all.
	ReusePort bool
	// Batch is the most datagrams that a system call takes, each with 4 KiB of
	// memory, where the kernel does not join runs; 0 means 64.
	Batch int
	// ReceiveBuffer and SendBuffer are the wanted kernel buffers per socket in
	// bytes; 0 means 4 MiB. What was granted is in Stats.
	ReceiveBuffer, SendBuffer int
	// DisableGSO sends every datagram by itself even where the kernel would
	// cut runs.
	DisableGSO bool
	// DisableGRO receives every datagram by itself even where the kernel would
	// join runs.
	DisableGRO bool
	// Logger hears about what the kernel refused; nil means silence.
	Logger *slog.Logger
}

// defaultBuffer holds 50 ms of 0.6 Gbit/s: the longest a reading goroutine
// should ever be kept from its core. More would only hide a stall.
const defaultBuffer = 4 << 20

func (o Options) withDefaults() Options {
	if o.Readers <= 0 {
		o.Readers = runtime.GOMAXPROCS(0)
	}
	if o.ReceiveBuffer <= 0 {
		o.ReceiveBuffer = defaultBuffer
	}
	if o.SendBuffer <= 0 {
		o.SendBuffer = defaultBuffer
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

var (
	// ErrBufferFull is returned by Send when the kernel had no room: what was
	// not sent is dropped and counted, nothing waits.
	ErrBufferFull = errors.New("udp: send buffer full")
	// ErrNoSocket is returned by Send for a Dest whose address family this
	// Server does not listen on.
	ErrNoSocket = errors.New("udp: no socket of that address family")
	// ErrSegmentSize is returned by Send for a segment size that is not
	// positive.
	ErrSegmentSize = errors.New("udp: segment size must be positive")
)
