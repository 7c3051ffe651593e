package sfu

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// handed is what a DirectTransport has called back with.
type handed struct {
	mu   sync.Mutex
	rtp  [][]byte
	rtcp [][]byte
}

func (h *handed) takeRTP(b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rtp = append(h.rtp, bytes.Clone(b))
}

func (h *handed) takeRTCP(b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rtcp = append(h.rtcp, bytes.Clone(b))
}

// packets returns what was handed over since it was called last.
func (h *handed) packets(tb testing.TB) (packets []pionrtp.Packet) {
	tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.rtp {
		var p pionrtp.Packet
		if err := p.Unmarshal(b); err != nil {
			tb.Fatalf("what was handed over is no RTP packet: %v", err)
		}
		packets = append(packets, p)
	}
	h.rtp = nil
	return packets
}

func (h *handed) control(tb testing.TB) (packets []rtp.RTCPPacket) {
	tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.rtcp {
		packets = append(packets, splitRTCP(tb, b)...)
	}
	h.rtcp = nil
	return packets
}

func newDirect(tb testing.TB, r *Router, o DirectTransportOptions) *DirectTransport {
	tb.Helper()
	t, err := r.NewDirectTransport(o)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func produceDirect(tb testing.TB, t *DirectTransport, kind ortc.MediaKind, params ortc.RTPParameters) *Producer {
	tb.Helper()
	p, err := t.Produce(ProducerOptions{Kind: kind, RTPParameters: params})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func raw(tb testing.TB, packets ...*pionrtp.Packet) (list [][]byte) {
	tb.Helper()
	for _, p := range packets {
		b, err := p.Marshal()
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

func TestServerItselfSendsToReceivers(t *testing.T) {
	r := newRig(t)
	bob := r.connect(WebRTCTransportOptions{})
	direct := newDirect(t, r.router, DirectTransportOptions{AppData: "bot"})
	p := produceDirect(t, direct, ortc.Video, videoParameters())
	bob.consume(p)
	if err := p.Send(raw(t, videoPacket(1, 0, false, true, 900), videoPacket(2, 0, true, false, 800))...); err != nil {
		t.Fatal(err)
	}
	got := bob.take().rtp
	if len(got) != 2 || len(got[0].payload) != 900 || len(got[1].payload) != 800 {
		t.Fatalf("received %d packets: %v", len(got), got)
	}
	if got[1].header.SequenceNumber != got[0].header.SequenceNumber+1 {
		t.Errorf("sequence numbers %d and %d", got[0].header.SequenceNumber, got[1].header.SequenceNumber)
	}
	if s := direct.Stats(); s.Type != "direct-transport" || s.RTPBytesReceived != 900+800+24 {
		t.Errorf("stats %+v", s)
	}
	if st := p.Stats(); len(st) != 1 || st[0].PacketCount != 2 {
		t.Errorf("stats of the producer: %+v", st)
	}
}

func TestServerSendsMorePacketsAtOnceThanABatchHolds(t *testing.T) {
	r := newRig(t)
	var h handed
	direct := newDirect(t, r.router, DirectTransportOptions{})
	p := produceDirect(t, direct, ortc.Audio, audioParameters())
	consumeDirect(t, direct, p, &h)
	var packets []*pionrtp.Packet
	for i := range 3*batchSize + 1 {
		packets = append(packets, audioPacket(uint16(i), uint32(i)*960, 80))
	}
	if err := p.Send(raw(t, packets...)...); err != nil {
		t.Fatal(err)
	}
	r.settle()
	got := h.packets(t)
	if len(got) != len(packets) {
		t.Fatalf("received %d of %d packets", len(got), len(packets))
	}
	for i, g := range got[1:] {
		if g.SequenceNumber != got[i].SequenceNumber+1 {
			t.Fatalf("packet %d follows %d", g.SequenceNumber, got[i].SequenceNumber)
		}
	}
}

func consumeDirect(tb testing.TB, t *DirectTransport, p *Producer, h *handed) *Consumer {
	tb.Helper()
	c, err := t.Consume(ConsumerOptions{
		ProducerID: p.ID(), RTPCapabilities: t.router.RTPCapabilities(), Events: ConsumerEvents{RTP: h.takeRTP},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestServerItselfReceives(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	p := alice.produce(ortc.Video, videoParameters())
	var h handed
	direct := newDirect(t, r.router, DirectTransportOptions{Events: DirectTransportEvents{RTCP: h.takeRTCP}})
	c := consumeDirect(t, direct, p, &h)
	alice.sendRTP(videoPacket(10, 3000, false, true, 1000), videoPacket(11, 3000, true, false, 1001))
	r.settle()
	got := h.packets(t)
	if len(got) != 2 || len(got[0].Payload) != 1000 || len(got[1].Payload) != 1001 || got[0].SSRC != c.ssrc {
		t.Fatalf("received %v", got)
	}
	if got[0].Padding || got[1].Padding {
		t.Error("packets are padded, though there is no run to be made of them")
	}

	t.Run("reports", func(t *testing.T) {
		r.advance(reportInterval + clockPeriod)
		reports := h.control(t)
		if !slices.ContainsFunc(reports, func(p rtp.RTCPPacket) bool { return p.Type == rtp.TypeSR }) {
			t.Errorf("no sender report among %d RTCP packets", len(reports))
		}
	})
	t.Run("what it asks for again", func(t *testing.T) {
		if err := direct.SendRTCP(rtp.AppendNACK(nil, 9, c.ssrc, []uint16{got[0].SequenceNumber})); err != nil {
			t.Fatal(err)
		}
		r.settle()
		again := h.packets(t)
		if len(again) != 1 || again[0].SSRC != c.rtxSSRC || len(again[0].Payload) != 2+1000 {
			t.Fatalf("received %v", again)
		}
	})
	t.Run("keyframes", func(t *testing.T) {
		alice.take()
		if err := direct.SendRTCP(rtp.AppendPLI(nil, 9, c.ssrc)); err != nil {
			t.Fatal(err)
		}
		if n := alice.take().plis(); n != 1 {
			t.Errorf("alice was asked %d times", n)
		}
	})
	t.Run("nothing after its end", func(t *testing.T) {
		alice.sendRTP(videoPacket(12, 6000, true, false, 1000))
		c.Close()
		alice.sendRTP(videoPacket(13, 9000, true, false, 1000))
		r.settle()
		h.packets(t)
		alice.sendRTP(videoPacket(14, 12000, true, false, 1000))
		r.settle()
		if got := h.packets(t); len(got) != 0 {
			t.Errorf("received %d packets", len(got))
		}
	})
}

func TestServerIsAskedForKeyframesOfItsOwnMedia(t *testing.T) {
	r := newRig(t)
	var h handed
	direct := newDirect(t, r.router, DirectTransportOptions{Events: DirectTransportEvents{RTCP: h.takeRTCP}})
	p := produceDirect(t, direct, ortc.Video, videoParameters())
	bob := r.connect(WebRTCTransportOptions{})
	c := bob.consume(p)
	if err := p.Send(raw(t, videoPacket(1, 0, true, true, 100))...); err != nil {
		t.Fatal(err)
	}
	r.settle()
	h.control(t)
	r.advance(2 * defaultKeyframeInterval)
	bob.sendRTCP(rtp.AppendPLI(nil, 9, c.ssrc))
	r.settle()
	if got := (taken{rtcp: h.control(t)}).plis(); got != 1 {
		t.Errorf("asked %d times", got)
	}
}

// A recorder whose disk hangs must not eat the server's memory, nor be given
// half a picture when it goes on.
func TestSlowCallbacksLosePacketsAndGoOnWithAKeyframe(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	p := alice.produce(ortc.Video, videoParameters())
	var h handed
	direct := newDirect(t, r.router, DirectTransportOptions{})
	consumeDirect(t, direct, p, &h)
	alice.sendRTP(videoPacket(0, 0, true, true, 1000))
	r.settle()
	h.packets(t)

	hang := make(chan struct{})
	r.router.emit(func() { <-hang })
	const sent = 2000
	for i := uint16(1); i <= sent; i++ {
		alice.sendRTP(videoPacket(i, uint32(i)*3000, true, false, 1000))
	}
	if n := len(direct.send.direct.waiting.data); n > directBytes {
		t.Errorf("%d bytes wait", n)
	}
	close(hang)
	r.settle()
	before := h.packets(t)
	if len(before) < 100 || len(before) >= sent {
		t.Fatalf("%d of %d packets were kept", len(before), sent)
	}
	alice.sendRTP(videoPacket(sent+1, (sent+1)*3000, true, false, 1000))
	alice.sendRTP(videoPacket(sent+2, (sent+2)*3000, true, true, 1000))
	r.settle()
	after := h.packets(t)
	if len(after) != 1 || after[0].SequenceNumber != before[len(before)-1].SequenceNumber+1 {
		t.Fatalf("went on with %d packets", len(after))
	}
	if alice.take().plis() == 0 {
		t.Error("no keyframe was asked for")
	}
}

func TestDirectTransportRefuses(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	if err := alice.produce(ortc.Video, videoParameters()).Send(nil); kindOf(err) != ortc.InvalidState {
		t.Errorf("sending on a WebRTCTransport: %v", err)
	}
	j := &journal{}
	direct := newDirect(t, r.router, DirectTransportOptions{Events: DirectTransportEvents{Closed: j.closed("direct")}})
	p := produceDirect(t, direct, ortc.Video, videoParameters())
	if err := p.Send(nil, []byte{0x80}, make([]byte, 3000), bytes.Repeat([]byte{0xff}, 40)); err != nil {
		t.Errorf("sending what is no RTP: %v", err)
	}
	if err := direct.SendRTCP([]byte{0x80, 200, 0xff}); err != nil {
		t.Errorf("sending what is no RTCP: %v", err)
	}
	p.Close()
	if err := p.Send(raw(t, videoPacket(1, 0, true, true, 100))...); !errors.Is(err, ErrClosed) {
		t.Errorf("sending on a closed producer: %v", err)
	}
	direct.Close()
	if err := direct.SendRTCP(rtp.AppendPLI(nil, 9, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("sending RTCP on a closed transport: %v", err)
	}
	r.router.Close()
	if _, err := r.router.NewDirectTransport(DirectTransportOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("making one of a closed router: %v", err)
	}
	if n := r.sfu.counters.panics.Load(); n != 0 {
		t.Errorf("%d panics", n)
	}
}

func TestDirectTransportDoesNotAllocate(t *testing.T) {
	r := newRig(t)
	direct := newDirect(t, r.router, DirectTransportOptions{})
	p := produceDirect(t, direct, ortc.Audio, audioParameters())
	seen := 0
	if _, err := direct.Consume(ConsumerOptions{
		ProducerID: p.ID(), RTPCapabilities: r.router.RTPCapabilities(),
		Events: ConsumerEvents{RTP: func([]byte) { seen++ }},
	}); err != nil {
		t.Fatal(err)
	}
	w := newWorker(r.sfu, nil, nil, 0)
	packets := raw(t, audioPacket(0, 0, 80))
	seq := uint16(0)
	send := func() {
		packets[0][2], packets[0][3] = byte(seq>>8), byte(seq)
		seq++
		w.takeOwnRTP(r.now, &direct.Transport, packets)
	}
	for range 2 * batchSize {
		send()
	}
	r.settle()
	if n := testing.AllocsPerRun(200, send); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
	r.settle()
	if seen != int(seq) {
		t.Errorf("%d of %d packets were handed over", seen, seq)
	}
}
