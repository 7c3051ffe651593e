package rtp_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/rtp"
)

func TestRRTRAgreesWithPion(t *testing.T) {
	const now = rtp.NTPTime(0x0123456789ABCDEF)
	b := rtp.AppendXRRRTR(nil, 7, now)
	theirs := unmarshal[*rtcp.ExtendedReport](t, b)
	if theirs.SenderSSRC != 7 || len(theirs.Reports) != 1 {
		t.Fatalf("pion reads %+v", theirs)
	}
	if block, ok := theirs.Reports[0].(*rtcp.ReceiverReferenceTimeReportBlock); !ok || block.NTPTimestamp != uint64(now) {
		t.Errorf("pion reads %+v", theirs.Reports[0])
	}
	p := one(t, b)
	if ssrc, ok := p.SenderSSRC(); !ok || ssrc != 7 {
		t.Errorf("sender %d, %v", ssrc, ok)
	}
	blocks := p.XRBlocks()
	var x rtp.XRBlock
	if !blocks.Next(&x) {
		t.Fatal("no block")
	}
	if got, ok := x.RRTR(); !ok || got != now {
		t.Errorf("%#x, %v", got, ok)
	}
	if _, ok := x.DLRR(0); ok {
		t.Error("a DLRR in an RRTR")
	}
	if blocks.Next(&x) {
		t.Error("a second block")
	}
}

func TestDLRRAgreesWithPion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		reports := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rtp.DLRRReport {
			return rtp.DLRRReport{
				SSRC:   rapid.Uint32().Draw(t, "ssrc"),
				LastRR: rapid.Uint32().Draw(t, "lrr"),
				Delay:  rapid.Uint32().Draw(t, "delay"),
			}
		}), 1, 10).Draw(rt, "reports")
		b := rtp.AppendXRDLRR(nil, 7, reports)
		theirs := unmarshal[*rtcp.ExtendedReport](rt, b)
		var got []rtp.DLRRReport
		for _, r := range theirs.Reports[0].(*rtcp.DLRRReportBlock).Reports {
			got = append(got, rtp.DLRRReport{SSRC: r.SSRC, LastRR: r.LastRR, Delay: r.DLRR})
		}
		if diff := cmp.Diff(reports, got); diff != "" {
			rt.Fatalf("pion reads %s", diff)
		}
		blocks := one(t, b).XRBlocks()
		var x rtp.XRBlock
		blocks.Next(&x)
		for i, want := range reports {
			if got, ok := x.DLRR(i); !ok || got != want {
				rt.Fatalf("report %d is %+v, want %+v", i, got, want)
			}
		}
		if _, ok := x.DLRR(len(reports)); ok {
			rt.Fatal("a report beyond the last")
		}
	})
}

func TestDLRROfNothingIsNothing(t *testing.T) {
	if b := rtp.AppendXRDLRR(nil, 1, nil); len(b) != 0 {
		t.Errorf("% x", b)
	}
}

func TestXRPassesOverUnknownBlocks(t *testing.T) {
	blocks := one(t, []byte{
		0x80, 207, 0, 7, 0, 0, 0, 1,
		99, 0, 0, 1, 1, 2, 3, 4, // a block of a type nobody knows
		4, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6, // RRTR
		5, 0, 0, 0, // DLRR without reports
	}).XRBlocks()
	var x rtp.XRBlock
	var types []uint8
	for blocks.Next(&x) {
		types = append(types, x.Type)
		if ntp, ok := x.RRTR(); ok && ntp != 5<<32|6 {
			t.Errorf("RRTR %#x", ntp)
		}
		if _, ok := x.DLRR(0); ok {
			t.Error("a report from nowhere")
		}
	}
	if diff := cmp.Diff([]uint8{99, 4, 5}, types); diff != "" {
		t.Error(diff)
	}
}

func TestXRStopsAtBlockThatIsCutOff(t *testing.T) {
	for name, body := range map[string][]byte{
		"no SSRC":      {0, 0, 1},
		"no block":     {0, 0, 0, 1},
		"half a head":  {0, 0, 0, 1, 4, 0},
		"half a block": {0, 0, 0, 1, 4, 0, 0, 2, 1, 2, 3, 4},
	} {
		blocks := rtp.RTCPPacket{Type: rtp.TypeXR, Body: body}.XRBlocks()
		var x rtp.XRBlock
		if blocks.Next(&x) {
			t.Errorf("%s: block %+v", name, x)
		}
	}
	blocks := rtp.RTCPPacket{Type: rtp.TypeRR, Body: make([]byte, 40)}.XRBlocks()
	var x rtp.XRBlock
	if blocks.Next(&x) {
		t.Error("XR blocks in a receiver report")
	}
	if _, ok := (rtp.XRBlock{Type: rtp.XRBlockRRTR, Body: make([]byte, 7)}).RRTR(); ok {
		t.Error("a time of seven bytes")
	}
	if _, ok := (rtp.XRBlock{Type: rtp.XRBlockDLRR, Body: make([]byte, 12)}).DLRR(-1); ok {
		t.Error("a report before the first")
	}
}
