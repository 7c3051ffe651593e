package sfu

import (
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

	// Atomic.
	lastPacket      atomic.Int64             // mono.Instant
	keyframeWanted  atomic.Bool              // until a keyframe arrives
	keyframeAskedAt atomic.Int64             // mono.Instant of the last request
	plis, firs      atomic.Uint64            // requests sent
	clock           atomic.Pointer[rtpClock] // nil before the first sender report

	storeMu sync.Mutex
	store   *nack.Store // nil until a consumer may ask for packets

	// The rest is guarded by the transport's recvMu.
	unwrap      rtp.Unwrapper
	nack        *nack.Generator // nil where the sender does not retransmit
	firstSeq    int64
	highestSeq  int64
	transit     uint32 // of the last packet, clock units
	jitter      uint32 // 16 × clock units (RFC 3550 A.8)
	rate        bwe.RateMeter
	packets     uint64
	bytes       uint64
	repaired    uint64 // packets that came as RTX
	discarded   uint64 // duplicates
	nacks       uint64 // NACK messages sent
	nackedSeqs  uint64
	report      senderReport
	rtt         time.Duration
	lost        int64 // as of the last report
	fraction    uint8
	expectedWas int64 // at the last report
	receivedWas int64
}

// senderReport is the last report on a stream.
type senderReport struct {
	ntp     uint32       // its middle 32 bits
	arrived mono.Instant // 0: none yet
}

func newRecvStream(p *Producer, encoding int, ssrc uint32, info payloadCodec) *recvStream {
	s := &recvStream{producer: p, encoding: encoding, ssrc: ssrc, clockHz: info.clockHz, firstSeq: -1}
	if p.useNACK {
		s.nack = nack.NewGenerator(nack.GeneratorOptions{})
	}
	return s
}

// receive notes the arrival of a media packet and returns its extSeq. With
// recovered it came as RTX. It is false for what is already there.
func (s *recvStream) receive(now mono.Instant, h *rtp.Header, sizeBytes int, keyframe, recovered bool) (int64, bool) {
	extSeq := s.unwrap.Unwrap(h.Seq)
	if recovered {
		if s.nack == nil || !s.nack.Recovered(extSeq) {
			s.discarded++
			return 0, false
		}
		s.repaired++
	} else if s.nack != nil {
		s.nack.Receive(now, extSeq, keyframe)
	}
	if s.firstSeq < 0 || extSeq < s.firstSeq {
		s.firstSeq = extSeq
	}
	s.packets++
	s.bytes += uint64(sizeBytes)
	s.rate.Add(now, sizeBytes)
	if !recovered {
		s.noteTransit(now, h.Timestamp, extSeq)
	}
	s.highestSeq = max(s.highestSeq, extSeq)
	s.lastPacket.Store(int64(now))
	if keyframe {
		s.keyframeWanted.Store(false)
	}
	return extSeq, true
}

// noteTransit is the jitter estimate of RFC 3550 A.8. Packets out of order are
// left out: they say more of the path than of its delay.
func (s *recvStream) noteTransit(now mono.Instant, ts uint32, extSeq int64) {
	if extSeq < s.highestSeq {
		return
	}
	arrival := uint32(uint64(now) / 1000 * uint64(s.clockHz) / 1_000_000)
	transit := arrival - ts
	if s.packets > 1 {
		d := int32(transit - s.transit)
		if d < 0 {
			d = -d
		}
		s.jitter += uint32(d) - (s.jitter+8)>>4
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

const (
	// defaultKeyframeInterval is the least time between two requests for a
	// keyframe of one stream. Shorter: nine people who join at once cost the
	// sender nine keyframes; longer: the tenth waits for his picture.
	defaultKeyframeInterval = 300 * time.Millisecond
	// keyframeRetry is when a request that brought nothing is repeated: PLI
	// and keyframe are lost as other packets are.
	keyframeRetry = 500 * time.Millisecond
)

// requestKeyframe sends a request for a keyframe now, or leaves it to the
// clock if one was sent just before. The sender's receive lock is not needed.
func (s *recvStream) requestKeyframe(sc *scratch, now mono.Instant) {
	s.keyframeWanted.Store(true)
	asked := s.keyframeAskedAt.Load()
	due := mono.Instant(asked).Add(s.producer.keyframeInterval)
	if asked != 0 && now < due {
		s.producer.transport.wake(due)
		return
	}
	if !s.keyframeAskedAt.CompareAndSwap(asked, int64(now)) {
		return // another receiver was faster
	}
	s.producer.transport.wake(now.Add(keyframeRetry))
	sc.sendKeyframeRequest(s)
}

// repeatKeyframeRequest is requestKeyframe by the clock. It returns when it
// wants to be called again; 0 for never.
func (s *recvStream) repeatKeyframeRequest(sc *scratch, now mono.Instant) mono.Instant {
	if !s.keyframeWanted.Load() {
		return 0
	}
	due := mono.Instant(s.keyframeAskedAt.Load()).Add(max(keyframeRetry, s.producer.keyframeInterval))
	if now < due {
		return due
	}
	s.keyframeAskedAt.Store(int64(now))
	sc.sendKeyframeRequest(s)
	return now.Add(keyframeRetry)
}

// reportBlock is what we tell the sender about its stream (RFC 3550 §6.4.1).
func (s *recvStream) reportBlock(now mono.Instant) rtp.ReportBlock {
	b := rtp.ReportBlock{SSRC: s.ssrc, HighestSeq: uint32(s.highestSeq), Jitter: s.jitter >> 4}
	expected := s.highestSeq - s.firstSeq + 1
	received := int64(s.packets)
	s.lost = expected - received
	s.fraction = fractionLost(expected-s.expectedWas, received-s.receivedWas)
	s.expectedWas, s.receivedWas = expected, received
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
