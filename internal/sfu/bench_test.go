package sfu

import (
	"fmt"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/udp"
)

// benchFrame makes the packets of one frame as Chromium cuts it, with the
// header extensions that it sends, encrypted.
func benchFrame(tb testing.TB, c *client, seq uint16, packets int) []udp.Datagram {
	tb.Helper()
	batch := make([]udp.Datagram, packets)
	for i := range batch {
		size := 1160
		if i == 0 {
			size--
		}
		p := videoPacket(seq, uint32(seq)*600, i == packets-1, seq == 0, size)
		for id, data := range map[uint8][]byte{9: []byte("0"), 3: {byte(seq >> 8), byte(seq)}} {
			if err := p.SetExtension(id, data); err != nil {
				tb.Fatal(err)
			}
		}
		batch[i] = udp.Datagram{Data: c.protect(p), Path: c.path}
		seq++
	}
	return batch
}

// fanoutRig is a sender of video and receivers whose packets go to sockets
// that nobody reads.
func fanoutRig(tb testing.TB, receivers int) (*rigCall, []*client) {
	tb.Helper()
	r := newRig(tb, func(o *Options) { o.ConsentTimeout = -1 })
	c := &rigCall{rig: r, alice: r.connect(WebRTCTransportOptions{})}
	c.producer = c.alice.produce(ortc.Video, videoParameters())
	var list []*client
	for range receivers {
		bob := r.connect(WebRTCTransportOptions{})
		_ = bob.socket.SetReadBuffer(4096) // full at once
		bob.consume(c.producer)
		list = append(list, bob)
	}
	return c, list
}

func TestPacketPathDoesNotAllocate(t *testing.T) {
	const frames, perFrame, runs = 900, 3, 200
	c, receivers := fanoutRig(t, 4)
	batches := make([][]udp.Datagram, frames)
	for i := range batches {
		batches[i] = benchFrame(t, c.alice, uint16(i*perFrame), perFrame)
	}
	next := 0
	forward := func() {
		c.worker.takeBatch(c.now, batches[next])
		next++
		c.now = c.now.Add(20 * time.Millisecond)
		c.shared.Store(int64(c.now))
		c.clock.tickDue(c.now)
	}
	for next < frames-2*runs-10 { // stores, windows and lists grow to what they need
		forward()
	}
	if n := testing.AllocsPerRun(runs, forward); n != 0 {
		t.Errorf("%v allocations per frame received, forwarded and reported", n)
	}
	// The answer to a NACK; its decryption allocates 16 bytes, in Pion.
	bob := receivers[0].transport
	consumer := bob.send.streams[0]
	before := consumer.sent.rtxPackets
	if n := testing.AllocsPerRun(runs, func() {
		forward()
		bob.recvMu.Lock()
		c.worker.retransmit(consumer, uint16(consumer.rewrite.seq-1))
		bob.recvMu.Unlock()
	}); n != 0 {
		t.Errorf("%v allocations per frame and retransmission", n)
	}
	if n := consumer.sent.rtxPackets - before; n != runs+1 {
		t.Errorf("%d packets were retransmitted, want %d", n, runs+1)
	}
	if n := consumer.sent.packets; n != uint64(next*perFrame) {
		t.Errorf("%d packets were sent, want %d", n, next*perFrame)
	}
}

func BenchmarkReceiveRTP(b *testing.B) {
	for _, receivers := range []int{0, 1} { // nobody to keep packets for, or somebody
		b.Run(fmt.Sprintf("%d consumers", receivers), func(b *testing.B) {
			c, list := fanoutRig(b, receivers)
			for _, bob := range list {
				bob.transport.send.streams[0].Pause()
			}
			var batch []udp.Datagram
			var used, before time.Duration
			b.ReportAllocs()
			for i := range b.N {
				if i%1024 == 0 {
					if i > 0 {
						used += cpuTime(b) - before
					}
					b.StopTimer()
					batch = benchFrame(b, c.alice, uint16(i), min(1024, b.N-i))
					b.StartTimer()
					before = cpuTime(b)
				}
				c.worker.now = c.now.Add(time.Duration(i) * time.Microsecond)
				c.worker.receive(&batch[i%1024])
				c.worker.count, c.worker.grouped = 0, 0
			}
			used += cpuTime(b) - before
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/packet")
		})
	}
}

// fillGroup puts a group of packets into the worker as if they had just been
// received.
func fillGroup(c *rigCall, s *recvStream, extSeq int64, packets int) {
	w := c.worker
	for i := range packets {
		pk := &w.packets[i]
		pk.stream, pk.extSeq, pk.ts, pk.pt = s, extSeq+int64(i), uint32(extSeq)*600, s.producer.codecs[videoPT].mapped
		pk.marker, pk.frame.Keyframe, pk.payloadLen = i == packets-1, extSeq == 0, 1160
		if i == 0 {
			pk.payloadLen--
		}
		w.addToGroup(pk)
	}
}

func BenchmarkForwardGroup(b *testing.B) {
	for _, receivers := range []int{1, 50, 200} {
		for _, packets := range []int{1, 6} {
			b.Run(fmt.Sprintf("%d consumers/%d packets", receivers, packets), func(b *testing.B) {
				c, _ := fanoutRig(b, receivers)
				for _, d := range benchFrame(b, c.alice, 0, 1) { // makes the stream, and a start
					c.worker.takeBatch(c.now, []udp.Datagram{d})
				}
				s := (*c.producer.live.Load())[0]
				extSeq := s.highestSeq + 1
				b.ReportAllocs()
				before := cpuTime(b)
				for b.Loop() {
					fillGroup(c, s, extSeq, packets)
					extSeq += int64(packets)
					c.worker.now = c.worker.now.Add(time.Millisecond)
					c.worker.forwardGroups()
					c.worker.count, c.worker.grouped = 0, 0
				}
				perPacket := float64(cpuTime(b)-before) / float64(b.N*receivers*packets)
				b.ReportMetric(perPacket, "cpu-ns/packet")
			})
		}
	}
}

func BenchmarkMakeAndEncrypt(b *testing.B) {
	c, list := fanoutRig(b, 1)
	c.worker.takeBatch(c.now, benchFrame(b, c.alice, 0, 1))
	t := &list[0].transport.Transport
	consumer, s := t.send.streams[0], (*c.producer.live.Load())[0]
	fillGroup(c, s, s.highestSeq+1, 1)
	p, w := &c.worker.packets[0], c.worker
	f := form{pt: p.pt, seq: uint16(consumer.rewrite.seq), ts: p.ts, ssrc: consumer.ssrc, marker: p.marker}
	for _, encrypt := range []bool{false, true} {
		b.Run(map[bool]string{false: "make", true: "make and encrypt"}[encrypt], func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				f.seq++
				w.make(&w.ready[0], t, consumer, p, &f)
				if encrypt {
					w.encrypt(t.send.outbound, w.out[:0], &w.ready[0])
				}
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/packet")
		})
	}
}
