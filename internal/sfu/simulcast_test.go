package sfu

import (
	"errors"
	"fmt"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// sentEncoding is one encoding of a simulcast sender.
type sentEncoding struct {
	rid  string
	ssrc uint32
	seq  uint16
	ts   uint32 // when the sender's clock began
}

// simulcast is a sender of three encodings known by RID, and one receiver.
type simulcast struct {
	*rig
	alice, bob *client
	producer   *Producer
	consumer   *Consumer
	layers     [3]sentEncoding
	start      mono.Instant
	told       []string // by LayersChange
}

func newSimulcast(tb testing.TB) *simulcast {
	tb.Helper()
	r := newRig(tb)
	s := &simulcast{rig: r, alice: r.connect(WebRTCTransportOptions{}), bob: r.connect(WebRTCTransportOptions{}), start: r.now}
	params := videoParameters()
	params.HeaderExtensions = []ortc.RTPHeaderExtensionParameters{
		{URI: ortc.URIMID, ID: 9}, {URI: ortc.URIRTPStreamID, ID: 10}, {URI: ortc.URIRepairedRTPStreamID, ID: 11},
	}
	params.Encodings = nil
	for i, rid := range []string{"q", "h", "f"} {
		params.Encodings = append(params.Encodings, ortc.RTPEncodingParameters{RID: rid})
		s.layers[i] = sentEncoding{rid: rid, ssrc: uint32(3000 + i), seq: uint16(65530 + 1000*i), ts: uint32(i) * 1_000_000_000}
	}
	s.producer = s.alice.produce(ortc.Video, params)
	s.consumer = s.bob.consume(s.producer, func(o *ConsumerOptions) {
		o.Events.LayersChange = func(l Layer, sent bool) {
			told := fmt.Sprint(l)
			if !sent {
				told = "none"
			}
			s.told = append(s.told, told)
		}
	})
	return s
}

// packet makes the next packet of layer i; its size tells the layer.
func (s *simulcast) packet(i int, key bool) *pionrtp.Packet {
	s.tb.Helper()
	l := &s.layers[i]
	l.seq++
	p := videoPacket(l.seq, l.ts+rtpUnits(s.now.Sub(s.start), 90000), true, key, 100*(i+1))
	p.SSRC = l.ssrc
	for id, data := range map[uint8]string{9: "0", 10: l.rid} {
		if err := p.SetExtension(id, []byte(data)); err != nil {
			s.tb.Fatal(err)
		}
	}
	return p
}

// frame sends one frame of each of the layers; a keyframe where it was asked
// for.
func (s *simulcast) frame(layers ...int) {
	s.tb.Helper()
	asked := map[uint32]bool{}
	for _, p := range s.alice.take().only(rtp.TypePSFB, rtp.FormatPLI) {
		_, media, _ := p.FeedbackSSRCs()
		asked[media] = true
	}
	for _, i := range layers {
		s.alice.sendRTP(s.packet(i, asked[s.layers[i].ssrc]))
	}
}

func TestSimulcastForwardsTheBestEncodingThatArrives(t *testing.T) {
	s := newSimulcast(t)
	if s.producer.Type() != ortc.Simulcast || len(s.consumer.RTPParameters().Encodings) != 1 {
		t.Errorf("producer is %v, consumer has %d encodings", s.producer.Type(), len(s.consumer.RTPParameters().Encodings))
	}
	var sizes []int
	last, lastTS := -1, uint32(0)
	second := func(layers ...int) {
		for range 25 {
			s.frame(layers...)
			for _, p := range s.bob.take().rtp {
				if last >= 0 && p.header.SequenceNumber != uint16(last+1) {
					t.Errorf("seq %d after %d", p.header.SequenceNumber, last)
				}
				if last >= 0 && !rtp.TSNewer(p.header.Timestamp, lastTS) {
					t.Errorf("timestamp %d after %d", p.header.Timestamp, lastTS)
				}
				last, lastTS = int(p.header.SequenceNumber), p.header.Timestamp
				if n := len(p.payload); len(sizes) == 0 || sizes[len(sizes)-1] != n {
					sizes = append(sizes, n)
				}
			}
			s.advance(40 * time.Millisecond)
		}
	}
	second(0)       // a browser begins with the lowest
	second(0, 1, 2) // its uplink suffices for all
	second(0)       // it gets narrow …
	second(0)       //
	second(0, 1)    // … and a little wider
	second(0, 1, 2) //
	second(0, 2)    // the middle one is no loss
	if want := "[100 300 100 200 300]"; fmt.Sprint(sizes) != want {
		t.Errorf("forwarded %v, want %v", sizes, want)
	}
	if n := len(s.producer.Stats()); n != 3 {
		t.Errorf("statistics of %d streams", n)
	}
}

func TestSimulcastForwardsNoMoreThanThePreferredEncoding(t *testing.T) {
	s := newSimulcast(t)
	second := func(layers ...int) (sizes []int) {
		for range 25 {
			s.frame(layers...)
			for _, p := range s.bob.take().rtp {
				if n := len(p.payload); len(sizes) == 0 || sizes[len(sizes)-1] != n {
					sizes = append(sizes, n)
				}
			}
			s.advance(40 * time.Millisecond)
		}
		return sizes
	}
	prefer := func(spatial uint8) {
		t.Helper()
		if err := s.consumer.SetPreferredLayers(Layer{Spatial: spatial}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want string, got []int) {
		t.Helper()
		if fmt.Sprint(got) != want {
			t.Errorf("forwarded %v, want %v", got, want)
		}
	}
	if l, layered := s.consumer.PreferredLayers(); !layered || l != (Layer{Spatial: 2}) {
		t.Errorf("to begin with it prefers %v, %v", l, layered)
	}
	if _, sent := s.consumer.CurrentLayers(); sent {
		t.Error("it is sent something before there is anything")
	}
	prefer(0)
	check("[100]", second(0, 1, 2))
	prefer(1)
	check("[100 200]", second(0, 1, 2)) // goes on with the old one until the keyframe
	prefer(9)
	check("[200 300]", second(0, 1, 2))
	if l, _ := s.consumer.PreferredLayers(); l.Spatial != 2 {
		t.Errorf("it prefers layer %d of 3", l.Spatial)
	}
	prefer(0)
	check("[300]", second(1, 2))     // the lowest has fallen silent …
	check("[300 200]", second(1, 2)) // … so more than asked for, rather than nothing
	check("[200 100]", second(0, 1, 2))
	want := "[{0 0} {1 0} {2 0} {1 0} {0 0} none {0 0}]"
	s.consumer.Pause()
	s.consumer.Resume()
	check("[100]", second(0, 1, 2))
	if fmt.Sprint(s.told) != want {
		t.Errorf("told of %v, want %v", s.told, want)
	}
	s.consumer.Close()
	if err := s.consumer.SetPreferredLayers(Layer{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestNothingIsRepairedThatNobodyReceives(t *testing.T) {
	s := newSimulcast(t)
	if err := s.consumer.SetPreferredLayers(Layer{Spatial: 1}); err != nil {
		t.Fatal(err)
	}
	for range 50 { // until it is known what the encodings take
		s.frame(0, 1, 2)
		s.bob.take()
		s.advance(40 * time.Millisecond)
	}
	s.frame(0, 1, 2)
	s.alice.take()
	for i := range s.layers {
		s.layers[i].seq++ // lost
	}
	s.frame(0, 1, 2)
	var asked []uint32
	for _, p := range s.alice.take().only(rtp.TypeRTPFB, rtp.FormatNACK) {
		_, media, _ := p.FeedbackSSRCs()
		asked = append(asked, media)
	}
	if fmt.Sprint(asked) != fmt.Sprint([]uint32{s.layers[1].ssrc}) {
		t.Errorf("asked for packets of %v, want those of %d only", asked, s.layers[1].ssrc)
	}
}

func TestSimulcastRepairsTheEncodingThatWasLost(t *testing.T) {
	s := newSimulcast(t)
	s.frame(2)
	s.frame(2) // a keyframe, asked for by the first
	first := s.bob.take().rtp[0].header.SequenceNumber
	lost := s.packet(2, false)
	s.alice.sendRTP(s.packet(2, false))
	osn := lost.SequenceNumber
	lost.SSRC, lost.PayloadType, lost.SequenceNumber = 3999, videoRTXPT, 1
	lost.Payload = append([]byte{byte(osn >> 8), byte(osn)}, lost.Payload...)
	if err := lost.DelExtension(10); err != nil {
		t.Fatal(err)
	}
	if err := lost.SetExtension(11, []byte("f")); err != nil { // the RID repaired
		t.Fatal(err)
	}
	s.alice.sendRTP(lost)
	got := s.bob.take().rtp
	if len(got) != 2 || got[0].header.SequenceNumber != first+2 || got[1].header.SequenceNumber != first+1 {
		t.Errorf("%d packets arrived", len(got))
	}
}

// TestSimulcastUnderEverythingAtOnce lets encodings come and go, packets get
// lost and out of order, and the receiver pause, and checks what the receiver
// relies on: no packet twice, no hole but what was lost, time that goes forward.
func TestSimulcastUnderEverythingAtOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSimulcast(t)
		defer s.sfu.Close()
		var held []*pionrtp.Packet
		var seqs rtp.Unwrapper
		seen := map[int64]bool{}
		highest, highestTS := int64(-1), uint32(0)
		receive := func() {
			for _, p := range s.bob.take().rtp {
				extSeq := seqs.Unwrap(p.header.SequenceNumber)
				if seen[extSeq] {
					rt.Fatalf("seq %d came twice", p.header.SequenceNumber)
				}
				seen[extSeq] = true
				if extSeq > highest && highest >= 0 && rtp.TSNewer(highestTS, p.header.Timestamp) {
					rt.Fatalf("timestamp %d after %d", p.header.Timestamp, highestTS)
				}
				if extSeq > highest {
					highest, highestTS = extSeq, p.header.Timestamp
				}
			}
		}
		on := 7
		for range rapid.IntRange(20, 80).Draw(rt, "frames") {
			switch rapid.IntRange(0, 9).Draw(rt, "event") {
			case 0:
				on = rapid.IntRange(1, 7).Draw(rt, "layers on")
			case 1:
				s.advance(time.Duration(rapid.IntRange(0, 1500).Draw(rt, "silence")) * time.Millisecond)
			case 2:
				if s.consumer.Paused() {
					s.consumer.Resume()
				} else if rapid.Bool().Draw(rt, "pause") {
					s.consumer.Pause()
				}
			case 3:
				for _, p := range held {
					s.alice.sendRTP(p)
				}
				held = nil
			}
			for i := range 3 {
				if on>>i&1 == 0 {
					continue
				}
				p := s.packet(i, rapid.IntRange(0, 4).Draw(rt, "keyframe") == 0)
				switch rapid.IntRange(0, 9).Draw(rt, "fate") {
				case 0: // lost
				case 1:
					held = append(held, p)
				default:
					s.alice.sendRTP(p)
				}
			}
			s.alice.take()
			receive()
			s.advance(30 * time.Millisecond)
		}
	})
}
