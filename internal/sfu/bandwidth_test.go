package sfu

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// line is the way to a receiver: so many bits per second, a queue of 200 ms, and
// transport-wide feedback every 50 ms.
type line struct {
	*client
	consumer *Consumer
	rate     bwe.Bitrate
	free     mono.Instant // when the line has sent all it was given
	flying   []arrival
	recorder bwe.Recorder
	feedback mono.Instant
	lost     int
	frames   map[int]int // received, by size of their packets
}

type arrival struct {
	at   mono.Instant
	seq  uint16
	size int // of the payload
}

const lineQueue = 200 * time.Millisecond

// run takes what the server has sent, and delivers what has arrived by now.
func (l *line) run(twccID uint8) {
	for _, p := range l.take().rtp {
		if l.free = max(l.free, l.now); l.free.Sub(l.now) > lineQueue {
			l.lost++
			continue
		}
		l.free = l.free.Add(time.Duration(uint64(p.size) * 8 * uint64(time.Second) / uint64(l.rate)))
		seq := p.header.GetExtension(twccID)
		if len(seq) != 2 {
			l.tb.Fatal("a packet without a transport-wide number")
		}
		size := len(p.payload)
		if p.header.SSRC != l.consumer.ssrc {
			size = 0 // repeated
		}
		l.flying = append(l.flying, arrival{at: l.free.Add(20 * time.Millisecond), seq: binary.BigEndian.Uint16(seq), size: size})
	}
	for len(l.flying) > 0 && l.flying[0].at <= l.now {
		a := l.flying[0]
		l.flying = l.flying[1:]
		l.recorder.Receive(a.at, a.seq)
		if a.size > 0 {
			l.frames[a.size]++
		}
	}
	if l.now >= l.feedback && l.recorder.Pending() {
		l.feedback = l.now.Add(50 * time.Millisecond)
		l.sendRTCP(l.recorder.AppendFeedback(nil, 7, l.consumer.ssrc, 1200))
	}
}

// lines is a sender of three encodings of 150, 450 and 1,350 kbit/s, and its
// receivers.
type lines struct {
	*simulcast
	twccID uint8
	bobs   []*line
}

func newLines(tb testing.TB, rates ...bwe.Bitrate) *lines {
	tb.Helper()
	s := &lines{simulcast: newSimulcast(tb)}
	s.consumer.Close()
	for _, rate := range rates {
		bob := &line{client: s.connect(WebRTCTransportOptions{}), rate: rate, frames: map[int]int{}}
		bob.consumer = bob.consume(s.producer)
		for _, e := range bob.consumer.RTPParameters().HeaderExtensions {
			if e.URI == ortc.URITransportWideCC {
				s.twccID = e.ID
			}
		}
		s.bobs = append(s.bobs, bob)
	}
	return s
}

// run sends for so long: 25 frames a second, of 1, 3 and 9 packets of 750 bytes.
func (s *lines) run(d time.Duration) {
	for end := s.now.Add(d); s.now < end; {
		asked := map[uint32]bool{}
		for _, p := range s.alice.take().only(rtp.TypePSFB, rtp.FormatPLI) {
			_, media, _ := p.FeedbackSSRCs()
			asked[media] = true
		}
		for i, packets := range []int{1, 3, 9} {
			for j := range packets {
				p := s.packet(i, asked[s.layers[i].ssrc] && j == 0)
				p.Marker = j == packets-1
				grow(p, 700+i) // the size tells the encoding
				s.alice.sendRTP(p)
			}
		}
		for range 4 {
			for _, bob := range s.bobs {
				bob.run(s.twccID)
			}
			s.advance(10 * time.Millisecond)
		}
	}
}

func grow(p *pionrtp.Packet, size int) {
	p.Payload = append(p.Payload, make([]byte, size-len(p.Payload))...)
}

func (l *line) layer() string {
	layers, sent := l.consumer.CurrentLayers()
	if !sent {
		return "none"
	}
	return fmt.Sprint(layers.Spatial)
}

func TestEachReceiverGetsWhatItsLineCarries(t *testing.T) {
	s := newLines(t, 3*bwe.MegabitPerSecond, 700*bwe.KilobitPerSecond, 200*bwe.KilobitPerSecond)
	s.run(15 * time.Second)
	for i, want := range []string{"2", "1", "0"} {
		if got := s.bobs[i].layer(); got != want {
			t.Errorf("on a line of %d kbit/s the receiver gets layer %s, want %s; estimate %d kbit/s", s.bobs[i].rate/1000, got, want,
				s.bobs[i].transport.AvailableOutgoingBitrate()/1000)
		}
	}
	lost := [3]int{s.bobs[0].lost, s.bobs[1].lost, s.bobs[2].lost}
	s.run(10 * time.Second)
	for i, bob := range s.bobs {
		if n := bob.lost - lost[i]; n > 20 {
			t.Errorf("the line of %d kbit/s lost %d packets in 10 s although nothing changed", bob.rate/1000, n)
		}
	}
}

func TestReceiverFollowsItsLineDownAndUp(t *testing.T) {
	s := newLines(t, 3*bwe.MegabitPerSecond)
	bob := s.bobs[0]
	s.run(10 * time.Second)
	if bob.layer() != "2" {
		t.Fatalf("it begins with layer %s", bob.layer())
	}
	bob.rate = 700 * bwe.KilobitPerSecond
	s.run(2 * time.Second)
	if bob.layer() != "1" {
		t.Errorf("two seconds after its line got narrow it gets layer %s; estimate %d kbit/s", bob.layer(), bob.transport.AvailableOutgoingBitrate()/1000)
	}
	bob.rate = 3 * bwe.MegabitPerSecond
	s.run(15 * time.Second)
	if bob.layer() != "2" {
		t.Errorf("15 s after its line got wide it gets layer %s; estimate %d kbit/s", bob.layer(), bob.transport.AvailableOutgoingBitrate()/1000)
	}
}

func TestReceiverRecoversFromALineThatCarriedNearlyNothing(t *testing.T) {
	s := newLines(t, 3*bwe.MegabitPerSecond)
	bob := s.bobs[0]
	s.run(3 * time.Second)
	bob.rate = 40 * bwe.KilobitPerSecond
	s.run(6 * time.Second)
	low := bob.transport.AvailableOutgoingBitrate()
	bob.rate = 3 * bwe.MegabitPerSecond
	s.run(18 * time.Second)
	if bob.layer() != "2" {
		t.Errorf("18 s after its line got wide it gets layer %s; estimate %d kbit/s, which was %d", bob.layer(), bob.transport.AvailableOutgoingBitrate()/1000, low/1000)
	}
}

// TestNarrowLinePausesTheLeastImportantVideo has a receiver of two videos of
// 450 kbit/s each, whose line carries one.
func TestNarrowLinePausesTheLeastImportantVideo(t *testing.T) {
	s := newLines(t, 600*bwe.KilobitPerSecond)
	bob := s.bobs[0]
	bob.consumer.Close()
	var told []string
	consume := func(mid string, ssrc uint32) *Consumer {
		params := videoParameters()
		params.MID, params.Encodings = mid, []ortc.RTPEncodingParameters{{SSRC: ssrc, RTX: &ortc.RTXParameters{SSRC: ssrc + 100}}}
		params.HeaderExtensions = nil
		return bob.consume(s.alice.produce(ortc.Video, params), func(o *ConsumerOptions) {
			o.Events.BandwidthPaused = func() { told = append(told, mid+" paused") }
			o.Events.BandwidthResumed = func() { told = append(told, mid+" resumed") }
		})
	}
	unimportant, important := consume("one", 71), consume("two", 72)
	bob.consumer = important
	if err := important.SetPriority(9); err != nil || important.Priority() != 9 {
		t.Fatalf("%v; the priority is %d", err, important.Priority())
	}
	seq := uint16(0)
	run := func(d time.Duration) {
		for end := s.now.Add(d); s.now < end; {
			asked := map[uint32]bool{}
			for _, p := range s.alice.take().only(rtp.TypePSFB, rtp.FormatPLI) {
				_, media, _ := p.FeedbackSSRCs()
				asked[media] = true
			}
			for j := range 3 {
				seq++
				for _, ssrc := range []uint32{71, 72} {
					p := videoPacket(seq, rtpUnits(s.now.Sub(s.start), 90000), j == 2, asked[ssrc] && j == 0, 700)
					p.SSRC = ssrc
					s.alice.sendRTP(p)
				}
			}
			for range 4 {
				bob.run(s.twccID)
				s.advance(10 * time.Millisecond)
			}
		}
	}
	run(5 * time.Second)
	sent := func() (n [2]uint64) {
		for i, c := range []*Consumer{unimportant, important} {
			n[i] = c.Stats()[0].PacketCount
		}
		return n
	}
	before := sent()
	run(5 * time.Second)
	after := sent()
	if n := after[0] - before[0]; n > 40 { // may be tried once
		t.Errorf("%d packets of the unimportant video were sent on a line that carries the other only", n)
	}
	if n := after[1] - before[1]; n < 370 {
		t.Errorf("%d packets of the important video were sent, of 375", n)
	}
	if len(told) == 0 || told[0] != "one paused" {
		t.Errorf("told %q", told)
	}
	bob.rate = 3 * bwe.MegabitPerSecond
	run(15 * time.Second)
	if told[len(told)-1] != "one resumed" {
		t.Errorf("on a wide line, told %q", told)
	}
	if err := important.SetPriority(0); err == nil {
		t.Error("priority 0 was taken")
	}
}

func TestOutgoingBitrateIsLimited(t *testing.T) {
	s := newLines(t, 10*bwe.MegabitPerSecond)
	bob := s.bobs[0]
	if err := bob.transport.SetMaxOutgoingBitrate(500 * bwe.KilobitPerSecond); err != nil {
		t.Fatal(err)
	}
	s.run(6 * time.Second)
	st := bob.transport.Stats()
	if bob.layer() != "1" || st.AvailableOutgoingBitrate > 500_000 || st.AvailableOutgoingBitrate == 0 || st.MaxOutgoingBitrate != 500_000 {
		t.Errorf("with 500 kbit/s at most it gets layer %s; %+v", bob.layer(), st)
	}
	if err := bob.transport.SetMinOutgoingBitrate(600 * bwe.KilobitPerSecond); err == nil {
		t.Error("a minimum above the maximum was taken")
	}
	if _, err := s.router.NewWebRTCTransport(WebRTCTransportOptions{OutgoingBitrates: OutgoingBitrates{Min: 2, Max: 1}}); err == nil {
		t.Error("a transport with a minimum above the maximum was made")
	}
}
