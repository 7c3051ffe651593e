package takosapi_test

import (
	"fmt"
	"testing"

	"github.com/coder/websocket"
)

// BenchmarkCommands is what one connection can do whose client pipelines simple
// commands; client and server share the cores.
func BenchmarkCommands(b *testing.B) {
	w := newWorld(b, settings{"rate": "1000000000", "burst": "1000000000"})
	c := w.connect(b)
	c.must("createRoom", map[string]any{"roomId": "tako"})
	c.must("addPeer", map[string]any{"roomId": "tako", "peerId": "alice"})
	text := []byte(`{"type":"getPeerInfo","id":"1","data":{"roomId":"tako","peerId":"alice"}}`)
	b.ReportAllocs()
	b.ResetTimer()
	sent := make(chan error, 1)
	go func() {
		for range b.N {
			if err := c.ws.Write(b.Context(), websocket.MessageText, text); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for range b.N {
		if _, _, err := c.ws.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
}

// BenchmarkJoin is everything that a backend does for somebody who comes and
// goes: two transports, a producer and a consumer, without the handshakes.
func BenchmarkJoin(b *testing.B) {
	w := newWorld(b, settings{"rate": "1000000000", "burst": "1000000000"})
	c := w.connect(b)
	c.must("subscribe", map[string]any{"roomIds": []string{}})
	first := c.call("tako")
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		peer := fmt.Sprintf("p%d", i)
		c.must("addPeer", map[string]any{"roomId": "tako", "peerId": peer})
		send := c.must("createTransport", map[string]any{"roomId": "tako", "peerId": peer, "direction": "send"})["id"]
		recv := c.must("createTransport", map[string]any{"roomId": "tako", "peerId": peer, "direction": "recv"})["id"]
		c.must("createProducer", map[string]any{
			"roomId": "tako", "peerId": peer, "transportId": send, "kind": "audio", "rtpParameters": audio,
		})
		c.must("createConsumer", map[string]any{
			"roomId": "tako", "peerId": peer, "transportId": recv, "producerId": first.mic, "rtpCapabilities": caps,
		})
		c.must("removePeer", map[string]any{"roomId": "tako", "peerId": peer})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "joins/s")
}
