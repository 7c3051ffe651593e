package ice

import (
	"crypto/rand"
	"io"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// DefaultConsentTimeout is how long a tuple lives after its last authenticated
// check (RFC 7675 §5.1). Browsers check every few seconds.
const DefaultConsentTimeout = 30 * time.Second

// Options of an Agent. The zero value is ready for use.
type Options struct {
	// UfragPrefix begins every username fragment of the agent, so that a node or a
	// worker can be told from a check without a lookup. It must consist of ice-chars
	// (ALPHA / DIGIT / "+" / "/", RFC 8839 §5.4).
	UfragPrefix string
	// ConsentTimeout is DefaultConsentTimeout when 0; a negative one never ends.
	ConsentTimeout time.Duration
	// Rand is the source of credentials, crypto/rand when nil. It must not fail.
	Rand io.Reader
}

// Agent is the lite agent of one transport with one component.
type Agent struct {
	// Constant after NewAgent.
	prefix         string
	consentTimeout time.Duration
	rand           io.Reader

	state   State
	current credentials
	// previous are the credentials in use before Restart. They stay valid until the
	// first check with the current ones, because a restart must not interrupt media;
	// empty when no restart is pending.
	previous credentials

	tuples   table
	selected *path // nil, or a path in tuples
	// nomination is the highest renomination counter obeyed so far.
	nomination uint32
}

// credentials are a username fragment and password. RFC 8445 §5.3 asks for 24 and
// 128 bits of randomness; both have the length that mediasoup gives them.
type credentials struct {
	ufrag, password string
}

const (
	ufragSize    = 32 // without the prefix
	passwordSize = 32
)

// NewAgent returns an agent in state "new" with fresh credentials.
func NewAgent(o Options) *Agent {
	a := &Agent{
		prefix:         o.UfragPrefix,
		consentTimeout: o.ConsentTimeout,
		rand:           o.Rand,
		state:          StateNew,
	}
	if a.consentTimeout == 0 {
		a.consentTimeout = DefaultConsentTimeout
	}
	if a.rand == nil {
		a.rand = rand.Reader
	}
	a.current = a.newCredentials()
	return a
}

func (a *Agent) newCredentials() credentials {
	return credentials{
		ufrag:    a.prefix + randomChars(a.rand, ufragSize),
		password: randomChars(a.rand, passwordSize),
	}
}

// randomChars returns n random ice-chars. The alphabet has 32 letters so that a
// byte maps to one without bias; 5 bits each.
func randomChars(source io.Reader, n int) string {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	b := make([]byte, n)
	if _, err := io.ReadFull(source, b); err != nil {
		panic("ice: the source of randomness failed: " + err.Error())
	}
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b)
}

// Parameters returns the current credentials for the remote peer.
func (a *Agent) Parameters() Parameters {
	return Parameters{UsernameFragment: a.current.ufrag, Password: a.current.password, ICELite: true}
}

// Restart makes new credentials and returns them (RFC 8445 §9). Tuples, state and
// media stay as they are; the credentials that were in use stay valid until the
// first authenticated check with the new ones, when Result.RetiredUfrag names them.
// When an earlier restart is still pending, its unused credentials end at once:
// compare Ufrags before and after.
func (a *Agent) Restart() Parameters {
	if a.previous == (credentials{}) {
		a.previous = a.current
	}
	a.current = a.newCredentials()
	return a.Parameters()
}

// HasUfrag reports whether checks addressed to u are for this agent.
func (a *Agent) HasUfrag(u string) bool {
	return u == a.current.ufrag || (u == a.previous.ufrag && u != "")
}

// Ufrags returns the username fragments that are valid now, the current one first.
func (a *Agent) Ufrags() []string {
	if a.previous == (credentials{}) {
		return []string{a.current.ufrag}
	}
	return []string{a.current.ufrag, a.previous.ufrag}
}

// State returns the state after the last Receive, Expire or Close.
func (a *Agent) State() State { return a.state }

// Selected returns the tuple that media is to be sent to.
func (a *Agent) Selected() (Tuple, bool) {
	if a.selected == nil {
		return Tuple{}, false
	}
	return a.selected.tuple, true
}

// Valid reports whether t has been authenticated by a check and has not expired.
// Only a valid tuple may carry DTLS, SRTP or SRTCP.
func (a *Agent) Valid(t Tuple) bool { return a.tuples.find(t) != nil }

// Tuples returns the valid tuples, in no particular order.
func (a *Agent) Tuples() []Tuple { return a.tuples.list() }

// Touch notes that authenticated media arrived from t. It is evidence that the path
// works, and keeps another tuple from being preferred, but it is not consent:
// RFC 7675 §5.1 accepts only checks, since SRTP alone does not prove that the peer
// still wants to receive. Calling it once a second per tuple is enough.
func (a *Agent) Touch(now mono.Instant, t Tuple) {
	if p := a.tuples.find(t); p != nil {
		p.active = now
	}
}

// Close forgets all tuples and answers nothing from now on.
func (a *Agent) Close() {
	a.state = StateClosed
	a.selected = nil
	a.tuples = table{}
}
