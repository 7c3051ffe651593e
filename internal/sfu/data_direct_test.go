package sfu

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

// directData is a data producer and as many consumers as there are names, all of the
// server's own, with what each has got.
func directData(t *testing.T, subchannels map[string][]uint16) (*DataProducer, map[string]*DataConsumer, func(string) string) {
	t.Helper()
	r := newTestRouter(t)
	transport, err := r.NewDirectTransport(DirectTransportOptions{})
	check(t, err)
	p, err := transport.ProduceData(DataProducerOptions{Label: "own"})
	check(t, err)
	got, consumers := map[string][]string{}, map[string]*DataConsumer{}
	for name, list := range subchannels {
		consumers[name], err = transport.ConsumeData(DataConsumerOptions{
			DataProducerID: p.ID(), Subchannels: list,
			Events: DataConsumerEvents{Message: func(data []byte, text bool) {
				if !text {
					data = append([]byte("binary "), data...)
				}
				got[name] = append(got[name], string(data))
			}},
		})
		check(t, err)
	}
	return p, consumers, func(name string) string { return strings.Join(got[name], ",") }
}

func TestDataOfTheServerItself(t *testing.T) {
	p, consumers, got := directData(t, map[string][]uint16{"one": nil})
	c := consumers["one"]
	check(t, p.Send([]byte("hello"), true, Subchannels{}))
	check(t, p.Send(nil, true, Subchannels{}))
	check(t, p.Send([]byte{'x'}, false, Subchannels{}))
	if got("one") != "hello,,binary x" {
		t.Errorf("got %q", got("one"))
	}
	if p.Type() != DataDirect || c.Type() != DataDirect || c.Label() != "own" || c.BufferedAmount() != 0 {
		t.Errorf("types %q and %q", p.Type(), c.Type())
	}
	if s := c.Stats(); s.MessagesSent != 3 || s.BytesSent != 7 {
		t.Errorf("stats %+v", s)
	}
	if _, err := c.Send(nil, true); !isKind(err, ortc.InvalidState) {
		t.Errorf("Send of a direct consumer: %v", err)
	}
	c.SetBufferedAmountLowThreshold(1)
	p.Close()
	if err := p.Send(nil, true, Subchannels{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Send on a closed producer: %v", err)
	}
	if !c.Closed() {
		t.Error("the consumer is open")
	}
}

func TestSubchannelsChooseWhoGetsAMessage(t *testing.T) {
	p, consumers, got := directData(t, map[string][]uint16{"none": nil, "one": {1}, "both": {2, 1, 2}})
	one, two := new(uint16(1)), new(uint16(2))
	for name, to := range map[string]Subchannels{
		"everybody": {}, "any of 1 and 3": {Any: []uint16{1, 3}}, "with 2": {Required: two}, "without 1": {Ignored: one},
		"any of 1, without 2": {Any: []uint16{1}, Ignored: two}, "nobody": {Any: []uint16{3}},
	} {
		check(t, p.Send([]byte(name), true, to))
	}
	for name, want := range map[string]string{
		"none": "everybody;without 1",
		"one":  "any of 1 and 3;any of 1, without 2;everybody",
		"both": "any of 1 and 3;everybody;with 2",
	} {
		list := strings.Split(strings.ReplaceAll(got(name), "1, w", "1; w"), ",")
		for i := range list {
			list[i] = strings.ReplaceAll(list[i], ";", ",")
		}
		if slices.Sort(list); strings.Join(list, ";") != want {
			t.Errorf("%s got %q, want %q", name, list, want)
		}
	}
	c := consumers["both"]
	c.AddSubchannel(9)
	c.AddSubchannel(9)
	c.RemoveSubchannel(1)
	c.RemoveSubchannel(5)
	if got := c.Subchannels(); !slices.Equal(got, []uint16{2, 9}) {
		t.Errorf("subchannels %v", got)
	}
	c.SetSubchannels([]uint16{4})
	if got := c.Subchannels(); !slices.Equal(got, []uint16{4}) {
		t.Errorf("subchannels %v", got)
	}
}

func TestDataBetweenTheServerAndAClient(t *testing.T) {
	r := newTestRouter(t)
	client := connectDataPeer(t, r, WebRTCTransportOptions{})
	transport, err := r.NewDirectTransport(DirectTransportOptions{})
	check(t, err)
	own, err := transport.ProduceData(DataProducerOptions{})
	check(t, err)
	_, in := client.consume(DataConsumerOptions{DataProducerID: own.ID(), Subchannels: []uint16{7}})
	theirs, out := client.produce(DataProducerOptions{SCTPStreamParameters: SCTPStreamParameters{StreamID: 5}}) // its channels are one each way
	heard := make(chan string, 10)
	_, err = transport.ConsumeData(DataConsumerOptions{DataProducerID: theirs.ID(), Events: DataConsumerEvents{
		Message: func(data []byte, _ bool) { heard <- string(data) },
	}})
	check(t, err)
	sendText(t, out, "from the client")
	if got := <-heard; got != "from the client" {
		t.Errorf("heard %q", got)
	}
	check(t, own.Send([]byte("not for it"), true, Subchannels{Ignored: new(uint16(7))}))
	check(t, own.Send([]byte("from the server"), true, Subchannels{}))
	in.want(t, "from the server")
	if err := theirs.Send(nil, true, Subchannels{}); !isKind(err, ortc.InvalidState) {
		t.Errorf("Send on a client's producer: %v", err)
	}
}
