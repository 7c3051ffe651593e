package sfu

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/nack"
	"github.com/takoserver/takos-call/internal/rtp"
)

// recvStream is the packets of one SSRC that comes in, media or RTX.
type recvStream struct {
	// Constant.
	producer *Producer
	encoding int
	ssrc     uint32
	rtx      bool
	clockHz  uint32
	firstID  uint32       // what is added to extSeq for a packet's number
	since    mono.Instant // its first packet

	// Atomic.
	plis, firs atomic.Uint64            // requests sent
	clock      atomic.Pointer[rtpClock] // nil before the first sender report

	keyframeMu sync.Mutex // guards the following
	keyframes  keyframeRequests

	storeMu sync.Mutex  // guards the following
	store   *nack.Store // nil until a consumer may ask for packets

	// The rest is guarded by the transport's recvMu.
	unwrap      rtp.Unwrapper
	arrivals    arrivals
	nack        *nack.Generator // nil where the sender does not retransmit
	dependency  dependency
	lastPacket  mono.Instant
	layerBytes  [maxSpatial][maxTemporal]uint64 // received, by layer
	firstSeq    int64
	highestSeq  int64
	transit     uint32 // of the last packet, clock units
	jitter      uint32 // 16 × clock units (RFC 3550 A.8)
	rate        bwe.RateMeter
	packets     uint64
	bytes       uint64
	repaired    uint64 // of packets, those that came as RTX
	discarded   uint64 // came twice, or too late
	rtxDropped  uint64 // of those, what came as RTX
	nacks       uint64 // NACK messages sent
	nackedSeqs  uint64
	report      senderReport
	rtt         time.Duration
	lost        int64 // as of the last report
	fraction    uint8
	expectedWas int64 // at the last report
	receivedWas int64
	repairedWas uint64
	score       uint8 // as of the last report
}

// senderReport is the last report on a stream.
type senderReport struct {
	ntp     uint32       // its middle 32 bits
	arrived mono.Instant // 0: none yet
}

func newRecvStream(p *Producer, encoding int, ssrc uint32, info payloadCodec) *recvStream {
	s := &recvStream{
		producer: p, encoding: encoding, ssrc: ssrc, clockHz: info.clockHz, firstSeq: -1, score: maxScore,
		keyframes: keyframeRequests{interval: p.keyframeInterval},
	}
	if p.numberPackets {
		s.firstID = rand.Uint32()
	}
	if p.useNACK {
		s.nack = nack.NewGenerator(nack.GeneratorOptions{})
	}
	return s
}

// receive notes the arrival of a media packet and returns its extSeq. It is
// false for what is there already.
func (s *recvStream) receive(now mono.Instant, h *rtp.Header, sizeBytes int, keyframe bool) (int64, bool) {
	extSeq := s.unwrap.Unwrap(h.Seq)
	if !s.arrivals.add(extSeq) {
		s.discarded++
		return 0, false
	}
	if s.nack != nil {
		s.nack.Receive(now, extSeq, keyframe)
	}
	if s.firstSeq < 0 || extSeq < s.firstSeq {
		s.firstSeq = extSeq
	}
	s.noteTransit(now, h.Timestamp, extSeq)
	s.note(now, extSeq, sizeBytes, keyframe)
	return extSeq, true
}

// repair is receive for a packet that came as RTX. It is also false for what
// nobody has asked for.
func (s *recvStream) repair(now mono.Instant, h *rtp.Header, sizeBytes int, keyframe bool) (int64, bool) {
	highest, started := s.unwrap.Highest()
	extSeq := highest + int64(int16(h.Seq-uint16(highest)))
	if !started || s.nack == nil || !s.nack.Recovered(extSeq) || !s.arrivals.add(extSeq) {
		s.discarded++
		s.rtxDropped++
		return 0, false
	}
	s.repaired++
	s.note(now, extSeq, sizeBytes, keyframe)
	return extSeq, true
}

func (s *recvStream) note(now mono.Instant, extSeq int64, sizeBytes int, keyframe bool) {
	s.packets++
	s.bytes += uint64(sizeBytes)
	s.rate.Add(now, sizeBytes)
	s.highestSeq = max(s.highestSeq, extSeq)
	s.lastPacket = now
	if keyframe {
		s.keyframeArrived()
	}
}

// noteTransit is the jitter estimate of RFC 3550 A.8. Packets out of order are
// left out: they say more of the path than of its delay. So are jumps of the
// timestamp itself.
func (s *recvStream) noteTransit(now mono.Instant, ts uint32, extSeq int64) {
	if extSeq < s.highestSeq {
		return
	}
	arrival := uint32(uint64(now) / 1000 * uint64(s.clockHz) / 1_000_000)
	transit := arrival - ts
	if s.packets > 0 {
		d := int64(int32(transit - s.transit))
		if d < 0 {
			d = -d
		}
		const longest = 5 // seconds
		if d < longest*int64(s.clockHz) {
			s.jitter += uint32(d) - (s.jitter+8)>>4
		}
	}
	s.transit = transit
}

// keep stores the packet for the retransmissions that consumers ask for.
func (s *recvStream) keep(now mono.Instant, extSeq int64, packet []byte) {
	s.storeMu.Lock()
	defer s.storeMu.Unlock()
	if s.store == nil {
		s.store = nack.NewStore(nack.StoreOptions{})
	}
	s.store.Put(now, extSeq, packet)
}

// stored copies a kept packet to dst and returns it; nil if it is gone.
func (s *recvStream) stored(now mono.Instant, extSeq int64, dst []byte) []byte {
	s.storeMu.Lock()
	defer s.storeMu.Unlock()
	if s.store == nil {
		return nil
	}
	packet := s.store.Packet(extSeq, now)
	if packet == nil || len(packet) > len(dst) {
		return nil
	}
	return dst[:copy(dst, packet)]
}

// reportBlock is what we tell the sender about its stream (RFC 3550 §6.4.1).
func (s *recvStream) reportBlock(now mono.Instant) rtp.ReportBlock {
	b := rtp.ReportBlock{SSRC: s.ssrc, HighestSeq: uint32(s.highestSeq), Jitter: s.jitter >> 4}
	expected := s.highestSeq - s.firstSeq + 1
	// What RTX has repaired was lost all the same: the sender's estimate of its
	// uplink is made from it, and retransmissions are a stream of their own
	// (RFC 4588 §4).
	received := int64(s.packets - s.repaired)
	s.lost = expected - received
	s.fraction = fractionLost(expected-s.expectedWas, received-s.receivedWas)
	unrepaired := expected - s.expectedWas - (received - s.receivedWas) - int64(s.repaired-s.repairedWas)
	s.score = scoreOf(unrepaired, expected-s.expectedWas)
	s.expectedWas, s.receivedWas, s.repairedWas = expected, received, s.repaired
	b.TotalLost, b.FractionLost = int32(max(min(s.lost, 1<<23-1), -1<<23)), s.fraction
	if s.report.arrived != 0 {
		b.LastSR = s.report.ntp
		b.DelaySinceLastSR = rtp.CompactDuration(now.Sub(s.report.arrived))
	}
	return b
}

// fractionLost is in 256ths (RFC 3550 A.3).
func fractionLost(expected, received int64) uint8 {
	if expected <= 0 || received >= expected {
		return 0
	}
	return uint8(min((expected-received)<<8/expected, 255))
}

// rtpClock says which RTP time a stream shows when: rtpTime at the instant at,
// in steps of 1/clockHz. Instants of all streams of one sender come from its
// one clock, so that audio and video stay in sync whatever their reports' way
// took.
type rtpClock struct {
	rtpTime uint32
	at      mono.Instant
	clockHz uint32
}

// time is the RTP time at now.
func (c *rtpClock) time(now mono.Instant) uint32 {
	return c.rtpTime + rtpUnits(now.Sub(c.at), c.clockHz)
}

// rtpUnits converts d, which may be negative, to RTP time.
func rtpUnits(d time.Duration, clockHz uint32) uint32 {
	return uint32(d.Microseconds() * int64(clockHz) / 1_000_000)
}

// clockOffset is a remote wall clock less our monotonic clock, by the fastest
// of the reports seen.
type clockOffset struct {
	nanos int64
	known bool
}

// note takes in a report that was made at ntp and arrived at now, and returns
// ntp on our clock. The largest offset is the one of the shortest way; a sender
// whose clock was set back is believed at once.
func (o *clockOffset) note(ntp rtp.NTPTime, now mono.Instant) mono.Instant {
	nanos := ntp.Time().UnixNano() - int64(now)
	const step = int64(time.Second)
	if !o.known || nanos > o.nanos || o.nanos-nanos > step {
		o.nanos, o.known = nanos, true
	} else {
		o.nanos -= int64(50 * time.Microsecond) // its clock may be slower than ours
	}
	return mono.Instant(ntp.Time().UnixNano() - o.nanos)
}
