package loadtest

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/takoserver/takos-call/internal/mono"
)

// decode reads a message with Pion's parser, as another opinion, and returns
// the arrival times by number that it tells.
func decode(t *testing.T, message []byte) (map[uint16]time.Duration, *rtcp.TransportLayerCC) {
	t.Helper()
	packets, err := rtcp.Unmarshal(message)
	if err != nil {
		t.Fatal(err)
	}
	cc, ok := packets[0].(*rtcp.TransportLayerCC)
	if len(packets) != 1 || !ok {
		t.Fatalf("%d packets, the first %T", len(packets), packets[0])
	}
	arrivals := map[uint16]time.Duration{}
	at := time.Duration(cc.ReferenceTime) * referenceUnit
	seq, deltas := cc.BaseSequenceNumber, cc.RecvDeltas
	left := int(cc.PacketStatusCount)
	for _, chunk := range cc.PacketChunks {
		for _, symbol := range chunk.(*rtcp.StatusVectorChunk).SymbolList[:min(7, left)] {
			if symbol != rtcp.TypeTCCPacketNotReceived {
				at += time.Duration(deltas[0].Delta) * time.Microsecond
				arrivals[seq] = at
				deltas = deltas[1:]
			}
			seq++
			left--
		}
	}
	if left != 0 || len(deltas) != 0 {
		t.Fatalf("%d numbers and %d deltas are left over", left, len(deltas))
	}
	return arrivals, cc
}

func TestFeedbackTellsArrivals(t *testing.T) {
	ms := func(n float64) mono.Instant { return mono.Instant(n * float64(time.Millisecond)) }
	tests := []struct {
		name string
		// arrivals by offset from the first number, in this order
		offsets []int
		at      []mono.Instant
	}{
		{"one", []int{0}, []mono.Instant{ms(1000)}},
		{"even", []int{0, 1, 2}, []mono.Instant{ms(1000), ms(1010), ms(1020)}},
		{"with a gap", []int{0, 5, 20}, []mono.Instant{ms(1000), ms(1001), ms(1002)}},
		{"far apart", []int{0, 1, 2}, []mono.Instant{ms(1000), ms(1070), ms(2000)}},
		{"overtaken", []int{0, 2, 1, 3}, []mono.Instant{ms(1000), ms(1005), ms(1105), ms(1106)}},
		{"at once", []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, []mono.Instant{ms(5), ms(5), ms(5), ms(5), ms(5), ms(5), ms(5), ms(5), ms(5)}},
	}
	for _, test := range tests {
		for _, start := range starts {
			var f feedback
			for i, offset := range test.offsets {
				f.record(start+uint16(offset), test.at[i])
			}
			arrivals, cc := decode(t, f.append(nil, 1, 2))
			if cc.SenderSSRC != 1 || cc.MediaSSRC != 2 || cc.BaseSequenceNumber != start {
				t.Fatalf("%s from %d: from %d about %d, base %d", test.name, start, cc.SenderSSRC, cc.MediaSSRC, cc.BaseSequenceNumber)
			}
			if len(arrivals) != len(test.offsets) {
				t.Errorf("%s from %d: tells of %d packets, want %d", test.name, start, len(arrivals), len(test.offsets))
			}
			for i, offset := range test.offsets {
				got := arrivals[start+uint16(offset)] - arrivals[start]
				want := test.at[i].Sub(test.at[0])
				if diff := got - want; diff < -deltaUnit || diff > deltaUnit {
					t.Errorf("%s from %d: packet %d came %s after the first, want %s", test.name, start, offset, got, want)
				}
			}
		}
	}
}

func TestFeedbackGoesOnWhereItEnded(t *testing.T) {
	var f feedback
	if got := f.append(nil, 1, 2); len(got) != 0 {
		t.Error("a message about nothing")
	}
	seq := uint16(65500)
	for message := range 10 {
		now := mono.Instant(message+1) * mono.Instant(time.Second)
		for i := range 20 {
			if i == 3 {
				continue
			}
			f.record(seq+uint16(i), now)
		}
		arrivals, cc := decode(t, f.append(nil, 1, 2))
		if cc.BaseSequenceNumber != seq || cc.FbPktCount != uint8(message) || len(arrivals) != 19 {
			t.Fatalf("message %d: base %d (want %d), count %d, %d packets", message, cc.BaseSequenceNumber, seq, cc.FbPktCount, len(arrivals))
		}
		seq += 20
	}
}

func TestNumbersOutsideOfTheWindowAreLeftOut(t *testing.T) {
	var f feedback
	f.record(100, 1)
	f.record(100+feedbackWindow, 1)
	f.record(99, 1)
	if f.full() {
		t.Error("full after one packet")
	}
	arrivals, _ := decode(t, f.append(nil, 1, 2))
	if len(arrivals) != 1 {
		t.Errorf("told of %d packets", len(arrivals))
	}
	// A leap between messages is no reason to fall silent.
	f.record(100+10*feedbackWindow, 1)
	arrivals, cc := decode(t, f.append(nil, 1, 2))
	if len(arrivals) != 1 || cc.PacketStatusCount != 1 {
		t.Errorf("after a leap: %d packets of %d numbers", len(arrivals), cc.PacketStatusCount)
	}
}

func TestALongIntervalIsCutShort(t *testing.T) {
	var f feedback
	for i := range feedbackWindow {
		if f.full() {
			if i < feedbackWindow/4 {
				t.Errorf("full after %d packets", i)
			}
			return
		}
		f.record(uint16(i), mono.Instant(i+1))
	}
	t.Error("never full")
}
