package sfu

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	pionrtp "github.com/pion/rtp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// readyPackets puts packets with payloads of the given sizes before the
// sender, numbered from first on.
func readyPackets(sc *scratch, first uint16, sizes []int) {
	for i, size := range sizes {
		slot := make([]byte, slotSize)
		rtp.PutFixedHeader(slot[headroom-rtp.HeaderSize:], false, false, false, 96, first+uint16(i), 0, 7)
		for j := range size {
			slot[headroom+j] = byte(size + j)
		}
		sc.ready[i] = outgoing{slot: slot, start: headroom - rtp.HeaderSize, end: headroom + size}
	}
}

// runsOf has the packets made and encrypted, and returns the sizes of the
// segments of each run. It checks that every packet comes out as it went in.
func runsOf(t fataler, c *client, first uint16, sizes []int) (runs [][]int) {
	t.Helper()
	readyPackets(&c.worker.scratch, first, sizes)
	outbound := c.transport.send.outbound
	at := 0
	for i := 0; i < len(sizes); {
		run, segment, next := c.worker.makeRun(outbound, i, len(sizes))
		var segments []int
		for part := range slices.Chunk(run, segment) {
			segments = append(segments, len(part))
			plain, err := c.inbound.DecryptRTP(nil, part, nil)
			if err != nil {
				t.Fatalf("packet %d: %v", at, err)
			}
			var p pionrtp.Packet
			if err := p.Unmarshal(plain); err != nil {
				t.Fatalf("packet %d: %v", at, err)
			}
			want := c.worker.ready[at].slot[headroom : headroom+sizes[at]]
			if p.SequenceNumber != first+uint16(at) || !bytes.Equal(p.Payload, want) {
				t.Fatalf("packet %d has seq %d and %d bytes, want %d", at, p.SequenceNumber, len(p.Payload), sizes[at])
			}
			if padding := len(plain) - rtp.HeaderSize - sizes[at]; padding > maxPadding(len(plain)) {
				t.Fatalf("packet %d of %d bytes was padded by %d", at, sizes[at], padding)
			}
			at++
		}
		if next <= i || at != next {
			t.Fatalf("a run of %d packets moves from %d to %d", len(segments), i, next)
		}
		runs, i = append(runs, segments), next
	}
	return runs
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func TestPacketsOfAFrameMakeFewRuns(t *testing.T) {
	r := newRig(t)
	c := r.connect(WebRTCTransportOptions{})
	const over = rtp.HeaderSize + 16 // header and authentication tag
	first := uint16(0)
	for _, step := range []struct {
		what  string
		sizes []int
		want  string
	}{
		{"one", []int{500}, "[[500]]"},
		{"equal", []int{1000, 1000, 1000}, "[[1000 1000 1000]]"},
		{"as Chromium cuts a frame", []int{1175, 1176, 1176, 1176}, "[[1176 1176 1176 1176]]"},
		{"with a short last one", []int{1175, 1176, 600}, "[[1176 1176 600]]"},
		{"two frames", []int{1175, 1176, 600, 1100, 1101, 30}, "[[1176 1176 600] [1101 1101 30]]"},
		{"growing", []int{100, 500, 1000}, "[[100] [500] [1000]]"},
		{"shrinking", []int{1000, 500, 100}, "[[1000 500] [100]]"},
		{"too different to be padded", []int{1000, 1020, 1000}, "[[1000] [1020 1000]]"},
		{"a little smaller in between", []int{1000, 992, 1000}, "[[1000 1000 1000]]"},
		{"empty ones", []int{0, 0, 1}, "[[0 0] [1]]"},
	} {
		runs := runsOf(t, c, first, step.sizes)
		first += uint16(len(step.sizes))
		for _, run := range runs {
			for i := range run {
				run[i] -= over
			}
		}
		if got := fmt.Sprint(runs); got != step.want {
			t.Errorf("%s: runs %v, want %v", step.what, got, step.want)
		}
	}
}

func TestRunsHoldEveryPacketInOrder(t *testing.T) {
	r := newRig(t)
	c := r.connect(WebRTCTransportOptions{})
	first := uint16(0)
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(
			rapid.IntRange(1150, 1180), rapid.IntRange(0, maxPayload), rapid.Just(maxPayload),
		), 1, batchSize).Draw(t, "sizes")
		for _, run := range runsOf(t, c, first, sizes) {
			total := 0
			for i, size := range run {
				total += size
				if size != run[0] && (i != len(run)-1 || size > run[0]) {
					t.Fatalf("segments %v: only the last may be shorter", run)
				}
			}
			if total > maxRun {
				t.Fatalf("a run of %d bytes", total)
			}
		}
		first += uint16(len(sizes))
	})
}

func TestProducerThatChangesItsCodec(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	params := ortc.RTPParameters{MID: "0", Encodings: []ortc.RTPEncodingParameters{{SSRC: 7}}}
	for _, cc := range codecCases[:4] {
		params.Codecs = append(params.Codecs, cc.codec)
	}
	consumer := bob.consume(alice.produce(ortc.Video, params))
	want := map[string]uint8{}
	for _, codec := range consumer.RTPParameters().Codecs {
		want[codec.MimeType] = codec.PayloadType
	}
	for i, cc := range codecCases[:4] {
		alice.sendRTP(&pionrtp.Packet{
			Header:  pionrtp.Header{Version: 2, PayloadType: cc.codec.PayloadType, SequenceNumber: uint16(i), SSRC: 7, Timestamp: uint32(i) * 3000},
			Payload: cc.key,
		})
		got := bob.take().rtp
		if len(got) != 1 || got[0].header.PayloadType != want[cc.codec.MimeType] {
			t.Fatalf("%s: %d packets, the first with PT %d; want %d", cc.name, len(got), got[0].header.PayloadType, want[cc.codec.MimeType])
		}
	}
}
