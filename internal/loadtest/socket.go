package loadtest

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// ancillary is what the system says beside the data of a read.
type ancillary struct {
	// segment is the size of the datagrams that the read is made of, of which
	// the last may be shorter; the size of the read when it is one.
	segment int
	// arrived is when the kernel took them in, in nanoseconds of Unix time, or
	// 0 when it does not say.
	arrived int64
}

// ancillarySize has room for all control messages that are asked for.
const ancillarySize = 128

// instant returns when the data arrived, having been read at now.
func (a ancillary) instant(now mono.Instant) mono.Instant {
	if a.arrived == 0 {
		return now
	}
	// The clock may have been set in between.
	waited := min(max(time.Now().UnixNano()-a.arrived, 0), int64(time.Second))
	return now.Add(-time.Duration(waited))
}

// receiveBuffer is what a client's socket may hold, in bytes, if the system
// allows it: half a second of a meeting of ten. It is larger than a browser's,
// as hundreds of clients share a process and may have to wait for a core, and
// what is lost then would be laid to the server.
const receiveBuffer = 1 << 20

// prepare sets the options of a client's socket.
func (o Options) prepare(conn *net.UDPConn) error {
	if err := conn.SetReadBuffer(receiveBuffer); err != nil {
		return fmt.Errorf("set the receive buffer: %w", err)
	}
	if o.JoinDatagrams {
		if err := joinDatagrams(conn); err != nil {
			return fmt.Errorf("join datagrams: %w", err)
		}
	}
	if o.KernelTime {
		if err := stampArrivals(conn); err != nil {
			return fmt.Errorf("have arrivals stamped: %w", err)
		}
	}
	return nil
}

// open opens a socket to a remote, prepared.
func (o Options) open(remote *net.UDPAddr, local *net.UDPAddr) (*net.UDPConn, error) {
	conn, err := net.DialUDP("udp", local, remote)
	if err != nil {
		return nil, fmt.Errorf("open a socket to %s: %w", remote, err)
	}
	if err := o.prepare(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
