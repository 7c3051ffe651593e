package nack_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/nack"
)

// content is a packet that tells which one it is all over.
func content(extSeq int64, size int) []byte {
	b := make([]byte, size+8)
	for i := 0; i < size; i += 8 {
		binary.BigEndian.PutUint64(b[i:], uint64(extSeq)*31+uint64(i))
	}
	return b[:size]
}

// have checks that a packet is there and whole.
func have(t *testing.T, s *nack.Store, extSeq int64, size int, now mono.Instant) {
	t.Helper()
	if got := s.Packet(extSeq, now); !bytes.Equal(got, content(extSeq, size)) {
		t.Errorf("packet %d has %d bytes, want %d of its own", extSeq, len(got), size)
	}
}

func lack(t *testing.T, s *nack.Store, extSeq int64, now mono.Instant) {
	t.Helper()
	if got := s.Packet(extSeq, now); got != nil {
		t.Errorf("packet %d has %d bytes, want none", extSeq, len(got))
	}
}

func TestStoreGivesBackWhatWasPut(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{})
	lack(t, s, 0, at(0))
	for extSeq := range int64(40) {
		s.Put(at(0), 65_520+extSeq, content(65_520+extSeq, 1000+int(extSeq)))
	}
	for extSeq := range int64(40) {
		have(t, s, 65_520+extSeq, 1000+int(extSeq), at(0))
	}
	lack(t, s, 65_519, at(0))
	lack(t, s, 65_560, at(0))
	lack(t, s, 65_520+64, at(0)) // shares a slot with the first
}

func TestStoreCopies(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{})
	packet := content(1, 100)
	s.Put(at(0), 1, packet)
	clear(packet)
	have(t, s, 1, 100, at(0))
	if got := s.Packet(1, at(0)); cap(got) != len(got) {
		t.Errorf("%d bytes could be appended into the next packet", cap(got)-len(got))
	}
}

func TestStoreForgetsWhatIsTooOld(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{Keep: 500 * ms})
	s.Put(at(0), 1, content(1, 100))
	have(t, s, 1, 100, at(1000*ms))
	lack(t, s, 1, at(1001*ms))
}

func TestStoreRefusesWhatItCannotKeep(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{InitialBytes: 1000})
	s.Put(at(0), 1, nil)
	lack(t, s, 1, at(0))
	s.Put(at(0), 2, content(2, 1025))
	lack(t, s, 2, at(0))
	s.Put(at(0), 3, content(3, 1024)) // sizes are rounded up
	have(t, s, 3, 1024, at(0))
}

func TestStoreTakesReorderedPackets(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{})
	for _, extSeq := range []int64{10, 12, 11, 14, 13, 12} {
		s.Put(at(0), extSeq, content(extSeq, 200))
	}
	for _, extSeq := range []int64{10, 11, 12, 13, 14} {
		have(t, s, extSeq, 200, at(0))
	}
}

func TestStoreKeepsTheNewerOfTwoInOnePlace(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{})
	s.Put(at(0), 100, content(100, 200))
	s.Put(at(0), 100-64, content(100-64, 200))
	have(t, s, 100, 200, at(0))
	lack(t, s, 100-64, at(0))
}

func TestStoreKeepsASecondAtAnyBitrate(t *testing.T) {
	for _, test := range []struct {
		name     string
		interval time.Duration
		size     int
		bytes    int // of the arena in the end, at most
	}{
		{"audio, 40 kbit/s", 20 * ms, 100, 64 << 10},
		{"400 kbit/s", 20 * ms, 1000, 128 << 10},
		{"2 Mbit/s", 4 * ms, 1000, 512 << 10},
		{"6.4 Mbit/s", 1250 * time.Microsecond, 1000, 1 << 20},
		{"2000 small packets a second", 500 * time.Microsecond, 60, 256 << 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := nack.NewStore(nack.StoreOptions{})
			extSeq := int64(1000)
			for now := time.Duration(0); now < 10*time.Second; now += test.interval {
				extSeq++
				s.Put(at(now), extSeq, content(extSeq, test.size))
				if now < 3*time.Second {
					continue // still growing
				}
				back := int64(time.Second / test.interval)
				have(t, s, extSeq, test.size, at(now))
				have(t, s, extSeq-back/2, test.size, at(now))
				have(t, s, extSeq-back+1, test.size, at(now))
				if t.Failed() {
					t.Fatalf("after %v, arena of %d bytes", now, s.Bytes())
				}
			}
			if s.Bytes() > test.bytes {
				t.Errorf("an arena of %d bytes, %d were enough", s.Bytes(), test.bytes)
			}
		})
	}
}

func TestStoreNeverGrowsBeyondItsLimit(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{InitialBytes: 4 << 10, MaxBytes: 32 << 10})
	for extSeq := range int64(5000) {
		s.Put(at(time.Duration(extSeq)*10*time.Microsecond), extSeq, content(extSeq, 1000))
		have(t, s, extSeq, 1000, at(time.Duration(extSeq)*10*time.Microsecond))
	}
	if s.Bytes() != 32<<10 {
		t.Errorf("%d bytes", s.Bytes())
	}
	now := at(50 * ms)
	have(t, s, 5000-32, 1000, now)
	lack(t, s, 5000-33, now)
}

func TestStoreLosesNothingWhileItGrows(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{InitialBytes: 4 << 10})
	for extSeq := range int64(500) { // half a megabyte, well below the limit
		now := at(time.Duration(extSeq) * ms)
		s.Put(now, extSeq, content(extSeq, 1000))
		for _, earlier := range []int64{0, extSeq / 2, extSeq} {
			have(t, s, earlier, 1000, now)
		}
		if t.Failed() {
			t.Fatalf("after packet %d, arena of %d bytes", extSeq, s.Bytes())
		}
	}
}

func TestStoreNeverGivesBackAnythingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := nack.NewStore(nack.StoreOptions{InitialBytes: 1 << 10, MaxBytes: 8 << 10, Keep: 100 * ms})
		sizes := map[int64]int{}
		newest := rapid.Int64Range(0, 1<<40).Draw(t, "start")
		now := at(0)
		for range rapid.IntRange(1, 150).Draw(t, "packets") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "ms")) * ms)
			extSeq := max(newest+rapid.Int64Range(-5, 70).Draw(t, "step"), 0)
			size := rapid.IntRange(1, 300).Draw(t, "size")
			s.Put(now, extSeq, content(extSeq, size))
			if extSeq >= newest {
				newest = extSeq
				if got := s.Packet(extSeq, now); !bytes.Equal(got, content(extSeq, size)) {
					t.Fatalf("the packet just put is not there")
				}
			}
			// A reordered packet may have been refused, and an earlier copy
			// with another size be there still.
			if got := s.Packet(extSeq, now); got != nil {
				sizes[extSeq] = len(got)
			}
			for earlier, size := range sizes {
				if got := s.Packet(earlier, now); got != nil && !bytes.Equal(got, content(earlier, size)) {
					t.Fatalf("packet %d is another's", earlier)
				}
			}
		}
	})
}

func TestStoreDoesNotAllocateWhenItHasGrown(t *testing.T) {
	s := nack.NewStore(nack.StoreOptions{})
	packet := content(1, 1000)
	now, extSeq := at(0), int64(0)
	put := func() {
		now = now.Add(2 * ms)
		extSeq++
		s.Put(now, extSeq, packet)
		if s.Packet(extSeq-10, now) == nil && extSeq > 10 {
			t.Fatal("not there")
		}
	}
	for range 5000 {
		put()
	}
	if allocs := testing.AllocsPerRun(5000, put); allocs != 0 {
		t.Errorf("%v allocations per packet", allocs)
	}
}

func BenchmarkStorePut(b *testing.B) {
	s := nack.NewStore(nack.StoreOptions{})
	packet := content(1, 1200)
	now, extSeq := at(0), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(2 * ms)
		extSeq++
		s.Put(now, extSeq, packet)
	}
}

func BenchmarkStorePacket(b *testing.B) {
	s := nack.NewStore(nack.StoreOptions{})
	for extSeq := range int64(50) {
		s.Put(at(0), extSeq, content(extSeq, 1200))
	}
	b.ReportAllocs()
	for b.Loop() {
		if s.Packet(25, at(0)) == nil {
			b.Fatal("not there")
		}
	}
}
