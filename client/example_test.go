package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/takoserver/takos-call/client"
)

// startServer stands for a server that runs somewhere.
func startServer() (url string, stop func()) {
	var closers []func()
	s, err := openServer(serverSettings{}, func(f func()) { closers = append(closers, f) })
	if err != nil {
		log.Fatal(err)
	}
	return s.URL, func() {
		for _, f := range slices.Backward(closers) {
			f()
		}
	}
}

// A room, and tokens with which two people enter it through the call endpoint.
func Example() {
	url, stop := startServer() // such as wss://calls.example.com
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	calls, err := client.Dial(ctx, url, client.Options{APIKey: testKey})
	if err != nil {
		log.Fatal(err)
	}
	defer calls.Close()

	room, err := calls.CreateRoom(ctx, "standup", client.RoomOptions{MaxPeers: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, user := range []string{"alice@example.com", "bob@example.com"} {
		token, err := calls.CreateToken(ctx, room.ID, user, client.TokenOptions{Lifetime: time.Minute})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s has a token: %t\n", user, token.Token != "")
	}
	// Output:
	// alice@example.com has a token: true
	// bob@example.com has a token: true
}

// Whoever sends something new is told to the others. Events of what happened
// before the connection stood, or while it was lost, do not come: Connected is
// the time to look.
func ExampleClient_Events() {
	url, stop := startServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	calls, err := client.Dial(ctx, url, client.Options{APIKey: testKey})
	if err != nil {
		log.Fatal(err)
	}
	defer calls.Close()

	for e := range calls.Events(ctx) {
		switch e := e.(type) {
		case client.Connected, client.EventsLost:
			rooms, err := calls.Rooms(ctx)
			fmt.Println("there are", len(rooms), "rooms", err)
			if _, err := calls.CreateRoom(ctx, "standup", client.RoomOptions{}); err != nil {
				log.Print(err)
			}
		case client.RoomCreated:
			fmt.Println("new room", e.RoomID)
			if err := calls.CloseRoom(ctx, e.RoomID); err != nil {
				log.Print(err)
			}
		case client.ProducerCreated:
			fmt.Println(e.PeerID, "sends", e.Kind)
		case client.RoomClosed:
			fmt.Println("closed room", e.RoomID)
			return
		}
	}
	// Output:
	// there are 0 rooms <nil>
	// new room standup
	// closed room standup
}

// What a browser needs to send and to receive is handed through as JSON.
func ExampleClient_CreateTransport() {
	url, stop := startServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	calls, err := client.Dial(ctx, url, client.Options{APIKey: testKey})
	if err != nil {
		log.Fatal(err)
	}
	defer calls.Close()
	if _, err := calls.CreateRoom(ctx, "standup", client.RoomOptions{}); err != nil {
		log.Fatal(err)
	}
	if _, err := calls.AddPeer(ctx, "standup", "alice", client.PeerOptions{DisplayName: "Alice"}); err != nil {
		log.Fatal(err)
	}
	info, err := calls.CreateTransport(ctx, "standup", "alice", client.Send, client.TransportOptions{})
	if err != nil {
		log.Fatal(err)
	}
	text, err := json.Marshal(info) // for createSendTransport
	fmt.Println(json.Valid(text), err)
	// Output:
	// true <nil>
}

// A backend hands itself what a producer sends, over a direct transport: this is
// how to look into media, or to make some.
func ExampleClient_CreateWorker() {
	url, stop := startServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, url, client.Options{APIKey: testKey})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	worker, err := c.CreateWorker(ctx, client.WorkerOptions{OnDisconnect: "close"})
	if err != nil {
		log.Fatal(err)
	}
	router, err := worker.CreateRouter(ctx, client.RouterOptions{
		MediaCodecs: []client.Codec{{Kind: client.Audio, MimeType: "audio/PCMU", ClockRate: 8000}},
	})
	if err != nil {
		log.Fatal(err)
	}
	transport, err := router.CreateDirectTransport(ctx, client.DirectTransportOptions{})
	if err != nil {
		log.Fatal(err)
	}
	producer, err := transport.Produce(ctx, client.ProduceOptions{Kind: client.Audio, RTPParameters: client.RTPParameters{
		Codecs:    []client.RTPCodecParameters{{MimeType: "audio/PCMU", ClockRate: 8000}},
		Encodings: []client.RTPEncodingParameters{{SSRC: 1}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	consumer, err := transport.Consume(ctx, client.ConsumeOptions{ProducerID: producer.ID(), RTPCapabilities: router.Info.RTPCapabilities})
	if err != nil {
		log.Fatal(err)
	}
	packet := []byte{0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 1, 0xff, 0xfe} // RTP
	if err := producer.Send(ctx, packet); err != nil {
		log.Fatal(err)
	}
	for e := range c.Events(ctx) {
		if e, ok := e.(client.EventConsumerRTP); ok && e.ConsumerID == consumer.ID() {
			fmt.Printf("heard %x\n", e.Packet[len(e.Packet)-2:])
			break
		}
	}
	// Output:
	// heard fffe
}

// The code of a refusal never changes its meaning.
func ExampleError() {
	url, stop := startServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	calls, err := client.Dial(ctx, url, client.Options{APIKey: testKey})
	if err != nil {
		log.Fatal(err)
	}
	defer calls.Close()

	for range 2 {
		_, err = calls.CreateRoom(ctx, "standup", client.RoomOptions{})
		var refusal *client.Error
		switch {
		case err == nil:
			fmt.Println("made")
		case errors.As(err, &refusal) && refusal.Code == client.RoomExists:
			fmt.Println("there already")
		case errors.Is(err, client.ErrDisconnected):
			fmt.Println("perhaps made")
		default:
			log.Fatal(err)
		}
	}
	_, err = calls.Peer(ctx, "standup", "nobody")
	fmt.Println(errors.Is(err, client.ErrNotFound))
	// Output:
	// made
	// there already
	// true
}
