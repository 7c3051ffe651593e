package sfu

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/speaker"
	"github.com/takoserver/takos-call/internal/udp"
)

const audioLevelID = 10

// voice is an audio producer and its client's next packet.
type voice struct {
	*client
	*Producer
	seq uint16
}

func audioWithLevel() ortc.RTPParameters {
	params := audioParameters()
	params.HeaderExtensions = append(slices.Clone(params.HeaderExtensions),
		ortc.RTPHeaderExtensionParameters{URI: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", ID: audioLevelID})
	return params
}

func newVoice(r *rig) *voice {
	r.tb.Helper()
	c := r.connect(WebRTCTransportOptions{})
	return &voice{client: c, Producer: c.produce(ortc.Audio, audioWithLevel())}
}

// say sends one packet of a level; none if it is negative.
func (v *voice) say(level int) {
	v.tb.Helper()
	if level < 0 {
		return
	}
	v.seq++
	v.sendRTP(levelPacket(v.tb, v.seq, level))
}

// levelPacket is an audio packet with the header extension of RFC 6464.
func levelPacket(tb testing.TB, seq uint16, level int) *pionrtp.Packet {
	tb.Helper()
	p := &pionrtp.Packet{
		Header:  pionrtp.Header{Version: 2, PayloadType: audioPT, SequenceNumber: seq, Timestamp: uint32(seq) * 960, SSRC: audioSSRC},
		Payload: make([]byte, 60),
	}
	if err := p.SetExtension(audioLevelID, []byte{0x80 | byte(level)}); err != nil {
		tb.Fatal(err)
	}
	return p
}

// talk lets d pass in which each voice sends packets of its level.
func (r *rig) talk(d time.Duration, voices []*voice, levels ...int) {
	r.tb.Helper()
	for passed := time.Duration(0); passed < d; passed += 20 * time.Millisecond {
		for i, v := range voices {
			v.say(levels[i])
		}
		r.advance(20 * time.Millisecond)
	}
}

// told is the events of observers as text: "0:-30 1:-45", "silence", "0".
type told struct {
	voices []*voice
	events []string
}

func (n *told) index(p *Producer) int {
	return slices.IndexFunc(n.voices, func(v *voice) bool { return v.Producer == p })
}

func (n *told) levelEvents() AudioLevelObserverEvents {
	return AudioLevelObserverEvents{
		Volumes: func(list []ProducerVolume) {
			text := ""
			for _, v := range list {
				text += fmt.Sprintf(" %d:%d", n.index(v.Producer), v.DBov)
			}
			n.events = append(n.events, text[1:])
		},
		Silence: func() { n.events = append(n.events, "silence") },
		Closed:  func(reason CloseReason) { n.events = append(n.events, string(reason)) },
	}
}

func (n *told) speakerEvents() ActiveSpeakerObserverEvents {
	return ActiveSpeakerObserverEvents{
		DominantSpeaker: func(p *Producer) { n.events = append(n.events, fmt.Sprint(n.index(p))) },
		Closed:          func(reason CloseReason) { n.events = append(n.events, string(reason)) },
	}
}

func (n *told) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(n.events, want) {
		t.Errorf("told %q, want %q", n.events, want)
	}
	n.events = nil
}

// gathering is voices and the observers that were told of them.
func gathering(t *testing.T, people int, o AudioLevelObserverOptions) (*rig, []*voice, *AudioLevelObserver, *told) {
	t.Helper()
	r := newRig(t)
	n := &told{}
	o.Events = n.levelEvents()
	observer, err := r.router.NewAudioLevelObserver(o)
	if err != nil {
		t.Fatal(err)
	}
	for range people {
		v := newVoice(r)
		n.voices = append(n.voices, v)
		if err := observer.AddProducer(v.ID()); err != nil {
			t.Fatal(err)
		}
	}
	return r, n.voices, observer, n
}

func (v *voice) ID() string { return v.Producer.ID() }

func TestVolumesAreOfTheLoudestAndThenSilence(t *testing.T) {
	r, voices, _, n := gathering(t, 3, AudioLevelObserverOptions{MaxEntries: 2})
	r.talk(time.Second, voices, 127, 90, -1)
	n.want(t) // it is silent from the beginning
	r.talk(time.Second, voices, 40, 50, 30)
	n.want(t, "2:-30 0:-40")
	r.talk(time.Second, voices, 79, 127, -1)
	n.want(t, "0:-79")
	r.talk(3*time.Second, voices, 81, 127, -1)
	n.want(t, "silence")
	r.talk(500*time.Millisecond, voices, 20, 127, -1)
	r.talk(500*time.Millisecond, voices, 60, 127, -1)
	n.want(t, "0:-40")
}

func TestVolumesAreOneEntryAboveEightyByDefault(t *testing.T) {
	r, voices, _, n := gathering(t, 2, AudioLevelObserverOptions{})
	r.talk(time.Second, voices, 50, 49)
	n.want(t, "1:-49")
	r.talk(time.Second, voices, 80, 81)
	n.want(t, "0:-80")
}

func TestWhoSendsHardlyAnythingHasNoVolume(t *testing.T) {
	r, voices, _, n := gathering(t, 1, AudioLevelObserverOptions{})
	for range 20 { // comfort noise of DTX
		r.talk(20*time.Millisecond, voices, 30)
		r.talk(380*time.Millisecond, voices, -1)
	}
	n.want(t)
}

func TestVolumesOfAShorterIntervalNeedFewerPackets(t *testing.T) {
	r, voices, _, n := gathering(t, 1, AudioLevelObserverOptions{Interval: 300 * time.Millisecond})
	for range 5 { // packets of 60 ms
		r.talk(20*time.Millisecond, voices, 30)
		r.talk(40*time.Millisecond, voices, -1)
	}
	n.want(t, "0:-30")
}

func TestPausedProducersDoNotCount(t *testing.T) {
	r, voices, _, n := gathering(t, 2, AudioLevelObserverOptions{MaxEntries: 2})
	r.talk(500*time.Millisecond, voices, 30, 40)
	voices[0].Pause()
	r.talk(500*time.Millisecond, voices, 30, 40)
	n.want(t, "1:-40")
	r.talk(time.Second, voices, 10, 40)
	n.want(t, "1:-40")
	voices[0].Resume()
	r.talk(time.Second, voices, 50, 40)
	n.want(t, "1:-40 0:-50") // nothing of before the pause
}

func TestPausedObserversTellNothing(t *testing.T) {
	r, voices, observer, n := gathering(t, 1, AudioLevelObserverOptions{})
	r.talk(time.Second, voices, 30)
	n.want(t, "0:-30")
	observer.Pause()
	observer.Pause()
	if !observer.Paused() {
		t.Error("not paused")
	}
	r.talk(1900*time.Millisecond, voices, 10)
	n.want(t, "silence")
	observer.Resume()
	observer.Resume()
	r.talk(100*time.Millisecond, voices, 50)
	n.want(t) // too little since Resume
	r.talk(time.Second, voices, 50)
	n.want(t, "0:-50")
}

func TestProducersLeaveWhenTheyClose(t *testing.T) {
	r, voices, observer, n := gathering(t, 3, AudioLevelObserverOptions{MaxEntries: 3})
	r.talk(time.Second, voices, 30, 40, 50)
	n.want(t, "0:-30 1:-40 2:-50")
	voices[0].Producer.Close()
	voices[1].client.transport.Close()
	r.talk(time.Second, voices[2:], 50)
	n.want(t, "2:-50")
	if err := observer.RemoveProducer(voices[2].ID()); err != nil {
		t.Error(err)
	}
	if err := observer.RemoveProducer(voices[2].ID()); err != nil {
		t.Errorf("removed twice: %v", err)
	}
	r.talk(2*time.Second, voices[2:], 50)
	n.want(t, "silence")
	if err := observer.AddProducer(voices[2].ID()); err != nil {
		t.Error(err)
	}
	r.talk(time.Second, voices[2:], 50)
	n.want(t, "2:-50")
}

func TestObserversEndWithTheRouter(t *testing.T) {
	r, voices, levels, n := gathering(t, 1, AudioLevelObserverOptions{AppData: "meter"})
	speaker, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{AppData: "floor", Events: n.speakerEvents()})
	if err != nil {
		t.Fatal(err)
	}
	if levels.ID() == speaker.ID() || levels.Router() != r.router || levels.AppData() != "meter" || speaker.AppData() != "floor" {
		t.Error("a property was lost")
	}
	speaker.Close()
	speaker.Close()
	if !speaker.Closed() || levels.Closed() {
		t.Error("the wrong one is closed")
	}
	r.settle()
	n.want(t, "closed")
	if list := r.sfu.observers.all(); len(list) != 1 || list[0] != &levels.RTPObserver {
		t.Errorf("the clock knows %d observers", len(list))
	}
	r.router.Close()
	r.router.Close()
	if !levels.Closed() || len(r.sfu.observers.all()) != 0 {
		t.Error("open without its router")
	}
	if err := levels.AddProducer(voices[0].ID()); !errors.Is(err, ErrClosed) {
		t.Errorf("adding to a closed one: %v", err)
	}
	if err := levels.RemoveProducer(voices[0].ID()); !errors.Is(err, ErrClosed) {
		t.Errorf("removing from a closed one: %v", err)
	}
	if _, err := r.router.NewAudioLevelObserver(AudioLevelObserverOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("an observer of a closed router: %v", err)
	}
	if _, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("an observer of a closed router: %v", err)
	}
}

func TestObserversRefuseWhatMakesNoSense(t *testing.T) {
	r, voices, observer, _ := gathering(t, 1, AudioLevelObserverOptions{})
	for _, o := range []AudioLevelObserverOptions{{Threshold: new(int)}, {Threshold: pointer(-127)}, {MaxEntries: 100}} {
		if _, err := r.router.NewAudioLevelObserver(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []AudioLevelObserverOptions{{Threshold: pointer(1)}, {Threshold: pointer(-128)}, {MaxEntries: -1}} {
		var wrong *ortc.Error
		if _, err := r.router.NewAudioLevelObserver(o); !errors.As(err, &wrong) || wrong.Kind != ortc.TypeError {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if err := observer.AddProducer("nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a producer that there is not: %v", err)
	}
	if err := observer.RemoveProducer("nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a producer that there is not: %v", err)
	}
	video := voices[0].produce(ortc.Video, videoParameters())
	var wrong *ortc.Error
	if err := observer.AddProducer(video.ID()); !errors.As(err, &wrong) || wrong.Kind != ortc.TypeError {
		t.Errorf("video: %v", err)
	}
}

func pointer(n int) *int { return &n }

func TestIntervalsAreBounded(t *testing.T) {
	for _, test := range []struct{ wanted, want time.Duration }{
		{0, 300 * time.Millisecond}, {1, 100 * time.Millisecond}, {-time.Second, 100 * time.Millisecond},
		{time.Second, time.Second}, {time.Hour, 5 * time.Second},
	} {
		if got := boundedInterval(test.wanted, defaultSpeakerInterval, leastSpeakerInterval); got != test.want {
			t.Errorf("%v: %v, want %v", test.wanted, got, test.want)
		}
	}
}

func TestTheFloorGoesToWhoSpeaks(t *testing.T) {
	r := newRig(t)
	n := &told{voices: []*voice{newVoice(r), newVoice(r)}}
	observer, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{Events: n.speakerEvents()})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range n.voices {
		if err := observer.AddProducer(v.ID()); err != nil {
			t.Fatal(err)
		}
	}
	r.talk(2*time.Second, n.voices, 127, 127)
	n.want(t)
	r.talk(2*time.Second, n.voices, 30, 127)
	n.want(t, "0")
	r.talk(2*time.Second, n.voices, 127, 127)
	n.want(t) // nobody takes it
	r.talk(2*time.Second, n.voices, 127, 40)
	n.want(t, "1")
	n.voices[1].Pause()
	r.talk(2*time.Second, n.voices, 30, 20)
	n.want(t, "0")
	n.voices[1].Resume()
	observer.Pause()
	r.talk(2*time.Second, n.voices, 127, 20)
	n.want(t)
	observer.Resume()
	r.talk(time.Second, n.voices, 127, 20)
	n.want(t, "1")
	n.voices[1].Producer.Close()
	r.talk(time.Second, n.voices[:1], 127)
	n.want(t)
	r.talk(time.Second, n.voices[:1], 30)
	n.want(t, "0")
}

func TestWhoDoesNotTellTheLevelNeverSpeaks(t *testing.T) {
	r := newRig(t)
	n := &told{}
	c := r.connect(WebRTCTransportOptions{})
	p := c.produce(ortc.Audio, audioParameters())
	n.voices = []*voice{{client: c, Producer: p}}
	levels, err := r.router.NewAudioLevelObserver(AudioLevelObserverOptions{Events: n.levelEvents()})
	if err != nil {
		t.Fatal(err)
	}
	floor, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{Events: n.speakerEvents()})
	if err != nil {
		t.Fatal(err)
	}
	if levels.AddProducer(p.ID()) != nil || floor.AddProducer(p.ID()) != nil || levels.AddProducer(p.ID()) != nil {
		t.Fatal("not added")
	}
	r.talk(3*time.Second, n.voices, 20)
	n.want(t)
}

func TestAClockThatWasHeldUpTellsOnce(t *testing.T) {
	r, voices, _, n := gathering(t, 1, AudioLevelObserverOptions{})
	r.talk(time.Second, voices, 30)
	n.want(t, "0:-30")
	for range 50 {
		voices[0].say(40)
	}
	r.now = r.now.Add(10 * time.Second)
	r.shared.Store(int64(r.now))
	r.clock.tickDue(r.now)
	r.talk(500*time.Millisecond, voices, 127)
	n.want(t, "0:-40")
}

func TestObserversWhoseClockTickPanicsLetTheOthersGoOn(t *testing.T) {
	r, voices, broken, n := gathering(t, 1, AudioLevelObserverOptions{})
	broken.kind = panicking{broken}
	if _, err := r.router.NewAudioLevelObserver(AudioLevelObserverOptions{}); err != nil {
		t.Fatal(err)
	}
	whole, err := r.router.NewAudioLevelObserver(AudioLevelObserverOptions{Events: n.levelEvents()})
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.AddProducer(voices[0].ID()); err != nil {
		t.Fatal(err)
	}
	r.talk(time.Second, voices, 30)
	n.want(t, "0:-30")
	if got := r.sfu.counters.panics.Load(); got != 1 {
		t.Errorf("%d panics counted", got)
	}
	broken.Pause() // its lock is free
}

type panicking struct{ *AudioLevelObserver }

func (p panicking) removedLocked(*observed) {}

// observeLocked panics with the locks of the observer and of a transport held.
func (p panicking) observeLocked(now mono.Instant) {
	p.members[0].read(func(*speaker.Source) { panic("a fault of ours") })
}

func TestObservedAudioDoesNotAllocate(t *testing.T) {
	r, voices, _, _ := gathering(t, 1, AudioLevelObserverOptions{Threshold: pointer(0)})
	floor, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := floor.AddProducer(voices[0].ID()); err != nil {
		t.Fatal(err)
	}
	r.talk(3*time.Second, voices, 30)
	const runs = 400
	batches := make([][]udp.Datagram, runs+1)
	for i := range batches {
		voices[0].seq++
		batches[i] = []udp.Datagram{{Data: voices[0].protect(levelPacket(t, voices[0].seq, 30)), Path: voices[0].path}}
	}
	next := 0
	if n := testing.AllocsPerRun(runs, func() {
		r.worker.takeBatch(r.now, batches[next])
		next++
		r.now = r.now.Add(20 * time.Millisecond)
		r.shared.Store(int64(r.now))
		r.clock.tickObservers(r.now)
	}); n != 0 {
		t.Errorf("%v allocations per packet and tick", n)
	}
}

func BenchmarkTickObservers(b *testing.B) {
	for _, rooms := range []int{1, 10000} {
		b.Run(fmt.Sprintf("%d idle", rooms), func(b *testing.B) {
			b.ReportAllocs()
			r := newRig(b)
			for range rooms {
				if _, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{Interval: time.Second}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				r.clock.tickObservers(r.now)
			}
		})
	}
	for _, people := range []int{2, 100} {
		b.Run(fmt.Sprintf("%d producers", people), func(b *testing.B) {
			b.ReportAllocs()
			r := newRig(b)
			o, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{})
			if err != nil {
				b.Fatal(err)
			}
			for range people {
				v := newVoice(r)
				v.say(30)
				if err := o.AddProducer(v.ID()); err != nil {
					b.Fatal(err)
				}
			}
			now := r.now
			for b.Loop() {
				now = now.Add(defaultSpeakerInterval)
				r.clock.tickObservers(now)
			}
		})
	}
}
