package rtp_test

import (
	"bytes"
	"errors"
	"testing"

	pion "github.com/pion/rtp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/rtp"
)

// drawPacket draws a packet that pion builds, with any header there can be.
func drawPacket(t *rapid.T) *pion.Packet {
	p := &pion.Packet{
		Header: pion.Header{
			Version:        2,
			Marker:         rapid.Bool().Draw(t, "marker"),
			PayloadType:    rapid.Uint8Range(0, 127).Draw(t, "pt"),
			SequenceNumber: rapid.Uint16().Draw(t, "seq"),
			Timestamp:      rapid.Uint32().Draw(t, "ts"),
			SSRC:           rapid.Uint32().Draw(t, "ssrc"),
			CSRC:           rapid.SliceOfN(rapid.Uint32(), 0, 15).Draw(t, "csrc"),
		},
		Payload: rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "payload"),
	}
	maxID, minSize, maxSize := uint8(14), 1, 16
	// pion chooses the form by the first element unless it is told before.
	p.ExtensionProfile = pion.ExtensionProfileOneByte
	if rapid.Bool().Draw(t, "two-byte") {
		p.ExtensionProfile, maxID, minSize, maxSize = pion.ExtensionProfileTwoByte, 255, 0, 255
	}
	ids := rapid.SliceOfNDistinct(rapid.Uint8Range(1, maxID), 0, 5, rapid.ID[uint8]).Draw(t, "ids")
	for _, id := range ids {
		data := rapid.SliceOfN(rapid.Byte(), minSize, maxSize).Draw(t, "extension")
		p.Extension = true
		if err := p.SetExtension(id, data); err != nil {
			t.Fatalf("pion refuses extension %d: %v", id, err)
		}
	}
	if rapid.Bool().Draw(t, "padding") {
		p.Padding = true
		p.Header.PaddingSize = rapid.Uint8Range(1, 255).Draw(t, "padding size")
	}
	return p
}

func TestHeaderReadsWhatPionWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawPacket(t)
		b, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var h rtp.Header
		if err := h.Parse(b); err != nil {
			t.Fatalf("Parse: %v", err)
		}
		if h.Marker != want.Marker || h.PayloadType != want.PayloadType || h.Seq != want.SequenceNumber ||
			h.Timestamp != want.Timestamp || h.SSRC != want.SSRC || h.Padding != want.Padding ||
			h.HasExtension != want.Extension || int(h.CSRCCount) != len(want.CSRC) {
			t.Fatalf("got %+v, want %+v", h, want.Header)
		}
		end, err := h.PayloadEnd(b)
		if err != nil {
			t.Fatalf("PayloadEnd: %v", err)
		}
		if got := b[h.PayloadOffset:end]; !bytes.Equal(got, want.Payload) {
			t.Fatalf("payload %x, want %x", got, want.Payload)
		}
		for _, id := range want.GetExtensionIDs() {
			if got := h.Extension(b, id); got == nil || !bytes.Equal(got, want.GetExtension(id)) {
				t.Fatalf("extension %d is %x, want %x", id, got, want.GetExtension(id))
			}
		}
	})
}

func TestPionReadsFixedHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawPacket(t)
		b := make([]byte, rtp.HeaderSize+4)
		rtp.PutFixedHeader(b, want.Marker, false, want.Extension, want.PayloadType,
			want.SequenceNumber, want.Timestamp, want.SSRC)
		if want.Extension {
			copy(b[rtp.HeaderSize:], []byte{0xBE, 0xDE, 0, 0})
		}
		var got pion.Header
		if _, err := got.Unmarshal(b); err != nil {
			t.Fatal(err)
		}
		if got.Marker != want.Marker || got.PayloadType != want.PayloadType || got.Extension != want.Extension ||
			got.SequenceNumber != want.SequenceNumber || got.Timestamp != want.Timestamp || got.SSRC != want.SSRC {
			t.Fatalf("got %+v, want %+v", got, want.Header)
		}
	})
}

func TestFixedHeaderKeepsBitsApart(t *testing.T) {
	b := make([]byte, rtp.HeaderSize)
	for _, test := range []struct {
		marker, padding, extension bool
		pt                         uint8
		first, second              byte
	}{
		{false, false, false, 0, 0x80, 0x00},
		{true, false, false, 0, 0x80, 0x80},
		{false, true, false, 0, 0xA0, 0x00},
		{false, false, true, 0, 0x90, 0x00},
		{true, true, true, 127, 0xB0, 0xFF},
		{false, false, false, 255, 0x80, 0x7F}, // no way into the marker bit
	} {
		rtp.PutFixedHeader(b, test.marker, test.padding, test.extension, test.pt, 0, 0, 0)
		if b[0] != test.first || b[1] != test.second {
			t.Errorf("%+v gives %02x %02x", test, b[0], b[1])
		}
	}
}

func TestHeaderRefusesMalformedPackets(t *testing.T) {
	fixed := []byte{0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}
	with := func(first byte, rest ...byte) []byte {
		b := append([]byte{first}, fixed[1:]...)
		return append(b, rest...)
	}
	for name, test := range map[string]struct {
		packet []byte
		want   error
	}{
		"empty":                       {nil, rtp.ErrShort},
		"one byte less than a header": {fixed[:11], rtp.ErrShort},
		"version 0":                   {with(0x00), rtp.ErrVersion},
		"version 1":                   {with(0x40), rtp.ErrVersion},
		"version 3":                   {with(0xC0), rtp.ErrVersion},
		"CSRC cut off":                {with(0x82, 1, 2, 3, 4, 5, 6, 7), rtp.ErrShort},
		"no extension header":         {with(0x90), rtp.ErrExtension},
		"extension header cut off":    {with(0x90, 0xBE, 0xDE, 0), rtp.ErrExtension},
		"extension data cut off":      {with(0x90, 0xBE, 0xDE, 0, 1, 1, 2, 3), rtp.ErrExtension},
		"extension of 65535 words":    {with(0x90, 0xBE, 0xDE, 0xFF, 0xFF, 1, 2, 3, 4), rtp.ErrExtension},
		"no payload":                  {with(0x80), nil},
		"empty extension":             {with(0x90, 0xBE, 0xDE, 0, 0), nil},
	} {
		var h rtp.Header
		if err := h.Parse(test.packet); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestPayloadEndRefusesNonsensePadding(t *testing.T) {
	for name, test := range map[string]struct {
		payload []byte
		want    int // bytes of payload, -1 for an error
	}{
		"one byte of padding":     {[]byte{7, 7, 1}, 2},
		"all is padding":          {[]byte{0, 0, 0, 4}, 0},
		"padding of zero":         {[]byte{7, 0}, -1},
		"padding beyond payload":  {[]byte{7, 3}, -1},
		"padding of 255":          {[]byte{255}, -1},
		"no room for the counter": {nil, -1},
	} {
		b := append([]byte{0xA0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}, test.payload...)
		var h rtp.Header
		if err := h.Parse(b); err != nil {
			t.Fatalf("%s: Parse: %v", name, err)
		}
		end, err := h.PayloadEnd(b)
		switch {
		case test.want < 0:
			if !errors.Is(err, rtp.ErrPadding) {
				t.Errorf("%s: %v, want %v", name, err, rtp.ErrPadding)
			}
		case err != nil || end != rtp.HeaderSize+test.want:
			t.Errorf("%s: end %d, %v; want %d", name, end, err, rtp.HeaderSize+test.want)
		}
	}
}

func TestPayloadEndIgnoresPaddingWithoutItsBit(t *testing.T) {
	b := []byte{0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 200}
	var h rtp.Header
	if err := h.Parse(b); err != nil {
		t.Fatal(err)
	}
	if end, err := h.PayloadEnd(b); err != nil || end != len(b) {
		t.Errorf("end %d, %v; want %d", end, err, len(b))
	}
}

// hotPacket is a video packet as a browser sends it: MID, abs-send-time and
// transport-wide sequence number.
func hotPacket() []byte {
	b := make([]byte, 1200)
	rtp.PutFixedHeader(b, false, false, true, 96, 4711, 90000, 0xCAFE)
	var w rtp.ExtensionWriter
	w.Start(b[rtp.HeaderSize:])
	w.Add(4, []byte("0"))
	w.Reserve(2, 3)
	w.Reserve(3, 2)
	w.Finish()
	return b
}

func TestPacketPathDoesNotAllocate(t *testing.T) {
	b := hotPacket()
	var h rtp.Header
	var w rtp.ExtensionWriter
	out := make([]byte, 1300)
	mid := []byte("0")
	allocs := testing.AllocsPerRun(100, func() {
		if rtp.Classify(b) != rtp.KindRTP || h.Parse(b) != nil {
			t.Fatal("not RTP")
		}
		if _, err := h.PayloadEnd(b); err != nil {
			t.Fatal(err)
		}
		h.Extension(b, 3)
		rtp.PutFixedHeader(out, h.Marker, false, true, 100, h.Seq, h.Timestamp, h.SSRC)
		w.Start(out[rtp.HeaderSize:])
		w.Add(1, mid)
		w.Reserve(5, 2)
		w.Finish()
	})
	if allocs != 0 {
		t.Errorf("%v allocations per packet", allocs)
	}
}

func BenchmarkHeaderParse(b *testing.B) {
	packet := hotPacket()
	var h rtp.Header
	b.ReportAllocs()
	for b.Loop() {
		if h.Parse(packet) != nil {
			b.Fatal("cannot parse")
		}
	}
}

func BenchmarkExtension(b *testing.B) {
	packet := hotPacket()
	var h rtp.Header
	if err := h.Parse(packet); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if h.Extension(packet, 3) == nil {
			b.Fatal("no extension")
		}
	}
}

func BenchmarkRewriteHeader(b *testing.B) {
	out := make([]byte, 1300)
	mid := []byte("0")
	var w rtp.ExtensionWriter
	b.ReportAllocs()
	for b.Loop() {
		rtp.PutFixedHeader(out, true, false, true, 96, 1, 2, 3)
		w.Start(out[rtp.HeaderSize:])
		w.Add(1, mid)
		w.Reserve(5, 2)
		w.Finish()
	}
}

func FuzzHeaderParse(f *testing.F) {
	f.Add(hotPacket())
	f.Add([]byte{0xB2, 0xFF, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1, 1, 2, 2, 2, 2, 0x10, 0, 0, 1, 5, 0, 9, 2, 1})
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xBE, 0xDE, 0, 1, 0x10, 1, 0xF0, 1})
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0x0F, 0, 1, 0, 0, 7, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h rtp.Header
		if h.Parse(b) != nil {
			return
		}
		if h.PayloadOffset < rtp.HeaderSize || h.PayloadOffset > len(b) {
			t.Fatalf("payload at %d of %d", h.PayloadOffset, len(b))
		}
		if end, err := h.PayloadEnd(b); err == nil && (end < h.PayloadOffset || end > len(b)) {
			t.Fatalf("payload ends at %d of %d", end, len(b))
		}
		r := h.Extensions(b)
		var seen [256]bool
		for {
			id, data, ok := r.Next()
			if !ok {
				break
			}
			if data == nil || id == 0 {
				t.Fatalf("element %d: %v", id, data)
			}
			if first := h.Extension(b, id); !seen[id] && !bytes.Equal(first, data) {
				t.Fatalf("extension %d: %x, walked over %x", id, first, data)
			}
			seen[id] = true
		}
		for id := range 256 {
			if !seen[id] && h.Extension(b, uint8(id)) != nil {
				t.Fatalf("extension %d from nowhere", id)
			}
		}
	})
}
