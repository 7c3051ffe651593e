package bwe

import (
	"testing"
	"time"
)

func TestSentPacketsAreFoundOnce(t *testing.T) {
	var h sentHistory
	if h.find(1) != nil {
		t.Error("found before anything was sent")
	}
	for _, first := range []uint16{0, 65000, 32760} {
		for i := range uint16(1000) {
			seq := first + i
			h.note(sentPacket{at: at(time.Duration(i) * ms), seq: seq, sizeBytes: i})
			p := h.find(seq)
			if p == nil || p.sizeBytes != i {
				t.Fatalf("packet %d: %+v", seq, p)
			}
			*p = sentPacket{}
			if h.find(seq) != nil || h.find(seq+1) != nil {
				t.Fatal("found a packet whose arrival is known, or one not sent")
			}
		}
	}
	if len(h.packets) != minSentWindow {
		t.Errorf("a window of %d for one packet under way", len(h.packets))
	}
}

func TestWindowGrowsWithWhatIsUnderWay(t *testing.T) {
	var h sentHistory
	for i := range uint16(5000) { // in half a second
		h.note(sentPacket{at: at(time.Duration(i) * ms / 10), seq: 63000 + i})
	}
	for i := range uint16(5000) {
		if h.find(63000+i) == nil {
			t.Fatalf("packet %d of 5000 is gone", i)
		}
	}
	if len(h.packets) != 8192 {
		t.Errorf("a window of %d", len(h.packets))
	}
}

func TestWindowDoesNotGrowForWhatNobodyAnswers(t *testing.T) {
	var h sentHistory
	for i := range 100_000 {
		h.note(sentPacket{at: at(time.Duration(i) * 20 * ms), seq: uint16(i)})
	}
	if len(h.packets) != minSentWindow {
		t.Errorf("a window of %d for 50 packets a second without feedback", len(h.packets))
	}
	for i := range 100_000 { // more than any window holds
		h.note(sentPacket{at: at(time.Hour + time.Duration(i)*time.Microsecond), seq: uint16(i)})
	}
	if len(h.packets) != maxSentWindow {
		t.Errorf("a window of %d", len(h.packets))
	}
}
