package room_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

// dataPair is a sender and a receiver of one data channel, and the events about it.
type dataPair struct {
	room       *room.Room
	alice, bob *room.Peer
	send, recv *room.Transport
	chat       *room.DataProducer
	reads      *room.DataConsumer

	mu    sync.Mutex
	lines []string
}

func newDataPair(t *testing.T, o room.Options) *dataPair {
	t.Helper()
	g := newRegistry(t, o)
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	p := &dataPair{room: r, alice: must(r.AddPeer("alice", room.PeerOptions{}))(t), bob: must(r.AddPeer("bob", room.PeerOptions{}))(t)}
	data := room.TransportOptions{SCTP: room.SCTPOptions{Enable: true}}
	p.send = must(p.alice.CreateTransport(room.Send, data))(t)
	p.recv = must(p.bob.CreateTransport(room.Receive, data))(t)
	g.Observe(p.note)
	p.chat = must(p.send.ProduceData(room.ProduceDataOptions{Label: "chat", AppData: 1}))(t)
	p.reads = must(p.recv.ConsumeData(room.ConsumeDataOptions{DataProducerID: p.chat.ID(), AppData: 2}))(t)
	return p
}

func (p *dataPair) note(e room.Event) {
	line := string(e.Type)
	if e.Peer != nil {
		line += " " + e.Peer.ID()
	}
	switch {
	case e.DataProducer != nil:
		line += " " + e.DataProducer.Label()
	case e.DataConsumer != nil:
		line += " consumer of " + e.DataConsumer.DataProducer().Label()
	}
	if e.By != "" {
		line += " by " + e.By
	}
	if e.Reason != "" {
		line += ": " + e.Reason
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
}

func (p *dataPair) want(t *testing.T, lines ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := cmp.Diff(lines, p.lines); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	p.lines = nil
}

func TestEventsTellOfData(t *testing.T) {
	p := newDataPair(t, room.Options{})
	p.want(t, "dataProducerCreated alice chat", "dataConsumerCreated bob consumer of chat")
	if !p.chat.Pause() || p.chat.Pause() || !p.chat.Resume() || p.chat.Resume() {
		t.Error("a pause or resume is reported wrongly")
	}
	p.want(t, "dataProducerPaused alice chat", "dataProducerResumed alice chat")
	p.chat.Close("alice")
	p.chat.Close("alice")
	p.want(t, "dataConsumerClosed bob consumer of chat by alice: producerClosed", "dataProducerClosed alice chat by alice: requested")
	wantKind(t, second(p.alice.DataProducer(p.chat.ID())), room.DataProducerNotFound, p.chat.ID())
	wantKind(t, second(p.bob.DataConsumer(p.reads.ID())), room.DataConsumerNotFound, p.reads.ID())
	wantKind(t, second(p.room.DataProducer(p.chat.ID())), room.DataProducerNotFound, p.chat.ID())
	if p.chat.Pause() {
		t.Error("what is closed was paused")
	}
}

func second[T any](_ T, err error) error { return err }

func TestDataEndsWithWhatItBelongsTo(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*dataPair)
		want []string
	}{
		"consumer": {func(p *dataPair) { p.reads.Close("bob") }, []string{"dataConsumerClosed bob consumer of chat by bob: requested"}},
		"transport of the sender": {func(p *dataPair) { p.send.Close("") }, []string{
			"dataConsumerClosed bob consumer of chat: producerClosed", "dataProducerClosed alice chat: transportClosed",
			"transportClosed alice: requested",
		}},
		"transport of the receiver": {func(p *dataPair) { p.recv.Close("") }, []string{
			"dataConsumerClosed bob consumer of chat: transportClosed", "transportClosed bob: requested",
		}},
		"peer": {func(p *dataPair) { p.bob.Close() }, []string{
			"dataConsumerClosed bob consumer of chat by bob: transportClosed", "transportClosed bob by bob: peerClosed",
			"peerClosed bob by bob: requested",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newDataPair(t, room.Options{})
			p.want(t, "dataProducerCreated alice chat", "dataConsumerCreated bob consumer of chat")
			test.end(p)
			p.want(t, test.want...)
		})
	}
}

func TestDataHasOwnersAndProperties(t *testing.T) {
	p := newDataPair(t, room.Options{})
	if p.chat.Peer() != p.alice || p.chat.Transport() != p.send || p.chat.AppData() != 1 ||
		p.reads.Peer() != p.bob || p.reads.Transport() != p.recv || p.reads.AppData() != 2 || p.reads.DataProducer() != p.chat {
		t.Error("an owner or a property is wrong")
	}
	if got := p.bob.DataConsumerOf(p.chat.ID()); got != p.reads {
		t.Errorf("data consumer %v", got)
	}
	if p.bob.DataConsumerOf("other") != nil {
		t.Error("a data consumer of what there is not")
	}
	s := p.alice.Snapshot()
	if !slices.Equal(s.DataProducers, []*room.DataProducer{p.chat}) || len(s.DataConsumers) > 0 {
		t.Errorf("snapshot %+v", s)
	}
	if got := must(p.room.DataProducer(p.chat.ID()))(t); got != p.chat {
		t.Errorf("data producer %v", got)
	}
}

func TestWrongUseOfDataIsRefused(t *testing.T) {
	p := newDataPair(t, room.Options{Limits: room.Limits{ProducersPerPeer: 1, ConsumersPerPeer: 1}})
	wantKind(t, second(p.send.ProduceData(room.ProduceDataOptions{})), room.LimitReached)
	wantKind(t, second(p.recv.ConsumeData(room.ConsumeDataOptions{DataProducerID: p.chat.ID()})), room.LimitReached)
	wantKind(t, second(p.recv.ProduceData(room.ProduceDataOptions{})), room.WrongDirection)
	wantKind(t, second(p.send.ConsumeData(room.ConsumeDataOptions{})), room.WrongDirection)
	p.reads.Close("")
	wantKind(t, second(p.recv.ConsumeData(room.ConsumeDataOptions{DataProducerID: "x"})), room.DataProducerNotFound, "x")
	p.recv.Close("")
	wantKind(t, second(p.recv.ConsumeData(room.ConsumeDataOptions{})), room.TransportNotFound)
	without := must(p.bob.CreateTransport(room.Send, room.TransportOptions{}))(t)
	var wrong *ortc.Error
	if _, err := without.ProduceData(room.ProduceDataOptions{}); !errors.As(err, &wrong) || wrong.Kind != ortc.InvalidState {
		t.Errorf("data on a transport without SCTP: %v", err)
	}
}
