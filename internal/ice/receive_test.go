package ice

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/pion/stun/v3"
)

func TestReceiveAnswersAnAuthenticatedCheck(t *testing.T) {
	for name, remote := range map[string]string{
		"IPv4":        "198.51.100.7:5000",
		"IPv6":        "[2001:db8::7]:5000",
		"mapped IPv4": "[::ffff:198.51.100.7]:5000",
	} {
		t.Run(name, func(t *testing.T) {
			a := NewAgent(Options{})
			from := tuple(remote)
			msg := request(t, a.Parameters())
			r := a.Receive(epoch, from, msg, []byte("before"))
			if r.Drop != DropNone || !r.TupleAdded || !r.SelectedChanged || !r.StateChanged {
				t.Errorf("result %+v", r)
			}
			reply, ok := bytes.CutPrefix(r.Reply, []byte("before"))
			if !ok {
				t.Fatalf("reply is not appended: %q", r.Reply)
			}
			m := parseReply(t, reply, msg)
			if m.Type != stun.BindingSuccess {
				t.Errorf("reply is %v", m.Type)
			}
			if err := stun.NewShortTermIntegrity(a.Parameters().Password).Check(m); err != nil {
				t.Errorf("MESSAGE-INTEGRITY of the reply: %v", err)
			}
			var mapped stun.XORMappedAddress
			if err := mapped.GetFrom(m); err != nil {
				t.Fatal(err)
			}
			got, _ := netip.AddrFromSlice(mapped.IP)
			if got != from.Remote.Addr().Unmap() || mapped.Port != 5000 {
				t.Errorf("mapped address %v, the check came from %v", mapped, from.Remote)
			}
			if len(reply) > len(msg) {
				t.Errorf("reply of %d bytes to a request of %d", len(reply), len(msg))
			}
		})
	}
}

func TestReceiveWritesTheReplyIntoTheGivenBuffer(t *testing.T) {
	a := NewAgent(Options{})
	buffer := make([]byte, 0, 200)
	r := a.Receive(epoch, tuple("198.51.100.7:5000"), request(t, a.Parameters()), buffer)
	if &r.Reply[0] != &buffer[:1][0] {
		t.Error("reply was copied although it has room")
	}
}

// corrupt returns msg with one bit of the byte at i flipped.
func corrupt(msg []byte, i int) []byte {
	c := slices.Clone(msg)
	c[i] ^= 1
	return c
}

func TestReceiveRefuses(t *testing.T) {
	a := NewAgent(Options{})
	p := a.Parameters()
	key := stun.NewShortTermIntegrity(p.Password)
	username := stun.NewUsername(p.UsernameFragment + ":remote")
	good := request(t, p)
	signed := func(setters ...stun.Setter) []byte {
		return build(t, slices.Concat([]stun.Setter{stun.TransactionID}, setters, []stun.Setter{key, stun.Fingerprint})...)
	}
	tests := []struct {
		name string
		msg  []byte
		drop DropReason
		code stun.ErrorCode // 0 for silence
	}{
		{"empty", nil, DropMalformed, 0},
		{"header cut short", good[:19], DropMalformed, 0},
		{"trailing byte", append(slices.Clone(good), 0, 0, 0, 0), DropMalformed, 0},
		{"cut short", good[:len(good)-4], DropMalformed, 0},
		{"wrong cookie", corrupt(good, 4), DropMalformed, 0},
		{"not STUN", corrupt(corrupt(good, 0), 4), DropMalformed, 0},
		{"attribute longer than the message", corrupt(good, 22), DropMalformed, 0},
		{"PRIORITY of two bytes", signed(stun.BindingRequest, username, attribute(stun.AttrPriority, 1, 2)), DropMalformed, 0},
		{"nomination of one byte", signed(stun.BindingRequest, username, attribute(attrNomination, 1)), DropMalformed, 0},
		{"integrity of four bytes", build(t, stun.TransactionID, stun.BindingRequest, username, attribute(stun.AttrMessageIntegrity, 1, 2, 3, 4)), DropMalformed, 0},
		{"wrong fingerprint", corrupt(good, len(good)-1), DropFingerprint, 0},
		{"fingerprint of two bytes", build(t, stun.TransactionID, stun.BindingRequest, username, key, attribute(stun.AttrFingerprint, 1, 2)), DropFingerprint, 0},
		{"fingerprint not last", build(t, stun.TransactionID, stun.BindingRequest, username, stun.Fingerprint, priority(1)), DropFingerprint, 0},
		{"success response", signed(stun.BindingSuccess, username), DropResponse, 0},
		{"error response", signed(stun.BindingError, username), DropResponse, 0},
		{"Allocate request", signed(stun.NewType(stun.MethodAllocate, stun.ClassRequest), username), DropMethod, 0},
		{"Send indication", signed(stun.NewType(stun.MethodSend, stun.ClassIndication)), DropMethod, 0},
		{"indication", signed(stun.NewType(stun.MethodBinding, stun.ClassIndication)), DropIndication, 0},
		{"no username", signed(stun.BindingRequest, priority(1), attribute(stun.AttrSoftware, make([]byte, 40)...)), DropUnauthenticated, stun.CodeBadRequest},
		{"no integrity", build(t, stun.TransactionID, stun.BindingRequest, username, stun.Fingerprint), DropUnauthenticated, stun.CodeBadRequest},
		{"bare request", build(t, stun.TransactionID, stun.BindingRequest), DropUnauthenticated, 0},
		{"other ufrag", request(t, Parameters{UsernameFragment: "somebody", Password: p.Password}), DropUsername, stun.CodeUnauthorized},
		{"prefix of our ufrag", request(t, Parameters{UsernameFragment: p.UsernameFragment[:8], Password: p.Password}), DropUsername, stun.CodeUnauthorized},
		{"username without colon", signed(stun.BindingRequest, stun.NewUsername(p.UsernameFragment)), DropUsername, stun.CodeUnauthorized},
		{"empty ufrag", signed(stun.BindingRequest, stun.NewUsername(":remote")), DropUsername, stun.CodeUnauthorized},
		{"other password", request(t, Parameters{UsernameFragment: p.UsernameFragment, Password: "guess"}), DropIntegrity, stun.CodeUnauthorized},
		{"empty password", request(t, Parameters{UsernameFragment: p.UsernameFragment}), DropIntegrity, stun.CodeUnauthorized},
		{"unknown attribute", request(t, p, attribute(0x7abc, 1), attribute(0x0042)), DropUnknownAttribute, stun.CodeUnknownAttribute},
		{"controlled peer", request(t, p, attribute(stun.AttrICEControlled, 9, 9, 9, 9, 9, 9, 9, 9)), DropRoleConflict, stun.CodeRoleConflict},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := slices.Clone(test.msg)
			r := a.Receive(epoch, tuple("198.51.100.7:5000"), test.msg, nil)
			if r.Drop != test.drop || r.TupleAdded || r.StateChanged || r.SelectedChanged {
				t.Errorf("result %+v, want drop %v and nothing else", r, test.drop)
			}
			if a.State() != StateNew || a.Valid(tuple("198.51.100.7:5000")) {
				t.Errorf("state %v", a.State())
			}
			if !bytes.Equal(before, test.msg) {
				t.Error("the request was written to")
			}
			if test.code == 0 {
				if len(r.Reply) > 0 {
					t.Errorf("reply %x, want silence", r.Reply)
				}
				return
			}
			m := parseReply(t, r.Reply, test.msg)
			if got := errorCode(t, m); got != test.code || m.Type != stun.BindingError {
				t.Errorf("%v with code %d, want %d", m.Type, got, test.code)
			}
			authenticated := test.drop == DropUnknownAttribute || test.drop == DropRoleConflict
			if m.Contains(stun.AttrMessageIntegrity) != authenticated {
				t.Errorf("reply is signed: %v, want %v", !authenticated, authenticated)
			}
			if authenticated && key.Check(m) != nil {
				t.Error("reply has a wrong MESSAGE-INTEGRITY")
			}
			if !authenticated && len(r.Reply) > len(test.msg) {
				t.Errorf("%d bytes to a stranger who sent %d", len(r.Reply), len(test.msg))
			}
		})
	}
}

func TestReceiveListsUnknownAttributes(t *testing.T) {
	a := NewAgent(Options{})
	msg := request(t, a.Parameters(), attribute(0x7abc, 1), attribute(0x8123, 2), attribute(0x0042))
	r := a.Receive(epoch, tuple("198.51.100.7:5000"), msg, nil)
	var unknown stun.UnknownAttributes
	if err := unknown.GetFrom(parseReply(t, r.Reply, msg)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(unknown, stun.UnknownAttributes{0x7abc, 0x0042}) {
		t.Errorf("unknown attributes %v", unknown)
	}
}

func TestReceiveAcceptsWhatBrowsersAdd(t *testing.T) {
	for name, more := range map[string][]stun.Setter{
		"network cost":   {number(0xC057, 0x0001_000A)},
		"software":       {stun.NewSoftware("libjingle")},
		"TURN leftovers": {attribute(stun.AttrRealm, 'r'), attribute(stun.AttrNonce, 'n')},
		"empty optional": {attribute(0xFFFF)},
		"two priorities": {priority(1)},
	} {
		t.Run(name, func(t *testing.T) {
			a := NewAgent(Options{})
			accepted(t, a, epoch, tuple("198.51.100.7:5000"), request(t, a.Parameters(), more...))
		})
	}
}

// RFC 8489 §14.6: a client may sign with both hashes; the second goes unread.
func TestReceiveAcceptsBothIntegrities(t *testing.T) {
	a := NewAgent(Options{})
	p := a.Parameters()
	accepted(t, a, epoch, tuple("198.51.100.7:5000"), build(t, stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(p.UsernameFragment+":x"), stun.NewShortTermIntegrity(p.Password),
		attribute(stun.AttrMessageIntegritySHA256, make([]byte, 32)...), stun.Fingerprint))
}

func TestReceiveNeedsNoFingerprintOrPriority(t *testing.T) {
	a := NewAgent(Options{})
	p := a.Parameters()
	accepted(t, a, epoch, tuple("198.51.100.7:5000"), build(t, stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(p.UsernameFragment+":x"), stun.NewShortTermIntegrity(p.Password)))
}

// RFC 8489 §14.5: what follows MESSAGE-INTEGRITY is not covered by it.
func TestReceiveIgnoresAttributesBehindTheIntegrity(t *testing.T) {
	a := NewAgent(Options{})
	p := a.Parameters()
	msg := build(t, stun.TransactionID, stun.BindingRequest, stun.NewUsername(p.UsernameFragment+":x"),
		stun.NewShortTermIntegrity(p.Password), useCandidate(), attribute(stun.AttrICEControlled, make([]byte, 8)...),
		attribute(0x7abc), stun.Fingerprint)
	accepted(t, a, epoch, tuple("198.51.100.7:5000"), msg)
	if a.State() != StateConnected {
		t.Errorf("state %v: an attribute that anybody can add nominated the tuple", a.State())
	}
}

func TestEveryBitOfACheckCounts(t *testing.T) {
	a := NewAgent(Options{})
	p := a.Parameters()
	key := stun.NewShortTermIntegrity(p.Password)
	good := build(t, stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(p.UsernameFragment+":remote"), controlling(), priority(1<<30), useCandidate(), key)
	for i := range good {
		for bit := range 8 {
			msg := slices.Clone(good)
			msg[i] ^= 1 << bit
			if r := a.Receive(epoch, tuple("198.51.100.7:5000"), msg, nil); r.Drop == DropNone {
				t.Fatalf("accepted with bit %d of byte %d flipped", bit, i)
			}
		}
	}
	accepted(t, a, epoch, tuple("198.51.100.7:5000"), good)
}

func TestCloseAnswersNothing(t *testing.T) {
	a := NewAgent(Options{})
	msg := request(t, a.Parameters())
	accepted(t, a, epoch, tuple("198.51.100.7:5000"), msg)
	a.Close()
	r := a.Receive(epoch, tuple("198.51.100.7:5000"), msg, nil)
	if r.Drop != DropClosed || len(r.Reply) > 0 || a.State() != StateClosed {
		t.Errorf("result %+v in state %v", r, a.State())
	}
	if _, ok := a.Selected(); ok || len(a.Tuples()) > 0 || a.Deadline() != 0 {
		t.Error("tuples survive Close")
	}
	if e := a.Expire(epoch * 2); e.StateChanged || len(e.Removed) > 0 {
		t.Errorf("expiry %+v", e)
	}
}

func TestDropReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range DropReasons {
		if name := r.String(); name == "" || seen[name] {
			t.Errorf("reason %d is called %q", r, name)
		} else {
			seen[name] = true
		}
	}
	if got := DropReasons.String(); got != "unknown" {
		t.Errorf("out of range: %q", got)
	}
}

func TestMaximalRequestsAreHarmless(t *testing.T) {
	a := NewAgent(Options{})
	// 16383 unknown attributes in one message, unauthenticated.
	msg := make([]byte, 20+65532)
	binary.BigEndian.PutUint16(msg, typeBindingRequest)
	binary.BigEndian.PutUint16(msg[2:], 65532)
	binary.BigEndian.PutUint32(msg[4:], magicCookie)
	for i := 20; i < len(msg); i += 4 {
		binary.BigEndian.PutUint16(msg[i:], 0x7000)
	}
	if r := a.Receive(epoch, tuple("198.51.100.7:5000"), msg, nil); r.Drop != DropUnauthenticated || len(r.Reply) > 100 {
		t.Errorf("drop %v with a reply of %d bytes", r.Drop, len(r.Reply))
	}
	if _, ok := LocalUfrag(msg); ok {
		t.Error("found a ufrag")
	}
}
