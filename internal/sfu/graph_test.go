package sfu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/ortc"
)

// journal is what callbacks have told, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// take returns what was told since it was called last.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

func (j *journal) closed(name string) func(CloseReason) {
	return func(r CloseReason) { j.note("%s closed: %s", name, r) }
}

func (j *journal) transport(name string) TransportEvents {
	return TransportEvents{
		ICEStateChange:  func(s ice.State) { j.note("%s ICE %s", name, s) },
		DTLSStateChange: func(s dtls.State) { j.note("%s DTLS %s", name, s) },
		Closed:          j.closed(name),
	}
}

func (j *journal) producer(name string) ProducerEvents {
	return ProducerEvents{
		Closed: j.closed(name),
		Paused: func() { j.note("%s paused", name) }, Resumed: func() { j.note("%s resumed", name) },
	}
}

func (j *journal) consumer(name string) ConsumerEvents {
	return ConsumerEvents{
		Closed:         j.closed(name),
		ProducerPaused: func() { j.note("%s producer paused", name) }, ProducerResumed: func() { j.note("%s producer resumed", name) },
	}
}

// check compares what was told with what is wanted. The order of lines that
// are within one list of wanted is free: who is closed together has none.
func (j *journal) check(t *testing.T, wanted ...[]string) {
	t.Helper()
	got := j.take()
	for _, want := range wanted {
		n := min(len(want), len(got))
		have := slices.Sorted(slices.Values(got[:n]))
		if want = slices.Sorted(slices.Values(want)); !slices.Equal(have, want) {
			t.Fatalf("told %q, want %q, and then %q", have, want, got[n:])
		}
		got = got[n:]
	}
	if len(got) != 0 {
		t.Errorf("told %q as well", got)
	}
}

// graph is Alice's audio and video, consumed by Bob, and its journal. Nothing
// is connected.
type graph struct {
	journal
	sfu                          *SFU
	router                       *Router
	alice, bob                   *WebRTCTransport
	audio, video                 *Producer
	audioConsumer, videoConsumer *Consumer
}

func newGraph(t *testing.T) *graph {
	t.Helper()
	g := &graph{}
	g.router = newTestRouter(t)
	g.sfu = g.router.sfu
	g.alice = newTestTransport(t, g.router, WebRTCTransportOptions{Events: g.transport("alice")})
	g.bob = newTestTransport(t, g.router, WebRTCTransportOptions{Events: g.transport("bob")})
	produce := func(name string, kind ortc.MediaKind, params ortc.RTPParameters) *Producer {
		p, err := g.alice.Produce(ProducerOptions{Kind: kind, RTPParameters: params, Events: g.producer(name)})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	consume := func(name string, p *Producer) *Consumer {
		c, err := g.bob.Consume(ConsumerOptions{
			ProducerID: p.ID(), RTPCapabilities: g.router.RTPCapabilities(), Events: g.consumer(name),
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	g.audio, g.video = produce("audio", ortc.Audio, audioParameters()), produce("video", ortc.Video, videoParameters())
	g.audioConsumer, g.videoConsumer = consume("audio consumer", g.audio), consume("video consumer", g.video)
	return g
}

// settle waits until all callbacks that are due have been called.
func (g *graph) settle() {
	done := make(chan struct{})
	g.router.events.post(func() { close(done) })
	<-done
}

func TestClosingTellsWhoAndWhy(t *testing.T) {
	for _, c := range []struct {
		what  string
		close func(*graph)
		want  [][]string
	}{
		{"consumer", func(g *graph) { g.audioConsumer.Close(); g.audioConsumer.Close() }, [][]string{{"audio consumer closed: closed"}}},
		{"producer", func(g *graph) { g.video.Close(); g.video.Close() }, [][]string{{"video consumer closed: producerClosed"}, {"video closed: closed"}}},
		{"receiving transport", func(g *graph) { g.bob.Close(); g.bob.Close() },
			[][]string{{"audio consumer closed: transportClosed", "video consumer closed: transportClosed"}, {"bob closed: closed"}}},
		{"sending transport", func(g *graph) { g.alice.Close() }, [][]string{
			{"audio consumer closed: producerClosed", "audio closed: transportClosed", "video consumer closed: producerClosed", "video closed: transportClosed"},
			{"alice closed: closed"},
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			g := newGraph(t)
			c.close(g)
			g.settle()
			g.check(t, c.want...)
		})
	}
}

func TestClosedRouterTakesEverythingWithIt(t *testing.T) {
	g := newGraph(t)
	g.router.Close()
	g.router.Close()
	for what, closed := range map[string]bool{
		"router": g.router.Closed(), "alice": g.alice.Closed(), "bob": g.bob.Closed(), "audio": g.audio.Closed(),
		"video": g.video.Closed(), "audio consumer": g.audioConsumer.Closed(), "video consumer": g.videoConsumer.Closed(),
	} {
		if !closed {
			t.Errorf("%s is open", what)
		}
	}
	if g.alice.ICEState() != ice.StateClosed || g.alice.DTLSState() != dtls.StateClosed {
		t.Errorf("ICE %v, DTLS %v", g.alice.ICEState(), g.alice.DTLSState())
	}
	g.sfu.Close() // waits for the callbacks
	told := g.take()
	if len(told) != 6 {
		t.Fatalf("told %q, want one line for each of 6 objects", told)
	}
	for _, who := range []string{"alice", "bob"} {
		if !slices.Contains(told, who+" closed: routerClosed") {
			t.Errorf("told %q, want %s closed with the router", told, who)
		}
	}
	if st := g.sfu.Stats(); st.Routers != 0 || len(st.Transports) != 0 {
		t.Errorf("statistics %+v", st)
	}
}

func TestNothingCanBeMadeOfWhatIsClosed(t *testing.T) {
	g := newGraph(t)
	caps := g.router.RTPCapabilities()
	g.video.Close()
	if _, err := g.bob.Consume(ConsumerOptions{ProducerID: g.video.ID(), RTPCapabilities: caps}); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), g.video.ID()) {
		t.Errorf("consuming a closed producer: %v", err)
	}
	g.bob.Close()
	_, restart := g.bob.RestartICE()
	_, produce := g.bob.Produce(ProducerOptions{Kind: ortc.Audio, RTPParameters: audioParameters()})
	_, consume := g.bob.Consume(ConsumerOptions{ProducerID: g.audio.ID(), RTPCapabilities: caps})
	connect := g.bob.Connect(dtls.Parameters{Fingerprints: peerCertificate(t).Fingerprints()})
	limit := g.bob.SetMaxIncomingBitrate(1)
	for what, err := range map[string]error{"restart": restart, "produce": produce, "consume": consume, "connect": connect, "limit": limit} {
		if !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), g.bob.ID()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	g.audioConsumer.Pause()
	g.audioConsumer.Resume()
	g.audioConsumer.RequestKeyFrame()
	g.video.Pause()
	g.settle()
	for _, line := range g.take() {
		if strings.Contains(line, "pause") {
			t.Errorf("told %q of a closed object", line)
		}
	}
	g.router.Close()
	if _, err := g.router.NewWebRTCTransport(WebRTCTransportOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a transport of a closed router: %v", err)
	}
	g.sfu.Close()
	if _, err := g.sfu.NewRouter(RouterOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a router of a closed server: %v", err)
	}
}

func TestPauseIsToldToWhoeverIsConcerned(t *testing.T) {
	g := newGraph(t)
	g.video.Pause()
	g.video.Pause() // no change
	g.settle()
	g.check(t, []string{"video paused"}, []string{"video consumer producer paused"})
	g.video.Resume()
	g.settle()
	g.check(t, []string{"video resumed"}, []string{"video consumer producer resumed"})
	g.videoConsumer.Pause()
	g.settle()
	g.check(t)
	if !g.videoConsumer.Paused() || g.videoConsumer.ProducerPaused() {
		t.Error("the consumer, and only it, should be paused")
	}
}

func TestCallbacksMayUseTheServer(t *testing.T) {
	r := newTestRouter(t)
	done := make(chan error, 1)
	transport := newTestTransport(t, r, WebRTCTransportOptions{Events: TransportEvents{Closed: func(CloseReason) {
		next, err := r.NewWebRTCTransport(WebRTCTransportOptions{})
		if err == nil {
			_, err = next.Produce(ProducerOptions{Kind: ortc.Audio, RTPParameters: audioParameters()})
			next.Close()
			r.Close()
		}
		done <- err
	}}})
	transport.Close()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the callback hangs")
	}
}

func TestPanicOfACallbackEndsNothing(t *testing.T) {
	g := newGraph(t)
	bad := newTestTransport(t, g.router, WebRTCTransportOptions{Events: TransportEvents{Closed: func(CloseReason) { panic("a bug of the caller") }}})
	bad.Close()
	g.audio.Pause()
	g.settle()
	g.check(t, []string{"audio paused"}, []string{"audio consumer producer paused"})
	if st := g.sfu.Stats(); st.Panics != 1 {
		t.Errorf("%d panics counted", st.Panics)
	}
}

// kindOf is the kind of an *ortc.Error, 0 for any other.
func kindOf(err error) ortc.ErrorKind {
	var e *ortc.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

func TestWrongArgumentsAreRefusedByName(t *testing.T) {
	g := newGraph(t)
	caps := g.router.RTPCapabilities()
	with := func(change func(*ortc.RTPParameters)) ortc.RTPParameters {
		p := videoParameters()
		p.MID, p.Encodings = "9", []ortc.RTPEncodingParameters{{SSRC: 99}}
		change(&p)
		return p
	}
	produce := func(o ProducerOptions) error { _, err := g.alice.Produce(o); return err }
	consume := func(o ConsumerOptions) error {
		o.ProducerID = g.video.ID()
		if o.RTPCapabilities.Codecs == nil {
			o.RTPCapabilities = caps
		}
		_, err := g.bob.Consume(o)
		return err
	}
	audioOnly := ortc.RTPCapabilities{Codecs: []ortc.RTPCodecCapability{{Kind: ortc.Audio, MimeType: "audio/opus", ClockRate: 48000, Channels: 2, PreferredPayloadType: pt(100)}}}
	for _, c := range []struct {
		what  string
		err   error
		kind  ortc.ErrorKind
		names string
	}{
		{"kind", produce(ProducerOptions{Kind: "smell", RTPParameters: videoParameters()}), ortc.TypeError, "kind"},
		{"no codec", produce(ProducerOptions{Kind: ortc.Video, RTPParameters: with(func(p *ortc.RTPParameters) { p.Codecs = nil })}), ortc.TypeError, "codecs"},
		{"codec of another router", produce(ProducerOptions{Kind: ortc.Video, RTPParameters: with(func(p *ortc.RTPParameters) { p.Codecs[0].MimeType = "video/H265" })}), ortc.UnsupportedError, "H265"},
		{"MID taken", produce(ProducerOptions{Kind: ortc.Video, RTPParameters: with(func(p *ortc.RTPParameters) { p.MID = "1" })}), ortc.TypeError, "mid"},
		{"SSRC taken", produce(ProducerOptions{Kind: ortc.Video, RTPParameters: with(func(p *ortc.RTPParameters) { p.Encodings[0].SSRC = videoRTXSSRC })}), ortc.TypeError, "ssrc 1112"},
		{"id taken", produce(ProducerOptions{ID: g.audio.ID(), Kind: ortc.Video, RTPParameters: with(func(*ortc.RTPParameters) {})}), ortc.InvalidState, g.audio.ID()},
		{"consumer id taken", consume(ConsumerOptions{ID: g.audioConsumer.ID()}), ortc.InvalidState, g.audioConsumer.ID()},
		{"consumer MID taken", consume(ConsumerOptions{MID: "0"}), ortc.TypeError, "mid"},
		{"consumer MID too long", consume(ConsumerOptions{MID: strings.Repeat("x", 17)}), ortc.TypeError, "mid"},
		{"nothing to decode with", consume(ConsumerOptions{RTPCapabilities: audioOnly}), ortc.UnsupportedError, "codec"},
		{"capabilities that make no sense", consume(ConsumerOptions{RTPCapabilities: ortc.RTPCapabilities{Codecs: []ortc.RTPCodecCapability{{}}}}), ortc.TypeError, "rtpCapabilities"},
		{"no fingerprints", g.alice.Connect(dtls.Parameters{Role: dtls.RoleClient}), ortc.TypeError, "fingerprints"},
		{"DTLS role", g.alice.Connect(dtls.Parameters{Role: "boss", Fingerprints: peerCertificate(t).Fingerprints()}), ortc.TypeError, "role"},
	} {
		if c.err == nil || kindOf(c.err) != c.kind || !strings.Contains(c.err.Error(), c.names) {
			t.Errorf("%s: error %v of kind %v, want kind %v and %q in it", c.what, c.err, kindOf(c.err), c.kind, c.names)
		}
	}
	if st := g.sfu.Stats(); st.Producers[ortc.Video] != 1 || st.Consumers[ortc.Video] != 1 {
		t.Errorf("something was made all the same: %+v", st)
	}
	// A second Connect.
	p := dtls.Parameters{Role: dtls.RoleServer, Fingerprints: peerCertificate(t).Fingerprints()}
	if err := g.alice.Connect(p); err != nil {
		t.Fatal(err)
	}
	if err := g.alice.Connect(p); kindOf(err) != ortc.InvalidState {
		t.Errorf("a second Connect: %v", err)
	}
}

func TestIDsAndAppData(t *testing.T) {
	g := newGraph(t)
	params := videoParameters()
	params.MID, params.Encodings = "9", []ortc.RTPEncodingParameters{{SSRC: 99}}
	p, err := g.alice.Produce(ProducerOptions{ID: "my-producer", Kind: ortc.Video, RTPParameters: params, AppData: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.bob.Consume(ConsumerOptions{ID: "my-consumer", ProducerID: "my-producer", RTPCapabilities: g.router.RTPCapabilities(), MID: "mine", AppData: 2})
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "my-producer" || c.ID() != "my-consumer" || c.ProducerID() != p.ID() || c.Producer() != p || g.router.Producer("my-producer") != p {
		t.Error("the ids were not kept")
	}
	if p.AppData() != 1 || c.AppData() != 2 || c.RTPParameters().MID != "mine" || c.Transport() != &g.bob.Transport || p.Transport() != &g.alice.Transport || g.bob.Router() != g.router {
		t.Error("what was attached was not kept")
	}
	p.Close()
	if g.router.Producer("my-producer") != nil {
		t.Error("a closed producer is found")
	}
	if _, err := g.alice.Produce(ProducerOptions{ID: "my-producer", Kind: ortc.Video, RTPParameters: params}); err != nil {
		t.Errorf("the id cannot be used again: %v", err)
	}
	ids := map[string]bool{g.router.ID(): true, g.alice.ID(): true, g.bob.ID(): true, g.audio.ID(): true, g.video.ID(): true, g.audioConsumer.ID(): true, g.videoConsumer.ID(): true}
	if len(ids) != 7 || ids[""] {
		t.Errorf("ids are not unique: %v", ids)
	}
}

func TestMIDsOfConsumersCountUp(t *testing.T) {
	g := newGraph(t)
	consume := func(mid string) string {
		t.Helper()
		c, err := g.bob.Consume(ConsumerOptions{ProducerID: g.audio.ID(), RTPCapabilities: g.router.RTPCapabilities(), MID: mid})
		if err != nil {
			t.Fatal(err)
		}
		return c.RTPParameters().MID
	}
	got := []string{g.audioConsumer.RTPParameters().MID, g.videoConsumer.RTPParameters().MID, consume("3"), consume(""), consume(""), consume("x"), consume("")}
	if want := []string{"0", "1", "3", "2", "4", "x", "5"}; !slices.Equal(got, want) {
		t.Errorf("MIDs %v, want %v", got, want)
	}
}

func TestProducersOfATransportShareACNAME(t *testing.T) {
	r := newTestRouter(t)
	transport := newTestTransport(t, r, WebRTCTransportOptions{})
	audio, video := audioParameters(), videoParameters()
	audio.RTCP.CNAME, video.RTCP.CNAME = "", "camera"
	first, err := transport.Produce(ProducerOptions{Kind: ortc.Audio, RTPParameters: audio})
	if err != nil {
		t.Fatal(err)
	}
	second, err := transport.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: video})
	if err != nil {
		t.Fatal(err)
	}
	name := first.RTPParameters().RTCP.CNAME
	if name == "" || second.RTPParameters().RTCP.CNAME != name || second.ConsumableRTPParameters().RTCP.CNAME != name {
		t.Errorf("CNAMEs %q, %q, %q", name, second.RTPParameters().RTCP.CNAME, second.ConsumableRTPParameters().RTCP.CNAME)
	}
}

func TestCanConsume(t *testing.T) {
	g := newGraph(t)
	caps := g.router.RTPCapabilities()
	videoOnly := ortc.RTPCapabilities{}
	for _, c := range caps.Codecs {
		if c.Kind == ortc.Video {
			videoOnly.Codecs = append(videoOnly.Codecs, c)
		}
	}
	for _, c := range []struct {
		what string
		id   string
		caps ortc.RTPCapabilities
		want bool
	}{
		{"all codecs", g.audio.ID(), caps, true},
		{"the codec", g.video.ID(), videoOnly, true},
		{"not the codec", g.audio.ID(), videoOnly, false},
		{"no codec", g.video.ID(), ortc.RTPCapabilities{}, false},
		{"nonsense", g.video.ID(), ortc.RTPCapabilities{Codecs: []ortc.RTPCodecCapability{{MimeType: "smell/VP8"}}}, false},
		{"no producer", "nobody", caps, false},
	} {
		if got := g.router.CanConsume(c.id, c.caps); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

func TestTransportsAreLimited(t *testing.T) {
	r := newTestRouter(t, func(o *Options) { o.MaxTransports = 2 })
	first := newTestTransport(t, r, WebRTCTransportOptions{})
	newTestTransport(t, r, WebRTCTransportOptions{})
	if _, err := r.NewWebRTCTransport(WebRTCTransportOptions{}); !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "2") {
		t.Errorf("a third transport: %v", err)
	}
	if n := len(r.sfu.ufrags.m); n != 2 {
		t.Errorf("%d names are known after the refusal, want 2", n)
	}
	first.Close()
	newTestTransport(t, r, WebRTCTransportOptions{})
}

func TestServerWithoutAnAnnouncedAddressIsRefused(t *testing.T) {
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "announced") {
		t.Errorf("error %v", err)
	}
}

func TestUnknownCodecOfARouterIsRefused(t *testing.T) {
	s := newTestSFU(t)
	_, err := s.NewRouter(RouterOptions{MediaCodecs: []ortc.RTPCodecCapability{{Kind: ortc.Video, MimeType: "video/smell", ClockRate: 1}}})
	if kindOf(err) != ortc.UnsupportedError {
		t.Errorf("error %v", err)
	}
}
