package udp

import "sync/atomic"

// Traffic counts one direction.
type Traffic struct {
	Datagrams uint64
	Bytes     uint64 // of payload
	Syscalls  uint64
}

// Drops counts datagrams that were lost here, by reason.
type Drops struct {
	BufferFull  uint64 // sent into a full kernel buffer or queue
	TooBig      uint64 // larger than the interface or the protocol takes
	Unreachable uint64 // no route, or the remote refused
	Other       uint64 // any other error of sending
	Truncated   uint64 // received, larger than our buffer
	Kernel      uint64 // received by the kernel while the socket's buffer was full
}

// Stats is a snapshot of the counters of a Server since Listen.
type Stats struct {
	Received, Sent Traffic
	Dropped        Drops

	GRORuns       uint64 // received buffers that held several datagrams
	GSORuns       uint64 // segmented sends
	GSOFallbacks  uint64 // segmented sends that the kernel refused and that were repeated plainly
	ReceiveErrors uint64 // errors of reading, mostly ICMP, that did no harm

	// GSO and GRO tell whether they are in use at all; single destinations may
	// have fallen back even so.
	GSO, GRO bool
	// ReceiveBuffer and SendBuffer are the smallest kernel buffers granted to
	// a socket, in bytes.
	ReceiveBuffer, SendBuffer int
}

// counters are kept per socket, so that cores that send on sockets of their
// own do not fight over cache lines.
type counters struct {
	_ [64]byte // what precedes them is read by everyone

	// Written by the reading goroutine.
	received      trafficCounters
	groRuns       atomic.Uint64
	truncated     atomic.Uint64
	receiveErrors atomic.Uint64

	_ [64]byte

	// Written by whoever sends.
	sent         trafficCounters
	gsoRuns      atomic.Uint64
	gsoFallbacks atomic.Uint64
	bufferFull   atomic.Uint64
	tooBig       atomic.Uint64
	unreachable  atomic.Uint64
	other        atomic.Uint64

	_ [64]byte
}

type trafficCounters struct {
	datagrams, bytes, syscalls atomic.Uint64
}

func (c *trafficCounters) add(datagrams, bytes, syscalls int) {
	c.datagrams.Add(uint64(datagrams))
	c.bytes.Add(uint64(bytes))
	c.syscalls.Add(uint64(syscalls))
}

func (c *trafficCounters) addTo(t *Traffic) {
	t.Datagrams += c.datagrams.Load()
	t.Bytes += c.bytes.Load()
	t.Syscalls += c.syscalls.Load()
}

// GSO reports whether segmented sends are in use, as Stats does without the rest.
func (s *Server) GSO() bool { return s.gso.Load() }

// Stats returns the counters. It makes a system call or two per socket.
func (s *Server) Stats() Stats {
	st := Stats{GSO: s.gso.Load(), GRO: s.gro}
	for k := range s.sockets {
		k.received.addTo(&st.Received)
		k.sent.addTo(&st.Sent)
		st.GRORuns += k.groRuns.Load()
		st.GSORuns += k.gsoRuns.Load()
		st.GSOFallbacks += k.gsoFallbacks.Load()
		st.ReceiveErrors += k.receiveErrors.Load()
		st.Dropped.BufferFull += k.bufferFull.Load()
		st.Dropped.TooBig += k.tooBig.Load()
		st.Dropped.Unreachable += k.unreachable.Load()
		st.Dropped.Other += k.other.Load()
		st.Dropped.Truncated += k.truncated.Load()
		st.Dropped.Kernel += k.kernelDrops()
		st.ReceiveBuffer = smaller(st.ReceiveBuffer, k.receiveBuffer)
		st.SendBuffer = smaller(st.SendBuffer, k.sendBuffer)
	}
	return st
}

// Add counts in what another Server has counted. What is not a counter stays.
func (st *Stats) Add(o Stats) {
	st.Received.add(o.Received)
	st.Sent.add(o.Sent)
	st.Dropped.add(o.Dropped)
	st.GRORuns += o.GRORuns
	st.GSORuns += o.GSORuns
	st.GSOFallbacks += o.GSOFallbacks
	st.ReceiveErrors += o.ReceiveErrors
}

func (t *Traffic) add(o Traffic) {
	t.Datagrams += o.Datagrams
	t.Bytes += o.Bytes
	t.Syscalls += o.Syscalls
}

func (d *Drops) add(o Drops) {
	d.BufferFull += o.BufferFull
	d.TooBig += o.TooBig
	d.Unreachable += o.Unreachable
	d.Other += o.Other
	d.Truncated += o.Truncated
	d.Kernel += o.Kernel
}

// smaller is min, with 0 meaning "none yet".
func smaller(a, b int) int {
	if a == 0 {
		return b
	}
	return min(a, b)
}
