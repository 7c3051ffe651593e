package udp

import "syscall"

// Limits of one segmented send: UDP_MAX_SEGMENTS (64 before Linux 6.9) and the
// largest payload of a datagram over IPv4.
const (
	maxSegments = 64
	maxPayload  = 65535 - 20 - 8
)

// Dest is where and how to send: the prebuilt address and control messages of
// a Path, and what was learnt about segmented sends to it. It is a value; keep
// it beside the state that it belongs to, under the same lock, and pass a
// pointer to it to Send, which updates it.
type Dest struct {
	path   Path
	server *Server
	group  int32 // of server.groups, or -1
	// gsoLimit is the largest segment that a segmented send may have; 0 when
	// such sends do not work here at all.
	gsoLimit int32

	message prebuilt
}

// Dest returns the destination of answers along p: to p.Remote, from p.Local
// where the socket could choose between several addresses.
func (s *Server) Dest(p Path) Dest {
	d := Dest{path: p, server: s, group: int32(s.groupFor(p)), gsoLimit: maxPayload}
	if d.group >= 0 {
		g := &s.groups[d.group]
		d.message = prebuild(p, g.wildcard)
	}
	return d
}

// Path returns the path that d was made from.
func (d *Dest) Path() Path { return d.path }

// Sender is the scratch memory of sending, by whichever Server a Dest is of. It
// belongs to one goroutine at a time.
type Sender struct {
	index int
	call  sendCall
}

// NewSender returns a Sender that uses the index-th socket (modulo their
// number) of whichever address a Dest wants: give each core an index of its
// own and they do not meet in the kernel.
func NewSender(index int) *Sender {
	t := &Sender{index: index}
	t.call.init()
	return t
}

// Send sends run as consecutive datagrams of segmentSize bytes, of which the
// last may be shorter, in order. It never waits. ErrBufferFull and every other
// error but net.ErrClosed mean that the rest of the run is lost, as datagrams
// may be; they are counted in Stats by reason and need no treatment.
//
// A run of several datagrams is one segmented send where that is possible. If
// the kernel refuses one, the destination (or for EIO everything) falls back
// to plain sends, and the data is sent again at once.
func (t *Sender) Send(d *Dest, run []byte, segmentSize int) error {
	if segmentSize <= 0 {
		return ErrSegmentSize
	}
	if d.group < 0 {
		return ErrNoSocket
	}
	sockets := d.server.groups[d.group].sockets
	k := sockets[t.index%len(sockets)]
	for len(run) > segmentSize && d.maySegment(segmentSize) {
		part := run[:min(len(run), segmentSize*min(maxSegments, maxPayload/segmentSize))]
		errno, err := t.call.segmented(d.server, k, d, part, segmentSize)
		if err != nil {
			return closedOr(err)
		}
		if errno != 0 {
			if d.fallBack(k, segmentSize, errno) {
				break
			}
			return k.drop(errno, datagrams(run, segmentSize))
		}
		k.gsoRuns.Add(1)
		k.sent.add(datagrams(part, segmentSize), len(part), 1)
		run = run[len(part):]
	}
	return t.sendPlain(k, d, run, segmentSize)
}

func (d *Dest) maySegment(segmentSize int) bool {
	return segmentSize <= int(d.gsoLimit) && segmentSize <= maxPayload/2 && d.server.gso.Load()
}

// fallBack learns from the refusal of a segmented send, and reports whether it
// was one that plain sends may not meet.
func (d *Dest) fallBack(k *socket, segmentSize int, errno syscall.Errno) bool {
	switch errno {
	case syscall.EIO: // the path has no checksum offload, or IPsec: so has every other one
		d.server.gso.Store(false)
	case syscall.EMSGSIZE: // a segment exceeds the path's MTU; smaller ones may do
		d.gsoLimit = int32(segmentSize - 1)
	case syscall.EINVAL: // older kernels: too large as well, or anything else
		d.gsoLimit = 0
	default:
		return false
	}
	k.gsoFallbacks.Add(1)
	return true
}

func (t *Sender) sendPlain(k *socket, d *Dest, run []byte, segmentSize int) error {
	var failed error
	for len(run) > 0 {
		sent, errno, err := t.call.plain(d.server, k, d, run, segmentSize)
		if err != nil {
			return closedOr(err)
		}
		bytes := min(sent*segmentSize, len(run))
		k.sent.add(sent, bytes, 1)
		run = run[bytes:]
		if errno != 0 {
			failed = k.drop(errno, 1)
			if failed == ErrBufferFull {
				return k.drop(errno, datagrams(run, segmentSize)-1)
			}
			run = run[min(segmentSize, len(run)):]
		}
	}
	return failed
}

// drop counts n datagrams that errno cost and returns it as an error.
func (k *socket) drop(errno syscall.Errno, n int) error {
	lost := uint64(n)
	switch errno {
	case syscall.EAGAIN, syscall.ENOBUFS:
		k.bufferFull.Add(lost)
		return ErrBufferFull
	case syscall.EMSGSIZE:
		k.tooBig.Add(lost)
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL:
		k.unreachable.Add(lost)
	default:
		k.other.Add(lost)
	}
	return errno
}

// datagrams is how many of segmentSize bytes, the last maybe shorter, make run.
func datagrams(run []byte, segmentSize int) int {
	return (len(run) + segmentSize - 1) / segmentSize
}
