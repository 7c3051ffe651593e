package sfu

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/pion/webrtc/v4"
)

// BenchmarkData is a reliable message on its way from a client to another, with all
// that SCTP and DTLS do for it at three places: both clients are in this process.
func BenchmarkData(b *testing.B) {
	for _, size := range []int{100, 16 << 10} {
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) { benchmarkData(b, size) })
	}
}

func benchmarkData(b *testing.B, size int) {
	r := newTestRouter(b)
	alice, bob := connectDataPeer(b, r, WebRTCTransportOptions{}), connectDataPeer(b, r, WebRTCTransportOptions{})
	p, out := alice.produce(DataProducerOptions{})
	_, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	var arrived atomic.Int64
	done := make(chan struct{}, 1)
	in.channel.OnMessage(func(webrtc.DataChannelMessage) {
		if arrived.Add(1) == int64(b.N) {
			done <- struct{}{}
		}
	})
	// Not more at once than a browser's application would let wait.
	room := make(chan struct{}, 1)
	out.SetBufferedAmountLowThreshold(1 << 19)
	out.OnBufferedAmountLow(func() {
		select {
		case room <- struct{}{}:
		default:
		}
	})
	message := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := out.Send(message); err != nil {
			b.Fatal(err)
		}
		if out.BufferedAmount() > 1<<20 {
			<-room
		}
	}
	<-done
}
