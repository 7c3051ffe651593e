package bwe

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

// feedbackPacket is a transport-wide feedback packet with the chunks and
// deltas given.
func feedbackPacket(base, count uint16, reference uint32, chunks []uint16, deltas ...byte) rtp.RTCPPacket {
	b := make([]byte, 8, 64)
	b = binary.BigEndian.AppendUint16(b, base)
	b = binary.BigEndian.AppendUint16(b, count)
	b = binary.BigEndian.AppendUint32(b, reference<<8|7)
	for _, c := range chunks {
		b = binary.BigEndian.AppendUint16(b, c)
	}
	return rtp.RTCPPacket{Type: rtp.TypeRTPFB, Count: rtp.FormatTransportCC, Body: append(b, deltas...)}
}

// readAll reads what a report says; missing packets have the ticks -1.
func readAll(t *testing.T, p rtp.RTCPPacket) (seqs []uint16, ticks []int64) {
	t.Helper()
	r, ok := readFeedback(p)
	if !ok {
		t.Fatalf("% x is not read", p.Body)
	}
	for s, ok := r.next(); ok; s, ok = r.next() {
		seqs = append(seqs, s.seq)
		if !s.arrived {
			s.ticks = -1
		}
		ticks = append(ticks, s.ticks)
	}
	return seqs, ticks
}

func TestFeedbackIsRead(t *testing.T) {
	for _, test := range []struct {
		name string
		p    rtp.RTCPPacket
		want []int64
	}{
		{"a run of small deltas", feedbackPacket(65534, 3, 1, []uint16{0x2003}, 4, 0, 255), []int64{4, 4, 259}},
		{"a run of lost packets", feedbackPacket(1, 3, 1, []uint16{0x0003}), []int64{-1, -1, -1}},
		{"a run of large deltas", feedbackPacket(1, 2, 1, []uint16{0x4002}, 1, 0, 0xFF, 0xFF), []int64{256, 255}},
		{"single bits", feedbackPacket(1, 14, 1, []uint16{0xA001}, 1, 2), []int64{1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 3}},
		// 01 10 00 00 00 00 10
		{"pairs of bits", feedbackPacket(1, 7, 1, []uint16{0xD802}, 5, 0xFF, 0xFE, 0, 9), []int64{5, 3, -1, -1, -1, -1, 12}},
		{"more symbols than packets", feedbackPacket(1, 2, 1, []uint16{0xBFFF}, 1, 2), []int64{1, 3}},
		{"two chunks", feedbackPacket(1, 3, 1, []uint16{0x2001, 0x0002}, 5), []int64{5, -1, -1}},
		{"the reserved symbol", feedbackPacket(1, 2, 1, []uint16{0x6002}), []int64{-1, -1}},
		{"deltas cut short", feedbackPacket(1, 3, 1, []uint16{0x2003}, 4), []int64{4}},
		{"a large delta cut short", feedbackPacket(1, 1, 1, []uint16{0x4001}, 4), nil},
		{"no packets", feedbackPacket(1, 0, 1, nil), nil},
	} {
		seqs, ticks := readAll(t, test.p)
		if !slices.Equal(ticks, test.want) {
			t.Errorf("%s: %v, want %v", test.name, ticks, test.want)
		}
		base := binary.BigEndian.Uint16(test.p.Body[8:])
		for i, seq := range seqs {
			if seq != base+uint16(i) {
				t.Errorf("%s: packet %d is %d", test.name, i, seq)
			}
		}
	}
}

func TestMalformedFeedbackIsRefused(t *testing.T) {
	good := feedbackPacket(1, 3, 1, []uint16{0x2003}, 4, 0, 255)
	for name, p := range map[string]rtp.RTCPPacket{
		"another type":      {Type: rtp.TypePSFB, Count: good.Count, Body: good.Body},
		"another format":    {Type: good.Type, Count: rtp.FormatNACK, Body: good.Body},
		"a short header":    {Type: good.Type, Count: good.Count, Body: good.Body[:15]},
		"no chunk":          feedbackPacket(1, 3, 1, nil),
		"half a chunk":      feedbackPacket(1, 3, 1, nil, 0x20),
		"too few symbols":   feedbackPacket(1, 3, 1, []uint16{0x2002}),
		"a run of nothing":  feedbackPacket(1, 3, 1, []uint16{0x2000, 0x2003}, 1, 2, 3),
		"an empty body":     {Type: good.Type, Count: good.Count},
		"chunks for 65,535": feedbackPacket(1, 65535, 1, []uint16{0x3FFF}),
	} {
		if _, ok := readFeedback(p); ok {
			t.Errorf("%s is read", name)
		}
	}
}

// TestFeedbackOfARecorderIsRead has reports of random arrivals read as they
// were recorded.
func TestFeedbackOfARecorderIsRead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var recorder Recorder
		seq, now := uint16(random.Uint32()), at(time.Duration(random.Int64N(int64(30*24*time.Hour))))
		want := map[uint16]mono.Instant{}
		for range 1 + random.IntN(200) {
			seq += 1 + uint16(random.IntN(4)/3*random.IntN(30))
			now = now.Add(time.Duration(random.ExpFloat64() * float64(3*ms)))
			recorder.Receive(now, seq)
			want[seq] = now
		}
		got := map[uint16]bool{}
		for recorder.Pending() {
			packet := recorder.AppendFeedback(nil, 1, 2, 60+random.IntN(1000))
			reader := rtp.NewRTCPReader(packet)
			var p rtp.RTCPPacket
			if !reader.Next(&p) {
				t.Fatal(reader.Err())
			}
			r, ok := readFeedback(p)
			if !ok {
				t.Fatalf("% x is not read", packet)
			}
			for s, ok := r.next(); ok; s, ok = r.next() {
				at, arrived := want[s.seq]
				if arrived != s.arrived {
					t.Fatalf("packet %d arrived: %v, want %v", s.seq, s.arrived, arrived)
				}
				if ticks := int64(at) / int64(deltaTick); arrived && s.ticks+int64(r.reference)*deltasPerReference != ticks%(deltasPerReference<<24) {
					t.Fatalf("packet %d at %d, want %d", s.seq, s.ticks, ticks)
				}
				got[s.seq] = got[s.seq] || arrived
			}
		}
		for seq := range want {
			if !got[seq] {
				t.Fatalf("nothing is said of %d", seq)
			}
		}
	}
}

func TestReceiverClockGoesRoundTheCircle(t *testing.T) {
	for _, start := range []uint32{0, 1, 1<<23 - 1, 1 << 23, 1<<24 - 2} {
		var c receiverClock
		zero := c.at(start & 0xFFFFFF)
		for _, step := range []int64{1, 5, 3, -2, 100, 1 << 22, -7} {
			before := c.at(start & 0xFFFFFF)
			start += uint32(step)
			if got := c.at(start&0xFFFFFF) - before; got != time.Duration(step)*referenceTick {
				t.Errorf("%d ticks later is %v later", step, got)
			}
		}
		if zero <= 0 {
			t.Errorf("begins at %v", zero)
		}
	}
}

func FuzzFeedback(f *testing.F) {
	f.Add(feedbackPacket(65534, 3, 1, []uint16{0x2003}, 4, 0, 255).Body)
	f.Add(feedbackPacket(1, 14, 1<<24-1, []uint16{0xA001}, 1, 2).Body)
	f.Add(feedbackPacket(1, 9, 0, []uint16{0xD802, 0x4002}, 1, 0xFF, 0xFE, 0, 9, 1, 2, 3, 4).Body)
	f.Add(feedbackPacket(7, 65535, 5, []uint16{0x1FFF}).Body)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		p := rtp.RTCPPacket{Type: rtp.TypeRTPFB, Count: rtp.FormatTransportCC, Body: body}
		e := NewSendEstimator(SendEstimatorOptions{Min: 50_000, Max: 5_000_000})
		for seq := range uint16(300) {
			e.Sent(at(time.Duration(seq)*ms), seq*220, 1000)
		}
		taken := e.Feedback(at(400*ms), p)
		e.Feedback(at(500*ms), p)
		if got := e.Estimate(); got < 50_000 || got > 5_000_000 {
			t.Fatalf("estimate %d", got)
		}
		r, ok := readFeedback(p)
		if ok != taken {
			t.Fatalf("read: %v, taken in: %v", ok, taken)
		}
		n, deltas := 0, len(r.deltas)
		for s, ok := r.next(); ok; s, ok = r.next() {
			if s.seq != binary.BigEndian.Uint16(body[8:])+uint16(n) {
				t.Fatalf("packet %d is %d", n, s.seq)
			}
			if n++; s.arrived {
				deltas--
			}
		}
		if ok && (n > int(binary.BigEndian.Uint16(body[10:])) || deltas < 0) {
			t.Fatalf("%d packets, %d deltas too many", n, -deltas)
		}
	})
}
