package loadtest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/mono"
)

// checks is the ICE part of a client: connectivity checks to one candidate as
// the controlling agent, which nominates with its first (the server is
// ICE-lite and has the same path in any case), and consent (RFC 7675).
type checks struct {
	// Constant after newChecks.
	username  string
	tieBreak  uint64
	integrity stun.MessageIntegrity

	// Guarded by the transport's mu.
	outstanding [stun.TransactionIDSize]byte
	sent        mono.Instant // of the outstanding one
	confirmed   mono.Instant // the last answer
	roundTrip   time.Duration
	connected   chan struct{} // closed by the first answer
	refusal     error         // of an error response
}

const (
	// checkInterval is shorter than a browser's, since hundreds of clients
	// join within a second and none is to wait for a lost check.
	checkInterval   = 100 * time.Millisecond
	consentInterval = 5 * time.Second
	consentTimeout  = 30 * time.Second

	// checkPriority is of a peer-reflexive candidate, RFC 8445 §7.1.1.
	checkPriority = 110<<24 | 65535<<8 | 255
)

func newChecks(server ICEParameters) *checks {
	return &checks{
		username:  server.UsernameFragment + ":" + rand.Text()[:8],
		tieBreak:  uint64(mono.Now()) * 0x9e3779b97f4a7c15,
		integrity: stun.NewShortTermIntegrity(server.Password),
		connected: make(chan struct{}),
	}
}

// request makes the next check (RFC 8445 §7.2.2).
func (c *checks) request(now mono.Instant) ([]byte, error) {
	m, err := stun.Build(stun.BindingRequest, stun.TransactionID,
		stun.NewUsername(c.username),
		attribute{stun.AttrPriority, binary.BigEndian.AppendUint32(nil, checkPriority)},
		attribute{stun.AttrICEControlling, binary.BigEndian.AppendUint64(nil, c.tieBreak)},
		attribute{stun.AttrUseCandidate, nil},
		c.integrity, stun.Fingerprint)
	if err != nil {
		return nil, fmt.Errorf("build a STUN request: %w", err)
	}
	c.outstanding, c.sent = m.TransactionID, now
	return m.Raw, nil
}

// receive takes in a STUN message. Only an authentic answer to the last check
// counts; a server that is ICE-lite sends none of its own.
func (c *checks) receive(datagram []byte, now mono.Instant) {
	m := stun.Message{Raw: append([]byte(nil), datagram...)}
	if m.Decode() != nil || m.TransactionID != c.outstanding {
		return
	}
	switch m.Type {
	case stun.BindingSuccess:
		if c.integrity.Check(&m) != nil {
			return
		}
		c.roundTrip = now.Sub(c.sent)
		if c.confirmed == 0 {
			close(c.connected)
		}
		c.confirmed = now
	case stun.BindingError:
		var code stun.ErrorCodeAttribute
		if code.GetFrom(&m) == nil {
			c.refusal = fmt.Errorf("the server refuses connectivity checks: %v", code)
		}
	}
}

// consentDue tells that a check should be sent to keep consent.
func (c *checks) consentDue(now mono.Instant) bool {
	return c.confirmed != 0 && now.Sub(c.sent) >= consentInterval
}

// consented tells that the server has answered recently.
func (c *checks) consented(now mono.Instant) bool {
	return c.confirmed != 0 && now.Sub(c.confirmed) < consentTimeout
}

// connectICE sends checks until one is answered.
func (t *transport) connectICE(ctx context.Context) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		if err := t.check(mono.Now()); err != nil {
			return err
		}
		select {
		case <-t.checks.connected:
			return nil
		case <-ctx.Done():
			t.mu.Lock()
			defer t.mu.Unlock()
			return errors.Join(fmt.Errorf("no answer to connectivity checks from %s: %w", t.conn.RemoteAddr(), ctx.Err()), t.checks.refusal)
		case <-ticker.C:
		}
	}
}

// check sends a connectivity check.
func (t *transport) check(now mono.Instant) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	request, err := t.checks.request(now)
	if err != nil {
		return err
	}
	t.writeLocked(request)
	return nil
}

// attribute is a STUN attribute with a fixed value.
type attribute struct {
	kind  stun.AttrType
	value []byte
}

// AddTo implements stun.Setter.
func (a attribute) AddTo(m *stun.Message) error {
	m.Add(a.kind, a.value)
	return nil
}
