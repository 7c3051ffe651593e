package tcp

import "sync/atomic"

// Traffic counts one direction.
type Traffic struct {
	Packets uint64
	Bytes   uint64 // of packets, without their lengths
}

// Stats is a snapshot of the counters of a Server since Listen.
type Stats struct {
	Open     int // connections …
	Unproven int // … of them not kept yet

	Accepted     uint64
	Refused      uint64 // because of a limit
	Evicted      uint64 // unproven ones that made way for newer ones
	UnprovenEnds uint64 // that ended before they were kept, evicted ones not counted
	Malformed    uint64 // that ended because they were not made of frames

	Received, Sent Traffic
	// QueueFull is packets that were not sent because their connection was too
	// slow.
	QueueFull uint64
}

// Add counts in what another Server has counted, and its connections.
func (st *Stats) Add(o Stats) {
	st.Open += o.Open
	st.Unproven += o.Unproven
	st.Accepted += o.Accepted
	st.Refused += o.Refused
	st.Evicted += o.Evicted
	st.UnprovenEnds += o.UnprovenEnds
	st.Malformed += o.Malformed
	st.Received.add(o.Received)
	st.Sent.add(o.Sent)
	st.QueueFull += o.QueueFull
}

func (t *Traffic) add(o Traffic) {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
}

type counters struct {
	accepted, refused, evicted, unprovenEnds, malformed atomic.Uint64

	received, sent trafficCounters
	queueFull      atomic.Uint64
}

type trafficCounters struct{ packets, bytes atomic.Uint64 }

func (c *trafficCounters) add(packets [][]byte) {
	sizeBytes := 0
	for _, p := range packets {
		sizeBytes += len(p)
	}
	c.packets.Add(uint64(len(packets)))
	c.bytes.Add(uint64(sizeBytes))
}

func (c *trafficCounters) traffic() Traffic {
	return Traffic{Packets: c.packets.Load(), Bytes: c.bytes.Load()}
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	open, unproven := len(s.conns), s.unproven.Len()
	s.mu.Unlock()
	return Stats{
		Open: open, Unproven: unproven,
		Accepted: s.accepted.Load(), Refused: s.refused.Load(), Evicted: s.evicted.Load(),
		UnprovenEnds: s.unprovenEnds.Load(), Malformed: s.malformed.Load(),
		Received: s.received.traffic(), Sent: s.sent.traffic(), QueueFull: s.queueFull.Load(),
	}
}
