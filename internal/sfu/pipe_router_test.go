package sfu

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

func TestOnePairOfTransportsForTwoRouters(t *testing.T) {
	w := newPipeWorld(t)
	const each = 8
	far := newDirect(t, w.far, DirectTransportOptions{})
	var ids [2][]string
	for range each {
		ids[0] = append(ids[0], produceDirect(t, newDirect(t, w.near, DirectTransportOptions{}), ortc.Audio, audioParameters()).ID())
		p, err := far.ProduceData(DataProducerOptions{})
		check(t, err)
		ids[1] = append(ids[1], p.ID())
	}
	var mu sync.Mutex
	var calls sync.WaitGroup
	transports := map[*PipeTransport]bool{}
	for i := range each {
		for direction, routers := range [2][2]*Router{{w.near, w.far}, {w.far, w.near}} {
			calls.Go(func() {
				o := PipeToRouterOptions{ProducerID: ids[0][i], SCTP: SCTPOptions{Enable: true}}
				if direction == 1 {
					o.ProducerID, o.DataProducerID = "", ids[1][i]
				}
				p, err := routers[0].PipeToRouter(routers[1], o)
				if err != nil {
					t.Error(err)
					return
				}
				if p.Here.Router() != routers[0] || p.There.Router() != routers[1] {
					t.Error("the transports are of other routers")
				}
				mu.Lock()
				defer mu.Unlock()
				transports[p.Here], transports[p.There] = true, true
			})
		}
	}
	calls.Wait()
	if len(transports) != 2 {
		t.Fatalf("%d transports", len(transports))
	}
	var ends []*PipeTransport
	for end := range transports {
		ends = append(ends, end)
	}
	if a, b := ends[0].Tuple(), ends[1].Tuple(); a.LocalPort != b.RemotePort || b.LocalPort != a.RemotePort || a.LocalIP != "127.0.0.1" {
		t.Errorf("%+v and %+v", a, b)
	}
}

func TestPipeEndsAsAWhole(t *testing.T) {
	for name, x := range map[string]struct {
		end        func(w *pipeWorld, p *RouterPipe)
		transports bool // end too
	}{
		"the producer":          {func(w *pipeWorld, _ *RouterPipe) { w.producer.Close() }, false},
		"the pipe consumer":     {func(_ *pipeWorld, p *RouterPipe) { p.Consumer.Close() }, false},
		"the pipe producer":     {func(_ *pipeWorld, p *RouterPipe) { p.Producer.Close() }, false},
		"the transport here":    {func(_ *pipeWorld, p *RouterPipe) { p.Here.Close() }, true},
		"the transport there":   {func(_ *pipeWorld, p *RouterPipe) { p.There.Close() }, true},
		"the router":            {func(w *pipeWorld, _ *RouterPipe) { w.near.Close() }, true},
		"the router at the end": {func(w *pipeWorld, _ *RouterPipe) { w.far.Close() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPipeWorld(t)
			p := w.pipe(PipeToRouterOptions{})
			receivers, _ := w.receivers(p.Producer)
			x.end(w, p)
			eventually(t, "the end of the pipe", func() bool { return p.Consumer.Closed() && p.Producer.Closed() && receivers[0].Closed() })
			if x.transports {
				eventually(t, "the end of the transports", func() bool { return p.Here.Closed() && p.There.Closed() })
				return
			}
			if p.Here.Closed() || p.There.Closed() {
				t.Error("the transports have ended too")
			}
			if original := w.producer.Closed(); original != (name == "the producer") {
				t.Errorf("the producer is closed: %v", original)
			}
		})
	}
}

// A pair that has ended is made anew for whatever is piped next.
func TestPipeAfterThePairHasEnded(t *testing.T) {
	w := newPipeWorld(t)
	first := w.pipe(PipeToRouterOptions{})
	first.There.Close()
	eventually(t, "the end of the pipe", func() bool { return first.Here.Closed() && first.Consumer.Closed() })
	second := w.pipe(PipeToRouterOptions{})
	if second.Here == first.Here || second.Here.Closed() || second.Producer.Closed() {
		t.Error("nothing new was made")
	}
}

func TestPausingGoesThroughAPipe(t *testing.T) {
	w := newPipeWorld(t)
	w.producer.Pause()
	p := w.pipe(PipeToRouterOptions{})
	if !p.Producer.Paused() || !p.Consumer.ProducerPaused() || p.Consumer.Paused() {
		t.Error("a producer that is paused comes out going")
	}
	for _, x := range []struct {
		name   string
		do     func()
		paused bool
	}{
		{"the producer goes on", w.producer.Resume, false},
		{"the pipe consumer pauses", p.Consumer.Pause, true},
		{"both do", w.producer.Pause, true},
		{"only the consumer goes on", p.Consumer.Resume, true},
		{"the producer too", w.producer.Resume, false},
		{"the producer pauses", w.producer.Pause, true},
	} {
		x.do()
		eventually(t, x.name, func() bool { return p.Producer.Paused() == x.paused })
	}
}

// The sender is told of what is wanted at the other end of a pipe, as if it were here.
func TestWhatIsWantedGoesThroughAPipe(t *testing.T) {
	r := newRig(t)
	far := r.newFarRouter()
	p := produceDirect(t, newDirect(t, r.router, DirectTransportOptions{}), ortc.Video, threeEncodings())
	pipe, err := r.router.PipeToRouter(far, PipeToRouterOptions{ProducerID: p.ID()})
	check(t, err)
	transport := newDirect(t, far, DirectTransportOptions{})
	consume := func(spatial uint8) *Consumer {
		c, err := transport.Consume(ConsumerOptions{
			ProducerID: p.ID(), RTPCapabilities: far.RTPCapabilities(), PreferredLayers: &Layer{Spatial: spatial},
		})
		check(t, err)
		return c
	}
	wants := func(when string, want int) {
		t.Helper()
		for range 3 { // less is told after a while, in either router
			r.advance(wantedHold)
			r.settleAll(far)
		}
		spatial, wanted := p.WantedLayer()
		if got := int(spatial); wanted != (want >= 0) || wanted && got != want {
			t.Errorf("%s: %d, %v", when, got, wanted)
		}
	}
	wants("with nobody there", -1)
	low, high := consume(0), consume(2)
	wants("with two", 2)
	high.Close()
	wants("with the one for less", 0)
	check(t, low.SetPreferredLayers(Layer{Spatial: 1}))
	wants("with more", 1)
	pipe.Consumer.Close()
	wants("without the pipe", -1)
}

func TestPipeIDs(t *testing.T) {
	w := newPipeWorld(t)
	kept := w.pipe(PipeToRouterOptions{})
	if kept.Producer.ID() != w.producer.ID() {
		t.Errorf("id %q, want %q", kept.Producer.ID(), w.producer.ID())
	}
	if _, err := w.near.PipeToRouter(w.far, PipeToRouterOptions{ProducerID: w.producer.ID()}); !isKind(err, ortc.InvalidState) {
		t.Errorf("the same id twice: %v", err)
	}
	eventually(t, "the end of the consumer for nothing", func() bool { return len(w.near.Consumers()) == 1 })
	again := w.pipe(PipeToRouterOptions{NewID: true})
	if again.Producer.ID() == w.producer.ID() || again.Here != kept.Here {
		t.Errorf("a new id is %q", again.Producer.ID())
	}
}

func TestPipeToRouterRefuses(t *testing.T) {
	w := newPipeWorld(t)
	other, err := newTestSFU(t).NewRouter(RouterOptions{})
	check(t, err)
	gone, err := w.near.SFU().NewRouter(RouterOptions{})
	check(t, err)
	gone.Close()
	id := w.producer.ID()
	typeError := func(err error) bool { return isKind(err, ortc.TypeError) }
	notFound := func(err error) bool { return errors.Is(err, ErrNotFound) }
	for name, x := range map[string]struct {
		to   *Router
		o    PipeToRouterOptions
		want func(error) bool
	}{
		"itself":            {w.near, PipeToRouterOptions{ProducerID: id}, typeError},
		"another server":    {other, PipeToRouterOptions{ProducerID: id}, typeError},
		"nothing":           {w.far, PipeToRouterOptions{}, typeError},
		"two things":        {w.far, PipeToRouterOptions{ProducerID: id, DataProducerID: id}, typeError},
		"no such producer":  {w.far, PipeToRouterOptions{ProducerID: "nobody"}, notFound},
		"no such data":      {w.far, PipeToRouterOptions{DataProducerID: id}, notFound},
		"a closed router":   {gone, PipeToRouterOptions{ProducerID: id}, func(err error) bool { return errors.Is(err, ErrClosed) }},
		"data without SCTP": {w.far, PipeToRouterOptions{DataProducerID: w.dataProducer().ID()}, func(err error) bool { return isKind(err, ortc.InvalidState) }},
	} {
		if _, err := w.near.PipeToRouter(x.to, x.o); !x.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	pairs := &w.near.SFU().pipes
	pairs.mu.Lock()
	defer pairs.mu.Unlock()
	for key := range pairs.pairs {
		if slices.Contains(key[:], gone) {
			t.Error("the pair of a closed router is remembered")
		}
	}
}

func (w *pipeWorld) dataProducer() *DataProducer {
	w.t.Helper()
	p, err := w.alice.ProduceData(DataProducerOptions{Label: "chat", Protocol: "text"})
	check(w.t, err)
	return p
}

// messagesOf are what data consumers of p in the far router get, by their subchannels.
func (w *pipeWorld) messagesOf(p *DataProducer, subscriptions ...[]uint16) func(i int) []string {
	w.t.Helper()
	transport := newDirect(w.t, w.far, DirectTransportOptions{})
	got := make([][]string, len(subscriptions))
	var mu sync.Mutex
	for i, subchannels := range subscriptions {
		_, err := transport.ConsumeData(DataConsumerOptions{
			DataProducerID: p.ID(), Subchannels: subchannels,
			Events: DataConsumerEvents{Message: func(data []byte, text bool) {
				mu.Lock()
				defer mu.Unlock()
				got[i] = append(got[i], fmt.Sprintf("%s %v", data, text))
			}},
		})
		check(w.t, err)
	}
	return func(i int) []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(got[i])
	}
}

func TestMessagesGoThroughAPipe(t *testing.T) {
	w := newPipeWorld(t)
	original := w.dataProducer()
	pipe, err := w.near.PipeToRouter(w.far, PipeToRouterOptions{DataProducerID: original.ID(), SCTP: SCTPOptions{Enable: true}})
	check(t, err)
	if p := pipe.DataProducer; p.Label() != "chat" || p.Protocol() != "text" || p.ID() != original.ID() || p.Type() != DataSCTP {
		t.Errorf("%q %q %q %q", p.ID(), p.Label(), p.Protocol(), p.Type())
	}
	eventually(t, "SCTP between the transports", func() bool {
		return pipe.Here.SCTPState() == "connected" && pipe.There.SCTPState() == "connected"
	})
	if n := pipe.Here.SCTPNegotiated(); n == nil || n.Outbound == 0 {
		t.Errorf("agreed on %+v", n)
	}
	messages := w.messagesOf(pipe.DataProducer, nil, []uint16{1}, []uint16{2})
	send := func(text string, to Subchannels) { check(t, original.Send([]byte(text), true, to)) }
	send("all", Subchannels{})
	send("one", Subchannels{Any: []uint16{1}})
	send("needs two", Subchannels{Required: new(uint16(2))})
	send("not two", Subchannels{Ignored: new(uint16(2))})
	check(t, original.Send([]byte{1}, false, Subchannels{}))
	check(t, original.Send(nil, true, Subchannels{Any: []uint16{2}}))
	// From here on the pipe carries for one and three only.
	eventually(t, "what was sent before", func() bool { return len(messages(2)) == 4 })
	pipe.DataConsumer.SetSubchannels([]uint16{1, 3})
	send("two", Subchannels{Any: []uint16{2}})
	send("one or two", Subchannels{Any: []uint16{1, 2}})
	send("needs two again", Subchannels{Required: new(uint16(2))})
	send("not one", Subchannels{Ignored: new(uint16(1))})
	send("bye", Subchannels{})
	want := [][]string{
		{"all true", "not two true", "\x01 false", "not one true", "bye true"},
		{"all true", "one true", "not two true", "\x01 false", "one or two true", "bye true"},
		{"all true", "needs two true", "\x01 false", " true", "not one true", "bye true"},
	}
	for i := range want {
		eventually(t, "the last message", func() bool { return slices.Contains(messages(i), "bye true") })
		if got := messages(i); !slices.Equal(got, want[i]) {
			t.Errorf("consumer %d got %q, want %q", i, got, want[i])
		}
	}
	original.Close()
	eventually(t, "the end of the pipe", func() bool { return pipe.DataConsumer.Closed() && pipe.DataProducer.Closed() })
}

func TestPipesLeaveNothingBehind(t *testing.T) {
	s := newTestSFU(t)
	round := func() {
		near, err := s.NewRouter(RouterOptions{})
		check(t, err)
		far, err := s.NewRouter(RouterOptions{})
		check(t, err)
		alice := newDirect(t, near, DirectTransportOptions{})
		p := produceDirect(t, alice, ortc.Video, threeEncodings())
		d, err := alice.ProduceData(DataProducerOptions{})
		check(t, err)
		o := PipeToRouterOptions{ProducerID: p.ID(), SCTP: SCTPOptions{Enable: true}, EnableSRTP: true, EnableRTX: true}
		_, err = near.PipeToRouter(far, o)
		check(t, err)
		o.ProducerID, o.DataProducerID = "", d.ID()
		pipe, err := near.PipeToRouter(far, o)
		check(t, err)
		eventually(t, "SCTP", func() bool { return pipe.There.SCTPState() == "connected" })
		pipe.Here.Close()
		near.Close()
		far.Close()
	}
	round()
	before := usageNow(t)
	for range 10 {
		round()
	}
	eventually(t, "the end of all goroutines", func() bool {
		after := usageNow(t)
		return after.goroutines <= before.goroutines && after.descriptors <= before.descriptors && after.heapBytes < before.heapBytes+1<<20
	})
	s.pipes.mu.Lock()
	defer s.pipes.mu.Unlock()
	if n := len(s.pipes.pairs); n != 0 {
		t.Errorf("%d pairs are remembered", n)
	}
}
