package room

import "github.com/takoserver/takos-call/internal/sfu"

// The SFU's methods use types of ice, dtls and bwe, packages that are none of
// this one's business. The functions here fill such values without naming their
// types.

// connect hands remote to the transport.
func connect(t *sfu.WebRTCTransport, remote DTLSParameters) error {
	p := t.DTLSParameters() // for its type
	setText(&p.Role, remote.Role)
	if remote.Role == "" {
		setText(&p.Role, "auto")
	}
	p.Fingerprints = grown(p.Fingerprints[:0:0], len(remote.Fingerprints))
	for i, f := range remote.Fingerprints {
		p.Fingerprints[i].Algorithm, p.Fingerprints[i].Value = f.Algorithm, f.Value
	}
	return t.Connect(p)
}

func setMaxIncomingBitrate[B number](set func(B) error, bitsPerSecond uint64) error {
	return set(B(bitsPerSecond))
}

type number interface {
	~int64 | ~uint64 | ~uint32 | ~int
}

func setNumber[N number](field *N, value uint64) { *field = N(value) }

func setText[T ~string](field *T, value string) { *field = T(value) }

// grown returns a fresh slice of n elements.
func grown[E any](s []E, n int) []E { return append(s, make([]E, n)...) }

// onState makes f the callback for a change of state.
func onState[S ~string](callback *func(S), f func(string)) {
	*callback = func(state S) { f(string(state)) }
}
