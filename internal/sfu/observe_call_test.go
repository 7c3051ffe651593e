package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/rtp"
)

// The whole way, with sockets, DTLS and SRTP: what objects show, count and trace
// is what their peers have sent and got.
func TestARealCallIsShownCountedAndTraced(t *testing.T) {
	c := newCall(t)
	traces := make(chan Event, 64)
	defer c.router.Observe(func(e Event) {
		if _, ok := e.Data.(Trace); ok {
			traces <- e
		}
	})()
	c.producer.EnableTraceEvents([]string{"keyframe", "sr"})
	c.consumer.EnableTraceEvents([]string{"keyframe", "nack"})
	next := func() (Event, Trace) {
		t.Helper()
		select {
		case e := <-traces:
			return e, e.Data.(Trace)
		case <-time.After(patience):
			t.Fatal("nothing was traced")
			panic("unreachable")
		}
	}

	c.alice.sendRTP(videoPacket(1, 1000, true, true, 500))
	got := c.bob.nextRTP()
	in, inTrace := next()
	out, outTrace := next()
	if in.Producer != c.producer || inTrace.Direction != "in" || inTrace.Info.(PacketTrace).Packet.SSRC != videoSSRC ||
		out.Consumer != c.consumer || outTrace.Direction != "out" || outTrace.Info.(PacketTrace).Packet.SequenceNumber != got.header.SequenceNumber {
		t.Errorf("traced %+v, then %+v", inTrace, outTrace)
	}
	c.alice.sendRTCP(rtp.AppendSR(nil, rtp.SenderReport{SSRC: videoSSRC, RTPTime: 1000, PacketCount: 1, OctetCount: 500}, nil))
	if _, sr := next(); sr.Type != TraceSR || sr.Info.(SenderReportTrace).OctetCount != 500 {
		t.Errorf("traced %+v", sr)
	}
	c.bob.sendRTCP(rtp.AppendNACK(nil, 9, got.header.SSRC, []uint16{got.header.SequenceNumber}))
	if _, nack := next(); nack.Type != TraceNACK || nack.Direction != "in" {
		t.Errorf("traced %+v", nack)
	}
	c.bob.nextRTP() // again
	if _, again := next(); !again.Info.(PacketTrace).IsRTX {
		t.Errorf("traced %+v", again)
	}

	st := c.consumer.Stats()
	if st[0].PacketCount != 1 || st[0].PacketsRetransmitted != 1 || st[0].NACKCount != 1 || st[1].PacketCount != 1 || st[1].SSRC != videoSSRC {
		t.Errorf("%+v", st)
	}
	if in, out := c.alice.transport.Stats(), c.bob.transport.Stats(); in.RTPBytesReceived == 0 || in.DTLSState != "connected" || out.RTPBytesSent == 0 || out.RTXBytesSent == 0 || out.ProbationBytesSent != 0 {
		t.Errorf("alice %+v, bob %+v", in, out)
	}
	if d := c.producer.Dump(); len(d.RTPStreams) != 1 || d.RTPStreams[0].Params.SSRC != videoSSRC {
		t.Errorf("%+v", d)
	}
	d := c.bob.transport.Dump()
	if d.ICESelectedTuple == nil || d.DTLSRemoteCert == "" || !slices.Contains(d.ConsumersBySSRC, NumberPair{got.header.SSRC, c.consumer.ID()}) {
		t.Errorf("%+v", d)
	}
}
