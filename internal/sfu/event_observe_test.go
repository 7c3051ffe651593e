package sfu

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// watched is what an observer was told, as text, with names for the objects.
type watched struct {
	journal
	names map[any]string
	stop  func()
}

// watch begins to observe r's router.
func watch(r *Router) *watched {
	w := &watched{names: map[any]string{}}
	w.stop = r.Observe(w.told)
	return w
}

// told notes an event but for packets and messages, whose number depends on time.
func (w *watched) told(e Event) {
	line := string(e.Type)
	for _, object := range []any{e.Transport, e.Producer, e.Consumer, e.DataProducer, e.DataConsumer, e.RTPObserver} {
		if name := w.names[object]; name != "" {
			line += " " + name
		}
	}
	switch data := e.Data.(type) {
	case nil:
	case *Producer:
		line += " " + w.names[data]
	case *Layer:
		if data == nil {
			line += " none"
		} else {
			line += fmt.Sprintf(" %d/%d", data.Spatial, data.Temporal)
		}
	case TransportTuple:
		line += fmt.Sprintf(" known=%v", data.RemotePort != 0)
	case []ProducerVolume:
		for _, v := range data {
			line += fmt.Sprintf(" %s:%d", w.names[v.Producer], v.DBov)
		}
	case []EncodingScore:
		for _, s := range data {
			line += fmt.Sprintf(" %d:%d", s.Encoding, s.Score)
		}
	case []byte:
		line += fmt.Sprintf(" %d bytes", len(data))
	case Message:
		line += fmt.Sprintf(" %q %v %d", data.Data, data.Text, data.PPID)
	default:
		line += fmt.Sprintf(" %v", data)
	}
	w.note("%s", line)
}

// want checks what was told since it was called last.
func (w *watched) want(t *testing.T, want ...string) {
	t.Helper()
	if got := w.take(); !slices.Equal(got, want) {
		t.Errorf("told\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestObserversOfARouterAreToldOfAllObjectsInOrder(t *testing.T) {
	r := newRig(t)
	w := watch(r.router)
	alice := r.connect(WebRTCTransportOptions{})
	r.settle()
	w.want(t, "router.newtransport", "transport.iceselectedtuplechange known=true", "transport.icestatechange completed", "transport.dtlsstatechange connected")
	w.names[&alice.transport.Transport] = "alice"

	p := alice.produce(ortc.Video, videoParameters())
	c := alice.consume(p)
	r.settle()
	w.want(t, "transport.newproducer alice", "transport.newconsumer alice")
	w.names[p], w.names[c] = "p", "c"

	p.Pause()
	p.Pause()
	c.Pause()
	c.Pause()
	c.Resume()
	p.Resume()
	r.settle()
	w.want(t, "producer.paused p", "consumer.producerpause c", "consumer.paused c", "consumer.resumed c",
		"producer.resumed p", "consumer.producerresume c")

	alice.transport.Close()
	r.router.Close()
	r.sfu.Close()
	w.want(t, "consumer.closed c producerClosed", "producer.closed p transportClosed", "transport.closed alice closed", "router.closed closed")
}

func TestObserversAreToldAfterTheObjectItself(t *testing.T) {
	r := newRig(t)
	j := &journal{}
	stop := r.router.Observe(func(e Event) { j.note("%s", e.Type) })
	p, err := r.connect(WebRTCTransportOptions{}).transport.Produce(ProducerOptions{
		Kind: ortc.Audio, RTPParameters: audioParameters(), Events: j.producer("p"),
	})
	check(t, err)
	r.settle()
	j.take()
	p.Pause()
	r.settle()
	if got, want := j.take(), []string{"p paused", "producer.paused"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	late := watch(r.router)
	stop()
	p.Resume()
	r.settle()
	if got, want := j.take(), []string{"p resumed"}; !slices.Equal(got, want) {
		t.Errorf("told %q after stop, want %q", got, want)
	}
	late.want(t, "producer.resumed")
	late.stop()
	if r.router.observed() {
		t.Error("observed by nobody")
	}
}

func TestLayersAndScoresAreObserved(t *testing.T) {
	s := newSimulcast(t)
	s.settle()
	w := watch(s.router)
	w.names[s.producer], w.names[s.consumer] = "p", "c"
	s.alice.sendRTP(s.packet(0, true))
	s.settle()
	w.want(t, "consumer.layerschange c 0/0")
	for range 12 {
		s.advance(100 * time.Millisecond)
		s.alice.sendRTP(s.packet(0, false))
	}
	s.settle()
	w.want(t, "producer.score p 0:10", "consumer.score c {10 10 [10 0 0]}")
	s.consumer.Pause()
	s.settle()
	w.want(t, "consumer.paused c", "consumer.layerschange c none")
}

func TestSpeakersAreObserved(t *testing.T) {
	r := newRig(t)
	w := watch(r.router)
	voices := []*voice{newVoice(r)}
	levels, err := r.router.NewAudioLevelObserver(AudioLevelObserverOptions{})
	check(t, err)
	floor, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{})
	check(t, err)
	r.settle()
	w.take()
	w.names[voices[0].Producer], w.names[&levels.RTPObserver], w.names[&floor.RTPObserver] = "voice", "levels", "floor"
	check(t, levels.AddProducer(voices[0].ID()))
	check(t, floor.AddProducer(voices[0].ID()))
	r.settle()
	w.want(t, "rtpObserver.addproducer voice levels", "rtpObserver.addproducer voice floor")
	r.talk(600*time.Millisecond, voices, 30)
	floor.Pause()
	r.settle()
	w.want(t, "rtpObserver.dominantspeaker floor voice", "rtpObserver.paused floor")
	floor.Resume()
	check(t, floor.RemoveProducer(voices[0].ID()))
	floor.Close()
	r.talk(1400*time.Millisecond, voices, 30)
	r.talk(2*time.Second, voices, 127)
	got := w.take()
	want := []string{
		"rtpObserver.resumed floor", "rtpObserver.removeproducer voice floor", "rtpObserver.closed floor closed",
		"rtpObserver.volumes levels voice:-30", "rtpObserver.volumes levels voice:-30", "rtpObserver.silence levels",
	}
	got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "producer.score") })
	if !slices.Equal(got, want) {
		t.Errorf("told\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	if levels.Type() != AudioLevels || floor.Type() != ActiveSpeaker || levels.Kind() != any(levels) {
		t.Error("an observer is not what it is")
	}
}

func TestWhatADirectTransportGetsIsObserved(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	p := alice.produce(ortc.Audio, audioParameters())
	direct := newDirect(t, r.router, DirectTransportOptions{})
	c, err := direct.Consume(ConsumerOptions{ProducerID: p.ID(), RTPCapabilities: r.router.RTPCapabilities()})
	check(t, err)
	r.settle()
	var payloads [][]byte
	reports := 0
	defer r.router.Observe(func(e Event) {
		switch e.Type {
		case EventRTP:
			var packet pionrtp.Packet
			check(t, packet.Unmarshal(e.Data.([]byte)))
			if e.Consumer != c {
				t.Error("of another consumer")
			}
			payloads = append(payloads, bytes.Clone(packet.Payload))
		case EventRTCP:
			if e.Transport != &direct.Transport || rtp.Classify(e.Data.([]byte)) != rtp.KindRTCP {
				t.Errorf("RTCP %v", e)
			}
			reports++
		}
	})()
	alice.sendRTP(audioPacket(1, 0, 50))
	r.advance(1100 * time.Millisecond)
	if len(payloads) != 1 || !bytes.Equal(payloads[0], audioPacket(1, 0, 50).Payload) || reports == 0 {
		t.Errorf("%d packets and %d reports", len(payloads), reports)
	}
}

func TestMessagesOfADirectTransportAreObserved(t *testing.T) {
	p, consumers, _ := directData(t, map[string][]uint16{"one": nil})
	c := consumers["one"]
	w := watch(p.transport.router)
	w.names[c], w.names[p] = "c", "p"
	text := []byte("hello")
	check(t, p.Send(text, true, Subchannels{}))
	text[0] = 'j' // it is the caller's again
	check(t, p.Send(nil, false, Subchannels{}))
	p.Pause()
	c.Pause()
	c.Pause()
	c.Resume()
	p.Resume()
	p.Close()
	eventually(t, "the last event", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.lines) == 10
	})
	w.want(t, `dataConsumer.message c "hello" true 51`, `dataConsumer.message c "" false 57`,
		"dataProducer.paused p", "dataConsumer.dataproducerpause c", "dataConsumer.paused c", "dataConsumer.resumed c",
		"dataProducer.resumed p", "dataConsumer.dataproducerresume c",
		"dataConsumer.closed c producerClosed", "dataProducer.closed p closed")
}

func TestTheWayToACallIsObserved(t *testing.T) {
	r := newTestRouter(t)
	w := watch(r)
	bob := connectDataPeer(t, r, WebRTCTransportOptions{SCTP: SCTPOptions{SendBufferBytes: 1000}})
	direct := newDirect(t, r, DirectTransportOptions{})
	p, err := direct.ProduceData(DataProducerOptions{})
	check(t, err)
	c, _ := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	c.SetBufferedAmountLowThreshold(1)
	for full, i := false, 0; !full && i < 10_000; i++ {
		_, err := c.Send(make([]byte, 900), false)
		full = errors.Is(err, ErrSendBufferFull)
	}
	var got []string
	heard := func(what string) func() bool {
		return func() bool {
			got = append(got, w.take()...)
			return slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, what) })
		}
	}
	eventually(t, "the event of the full buffer", heard("dataConsumer.sctpsendbufferfull"))
	eventually(t, "the event of a low buffer", heard("dataConsumer.bufferedamountlow "))
	bob.close()
	eventually(t, "the event of the end", heard("transport.dtlsstatechange closed"))

	// ICE has states of its own in between; the rest has one order.
	got = slices.DeleteFunc(got, func(line string) bool {
		return line == "transport.icestatechange connected" || strings.HasPrefix(line, "dataConsumer.") || strings.Contains(line, "sctp") && !strings.HasSuffix(line, " connected")
	})
	want := []string{
		"router.newtransport", "transport.iceselectedtuplechange known=true", "transport.icestatechange completed",
		"transport.dtlsstatechange connecting", "transport.dtlsstatechange connected", "transport.sctpstatechange connected",
		"router.newtransport", "transport.newdataproducer", "transport.newdataconsumer", "transport.dtlsstatechange closed",
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%q was not told, only %q", line, got)
		}
	}
	order := []string{want[0], want[3], want[4], want[5], want[8], want[9]}
	if told := slices.DeleteFunc(slices.Clone(got), func(line string) bool { return !slices.Contains(order, line) }); !slices.Equal(slices.Compact(told), []string{want[0], want[3], want[4], want[5], want[0], want[8], want[9]}) {
		t.Errorf("told in the order %q", told)
	}
}

func TestWhatAPlainTransportLearnsIsObserved(t *testing.T) {
	r := newRig(t)
	plain := r.newPlain(PlainTransportOptions{Comedia: true, DisableRTCPMux: true})
	p := r.plainPeer(plain)
	r.settle()
	w := watch(r.router)
	w.names[&plain.Transport] = "plain"
	p.send(videoPacket(1, 0, true, true, 100))
	p.deliver(plain.control, rtp.AppendRR(nil, 9, nil))
	r.settle()
	w.want(t, "transport.tuple plain known=true", "transport.rtcptuple plain known=true")
}

func TestMessagesWaitForWhoObservesAndAreThenDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newMessageBudget()
		if !b.take(maxMessageBacklog+1, time.Second) {
			t.Fatal("a message larger than all")
		}
		start := time.Now()
		if b.take(1, time.Second) || time.Since(start) != time.Second {
			t.Errorf("taken, or dropped after %v", time.Since(start))
		}
		go func() {
			time.Sleep(500 * time.Millisecond)
			b.giveBack(maxMessageBacklog + 1)
		}()
		start = time.Now()
		if !b.take(1, time.Second) || time.Since(start) != 500*time.Millisecond {
			t.Errorf("not taken after %v", time.Since(start))
		}
	})
}

func TestObjectsAreFoundByTheirIDs(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	direct := newDirect(t, r.router, DirectTransportOptions{})
	p := alice.produce(ortc.Audio, audioParameters())
	c := alice.consume(p)
	dp, err := direct.ProduceData(DataProducerOptions{})
	check(t, err)
	dc, err := direct.ConsumeData(DataConsumerOptions{DataProducerID: dp.ID()})
	check(t, err)
	levels, err := r.router.NewAudioLevelObserver(AudioLevelObserverOptions{})
	check(t, err)
	router := r.router
	switch {
	case r.sfu.Router(router.ID()) != router || len(r.sfu.Routers()) != 1:
		t.Error("the router")
	case router.Transport(alice.transport.ID()) != &alice.transport.Transport || len(router.Transports()) != 2:
		t.Error("the transports")
	case router.Producer(p.ID()) != p || len(router.Producers()) != 1:
		t.Error("the producer")
	case router.Consumer(c.ID()) != c || len(router.Consumers()) != 1:
		t.Error("the consumer")
	case router.DataProducer(dp.ID()) != dp || len(router.DataProducers()) != 1 || dp.Transport() != &direct.Transport:
		t.Error("the data producer")
	case router.DataConsumer(dc.ID()) != dc || len(router.DataConsumers()) != 1 || dc.Transport() != &direct.Transport:
		t.Error("the data consumer")
	case router.RTPObserver(levels.ID()) != &levels.RTPObserver || len(router.RTPObservers()) != 1:
		t.Error("the observer")
	case alice.transport.Type() != TransportWebRTC || router.Transport(direct.ID()).Kind() != any(direct):
		t.Error("a transport is not what it is")
	case router.SFU() != r.sfu:
		t.Error("the server")
	}
}

func TestTheEndOfPipesIsShownToNobody(t *testing.T) {
	r := newRig(t)
	other, err := r.sfu.NewRouter(RouterOptions{})
	check(t, err)
	w := watch(other)
	p := r.connect(WebRTCTransportOptions{}).produce(ortc.Audio, audioParameters())
	view, err := r.router.PipeTo(other, p.ID(), PipeOptions{})
	check(t, err)
	if other.Producer(p.ID()) != view || len(other.Transports()) != 0 || other.Transport(view.Transport().ID()) != nil {
		t.Error("it is shown")
	}
	other.Close()
	r.sfu.Close()
	w.want(t, "transport.newproducer", "producer.closed transportClosed", "router.closed closed")
}
