package rtp_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/rtp"
)

func drawBlocks(t *rapid.T, limit int) []rtp.ReportBlock {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rtp.ReportBlock {
		return rtp.ReportBlock{
			SSRC:             rapid.Uint32().Draw(t, "ssrc"),
			FractionLost:     rapid.Uint8().Draw(t, "fraction"),
			TotalLost:        rapid.Int32Range(-1<<23, 1<<23-1).Draw(t, "total"),
			HighestSeq:       rapid.Uint32().Draw(t, "highest"),
			Jitter:           rapid.Uint32().Draw(t, "jitter"),
			LastSR:           rapid.Uint32().Draw(t, "lsr"),
			DelaySinceLastSR: rapid.Uint32().Draw(t, "dlsr"),
		}
	}), 0, limit).Draw(t, "blocks")
}

// toPion and fromPion translate report blocks; pion knows the 24 bits of the
// total as unsigned.
func toPion(blocks []rtp.ReportBlock) (reports []rtcp.ReceptionReport) {
	for _, b := range blocks {
		reports = append(reports, rtcp.ReceptionReport{
			SSRC: b.SSRC, FractionLost: b.FractionLost, TotalLost: uint32(b.TotalLost) & 0xFFFFFF,
			LastSequenceNumber: b.HighestSeq, Jitter: b.Jitter, LastSenderReport: b.LastSR, Delay: b.DelaySinceLastSR,
		})
	}
	return reports
}

func readBlocks(p rtp.RTCPPacket) (blocks []rtp.ReportBlock) {
	for i := 0; ; i++ {
		b, ok := p.ReportBlock(i)
		if !ok {
			return blocks
		}
		blocks = append(blocks, b)
	}
}

func TestSenderReportAgreesWithPion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		blocks := drawBlocks(rt, 31)
		want := rtp.SenderReport{
			SSRC:        rapid.Uint32().Draw(rt, "ssrc"),
			NTP:         rtp.NTPTime(rapid.Uint64().Draw(rt, "ntp")),
			RTPTime:     rapid.Uint32().Draw(rt, "rtp"),
			PacketCount: rapid.Uint32().Draw(rt, "packets"),
			OctetCount:  rapid.Uint32().Draw(rt, "octets"),
		}
		theirs := &rtcp.SenderReport{
			SSRC: want.SSRC, NTPTime: uint64(want.NTP), RTPTime: want.RTPTime,
			PacketCount: want.PacketCount, OctetCount: want.OctetCount, Reports: toPion(blocks),
		}
		b := rtp.AppendSR(nil, want, blocks)
		if diff := cmp.Diff(marshal(rt, theirs), b); diff != "" {
			rt.Fatalf("pion writes another report (-pion +ours):\n%s", diff)
		}
		p := one(t, b)
		if got, ok := rtp.ParseSR(p); !ok || got != want {
			rt.Fatalf("got %+v, want %+v", got, want)
		}
		if diff := cmp.Diff(blocks, readBlocks(p)); len(blocks) > 0 && diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestReceiverReportAgreesWithPion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		blocks := drawBlocks(rt, 31)
		ssrc := rapid.Uint32().Draw(rt, "ssrc")
		b := rtp.AppendRR(nil, ssrc, blocks)
		if diff := cmp.Diff(marshal(rt, &rtcp.ReceiverReport{SSRC: ssrc, Reports: toPion(blocks)}), b); diff != "" {
			rt.Fatalf("pion writes another report (-pion +ours):\n%s", diff)
		}
		p := one(t, b)
		if got, _ := p.SenderSSRC(); got != ssrc {
			rt.Fatalf("SSRC %d, want %d", got, ssrc)
		}
		if diff := cmp.Diff(blocks, readBlocks(p)); len(blocks) > 0 && diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestReportsSpillIntoFurtherPackets(t *testing.T) {
	blocks := make([]rtp.ReportBlock, 70)
	for i := range blocks {
		blocks[i].SSRC = uint32(1000 + i)
	}
	for name, b := range map[string][]byte{
		"SR": rtp.AppendSR(nil, rtp.SenderReport{SSRC: 7}, blocks),
		"RR": rtp.AppendRR(nil, 7, blocks),
	} {
		r := rtp.NewRTCPReader(b)
		var p rtp.RTCPPacket
		var got []rtp.ReportBlock
		packets := 0
		for ; r.Next(&p); packets++ {
			if ssrc, _ := p.SenderSSRC(); ssrc != 7 {
				t.Errorf("%s: packet %d is of %d", name, packets, ssrc)
			}
			got = append(got, readBlocks(p)...)
		}
		if packets != 3 || r.Err() != nil {
			t.Errorf("%s: %d packets, %v", name, packets, r.Err())
		}
		if diff := cmp.Diff(blocks, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTotalLostIsHeldTo24Bits(t *testing.T) {
	for _, test := range []struct{ lost, want int32 }{
		{-1, -1}, {1<<23 - 1, 1<<23 - 1}, {1 << 23, 1<<23 - 1}, {1<<31 - 1, 1<<23 - 1},
		{-1 << 23, -1 << 23}, {-1<<23 - 1, -1 << 23}, {-1 << 31, -1 << 23},
	} {
		p := one(t, rtp.AppendRR(nil, 1, []rtp.ReportBlock{{TotalLost: test.lost, FractionLost: 9}}))
		if got, ok := p.ReportBlock(0); !ok || got.TotalLost != test.want || got.FractionLost != 9 {
			t.Errorf("%d arrives as %+v", test.lost, got)
		}
	}
}

func TestReportViewsCheckBounds(t *testing.T) {
	sr := one(t, rtp.AppendSR(nil, rtp.SenderReport{}, make([]rtp.ReportBlock, 2)))
	if _, ok := sr.ReportBlock(2); ok {
		t.Error("a block beyond the count")
	}
	if _, ok := sr.ReportBlock(-1); ok {
		t.Error("a block before the first")
	}
	short := rtp.RTCPPacket{Type: rtp.TypeSR, Count: 2, Body: sr.Body[:len(sr.Body)-1]}
	if _, ok := short.ReportBlock(1); ok {
		t.Error("a block that is cut off")
	}
	if _, ok := rtp.ParseSR(rtp.RTCPPacket{Type: rtp.TypeSR, Body: sr.Body[:23]}); ok {
		t.Error("a sender report that is cut off")
	}
	if _, ok := rtp.ParseSR(rtp.RTCPPacket{Type: rtp.TypeRR, Body: sr.Body}); ok {
		t.Error("a sender report in a receiver report")
	}
	if _, ok := (rtp.RTCPPacket{Type: rtp.TypeBYE, Count: 2, Body: sr.Body}).ReportBlock(0); ok {
		t.Error("a report block in a BYE")
	}
}

func TestSDESAgreesWithPion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ssrc := rapid.Uint32().Draw(rt, "ssrc")
		cname := rapid.StringN(0, 100, 255).Draw(rt, "cname")
		b := rtp.AppendSDES(nil, ssrc, cname)
		got := unmarshal[*rtcp.SourceDescription](rt, b)
		if len(got.Chunks) != 1 || got.Chunks[0].Source != ssrc || len(got.Chunks[0].Items) != 1 ||
			got.Chunks[0].Items[0].Type != rtcp.SDESCNAME || got.Chunks[0].Items[0].Text != cname {
			rt.Fatalf("pion reads %+v", got)
		}
	})
}

func TestSDESCutsLongNames(t *testing.T) {
	got := unmarshal[*rtcp.SourceDescription](t, rtp.AppendSDES(nil, 1, strings.Repeat("x", 300)))
	if n := len(got.Chunks[0].Items[0].Text); n != 255 {
		t.Errorf("%d bytes", n)
	}
}

func TestByeAgreesWithPion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ssrcs := rapid.SliceOfN(rapid.Uint32(), 1, 31).Draw(rt, "ssrcs")
		b := rtp.AppendBYE(nil, ssrcs)
		if diff := cmp.Diff(ssrcs, unmarshal[*rtcp.Goodbye](rt, b).Sources); diff != "" {
			rt.Fatal(diff)
		}
		p := one(t, marshal(rt, &rtcp.Goodbye{Sources: ssrcs, Reason: "done"}))
		for i, want := range ssrcs {
			if got, ok := p.ByeSSRC(i); !ok || got != want {
				rt.Fatalf("source %d is %d, want %d", i, got, want)
			}
		}
		if _, ok := p.ByeSSRC(len(ssrcs)); ok {
			rt.Fatal("the reason was taken for a source")
		}
	})
}

func TestByeOfManyAndOfNone(t *testing.T) {
	if b := rtp.AppendBYE(nil, nil); len(b) != 0 {
		t.Errorf("% x for no source", b)
	}
	packets, err := rtcp.Unmarshal(rtp.AppendBYE(nil, make([]uint32, 40)))
	if err != nil || len(packets) != 2 || len(packets[1].(*rtcp.Goodbye).Sources) != 9 {
		t.Errorf("40 sources: %v, %v", packets, err)
	}
}
