package client_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/client"
)

func TestDataChannels(t *testing.T) {
	m := meet(t, newServer(t, serverSettings{}).dial(t))
	c, ctx := m.Client, m.ctx
	options := client.TransportOptions{SCTPOptions: client.SCTPOptions{EnableSCTP: true, MaxSCTPMessageSize: 1000}}
	send := got(c.CreateTransport(ctx, "r", "alice", client.Send, options))(t)
	receive := got(c.CreateTransport(ctx, "r", "bob", client.Receive, options))(t)
	var parameters struct {
		MaxMessageSize int `json:"maxMessageSize"`
	}
	if must(t, json.Unmarshal(send.SCTPParameters, &parameters)); parameters.MaxMessageSize != 1000 {
		t.Errorf("SCTP parameters %s", send.SCTPParameters)
	}

	p := got(c.CreateDataProducer(ctx, "r", "alice", send.ID, client.DataProducerOptions{
		SCTPStreamParameters: json.RawMessage(`{"streamId":7}`), Label: "chat", Protocol: "v1", AppData: 1,
	}))(t)
	if e := await[client.DataProducerCreated](t, c, nil); !cmp.Equal(e.DataProducer, p) || e.PeerID != "alice" || e.TransportID != send.ID {
		t.Errorf("told of %+v", e)
	}
	consumer := got(c.CreateDataConsumer(ctx, "r", "bob", receive.ID, client.DataConsumerOptions{
		DataProducerID: p.ID, MaxRetransmits: new(uint16(2)), AppData: 2,
	}))(t)
	if e := await[client.DataConsumerCreated](t, c, nil); !cmp.Equal(e.DataConsumer, consumer) || e.DataProducerID != p.ID {
		t.Errorf("told of %+v", e)
	}
	if !sameJSON(t, consumer.SCTPStreamParameters, json.RawMessage(`{"streamId":0,"ordered":false,"maxRetransmits":2}`)) || consumer.Label != "chat" {
		t.Errorf("data consumer %+v", consumer)
	}
	if inRoom := got(c.Room(ctx, "r"))(t).Peers; !cmp.Equal(inRoom["alice"].DataProducers[p.ID], p) || !cmp.Equal(inRoom["bob"].DataConsumers[consumer.ID], consumer) {
		t.Errorf("in the room: %+v", inRoom)
	}

	must(t, c.PauseDataProducer(ctx, "r", "alice", p.ID))
	must(t, c.PauseDataConsumer(ctx, "r", "bob", consumer.ID))
	await[client.DataProducerPaused](t, c, nil)
	if now := got(c.DataConsumer(ctx, "r", "bob", consumer.ID))(t); !now.Paused || !now.DataProducerPaused {
		t.Errorf("paused: %+v", now)
	}
	must(t, c.ResumeDataProducer(ctx, "r", "alice", p.ID))
	must(t, c.ResumeDataConsumer(ctx, "r", "bob", consumer.ID))
	await[client.DataProducerResumed](t, c, nil)
	if now := got(c.DataProducer(ctx, "r", "alice", p.ID))(t); now.Paused {
		t.Errorf("resumed: %+v", now)
	}

	_, err := c.SendText(ctx, "r", "bob", consumer.ID, "hello")
	wantCode(t, err, client.InvalidState) // nobody is connected
	_, err = c.SendBytes(ctx, "r", "bob", consumer.ID, make([]byte, 1001))
	wantCode(t, err, client.InvalidParameters)
	if s := got(c.DataProducerStats(ctx, "r", "alice", p.ID))(t); len(s) != 1 || s[0].Type != "data-producer" || s[0].Label != "chat" {
		t.Errorf("figures %+v", s)
	}
	if s := got(c.DataConsumerStats(ctx, "r", "bob", consumer.ID))(t); len(s) != 1 || s[0].Type != "data-consumer" || s[0].Protocol != "v1" {
		t.Errorf("figures %+v", s)
	}

	must(t, c.CloseDataConsumer(ctx, "r", "bob", consumer.ID))
	if e := await[client.DataConsumerClosed](t, c, nil); e.DataConsumerID != consumer.ID || e.Reason != "requested" {
		t.Errorf("told of %+v", e)
	}
	must(t, c.CloseDataProducer(ctx, "r", "alice", p.ID))
	if e := await[client.DataProducerClosed](t, c, nil); e.DataProducerID != p.ID {
		t.Errorf("told of %+v", e)
	}
	if _, err := c.DataProducer(ctx, "r", "alice", p.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a closed data producer: %v", err)
	}
	if _, err := c.DataConsumer(ctx, "r", "bob", consumer.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a closed data consumer: %v", err)
	}
	wantCode(t, c.PauseDataProducer(ctx, "r", "alice", p.ID), client.DataProducerNotFound)
	wantCode(t, c.PauseDataConsumer(ctx, "r", "bob", consumer.ID), client.DataConsumerNotFound)
}
