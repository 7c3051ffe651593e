package ice

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/mono"
)

// epoch is when virtual time begins in these tests; Instant 0 means "never".
const epoch = mono.Instant(time.Hour)

var (
	localV4  = netip.MustParseAddrPort("192.0.2.1:44444")
	localV4b = netip.MustParseAddrPort("203.0.113.1:44444")
	localV6  = netip.MustParseAddrPort("[2001:db8::1]:44444")
)

// tuple is a UDP path from our IPv4 address to the given remote.
func tuple(remote string) Tuple {
	return Tuple{Local: localV4, Remote: netip.MustParseAddrPort(remote)}
}

// constantReader is a source of randomness that has none, for credentials that a
// fuzz corpus can contain.
type constantReader byte

func (r constantReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

// attribute is a STUN setter made of a type and a value.
func attribute(t stun.AttrType, value ...byte) stun.Setter {
	return stun.RawAttribute{Type: t, Value: value}
}

func number(t stun.AttrType, v uint32) stun.Setter {
	return attribute(t, binary.BigEndian.AppendUint32(nil, v)...)
}

func controlling() stun.Setter { return attribute(stun.AttrICEControlling, 1, 2, 3, 4, 5, 6, 7, 8) }
func useCandidate() stun.Setter {
	return attribute(stun.AttrUseCandidate)
}
func priority(v uint32) stun.Setter { return number(stun.AttrPriority, v) }

// request builds a Binding request for the holder of p that carries the attributes
// of a browser's check and then more, signed and with a fingerprint.
func request(t testing.TB, p Parameters, more ...stun.Setter) []byte {
	t.Helper()
	setters := append([]stun.Setter{
		stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(p.UsernameFragment + ":remote"),
		controlling(), priority(1 << 30),
	}, more...)
	return build(t, append(setters, stun.NewShortTermIntegrity(p.Password), stun.Fingerprint)...)
}

func build(t testing.TB, setters ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatalf("build a STUN message: %v", err)
	}
	return m.Raw
}

// parseReply decodes what the agent answered and checks what every answer must have.
func parseReply(t *testing.T, reply, request []byte) *stun.Message {
	t.Helper()
	m := new(stun.Message)
	if err := stun.Decode(reply, m); err != nil {
		t.Fatalf("decode the reply: %v", err)
	}
	if err := stun.Fingerprint.Check(m); err != nil {
		t.Errorf("FINGERPRINT of the reply: %v", err)
	}
	if string(m.TransactionID[:]) != string(request[8:20]) {
		t.Errorf("transaction id %x does not answer %x", m.TransactionID, request[8:20])
	}
	return m
}

func errorCode(t *testing.T, m *stun.Message) stun.ErrorCode {
	t.Helper()
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(m); err != nil {
		t.Fatalf("ERROR-CODE of the reply: %v", err)
	}
	return code.Code
}

// accepted passes a check to the agent and fails unless it is accepted.
func accepted(t *testing.T, a *Agent, now mono.Instant, from Tuple, msg []byte) Result {
	t.Helper()
	r := a.Receive(now, from, msg, nil)
	if r.Drop != DropNone {
		t.Fatalf("check from %v dropped: %v", from.Remote, r.Drop)
	}
	return r
}

func selected(t *testing.T, a *Agent) Tuple {
	t.Helper()
	s, ok := a.Selected()
	if !ok {
		t.Fatal("no tuple is selected")
	}
	return s
}
