package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Scope is what a key allows. The zero value allows everything.
type Scope struct {
	// RoomPrefix limits the key to rooms whose id begins with it.
	RoomPrefix string
	// ReadOnly limits the key to commands that change nothing.
	ReadOnly bool
}

// AllowsRoom reports whether the scope covers the room.
func (s Scope) AllowsRoom(roomID string) bool { return strings.HasPrefix(roomID, s.RoomPrefix) }

// Key is an API key as it is configured.
type Key struct {
	// Name tells keys apart in logs and is not secret.
	Name   string
	Secret string
	Scope  Scope
}

// Keys are the valid API keys. Several may be valid at once, so that a key can be
// changed without a moment in which nobody gets in.
type Keys struct {
	keys []hashedKey
}

type hashedKey struct {
	sum   [sha256.Size]byte
	name  string
	scope Scope
}

// NewKeys returns the set of these keys. Keys with an empty secret are left out.
func NewKeys(keys ...Key) *Keys {
	set := &Keys{}
	for _, key := range keys {
		if key.Secret != "" {
			set.keys = append(set.keys, hashedKey{sha256.Sum256([]byte(key.Secret)), key.Name, key.Scope})
		}
	}
	return set
}

// Empty reports whether no key is set, in which case nobody gets in with one.
func (k *Keys) Empty() bool { return k == nil || len(k.keys) == 0 }

// NoKeys is what somebody is told whom no key lets in, for want of any. It is
// for the operator, who has just started the server.
const NoKeys = "the server has no API key: set API_KEY and start it again"

// Access is what an accepted key stands for.
type Access struct {
	KeyName string
	Scope   Scope
}

// Check returns what the secret gives access to. The time it takes depends
// neither on the secret nor on which of the keys it is.
func (k *Keys) Check(secret string) (Access, bool) {
	if k.Empty() {
		return Access{}, false
	}
	sum := sha256.Sum256([]byte(secret))
	found := -1
	for i := range k.keys {
		equal := subtle.ConstantTimeCompare(sum[:], k.keys[i].sum[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	if found < 0 {
		return Access{}, false
	}
	return Access{KeyName: k.keys[found].name, Scope: k.keys[found].scope}, true
}

// RequestKey returns the API key that a request carries: the header api-key, an
// Authorization of type Bearer, or the query parameter api_key, which is all
// that a browser's WebSocket can send.
func RequestKey(r *http.Request) string {
	if key := r.Header.Get("Api-Key"); key != "" {
		return key
	}
	scheme, key, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return r.URL.Query().Get("api_key")
}
