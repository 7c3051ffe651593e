package sfu

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/tcp"
)

// feedbackSSRC is the sender of our feedback. We send no media of our own
// under it, which RFC 4585 §6.1 allows for.
const feedbackSSRC = 1

const (
	// reportInterval is how often reports go out. RFC 3550's 5 s is for
	// conferences by multicast; a second keeps round-trip times and the
	// mapping of clocks fresh at less than a packet per second and transport.
	reportInterval = time.Second
	// twccInterval: more often costs packets, less often makes a browser's
	// estimate sluggish.
	twccInterval = 100 * time.Millisecond
	// nackInterval is how often missing packets are looked at again.
	nackInterval = 20 * time.Millisecond

	rtcpHeaderSize = 8 // with the SSRC of the sender
)

// receiveRTCP takes in one SRTCP packet of t.
func (w *worker) receiveRTCP(t *Transport, b []byte) {
	t.recvMu.Lock()
	w.receiving = t
	w.receiveRTCPLocked(t, b)
	w.receiving = nil
	t.recvMu.Unlock()
}

// receiveRTCPLocked reports whether the packet was of t's peer.
func (w *worker) receiveRTCPLocked(t *Transport, b []byte) bool {
	t.recv.count(w.now, len(b))
	switch {
	case t.recv.inbound == nil && !t.recv.unprotected:
		w.drop(dropNoKeys)
		return false
	case len(b) < rtcpHeaderSize:
		w.drop(dropMalformed)
		return false
	}
	plain := b
	if !t.recv.unprotected {
		if plain = w.decryptRTCP(t, b); plain == nil {
			return false
		}
	}
	r := rtp.NewRTCPReader(plain)
	var p rtp.RTCPPacket
	for r.Next(&p) {
		w.applyRTCP(t, p)
	}
	if r.Err() != nil {
		w.drop(dropMalformed)
	}
	return r.Err() == nil
}

// decryptRTCP returns the compound in an SRTCP packet; nil if it is not of t's
// peer. t.recvMu is held.
func (w *worker) decryptRTCP(t *Transport, b []byte) []byte {
	_, known := t.recv.inbound.Index(binary.BigEndian.Uint32(b[4:]))
	if !known && t.recv.rtcpSSRCs >= maxSSRCs {
		w.drop(dropTooManyStreams)
		return nil
	}
	plain, err := t.recv.inbound.DecryptRTCP(b, b, &w.rtcpHeader)
	if err != nil {
		w.drop(dropDecrypt)
		return nil
	}
	if !known {
		t.recv.rtcpSSRCs++
	}
	return plain
}

// applyRTCP does what one packet of a compound asks for. t.recvMu is held.
func (w *worker) applyRTCP(t *Transport, p rtp.RTCPPacket) {
	switch p.Type {
	case rtp.TypeSR:
		w.applySenderReport(t, p)
		w.applyReportBlocks(t, p)
	case rtp.TypeRR:
		w.applyReportBlocks(t, p)
	case rtp.TypeRTPFB:
		switch p.Count {
		case rtp.FormatNACK:
			w.applyNACK(t, p)
		case rtp.FormatTransportCC:
			w.applyTransportFeedback(t, p)
		}
	case rtp.TypePSFB:
		if p.Count == rtp.FormatAFB {
			w.applyREMB(t, p)
		} else {
			w.applyKeyframeRequest(t, p)
		}
	case rtp.TypeXR:
		w.applyXR(t, p)
	case rtp.TypeBYE:
		w.applyBye(t, p)
	}
}

func (w *worker) applySenderReport(t *Transport, p rtp.RTCPPacket) {
	sr, ok := rtp.ParseSR(p)
	if !ok {
		return
	}
	at := t.recv.senderClock.note(sr.NTP, w.now)
	if s := t.recv.demux.streams[sr.SSRC]; s != nil {
		s.report = senderReport{ntp: sr.NTP.Mid32(), arrived: w.now}
		if s.producer.traces.has(traceSR) {
			s.producer.traceSenderReport(&w.scratch, sr)
		}
		s.clock.Store(&rtpClock{rtpTime: sr.RTPTime, at: at, clockHz: s.clockHz})
	}
}

func (w *worker) applyReportBlocks(t *Transport, p rtp.RTCPPacket) {
	for i := 0; ; i++ {
		b, ok := p.ReportBlock(i)
		if !ok {
			return
		}
		c := t.recv.sinks[b.SSRC]
		if c == nil || b.SSRC != c.ssrc {
			continue
		}
		c.received.fraction, c.received.jitter = b.FractionLost, b.Jitter
		c.loss.note(w.now, b.FractionLost)
		if rtt, ok := rtp.RoundTrip(rtp.ToNTP(w.now.Wall()), b.LastSR, b.DelaySinceLastSR); ok {
			c.received.rtt = rtt
		}
		c.noteLoss(w.now, b.TotalLost)
	}
}

// maxNACKed bounds what one feedback packet can make us send.
const maxNACKed = 256

func (w *worker) applyNACK(t *Transport, p rtp.RTCPPacket) {
	_, media, ok := p.FeedbackSSRCs()
	c := t.recv.sinks[media]
	if !ok || c == nil || media != c.ssrc || c.rtxSSRC == 0 {
		return
	}
	c.received.nacks++
	if c.traces.has(traceNACK) {
		c.trace(w.now, TraceNACK, "in", nil)
	}
	asked, gone := 0, false
	for i := 0; asked < maxNACKed; i++ {
		pid, blp, ok := p.NackPair(i)
		if !ok {
			break
		}
		for seq := pid; ; seq++ {
			gone = w.retransmit(c, seq) || gone
			asked++
			for blp != 0 && blp&1 == 0 {
				blp >>= 1
				seq++
			}
			if blp == 0 {
				break
			}
			blp >>= 1
		}
	}
	c.received.nackedSeqs += uint64(asked)
	if gone {
		// After an outage a browser goes on asking for a second or more before
		// it asks for the keyframe that it needs.
		w.passKeyframeRequest(c)
	}
}

func (w *worker) applyKeyframeRequest(t *Transport, p rtp.RTCPPacket) {
	switch p.Count {
	case rtp.FormatPLI:
		_, media, ok := p.FeedbackSSRCs()
		if c := t.recv.sinks[media]; ok && c != nil {
			c.received.plis++
			if c.traces.has(tracePLI) {
				c.trace(w.now, TracePLI, "in", SSRCTrace{media})
			}
			w.passKeyframeRequest(c)
		}
	case rtp.FormatFIR:
		for i := 0; ; i++ {
			media, _, ok := p.FIREntry(i)
			if !ok {
				return
			}
			if c := t.recv.sinks[media]; c != nil {
				c.received.firs++
				if c.traces.has(traceFIR) {
					c.trace(w.now, TraceFIR, "in", SSRCTrace{media})
				}
				w.passKeyframeRequest(c)
			}
		}
	}
}

// passKeyframeRequest asks the sender for what a receiver has asked for. What
// is too much is left out; who needs it will ask again. Behind another router are
// many receivers, and it is the one to see to that.
func (w *worker) passKeyframeRequest(c *Consumer) {
	relayed := c.pipe != nil && c.pipe.router
	if c.active.Load() && (relayed || c.received.keyframes.take(w.now)) {
		w.requestKeyframe(c)
	}
}

// applyXR notes a receiver's clock, to be told in DLRR how long its way takes,
// and takes the round-trip times that senders tell us (RFC 3611 §4.4, §4.5).
func (w *worker) applyXR(t *Transport, p rtp.RTCPPacket) {
	sender, ok := p.SenderSSRC()
	if !ok {
		return
	}
	blocks := p.XRBlocks()
	var x rtp.XRBlock
	for blocks.Next(&x) {
		if ntp, ok := x.RRTR(); ok {
			t.recv.reference = receiverReference{ssrc: sender, ntp: ntp.Mid32(), arrived: w.now}
		}
		for i := 0; ; i++ {
			r, ok := x.DLRR(i)
			if !ok {
				break
			}
			if rtt, ok := rtp.RoundTrip(rtp.ToNTP(w.now.Wall()), r.LastRR, r.Delay); ok && r.SSRC == feedbackSSRC {
				if s := t.recv.demux.streams[sender]; s != nil {
					s.rtt = rtt
				}
				t.recv.rtt = rtt
			}
		}
	}
}

// applyBye ends a stream as its sender has (RFC 3550 §6.6). The producer stays:
// a browser ends and begins streams as its track changes.
func (w *worker) applyBye(t *Transport, p rtp.RTCPPacket) {
	for i := 0; ; i++ {
		ssrc, ok := p.ByeSSRC(i)
		if !ok {
			return
		}
		if s := t.recv.demux.streams[ssrc]; s != nil {
			t.recv.demux.end(s)
			s.producer.publishLive(w.now)
		}
	}
}

// receiverReference is the last receiver reference time report (RRTR).
type receiverReference struct {
	ssrc    uint32
	ntp     uint32
	arrived mono.Instant // 0: none
}

// requestMissing asks s's sender for what is missing, at the end of the batch
// that may have shown a gap.
func (w *worker) requestMissing(s *recvStream) {
	if s.nack == nil {
		return
	}
	t := s.producer.transport
	t.recvMu.Lock()
	w.receiving = t
	w.requestMissingLocked(t, s)
	w.receiving = nil
	t.recvMu.Unlock()
}

// requestMissingLocked sends a NACK for what is due. t.recvMu is held.
func (sc *scratch) requestMissingLocked(t *Transport, s *recvStream) {
	if s.nack == nil {
		return
	}
	keyframe := s.nack.KeyframeNeeded()
	if !keyframe && !s.nack.Pending() {
		return
	}
	if !s.wanted() {
		s.nack.GiveUp()
		return
	}
	if keyframe {
		s.requestKeyframe(sc, sc.now)
	}
	if !s.nack.Pending() {
		return
	}
	seqs := s.nack.Due(sc.now, max(s.rtt, t.recv.rtt), sc.seqs[:0])
	if len(seqs) > 0 {
		s.nacks++
		s.nackedSeqs += uint64(len(seqs))
		sc.sendRTCP(t, rtp.AppendNACK(sc.rtcp[:0], feedbackSSRC, s.ssrc, seqs))
		if s.producer.traces.has(traceNACK) {
			s.producer.trace(sc.now, TraceNACK, "out", nil)
		}
	}
	t.wake(sc.now.Add(nackInterval))
}

// sendKeyframeRequest sends a PLI (RFC 4585 §6.3.1), or a FIR (RFC 5104
// §4.3.1) to a sender that knows only that.
func (sc *scratch) sendKeyframeRequest(s *recvStream) {
	p := s.producer
	switch {
	case p.usePLI:
		s.plis.Add(1)
		if p.traces.has(tracePLI) {
			p.trace(sc.now, TracePLI, "out", SSRCTrace{s.ssrc})
		}
		sc.sendRTCP(p.transport, rtp.AppendPLI(sc.rtcp[:0], feedbackSSRC, s.ssrc))
	case p.useFIR:
		seq := s.firs.Add(1)
		if p.traces.has(traceFIR) {
			p.trace(sc.now, TraceFIR, "out", SSRCTrace{s.ssrc})
		}
		sc.sendRTCP(p.transport, rtp.AppendFIR(sc.rtcp[:0], feedbackSSRC, s.ssrc, uint8(seq)))
	}
}

// removeStream ends the sending of c and tells its receiver.
func (sc *scratch) removeStream(t *Transport, c *Consumer) {
	t.sendMu.Lock()
	defer t.sendMu.Unlock()
	c.active.Store(false)
	t.send.streams = slices.DeleteFunc(t.send.streams, func(other *Consumer) bool { return other == c })
	if c.rewrite.started {
		sc.sendRTCPLocked(t, rtp.AppendBYE(sc.rtcp[:0], c.ssrcs()))
	}
}

// sendRTCP encrypts and sends one compound packet.
func (sc *scratch) sendRTCP(t *Transport, compound []byte) {
	t.sendMu.Lock()
	sc.sending = t
	sc.sendRTCPLocked(t, compound)
	sc.sending = nil
	t.sendMu.Unlock()
}

// sendRTCPLocked is sendRTCP with t.sendMu held.
func (sc *scratch) sendRTCPLocked(t *Transport, compound []byte) {
	if !t.canSendLocked() || t.send.rtcp == nil {
		return
	}
	out := compound
	if t.send.outbound != nil {
		var err error
		if out, err = t.send.outbound.EncryptRTCP(sc.srtcp[:0], compound, &sc.rtcpHeader); err != nil {
			sc.drop(dropEncrypt)
			return
		}
	}
	t.send.count(sc.now, len(out), 1)
	if t.send.direct != nil {
		t.send.direct.put(sc, out, true)
		return
	}
	sc.send(t.send.rtcp, out, len(out), tcp.Vital)
}
