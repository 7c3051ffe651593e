// Package auth decides who may do what: API keys with their scopes, lists of
// addresses, tokens that let one user into one call, and invitations that are
// exchanged for tokens.
//
// It knows no HTTP beyond reading a request's address and key, no rooms and no
// users: a room id and a user id are strings that the caller vouches for.
// Secrets are kept as SHA-256 hashes, compared in constant time and never part
// of an error or a log.
//
// All methods may be called from any goroutine.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// Errors of tokens and invitations. The server never says which of "never
// existed", "expired" and "revoked" it was.
var (
	// ErrToken means that the token opens nothing.
	ErrToken = errors.New("the token is wrong, expired or revoked")
	// ErrInvitation means that the invitation leads nowhere.
	ErrInvitation = errors.New("the invitation is wrong, expired or revoked")
)

// CallType is what a call carries.
type CallType string

// The call types.
const (
	AudioCall CallType = "audio"
	VideoCall CallType = "video"
)

// CallKind is how a call ends: a friend call with the first who hangs up, a
// group call with the last.
type CallKind string

// The kinds of call.
const (
	FriendCall CallKind = "friend"
	GroupCall  CallKind = "group"
)

// secretBytes is the length of what tokens and invitations are made of: 256
// bits, which nobody guesses.
const secretBytes = 32

// newSecret returns a fresh secret in a form that fits into a URL.
func newSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hash is what is stored of a secret. A plain hash is enough, since the secrets
// are long and random.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
