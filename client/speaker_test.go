package client_test

import (
	"testing"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/room/roomtest"
)

func TestWhoIsSpeakingIsTold(t *testing.T) {
	s := newServer(t, serverSettings{})
	r, err := s.rooms.Create("r", room.RoomOptions{})
	must(t, err)
	alice, err := roomtest.Join(r, "alice")
	must(t, err)
	t.Cleanup(func() { _ = alice.Close() })
	c := s.dial(t, func(o *client.Options) { o.AudioLevels = true })
	must(t, c.Subscribe(within(t), "r"))
	alice.Producer.Resume()
	// Which of the two is first is left to the clock.
	var speaker client.ActiveSpeaker
	var heard, silent client.AudioLevels
	for e := range c.Events(within(t)) {
		switch e := e.(type) {
		case client.ActiveSpeaker:
			speaker = e
		case client.AudioLevels:
			heard = e
		}
		if speaker.RoomID != "" && heard.RoomID != "" {
			break
		}
	}
	if want := (client.ActiveSpeaker{"r", "alice", alice.Producer.ID()}); speaker != want {
		t.Errorf("told %+v, want %+v", speaker, want)
	}
	if v := heard.Volumes; len(v) != 1 || v[0] != (client.Volume{"alice", alice.Producer.ID(), roomtest.Level}) {
		t.Errorf("heard: %+v", v)
	}
	alice.Producer.Close("")
	silent = await(t, c, func(e client.AudioLevels) bool { return len(e.Volumes) == 0 })
	if silent.RoomID != "r" {
		t.Errorf("silent: %+v", silent)
	}
}

func TestAudioLevelsAreOnlyForThoseWhoAsk(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		done := later(func() error { return c.SubscribeAll(within(t)) })
		q := k.request()
		if want := `{"roomIds":"*"}`; string(q.Data) != want {
			t.Errorf("asked %s, want %s", q.Data, want)
		}
		k.grant(q, "null")
		must(t, done())
	})
}
