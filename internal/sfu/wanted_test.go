package sfu

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pion/srtp/v3"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

func TestSenderIsToldOfMoreAtOnceAndOfLessLater(t *testing.T) {
	const s = time.Second
	start := mono.Instant(time.Hour)
	for name, test := range map[string]struct {
		wanted map[time.Duration]int8
		want   string
	}{
		"nobody comes":                   {map[time.Duration]int8{0: -1}, "2s:-1"},
		"all is wanted":                  {map[time.Duration]int8{0: 2}, ""},
		"the second comes soon":          {map[time.Duration]int8{0: -1, s: 2}, ""},
		"the second comes late":          {map[time.Duration]int8{0: -1, 5 * s: 1}, "2s:-1 5s:1"},
		"less":                           {map[time.Duration]int8{0: 2, s: 0}, "3s:0"},
		"less and back":                  {map[time.Duration]int8{0: 2, s: 0, 2 * s: 2}, ""},
		"less, and still less":           {map[time.Duration]int8{0: 1, 1900 * time.Millisecond: -1}, "2s:1 4s:-1"},
		"less, and a little more":        {map[time.Duration]int8{0: -1, s: 0}, "2s:0"},
		"more by and by":                 {map[time.Duration]int8{0: -1, 3 * s: 0, 4 * s: 1, 5 * s: 2}, "2s:-1 3s:0 4s:1 5s:2"},
		"back after it was told of less": {map[time.Duration]int8{0: 0, 3 * s: 2, 4 * s: 0, 5 * s: 2}, "2s:0 3s:2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := wantedLayers{told: 2}
			var told []string
			for d := time.Duration(0); d <= 10*s; d += 100 * time.Millisecond {
				tell := w.expire(start.Add(d))
				if highest, changes := test.wanted[d]; changes {
					tell = w.want(start.Add(d), highest) || tell
				}
				if tell {
					told = append(told, fmt.Sprintf("%v:%d", d, w.told))
				}
			}
			if got := fmt.Sprint(told); got != "["+test.want+"]" {
				t.Errorf("told %v, want %v", got, test.want)
			}
		})
	}
}

// Whatever is wanted when: the sender is never told of less than is wanted, nor
// of less than was within the last wantedHold, and in the end of just that.
func TestWantedLayersUnderRandomWishes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := wantedLayers{told: 2}
		now := mono.Instant(time.Hour)
		lastWanted := [3]mono.Instant{now, now, now} // by layer
		highest := int8(2)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "changes") {
				highest = int8(rapid.IntRange(-1, 2).Draw(t, "highest"))
			}
			w.want(now, highest)
			for layer := range highest + 1 {
				lastWanted[layer] = now
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			for layer := range highest + 1 {
				lastWanted[layer] = now
			}
			before := w.told
			if told := w.expire(now); told != (w.told != before) || told && w.told > before {
				t.Fatalf("told %t: %d after %d", told, w.told, before)
			}
			for layer, at := range lastWanted {
				if w.told < int8(layer) && now.Sub(at) < wantedHold && before >= int8(layer) {
					t.Fatalf("told of %d, though %d was wanted %v before", w.told, layer, now.Sub(at))
				}
			}
			if w.told < highest {
				t.Fatalf("told of %d while %d is wanted", w.told, highest)
			}
		}
		for range 3 {
			now = now.Add(wantedHold)
			w.expire(now)
		}
		if w.told != highest || w.due != 0 {
			t.Fatalf("told of %d in the end, due at %d, want %d", w.told, w.due, highest)
		}
	})
}

// wantedTold is what the sender of a simulcast is told.
type wantedTold struct {
	*simulcast
	told []string
}

func newWantedTold(tb testing.TB) *wantedTold {
	tb.Helper()
	w := &wantedTold{simulcast: newSimulcast(tb)}
	w.producer.events.WantedLayer = func(spatial uint8, wanted bool) {
		told := fmt.Sprint(spatial)
		if !wanted {
			told = "none"
		}
		w.told = append(w.told, told)
	}
	return w
}

// after lets time pass and checks what was told meanwhile.
func (w *wantedTold) after(d time.Duration, want ...string) {
	w.tb.Helper()
	w.bob.check(true) // it is still there
	w.advance(d)
	if !slices.Equal(w.told, want) {
		w.tb.Errorf("told %v, want %v", w.told, want)
	}
	w.told = nil
	spatial, wanted := w.producer.WantedLayer()
	now := fmt.Sprint(spatial)
	if !wanted {
		now = "none"
	}
	if len(want) > 0 && now != want[len(want)-1] {
		w.tb.Errorf("now %v is wanted, told of %v", now, want)
	}
}

func (w *wantedTold) prefer(c *Consumer, spatial uint8) {
	w.tb.Helper()
	if err := c.SetPreferredLayers(Layer{Spatial: spatial}); err != nil {
		w.tb.Fatal(err)
	}
}

const soon = 2 * clockPeriod

func TestSenderIsToldWhatItsReceiversWant(t *testing.T) {
	w := newWantedTold(t)
	w.after(10 * time.Second) // bob wants all
	w.prefer(w.consumer, 1)
	w.after(wantedHold - soon)
	w.after(2*soon, "1")
	w.prefer(w.consumer, 0)
	w.after(wantedHold+soon, "0")
	w.prefer(w.consumer, 2)
	w.after(soon, "2")

	// Page hidden, and looked at again.
	w.consumer.Pause()
	w.after(wantedHold+soon, "none")
	w.consumer.Resume()
	w.after(soon, "2")
	w.consumer.Pause()
	w.after(wantedHold - soon)
	w.consumer.Resume()
	w.after(10 * time.Second)

	// Others come and go.
	carol := w.connect(WebRTCTransportOptions{})
	second := carol.consume(w.producer, func(o *ConsumerOptions) { o.PreferredLayers = &Layer{Spatial: 1} })
	w.after(10 * time.Second)
	w.consumer.Close()
	w.after(wantedHold+soon, "1")
	second.Close()
	w.after(wantedHold+soon, "none")
	third := carol.consume(w.producer, func(o *ConsumerOptions) { o.PreferredLayers = &Layer{} })
	w.after(soon, "0")
	carol.transport.Close()
	w.after(wantedHold+soon, "none")
	if !third.Closed() {
		t.Error("the consumer did not end with its transport")
	}

	// A receiver counts once media can reach it.
	dave := w.newClient(WebRTCTransportOptions{})
	dave.consume(w.producer)
	w.after(wantedHold + soon)
	dave.check(true)
	dave.shakeHands(srtp.ProtectionProfileAeadAes128Gcm)
	w.after(soon, "2")
}

func TestNothingIsWantedOfAPausedProducer(t *testing.T) {
	w := newWantedTold(t)
	w.producer.Pause()
	w.after(wantedHold+soon, "none")
	w.producer.Resume()
	w.after(soon, "2")
	w.producer.Pause()
	w.producer.Close()
	w.advance(time.Minute)
	if len(w.told) != 0 {
		t.Errorf("told %v after its end", w.told)
	}
}

// What the line carries is not what is wanted: otherwise a receiver that was sent
// the smallest once would never be sent more.
func TestNarrowLineTakesNothingOffWhatIsWanted(t *testing.T) {
	s := newLines(t, 120*bwe.KilobitPerSecond)
	s.run(10 * time.Second)
	if l, sent := s.bobs[0].consumer.CurrentLayers(); !sent || l.Spatial != 0 {
		t.Fatalf("the line carries %v, %t: this tests nothing", l, sent)
	}
	if spatial, wanted := s.producer.WantedLayer(); spatial != 2 || !wanted {
		t.Errorf("%d is wanted, %t", spatial, wanted)
	}
}

func TestReceiversInOtherRoutersCountAsWanting(t *testing.T) {
	w := newWantedTold(t)
	middle, far := w.newFarRouter(), w.newFarRouter(DefaultMediaCodecs()...)
	var ofView []string
	first := w.pipe(middle, w.producer, PipeOptions{})
	view := w.pipe(far, first, PipeOptions{Events: ProducerEvents{WantedLayer: func(uint8, bool) { ofView = append(ofView, "told") }}})
	carol := w.connectTo(far)
	c := carol.consume(view, farCapabilities(far))
	w.prefer(c, 1)
	w.prefer(w.consumer, 0)
	w.after(wantedHold+soon, "1")
	c.Pause()
	w.after(wantedHold+soon, "0")
	c.Resume()
	w.after(soon, "1")
	first.Pause()
	w.settleAll(middle, far)
	w.after(wantedHold+soon, "0")
	first.Resume()
	w.settleAll(middle, far)
	w.after(soon, "1")
	if spatial, wanted := view.WantedLayer(); spatial != 1 || !wanted {
		t.Errorf("of the view %d, %t", spatial, wanted)
	}
	first.Close()
	w.settleAll(middle, far)
	w.after(wantedHold+soon, "0")
	w.settleAll(middle, far)
	if len(ofView) != 0 {
		t.Error("told of a view")
	}
}

func TestLayersInOneStreamAreWantedLikewise(t *testing.T) {
	s := newSVC(t, 1)
	p := s.consumer.Producer()
	check := func(spatial uint8, wanted bool) {
		t.Helper()
		if got, any := p.WantedLayer(); got != spatial || any != wanted {
			t.Errorf("%d, %t is wanted, want %d, %t", got, any, spatial, wanted)
		}
	}
	check(2, true)
	s.advance(wantedHold + soon)
	check(1, true)
	s.consumer.Close()
	s.advance(wantedHold + soon)
	check(0, false)
}

func TestAudioIsAlwaysWanted(t *testing.T) {
	r := newRig(t)
	p := newVoice(r).Producer
	p.events.WantedLayer = func(uint8, bool) { t.Error("told of audio") }
	r.advance(10 * time.Second)
	if _, wanted := p.WantedLayer(); !wanted {
		t.Error("nothing is wanted")
	}
}

// keyframesAsked are the encodings of which a keyframe was asked for.
func (s *simulcast) keyframesAsked() (asked []int) {
	for _, p := range s.alice.take().only(rtp.TypePSFB, rtp.FormatPLI) {
		_, media, _ := p.FeedbackSSRCs()
		asked = append(asked, int(media-s.layers[0].ssrc))
	}
	return asked
}

func TestNoKeyframeIsAskedForThatNobodyAwaits(t *testing.T) {
	s := newSimulcast(t)
	send := func() {
		for i := range s.layers {
			s.alice.sendRTP(s.packet(i, false))
		}
	}
	send()
	if asked := s.keyframesAsked(); len(asked) == 0 {
		t.Fatal("none was asked for to begin with")
	}
	s.consumer.Pause()
	for range 50 {
		send()
		s.advance(100 * time.Millisecond)
	}
	s.consumer.RequestKeyFrame()
	s.bob.sendRTCP(rtp.AppendPLI(nil, 9, s.consumer.ssrc))
	if asked := s.keyframesAsked(); len(asked) != 0 {
		t.Errorf("asked for keyframes of %v of what is paused", asked)
	}
}

// A receiver whose line carries nothing of a video wants it, but neither a
// keyframe nor a repair would reach it.
func TestWhatTheLineDoesNotCarryIsLeftAlone(t *testing.T) {
	s := newSimulcast(t)
	for range 50 {
		s.frame(0, 1, 2)
		s.bob.take()
		s.advance(40 * time.Millisecond)
	}
	s.bob.transport.sendMu.Lock()
	s.bob.transport.send.bandwidth.due = s.now.Add(time.Hour) // it stays as it is
	s.consumer.allowLocked(bwe.Paused)
	s.bob.transport.sendMu.Unlock()
	s.alice.take()
	for i := range s.layers {
		s.layers[i].seq++ // lost
	}
	s.frame(0, 1, 2)
	s.bob.sendRTCP(rtp.AppendPLI(nil, 9, s.consumer.ssrc))
	got := s.alice.take()
	if n := len(got.only(rtp.TypeRTPFB, rtp.FormatNACK)); n != 0 || got.plis() != 0 {
		t.Errorf("asked for %d repairs and %d keyframes", n, got.plis())
	}
	if _, wanted := s.producer.WantedLayer(); !wanted {
		t.Error("it is not wanted any more")
	}
}

// An encoding that the sender has left out comes back with a keyframe, which must
// not be missed: another one would have to be asked for.
func TestEncodingThatReturnsIsForwardedFromItsFirstPacket(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	params := videoParameters()
	params.Encodings = []ortc.RTPEncodingParameters{{SSRC: 3000}, {SSRC: 3001}}
	p := alice.produce(ortc.Video, params)
	c := bob.consume(p)
	send := func(ssrc uint32, seq uint16, key bool) {
		packet := videoPacket(seq, uint32(seq)*3600, true, key, int(ssrc-2900))
		packet.SSRC = ssrc
		alice.sendRTP(packet)
	}
	for seq := range uint16(50) {
		send(3000, seq, seq == 0)
		send(3001, seq, seq == 0)
		r.advance(40 * time.Millisecond)
	}
	bob.transport.sendMu.Lock()
	bob.transport.send.bandwidth.due = r.now.Add(time.Hour)
	c.allowLocked(choices - 1) // the line carries all
	bob.transport.sendMu.Unlock()
	for seq := uint16(50); seq < 100; seq++ {
		send(3000, seq, seq == 80)
		r.advance(40 * time.Millisecond)
	}
	bob.take()
	send(3001, 50, true)
	if got := bob.take().rtp; len(got) != 1 || len(got[0].payload) != 101 {
		t.Errorf("%d packets were forwarded", len(got))
	}
}
