package client_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/room/roomtest"
)

func TestLayersAndScoresAreToldAndChosen(t *testing.T) {
	s := newServer(t, serverSettings{})
	r, err := s.rooms.Create("r", room.RoomOptions{})
	must(t, err)
	show, err := roomtest.Open(r, "alice", "bob")
	must(t, err)
	t.Cleanup(func() { _ = show.Close() })
	c := s.dial(t, func(o *client.Options) { o.Quality = true })
	must(t, c.Subscribe(within(t), "r"))
	bob, err := r.Peer("bob")
	must(t, err)
	consumer := bob.Snapshot().Consumers[0].ID()

	info, err := c.Consumer(within(t), "r", "bob", consumer)
	must(t, err)
	if !cmp.Equal(info.PreferredLayers, &client.Layers{Spatial: 1}) || info.CurrentLayers != nil || info.Priority != 1 {
		t.Errorf("to begin with: preferred %v, current %v, priority %d", info.PreferredLayers, info.CurrentLayers, info.Priority)
	}
	producer := func() *int {
		t.Helper()
		p, err := c.Producer(within(t), "r", "alice", show.Producer.ID())
		must(t, err)
		return p.WantedSpatial
	}
	if wanted := producer(); wanted != nil {
		t.Errorf("of what is turned off layer %d is wanted", *wanted)
	}
	show.TurnOn()
	one := 1
	wanted := await(t, c, func(client.ProducerLayersWanted) bool { return true })
	if want := (client.ProducerLayersWanted{"r", "alice", show.Producer.ID(), &one}); !cmp.Equal(wanted, want) || !cmp.Equal(producer(), &one) {
		t.Errorf("told %+v, want %+v", wanted, want)
	}
	layers := await(t, c, func(client.ConsumerLayersChanged) bool { return true })
	if want := (client.ConsumerLayersChanged{"r", "bob", consumer, show.Producer.ID(), &client.Layers{}}); !cmp.Equal(layers, want) {
		t.Errorf("told %+v, want %+v", layers, want)
	}
	sent := await(t, c, func(client.ProducerScored) bool { return true })
	if sent.ProducerID != show.Producer.ID() || len(sent.Scores) != 1 || sent.Scores[0].Score != 10 || sent.Scores[0].SSRC == 0 {
		t.Errorf("told %+v", sent)
	}
	served := await(t, c, func(client.ConsumerScored) bool { return true })
	if want := (client.ConsumerScore{Score: 10, ProducerScore: 10, ProducerScores: []int{10, 0}}); !cmp.Equal(served.Score, want) || served.ConsumerID != consumer {
		t.Errorf("told %+v, want %+v", served, want)
	}

	for _, each := range []struct{ asked, got client.Layers }{
		{client.Layers{}, client.Layers{}}, {client.AllLayers, client.Layers{Spatial: 1}},
	} {
		got, err := c.SetConsumerPreferredLayers(within(t), "r", "bob", consumer, each.asked)
		must(t, err)
		if !cmp.Equal(got, &each.got) {
			t.Errorf("asked for %+v, got %+v, want %+v", each.asked, got, each.got)
		}
	}
	must(t, c.SetConsumerPriority(within(t), "r", "bob", consumer, 255))
	wantCode(t, c.SetConsumerPriority(within(t), "r", "bob", consumer, 0), client.InvalidField)
	info, err = c.Consumer(within(t), "r", "bob", consumer)
	must(t, err)
	if !cmp.Equal(info.CurrentLayers, &client.Layers{}) || info.Priority != 255 {
		t.Errorf("in the end: current %v, priority %d", info.CurrentLayers, info.Priority)
	}
	show.Producer.Pause()
	if none := await(t, c, func(client.ConsumerLayersChanged) bool { return true }); none.Layers != nil {
		t.Errorf("told %+v of a paused producer", none)
	}
	if none := await(t, c, func(client.ProducerLayersWanted) bool { return true }); none.WantedSpatial != nil {
		t.Errorf("told that layer %d of a paused producer is wanted", *none.WantedSpatial)
	}
}

func TestConsumerBeginsWithThePreferredLayers(t *testing.T) {
	withFake(t, func(t *testing.T, f *fake) {
		c, k := f.dial()
		done := later(func() error {
			_, err := c.CreateConsumer(within(t), "r", "p", "t", client.ConsumerOptions{
				ProducerID: "p1", RTPCapabilities: []byte(`{}`), PreferredLayers: &client.Layers{Spatial: 1, Temporal: 2},
			})
			return err
		})
		q := k.request()
		want := `{"roomId":"r","peerId":"p","transportId":"t","producerId":"p1","rtpCapabilities":{},"preferredLayers":{"spatialLayer":1,"temporalLayer":2}}`
		if string(q.Data) != want {
			t.Errorf("asked %s, want %s", q.Data, want)
		}
		k.grant(q, "{}")
		must(t, done())
	})
}
