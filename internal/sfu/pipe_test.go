package sfu

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// newFarRouter makes a second router, which counts payload types another way.
func (r *rig) newFarRouter(codecs ...ortc.RTPCodecCapability) *Router {
	r.tb.Helper()
	if codecs == nil {
		codecs = DefaultMediaCodecs()
		slices.Reverse(codecs)
	}
	far, err := r.sfu.NewRouter(RouterOptions{MediaCodecs: codecs})
	if err != nil {
		r.tb.Fatal(err)
	}
	return far
}

// connectTo is connect to another router.
func (r *rig) connectTo(router *Router) *client {
	r.tb.Helper()
	t, err := router.NewWebRTCTransport(WebRTCTransportOptions{})
	if err != nil {
		r.tb.Fatal(err)
	}
	c := &client{rig: r, transport: t}
	c.rebind()
	c.check(true)
	c.shakeHands(srtp.ProtectionProfileAeadAes128Gcm)
	return c
}

func (r *rig) pipe(to *Router, p *Producer, o PipeOptions) *Producer {
	r.tb.Helper()
	view, err := p.transport.router.PipeTo(to, p.ID(), o)
	if err != nil {
		r.tb.Fatal(err)
	}
	return view
}

// settleAll is settle for what happens in several routers.
func (r *rig) settleAll(routers ...*Router) {
	for range 3 { // what one has to do may be the consequence of another's
		r.settle()
		for _, router := range routers {
			done := make(chan struct{})
			router.events.post(func() { close(done) })
			<-done
		}
	}
}

func farCapabilities(far *Router) func(*ConsumerOptions) {
	return func(o *ConsumerOptions) { o.RTPCapabilities = far.RTPCapabilities() }
}

func TestPipedProducerIsConsumedInAnotherRouter(t *testing.T) {
	r := newRig(t)
	far := r.newFarRouter()
	alice, bob, carol := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{}), r.connectTo(far)
	p := alice.produce(ortc.Video, videoParameters())
	near := bob.consume(p)
	view := r.pipe(far, p, PipeOptions{AppData: "piped"})
	if view.ID() != p.ID() || far.Producer(p.ID()) != view || view.AppData() != "piped" || view.Kind() != p.Kind() || view.Type() != p.Type() {
		t.Errorf("piped as %q", view.ID())
	}
	if !far.CanConsume(p.ID(), far.RTPCapabilities()) {
		t.Error("it cannot be consumed")
	}
	c := carol.consume(view, farCapabilities(far))
	if c.Producer() != view || c.ProducerID() != p.ID() {
		t.Error("it is a consumer of something else")
	}
	nearPT, farPT := near.params.Codecs[0].PayloadType, c.params.Codecs[0].PayloadType
	if nearPT == farPT {
		t.Fatal("both routers count payload types alike: this tests nothing")
	}
	for seq := range uint16(20) {
		alice.sendRTP(videoPacket(seq, uint32(seq)*3000, true, seq == 0, 500))
	}
	for name, x := range map[string]struct {
		got []received
		pt  uint8
	}{"near": {bob.take().rtp, nearPT}, "far": {carol.take().rtp, farPT}} {
		if len(x.got) != 20 {
			t.Fatalf("%s: received %d packets", name, len(x.got))
		}
		for _, g := range x.got {
			if g.header.PayloadType != x.pt {
				t.Fatalf("%s: payload type %d, want %d", name, g.header.PayloadType, x.pt)
			}
		}
	}

	t.Run("what is asked for again", func(t *testing.T) {
		carol.sendRTCP(rtp.AppendNACK(nil, 9, c.ssrc, []uint16{uint16(c.rewrite.seq)}))
		again := carol.take().rtp
		if len(again) != 1 || again[0].header.SSRC != c.rtxSSRC || again[0].header.PayloadType != c.params.Codecs[1].PayloadType {
			t.Fatalf("received %v", again)
		}
	})
	t.Run("keyframes", func(t *testing.T) {
		r.advance(2 * defaultKeyframeInterval)
		alice.take()
		carol.sendRTCP(rtp.AppendPLI(nil, 9, c.ssrc))
		if n := alice.take().plis(); n != 1 {
			t.Errorf("alice was asked %d times", n)
		}
	})
	t.Run("loss on the way in", func(t *testing.T) {
		near.Pause() // only the far one needs it
		alice.take()
		alice.sendRTP(videoPacket(22, 66000, true, false, 500))
		if len(alice.take().only(rtp.TypeRTPFB, rtp.FormatNACK)) == 0 {
			t.Error("what is missing was not asked for")
		}
		near.Resume()
	})
	t.Run("figures", func(t *testing.T) {
		if st := view.Stats(); len(st) != 1 || st[0].PacketCount != 21 {
			t.Errorf("of the producer: %+v", st)
		}
		if st := c.Stats(); len(st) != 2 || st[0].PacketCount == 0 {
			t.Errorf("of the consumer: %+v", st)
		}
		if s := view.Score(); len(s) != 1 || len(c.Score().ProducerScores) != 1 {
			t.Errorf("score %v", s)
		}
		if st := r.sfu.Stats(); st.Producers[ortc.Video] != 1 || st.Consumers[ortc.Video] != 2 {
			t.Errorf("counted %v producers and %v consumers", st.Producers, st.Consumers)
		}
	})
}

func TestPipedProducerFollowsTheOriginal(t *testing.T) {
	r := newRig(t)
	middle, far := r.newFarRouter(), r.newFarRouter(DefaultMediaCodecs()...)
	alice, carol := r.connect(WebRTCTransportOptions{}), r.connectTo(far)
	p := alice.produce(ortc.Video, videoParameters())
	var mu sync.Mutex
	var told []string
	note := func(what string) { mu.Lock(); defer mu.Unlock(); told = append(told, what) }
	want := func(list ...string) {
		t.Helper()
		r.settleAll(middle, far)
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(told, list) {
			t.Errorf("told %v, want %v", told, list)
		}
		told = nil
	}
	p.Pause()
	first := r.pipe(middle, p, PipeOptions{})
	view := r.pipe(far, first, PipeOptions{Events: ProducerEvents{ // by two pipes in a row
		Paused: func() { note("paused") }, Resumed: func() { note("resumed") },
		Score:  func(s []EncodingScore) { note(fmt.Sprint("score ", s[0].Score)) },
		Closed: func(reason CloseReason) { note(string(reason)) },
	}})
	if !first.Paused() || !view.Paused() {
		t.Error("what is piped from a paused one is not paused")
	}
	c := carol.consume(view, farCapabilities(far), func(o *ConsumerOptions) {
		o.Events.ProducerPaused = func() { note("consumer: paused") }
		o.Events.ProducerResumed = func() { note("consumer: resumed") }
		o.Events.Closed = func(reason CloseReason) { note("consumer: " + string(reason)) }
	})
	p.Resume()
	want("resumed", "consumer: resumed")
	alice.sendRTP(videoPacket(1, 0, true, true, 500))
	if got := carol.take().rtp; len(got) != 1 || got[0].header.PayloadType != c.params.Codecs[0].PayloadType {
		t.Errorf("received %v through two pipes", got)
	}
	r.advance(reportInterval / 2)
	alice.sendRTP(videoPacket(2, 3000, true, false, 500))
	r.advance(reportInterval/2 + clockPeriod)
	want("score 10")
	carol.take()
	p.Pause()
	alice.sendRTP(videoPacket(3, 3000, true, true, 500))
	want("paused", "consumer: paused")
	if got := carol.take().rtp; len(got) != 0 {
		t.Errorf("received %d packets of what is paused", len(got))
	}
	p.Resume()
	want("resumed", "consumer: resumed")
	first.Pause() // the one in the middle by itself
	want("paused", "consumer: paused")
	alice.sendRTP(videoPacket(4, 6000, true, true, 500))
	if got := carol.take().rtp; len(got) != 0 {
		t.Errorf("received %d packets of what is paused in the middle", len(got))
	}
	first.Resume()
	want("resumed", "consumer: resumed")
	p.Close()
	want("consumer: producerClosed", "producerClosed")
	if !view.Closed() || !first.Closed() || !c.Closed() || far.Producer(p.ID()) != nil {
		t.Error("something goes on")
	}
}

func TestPipedProducerEndsByItself(t *testing.T) {
	r := newRig(t)
	far := r.newFarRouter()
	alice, bob, carol := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{}), r.connectTo(far)
	p := alice.produce(ortc.Video, videoParameters())
	bob.consume(p)
	for round := range 3 {
		view := r.pipe(far, p, PipeOptions{})
		c := carol.consume(view, farCapabilities(far))
		alice.sendRTP(videoPacket(uint16(2*round), 0, true, true, 500))
		if got := carol.take().rtp; len(got) != 1 {
			t.Fatalf("received %d packets", len(got))
		}
		view.Close()
		if !c.Closed() || p.Closed() {
			t.Error("closing went the wrong way")
		}
		carol.take()
		alice.sendRTP(videoPacket(uint16(2*round+1), 0, true, true, 500))
		if got := carol.take().rtp; len(got) != 0 {
			t.Error("packets still come")
		}
		if len(p.views.all()) != 0 || len(*p.fanout.Load()) != 1 {
			t.Errorf("%d views, %d consumers are left", len(p.views.all()), len(*p.fanout.Load()))
		}
	}
	view := r.pipe(far, p, PipeOptions{})
	far.Close()
	r.settle()
	if !view.Closed() || len(p.views.all()) != 0 {
		t.Error("the end of its router did not end it")
	}
	alice.sendRTP(videoPacket(10, 0, true, true, 500))
	if got := bob.take().rtp; len(got) != 7 {
		t.Errorf("the receiver at home got %d packets", len(got))
	}
}

func TestLayersGoThroughPipes(t *testing.T) {
	s := newSimulcast(t)
	far := s.newFarRouter()
	carol := s.connectTo(far)
	view := s.pipe(far, s.producer, PipeOptions{})
	if view.Type() != ortc.Simulcast || len(view.ConsumableRTPParameters().Encodings) != 3 {
		t.Fatalf("piped as %v", view.Type())
	}
	c := carol.consume(view, farCapabilities(far))
	if err := s.consumer.SetPreferredLayers(Layer{Spatial: 2}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetPreferredLayers(Layer{Spatial: 1}); err != nil {
		t.Fatal(err)
	}
	var near, distant int
	for range 100 {
		s.frame(0, 1, 2)
		for _, p := range s.bob.take().rtp {
			near = len(p.payload)
		}
		for _, p := range carol.take().rtp {
			distant = len(p.payload)
		}
		s.advance(40 * time.Millisecond)
	}
	if near != 300 || distant != 200 {
		t.Errorf("packets of %d and %d bytes, want 300 near and 200 far", near, distant)
	}
}

func TestSpeakersAreHeardThroughPipes(t *testing.T) {
	r := newRig(t)
	far := r.newFarRouter()
	v := newVoice(r)
	view := r.pipe(far, v.Producer, PipeOptions{})
	var volumes [][]ProducerVolume
	o, err := far.NewAudioLevelObserver(AudioLevelObserverOptions{
		Events: AudioLevelObserverEvents{Volumes: func(list []ProducerVolume) { volumes = append(volumes, list) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.AddProducer(view.ID()); err != nil {
		t.Fatal(err)
	}
	r.talk(1100*time.Millisecond, []*voice{v}, 30)
	r.settleAll(far)
	if len(volumes) == 0 || volumes[0][0].Producer != view || volumes[0][0].DBov != -30 {
		t.Errorf("heard %v", volumes)
	}
}

func TestPipeRefuses(t *testing.T) {
	r := newRig(t)
	far := r.newFarRouter()
	alice := r.connect(WebRTCTransportOptions{})
	p := alice.produce(ortc.Video, videoParameters())
	pipe := func(to *Router, id string) error {
		_, err := r.router.PipeTo(to, id, PipeOptions{})
		return err
	}
	if err := pipe(r.router, p.ID()); kindOf(err) != ortc.TypeError {
		t.Errorf("to itself: %v", err)
	}
	if err := pipe(newTestRouter(t), p.ID()); kindOf(err) != ortc.TypeError {
		t.Errorf("to another server's: %v", err)
	}
	if err := pipe(far, "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
	audioOnly := r.newFarRouter(DefaultMediaCodecs()[0])
	if err := pipe(audioOnly, p.ID()); kindOf(err) != ortc.UnsupportedError {
		t.Errorf("to one without the codec: %v", err)
	}
	r.pipe(far, p, PipeOptions{})
	if err := pipe(far, p.ID()); kindOf(err) != ortc.InvalidState || len(p.views.all()) != 1 {
		t.Errorf("twice: %v", err)
	}
	far.Close()
	if err := pipe(far, p.ID()); !errors.Is(err, ErrClosed) || len(p.views.all()) != 0 {
		t.Errorf("to a closed one: %v", err)
	}
}

// Consumers come and go in two routers while the producer is piped, paused and
// ended: nobody may wait for anybody, and nothing may be left.
func TestPipesUnderEverythingAtOnce(t *testing.T) {
	r := newRig(t)
	far := r.newFarRouter()
	alice := r.connect(WebRTCTransportOptions{})
	bob, carol := r.connect(WebRTCTransportOptions{}), r.connectTo(far)
	for range 20 {
		p := alice.produce(ortc.Video, videoParameters())
		view := r.pipe(far, p, PipeOptions{})
		var all sync.WaitGroup
		consume := func(c *client, p *Producer, router *Router) {
			for range 30 {
				consumer, err := c.transport.Consume(ConsumerOptions{ProducerID: p.ID(), RTPCapabilities: router.RTPCapabilities()})
				if err != nil {
					if !errors.Is(err, ErrNotFound) {
						t.Error(err)
					}
					return
				}
				consumer.RequestKeyFrame()
				consumer.Stats()
				consumer.Close()
			}
		}
		all.Go(func() { consume(bob, p, r.router) })
		all.Go(func() { consume(carol, view, far) })
		all.Go(func() { consume(carol, view, far) })
		all.Go(func() {
			for range 10 {
				p.Pause()
				p.Resume()
				view.Score()
			}
			p.Close()
		})
		for seq := range uint16(30) {
			alice.sendRTP(videoPacket(seq, uint32(seq)*3000, true, seq == 0, 100))
		}
		all.Wait()
		r.settleAll(far)
		if n := len(*p.fanout.Load()); n != 0 || !view.Closed() || far.Producer(p.ID()) != nil {
			t.Fatalf("%d consumers are left; the piped one is closed: %t", n, view.Closed())
		}
	}
}
