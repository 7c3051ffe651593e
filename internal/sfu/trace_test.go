package sfu

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

// traced is the traces of a router, each as "object type direction".
type traced struct {
	lines []string
	infos []any
}

// traceRouter begins to observe r's router. Traces are told on the event
// goroutine: r is to settle before they are looked at.
func traceRouter(r *rig) *traced {
	n := &traced{}
	stop := r.router.Observe(func(e Event) {
		if trace, ok := e.Data.(Trace); ok {
			object, _, _ := strings.Cut(string(e.Type), ".")
			n.lines = append(n.lines, fmt.Sprintf("%s %s %s", object, trace.Type, trace.Direction))
			n.infos = append(n.infos, trace.Info)
		}
	})
	r.tb.Cleanup(stop)
	return n
}

func (n *traced) want(t *testing.T, want ...string) (infos []any) {
	t.Helper()
	if !slices.Equal(n.lines, want) {
		t.Fatalf("traced %q, want %q", n.lines, want)
	}
	infos = n.infos
	n.lines, n.infos = nil, nil
	return infos
}

func TestPacketsAreTracedAtBothEnds(t *testing.T) {
	c := newRigCall(t)
	n := traceRouter(c.rig)
	send := func(p ...string) {
		c.producer.EnableTraceEvents(p)
		c.consumer.EnableTraceEvents(p)
	}
	keyframe := videoPacket(7, 1000, true, true, 300)
	setExtensions(t, keyframe, map[uint8][]byte{9: []byte("0"), 3: {1, 2}})

	c.alice.sendRTP(videoPacket(6, 0, true, true, 300))
	send("rtp", "keyframe", "FOO", "sr")
	c.alice.sendRTP(keyframe)
	c.settle()
	infos := n.want(t, "producer keyframe in", "consumer keyframe out")
	in, out := infos[0].(PacketTrace), infos[1].(PacketTrace)
	if p := in.Packet; p.SSRC != videoSSRC || p.SequenceNumber != 7 || p.Timestamp != 1000 || !p.Marker || !p.IsKeyframe ||
		p.PayloadType != videoPT || p.PayloadSize != 300 || p.Size != keyframe.MarshalSize() || *p.MID != "0" ||
		p.RID != nil || *p.WideSequenceNumber != 0x0102 || in.IsRTX {
		t.Errorf("came in as %+v", in)
	}
	got := c.bob.take().rtp
	sent := got[len(got)-1]
	if p := out.Packet; p.SSRC != sent.header.SSRC || p.SequenceNumber != sent.header.SequenceNumber || p.Timestamp != sent.header.Timestamp ||
		p.PayloadType != sent.header.PayloadType || p.Size != sent.size || p.PayloadSize != len(sent.payload) || *p.MID != string(c.consumer.mid) ||
		p.WideSequenceNumber == nil || out.IsRTX {
		t.Errorf("went out as %+v, but is %+v of %d bytes", out, sent.header, sent.size)
	}

	c.alice.sendRTP(videoPacket(8, 2000, true, false, 200))
	c.settle()
	n.want(t, "producer rtp in", "consumer rtp out")
	c.bob.sendRTCP(rtp.AppendNACK(nil, 9, c.consumer.ssrc, []uint16{sent.header.SequenceNumber}))
	c.settle()
	if again := n.want(t, "consumer keyframe out")[0].(PacketTrace); !again.IsRTX || again.Packet.SSRC != c.consumer.rtxSSRC {
		t.Errorf("sent again as %+v", again)
	}
	send("keyframe")
	c.alice.sendRTP(videoPacket(9, 3000, true, false, 200))
	send()
	c.alice.sendRTP(videoPacket(10, 4000, true, true, 200))
	c.settle()
	n.want(t)
}

func TestRepairedPacketsAreTracedAsRTX(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100), videoPacket(3, 0, true, false, 100))
	n := traceRouter(c.rig)
	c.producer.EnableTraceEvents([]string{"rtp"})
	repair := videoPacket(77, 0, true, false, 100)
	repair.SSRC, repair.PayloadType, repair.Payload = videoRTXSSRC, videoRTXPT, append([]byte{0, 2}, repair.Payload...)
	c.alice.sendRTP(repair)
	c.settle()
	if info := n.want(t, "producer rtp in")[0].(PacketTrace); !info.IsRTX || info.Packet.SequenceNumber != 2 || info.Packet.SSRC != videoSSRC {
		t.Errorf("traced %+v", info)
	}
}

func TestRequestsAndReportsAreTraced(t *testing.T) {
	c := newRigCall(t)
	n := traceRouter(c.rig)
	types := []string{"nack", "pli", "fir", "sr"}
	c.producer.EnableTraceEvents(types)
	c.consumer.EnableTraceEvents(types)
	c.alice.sendRTP(videoPacket(1, 0, true, false, 100)) // no keyframe: it is asked for
	c.settle()
	if info := n.want(t, "producer pli out")[0]; info != (SSRCTrace{videoSSRC}) {
		t.Errorf("asked of %+v", info)
	}
	c.alice.sendRTP(videoPacket(2, 0, true, true, 100), videoPacket(4, 0, true, false, 100))
	c.settle()
	n.want(t, "producer nack out")

	c.bob.sendRTCP(rtp.AppendNACK(nil, 9, c.consumer.ssrc, []uint16{1}))
	c.bob.sendRTCP(rtp.AppendFIR(nil, 9, c.consumer.ssrc, 1))
	c.settle()
	if info := n.want(t, "consumer nack in", "consumer fir in")[1]; info != (SSRCTrace{c.consumer.ssrc}) {
		t.Errorf("asked of %+v", info)
	}
	c.alice.sendRTP(videoPacket(5, 0, true, true, 100))
	c.advance(time.Second)
	n.lines, n.infos = nil, nil
	c.bob.sendRTCP(rtp.AppendPLI(nil, 9, c.consumer.ssrc))
	c.settle()
	n.want(t, "consumer pli in", "producer pli out")
	c.alice.sendRTCP(rtp.AppendSR(nil, rtp.SenderReport{SSRC: videoSSRC, NTP: 5<<32 | 6, RTPTime: 7, PacketCount: 8, OctetCount: 9}, nil))
	c.settle()
	want := SenderReportTrace{SSRC: videoSSRC, NTPSeconds: 5, NTPFraction: 6, RTPTime: 7, PacketCount: 8, OctetCount: 9}
	if info := n.want(t, "producer sr in")[0]; info != want {
		t.Errorf("reported %+v, want %+v", info, want)
	}
}

func TestSendersThatKnowOnlyFIRAreTraced(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	params := videoParameters()
	params.Codecs[0].RTCPFeedback = []ortc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}}
	p := alice.produce(ortc.Video, params)
	bob.consume(p)
	n := traceRouter(r)
	p.EnableTraceEvents([]string{"fir", "pli"})
	alice.sendRTP(videoPacket(1, 0, true, false, 100))
	r.settle()
	if info := n.want(t, "producer fir out")[0]; info != (SSRCTrace{videoSSRC}) {
		t.Errorf("asked of %+v", info)
	}
}

func TestBandwidthAndProbationAreTraced(t *testing.T) {
	s := newLines(t, 3*bwe.MegabitPerSecond)
	n := traceRouter(s.rig)
	bob := s.bobs[0].transport
	check(t, bob.SetMaxOutgoingBitrate(5*bwe.MegabitPerSecond))
	bob.EnableTraceEvents([]string{"probation", "bwe", "rtp"})
	if got := bob.Dump().TraceEventTypes; !slices.Equal(got, []TraceType{TraceProbation, TraceBWE}) {
		t.Errorf("traces %q", got)
	}
	s.run(10 * time.Second)
	counts := map[string]int{}
	var last BWETrace
	for i, line := range n.lines {
		counts[line]++
		if info, ok := n.infos[i].(BWETrace); ok {
			last = info
		}
	}
	if counts["transport bwe out"] == 0 || counts["transport probation out"] == 0 || len(counts) != 2 {
		t.Errorf("traced %v", counts)
	}
	stats := bob.Stats()
	if stats.ProbationBytesSent == 0 || stats.RTXBytesSent != 0 || stats.BytesSent < stats.ProbationBytesSent+stats.RTPBytesSent {
		t.Errorf("probation of %d bytes, %d of RTX that nobody asked for, %d in all", stats.ProbationBytesSent, stats.RTXBytesSent, stats.BytesSent)
	}
	if last.Type != "transport-cc" || last.Available != stats.AvailableOutgoingBitrate || last.Max != 5_000_000 ||
		last.Min != 30_000 || last.Start != 300_000 || !between(last.Desired, 1_350_000) || last.MaxPadding > last.Desired {
		t.Errorf("the estimate is traced as %+v, and is %d", last, stats.AvailableOutgoingBitrate)
	}
}

func TestTracesThatNobodyTakesAreBounded(t *testing.T) {
	c := newRigCall(t)
	c.consumer.Close()
	c.settle()
	enter, leave, told := make(chan struct{}, 1), make(chan struct{}), 0
	defer c.router.Observe(func(Event) {
		select {
		case enter <- struct{}{}:
			<-leave
		default:
		}
		told++
	})()
	c.producer.EnableTraceEvents([]string{"rtp"})
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	for len(enter) == 0 { // until the first is being told
		time.Sleep(time.Millisecond)
	}
	for i := range 2 * maxTraces {
		c.alice.sendRTP(videoPacket(uint16(2+i), 0, true, false, 100))
	}
	close(leave)
	c.settle()
	if told != 1+maxTraces {
		t.Errorf("%d traces were told", told)
	}
	c.alice.sendRTP(videoPacket(5000, 0, true, false, 100))
	c.settle()
	if told != 2+maxTraces {
		t.Error("no traces after too many")
	}
}

func TestTracesOfNobodyCostNothing(t *testing.T) {
	c := newRigCall(t)
	c.producer.EnableTraceEvents([]string{"rtp"})
	c.consumer.EnableTraceEvents([]string{"rtp"})
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	if n := c.router.traces.Load(); n != 0 {
		t.Errorf("%d traces wait for nobody", n)
	}
	c.producer.EnableTraceEvents(nil)
	c.consumer.EnableTraceEvents(nil)
	const runs = 100
	batches := make([][]udp.Datagram, runs+1)
	for i := range batches {
		batches[i] = []udp.Datagram{{Data: c.alice.protect(videoPacket(uint16(2+i), 0, true, false, 100)), Path: c.alice.path}}
	}
	next := 0
	if n := testing.AllocsPerRun(runs, func() {
		c.worker.takeBatch(c.now, batches[next])
		next++
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func TestTracesHaveMediasoupsNames(t *testing.T) {
	got, err := json.Marshal(Trace{Type: TraceNACK, Timestamp: 1, Direction: "in", Info: struct{}{}})
	check(t, err)
	if want := `{"type":"nack","timestamp":1,"direction":"in","info":{}}`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	checkFields(t, PacketTrace{}, "rtpPacket", "isRtx")
	checkFields(t, TracedPacket{}, "payloadType", "sequenceNumber", "timestamp", "marker", "ssrc", "isKeyFrame", "size", "payloadSize",
		"spatialLayer", "temporalLayer", "mid", "rid", "rrid", "wideSequenceNumber")
	checkFields(t, SenderReportTrace{}, "ssrc", "ntpSec", "ntpFrac", "rtpTs", "packetCount", "octetCount")
	checkFields(t, BWETrace{}, "bweType", "desiredBitrate", "effectiveDesiredBitrate", "minBitrate", "maxBitrate", "startBitrate",
		"maxPaddingBitrate", "availableBitrate")
}
