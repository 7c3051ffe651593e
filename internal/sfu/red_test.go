package sfu

import (
	"bytes"
	"slices"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/udp"
)

const redPT = 63

// redCodecs are those of a router for voices as RED; opus is its payload type.
func redCodecs(opus uint8) []ortc.RTPCodecCapability {
	return []ortc.RTPCodecCapability{
		{Kind: ortc.Audio, MimeType: "audio/opus", ClockRate: 48000, Channels: 2, PreferredPayloadType: &opus},
		{Kind: ortc.Audio, MimeType: "audio/red", ClockRate: 48000, Channels: 2},
	}
}

func redParameters() ortc.RTPParameters {
	p := audioParameters()
	red := ortc.RTPCodecParameters{MimeType: "audio/red", PayloadType: redPT, ClockRate: 48000, Channels: 2}
	p.Codecs = append([]ortc.RTPCodecParameters{red}, p.Codecs...)
	return p
}

// opusOf is the payload of the Opus packet seq, and of no other.
func opusOf(seq uint16, size int) []byte { return bytes.Repeat([]byte{byte(seq)}, size) }

// redPayload is what Chromium makes of Opus packets of the sizes given, the last
// of which is seq.
func redPayload(pt uint8, seq uint16, sizes ...int) []byte {
	var b []byte
	last := len(sizes) - 1
	for i, size := range sizes[:last] {
		offset := 960 * (last - i)
		b = append(b, 0x80|pt, byte(offset>>6), byte(offset<<2)|byte(size>>8), byte(size))
	}
	b = append(b, pt)
	for i, size := range sizes {
		b = append(b, opusOf(seq-uint16(last-i), size)...)
	}
	return b
}

func redPacket(seq uint16, payload []byte) *pionrtp.Packet {
	p := audioPacket(seq, 960*uint32(seq), 0)
	p.PayloadType, p.Payload = redPT, payload
	_ = p.SetExtension(2, []byte{0x80 | byte(seq)}) // the level
	return p
}

// redCall is a sender of RED and, in this order, one who takes RED, one who does
// not, and one each of these in another router, with other payload types.
type redCall struct {
	*rig
	alice     *client
	listeners [4]*client
	consumers [4]*Consumer
}

func newRedCall(tb testing.TB) *redCall {
	tb.Helper()
	r := newRig(tb, func(o *Options) { o.ConsentTimeout = -1 })
	c := &redCall{rig: r}
	routers := [2]*Router{}
	for i := range routers {
		var err error
		if routers[i], err = r.sfu.NewRouter(RouterOptions{MediaCodecs: redCodecs([]uint8{100, 127}[i])}); err != nil {
			tb.Fatal(err)
		}
	}
	r.router = routers[0]
	c.alice = r.connect(WebRTCTransportOptions{})
	here := c.alice.produce(ortc.Audio, redParameters())
	there, err := routers[0].PipeTo(routers[1], here.ID(), PipeOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range c.listeners {
		r.router = routers[i/2]
		c.listeners[i] = r.connect(WebRTCTransportOptions{})
		change := []func(*ConsumerOptions){func(*ConsumerOptions) {}, withoutRED}[i%2]
		c.consumers[i] = c.listeners[i].consume([]*Producer{here, there}[i/2], change)
	}
	return c
}

// withoutRED makes a consumer that of a receiver who does not understand RED.
func withoutRED(o *ConsumerOptions) {
	o.RTPCapabilities.Codecs = slices.DeleteFunc(o.RTPCapabilities.Codecs, func(codec ortc.RTPCodecCapability) bool { return codec.MimeType == "audio/red" })
}

// hear checks what the listeners get, one after the other.
func (c *redCall) hear(what string, want ...[][]byte) {
	c.tb.Helper()
	for i, listener := range c.listeners {
		got := listener.take().rtp
		if len(got) != len(want[i]) {
			c.tb.Fatalf("%s: listener %d gets %d packets, want %d", what, i, len(got), len(want[i]))
		}
		for j, p := range got {
			if !bytes.Equal(p.payload, want[i][j]) {
				c.tb.Errorf("%s: listener %d gets % x, want % x", what, i, p.payload, want[i][j])
			}
		}
	}
}

func TestREDIsWholeForSomeAndOpusForOthers(t *testing.T) {
	c := newRedCall(t)
	var packets []*pionrtp.Packet
	var want [4][][]byte
	for seq, sizes := range [][]int{{30}, {30, 41}, {41, 5}, {30, 41, 5, 1}, {1, 1023, 200}, {300, 1}} {
		seq := uint16(seq)
		packets = append(packets, redPacket(seq, redPayload(audioPT, seq, sizes...)))
		opus := opusOf(seq, sizes[len(sizes)-1])
		for i, payload := range [][]byte{redPayload(100, seq, sizes...), opus, redPayload(127, seq, sizes...), opus} {
			want[i] = append(want[i], payload)
		}
	}
	c.alice.sendRTP(packets...)
	for i, listener := range c.listeners {
		params := c.consumers[i].RTPParameters()
		pt := params.Codecs[0].PayloadType // of RED, if there is RED
		got := listener.take().rtp
		if len(got) != len(packets) {
			t.Fatalf("listener %d gets %d packets", i, len(got))
		}
		for j, p := range got {
			h := p.header
			if h.PayloadType != pt || h.Timestamp-got[0].header.Timestamp != 960*uint32(j) || h.SequenceNumber != got[0].header.SequenceNumber+uint16(j) {
				t.Errorf("listener %d: packet %d is %+v", i, j, h)
			}
			if level := h.GetExtension(6); !bytes.Equal(level, []byte{0x80 | byte(j)}) {
				t.Errorf("listener %d: packet %d has the level %x", i, j, level)
			}
			if !bytes.Equal(p.payload, want[i][j]) {
				t.Errorf("listener %d gets % x, want % x", i, p.payload, want[i][j])
			}
		}
		if codecs := len(params.Codecs); codecs != 2-i%2 {
			t.Errorf("listener %d has %d codecs", i, codecs)
		}
	}
}

func TestSenderMayChangeBetweenREDAndOpus(t *testing.T) {
	c := newRedCall(t)
	opus := audioPacket(2, 960*2, 30)
	c.alice.sendRTP(redPacket(1, redPayload(audioPT, 1, 30)), opus, redPacket(3, redPayload(audioPT, 3, 30, 31)))
	short := [][]byte{opusOf(1, 30), opus.Payload, opusOf(3, 31)}
	c.hear("both", [][]byte{redPayload(100, 1, 30), opus.Payload, redPayload(100, 3, 30, 31)}, short,
		[][]byte{redPayload(127, 1, 30), opus.Payload, redPayload(127, 3, 30, 31)}, short)
}

func TestMalformedREDIsDropped(t *testing.T) {
	c := newRedCall(t)
	bad := [][]byte{
		{0x80 | audioPT, 0, 0},                        // a header that is cut
		{0x80 | audioPT, 0, 3, 255, audioPT, 1},       // a block that is longer than the payload
		redPayload(110, 2, 30),                        // blocks of something else
		redPayload(audioPT, 2, 30, 0),                 // nothing new
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, audioPT}, // encrypted, say
	}
	for i, payload := range bad {
		c.alice.sendRTP(redPacket(uint16(i+1), payload))
	}
	if n := c.sfu.counters.drops[dropMalformed].Load(); n != uint64(len(bad)) {
		t.Errorf("%d were dropped", n)
	}
	c.hear("what is malformed", nil, nil, nil, nil)
	c.alice.sendRTP(redPacket(9, redPayload(audioPT, 9, 30)))
	c.hear("what comes then", [][]byte{redPayload(100, 9, 30)}, [][]byte{opusOf(9, 30)}, [][]byte{redPayload(127, 9, 30)}, [][]byte{opusOf(9, 30)})
}

// A packet of padding alone keeps its place, like any other.
func TestPaddingAsREDIsEmptyForAll(t *testing.T) {
	c := newRedCall(t)
	c.alice.sendRTP(redPacket(1, redPayload(audioPT, 1, 30)))
	c.hear("the first", [][]byte{redPayload(100, 1, 30)}, [][]byte{opusOf(1, 30)}, [][]byte{redPayload(127, 1, 30)}, [][]byte{opusOf(1, 30)})
	padding := redPacket(2, nil)
	padding.Header.Padding, padding.PaddingSize = true, 20
	c.alice.sendRTP(padding)
	empty := [][]byte{{}}
	c.hear("padding", empty, empty, empty, empty)
}

func TestREDAloneIsNotTaken(t *testing.T) {
	c := newRedCall(t)
	params := redParameters()
	params.MID, params.Encodings[0].SSRC, params.Codecs = "7", 7, params.Codecs[:1]
	if _, err := c.alice.transport.Produce(ProducerOptions{Kind: ortc.Audio, RTPParameters: params}); err == nil {
		t.Error("RED without Opus is taken")
	}
}

func TestREDDoesNotAllocate(t *testing.T) {
	c := newRedCall(t)
	const runs = 200
	var batches [][]udp.Datagram
	for seq := range uint16(2*runs + 10) {
		datagram := c.alice.protect(redPacket(seq, redPayload(audioPT, seq, 80, 81)))
		batches = append(batches, []udp.Datagram{{Data: datagram, Path: c.alice.path}})
	}
	next := 0
	forward := func() {
		c.worker.takeBatch(c.now, batches[next])
		next++
		c.now = c.now.Add(20 * time.Millisecond)
		c.shared.Store(int64(c.now))
	}
	for range runs {
		forward()
	}
	if n := testing.AllocsPerRun(runs, forward); n != 0 {
		t.Errorf("%v allocations per packet of RED", n)
	}
	for i, consumer := range c.consumers {
		if n := consumer.sent.packets; n != uint64(next) {
			t.Errorf("listener %d was sent %d packets of %d", i, n, next)
		}
	}
}

func BenchmarkRED(b *testing.B) {
	for name, whole := range map[string]int{"whole": 0, "newest block": 1} {
		b.Run(name, func(b *testing.B) {
			c := newRedCall(b)
			for i, consumer := range c.consumers {
				if i != whole {
					consumer.Close()
				}
			}
			_ = c.listeners[whole].socket.SetReadBuffer(4096)
			var batch []udp.Datagram
			b.ReportAllocs()
			b.StopTimer()
			for i := range b.N {
				if i%1024 == 0 {
					batch = batch[:0]
					for j := range min(1024, b.N-i) {
						seq := uint16(i + j)
						batch = append(batch, udp.Datagram{Data: c.alice.protect(redPacket(seq, redPayload(audioPT, seq, 80, 80))), Path: c.alice.path})
					}
				}
				b.StartTimer()
				c.worker.takeBatch(c.now, batch[i%1024:i%1024+1])
				b.StopTimer()
			}
			if n := c.consumers[whole].sent.packets; n != uint64(b.N) {
				b.Fatalf("%d of %d were sent", n, b.N)
			}
		})
	}
}
