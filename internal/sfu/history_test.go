package sfu

import "testing"

func TestHistoryFindsTheLastPackets(t *testing.T) {
	h := newHistory()
	const last = 65535 + 100 // over the wrap
	for seq := last - 2*historySize; seq <= last; seq++ {
		h.note(sentPacket{seq: uint16(seq), extSeq: int64(seq)})
	}
	for _, step := range []struct {
		seq  int
		want bool
	}{{last, true}, {last - 1, true}, {last - historySize + 1, true}, {last - historySize, false}, {last + 1, false}} {
		if e := h.find(uint16(step.seq)); (e != nil) != step.want {
			t.Errorf("find(last%+d) = %v", step.seq-last, e)
		} else if e != nil && e.extSeq != int64(step.seq) {
			t.Errorf("find(last%+d) is packet %d", step.seq-last, e.extSeq)
		}
	}
}

func TestEmptyHistoryFindsNothing(t *testing.T) {
	h := newHistory()
	if h.find(0) != nil {
		t.Error("found packet 0 though nothing was sent") // the zero entry has seq 0
	}
	var none history
	if none.note(sentPacket{seq: 1}) != nil || none.find(1) != nil {
		t.Error("the zero history remembers")
	}
}
