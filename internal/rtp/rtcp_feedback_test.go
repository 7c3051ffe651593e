package rtp_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/rtp"
)

// nacked lists the sequence numbers of a NACK as our view reads them.
func nacked(p rtp.RTCPPacket) (seqs []uint16) {
	for i := 0; ; i++ {
		pid, blp, ok := p.NackPair(i)
		if !ok {
			return seqs
		}
		seqs = append(seqs, pid)
		for bit := range uint16(16) {
			if blp>>bit&1 == 1 {
				seqs = append(seqs, pid+bit+1)
			}
		}
	}
}

func TestNACKAgreesWithPion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		// Ascending on the circle, from anywhere on it.
		seq := rapid.Uint16().Draw(rt, "start")
		want := []uint16{seq}
		for _, step := range rapid.SliceOfN(rapid.Uint16Range(1, 40), 0, 50).Draw(rt, "steps") {
			seq += step
			want = append(want, seq)
		}
		b := rtp.AppendNACK(nil, 1, 2, want)
		theirs := unmarshal[*rtcp.TransportLayerNack](rt, b)
		var got []uint16
		for _, pair := range theirs.Nacks {
			got = append(got, pair.PacketList()...)
		}
		if diff := cmp.Diff(want, got); diff != "" || theirs.SenderSSRC != 1 || theirs.MediaSSRC != 2 {
			rt.Fatalf("pion reads %+v: %s", theirs, diff)
		}
		if n := len(rtcp.NackPairsFromSequenceNumbers(want)); n != len(theirs.Nacks) {
			rt.Fatalf("%d entries, pion needs %d", len(theirs.Nacks), n)
		}
		p := one(t, b)
		if diff := cmp.Diff(want, nacked(p)); diff != "" {
			rt.Fatal(diff)
		}
		if sender, media, ok := p.FeedbackSSRCs(); !ok || sender != 1 || media != 2 {
			rt.Fatalf("SSRCs %d, %d, %v", sender, media, ok)
		}
	})
}

func TestNACKOfNothingIsNothing(t *testing.T) {
	if b := rtp.AppendNACK(nil, 1, 2, nil); len(b) != 0 {
		t.Errorf("% x", b)
	}
}

func TestNACKCountsDuplicatesOnce(t *testing.T) {
	got := nacked(one(t, rtp.AppendNACK(nil, 1, 2, []uint16{5, 5, 6, 6, 30, 30})))
	if want := []uint16{5, 6, 30}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPLIAgreesWithPion(t *testing.T) {
	b := rtp.AppendPLI(nil, 0x11223344, 0x55667788)
	got := unmarshal[*rtcp.PictureLossIndication](t, b)
	if got.SenderSSRC != 0x11223344 || got.MediaSSRC != 0x55667788 {
		t.Errorf("pion reads %+v", got)
	}
	if !one(t, b).IsPLI() {
		t.Error("we do not")
	}
	for _, other := range []rtcp.Packet{
		&rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 1}}},
		&rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 1}}}, // FMT is 1 too
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 1}}},
	} {
		if one(t, marshal(t, other)).IsPLI() {
			t.Errorf("%T is a PLI", other)
		}
	}
}

func TestFIRAgreesWithPion(t *testing.T) {
	got := unmarshal[*rtcp.FullIntraRequest](t, rtp.AppendFIR(nil, 1, 2, 3))
	if want := []rtcp.FIREntry{{SSRC: 2, SequenceNumber: 3}}; got.SenderSSRC != 1 || !cmp.Equal(got.FIR, want) {
		t.Errorf("pion reads %+v", got)
	}
	entries := []rtcp.FIREntry{{SSRC: 7, SequenceNumber: 8}, {SSRC: 9, SequenceNumber: 255}}
	p := one(t, marshal(t, &rtcp.FullIntraRequest{SenderSSRC: 1, FIR: entries}))
	for i, want := range entries {
		if ssrc, seq, ok := p.FIREntry(i); !ok || ssrc != want.SSRC || seq != want.SequenceNumber {
			t.Errorf("entry %d: %d, %d, %v", i, ssrc, seq, ok)
		}
	}
	if _, _, ok := p.FIREntry(2); ok {
		t.Error("an entry beyond the last")
	}
}

func TestREMBAgreesWithPion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bitrate := rapid.OneOf(rapid.Uint64Range(1, 1<<18), rapid.Uint64Range(1, 1<<40), rapid.Uint64Min(1)).Draw(rt, "bitrate")
		ssrcs := rapid.SliceOfN(rapid.Uint32(), 1, 20).Draw(rt, "ssrcs")
		b := rtp.AppendREMB(nil, 1, bitrate, ssrcs)

		remb, ok := rtp.ParseREMB(one(t, b))
		if !ok || remb.Bitrate > bitrate || float64(bitrate-remb.Bitrate) > float64(bitrate)/(1<<17) {
			rt.Fatalf("%d arrives as %d, %v", bitrate, remb.Bitrate, ok)
		}
		for i, want := range ssrcs {
			if got, ok := remb.SSRC(i); !ok || got != want {
				rt.Fatalf("SSRC %d is %d, want %d", i, got, want)
			}
		}
		if _, ok := remb.SSRC(len(ssrcs)); ok {
			rt.Fatal("an SSRC beyond the last")
		}
		theirs := unmarshal[*rtcp.ReceiverEstimatedMaximumBitrate](rt, b)
		if theirs.Bitrate != float32(remb.Bitrate) || !cmp.Equal(theirs.SSRCs, ssrcs) || theirs.SenderSSRC != 1 {
			rt.Fatalf("pion reads %+v, want %d", theirs, remb.Bitrate)
		}
	})
}

func TestREMBReadsWhatPionWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		theirs := &rtcp.ReceiverEstimatedMaximumBitrate{
			SenderSSRC: 5,
			Bitrate:    float32(rapid.Uint32Range(1, 1<<18-1).Draw(rt, "mantissa") << rapid.IntRange(0, 14).Draw(rt, "exponent")),
			SSRCs:      rapid.SliceOfN(rapid.Uint32(), 1, 4).Draw(rt, "ssrcs"),
		}
		got, ok := rtp.ParseREMB(one(t, marshal(rt, theirs)))
		if !ok || float32(got.Bitrate) != theirs.Bitrate {
			rt.Fatalf("%f arrives as %d, %v", theirs.Bitrate, got.Bitrate, ok)
		}
	})
}

func TestREMBOfNothing(t *testing.T) {
	got, ok := rtp.ParseREMB(one(t, rtp.AppendREMB(nil, 1, 0, nil)))
	if !ok || got.Bitrate != 0 {
		t.Errorf("%d, %v", got.Bitrate, ok)
	}
	if _, ok := got.SSRC(0); ok {
		t.Error("an SSRC from nowhere")
	}
}

func TestREMBBeyond64BitsIsTheLargest(t *testing.T) {
	p := rtp.RTCPPacket{Type: rtp.TypePSFB, Count: rtp.FormatAFB, Body: []byte{
		0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 0, 0xFF, 0xFF, 0xFF,
	}}
	if got, ok := rtp.ParseREMB(p); !ok || got.Bitrate != 1<<64-1 {
		t.Errorf("%d, %v", got.Bitrate, ok)
	}
}

func TestREMBRefusesWhatIsNot(t *testing.T) {
	good := rtp.AppendREMB(nil, 1, 1000, []uint32{1, 2})[4:]
	for name, p := range map[string]rtp.RTCPPacket{
		"cut off":               {Type: rtp.TypePSFB, Count: rtp.FormatAFB, Body: good[:15]},
		"one SSRC short":        {Type: rtp.TypePSFB, Count: rtp.FormatAFB, Body: good[:20]},
		"transport feedback":    {Type: rtp.TypeRTPFB, Count: rtp.FormatAFB, Body: good},
		"another application's": {Type: rtp.TypePSFB, Count: rtp.FormatAFB, Body: make([]byte, 24)},
	} {
		if _, ok := rtp.ParseREMB(p); ok {
			t.Errorf("%s is a REMB", name)
		}
	}
}

func TestFeedbackViewsRefuseOtherPackets(t *testing.T) {
	body := make([]byte, 40)
	for _, p := range []rtp.RTCPPacket{
		{Type: rtp.TypeRR, Count: 1, Body: body},
		{Type: rtp.TypeRTPFB, Count: 1, Body: body[:7]},
		{Type: rtp.TypePSFB, Count: 2, Body: body},
	} {
		if _, _, ok := p.NackPair(0); ok {
			t.Errorf("a NACK in %d/%d", p.Type, p.Count)
		}
		if _, _, ok := p.FIREntry(0); ok {
			t.Errorf("a FIR in %d/%d", p.Type, p.Count)
		}
		if p.IsPLI() {
			t.Errorf("a PLI in %d/%d", p.Type, p.Count)
		}
	}
	if _, _, ok := (rtp.RTCPPacket{Type: rtp.TypeRTPFB, Count: rtp.FormatNACK, Body: body}).NackPair(-1); ok {
		t.Error("a NACK entry before the first")
	}
	if _, _, ok := (rtp.RTCPPacket{Type: rtp.TypePSFB, Count: rtp.FormatFIR, Body: body}).FIREntry(-1); ok {
		t.Error("a FIR entry before the first")
	}
	if _, _, ok := (rtp.RTCPPacket{Type: rtp.TypePSFB, Body: body[:7]}).FeedbackSSRCs(); ok {
		t.Error("SSRCs in seven bytes")
	}
}
