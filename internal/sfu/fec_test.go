package sfu

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

func TestLossIsProtectedAgainstUnlessFewHaveMuchOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		lost []int
		want uint8
	}{
		"nobody listens":          {nil, 0},
		"nobody loses":            {[]int{0, 0, 0}, 0},
		"one alone":               {[]int{77}, 77},
		"all of it":               {[]int{255, 255}, 255},
		"little of one of many":   {[]int{13, 0, 0, 0, 0}, 13},
		"a limit for one of many": {[]int{77, 0, 0, 0, 0}, fecForFew},
		"one of two":              {[]int{77, 0}, 38},
		"most":                    {[]int{77, 77, 70, 0}, 56},
		"the same for all":        {[]int{77, 77, 77}, 77},
	} {
		worst, sum := 0, 0
		for _, lost := range c.lost {
			worst, sum = max(worst, lost), sum+lost
		}
		if got := protectAgainst(worst, sum, len(c.lost)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestReportedLossLastsForAWhile(t *testing.T) {
	var l reportedLoss
	now := mono.Instant(time.Hour)
	if _, ok := l.recent(now); ok {
		t.Error("there is loss before any was reported")
	}
	for _, fraction := range []uint8{0, 1, 255} {
		l.note(now, fraction)
		if got, ok := l.recent(now.Add(lossLasts - time.Millisecond)); !ok || got != fraction {
			t.Errorf("%d was reported and %d, %t is remembered", fraction, got, ok)
		}
		if _, ok := l.recent(now.Add(lossLasts)); ok {
			t.Errorf("%d is remembered for ever", fraction)
		}
	}
}

// voiceCall is a sender of Opus and people who listen.
type voiceCall struct {
	*rig
	alice     *client
	producer  *Producer
	listeners []*client
	consumers []*Consumer
	seq       uint16
}

func newVoiceCall(t *testing.T, fec, listeners int) *voiceCall {
	t.Helper()
	r := newRig(t)
	c := &voiceCall{rig: r, alice: r.connect(WebRTCTransportOptions{})}
	params := audioParameters()
	params.Codecs[0].Parameters = ortc.CodecParameters{"useinbandfec": fec}
	c.producer = c.alice.produce(ortc.Audio, params)
	for range listeners {
		bob := r.connect(WebRTCTransportOptions{})
		c.listeners = append(c.listeners, bob)
		c.consumers = append(c.consumers, bob.consume(c.producer))
	}
	return c
}

// speak sends 100 packets in two seconds, less those of which the number can be
// divided by leaveOut, and returns the last report on them.
func (c *voiceCall) speak(leaveOut uint16) rtp.ReportBlock {
	c.tb.Helper()
	for range 100 {
		if c.seq++; leaveOut == 0 || c.seq%leaveOut != 0 {
			c.alice.sendRTP(audioPacket(c.seq, 960*uint32(c.seq), 50))
		}
		c.advance(20 * time.Millisecond)
	}
	var last rtp.ReportBlock
	for _, p := range c.alice.take().only(rtp.TypeRR, 1) {
		if b, ok := p.ReportBlock(0); ok && b.SSRC == audioSSRC {
			last = b
		}
	}
	if last.SSRC == 0 {
		c.tb.Fatal("no report on what was sent")
	}
	return last
}

// report is what a listener says of its loss.
func (c *voiceCall) report(listener int, fraction uint8) {
	block := rtp.ReportBlock{SSRC: c.consumers[listener].ssrc, FractionLost: fraction, TotalLost: 1000}
	c.listeners[listener].sendRTCP(rtp.AppendRR(nil, 7, []rtp.ReportBlock{block}))
}

func TestSenderOfOpusIsToldOfListenersLoss(t *testing.T) {
	c := newVoiceCall(t, 1, 3)
	told := func(name string, want uint8) {
		t.Helper()
		if b := c.speak(0); b.FractionLost != want || b.TotalLost != 0 {
			t.Errorf("%s: the sender is told of %d and of %d in all, want %d and 0", name, b.FractionLost, b.TotalLost, want)
		}
	}
	told("before anybody has reported", 0)
	c.report(0, 0)
	c.report(1, 20)
	told("one loses some", 20)
	c.report(1, 77)
	told("one loses much", fecForFew)
	c.report(0, 77)
	told("most lose much", 51)
	c.consumers[2].Pause()
	told("who does not listen does not count", 77)
	c.consumers[0].Pause()
	c.consumers[2].Resume()
	told("one of two loses much", 38)
	c.consumers[1].Close()
	told("the other loses nothing", 0)
	c.consumers[0].Resume()
	c.report(0, 77)
	told("one of two again", 38)
	c.advance(lossLasts)
	told("nothing was heard of it for a while", 0)
	if st := c.producer.Stats()[0]; st.FractionLost != 0 || st.PacketsLost != 0 {
		t.Errorf("the producer's own loss is %d and %d", st.FractionLost, st.PacketsLost)
	}
}

func TestSendersOwnLossIsToldIfItIsGreater(t *testing.T) {
	c := newVoiceCall(t, 1, 1)
	c.speak(0)
	c.report(0, 20)
	b := c.speak(4)
	if b.FractionLost < 58 || b.FractionLost > 70 { // 12 or 13 of about 50
		t.Errorf("a quarter is lost, the sender is told of %d/256", b.FractionLost)
	}
	if b.TotalLost != 25 && b.TotalLost != 24 { // the last one is not missed yet
		t.Errorf("the sender is told of %d packets in all, want 25", b.TotalLost)
	}
}

func TestSenderOfOpusWithoutFECIsToldOfItsOwnLossOnly(t *testing.T) {
	c := newVoiceCall(t, 0, 1)
	c.speak(0)
	c.report(0, 77)
	if b := c.speak(0); b.FractionLost != 0 {
		t.Errorf("the sender is told of %d", b.FractionLost)
	}
}

func TestListenersInAnotherRouterCount(t *testing.T) {
	c := newVoiceCall(t, 1, 0)
	other, err := c.sfu.NewRouter(RouterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	view, err := c.router.PipeTo(other, c.producer.ID(), PipeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.rig.router = other
	bob := c.connect(WebRTCTransportOptions{})
	c.listeners, c.consumers = append(c.listeners, bob), append(c.consumers, bob.consume(view))
	c.speak(0)
	c.report(0, 77)
	if b := c.speak(0); b.FractionLost != 77 {
		t.Errorf("the sender is told of %d", b.FractionLost)
	}
}
