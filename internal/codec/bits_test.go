package codec

import (
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// bitWriter is what bitReader reads, written from the specification so that
// each tests the other.
type bitWriter struct {
	b    []byte
	free int // in the last byte
}

func (w *bitWriter) write(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.free == 0 {
			w.b = append(w.b, 0)
			w.free = 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>i&1) << w.free
	}
}

func (w *bitWriter) flag(v bool) {
	if v {
		w.write(1, 1)
	} else {
		w.write(0, 1)
	}
}

// nonSymmetric writes v < n as AV1 bitstream §4.10.7 describes ns(n).
func (w *bitWriter) nonSymmetric(v, n uint32) {
	width := bits.Len32(n)
	if width == 0 {
		return
	}
	short := uint32(1)<<width - n
	if v < short {
		w.write(v, width-1)
		return
	}
	w.write((v+short)>>1, width-1)
	w.write((v+short)&1, 1)
}

func TestBitReaderReadsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 32), 0, 40).Draw(t, "sizes")
		var w bitWriter
		var want []uint32
		for _, n := range sizes {
			v := uint32(rapid.Uint64().Draw(t, "value") & (1<<n - 1))
			want = append(want, v)
			w.write(v, n)
		}
		r := bitReader{b: w.b}
		for i, n := range sizes {
			if got := r.read(n); got != want[i] {
				t.Fatalf("number %d of %d bits is %#x, want %#x", i, n, got, want[i])
			}
		}
		if r.bad {
			t.Fatal("read beyond the end")
		}
	})
}

func TestBitReaderEndsInZeros(t *testing.T) {
	r := bitReader{b: []byte{0xFF}}
	if got := r.read(7); got != 0x7F || r.bad {
		t.Errorf("%#x, %v", got, r.bad)
	}
	if got := r.read(2); got != 0 || !r.bad {
		t.Errorf("%#x beyond the end", got)
	}
	if got := r.read(1); got != 0 || r.flag() || r.readNonSymmetric(5) != 0 {
		t.Errorf("%#x after the end", got)
	}
}

func TestNonSymmetricNumbers(t *testing.T) {
	for n := uint32(0); n <= 40; n++ {
		for v := range max(n, 1) {
			var w bitWriter
			w.nonSymmetric(v, n)
			r := bitReader{b: w.b}
			if got := r.readNonSymmetric(n); got != v || r.bad {
				t.Errorf("%d below %d is read as %d", v, n, got)
			}
			if used := len(w.b)*8 - w.free; used != r.pos {
				t.Errorf("%d below %d takes %d bits, %d were read", v, n, used, r.pos)
			}
		}
	}
	// The example of the specification: below 5, two or three bits.
	var w bitWriter
	w.nonSymmetric(2, 5)
	w.nonSymmetric(3, 5)
	w.nonSymmetric(4, 5)
	if want := byte(0b10_110_111); w.b[0] != want {
		t.Errorf("%08b, want %08b", w.b[0], want)
	}
}
