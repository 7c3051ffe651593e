package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/client"
)

// studio is a router with a producer and a consumer on a direct transport, and
// the same for messages.
type studio struct {
	*client.Client
	worker       *client.Worker
	router       *client.Router
	direct       *client.Transport
	producer     *client.Producer
	consumer     *client.Consumer
	dataProducer *client.DataProducer
	dataConsumer *client.DataConsumer
}

var codecs = []client.Codec{
	{Kind: client.Audio, MimeType: "audio/opus", ClockRate: 48000, Channels: 2},
	{Kind: client.Video, MimeType: "video/VP8", ClockRate: 90000},
}

func build(t *testing.T, c *client.Client) *studio {
	t.Helper()
	ctx := within(t)
	s := &studio{Client: c}
	s.worker = got(c.CreateWorker(ctx, client.WorkerOptions{AppData: "ours"}))(t)
	s.router = got(s.worker.CreateRouter(ctx, client.RouterOptions{MediaCodecs: codecs}))(t)
	s.direct = got(s.router.CreateDirectTransport(ctx, client.DirectTransportOptions{}))(t)
	s.producer = got(s.direct.Produce(ctx, client.ProduceOptions{Kind: client.Audio, RTPParameters: sent(t, opus)}))(t)
	s.consumer = got(s.direct.Consume(ctx, client.ConsumeOptions{
		ProducerID: s.producer.ID(), RTPCapabilities: s.router.Info.RTPCapabilities,
	}))(t)
	s.dataProducer = got(s.direct.ProduceData(ctx, client.ProduceDataOptions{Label: "chat"}))(t)
	s.dataConsumer = got(s.direct.ConsumeData(ctx, client.ConsumeDataOptions{DataProducerID: s.dataProducer.ID()}))(t)
	return s
}

// sent are RTP parameters from what a browser would say.
func sent(t *testing.T, text string) (p client.RTPParameters) {
	t.Helper()
	must(t, json.Unmarshal([]byte(text), &p))
	return p
}

// packet is RTP of the producer.
func packet(seq byte) []byte {
	return []byte{0x80, 111, 0, seq, 0, 0, seq, 0, 0, 0, 0x04, 0x57, 1, 2, 3, 4}
}

func TestMediaAndMessagesPassADirectTransport(t *testing.T) {
	s := build(t, newServer(t, serverSettings{}).dial(t))
	ctx := within(t)
	must(t, s.producer.Send(ctx, packet(1)))
	rtp := await[client.EventConsumerRTP](t, s.Client, nil)
	if rtp.ConsumerID != s.consumer.ID() || rtp.RouterID != s.router.ID() || !bytes.HasSuffix(rtp.Packet, []byte{1, 2, 3, 4}) {
		t.Errorf("told %+v", rtp)
	}
	must(t, s.dataProducer.Send(ctx, client.DataProducerMessage{Message: new("hello")}))
	text := await[client.EventDataConsumerMessage](t, s.Client, nil)
	if text.DataConsumerID != s.dataConsumer.ID() || text.Message == nil || *text.Message != "hello" {
		t.Errorf("told %+v", text)
	}
	must(t, s.dataProducer.Send(ctx, client.DataProducerMessage{Binary: []byte{1, 0, 255}}))
	binary := await[client.EventDataConsumerMessage](t, s.Client, nil)
	if binary.Message != nil || !slices.Equal(binary.Binary, []byte{1, 0, 255}) {
		t.Errorf("told %+v", binary)
	}
	if stats := got(s.producer.Stats(ctx))(t); len(stats) != 1 || stats[0].PacketCount != 1 || stats[0].SSRC != 1111 {
		t.Errorf("figures: %+v", stats)
	}
	if stats := got(s.dataConsumer.Stats(ctx))(t); len(stats) != 1 || stats[0].MessagesSent != 2 {
		t.Errorf("figures: %+v", stats)
	}
}

func TestEventsOfObjectsHaveTheirValues(t *testing.T) {
	s := build(t, newServer(t, serverSettings{}).dial(t))
	ctx := within(t)
	made := await[client.EventTransportNewConsumer](t, s.Client, nil)
	if made.Consumer.ID != s.consumer.ID() || made.Consumer.ProducerID != s.producer.ID() {
		t.Errorf("told %+v", made)
	}
	must(t, s.producer.EnableTraceEvent(ctx, []string{"rtp"}))
	must(t, s.producer.Send(ctx, packet(1)))
	trace := await[client.EventProducerTrace](t, s.Client, nil).Trace
	var info client.PacketTrace
	must(t, json.Unmarshal(trace.Info, &info))
	if trace.Type != "rtp" || info.Packet.SSRC != 1111 {
		t.Errorf("told %+v of %+v", trace, info)
	}
	must(t, s.producer.Pause(ctx))
	want := client.EventConsumerProducerPause{RouterID: s.router.ID(), ConsumerID: s.consumer.ID()}
	if told := await[client.EventConsumerProducerPause](t, s.Client, nil); told != want {
		t.Errorf("told %+v, want %+v", told, want)
	}
	must(t, s.worker.Close(ctx))
	gone := client.EventProducerClosed{RouterID: s.router.ID(), ProducerID: s.producer.ID(), Reason: "routerClosed"}
	if told := await[client.EventProducerClosed](t, s.Client, nil); told.RouterID != gone.RouterID || told.ProducerID != gone.ProducerID || told.Reason == "" {
		t.Errorf("told %+v, want %+v", told, gone)
	}
	await[client.EventWorkerClosed](t, s.Client, nil)
}

func TestErrorsOfObjectsHaveCodes(t *testing.T) {
	s := build(t, newServer(t, serverSettings{}).dial(t))
	ctx := within(t)
	for name, call := range map[client.Code]error{
		client.WorkerNotFound:       s.Worker("none").Close(ctx),
		client.WebRTCServerNotFound: s.worker.WebRTCServer("none").Close(ctx),
		client.RouterNotFound:       s.Router("none").Producer("none").Close(ctx),
		client.TransportNotFound:    s.router.Transport("none").Close(ctx),
		client.ProducerNotFound:     s.router.Producer("none").Pause(ctx),
		client.ConsumerNotFound:     s.router.Consumer("none").Pause(ctx),
		client.DataProducerNotFound: s.router.DataProducer("none").Pause(ctx),
		client.DataConsumerNotFound: s.router.DataConsumer("none").Pause(ctx),
		client.RTPObserverNotFound:  s.router.RTPObserver("none").Pause(ctx),
		client.InvalidField:         s.consumer.SetPriority(ctx, 256),
		client.MissingField:         s.dataProducer.Send(ctx, client.DataProducerMessage{}),
	} {
		var refusal *client.Error
		if !errors.As(call, &refusal) || refusal.Code != name {
			t.Errorf("%v, want %s", call, name)
		}
	}
}

func TestAWorkerIsAttachedToAgainAfterTheConnectionWasLost(t *testing.T) {
	server := newServer(t, serverSettings{})
	s := build(t, server.dial(t))
	ctx := within(t)
	server.sockets.cut()
	attached := await[client.WorkerAttached](t, s.Client, nil)
	if attached.Worker.ID != s.worker.ID() || len(attached.Routers) != 1 || len(attached.Routers[0].Consumers) != 1 {
		t.Errorf("told %+v", attached)
	}
	must(t, s.producer.Pause(ctx)) // the handles are still good, and events come
	await[client.EventProducerPaused](t, s.Client, nil)

	must(t, s.worker.Detach(ctx))
	room := got(s.RoomRouter(ctx, openRoom(t, s.Client)))(t)
	got(room.Attach(ctx))(t)
	server.sockets.cut()
	for e := range s.Events(ctx) {
		if again, wrong := e.(client.WorkerAttached); wrong {
			t.Errorf("a worker that was left came back: %+v", again)
		}
		if again, ok := e.(client.RouterAttached); ok {
			if again.Router.ID != room.ID() || again.Router.RoomID != "r" {
				t.Errorf("told %+v", again)
			}
			break
		}
	}
}

func TestAWorkerMadeToDieWithItsConnectionOutlivesALossAndEndsWithTheClient(t *testing.T) {
	server := newServer(t, serverSettings{})
	other := server.dial(t)
	c := server.dial(t)
	ctx := within(t)
	w := got(c.CreateWorker(ctx, client.WorkerOptions{OnDisconnect: "close", DisconnectGraceMs: new(60_000)}))(t)
	server.sockets.cut()
	if again := await[client.WorkerAttached](t, c, nil); again.Worker.ID != w.ID() {
		t.Errorf("attached to %+v", again.Worker)
	}
	if left := got(other.Workers(ctx))(t); len(left) != 1 {
		t.Errorf("workers after the loss: %+v", left)
	}
	c.Close()
	for len(got(other.Workers(ctx))(t)) > 0 { // the server learns of it on its own time
	}
}

func openRoom(t *testing.T, c *client.Client) string {
	t.Helper()
	return got(c.CreateRoom(within(t), "r", client.RoomOptions{}))(t).ID
}

func TestAWorkerThatIsGoneAfterTheConnectionWasLostIsToldClosed(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		made := later(func() error {
			_, err := c.CreateWorker(within(t), client.WorkerOptions{})
			return err
		})
		k.grant(k.request(), `{"id":"w","pid":1}`)
		must(t, made())
		attached := later(func() error {
			_, err := c.Router("r").Attach(within(t))
			return err
		})
		k.grant(k.request(), `{"router":{"id":"r"}}`)
		must(t, attached())

		k.lose()
		k = f.accept()
		q := k.request()
		if q.Type != "router.attach" || string(q.Data) != `{"routerId":"r"}` {
			t.Errorf("asked %s %s", q.Type, q.Data)
		}
		k.refuse(q, "ROUTER_NOT_FOUND")
		q = k.request()
		if q.Type != "worker.attach" || string(q.Data) != `{"workerId":"w"}` {
			t.Errorf("asked %s %s", q.Type, q.Data)
		}
		k.send(`{"type":"event","data":{"event":"worker.newrouter","workerId":"w","routerId":"early","router":{}}}`)
		k.refuse(q, "WORKER_NOT_FOUND")
		var told []client.Event
		for e := range c.Events(within(t)) {
			switch e.(type) {
			case client.Disconnected, client.Reconnecting:
				continue
			}
			if told = append(told, e); len(told) == 5 {
				break
			}
		}
		want := []client.Event{
			client.Connected{}, client.Connected{}, client.EventRouterClosed{RouterID: "r"},
			client.EventWorkerNewRouter{WorkerID: "w", RouterID: "early"}, client.EventWorkerClosed{WorkerID: "w"},
		}
		if !cmp.Equal(told, want) {
			t.Error(cmp.Diff(want, told))
		}

		k.lose()
		k = f.accept()
		known := later(func() error { _, err := c.Workers(within(t)); return err })
		if q := k.request(); q.Type != "worker.list" {
			t.Errorf("asked %s for what is gone", q.Type)
		} else {
			k.grant(q, `{"workers":[]}`)
		}
		must(t, known())
	})
}
