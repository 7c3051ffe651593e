package sfu

import (
	"fmt"
	"slices"
	"testing"
	"time"

	pionrtcp "github.com/pion/rtcp"
	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// about reports whether got is within tolerance of want.
func about(got, want, tolerance time.Duration) bool { return (got - want).Abs() <= tolerance }

func TestReceiverGetsSenderReports(t *testing.T) {
	c := newRigCall(t)
	ntp := rtp.ToNTP(c.now.Wall())
	for i := range 5 {
		c.alice.sendRTP(videoPacket(uint16(i), uint32(i)*3000, true, i == 0, 100+i))
		c.advance(33 * time.Millisecond)
	}
	// Alice's clock: the first frame was of her wall clock's ntp, sent just now.
	c.alice.sendRTCP(rtp.AppendSR(nil, rtp.SenderReport{SSRC: videoSSRC, NTP: ntp, RTPTime: 0}, nil))
	reported := c.now
	c.advance(reportInterval)
	got := c.bob.take()
	var reports []rtp.SenderReport
	for _, p := range got.rtcp {
		if sr, ok := rtp.ParseSR(p); ok {
			reports = append(reports, sr)
		}
	}
	if len(reports) != 1 {
		t.Fatalf("%d sender reports in a second, want 1", len(reports))
	}
	sr := reports[0]
	if sr.SSRC != c.consumer.ssrc || sr.PacketCount != 5 || sr.OctetCount != 100+101+102+103+104 {
		t.Errorf("reported %+v", sr)
	}
	at := sr.NTP.Time().Sub(reported.Wall()) // of the report, after Alice's
	if ts := time.Duration(sr.RTPTime) * time.Second / 90000; at <= 0 || !about(ts, at, time.Millisecond) {
		t.Errorf("RTP time %v at %v after the sender's own report", ts, at)
	}
	for _, compound := range got.raw {
		if first := splitRTCP(t, compound)[0]; first.Type == rtp.TypeSDES {
			t.Error("a compound begins with SDES")
		}
	}
	if cnames := cnamesOf(t, got); !slices.Equal(cnames, []string{fmt.Sprintf("%d=alice", c.consumer.ssrc)}) {
		t.Errorf("CNAMEs %v", cnames)
	}
}

// cnamesOf lists the source descriptions as SSRC=CNAME.
func cnamesOf(t *testing.T, got taken) (list []string) {
	t.Helper()
	for _, compound := range got.raw {
		packets, err := pionrtcp.Unmarshal(compound)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range packets {
			if d, ok := p.(*pionrtcp.SourceDescription); ok {
				for _, chunk := range d.Chunks {
					list = append(list, fmt.Sprintf("%d=%s", chunk.Source, chunk.Items[0].Text))
				}
			}
		}
	}
	return list
}

func TestWhoIsSentNothingGetsNoSenderReport(t *testing.T) {
	c := newRigCall(t)
	c.advance(3 * time.Second)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.consumer.Pause()
	c.bob.take()
	c.advance(3 * time.Second)
	if got := c.bob.take(); len(got.rtcp) != 0 {
		t.Errorf("%d RTCP packets about nothing", len(got.rtcp))
	}
}

func TestAudioAndVideoOfAPeerShareOneClock(t *testing.T) {
	c := newRigCall(t)
	voice := c.bob.consume(c.alice.produce(ortc.Audio, audioParameters()))
	if a, v := voice.RTPParameters().RTCP.CNAME, c.consumer.RTPParameters().RTCP.CNAME; a != v || a != "alice" {
		t.Errorf("CNAMEs %q and %q", a, v)
	}
	// Both were captured at the same time; the report on video is 80 ms late.
	captured := c.now
	c.alice.sendRTP(videoPacket(1, 90_000, true, true, 100), audioPacket(1, 48_000, 50))
	ntp := rtp.ToNTP(captured.Wall())
	c.alice.sendRTCP(rtp.AppendSR(nil, rtp.SenderReport{SSRC: audioSSRC, NTP: ntp, RTPTime: 48_000}, nil))
	c.advance(80 * time.Millisecond)
	c.alice.sendRTCP(rtp.AppendSR(nil, rtp.SenderReport{SSRC: videoSSRC, NTP: ntp, RTPTime: 90_000}, nil))
	c.advance(reportInterval)
	since := map[uint32]time.Duration{}
	for _, p := range c.bob.take().rtcp {
		if sr, ok := rtp.ParseSR(p); ok {
			hz := map[uint32]uint32{voice.ssrc: 48_000, c.consumer.ssrc: 90_000}[sr.SSRC]
			// The wall-clock time at which the report says the capture was.
			since[sr.SSRC] = sr.NTP.Time().Add(-time.Duration(sr.RTPTime-hz) * time.Second / time.Duration(hz)).Sub(captured.Wall())
		}
	}
	if a, v := since[voice.ssrc], since[c.consumer.ssrc]; len(since) != 2 || !about(a, v, time.Millisecond) {
		t.Errorf("captured %v and %v after they were", a, v)
	}
}

func TestReceiverReportsGiveLossAndRoundTrip(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.advance(reportInterval)
	var sr rtp.SenderReport
	for _, p := range c.bob.take().only(rtp.TypeSR, 0) {
		sr, _ = rtp.ParseSR(p)
	}
	sent := c.now
	c.advance(70 * time.Millisecond) // 40 ms there, 10 ms held, 20 ms back
	block := rtp.ReportBlock{
		SSRC: c.consumer.ssrc, FractionLost: 64, TotalLost: 12, LastSR: sr.NTP.Mid32(),
		DelaySinceLastSR: rtp.CompactDuration(10 * time.Millisecond),
	}
	foreign := rtp.ReportBlock{SSRC: 1, FractionLost: 255}
	c.bob.sendRTCP(rtp.AppendRR(nil, 77, []rtp.ReportBlock{foreign, block}))
	st := c.consumer.Stats()[0]
	want := c.now.Wall().Sub(sr.NTP.Time()) - 10*time.Millisecond
	if rtt := time.Duration(st.RoundTripTime * float64(time.Millisecond)); !about(rtt, want, time.Millisecond) || !about(rtt, 60*time.Millisecond, 11*time.Millisecond) {
		t.Errorf("round trip %v, want %v (report of %v)", rtt, want, sent)
	}
	if st.FractionLost != 64 || st.PacketsLost != 12 || st.Score >= 10 {
		t.Errorf("fraction %d, lost %d, score %d", st.FractionLost, st.PacketsLost, st.Score)
	}
}

func TestSenderGetsReceiverReports(t *testing.T) {
	c := newRigCall(t)
	ntp := rtp.ToNTP(time.Now())
	c.alice.sendRTP(videoPacket(100, 0, true, true, 100))
	c.advance(reportInterval)
	c.alice.take()
	for _, seq := range []uint16{101, 102, 104} {
		c.alice.sendRTP(videoPacket(seq, 3000, true, false, 100))
	}
	c.alice.sendRTCP(rtp.AppendSR(nil, rtp.SenderReport{SSRC: videoSSRC, NTP: ntp}, nil))
	arrived := c.now
	c.advance(reportInterval)
	got := c.alice.take()
	if reports := got.only(rtp.TypeRR, 1); len(reports) != 1 {
		t.Fatalf("%d receiver reports in a second, want 1", len(reports))
	} else {
		b, _ := reports[0].ReportBlock(0)
		if b.SSRC != videoSSRC || b.FractionLost != 64 || b.TotalLost != 1 || uint16(b.HighestSeq) != 104 {
			t.Errorf("reported %+v; want 1 of the last 4 lost", b)
		}
		held := time.Duration(b.DelaySinceLastSR) * time.Second / 65536
		if b.LastSR != ntp.Mid32() || held <= 0 || held > c.now.Sub(arrived) {
			t.Errorf("last SR %x, want %x; held for %v", b.LastSR, ntp.Mid32(), held)
		}
	}
	if st := c.producer.Stats()[0]; st.PacketsLost != 1 || st.FractionLost != 64 || st.NACKCount == 0 {
		t.Errorf("statistics %+v", st)
	}
}

func TestRoundTripToASenderThatOnlySends(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.advance(reportInterval)
	var asked rtp.NTPTime
	for _, p := range c.alice.take().only(rtp.TypeXR, 0) {
		blocks := p.XRBlocks()
		for x := (rtp.XRBlock{}); blocks.Next(&x); {
			if ntp, ok := x.RRTR(); ok {
				asked = ntp
			}
		}
	}
	if asked == 0 {
		t.Fatal("the sender was not told our time")
	}
	c.advance(45 * time.Millisecond)
	c.alice.sendRTCP(rtp.AppendXRDLRR(nil, videoSSRC, []rtp.DLRRReport{
		{SSRC: 12345, LastRR: asked.Mid32()}, // another's
		{SSRC: feedbackSSRC, LastRR: asked.Mid32(), Delay: rtp.CompactDuration(5 * time.Millisecond)},
	}))
	want := c.now.Wall().Sub(asked.Time()) - 5*time.Millisecond
	if rtt := time.Duration(c.producer.Stats()[0].RoundTripTime * float64(time.Millisecond)); !about(rtt, want, time.Millisecond) {
		t.Errorf("round trip %v, want %v", rtt, want)
	}
}

func TestReceiversReferenceTimeIsAnswered(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.advance(reportInterval)
	c.bob.take()
	ntp := rtp.ToNTP(time.Now())
	c.bob.sendRTCP(rtp.AppendXRRRTR(nil, 77, ntp))
	arrived := c.now
	c.advance(reportInterval)
	var answers []rtp.DLRRReport
	for _, p := range c.bob.take().only(rtp.TypeXR, 0) {
		blocks := p.XRBlocks()
		for x := (rtp.XRBlock{}); blocks.Next(&x); {
			if r, ok := x.DLRR(0); ok {
				answers = append(answers, r)
			}
		}
	}
	if len(answers) != 1 || answers[0].SSRC != 77 || answers[0].LastRR != ntp.Mid32() {
		t.Fatalf("answers %+v", answers)
	}
	if held := time.Duration(answers[0].Delay) * time.Second / 65536; held <= 0 || held > c.now.Sub(arrived) {
		t.Errorf("held for %v", held)
	}
}

func TestManyStreamsTakeSeveralReports(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{MaxIncomingBitrate: bwe.MegabitPerSecond})
	for i := range 40 {
		params := audioParameters()
		params.MID, params.Encodings = fmt.Sprint(i), []ortc.RTPEncodingParameters{{SSRC: uint32(1000 + i)}}
		alice.produce(ortc.Audio, params)
		p := audioPacket(1, 960, 20)
		p.SSRC = uint32(1000 + i)
		alice.sendRTP(p)
	}
	r.advance(reportInterval)
	seen := map[uint32]bool{}
	got := alice.take()
	for _, compound := range got.raw {
		if len(compound) > maxRTCP {
			t.Errorf("a compound of %d bytes", len(compound))
		}
	}
	for _, p := range got.rtcp {
		for i := 0; ; i++ {
			b, ok := p.ReportBlock(i)
			if !ok {
				break
			}
			seen[b.SSRC] = true
		}
	}
	if len(seen) != 40 {
		t.Errorf("%d of 40 streams were reported", len(seen))
	}
}

// withTransportSeq adds the transport-wide sequence number.
func withTransportSeq(t *testing.T, p *pionrtp.Packet, seq uint16) *pionrtp.Packet {
	t.Helper()
	setExtensions(t, p, map[uint8][]byte{3: {byte(seq >> 8), byte(seq)}})
	return p
}

func TestTransportWideFeedbackEvery100MS(t *testing.T) {
	c := newRigCall(t)
	var feedbacks []*pionrtcp.TransportLayerCC
	var at []mono.Instant
	collect := func() {
		for _, compound := range c.alice.take().raw {
			packets, err := pionrtcp.Unmarshal(compound)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range packets {
				if cc, ok := p.(*pionrtcp.TransportLayerCC); ok {
					feedbacks, at = append(feedbacks, cc), append(at, c.now)
				}
			}
		}
	}
	seq := uint16(65500)
	for range 100 { // a second; every tenth packet is lost
		if seq++; seq%10 != 0 {
			c.alice.sendRTP(withTransportSeq(t, videoPacket(seq, uint32(seq)*900, true, seq == 65501, 500), seq))
		}
		c.advance(10 * time.Millisecond)
		collect()
	}
	if n := len(feedbacks); n < 8 || n > 10 {
		t.Errorf("%d feedback packets in a second", n)
	}
	next := uint16(65501)
	for i, f := range feedbacks {
		if i > 0 {
			if gap := at[i].Sub(at[i-1]); !about(gap, twccInterval, 20*time.Millisecond) {
				t.Errorf("feedback %d comes %v after the one before", i, gap)
			}
		}
		if f.BaseSequenceNumber != next || f.MediaSSRC != videoSSRC || f.FbPktCount != uint8(i) {
			t.Errorf("feedback %d (count %d) begins with %d of SSRC %d, want %d", i, f.FbPktCount, f.BaseSequenceNumber, f.MediaSSRC, next)
		}
		for _, got := range statusesOf(f) {
			if lost := next%10 == 0; got == lost {
				t.Errorf("packet %d: received %v", next, got)
			}
			next++
		}
	}
}

// statusesOf says of each packet whether it was received.
func statusesOf(f *pionrtcp.TransportLayerCC) (received []bool) {
	for _, chunk := range f.PacketChunks {
		switch c := chunk.(type) {
		case *pionrtcp.RunLengthChunk:
			for range c.RunLength {
				received = append(received, c.PacketStatusSymbol != pionrtcp.TypeTCCPacketNotReceived)
			}
		case *pionrtcp.StatusVectorChunk:
			for _, s := range c.SymbolList {
				received = append(received, s != pionrtcp.TypeTCCPacketNotReceived)
			}
		}
	}
	return received[:f.PacketStatusCount]
}

// rembs are the bitrates that the sender was told by REMB.
func (got taken) rembs() (bitrates []uint64) {
	for _, p := range got.rtcp {
		if r, ok := rtp.ParseREMB(p); ok {
			bitrates = append(bitrates, r.Bitrate)
		}
	}
	return bitrates
}

func TestSenderThatKnowsOnlyREMBIsToldAnEstimate(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	params := videoParameters()
	params.Codecs[0].RTCPFeedback = []ortc.RTCPFeedback{{Type: "goog-remb"}}
	params.HeaderExtensions = []ortc.RTPHeaderExtensionParameters{{URI: ortc.URIAbsSendTime, ID: 3}}
	alice.produce(ortc.Video, params)
	for i := range 400 { // 4 s of 960 kbit/s
		at := rtp.AbsSendTime(r.now)
		p := videoPacket(uint16(i), uint32(i)*900, true, i == 0, 1200)
		setExtensions(t, p, map[uint8][]byte{3: {byte(at >> 16), byte(at >> 8), byte(at)}})
		alice.sendRTP(p)
		r.advance(10 * time.Millisecond)
	}
	got := alice.take()
	bitrates := got.rembs()
	if len(bitrates) < 3 {
		t.Fatalf("%d REMBs in 4 s", len(bitrates))
	}
	if last := bitrates[len(bitrates)-1]; last < 900_000 || last < bitrates[0] {
		t.Errorf("estimates %v with 960 kbit/s and no congestion", bitrates)
	}
	if n := len(got.only(rtp.TypeRTPFB, rtp.FormatTransportCC)); n != 0 {
		t.Errorf("%d transport-wide feedback packets to a sender that does not know them", n)
	}
	if err := alice.transport.SetMaxIncomingBitrate(500_000); err != nil {
		t.Fatal(err)
	}
	r.advance(10 * time.Millisecond)
	if bitrates = alice.take().rembs(); len(bitrates) != 1 || bitrates[0] > 500_000 || bitrates[0] < 499_000 {
		t.Errorf("told %v after the limit was set to 500 kbit/s", bitrates)
	}
}

func TestMaxIncomingBitrateIsToldAndTakenBack(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{MaxIncomingBitrate: 2 * bwe.MegabitPerSecond})
	alice.produce(ortc.Video, videoParameters())
	alice.sendRTP(videoPacket(1, 0, true, true, 100))
	r.advance(reportInterval)
	if got := alice.take().rembs(); len(got) != 1 || got[0] > 2_000_000 || got[0] < 1_990_000 {
		t.Errorf("told %v, want 2 Mbit/s", got)
	}
	if err := alice.transport.SetMaxIncomingBitrate(0); err != nil {
		t.Fatal(err)
	}
	r.advance(10 * reportInterval)
	if got := alice.take().rembs(); !slices.Equal(got, []uint64{0, 0, 0, 0}) {
		t.Errorf("told %v after the limit was taken back", got)
	}
	if err := alice.transport.SetMaxIncomingBitrate(0); err != nil {
		t.Fatal(err)
	}
	r.advance(3 * reportInterval)
	if got := alice.take().rembs(); len(got) != 0 {
		t.Errorf("told %v though there was no limit", got)
	}
}

func TestKeyframeRequestsOfReceiversArePassedOnThrottled(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.advance(time.Second)
	c.alice.take()
	pli := rtp.AppendPLI(nil, 9, c.consumer.ssrc)
	fir := rtp.AppendFIR(nil, 9, c.consumer.ssrc, 1)
	for range 20 {
		c.bob.sendRTCP(pli)
		c.bob.sendRTCP(fir)
	}
	got := c.alice.take()
	if n := got.plis(); n != 1 {
		t.Errorf("%d PLIs for 20 PLIs and 20 FIRs at once", n)
	}
	if _, media, _ := got.only(rtp.TypePSFB, rtp.FormatPLI)[0].FeedbackSSRCs(); media != videoSSRC {
		t.Errorf("for SSRC %d", media)
	}
	// A keyframe comes, and then Bob asks again, too soon.
	c.alice.sendRTP(videoPacket(2, 3000, true, true, 100))
	c.advance(100 * time.Millisecond)
	c.bob.sendRTCP(pli)
	if n := c.alice.take().plis(); n != 0 {
		t.Errorf("%d PLIs 100 ms after the last", n)
	}
	c.advance(200 * time.Millisecond)
	if n := c.alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs when the interval was over, want 1", n)
	}
	if st := c.consumer.Stats()[0]; st.PLICount != 21 || st.FIRCount != 20 {
		t.Errorf("counted %d PLIs and %d FIRs", st.PLICount, st.FIRCount)
	}
	if st := c.producer.Stats()[0]; st.PLICount != 2 {
		t.Errorf("counted %d PLIs sent", st.PLICount)
	}
}

func TestKeyframeRequestIsRepeatedUntilTheKeyframeComes(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, false, 100))
	if n := c.alice.take().plis(); n != 1 {
		t.Fatalf("%d PLIs, want 1", n)
	}
	c.advance(keyframeRetry + clockPeriod)
	if n := c.alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs after %v without a keyframe, want 1", n, keyframeRetry)
	}
	c.alice.sendRTP(videoPacket(2, 3000, true, true, 100))
	c.advance(5 * time.Second)
	if n := c.alice.take().plis(); n != 0 {
		t.Errorf("%d PLIs after the keyframe", n)
	}
}

func TestSenderThatKnowsOnlyFIRIsAskedByFIR(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	params := videoParameters()
	params.Codecs[0].RTCPFeedback = []ortc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}}
	bob.consume(alice.produce(ortc.Video, params))
	alice.sendRTP(videoPacket(1, 0, true, false, 100))
	r.advance(keyframeRetry + clockPeriod)
	got := alice.take()
	firs := got.only(rtp.TypePSFB, rtp.FormatFIR)
	if len(firs) != 2 || got.plis() != 0 {
		t.Fatalf("%d FIRs and %d PLIs, want 2 and 0", len(firs), got.plis())
	}
	ssrc, first, _ := firs[0].FIREntry(0)
	_, second, _ := firs[1].FIREntry(0)
	if ssrc != videoSSRC || second != first+1 {
		t.Errorf("FIRs %d and %d for SSRC %d", first, second, ssrc)
	}
}

func TestReceiverIsToldOfTheEndOfItsStream(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	c.bob.take()
	c.consumer.Close()
	var ended []uint32
	for _, p := range c.bob.take().rtcp {
		for i := 0; ; i++ {
			ssrc, ok := p.ByeSSRC(i)
			if !ok {
				break
			}
			ended = append(ended, ssrc)
		}
	}
	if !slices.Equal(ended, []uint32{c.consumer.ssrc, c.consumer.rtxSSRC}) {
		t.Errorf("BYE for %v", ended)
	}
	c.alice.sendRTP(videoPacket(2, 0, true, true, 100))
	if got := c.bob.take(); len(got.rtp) != 0 {
		t.Error("media after the end")
	}
	c.bob.consume(c.producer).Close() // nothing was sent of this one
	if got := c.bob.take(); len(got.rtcp) != 0 {
		t.Errorf("%d RTCP packets at the end of nothing", len(got.rtcp))
	}
}

func TestMalformedRTCPIsCountedAndHarmless(t *testing.T) {
	c := newRigCall(t)
	for _, b := range [][]byte{
		{0x80, rtp.TypePSFB, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0},                 // longer than it is
		{0x9f, rtp.TypeRR, 0, 1, 0, 0, 0, 9},                               // 31 blocks, and none there
		{0x81, rtp.TypeRTPFB, 0, 1, 0, 0, 0, 9},                            // a NACK for nothing
		{0x84, rtp.TypePSFB, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0},                 // a FIR for nothing
		{0x80, rtp.TypeXR, 0, 2, 0, 0, 0, 9, 4, 0, 0, 99},                  // a block beyond the end
		{0x80, rtp.TypeSR, 0, 1, 0, 0, 0, 9},                               // a report without numbers
		{0x8f, rtp.TypePSFB, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0},                 // application feedback of no kind
		{0xa0, rtp.TypeBYE, 0, 1, 0, 0, 0, 200},                            // padding beyond the packet
		{0x80, 222, 0, 1, 0, 0, 0, 9},                                      // unknown
		{0x80, rtp.TypeRR, 0, 1, 0, 0, 0, 9, 0x00, rtp.TypeRR, 0, 1, 0, 0}, // version 0 behind a good one
	} {
		c.bob.sendRTCP(b)
		c.alice.sendRTCP(b)
	}
	if n := c.dropped(dropMalformed); n == 0 {
		t.Error("nothing was counted")
	}
	if n := c.sfu.counters.panics.Load(); n != 0 {
		t.Errorf("%d panics", n)
	}
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	checkSizes(t, -1, c.bob.take().rtp, 100)
}
