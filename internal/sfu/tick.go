package sfu

import (
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// tick does what is due by time on t: consent, NACKs, feedback, reports.
func (sc *scratch) tick(t *Transport, now mono.Instant) {
	defer sc.recoverPanic()
	sc.now = now
	// From here on wake may only make it sooner.
	t.nextTick.Store(int64(now.Add(reportInterval)))
	t.recvMu.Lock()
	sc.receiving = t
	if t.ended.Load() {
		sc.receiving = nil
		t.recvMu.Unlock()
		return
	}
	t.kind.tickLocked(sc)
	sc.tickStreams(t)
	sc.tickCongestion(t)
	due := now >= t.recv.reportDue
	if due {
		t.recv.reportDue = now.Add(reportInterval)
		sc.sendReceiverReports(t)
		for _, p := range t.recv.demux.producers {
			p.updateScores(now)
		}
	}
	t.wake(t.recv.reportDue)
	clocks := t.recv.reference
	sc.receiving = nil
	t.recvMu.Unlock()
	if due {
		sc.sendSenderReports(t, clocks)
	}
	sc.tickBandwidth(t)
}

// tickStreams repeats requests for what is missing and notes which encodings
// still arrive.
func (sc *scratch) tickStreams(t *Transport) {
	for _, p := range t.recv.demux.producers {
		for i := range p.encodings {
			s := p.encodings[i].stream
			if s == nil {
				continue
			}
			sc.requestMissingLocked(t, s)
			s.repeatKeyframeRequest(sc, sc.now)
		}
		if p.kind == ortc.Video {
			p.measureRates(sc.now)
			t.wake(p.rates.due)
			p.tickWanted(sc.now)
		}
		if len(p.encodings) > 1 {
			p.publishLive(sc.now)
			t.wake(sc.now.Add(encodingSilence / 4))
		}
	}
}

// tickCongestion sends transport-wide feedback.
func (sc *scratch) tickCongestion(t *Transport) {
	if t.recv.twccDue == 0 {
		return
	}
	if sc.now < t.recv.twccDue {
		t.wake(t.recv.twccDue)
		return
	}
	for t.recv.twcc.Pending() {
		feedback := t.recv.twcc.AppendFeedback(sc.rtcp[:0], feedbackSSRC, t.recv.twccSSRC, maxRTCP)
		if len(feedback) == 0 {
			break
		}
		sc.sendRTCP(t, feedback)
	}
	t.recv.twccDue = 0 // until the next packet
}

// maxReportBlocks is as many as one report holds (RFC 3550 §6.4.2).
const maxReportBlocks = 31

// sendReceiverReports tells the sender how its streams arrive: RR, the clock
// for round-trip times (XR RRTR), and REMB where it needs or is to have one.
func (sc *scratch) sendReceiverReports(t *Transport) {
	var blocks [maxReportBlocks]rtp.ReportBlock
	n, lost, expected := 0, int64(0), int64(0)
	for _, s := range t.recv.demux.streams {
		if s.rtx {
			continue
		}
		if n == len(blocks) {
			sc.sendRTCP(t, rtp.AppendRR(sc.rtcp[:0], feedbackSSRC, blocks[:]))
			n = 0
		}
		expectedWas, lostWas := s.expectedWas, s.lost
		blocks[n] = s.reportBlock(sc.now)
		if s.producer.useFEC {
			blocks[n].FractionLost = max(s.fraction, s.producer.listenersLoss(sc.now))
		}
		expected += s.expectedWas - expectedWas
		lost += s.lost - lostWas
		n++
	}
	if n == 0 {
		return
	}
	t.recv.loss.note(lost, expected)
	if e := t.recv.estimator; e != nil {
		e.ReportLoss(int(max(lost, 0)), int(expected))
		e.SetRoundTrip(t.recv.rtt)
	}
	b := rtp.AppendRR(sc.rtcp[:0], feedbackSSRC, blocks[:n])
	b = rtp.AppendXRRRTR(b, feedbackSSRC, rtp.ToNTP(sc.now.Wall()))
	if bitrate, ok := sc.askedBitrate(t); ok {
		b = rtp.AppendREMB(b, feedbackSSRC, bitrate, sc.remoteSSRCs(t))
	}
	sc.sendRTCP(t, b)
}

// liftREMBReports is how many reports tell a sender that its limit is gone,
// since one may be lost.
const liftREMBReports = 4

// askedBitrate is what the sender is asked not to exceed, if anything; 0 takes
// an earlier limit back, as libwebrtc understands it.
func (sc *scratch) askedBitrate(t *Transport) (bitsPerSecond uint64, ok bool) {
	limit := uint64(t.recv.maxIncoming)
	if t.recv.estimator != nil {
		if estimate, ok := t.recv.estimator.Estimate(sc.now); ok && (limit == 0 || uint64(estimate) < limit) {
			return uint64(estimate), true
		}
	}
	if limit == 0 && t.recv.liftREMB > 0 {
		t.recv.liftREMB--
		return 0, true
	}
	return limit, limit > 0
}

// remoteSSRCs are the streams that a REMB names: not more than a report does,
// to keep the compound below a path's MTU. Senders take it for all they send.
func (sc *scratch) remoteSSRCs(t *Transport) []uint32 {
	ssrcs := make([]uint32, 0, maxReportBlocks)
	for ssrc, s := range t.recv.demux.streams {
		if !s.rtx && len(ssrcs) < maxReportBlocks {
			ssrcs = append(ssrcs, ssrc)
		}
	}
	return ssrcs
}

// sendSenderReports tells the receiver which RTP time is which time of day in
// each stream, whose they are, and how long its last RRTR has been here.
func (sc *scratch) sendSenderReports(t *Transport, reference receiverReference) {
	t.sendMu.Lock()
	sc.sending = t
	b := sc.rtcp[:0]
	for _, c := range t.send.streams {
		if !c.rewrite.started || !c.active.Load() {
			continue // who sends nothing has nothing to report
		}
		b = rtp.AppendSR(b, c.senderReport(sc.now), nil)
		b = rtp.AppendSDES(b, c.ssrc, c.params.RTCP.CNAME)
		if reference.arrived != 0 {
			b = rtp.AppendXRDLRR(b, c.ssrc, []rtp.DLRRReport{{
				SSRC: reference.ssrc, LastRR: reference.ntp,
				Delay: rtp.CompactDuration(sc.now.Sub(reference.arrived)),
			}})
		}
		if len(b) > maxRTCP-reportRoom {
			sc.sendRTCPLocked(t, b)
			b = sc.rtcp[:0]
		}
	}
	if len(b) > 0 {
		sc.sendRTCPLocked(t, b)
	}
	sc.sending = nil
	t.sendMu.Unlock()
}

// reportRoom is the most that SR, SDES (its CNAME is at most 255 bytes) and
// DLRR of one stream take.
const reportRoom = 28 + 4 + 4 + 2 + 256 + 24

// senderReport is made from the sender's own clock where it has told us, so
// that the streams of one peer are played in sync; until then from the last
// packet. The lock of the transport's sendMu is held.
func (c *Consumer) senderReport(now mono.Instant) rtp.SenderReport {
	ts := c.rewrite.ts + rtpUnits(now.Sub(c.rewrite.sentAt), c.clockHz)
	if clock := c.rewrite.stream.clock.Load(); clock != nil {
		ts = clock.time(now) + c.rewrite.tsOffset
	}
	return rtp.SenderReport{
		SSRC: c.ssrc, NTP: rtp.ToNTP(now.Wall()), RTPTime: ts,
		PacketCount: uint32(c.sent.packets), OctetCount: uint32(c.sent.payloadBytes),
	}
}
