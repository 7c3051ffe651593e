package rtp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/rtp"
)

// one reads the only packet of b.
func one(t testing.TB, b []byte) rtp.RTCPPacket {
	t.Helper()
	r := rtp.NewRTCPReader(b)
	var p, more rtp.RTCPPacket
	if !r.Next(&p) || r.Next(&more) || r.Err() != nil {
		t.Fatalf("% x is not one packet: %v", b, r.Err())
	}
	return p
}

// marshal builds a packet with pion.
func marshal(t rapid.TB, p rtcp.Packet) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unmarshal reads b with pion, which must find one packet, of type P.
func unmarshal[P rtcp.Packet](t rapid.TB, b []byte) P {
	t.Helper()
	packets, err := rtcp.Unmarshal(b)
	if err != nil || len(packets) != 1 {
		t.Fatalf("pion reads % x as %v: %v", b, packets, err)
	}
	p, ok := packets[0].(P)
	if !ok {
		t.Fatalf("pion reads % x as a %T", b, packets[0])
	}
	return p
}

func TestReaderWalksCompound(t *testing.T) {
	b := rtp.AppendRR(nil, 1, nil)
	b = rtp.AppendSDES(b, 1, "a")
	b = rtp.AppendPLI(b, 1, 2)
	r := rtp.NewRTCPReader(b)
	var p rtp.RTCPPacket
	var got []uint8
	for r.Next(&p) {
		got = append(got, p.Type)
	}
	if want := []uint8{rtp.TypeRR, rtp.TypeSDES, rtp.TypePSFB}; !bytes.Equal(got, want) || r.Err() != nil {
		t.Errorf("types %v, %v; want %v", got, r.Err(), want)
	}
}

func TestReaderStopsAtWhatIsMalformed(t *testing.T) {
	good := rtp.AppendPLI(nil, 1, 2)
	for name, test := range map[string]struct {
		bad  []byte
		want error
	}{
		"three bytes":           {[]byte{0x80, 201, 0}, rtp.ErrRTCPShort},
		"version 1":             {[]byte{0x40, 201, 0, 0}, rtp.ErrRTCPVersion},
		"longer than the rest":  {[]byte{0x80, 201, 0, 2, 0, 0, 0, 1}, rtp.ErrRTCPLength},
		"padding of no body":    {[]byte{0xA0, 201, 0, 0}, rtp.ErrRTCPPadding},
		"padding of zero":       {[]byte{0xA0, 201, 0, 1, 0, 0, 0, 0}, rtp.ErrRTCPPadding},
		"padding beyond a body": {[]byte{0xA0, 201, 0, 1, 0, 0, 0, 5}, rtp.ErrRTCPPadding},
	} {
		r := rtp.NewRTCPReader(append(bytes.Clone(good), test.bad...))
		var p rtp.RTCPPacket
		if !r.Next(&p) || !p.IsPLI() {
			t.Errorf("%s: the packet before it is lost", name)
		}
		if r.Next(&p) || !errors.Is(r.Err(), test.want) {
			t.Errorf("%s: %v, want %v", name, r.Err(), test.want)
		}
		if r.Next(&p) {
			t.Errorf("%s: went on", name)
		}
	}
}

func TestReaderOfNothing(t *testing.T) {
	r := rtp.NewRTCPReader(nil)
	var p rtp.RTCPPacket
	if r.Next(&p) || r.Err() != nil {
		t.Errorf("%+v, %v", p, r.Err())
	}
}

func TestReaderTakesPaddingAway(t *testing.T) {
	p := one(t, []byte{0xA0, 201, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4})
	if !bytes.Equal(p.Body, []byte{0, 0, 0, 7}) {
		t.Errorf("body % x", p.Body)
	}
	if ssrc, ok := p.SenderSSRC(); !ok || ssrc != 7 {
		t.Errorf("SSRC %d, %v", ssrc, ok)
	}
}

func TestSenderSSRCOfEmptyPacket(t *testing.T) {
	if _, ok := (rtp.RTCPPacket{Type: rtp.TypeRR}).SenderSSRC(); ok {
		t.Error("an SSRC from nowhere")
	}
}

func TestReadingAndBuildingRTCPDoesNotAllocate(t *testing.T) {
	buffer := make([]byte, 0, 1500)
	blocks := []rtp.ReportBlock{{SSRC: 1}, {SSRC: 2}}
	seqs := []uint16{1, 2, 30, 31}
	ssrcs := []uint32{1, 2}
	dlrr := []rtp.DLRRReport{{SSRC: 1}}
	var sum uint32
	allocs := testing.AllocsPerRun(100, func() {
		b := buildAll(buffer[:0], blocks, seqs, ssrcs, dlrr)
		sum += readAll(b)
	})
	if allocs != 0 {
		t.Errorf("%v allocations per compound", allocs)
	}
	if sum == 0 {
		t.Error("read nothing")
	}
}

func buildAll(b []byte, blocks []rtp.ReportBlock, seqs []uint16, ssrcs []uint32, dlrr []rtp.DLRRReport) []byte {
	b = rtp.AppendSR(b, rtp.SenderReport{SSRC: 1, NTP: 2, RTPTime: 3}, blocks)
	b = rtp.AppendRR(b, 1, blocks)
	b = rtp.AppendSDES(b, 1, "name")
	b = rtp.AppendNACK(b, 1, 2, seqs)
	b = rtp.AppendPLI(b, 1, 2)
	b = rtp.AppendFIR(b, 1, 2, 3)
	b = rtp.AppendREMB(b, 1, 1_000_000, ssrcs)
	b = rtp.AppendXRRRTR(b, 1, 2)
	b = rtp.AppendXRDLRR(b, 1, dlrr)
	return rtp.AppendBYE(b, ssrcs)
}

// readAll reads every field of every packet with every view and returns a sum
// of what it saw.
func readAll(b []byte) (sum uint32) {
	r := rtp.NewRTCPReader(b)
	var p rtp.RTCPPacket
	for r.Next(&p) {
		ssrc, _ := p.SenderSSRC()
		sum += ssrc
		if sr, ok := rtp.ParseSR(p); ok {
			sum += sr.RTPTime
		}
		if sender, media, ok := p.FeedbackSSRCs(); ok {
			sum += sender + media
		}
		for i := 0; ; i++ {
			block, isReport := p.ReportBlock(i)
			pid, blp, isNack := p.NackPair(i)
			target, _, isFIR := p.FIREntry(i)
			gone, isBye := p.ByeSSRC(i)
			sum += block.SSRC + uint32(pid) + uint32(blp) + target + gone
			if !isReport && !isNack && !isFIR && !isBye {
				break
			}
		}
		if remb, ok := rtp.ParseREMB(p); ok {
			for i := 0; ; i++ {
				ssrc, ok := remb.SSRC(i)
				if !ok {
					break
				}
				sum += ssrc
			}
		}
		sum += readXR(p)
	}
	return sum
}

func readXR(p rtp.RTCPPacket) (sum uint32) {
	blocks := p.XRBlocks()
	var x rtp.XRBlock
	for blocks.Next(&x) {
		ntp, _ := x.RRTR()
		sum += ntp.Mid32()
		for i := 0; ; i++ {
			report, ok := x.DLRR(i)
			if !ok {
				break
			}
			sum += report.SSRC
		}
	}
	return sum
}

func BenchmarkRTCPReader(b *testing.B) {
	compound := buildAll(nil, []rtp.ReportBlock{{SSRC: 1}}, []uint16{1, 2}, []uint32{1}, []rtp.DLRRReport{{SSRC: 1}})
	b.ReportAllocs()
	for b.Loop() {
		readAll(compound)
	}
}

func BenchmarkAppendNACK(b *testing.B) {
	buffer := make([]byte, 0, 1500)
	seqs := []uint16{1, 2, 3, 40, 60000}
	b.ReportAllocs()
	for b.Loop() {
		rtp.AppendNACK(buffer, 1, 2, seqs)
	}
}

func FuzzRTCPReader(f *testing.F) {
	f.Add(buildAll(nil, []rtp.ReportBlock{{SSRC: 1}}, []uint16{1, 2, 40}, []uint32{1}, []rtp.DLRRReport{{SSRC: 1}}))
	f.Add([]byte{0xA0, 201, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4})
	f.Add([]byte{0x9F, 200, 0, 1, 0, 0, 0, 7})
	f.Add([]byte{0x8F, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 255, 0xFF, 0xFF, 0xFF})
	f.Add([]byte{0x80, 207, 0, 2, 0, 0, 0, 1, 5, 0, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		readAll(b) // must not panic
		r := rtp.NewRTCPReader(b)
		var p rtp.RTCPPacket
		read := 0
		for r.Next(&p) {
			size := 4 + 4*int(binary.BigEndian.Uint16(b[read+2:]))
			if p.Type != b[read+1] || len(p.Body) > size-4 {
				t.Fatalf("packet at %d: type %d, %d bytes", read, p.Type, len(p.Body))
			}
			read += size
		}
		if (r.Err() == nil) != (read == len(b)) {
			t.Fatalf("read %d of %d bytes: %v", read, len(b), r.Err())
		}
	})
}
