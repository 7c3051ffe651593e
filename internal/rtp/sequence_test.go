package rtp_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/rtp"
)

func TestSeqNewerGoesRoundTheCircle(t *testing.T) {
	for _, base := range []uint16{0, 1, 0x7FFF, 0x8000, 0xFFFF} {
		for _, test := range []struct {
			step  uint16
			newer bool
		}{
			{0, false}, {1, true}, {100, true}, {0x7FFF, true},
			{0x8000, false}, // half the circle away: neither
			{0x8001, false}, {0xFFFF, false},
		} {
			if got := rtp.SeqNewer(base+test.step, base); got != test.newer {
				t.Errorf("%d after %d: %v", base+test.step, base, got)
			}
		}
		if rtp.SeqNewer(base, base+0x8000) {
			t.Errorf("%d is newer than the other side of the circle", base)
		}
	}
}

func TestTSNewerGoesRoundTheCircle(t *testing.T) {
	for _, base := range []uint32{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		if !rtp.TSNewer(base+1, base) || !rtp.TSNewer(base+1<<31-1, base) {
			t.Errorf("later than %d is not newer", base)
		}
		if rtp.TSNewer(base, base) || rtp.TSNewer(base-1, base) || rtp.TSNewer(base+1<<31, base) {
			t.Errorf("not later than %d is newer", base)
		}
	}
}

func TestUnwrapperFollowsAnyStart(t *testing.T) {
	for _, start := range []uint16{0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF} {
		var u rtp.Unwrapper
		first := u.Unwrap(start)
		for i := int64(1); i < 200_000; i++ {
			if got := u.Unwrap(start + uint16(i)); got != first+i {
				t.Fatalf("start %d: packet %d is %d, want %d", start, i, got, first+i)
			}
		}
	}
}

func TestUnwrapperKeepsLowBits(t *testing.T) {
	var u rtp.Unwrapper
	for _, seq := range []uint16{65000, 65535, 0, 3, 65534, 2, 30000} {
		if got := u.Unwrap(seq); uint16(got) != seq {
			t.Errorf("%d becomes %d", seq, got)
		}
	}
}

func TestUnwrapperPutsReorderedPacketsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u rtp.Unwrapper
		sent := int64(rapid.Uint16().Draw(t, "start"))
		offset := u.Unwrap(uint16(sent)) - sent
		highest := sent
		steps := rapid.SliceOfN(rapid.Int64Range(-1000, 3000), 1, 200).Draw(t, "steps")
		for _, step := range steps {
			sent = highest + step
			if got := u.Unwrap(uint16(sent)); got != sent+offset {
				t.Fatalf("%d is %d, want %d", sent, got, sent+offset)
			}
			highest = max(highest, sent)
			if got, ok := u.Highest(); !ok || got != highest+offset {
				t.Fatalf("highest is %d, want %d", got, highest+offset)
			}
		}
	})
}

func TestUnwrapperIsNeverNegative(t *testing.T) {
	var u rtp.Unwrapper
	if _, ok := u.Highest(); ok {
		t.Error("a highest before the first packet")
	}
	u.Unwrap(0)
	// However far back a sender or a forger goes, step by step or at once.
	for seq := uint16(0xFFFF); seq != 0; seq-- {
		if got := u.Unwrap(seq); got < 0 {
			t.Fatalf("%d is %d", seq, got)
		}
	}
}
