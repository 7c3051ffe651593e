package tcp

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestFramesAreSplit(t *testing.T) {
	long := bytes.Repeat([]byte{1}, maxPacket)
	for _, test := range []struct {
		name string
		in   []byte
		want []string
		used int
		err  bool
	}{
		{"nothing", nil, nil, 0, false},
		{"half a length", []byte{0}, nil, 0, false},
		{"a length", []byte{0, 3}, nil, 0, false},
		{"half a packet", []byte{0, 3, 'a', 'b'}, nil, 0, false},
		{"one", []byte{0, 2, 'a', 'b'}, []string{"ab"}, 4, false},
		{"one and a half", []byte{0, 2, 'a', 'b', 0, 2, 'c'}, []string{"ab"}, 4, false},
		{"two", []byte{0, 2, 'a', 'b', 0, 1, 'c'}, []string{"ab", "c"}, 7, false},
		{"an empty one between", []byte{0, 1, 'a', 0, 0, 0, 1, 'c'}, []string{"a", "c"}, 8, false},
		{"the largest", frame(long), []string{string(long)}, 2 + maxPacket, false},
		{"one too large", []byte{0, 1, 'a', 0x10, 0x01}, []string{"a"}, 3, true},
		{"HTTP", []byte("GET / HTTP/1.1\r\n"), nil, 0, true},
		{"TLS", []byte{22, 3, 1, 2, 0}, nil, 0, true},
	} {
		got, used, err := splitFrames(test.in, make([][]byte, 0, maxBatch))
		if used != test.used || (err != nil) != test.err || len(got) != len(test.want) {
			t.Errorf("%s: %d packets, %d bytes used, error %v", test.name, len(got), used, err)
			continue
		}
		for i, p := range got {
			if string(p) != test.want[i] || cap(p) != len(p) {
				t.Errorf("%s: packet %d is %q, capacity %d", test.name, i, p, cap(p))
			}
		}
	}
}

func TestSplittingFillsABatchAndGoesOn(t *testing.T) {
	var in []byte
	for i := range maxBatch + 1 {
		in = append(in, frame([]byte{byte(i)})...)
	}
	first, used, err := splitFrames(in, make([][]byte, 0, maxBatch))
	if err != nil || len(first) != maxBatch {
		t.Fatalf("%d packets, %v", len(first), err)
	}
	rest, _, err := splitFrames(in[used:], make([][]byte, 0, maxBatch))
	if err != nil || len(rest) != 1 || rest[0][0] != maxBatch {
		t.Fatalf("then %v, %v", rest, err)
	}
}

func TestRunsAreFramed(t *testing.T) {
	run := patterned(2500, 0)
	got := appendFrames(nil, run, 1200)
	want := append(append(frame(run[:1200]), frame(run[1200:2400])...), frame(run[2400:])...)
	if !bytes.Equal(got, want) {
		t.Error("not three frames of 1200, 1200 and 100 bytes")
	}
	if len(got) != framedSize(run, 1200) || packetsOf(run, 1200) != 3 {
		t.Errorf("%d bytes framed, %d foretold, %d packets", len(got), framedSize(run, 1200), packetsOf(run, 1200))
	}
}

// FuzzSplitFrames checks that what is split is what was sent, wherever the
// stream was cut, and that nothing is lost or invented.
func FuzzSplitFrames(f *testing.F) {
	f.Add([]byte{0, 2, 'a', 'b', 0, 0, 0, 1, 'c', 0}, uint16(3))
	f.Add([]byte("GET / HTTP/1.1\r\n"), uint16(1))
	f.Add(frame(bytes.Repeat([]byte{7}, maxPacket)), uint16(100))
	f.Fuzz(func(t *testing.T, in []byte, cut uint16) {
		whole, failed := splitAll(in, len(in)+1)
		parts, failedToo := splitAll(in, int(cut)+1)
		if failed != failedToo || !bytes.Equal(whole, parts) {
			t.Fatalf("cut every %d bytes it is %x, failed %v; whole %x, %v", int(cut)+1, parts, failedToo, whole, failed)
		}
	})
}

// splitAll feeds in piece by piece and returns the packets, framed again.
func splitAll(in []byte, piece int) (out []byte, failed bool) {
	var buffer []byte
	for len(in) > 0 {
		n := min(piece, len(in))
		buffer = append(buffer, in[:n]...)
		in = in[n:]
		for {
			packets, used, err := splitFrames(buffer, make([][]byte, 0, 3))
			for _, p := range packets {
				out = append(binary.BigEndian.AppendUint16(out, uint16(len(p))), p...)
			}
			buffer = buffer[used:]
			if err != nil {
				return out, true
			}
			if used == 0 {
				break
			}
		}
	}
	return out, false
}
