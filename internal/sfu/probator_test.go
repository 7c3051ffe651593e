package sfu

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// withoutRTX has a receiver take no retransmissions.
func withoutRTX(o *ConsumerOptions) {
	o.RTPCapabilities.Codecs = slices.DeleteFunc(o.RTPCapabilities.Codecs, func(c ortc.RTPCodecCapability) bool {
		return strings.HasSuffix(c.MimeType, "/rtx")
	})
}

// withREMB has a receiver make its own estimate, as it did before there was
// transport-wide feedback.
func withREMB(o *ConsumerOptions) {
	for i := range o.RTPCapabilities.Codecs {
		c := &o.RTPCapabilities.Codecs[i]
		c.RTCPFeedback = slices.DeleteFunc(c.RTCPFeedback, func(f ortc.RTCPFeedback) bool { return f.Type == "transport-cc" })
	}
	o.RTPCapabilities.HeaderExtensions = slices.DeleteFunc(o.RTPCapabilities.HeaderExtensions, func(e ortc.RTPHeaderExtension) bool {
		return e.URI == ortc.URITransportWideCC
	})
}

// oldLine is the way to a receiver that is not as browsers are today.
type oldLine struct {
	*client
	*simulcast
	consumer *Consumer
	ids      extensionIDs
	rate     bwe.Bitrate
	free     mono.Instant // when the line has sent all it was given
	flying   []flight
	padding  []received // without RTX

	recorder  bwe.Recorder          // of a receiver that reports arrivals
	estimator *bwe.ReceiveEstimator // of one that knows REMB only
	due       mono.Instant          // of its next report
}

type flight struct {
	at mono.Instant
	received
}

// newOldLine is a sender of three encodings of 150, 450 and 1,350 kbit/s, and a
// receiver behind a line.
func newOldLine(t *testing.T, rate bwe.Bitrate, change ...func(*ConsumerOptions)) *oldLine {
	t.Helper()
	s := newSimulcast(t)
	s.consumer.Close()
	l := &oldLine{simulcast: s, client: s.connect(WebRTCTransportOptions{}), rate: rate}
	l.consumer = l.consume(s.producer, change...)
	l.ids = extensionIDsOf(l.consumer.RTPParameters().HeaderExtensions)
	if l.ids[extTransportCC] == 0 {
		l.estimator = bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})
	}
	return l
}

// run sends for so long: 25 frames a second, of 1, 3 and 9 packets of 750 bytes.
func (l *oldLine) run(d time.Duration) {
	rig := l.client.rig
	l.alice.check(true) // consent
	l.client.check(true)
	for end := rig.now.Add(d); rig.now < end; {
		asked := map[uint32]bool{}
		for _, p := range l.alice.take().only(rtp.TypePSFB, rtp.FormatPLI) {
			_, media, _ := p.FeedbackSSRCs()
			asked[media] = true
		}
		for i, packets := range []int{1, 3, 9} {
			for j := range packets {
				p := l.packet(i, asked[l.layers[i].ssrc] && j == 0)
				p.Marker = j == packets-1
				grow(p, 700+i)
				l.alice.sendRTP(p)
			}
		}
		for range 4 {
			l.pass(rig.now)
			rig.advance(10 * time.Millisecond)
		}
	}
}

// pass takes what the server has sent, and delivers what has arrived by now.
func (l *oldLine) pass(now mono.Instant) {
	for _, p := range l.client.take().rtp {
		if l.free = max(l.free, now); l.free.Sub(now) > lineQueue {
			continue
		}
		l.free = l.free.Add(time.Duration(uint64(p.size) * 8 * uint64(time.Second) / uint64(l.rate)))
		l.flying = append(l.flying, flight{l.free.Add(20 * time.Millisecond), p})
	}
	for len(l.flying) > 0 && l.flying[0].at <= now {
		l.arrive(l.flying[0])
		l.flying = l.flying[1:]
	}
	if now >= l.due {
		l.report(now)
	}
}

func (l *oldLine) arrive(f flight) {
	if f.header.SSRC == probatorSSRC {
		l.padding = append(l.padding, f.received)
	}
	if l.estimator == nil {
		l.recorder.Receive(f.at, binary.BigEndian.Uint16(f.header.GetExtension(l.ids[extTransportCC])))
		return
	}
	at := f.header.GetExtension(l.ids[extAbsSendTime])
	l.estimator.Receive(f.at, uint32(at[0])<<16|uint32(at[1])<<8|uint32(at[2]), f.size)
}

func (l *oldLine) report(now mono.Instant) {
	switch {
	case l.estimator != nil:
		l.due = now.Add(250 * time.Millisecond)
		if estimate, ok := l.estimator.Estimate(now); ok {
			l.client.sendRTCP(rtp.AppendREMB(nil, 7, uint64(estimate), []uint32{l.consumer.ssrc}))
		}
	case l.recorder.Pending():
		l.due = now.Add(50 * time.Millisecond)
		l.client.sendRTCP(l.recorder.AppendFeedback(nil, 7, l.consumer.ssrc, 1200))
	}
}

// expect checks which encoding is sent.
func (l *oldLine) expect(t *testing.T, when string, allowed ...uint8) {
	t.Helper()
	got, sent := l.consumer.CurrentLayers()
	if !sent || !slices.Contains(allowed, got.Spatial) {
		t.Errorf("%s it is sent layer %d (%v), want one of %v; the estimate is %d kbit/s", when, got.Spatial, sent, allowed,
			l.client.transport.AvailableOutgoingBitrate()/1000)
	}
}

func TestReceiverWithoutRTXIsProbed(t *testing.T) {
	l := newOldLine(t, 4*bwe.MegabitPerSecond, withoutRTX)
	if l.consumer.rtxSSRC != 0 {
		t.Fatal("it takes RTX")
	}
	l.run(3 * time.Second)
	l.expect(t, "after 3 s", 2)
	if len(l.padding) < 10 {
		t.Fatalf("%d packets of padding came", len(l.padding))
	}
	for i, p := range l.padding {
		switch {
		case p.header.PayloadType != probatorPayloadType || !p.header.Padding || len(p.payload) != 0:
			t.Fatalf("padding of %d bytes has the header %+v", len(p.payload), p.header)
		case string(p.header.GetExtension(l.ids[extMID])) != probatorMID:
			t.Fatalf("padding has the MID %q", p.header.GetExtension(l.ids[extMID]))
		case i > 0 && p.header.SequenceNumber != l.padding[i-1].header.SequenceNumber+1:
			t.Fatalf("padding %d after %d", p.header.SequenceNumber, l.padding[i-1].header.SequenceNumber)
		}
	}
	before := len(l.padding)
	l.run(10 * time.Second)
	if n := len(l.padding) - before; n > 0 {
		t.Errorf("%d packets of padding came although it is sent all there is", n)
	}
}

func TestReceiverWithRTXIsProbedByIt(t *testing.T) {
	l := newOldLine(t, 4*bwe.MegabitPerSecond)
	l.run(3 * time.Second)
	l.expect(t, "after 3 s", 2)
	if len(l.padding) > 0 {
		t.Errorf("%d packets came for the probator", len(l.padding))
	}
}

func TestProbatorIsForWebRTCOnly(t *testing.T) {
	r := newRig(t)
	alice, direct := r.connect(WebRTCTransportOptions{}), newDirect(t, r.router, DirectTransportOptions{})
	p := alice.produce(ortc.Video, videoParameters())
	c, err := direct.Consume(ConsumerOptions{ProducerID: p.ID(), RTPCapabilities: r.router.RTPCapabilities(), EnableRTX: new(bool)})
	if err != nil {
		t.Fatal(err)
	}
	alice.sendRTP(videoPacket(1, 0, true, true, 100))
	direct.sendMu.Lock()
	defer direct.sendMu.Unlock()
	if !c.rewrite.started || direct.probatorLocked() != nil {
		t.Errorf("started: %v; a transport that is no WebRTC's has a probator", c.rewrite.started)
	}
}

func TestReceiverWithREMBOnlyFollowsItsLine(t *testing.T) {
	for name, change := range map[string][]func(*ConsumerOptions){"with RTX": {withREMB}, "without": {withREMB, withoutRTX}} {
		t.Run(name, func(t *testing.T) {
			l := newOldLine(t, 4*bwe.MegabitPerSecond, change...)
			l.run(15 * time.Second)
			l.expect(t, "on a wide line", 2)
			l.rate = 700 * bwe.KilobitPerSecond
			l.run(4 * time.Second)
			l.expect(t, "on a narrow one", 0, 1)
			l.run(6 * time.Second)
			l.expect(t, "on a narrow one, 10 s later", 0, 1)
			l.rate = 4 * bwe.MegabitPerSecond
			l.run(25 * time.Second)
			l.expect(t, "on a wide line again", 2)
		})
	}
}
