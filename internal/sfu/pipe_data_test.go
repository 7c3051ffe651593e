package sfu

import (
	"errors"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/takoserver/takos-call/internal/ortc"
)

func TestPipedDataIsConsumedInAnotherRouter(t *testing.T) {
	r := newTestRouter(t)
	far, err := r.sfu.NewRouter(RouterOptions{})
	check(t, err)
	alice := connectDataPeer(t, r, WebRTCTransportOptions{})
	bob, carol := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, far, WebRTCTransportOptions{})
	p, out := alice.produce(DataProducerOptions{Label: "chat", SCTPStreamParameters: SCTPStreamParameters{StreamID: 7}})
	p.Pause()
	events := make(chan string, 10)
	view, err := r.PipeDataTo(far, p.ID(), PipeDataOptions{AppData: "piped", Events: DataProducerEvents{
		Paused: func() { events <- "paused" }, Resumed: func() { events <- "resumed" },
		Closed: func(reason CloseReason) { events <- string(reason) },
	}})
	check(t, err)
	if view.ID() != p.ID() || view.Label() != "chat" || view.AppData() != "piped" || !view.Paused() || far.DataProducer(p.ID()) != view {
		t.Errorf("piped as %q", view.ID())
	}
	told := func(want string) {
		t.Helper()
		if got := <-events; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	p.Resume()
	told("resumed")
	_, near := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	c, distant := carol.consume(DataConsumerOptions{DataProducerID: p.ID()})
	sendText(t, out, "one")
	near.want(t, "one")
	distant.want(t, "one")
	view.Pause() // only there
	told("paused")
	sendText(t, out, "two")
	near.want(t, "one", "two")
	view.Resume()
	told("resumed")
	sendText(t, out, "three")
	near.want(t, "one", "two", "three")
	distant.want(t, "one", "three")
	if s := view.Stats(); s.MessagesReceived != 3 {
		t.Errorf("stats %+v", s)
	}
	p.Close()
	told(string(CloseProducer))
	if !view.Closed() || !c.Closed() || far.DataProducer(p.ID()) != nil {
		t.Error("something goes on")
	}
}

func TestServersOwnDataGoesThroughPipes(t *testing.T) {
	r := newTestRouter(t)
	far, err := r.sfu.NewRouter(RouterOptions{})
	check(t, err)
	p, err := newDirect(t, r, DirectTransportOptions{}).ProduceData(DataProducerOptions{})
	check(t, err)
	view, err := r.PipeDataTo(far, p.ID(), PipeDataOptions{})
	check(t, err)
	if view.Type() != DataDirect {
		t.Errorf("it is of type %q", view.Type())
	}
	carol := connectDataPeer(t, far, WebRTCTransportOptions{})
	c, in := carol.consume(DataConsumerOptions{DataProducerID: p.ID()})
	eventually(t, "the channel", func() bool { return in.channel.ReadyState() == webrtc.DataChannelStateOpen })
	check(t, p.Send([]byte("hello"), true, Subchannels{}))
	in.want(t, "hello")
	if c.Type() != DataSCTP {
		t.Errorf("its consumer is of type %q", c.Type())
	}
}

func TestPipedDataEndsByItself(t *testing.T) {
	r := newTestRouter(t)
	far, err := r.sfu.NewRouter(RouterOptions{})
	check(t, err)
	alice, bob := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, r, WebRTCTransportOptions{})
	p, out := alice.produce(DataProducerOptions{})
	_, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	view, err := r.PipeDataTo(far, p.ID(), PipeDataOptions{})
	check(t, err)
	if _, err := r.PipeDataTo(far, p.ID(), PipeDataOptions{}); kindOf(err) != ortc.InvalidState {
		t.Errorf("twice: %v", err)
	}
	if _, err := r.PipeDataTo(far, "nothing", PipeDataOptions{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := r.PipeDataTo(r, p.ID(), PipeDataOptions{}); kindOf(err) != ortc.TypeError {
		t.Errorf("to itself: %v", err)
	}
	view.Close()
	if p.Closed() || len(p.views.all()) != 0 {
		t.Error("closing went the wrong way")
	}
	again, err := r.PipeDataTo(far, p.ID(), PipeDataOptions{})
	check(t, err)
	far.Close()
	if !again.Closed() || len(p.views.all()) != 0 {
		t.Error("the end of its router did not end it")
	}
	if _, err := r.PipeDataTo(far, p.ID(), PipeDataOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("to a closed one: %v", err)
	}
	sendText(t, out, "still here")
	in.want(t, "still here")
}

// Both ends have data from the first moment on, and only one may begin SCTP.
func TestWhatIsSentRightAfterPipingArrives(t *testing.T) {
	s := newTestSFU(t)
	for range 20 {
		here, err := s.NewRouter(RouterOptions{})
		check(t, err)
		there, err := s.NewRouter(RouterOptions{})
		check(t, err)
		from, err := here.NewDirectTransport(DirectTransportOptions{})
		check(t, err)
		to, err := there.NewDirectTransport(DirectTransportOptions{})
		check(t, err)
		p, err := from.ProduceData(DataProducerOptions{})
		check(t, err)
		_, err = here.PipeToRouter(there, PipeToRouterOptions{DataProducerID: p.ID(), SCTP: SCTPOptions{Enable: true}})
		check(t, err)
		heard := make(chan string, 1)
		_, err = to.ConsumeData(DataConsumerOptions{DataProducerID: p.ID(), Events: DataConsumerEvents{
			Message: func(data []byte, _ bool) { heard <- string(data) },
		}})
		check(t, err)
		check(t, p.Send([]byte("at once"), true, Subchannels{}))
		select {
		case got := <-heard:
			if got != "at once" {
				t.Errorf("heard %q", got)
			}
		case <-time.After(patience):
			t.Fatal("nothing has come")
		}
		here.Close()
		there.Close()
	}
}
