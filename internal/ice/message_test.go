package ice

import (
	"testing"

	"github.com/pion/stun/v3"
)

func TestLocalUfrag(t *testing.T) {
	username := func(s string) []byte {
		return build(t, stun.TransactionID, stun.BindingRequest, priority(7), stun.NewUsername(s))
	}
	truncated := username("abc:def")
	truncated[len(truncated)-10]++ // USERNAME claims more than is there
	tests := []struct {
		name  string
		msg   []byte
		ufrag string
		ok    bool
	}{
		{"plain", username("abcd:efgh"), "abcd", true},
		{"padded", username("abcde:f"), "abcde", true},
		{"empty remote half", username("abcd:"), "abcd", true},
		{"two colons", username("ab:cd:ef"), "ab", true},
		{"no colon", username("abcd"), "", false},
		{"empty local half", username(":efgh"), "", false},
		{"no username", build(t, stun.TransactionID, stun.BindingRequest, priority(7)), "", false},
		{"response", build(t, stun.TransactionID, stun.BindingSuccess, stun.NewUsername("a:b")), "", false},
		{"indication", build(t, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.NewUsername("a:b")), "", false},
		{"attribute beyond the end", truncated, "", false},
		{"empty", nil, "", false},
		{"RTP", []byte{0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ufrag, ok := LocalUfrag(test.msg)
			if ok != test.ok || (ok && ufrag != test.ufrag) {
				t.Errorf("LocalUfrag = %q, %v; want %q, %v", ufrag, ok, test.ufrag, test.ok)
			}
		})
	}
}

func TestLocalUfragAllocatesAtMostTheString(t *testing.T) {
	msg := request(t, Parameters{UsernameFragment: "abcdefghijklmnopqrstuvwxyzabcdefghi", Password: "p"})
	var n int
	allocs := testing.AllocsPerRun(100, func() {
		u, _ := LocalUfrag(msg)
		n += len(u)
	})
	if allocs > 1 || n == 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestIsMessageAndIsRequest(t *testing.T) {
	good := build(t, stun.TransactionID, stun.BindingRequest)
	indication := build(t, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication))
	tests := []struct {
		name             string
		msg              []byte
		message, request bool
	}{
		{"request", good, true, true},
		{"indication", indication, true, false},
		{"short", good[:19], false, false},
		{"longer than its length", append(good[:20:20], 0, 0, 0, 0), false, false},
		{"length not of words", append(corrupt(good, 3), 0), false, false},
		{"cookie", corrupt(good, 7), false, false},
		{"top bits", append([]byte{0x80}, good[1:]...), false, false},
		{"nothing", nil, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := IsMessage(test.msg); got != test.message {
				t.Errorf("IsMessage = %v", got)
			}
			if got := IsRequest(test.msg); got != test.request {
				t.Errorf("IsRequest = %v", got)
			}
		})
	}
}

func FuzzLocalUfrag(f *testing.F) {
	f.Add([]byte{})
	f.Add(build(f, stun.TransactionID, stun.BindingRequest, stun.NewUsername("abcd:efgh"), stun.Fingerprint))
	f.Add(request(f, Parameters{UsernameFragment: "abcd", Password: "secret"}, useCandidate()))
	f.Add(build(f, stun.TransactionID, stun.BindingRequest, attribute(stun.AttrSoftware, 1, 2, 3)))
	f.Fuzz(func(t *testing.T, msg []byte) {
		ufrag, ok := LocalUfrag(msg)
		if !ok {
			return
		}
		// Whatever is found must be what the full parser finds.
		m := new(stun.Message)
		if err := stun.Decode(msg, m); err != nil {
			return // malformed behind the USERNAME
		}
		username, err := m.Get(stun.AttrUsername)
		if err != nil || ufrag == "" || string(username[:len(ufrag)+1]) != ufrag+":" {
			t.Errorf("LocalUfrag = %q, USERNAME %q (%v)", ufrag, username, err)
		}
	})
}

func FuzzAgentReceive(f *testing.F) {
	options := Options{Rand: constantReader(3), UfragPrefix: "f"}
	p := NewAgent(options).Parameters()
	f.Add([]byte{}, false)
	f.Add(request(f, p), true)
	f.Add(request(f, p, useCandidate(), number(attrNomination, 7)), false)
	f.Add(request(f, p, attribute(0x7abc, 1)), false)
	f.Add(request(f, Parameters{UsernameFragment: p.UsernameFragment}), true)
	f.Add(build(f, stun.TransactionID, stun.BindingRequest), false)
	f.Add(build(f, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication)), false)
	f.Fuzz(func(t *testing.T, msg []byte, connected bool) {
		a := NewAgent(options)
		if connected {
			accepted(t, a, epoch, tuple("198.51.100.8:1"), request(t, p))
		}
		from := tuple("198.51.100.7:5000")
		r := a.Receive(epoch, from, msg, nil)
		if (r.Drop == DropNone) != a.Valid(from) {
			t.Errorf("drop %v, valid %v", r.Drop, a.Valid(from))
		}
		if len(r.Reply) > 0 {
			if !IsMessage(r.Reply) || !IsMessage(msg) {
				t.Errorf("reply %x to %x", r.Reply, msg)
			}
			m := new(stun.Message)
			if err := stun.Decode(r.Reply, m); err != nil || stun.Fingerprint.Check(m) != nil {
				t.Errorf("reply %x: %v", r.Reply, err)
			}
			if !m.Contains(stun.AttrMessageIntegrity) && len(r.Reply) > len(msg) {
				t.Errorf("%d bytes for %d", len(r.Reply), len(msg))
			}
		}
		if r.Drop != DropNone && !connected && a.State() != StateNew {
			t.Errorf("dropped for %v, but state %v", r.Drop, a.State())
		}
	})
}
