package codec

import (
	"bytes"
	"slices"
	"testing"
)

// redBlock is a block of a RED payload and its header.
type redBlock struct {
	pt     uint8
	offset uint16
	data   []byte
}

// redPayload is the payload of which blocks are the blocks, oldest first.
func redPayload(blocks ...redBlock) []byte {
	var b []byte
	for i, r := range blocks {
		if i == len(blocks)-1 {
			b = append(b, r.pt)
			continue
		}
		n := len(r.data)
		b = append(b, 0x80|r.pt, byte(r.offset>>6), byte(r.offset<<2)|byte(n>>8), byte(n))
	}
	for _, r := range blocks {
		b = append(b, r.data...)
	}
	return b
}

func block(pt uint8, offset uint16, size int) redBlock {
	return redBlock{pt, offset, bytes.Repeat([]byte{byte(size)}, size)}
}

func TestReadRED(t *testing.T) {
	for name, c := range map[string]struct {
		payload []byte
		last    int // -1: refused
	}{
		"one block":               {redPayload(block(111, 0, 30)), 1},
		"as Chromium sends it":    {redPayload(block(111, 960, 40), block(111, 0, 50)), 4 + 1 + 40},
		"two repeated":            {redPayload(block(111, 1920, 40), block(111, 960, 41), block(111, 0, 50)), 8 + 1 + 81},
		"largest":                 {redPayload(block(111, 1<<14-1, 1023), block(111, 0, 1)), 4 + 1 + 1023},
		"a repeated one is empty": {redPayload(block(111, 960, 0), block(111, 0, 50)), 4 + 1},
		"nothing":                 {nil, -1},
		"the last is empty":       {redPayload(block(111, 960, 40), block(111, 0, 0)), -1},
		"only a header":           {redPayload(block(111, 0, 0)), -1},
		"another payload type":    {redPayload(block(110, 0, 30)), -1},
		"two payload types":       {redPayload(block(0, 960, 40), block(111, 0, 50)), -1},
		"a header is cut":         {[]byte{0x80 | 111, 0, 0}, -1},
		"no header ends":          {[]byte{0x80 | 111, 0, 0, 0}, -1},
		"longer than the payload": {[]byte{0x80 | 111, 0, 3, 255, 111, 1, 2, 3}, -1},
		"exactly up to the end":   {[]byte{0x80 | 111, 0, 0, 3, 111, 1, 2, 3}, -1},
		"one byte is left for it": {[]byte{0x80 | 111, 0, 0, 3, 111, 1, 2, 3, 4}, 8},
	} {
		last, ok := ReadRED(c.payload, 111)
		if ok != (c.last >= 0) || ok && last != c.last {
			t.Errorf("%s: the last block begins at %d, %t; want %d", name, last, ok, c.last)
		}
	}
}

func TestSetREDPayloadType(t *testing.T) {
	for _, pt := range []uint8{0, 100, 111, 127} {
		payload := redPayload(block(111, 1920, 40), block(111, 960, 41), block(111, 0, 50))
		SetREDPayloadType(payload, pt)
		if want := redPayload(block(pt, 1920, 40), block(pt, 960, 41), block(pt, 0, 50)); !bytes.Equal(payload, want) {
			t.Errorf("payload type %d: % x, want % x", pt, payload, want)
		}
		SetREDPayloadType(payload, 111) // of what is shared by receivers
		if want := redPayload(block(111, 1920, 40), block(111, 960, 41), block(111, 0, 50)); !bytes.Equal(payload, want) {
			t.Errorf("payload type %d and back: % x, want % x", pt, payload, want)
		}
	}
}

func TestREDDoesNotAllocate(t *testing.T) {
	payload := redPayload(block(111, 960, 40), block(111, 0, 50))
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := ReadRED(payload, 111); !ok {
			t.Error("not read")
		}
		SetREDPayloadType(payload, 111)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRED(f *testing.F) {
	f.Add(redPayload(block(111, 960, 40), block(111, 0, 50)), uint8(111))
	f.Add(redPayload(block(111, 1920, 3), block(111, 960, 0), block(111, 0, 1)), uint8(111))
	f.Add(redPayload(block(0, 0, 2)), uint8(0))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x7f}, uint8(127))
	f.Add([]byte{0x80, 0, 0}, uint8(0))
	f.Fuzz(func(t *testing.T, payload []byte, pt uint8) {
		before := slices.Clone(payload)
		last, ok := ReadRED(payload, pt)
		if !bytes.Equal(before, payload) {
			t.Fatal("reading has changed the payload")
		}
		if !ok {
			return
		}
		if last < 1 || last >= len(payload) || pt > 127 {
			t.Fatalf("the last block of %d bytes of payload type %d begins at %d", len(payload), pt, last)
		}
		for _, other := range []uint8{127 - pt, pt} {
			SetREDPayloadType(payload, other)
			if again, ok := ReadRED(payload, other); !ok || again != last {
				t.Fatalf("with payload type %d the last block begins at %d, %t; it was at %d", other, again, ok, last)
			}
		}
		if !bytes.Equal(before, payload) {
			t.Fatal("back with its payload type it is another payload")
		}
	})
}

func BenchmarkRED(b *testing.B) {
	payload := redPayload(block(111, 960, 80), block(111, 0, 80))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ReadRED(payload, 111); ok {
			SetREDPayloadType(payload, 111)
		}
	}
}
