package loadtest

import (
	"testing"

	"github.com/pion/rtp/codecs"

	"github.com/takoserver/takos-call/internal/mono"
)

func TestStampSurvivesWhateverPrecedesIt(t *testing.T) {
	want := stamp{origin: 0xfedcba98, number: 1<<32 - 1, sent: mono.Instant(1 << 50)}
	for _, size := range []int{stampSize, stampSize + 1, 1000} {
		payload := make([]byte, size)
		want.put(payload)
		if got, ok := readStamp(payload); !ok || got != want {
			t.Errorf("in %d bytes: %+v, %t", size, got, ok)
		}
	}
}

func TestWhatIsNotOursHasNoStamp(t *testing.T) {
	damaged := make([]byte, 100)
	stamp{origin: 1}.put(damaged)
	damaged[100-stampSize]++
	for _, payload := range [][]byte{nil, make([]byte, stampSize-1), make([]byte, 100), damaged} {
		if s, ok := readStamp(payload); ok {
			t.Errorf("%d bytes have the stamp %+v", len(payload), s)
		}
	}
}

// What the source makes is read with Pion's depacketizer, as another opinion.
func TestVP8FramesAreValid(t *testing.T) {
	v := newVideoSource(Video{}.withDefaults())
	lastID := v.pictureID
	for n := range 100 {
		keyframe := n == 0 || n == 50
		count := v.next(keyframe)
		wantID := (lastID + 1) & 0x7fff
		for i := range count {
			payload := v.appendPayload(nil, i)
			var p codecs.VP8Packet
			body, err := p.Unmarshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			if p.PictureID != wantID || p.PID != 0 || (p.S == 1) != (i == 0) {
				t.Fatalf("frame %d, packet %d: picture %d (want %d), S %d, PID %d", n, i, p.PictureID, wantID, p.S, p.PID)
			}
			if i == 0 {
				checkFrameHeader(t, body, keyframe)
			}
			f, ok := parseVP8(payload)
			if !ok || f.start != (i == 0) || f.keyframe != (keyframe && i == 0) {
				t.Fatalf("frame %d, packet %d is read as %+v, %t", n, i, f, ok)
			}
		}
		lastID = wantID
	}
}

// checkFrameHeader reads the header of RFC 6386 §9.1.
func checkFrameHeader(t *testing.T, b []byte, keyframe bool) {
	t.Helper()
	tag := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	if (tag&1 == 0) != keyframe {
		t.Fatalf("keyframe bit of tag %#x, want keyframe %t", tag, keyframe)
	}
	if version, shown := tag>>1&7, tag>>4&1; version != 0 || shown != 1 {
		t.Fatalf("version %d, shown %d", version, shown)
	}
	if !keyframe {
		return
	}
	if b[3] != 0x9d || b[4] != 0x01 || b[5] != 0x2a {
		t.Fatalf("start code % x", b[3:6])
	}
	if width, height := int(b[6])|int(b[7])<<8, int(b[8])|int(b[9])<<8; width != 1280 || height != 720 {
		t.Fatalf("%d×%d", width, height)
	}
}

func TestFramesAreCutAsChromiumCutsThem(t *testing.T) {
	v := newVideoSource(Video{}.withDefaults())
	bytes := 0
	const frames = 110 // whole periods of the swing
	for range frames {
		count := v.next(false)
		if count != 6 {
			t.Fatalf("a frame of %d packets, want 6", count)
		}
		least, last := 1<<20, 0
		for i := range count {
			size := len(v.appendPayload(nil, i))
			if size < last || size > maxPayload {
				t.Fatalf("packet %d has %d bytes after one of %d", i, size, last)
			}
			least, last = min(least, size), size
			bytes += size
		}
		if last-least > 1 {
			t.Fatalf("packets of %d to %d bytes in a frame", least, last)
		}
	}
	bitrate := bytes * 8 * 30 / frames
	if bitrate < 1_490_000 || bitrate > 1_520_000 {
		t.Errorf("%d bit/s, want 1.5 Mbit/s", bitrate)
	}
}

func TestTinyFramesHaveRoomForAStamp(t *testing.T) {
	v := newVideoSource(Video{Bitrate: 100, FrameRate: 30}.withDefaults())
	for n := range 20 {
		for i := range v.next(n == 0) {
			b := v.appendPayload(nil, i)
			stamp{}.put(b)
			if f, ok := parseVP8(b); !ok || f.keyframe != (n == 0 && i == 0) {
				t.Fatalf("frame %d: the stamp has overwritten the header", n)
			}
		}
	}
}

func TestOpusPacketsHaveRoomForAStamp(t *testing.T) {
	bytes := 0
	for n := range 110 {
		b := appendOpus(nil, n)
		if b[0] != 0xfc || len(b) <= stampSize {
			t.Fatalf("packet %d: %d bytes that begin with %#x", n, len(b), b[0])
		}
		bytes += len(b)
	}
	if bitrate := bytes * 8 * 50 / 110; bitrate < 31_000 || bitrate > 34_000 {
		t.Errorf("%d bit/s, want about 32 kbit/s", bitrate)
	}
}

func TestVP8DescriptorsOfAllFormsAreRead(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		want    vp8Frame
		ok      bool
	}{
		{"empty", nil, vp8Frame{}, false},
		{"bare keyframe", []byte{0x10, 0}, vp8Frame{true, true}, true},
		{"bare other frame", []byte{0x10, 1}, vp8Frame{true, false}, true},
		{"continued", []byte{0x00, 0}, vp8Frame{}, true},
		{"second partition", []byte{0x11, 0}, vp8Frame{}, true},
		{"short picture id", []byte{0x90, 0x80, 0x05, 0}, vp8Frame{true, true}, true},
		{"long picture id", []byte{0x90, 0x80, 0x85, 0xff, 0}, vp8Frame{true, true}, true},
		{"everything", []byte{0x90, 0xf0, 0x85, 0xff, 1, 2, 0}, vp8Frame{true, true}, true},
		{"layers only", []byte{0x90, 0x60, 1, 2, 1}, vp8Frame{true, false}, true},
		{"cut in the flags", []byte{0x90}, vp8Frame{}, false},
		{"cut in the picture id", []byte{0x90, 0x80}, vp8Frame{}, false},
		{"cut before the frame", []byte{0x90, 0x80, 0x85, 0xff}, vp8Frame{}, false},
	}
	for _, test := range tests {
		if got, ok := parseVP8(test.payload); ok != test.ok || ok && got != test.want {
			t.Errorf("%s: %+v, %t; want %+v, %t", test.name, got, ok, test.want, test.ok)
		}
	}
}

func FuzzVP8(f *testing.F) {
	f.Add([]byte{0x90, 0xf0, 0x85, 0xff, 1, 2, 0})
	f.Add([]byte{0x10, 0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, ok := parseVP8(payload)
		var p codecs.VP8Packet
		_, err := p.Unmarshal(payload)
		if ok && err == nil && got.start != (p.S == 1 && p.PID == 0) {
			t.Errorf("start %t, but S %d and PID %d", got.start, p.S, p.PID)
		}
	})
}
