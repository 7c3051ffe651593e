package sfu

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestSubchannelsOnTheWire(t *testing.T) {
	for name, x := range map[string]struct {
		to   Subchannels
		want string
	}{
		"none":     {Subchannels{}, "data"},
		"two":      {Subchannels{Any: []uint16{1, 0xffff}}, "\xa5\xf0\x9c\xb3\xd6\xe1\xf2\x8c\x00\x02\x00\x01\xff\xffdata"},
		"required": {Subchannels{Required: new(uint16(7))}, "\xa5\xf0\x9c\xb3\xd6\xe1\xf2\x8e\x00\x00\x00\x07data"},
		"ignored":  {Subchannels{Ignored: new(uint16(8))}, "\xa5\xf0\x9c\xb3\xd6\xe1\xf2\x8d\x00\x00\x00\x08data"},
		"all": {Subchannels{Any: []uint16{9}, Required: new(uint16(7)), Ignored: new(uint16(8))},
			"\xa5\xf0\x9c\xb3\xd6\xe1\xf2\x8f\x00\x01\x00\x09\x00\x07\x00\x08data"},
	} {
		b := x.to.encode([]byte("data"))
		if string(b) != x.want {
			t.Errorf("%s: %q, want %q", name, b, x.want)
		}
		if to, data := decodeSubchannels(b); string(data) != "data" || cmp.Diff(to, x.to) != "" {
			t.Errorf("%s: %+v and %q come back", name, to, data)
		}
		for i := range len(b) - len("data") {
			if _, data := decodeSubchannels(b[:i]); len(data) != i {
				t.Errorf("%s: of %d bytes %d are data", name, i, len(data))
			}
		}
	}
}

func TestWhatAPipeCarries(t *testing.T) {
	for name, x := range map[string]struct {
		to         Subchannels
		subscribed []uint16
		want       Subchannels
		carried    bool
	}{
		"everything":     {Subchannels{Any: []uint16{1}, Required: new(uint16(2))}, nil, Subchannels{Any: []uint16{1}, Required: new(uint16(2))}, true},
		"for all":        {Subchannels{}, []uint16{1}, Subchannels{}, true},
		"what it has":    {Subchannels{Any: []uint16{1, 2, 3}}, []uint16{2, 3, 4}, Subchannels{Any: []uint16{2, 3}}, true},
		"nothing it has": {Subchannels{Any: []uint16{1}}, []uint16{2}, Subchannels{}, false},
		"required":       {Subchannels{Required: new(uint16(2))}, []uint16{2}, Subchannels{Required: new(uint16(2))}, true},
		"not required":   {Subchannels{Any: []uint16{1}, Required: new(uint16(2))}, []uint16{1}, Subchannels{Required: new(uint16(2))}, false},
		"ignored":        {Subchannels{Ignored: new(uint16(2))}, []uint16{2}, Subchannels{Ignored: new(uint16(2))}, true},
	} {
		got, carried := x.to.through(x.subscribed)
		if carried != x.carried || carried && cmp.Diff(got, x.want) != "" {
			t.Errorf("%s: %+v, %v", name, got, carried)
		}
	}
}

func FuzzSubchannels(f *testing.F) {
	f.Add(Subchannels{Any: []uint16{1, 2}, Required: new(uint16(3)), Ignored: new(uint16(4))}.encode([]byte("data")))
	f.Add(Subchannels{Ignored: new(uint16(4))}.encode(nil))
	f.Add([]byte("\xa5\xf0\x9c\xb3\xd6\xe1\xf2\x8c\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		to, data := decodeSubchannels(b)
		again, dataAgain := decodeSubchannels(to.encode(data))
		if cmp.Diff(again, to, cmpopts.EquateEmpty()) != "" || !bytes.Equal(data, dataAgain) {
			if bytes.Equal(to.encode(data), data) {
				return // what is in front of nothing may itself be such
			}
			t.Errorf("%+v and %d bytes, then %+v and %d", to, len(data), again, len(dataAgain))
		}
		if len(data) > len(b) {
			t.Errorf("%d bytes of %d", len(data), len(b))
		}
	})
}
