package bwe

import (
	"math"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// clusterPackets is the least number of packets that tell a rate.
	clusterPackets = 5
	// clusterSaturated is the share of the sent rate below which the arrival
	// rate is that of a full path, and clusterMargin what of it is believed.
	clusterSaturated = 0.9
	clusterMargin    = 0.95
	clusterLoss      = 0.1
)

// cluster is the packets, media and padding, that were sent at a chosen rate
// to see whether they arrive at it.
//
// What a clock of some ms sends comes in bursts. So the rates are those from
// the end of the first burst to the end of the last: of evenly spaced bursts
// the number is one more than that of the spaces between them.
type cluster struct {
	id     uint8
	open   bool // packets that are sent belong to it
	closed mono.Instant

	begun    mono.Instant // first packet sent
	sent     stretch
	arrived  stretch
	packets  int
	received int
	last     uint16 // seq of the last packet
}

// stretch is bytes over time, after a first burst.
type stretch struct {
	from, to  mono.Instant
	sizeBytes int
}

func (s *stretch) add(at mono.Instant, sizeBytes int, first bool) {
	if first {
		s.from = max(s.from, at)
		return
	}
	s.to = max(s.to, at)
	s.sizeBytes += sizeBytes
}

// rate is in bit/s, 0 if it cannot be told.
func (s *stretch) rate() float64 {
	if s.from == 0 || s.to <= s.from {
		return 0
	}
	return float64(s.sizeBytes) * 8 / s.to.Sub(s.from).Seconds()
}

// send notes a packet that belongs to the cluster.
func (c *cluster) send(now mono.Instant, seq uint16) {
	if c.packets == 0 {
		c.begun = now
	}
	c.packets++
	c.last = seq
}

// receive notes the arrival of one of its packets. Those that are lost are left
// out of both rates, so that the one differs from the other only by how long
// it took.
func (c *cluster) receive(arrival mono.Instant, p *sentPacket) {
	first := p.at.Sub(c.begun) <= burstTime
	c.received++
	c.sent.add(p.at, int(p.sizeBytes), first)
	c.arrived.add(arrival, int(p.sizeBytes), first)
}

// result returns the rate that the cluster has shown to be possible, in bit/s,
// and whether the path was full. The share inherent is lost whatever the rate.
func (c *cluster) result(inherent float64) (rate float64, saturated, ok bool) {
	sent, arrived := c.sent.rate(), c.arrived.rate()
	if c.received < clusterPackets || sent == 0 || arrived == 0 {
		return 0, false, false
	}
	if c.lostMore(inherent) {
		return clusterMargin * min(sent, arrived), true, true
	}
	// What is lost anyway says nothing about the rate that can be sent.
	scale := float64(c.packets) / float64(c.received)
	if arrived < clusterSaturated*sent {
		return clusterMargin * arrived * scale, true, true
	}
	// A path that ends a burst faster than it began is no faster for it.
	return min(sent, arrived) * scale, false, true
}

// lostMore reports whether more was lost than is by chance. A tenth proves
// nothing: the probe would have to be of little more than the path carries.
func (c *cluster) lostMore(inherent float64) bool {
	n := float64(c.packets)
	inherent = max(inherent, clusterLoss)
	deviation := math.Sqrt(n * inherent * (1 - inherent))
	return n-float64(c.received) > n*inherent+2*deviation+1
}

// overdue is when the last feedback about a cluster should have come.
func (c *cluster) overdue(now mono.Instant, roundTrip time.Duration) bool {
	return !c.open && now.Sub(c.closed) > roundTrip+500*time.Millisecond
}

// opening is the burst with which all begins, that of a keyframe mostly. It is a
// probe that costs nothing: of packets that leave at once the path makes a row,
// as long as it takes for them.
type opening struct {
	sent      mono.Instant // the first packet
	from, to  mono.Instant // arrivals
	packets   int
	sizeBytes int // after the first packet
	over      bool
}

const (
	// openingPackets and openingTime are the least that a rate is taken of.
	openingPackets = 3
	openingTime    = 20 * time.Millisecond
	// openingPatience is how long it may take to be told of.
	openingPatience = time.Second
)

// receive notes the arrival of a packet.
func (o *opening) receive(arrival mono.Instant, p *sentPacket) {
	switch {
	case o.over:
	case o.sent == 0:
		o.sent, o.from, o.to, o.packets = p.at, arrival, arrival, 1
	case p.at.Sub(o.sent) > burstTime:
		o.over = true
	default:
		o.to = max(o.to, arrival)
		o.packets++
		o.sizeBytes += int(p.sizeBytes)
	}
}

// rate is what the path has carried of it, in bit/s, infinite if it cannot be
// told.
func (o *opening) rate() float64 {
	span := o.to.Sub(o.from)
	if o.packets < openingPackets || span < openingTime {
		return math.Inf(1)
	}
	return float64(o.sizeBytes) * 8 / span.Seconds()
}
