package rtp_test

import (
	"bytes"
	"testing"

	pion "github.com/pion/rtp"
	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/rtp"
)

// block returns a packet with the header extension block given and the header
// parsed from it.
func block(t *testing.T, profile uint16, elements ...byte) ([]byte, rtp.Header) {
	t.Helper()
	b := []byte{0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, byte(profile >> 8), byte(profile), 0, byte(len(elements) / 4)}
	b = append(b, elements...)
	b = append(b, 0xAA, 0xBB) // payload
	var h rtp.Header
	if err := h.Parse(b); err != nil {
		t.Fatal(err)
	}
	return b, h
}

func TestExtensionToleratesGarbage(t *testing.T) {
	for _, test := range []struct {
		name     string
		profile  uint16
		elements []byte
		id       uint8
		want     []byte
	}{
		{"one-byte form", 0xBEDE, []byte{0x10, 7, 0x21, 8, 9, 0, 0, 0}, 2, []byte{8, 9}},
		{"padding between elements", 0xBEDE, []byte{0x10, 7, 0, 0, 0, 0x20, 8, 0}, 2, []byte{8}},
		{"absent", 0xBEDE, []byte{0x10, 7, 0, 0}, 2, nil},
		{"id 0 is never found", 0xBEDE, []byte{0, 0, 0, 0}, 0, nil},
		{"id 15 ends the block", 0xBEDE, []byte{0xF0, 1, 0x20, 8}, 2, nil},
		{"id 15 is never found", 0xBEDE, []byte{0xF0, 1, 0, 0}, 15, nil},
		{"id 0 with a length ends the block", 0xBEDE, []byte{0x01, 1, 0x20, 8}, 2, nil},
		{"element longer than the block", 0xBEDE, []byte{0x2F, 1, 2, 3}, 2, nil},
		{"element one byte longer than the block", 0xBEDE, []byte{0x23, 1, 2, 3}, 2, nil},
		{"element that fills the block", 0xBEDE, []byte{0x22, 1, 2, 3}, 2, []byte{1, 2, 3}},
		{"first of two with the same id", 0xBEDE, []byte{0x20, 1, 0x20, 2}, 2, []byte{1}},
		{"two-byte form", 0x1000, []byte{200, 2, 8, 9}, 200, []byte{8, 9}},
		{"two-byte form with appbits", 0x100F, []byte{0, 200, 1, 9}, 200, []byte{9}},
		{"two-byte form, no data", 0x1000, []byte{5, 0, 6, 0}, 6, []byte{}},
		{"two-byte form, id 15 is a number like others", 0x1000, []byte{15, 1, 9, 0}, 15, []byte{9}},
		{"two-byte form, length missing", 0x1000, []byte{0, 0, 0, 5}, 5, nil},
		{"two-byte form, longer than the block", 0x1000, []byte{5, 3, 1, 2}, 5, nil},
		{"another profile", 0xABCD, []byte{0x20, 1, 0, 0}, 2, nil},
		{"nearly the two-byte profile", 0x1010, []byte{2, 1, 1, 0}, 2, nil},
	} {
		b, h := block(t, test.profile, test.elements...)
		got := h.Extension(b, test.id)
		if (got == nil) != (test.want == nil) || !bytes.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestExtensionCanBeRewrittenInPlaceButNotOverrun(t *testing.T) {
	b, h := block(t, 0xBEDE, 0x20, 7, 0x30, 8)
	data := h.Extension(b, 2)
	data[0] = 9
	_ = append(data, 0xEE)
	if got := h.Extension(b, 2); !bytes.Equal(got, []byte{9}) {
		t.Errorf("extension 2 is %v after a write", got)
	}
	if got := h.Extension(b, 3); !bytes.Equal(got, []byte{8}) {
		t.Errorf("extension 3 is %v: an append reached it", got)
	}
}

func TestExtensionIsAbsentFromAnotherPacket(t *testing.T) {
	b, h := block(t, 0xBEDE, 0x20, 7, 0, 0)
	if got := h.Extension(b[:14], 2); got != nil {
		t.Errorf("found %v in a packet that is shorter than the block", got)
	}
}

// element is one to write.
type element struct {
	id   uint8
	data []byte
}

func drawElements(t *rapid.T) []element {
	ids := rapid.SliceOfNDistinct(rapid.OneOf(rapid.Uint8Range(1, 14), rapid.Uint8Range(1, 255)), 0, 8,
		rapid.ID[uint8]).Draw(t, "ids")
	var elements []element
	for _, id := range ids {
		size := rapid.OneOf(rapid.IntRange(1, 16), rapid.IntRange(0, 40)).Draw(t, "size")
		data := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "data")
		elements = append(elements, element{id, data})
	}
	return elements
}

func TestPionReadsWrittenExtensions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elements := drawElements(t)
		b := make([]byte, 1500)
		for i := range b {
			b[i] = 0xEE // stale bytes must not show through
		}
		var w rtp.ExtensionWriter
		w.Start(b[rtp.HeaderSize:])
		for _, e := range elements {
			if !w.Add(e.id, e.data) {
				t.Fatalf("no room for %d", e.id)
			}
		}
		size := w.Finish()
		if (size == 0) != (len(elements) == 0) || size%4 != 0 {
			t.Fatalf("%d bytes for %d elements", size, len(elements))
		}
		rtp.PutFixedHeader(b, false, false, size > 0, 96, 1, 2, 3)
		b = append(b[:rtp.HeaderSize+size], 0xAA)

		var theirs pion.Packet
		if err := theirs.Unmarshal(b); err != nil {
			t.Fatal(err)
		}
		var ours rtp.Header
		if err := ours.Parse(b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(theirs.Payload, []byte{0xAA}) || ours.PayloadOffset != rtp.HeaderSize+size {
			t.Fatalf("payload %x at %d", theirs.Payload, ours.PayloadOffset)
		}
		if got := len(theirs.GetExtensionIDs()); got != len(elements) {
			t.Fatalf("pion reads %d elements of %d", got, len(elements))
		}
		for _, e := range elements {
			if got := theirs.GetExtension(e.id); !bytes.Equal(got, e.data) {
				t.Fatalf("pion reads %d as %x, want %x", e.id, got, e.data)
			}
			if got := ours.Extension(b, e.id); got == nil || !bytes.Equal(got, e.data) {
				t.Fatalf("we read %d as %x, want %x", e.id, got, e.data)
			}
		}
	})
}

func TestWriterStaysInOneByteFormWhileItCan(t *testing.T) {
	b := make([]byte, 64)
	var w rtp.ExtensionWriter
	w.Start(b)
	w.Add(1, make([]byte, 16))
	w.Add(14, []byte{1})
	if w.Finish() != 24 || b[0] != 0xBE || b[1] != 0xDE {
		t.Errorf("% x", b[:24])
	}
	w.Start(b)
	w.Add(1, []byte{1})
	w.Add(15, []byte{2})
	if n := w.Finish(); !bytes.Equal(b[:n], []byte{0x10, 0, 0, 2, 1, 1, 1, 15, 1, 2, 0, 0}) {
		t.Errorf("% x", b[:n])
	}
}

func TestWriterNeverLeavesItsRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elements := drawElements(t)
		room := rapid.IntRange(0, 60).Draw(t, "room")
		b := bytes.Repeat([]byte{0xEE}, 80)
		var w rtp.ExtensionWriter
		w.Start(b[:room:room])
		var written []element
		for _, e := range elements {
			if w.Add(e.id, e.data) {
				written = append(written, e)
			}
		}
		size := w.Finish()
		if size > room {
			t.Fatalf("%d bytes in a room of %d", size, room)
		}
		if !bytes.Equal(b[room:], bytes.Repeat([]byte{0xEE}, 80-room)) {
			t.Fatal("wrote beyond its room")
		}
		packet := make([]byte, rtp.HeaderSize, 200)
		rtp.PutFixedHeader(packet, false, false, size > 0, 96, 1, 2, 3)
		packet = append(packet, b[:size]...)
		var h rtp.Header
		if err := h.Parse(packet); err != nil {
			t.Fatal(err)
		}
		for _, e := range written {
			if got := h.Extension(packet, e.id); got == nil || !bytes.Equal(got, e.data) {
				t.Fatalf("%d is %x, want %x", e.id, got, e.data)
			}
		}
	})
}

func TestWriterRefusesWhatTheFormatCannotHold(t *testing.T) {
	var w rtp.ExtensionWriter
	w.Start(make([]byte, 1000))
	if w.Add(0, []byte{1}) {
		t.Error("took id 0")
	}
	if w.Add(1, make([]byte, 256)) {
		t.Error("took 256 bytes")
	}
	if w.Reserve(1, -1) != nil {
		t.Error("took a negative size")
	}
	if n := w.Finish(); n != 0 {
		t.Errorf("a block of %d bytes of nothing", n)
	}
}

func TestWriterWithoutRoomWritesNothing(t *testing.T) {
	var w rtp.ExtensionWriter
	if w.Add(1, []byte{1}) || w.Finish() != 0 {
		t.Error("wrote without Start")
	}
	w.Start(make([]byte, 7))
	if w.Add(1, []byte{1}) || w.Finish() != 0 {
		t.Error("wrote eight bytes into seven")
	}
}

func TestLastReservedElementStaysWhereItIs(t *testing.T) {
	b := make([]byte, 64)
	var w rtp.ExtensionWriter
	w.Start(b[rtp.HeaderSize:])
	w.Add(1, []byte{1})
	w.Add(20, []byte{2}) // turns to the two-byte form
	later := w.Reserve(5, 2)
	size := w.Finish()
	copy(later, []byte{0x12, 0x34})
	rtp.PutFixedHeader(b, false, false, true, 96, 1, 2, 3)
	var h rtp.Header
	if err := h.Parse(b[:rtp.HeaderSize+size]); err != nil {
		t.Fatal(err)
	}
	if got := h.Extension(b, 5); !bytes.Equal(got, []byte{0x12, 0x34}) {
		t.Errorf("extension 5 is %x", got)
	}
}
