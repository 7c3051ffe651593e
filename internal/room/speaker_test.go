package room_test

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/room/roomtest"
	"github.com/takoserver/takos-call/internal/sfu"
)

func join(t *testing.T, r *room.Room, id string) *roomtest.Voice {
	t.Helper()
	v := must(roomtest.Join(r, id))(t)
	t.Cleanup(func() { _ = v.Close() })
	return v
}

// speech is the events of a room that tell who is speaking.
func speech(t *testing.T, r *room.Room) <-chan room.Event {
	t.Helper()
	events := make(chan room.Event, 100)
	_, stop := r.Observe(func(e room.Event) {
		if e.Type == room.ActiveSpeaker || e.Type == room.AudioLevels {
			events <- e
		}
	})
	t.Cleanup(stop)
	return events
}

func nextSpeech(t *testing.T, events <-chan room.Event, want room.EventType) room.Event {
	t.Helper()
	select {
	case e := <-events:
		if e.Type != want {
			t.Fatalf("%s, want %s", e.Type, want)
		}
		return e
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", want)
		return room.Event{}
	}
}

func TestRoomTellsWhoHasTheFloor(t *testing.T) {
	g := newRegistry(t, room.Options{AudioLevelInterval: -1, SpeakerInterval: 100 * time.Millisecond})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	alice, bob := join(t, r, "alice"), join(t, r, "bob")
	events := speech(t, r)
	alice.Producer.Resume()
	if e := nextSpeech(t, events, room.ActiveSpeaker); e.Producer != alice.Producer || e.Peer != alice.Peer {
		t.Errorf("%s has the floor", e.Peer.ID())
	}
	if s := r.Snapshot(); s.Speaker != alice.Producer {
		t.Error("the snapshot does not know it")
	}
	alice.Producer.Pause()
	bob.Producer.Resume()
	if e := nextSpeech(t, events, room.ActiveSpeaker); e.Producer != bob.Producer {
		t.Errorf("%s has the floor", e.Peer.ID())
	}
	bob.Peer.Close()
	if s := r.Snapshot(); s.Speaker != nil {
		t.Error("who has left has the floor")
	}
}

func TestRoomTellsWhoIsHeard(t *testing.T) {
	g := newRegistry(t, room.Options{AudioLevelInterval: 250 * time.Millisecond, SpeakerInterval: -1})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	alice := join(t, r, "alice")
	events := speech(t, r)
	alice.Producer.Resume()
	e := nextSpeech(t, events, room.AudioLevels)
	if len(e.Levels) != 1 || e.Levels[0] != (room.Level{Producer: alice.Producer, DBov: roomtest.Level}) {
		t.Errorf("heard: %+v", e.Levels)
	}
	alice.Producer.Close("alice")
	for len(nextSpeech(t, events, room.AudioLevels).Levels) > 0 {
	}
}

func TestRoomTellsNothingOfSpeakersIfNotWanted(t *testing.T) {
	g := newRegistry(t, room.Options{AudioLevelInterval: -1, SpeakerInterval: -1})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	alice := join(t, r, "alice")
	events := speech(t, r)
	heard := make(chan struct{}, 100)
	own := must(r.Router().NewAudioLevelObserver(sfu.AudioLevelObserverOptions{
		Interval: 250 * time.Millisecond,
		Events:   sfu.AudioLevelObserverEvents{Volumes: func([]sfu.ProducerVolume) { heard <- struct{}{} }},
	}))(t)
	if err := own.AddProducer(alice.Producer.ID()); err != nil {
		t.Fatal(err)
	}
	alice.Producer.Resume()
	for range 3 {
		select {
		case <-heard:
		case e := <-events:
			t.Fatalf("told of %s", e.Type)
		case <-time.After(20 * time.Second):
			t.Fatal("not heard")
		}
	}
}
