package room_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/room/roomtest"
)

// film is a room with somebody who sends two encodings, of which the smaller
// arrives.
func film(t *testing.T, r *room.Room) *roomtest.Camera {
	t.Helper()
	c := must(roomtest.Film(r, "alice"))(t)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// quality is the events of a room that tell how well media come across.
func quality(t *testing.T, r *room.Room) <-chan room.Event {
	t.Helper()
	events := make(chan room.Event, 1000)
	_, stop := r.Observe(func(e room.Event) {
		switch e.Type {
		case room.ConsumerLayersChanged, room.ConsumerScored, room.ProducerScored, room.ProducerLayersWanted:
			events <- e
		}
	})
	t.Cleanup(stop)
	return events
}

// next is the next event of that type; others may come before it.
func next(t *testing.T, events <-chan room.Event, want room.EventType) room.Event {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case e := <-events:
			if e.Type == want {
				return e
			}
		case <-deadline:
			t.Fatalf("no %s", want)
		}
	}
}

func TestConsumerTellsWhichLayersItIsSent(t *testing.T) {
	g := newRegistry(t, room.Options{})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	alice := film(t, r)
	bob := must(r.AddPeer("bob", room.PeerOptions{}))(t)
	recv := must(bob.CreateTransport(room.Receive, room.TransportOptions{}))(t)
	viewer := must(roomtest.View(recv))(t)
	t.Cleanup(func() { _ = viewer.Close() })
	events := quality(t, r)
	c := must(recv.Consume(room.ConsumeOptions{
		ProducerID: alice.Producer.ID(), RTPCapabilities: r.RTPCapabilities(), PreferredLayers: &room.Layer{Spatial: 7, Temporal: 7},
	}))(t)
	if l, layered := c.PreferredLayers(); !layered || l.Spatial != 1 {
		t.Errorf("preferred are %v, %t; the highest are two encodings", l, layered)
	}
	alice.Start()
	alice.Producer.Resume()
	e := next(t, events, room.ConsumerLayersChanged)
	if e.Consumer != c || e.Peer != bob || e.Layers == nil || e.Layers.Spatial != 0 {
		t.Errorf("sent %v to %s", e.Layers, e.Peer.ID())
	}
	alice.Producer.Pause()
	if e := next(t, events, room.ConsumerLayersChanged); e.Layers != nil {
		t.Errorf("sent %v while the producer is paused", *e.Layers)
	}
}

func TestProducerAndConsumersTellOfTheirScores(t *testing.T) {
	g := newRegistry(t, room.Options{})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	events := quality(t, r)
	alice := film(t, r)
	bob := must(r.AddPeer("bob", room.PeerOptions{}))(t)
	recv := must(bob.CreateTransport(room.Receive, room.TransportOptions{}))(t)
	c := must(recv.Consume(room.ConsumeOptions{ProducerID: alice.Producer.ID(), RTPCapabilities: r.RTPCapabilities()}))(t)
	alice.Start()
	alice.Producer.Resume()
	e := next(t, events, room.ProducerScored)
	want := []room.EncodingScore{{Encoding: 0, SSRC: alice.Producer.RTPParameters().Encodings[0].SSRC, Score: 10}}
	if diff := cmp.Diff(want, e.EncodingScores); e.Producer != alice.Producer || e.Peer != alice.Peer || diff != "" {
		t.Errorf("of %s: %s", e.Peer.ID(), diff)
	}
	for e = next(t, events, room.ConsumerScored); e.ConsumerScore.ProducerScores[0] == 0; {
		e = next(t, events, room.ConsumerScored)
	}
	if e.Consumer != c || e.Peer != bob || !cmp.Equal(e.ConsumerScore.ProducerScores, []uint8{10, 0}) {
		t.Errorf("of %s: %+v", e.Peer.ID(), e.ConsumerScore)
	}
}

func TestProducerTellsWhichOfItsLayersAreWanted(t *testing.T) {
	g := newRegistry(t, room.Options{})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	events := quality(t, r)
	alice := film(t, r)
	if e := next(t, events, room.ProducerLayersWanted); e.Producer != alice.Producer || e.Peer != alice.Peer || e.WantedSpatial != nil {
		t.Errorf("nobody is there, and %v is wanted", e.WantedSpatial)
	}
	bob := must(r.AddPeer("bob", room.PeerOptions{}))(t)
	recv := must(bob.CreateTransport(room.Receive, room.TransportOptions{}))(t)
	viewer := must(roomtest.View(recv))(t)
	t.Cleanup(func() { _ = viewer.Close() })
	c := must(recv.Consume(room.ConsumeOptions{
		ProducerID: alice.Producer.ID(), RTPCapabilities: r.RTPCapabilities(), PreferredLayers: &room.Layer{Spatial: 0},
	}))(t)
	alice.Producer.Resume()
	if e := next(t, events, room.ProducerLayersWanted); e.WantedSpatial == nil || *e.WantedSpatial != 0 {
		t.Errorf("bob wants 0, and %v is wanted", e.WantedSpatial)
	}
	if err := c.SetPreferredLayers(room.Layer{Spatial: 1}); err != nil {
		t.Fatal(err)
	}
	if e := next(t, events, room.ProducerLayersWanted); e.WantedSpatial == nil || *e.WantedSpatial != 1 {
		t.Errorf("bob wants 1, and %v is wanted", e.WantedSpatial)
	}
}

func TestClosedConsumerTellsNothingMore(t *testing.T) {
	g := newRegistry(t, room.Options{})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	alice := film(t, r)
	bob := must(r.AddPeer("bob", room.PeerOptions{}))(t)
	recv := must(bob.CreateTransport(room.Receive, room.TransportOptions{}))(t)
	viewer := must(roomtest.View(recv))(t)
	t.Cleanup(func() { _ = viewer.Close() })
	gone := make(map[*room.Consumer]bool)
	ended := make(chan struct{})
	_, stop := r.Observe(func(e room.Event) { // events come one after another
		switch {
		case e.Type == room.ConsumerClosed:
			gone[e.Consumer] = true
		case e.Type == room.PeerClosed && e.Peer == bob:
			close(ended)
		case e.Consumer != nil && gone[e.Consumer]:
			t.Errorf("%s after it was closed", e.Type)
		}
	})
	defer stop()
	alice.Start()
	alice.Producer.Resume()
	for range 20 {
		c := must(recv.Consume(room.ConsumeOptions{ProducerID: alice.Producer.ID(), RTPCapabilities: r.RTPCapabilities()}))(t)
		c.Close("bob") // while it begins to be sent
	}
	bob.Close()
	<-ended
}
