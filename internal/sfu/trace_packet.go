package sfu

import (
	"cmp"

	"github.com/takoserver/takos-call/internal/rtp"
)

// What is traced. Each is called only if somebody has asked for it.

// traceReceived tells of the packet in w.header, of s. With repaired it came as
// RTX.
func (w *worker) traceReceived(s *recvStream, f *frameInfo, sizeBytes, payloadBytes int, repaired bool) {
	h := &w.header
	p := TracedPacket{
		PayloadType: h.PayloadType, SequenceNumber: h.Seq, Timestamp: h.Timestamp, Marker: h.Marker, SSRC: h.SSRC,
		IsKeyframe: f.Keyframe, Size: sizeBytes, PayloadSize: payloadBytes, SpatialLayer: f.Spatial, TemporalLayer: f.Temporal,
		MID: w.ext.text(extMID), RID: w.ext.text(extRID), RepairedRID: w.ext.text(extRepairedRID),
	}
	if seq := w.ext.get(extTransportCC); len(seq) >= 2 {
		p.WideSequenceNumber = new(uint16(seq[0])<<8 | uint16(seq[1]))
	}
	if what, ok := s.producer.traces.ofPacket(f.Keyframe); ok {
		s.producer.trace(w.now, what, "in", PacketTrace{p, repaired})
	}
}

// text is the data of x as a string; nil if the packet has none.
func (e *elements) text(x extension) *string {
	if data := e.get(x); len(data) > 0 {
		return new(string(data))
	}
	return nil
}

// ofPacket is as what a packet is traced, if at all.
func (s *traceSet) ofPacket(keyframe bool) (what TraceType, ok bool) {
	if keyframe && s.has(traceKeyframe) {
		return TraceKeyframe, true
	}
	return TraceRTP, s.has(traceRTP)
}

// traceSent tells of what was made of p in the form f. sendMu is held.
func (sc *scratch) traceSent(c *Consumer, p *packet, f *form, sizeBytes int, rtx bool) {
	what, ok := c.traces.ofPacket(p.frame.Keyframe)
	if !ok {
		return
	}
	t := TracedPacket{
		PayloadType: f.pt, SequenceNumber: f.seq, Timestamp: f.ts, Marker: f.marker, SSRC: f.ssrc,
		IsKeyframe: p.frame.Keyframe, Size: sizeBytes, PayloadSize: p.payloadLen,
		SpatialLayer: p.frame.Spatial, TemporalLayer: p.frame.Temporal,
	}
	if f.empty {
		t.PayloadSize = p.prefix
	}
	if c.extensions[extMID] != 0 && len(c.mid) > 0 {
		t.MID = new(string(c.mid))
	}
	if c.extensions[extTransportCC] != 0 {
		t.WideSequenceNumber = new(c.transport.send.twccSeq)
	}
	c.trace(sc.now, what, "out", PacketTrace{t, rtx})
}

func (p *Producer) traceSenderReport(sc *scratch, sr rtp.SenderReport) {
	p.trace(sc.now, TraceSR, "in", SenderReportTrace{
		SSRC: sr.SSRC, NTPSeconds: uint32(sr.NTP >> 32), NTPFraction: uint32(sr.NTP), RTPTime: sr.RTPTime,
		PacketCount: sr.PacketCount, OctetCount: sr.OctetCount,
	})
}

// traceBandwidth tells of b if it has changed. sendMu is held.
func (sc *scratch) traceBandwidth(t *Transport, b *bandwidth) {
	limits := t.send.limits.estimatorOptions()
	wanted := max(b.allocation.Wanted, b.allocation.Used)
	now := BWETrace{
		Type:    "remb",
		Desired: uint64(b.allocation.Wanted), EffectiveDesired: uint64(b.allocation.Wanted),
		Min: uint64(cmp.Or(limits.Min, defaultLeast)), Max: uint64(limits.Max), Start: uint64(limits.Start),
		MaxPadding: uint64(wanted - b.allocation.Used),
		Available:  uint64(b.estimator.Estimate()),
	}
	if b.numbered(t) {
		now.Type = "transport-cc"
	}
	if now != b.traced {
		b.traced = now
		t.trace(sc.now, TraceBWE, "out", now)
	}
}
