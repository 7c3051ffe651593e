package loadtest

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtcp"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func startSender(t *testing.T, p *Pool, s *server, o SenderOptions) *Sender {
	t.Helper()
	sender, err := p.Sender(withPatience(t), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// nextPacket waits for a packet of the stream, and skips others.
func (s *server) nextPacket(ssrc uint32) *pionrtp.Packet {
	s.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case b := <-s.fromSender:
			p := new(pionrtp.Packet)
			if err := p.Unmarshal(b); err != nil {
				s.t.Fatal(err)
			}
			if p.SSRC == ssrc {
				return p
			}
		case <-timeout:
			s.t.Fatalf("no packet of stream %d", ssrc)
		}
	}
}

func TestVideoIsSentAsAnnounced(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Video: &Video{}})
	produced := sender.Producers()
	if len(produced) != 1 || produced[0].Kind != ortc.Video {
		t.Fatalf("produced %+v", produced)
	}
	parameters := s.producers[produced[0].ID].parameters
	if parameters.Codecs[0].MimeType != "video/VP8" || parameters.Encodings[0].SSRC != produced[0].SSRC {
		t.Fatalf("announced %+v", parameters)
	}
	var last *pionrtp.Packet
	frames := 0
	for n := 0; frames < 5; n++ {
		p := s.nextPacket(produced[0].SSRC)
		if n > 0 {
			checkSuccessor(t, last, p)
		}
		checkVideoPacket(t, p, n == 0, n == 0 || last.Marker)
		if p.Marker {
			frames++
		}
		last = p
	}
	await(t, "statistics", func() bool {
		st := sender.Stats()
		return st.Frames >= 5 && st.Keyframes == 1 && st.Packets > 5*6 && st.Bytes > 5*6000
	})
}

// checkSuccessor checks the numbers of a packet and the one after it.
func checkSuccessor(t *testing.T, a, b *pionrtp.Packet) {
	t.Helper()
	if b.SequenceNumber != a.SequenceNumber+1 {
		t.Fatalf("number %d after %d", b.SequenceNumber, a.SequenceNumber)
	}
	wantStep := uint32(0)
	if a.Marker {
		wantStep = 90_000 / 30
	}
	if b.Timestamp-a.Timestamp != wantStep {
		t.Fatalf("a step of %d in time, want %d", b.Timestamp-a.Timestamp, wantStep)
	}
	before, after := a.GetExtension(transportCCID), b.GetExtension(transportCCID)
	if len(before) != 2 || len(after) != 2 || uint16(before[0])<<8|uint16(before[1])+1 != uint16(after[0])<<8|uint16(after[1]) {
		t.Fatalf("transport-wide number % x after % x", after, before)
	}
}

func checkVideoPacket(t *testing.T, p *pionrtp.Packet, keyframe, start bool) {
	t.Helper()
	var vp8 codecs.VP8Packet
	body, err := vp8.Unmarshal(p.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if (vp8.S == 1) != start || start && (body[0]&1 == 0) != keyframe {
		t.Fatalf("S %d, first byte %#x; want start %t, keyframe %t", vp8.S, body[0], start, keyframe)
	}
	if p.PayloadType != vp8PayloadType || string(p.GetExtension(midID)) != "1" || len(p.GetExtension(absSendTimeID)) != 3 {
		t.Fatalf("header %+v", p.Header)
	}
	if _, ok := readStamp(p.Payload); !ok {
		t.Fatal("no stamp")
	}
}

func TestAudioIsSentAsAnnounced(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Audio: true})
	ssrc := sender.Producers()[0].SSRC
	last := s.nextPacket(ssrc)
	if !last.Marker {
		t.Error("the first packet of a talkspurt has no marker")
	}
	began := time.Now()
	for range 5 {
		p := s.nextPacket(ssrc)
		if p.PayloadType != opusPayloadType || p.SequenceNumber != last.SequenceNumber+1 || p.Timestamp != last.Timestamp+960 || p.Marker {
			t.Fatalf("%+v after %+v", p.Header, last.Header)
		}
		if level := p.GetExtension(audioLevelID); len(level) != 1 || level[0]&0x80 == 0 {
			t.Fatalf("audio level % x, want voice", level)
		}
		last = p
	}
	if took := time.Since(began); took < 4*audioInterval {
		t.Errorf("five packets of 20 ms within %s", took)
	}
}

func TestTheMIDIsLeftOffOnceTheStreamIsKnown(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Audio: true, Video: &Video{}})
	for _, p := range sender.Producers() {
		ssrc := p.SSRC
		if len(s.nextPacket(ssrc).GetExtension(midID)) == 0 {
			t.Errorf("%s begins without a MID", p.Kind)
		}
		s.sendRTCP(true, rtp.AppendRR(nil, 1, []rtp.ReportBlock{{SSRC: ssrc, FractionLost: 7}}))
		await(t, "no MID", func() bool { p := s.nextPacket(ssrc); return len(p.GetExtension(midID)) == 0 })
	}
	if st := sender.Stats(); st.Reports != 2 || st.FractionLost != 7 {
		t.Errorf("%d reports, fraction lost %d", st.Reports, st.FractionLost)
	}
}

// awaitKeyframe reads until the beginning of a keyframe.
func (s *server) awaitKeyframe(ssrc uint32) {
	s.t.Helper()
	await(s.t, "a keyframe", func() bool {
		f, ok := parseVP8(s.nextPacket(ssrc).Payload)
		return ok && f.keyframe
	})
}

func TestKeyframesAreSentWhenAskedFor(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Video: &Video{}})
	ssrc := sender.Producers()[0].SSRC
	s.awaitKeyframe(ssrc)
	s.sendRTCP(true, rtp.AppendPLI(nil, 1, ssrc))
	s.awaitKeyframe(ssrc)
	s.sendRTCP(true, rtp.AppendFIR(nil, 1, ssrc, 0))
	s.awaitKeyframe(ssrc)
	// The same request again is none, that of another stream neither; the next
	// number is one.
	s.sendRTCP(true, rtp.AppendFIR(nil, 1, ssrc, 0))
	s.sendRTCP(true, rtp.AppendFIR(nil, 1, ssrc+1, 0))
	s.sendRTCP(true, rtp.AppendFIR(nil, 1, ssrc, 1))
	s.awaitKeyframe(ssrc)
	if st := sender.Stats(); st.PLIs != 1 || st.FIRs != 2 || st.Keyframes != 4 {
		t.Errorf("%d PLI, %d FIR, %d keyframes; want 1, 2, 4", st.PLIs, st.FIRs, st.Keyframes)
	}
}

func TestNACKsAreAnsweredOnTheRTXStream(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Video: &Video{}})
	producer := s.producers[sender.Producers()[0].ID]
	encoding := producer.parameters.Encodings[0]
	var originals []*pionrtp.Packet
	for range 20 {
		originals = append(originals, s.nextPacket(encoding.SSRC))
	}
	first := originals[0].SequenceNumber
	asked := []uint16{first + 1, first + 2, first + 18, first - 1}
	s.sendRTCP(true, rtp.AppendNACK(nil, 1, encoding.SSRC, asked[3:]))
	s.sendRTCP(true, rtp.AppendNACK(nil, 1, encoding.SSRC, asked[:3]))
	for i, seq := range asked[:3] {
		p, want := s.nextPacket(encoding.RTX.SSRC), originals[seq-first]
		if p.PayloadType != rtxPayloadType || p.Timestamp != want.Timestamp || p.Marker != want.Marker {
			t.Errorf("retransmission %+v of %+v", p.Header, want.Header)
		}
		if got := uint16(p.Payload[0])<<8 | uint16(p.Payload[1]); got != seq || !bytes.Equal(p.Payload[2:], want.Payload) {
			t.Errorf("retransmission %d is of %d with another payload, want %d", i, got, seq)
		}
	}
	if st := sender.Stats(); st.Nacked != 4 || st.Retransmitted != 3 || st.Unanswerable != 1 {
		t.Errorf("%d asked for, %d sent, %d gone; want 4, 3, 1", st.Nacked, st.Retransmitted, st.Unanswerable)
	}
}

// nextRTCP waits for a compound that has a packet of type P.
func nextRTCP[P rtcp.Packet](s *server) (packet P, compound []rtcp.Packet) {
	s.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case b := <-s.rtcpReceived:
			compound, err := rtcp.Unmarshal(b)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, p := range compound {
				if packet, ok := p.(P); ok {
					return packet, compound
				}
			}
		case <-timeout:
			s.t.Fatalf("no %T arrived", packet)
		}
	}
}

func TestSenderReportsFollowTheStream(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Video: &Video{}})
	ssrc := sender.Producers()[0].SSRC
	a, compound := nextRTCP[*rtcp.SenderReport](s)
	b, _ := nextRTCP[*rtcp.SenderReport](s)
	if a.SSRC != ssrc || b.SSRC != ssrc || b.PacketCount <= a.PacketCount || b.OctetCount <= a.OctetCount {
		t.Errorf("%+v, then %+v", a, b)
	}
	elapsed := rtp.NTPTime(b.NTPTime).Time().Sub(rtp.NTPTime(a.NTPTime).Time())
	ticks := time.Duration(b.RTPTime-a.RTPTime) * time.Second / 90_000
	if diff := elapsed - ticks; diff < -50*time.Millisecond || diff > 50*time.Millisecond {
		t.Errorf("%s passed by the wall clock, %s by the stream's", elapsed, ticks)
	}
	if now := time.Since(rtp.NTPTime(b.NTPTime).Time()); now < -time.Second || now > patience {
		t.Errorf("the report is of %s ago", now)
	}
	description, ok := compound[1].(*rtcp.SourceDescription)
	if !ok || description.Chunks[0].Items[0].Text != s.producers[sender.Producers()[0].ID].parameters.RTCP.CNAME {
		t.Errorf("the report goes with %v", compound[1:])
	}
}

func TestWhatTheServerReportsIsCounted(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Video: &Video{}})
	ssrc := sender.Producers()[0].SSRC
	report, _ := nextRTCP[*rtcp.SenderReport](s)
	lastSR := rtp.NTPTime(report.NTPTime).Mid32()
	s.sendRTCP(true, rtp.AppendREMB(nil, 1, 1<<20, []uint32{ssrc}))
	var f feedback
	f.record(1, 1)
	s.sendRTCP(true, f.append(nil, 1, ssrc))
	s.sendRTCP(true, rtp.AppendRR(nil, 1, []rtp.ReportBlock{{SSRC: ssrc + 1}, {SSRC: ssrc, LastSR: lastSR}}))
	await(t, "reports", func() bool { return sender.Stats().Reports == 1 })
	st := sender.Stats()
	if st.REMB != 1<<20 || st.Feedbacks != 1 || st.RoundTrip <= 0 || st.RoundTrip > patience {
		t.Errorf("REMB %d, %d feedbacks, round trip %s", st.REMB, st.Feedbacks, st.RoundTrip)
	}
}

func TestASenderSaysGoodbye(t *testing.T) {
	s := newServer(t)
	sender := startSender(t, newPool(t, Options{}), s, SenderOptions{Audio: true, Video: &Video{}})
	ssrc := sender.Producers()[0].SSRC
	s.nextPacket(ssrc) // the server, too, has connected
	for range 2 {      // a second time does nothing
		if err := sender.Close(); err != nil {
			t.Fatal(err)
		}
	}
	bye, _ := nextRTCP[*rtcp.Goodbye](s)
	if len(bye.Sources) != 2 || bye.Sources[0] != ssrc {
		t.Errorf("goodbye of %v", bye.Sources)
	}
	select {
	case <-s.goodbyes:
	case <-time.After(patience):
		t.Error("no close_notify")
	}
}

func TestASenderNeedsMedia(t *testing.T) {
	s := newServer(t)
	if _, err := newPool(t, Options{}).Sender(withPatience(t), s, SenderOptions{}); err == nil {
		t.Error("a sender of nothing was started")
	}
}

func TestACadenceCatchesUpOrSkips(t *testing.T) {
	const interval = 20 * time.Millisecond
	c := cadence{next: 1000}
	if _, ok := c.due(999, interval); ok {
		t.Error("due too early")
	}
	if n, ok := c.due(1000, interval); n != 1 || !ok {
		t.Errorf("on time: %d, %t", n, ok)
	}
	late := c.next.Add(3 * interval)
	for i := range 4 {
		if n, ok := c.due(late, interval); n != 1 || !ok {
			t.Errorf("%d behind: %d, %t", 3-i, n, ok)
		}
	}
	if _, ok := c.due(late, interval); ok {
		t.Error("due though caught up")
	}
	paused := c.next.Add(time.Second)
	if n, ok := c.due(paused, interval); n != 51 || !ok || c.next <= paused {
		t.Errorf("after a pause of a second: %d, %t, next %s later", n, ok, c.next.Sub(paused))
	}
}
