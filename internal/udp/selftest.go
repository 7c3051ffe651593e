package udp

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// selfTestPatience is how long a run may take over loopback; it takes some
// 50 µs unless the machine stands still.
const selfTestPatience = 500 * time.Millisecond

// startOffloads switches GSO and GRO on where they are wanted and a trial on
// every local address shows that what is sent arrives as it was. Kernels with
// one of them broken exist: EIO without checksum offload, EINVAL for a short
// tail (6.6.44), damaged headers for an equal one (7.0, 7.1).
func (s *Server) startOffloads(o Options) {
	gso, gro := offloads && !o.DisableGSO, offloads && !o.DisableGRO
	for _, g := range s.groups {
		ip := g.trialAddr()
		if gso {
			gso = passes(o.Logger, "GSO", ip, true, false)
		}
		if gro {
			gro = passes(o.Logger, "GRO", ip, gso, true)
		}
	}
	if gro {
		gro = s.joinReceived(o.Logger)
	}
	s.gso.Store(gso)
	s.gro = gro
}

func (s *Server) joinReceived(log *slog.Logger) bool {
	for k := range s.sockets {
		if err := k.enableGRO(); err != nil {
			log.Warn("receiving without GRO", slog.Any("error", err))
			return false
		}
	}
	return true
}

// trialAddr is an address of the group that this machine can send to itself.
func (g *group) trialAddr() netip.Addr {
	ip := g.local.AddrPort().Addr()
	switch {
	case !g.wildcard:
		return ip
	case ip.Is4():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		return netip.IPv6Loopback()
	}
}

func passes(log *slog.Logger, name string, ip netip.Addr, gso, gro bool) bool {
	if err := trial(ip, gso, gro); err != nil {
		log.Warn("UDP offload does not work here and stays off",
			slog.String("offload", name), slog.String("address", ip.String()), slog.Any("error", err))
		return false
	}
	return true
}

// trial sends runs through a temporary socket to itself and compares.
func trial(ip netip.Addr, gso, gro bool) error {
	s := &Server{}
	defer s.Close()
	if err := s.openGroup(ip, Options{Readers: 1, ReceiveBuffer: 1 << 18, SendBuffer: 1 << 18}); err != nil {
		return err
	}
	if gro {
		if err := s.groups[0].sockets[0].enableGRO(); err != nil {
			return err
		}
	}
	s.gso.Store(gso)
	s.gro = gro
	s.openReaders(0)
	self := s.groups[0].local
	t, d := NewSender(0), s.Dest(Path{Remote: self, Local: self})
	for _, length := range []int{3 * trialSegment, 2 * trialSegment, 2*trialSegment + 1, 5*trialSegment - 1} {
		if err := s.tryRun(t, &d, length); err != nil {
			return fmt.Errorf("run of %d bytes in segments of %d: %w", length, trialSegment, err)
		}
	}
	if gso && s.Stats().GSOFallbacks > 0 {
		return fmt.Errorf("the kernel refused a segmented send")
	}
	return nil
}

const trialSegment = 1200

// trialRun is bytes that no other segment of the run has at the same place.
func trialRun(length int) []byte {
	run := make([]byte, length)
	for i := range run {
		run[i] = byte(i*7 + i>>8)
	}
	return run
}

// tryRun sends a run and compares what the first socket of s receives.
func (s *Server) tryRun(t *Sender, d *Dest, length int) error {
	run := trialRun(length)
	if err := t.Send(d, run, trialSegment); err != nil {
		return err
	}
	r := s.readers[0]
	if err := r.socket.conn.SetReadDeadline(time.Now().Add(selfTestPatience)); err != nil {
		return err
	}
	var batch [8]Datagram
	for len(run) > 0 {
		n, err := r.Read(batch[:], func() {})
		if err != nil {
			return err
		}
		for _, got := range batch[:n] {
			want := run[:min(trialSegment, len(run))]
			if !bytes.Equal(got.Data, want) {
				return fmt.Errorf("%d bytes arrived where %d were sent, or others", len(got.Data), len(want))
			}
			run = run[len(want):]
		}
	}
	return nil
}
