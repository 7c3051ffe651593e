package bwe

import (
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// decode reads chunks as the draft describes them.
func decode(chunks []byte) (symbols []uint8) {
	for i := 0; i < len(chunks); i += 2 {
		c := binary.BigEndian.Uint16(chunks[i:])
		switch {
		case c>>15 == 0:
			for range c & 0x1FFF {
				symbols = append(symbols, uint8(c>>13&3))
			}
		case c>>14&1 == 0:
			for bit := 13; bit >= 0; bit-- {
				symbols = append(symbols, uint8(c>>bit&1))
			}
		default:
			for bit := 12; bit >= 0; bit -= 2 {
				symbols = append(symbols, uint8(c>>bit&3))
			}
		}
	}
	return symbols
}

func encode(symbols []uint8) (chunks []byte) {
	var c chunk
	for _, s := range symbols {
		if !c.accepts(s) {
			chunks = c.appendNext(chunks)
		}
		if !c.accepts(s) {
			panic("does not accept after a chunk was taken")
		}
		c.add(s)
	}
	return c.appendAll(chunks)
}

func TestChunksHoldTheSymbolsPutIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var symbols []uint8
		for range rapid.IntRange(0, 20).Draw(t, "runs") {
			symbol := rapid.Uint8Range(0, 2).Draw(t, "symbol")
			n := rapid.OneOf(rapid.IntRange(1, 3), rapid.IntRange(1, 30)).Draw(t, "run")
			symbols = append(symbols, slices.Repeat([]uint8{symbol}, n)...)
		}
		got := decode(encode(symbols))
		// The last vector is filled up with "missing", beyond the count.
		if len(got) < len(symbols) || !slices.Equal(got[:len(symbols)], symbols) {
			t.Fatalf("%v became %v", symbols, got)
		}
	})
}

func TestChunksAreChosenWell(t *testing.T) {
	const m, s, l = statusMissing, statusSmall, statusLarge
	for _, test := range []struct {
		name    string
		symbols []uint8
		want    int // chunks
	}{
		{"nothing", nil, 0},
		{"a long run", slices.Repeat([]uint8{s}, 8191), 1},
		{"a longer run", slices.Repeat([]uint8{s}, 8192), 2},
		{"a run of large ones", slices.Repeat([]uint8{l}, 100), 1},
		{"fourteen mixed", slices.Repeat([]uint8{s, m}, 7), 1},
		{"fifteen mixed", append(slices.Repeat([]uint8{s, m}, 7), s), 2},
		{"seven with a large one", []uint8{s, m, l, s, m, l, s}, 1},
		{"eight with a large one", []uint8{s, m, l, s, m, l, s, s}, 2},
		{"large one after ten", append(slices.Repeat([]uint8{s, m}, 5), l), 2},
		{"large one after a run", append(slices.Repeat([]uint8{s}, 50), l), 2},
		{"large run after a run of missing", append(slices.Repeat([]uint8{m}, 50), slices.Repeat([]uint8{l}, 50)...), 2},
	} {
		if got := len(encode(test.symbols)) / chunkSize; got != test.want {
			t.Errorf("%s: %d chunks, want %d", test.name, got, test.want)
		}
	}
}
