package auth

import (
	"fmt"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/store"
)

// Grant is what a token or an invitation stands for.
type Grant struct {
	RoomID string `json:"roomId"`
	// UserID becomes the peer id; name@domain.
	UserID      string   `json:"userId"`
	DisplayName string   `json:"displayName,omitempty"`
	CallType    CallType `json:"callType"`
	Kind        CallKind `json:"kind"`
	// Host may remove and mute others, whoever opened the room.
	Host bool `json:"host,omitempty"`
}

// TokenOptions are the settings of Tokens. The zero value has good defaults.
type TokenOptions struct {
	// FirstUse is how long a token may stay unused, unless it is made with
	// another time; default 2 minutes. After a restart of the server a token
	// that had been used is good for as long again.
	FirstUse time.Duration
}

// Tokens are the call tokens. A token that has been used stays good for its
// user until its call has ended (EndCall) or it is revoked.
type Tokens struct {
	bucket   *store.Bucket[tokenRecord]
	firstUse time.Duration

	mu      sync.Mutex
	used    map[string]map[string]struct{} // guarded by mu: room id to hashes
	revoked []func(TokenID)                // guarded by mu
}

// TokenID names a token without being one.
type TokenID string

type tokenRecord struct {
	Grant Grant `json:"grant"`
	Used  bool  `json:"used,omitempty"`
}

// NewTokens returns the tokens kept in s.
func NewTokens(s *store.Store, o TokenOptions) (*Tokens, error) {
	if o.FirstUse <= 0 {
		o.FirstUse = 2 * time.Minute
	}
	bucket, err := store.NewBucket[tokenRecord](s, "tokens")
	if err != nil {
		return nil, fmt.Errorf("open the call tokens: %w", err)
	}
	t := &Tokens{bucket: bucket, firstUse: o.FirstUse, used: make(map[string]map[string]struct{})}
	if err := t.survive(); err != nil {
		return nil, fmt.Errorf("take over the call tokens of the last run: %w", err)
	}
	return t, nil
}

// survive gives the users of calls that a restart has cut off their chance to
// come back. Their tokens would otherwise stay for ever, as nobody ends a call
// that never comes to life again.
func (t *Tokens) survive() error {
	return t.bucket.UpdateAll(func(_ string, record tokenRecord) (tokenRecord, time.Time, bool) {
		return record, time.Now().Add(t.firstUse), record.Used
	})
}

// Create makes a token that is good for firstUse, or for the default time if
// that is zero. It is on disk when Create returns.
func (t *Tokens) Create(grant Grant, firstUse time.Duration) (token string, expires time.Time, err error) {
	if firstUse <= 0 {
		firstUse = t.firstUse
	}
	token, expires = newSecret(), time.Now().Add(firstUse)
	if err := t.bucket.Put(hash(token), tokenRecord{Grant: grant}, expires); err != nil {
		return "", time.Time{}, fmt.Errorf("keep a call token: %w", err)
	}
	return token, expires, nil
}

// Check returns what the token stands for without using it.
func (t *Tokens) Check(token string) (Grant, error) {
	record, found, err := t.bucket.Get(hash(token))
	if err != nil {
		return Grant{}, fmt.Errorf("look up a call token: %w", err)
	}
	if !found {
		return Grant{}, ErrToken
	}
	return record.Grant, nil
}

// Redeem is Check by the user who now enters the call: from here on the token
// is good for as long as the call lives.
func (t *Tokens) Redeem(token string) (Grant, TokenID, error) {
	key := hash(token)
	var grant Grant
	found, err := t.bucket.Update(key, func(record tokenRecord) (tokenRecord, time.Time, error) {
		grant, record.Used = record.Grant, true
		return record, time.Time{}, nil
	})
	if err != nil {
		return Grant{}, "", fmt.Errorf("redeem a call token: %w", err)
	}
	if !found {
		return Grant{}, "", ErrToken
	}
	t.mu.Lock()
	if t.used[grant.RoomID] == nil {
		t.used[grant.RoomID] = make(map[string]struct{})
	}
	t.used[grant.RoomID][key] = struct{}{}
	t.mu.Unlock()
	return grant, TokenID(key), nil
}

// Good reports whether a token that was redeemed has not become worthless since.
func (t *Tokens) Good(id TokenID) (bool, error) {
	_, found, err := t.bucket.Get(string(id))
	if err != nil {
		return false, fmt.Errorf("look up a call token: %w", err)
	}
	return found, nil
}

// Ended are the tokens of a call that is over.
type Ended struct {
	bucket *store.Bucket[tokenRecord]
	keys   []string
}

// EndCall returns the tokens with which people came into the room's call up to
// now. It does not wait for the disk; Forget does. Tokens that have not been used
// yet are not among them: they may begin a new call.
func (t *Tokens) EndCall(roomID string) Ended {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := Ended{bucket: t.bucket}
	for key := range t.used[roomID] {
		e.keys = append(e.keys, key)
	}
	delete(t.used, roomID)
	return e
}

// Forget makes the tokens worthless.
func (e Ended) Forget() error {
	if err := e.bucket.DeleteAll(e.keys); err != nil {
		return fmt.Errorf("forget the call tokens of an ended call: %w", err)
	}
	return nil
}

// Discard makes the token worthless with which somebody came into the room, who
// is not to come again with it.
func (t *Tokens) Discard(roomID string, id TokenID) error {
	t.mu.Lock()
	delete(t.used[roomID], string(id))
	t.mu.Unlock()
	if _, err := t.bucket.Delete(string(id)); err != nil {
		return fmt.Errorf("discard a call token: %w", err)
	}
	return nil
}

// Revoke makes the token worthless and tells those who watch. allowed is asked
// first, so that a key only revokes what it could have made; it may be nil.
func (t *Tokens) Revoke(token string, allowed func(Grant) error) error {
	key := hash(token)
	record, found, err := t.bucket.Get(key)
	if err == nil && !found {
		return ErrToken
	}
	if err == nil && allowed != nil {
		if err := allowed(record.Grant); err != nil {
			return err
		}
	}
	if err == nil {
		_, err = t.bucket.Delete(key)
	}
	if err != nil {
		return fmt.Errorf("revoke a call token: %w", err)
	}
	t.mu.Lock()
	delete(t.used[record.Grant.RoomID], key)
	watchers := t.revoked
	t.mu.Unlock()
	for _, tell := range watchers {
		tell(TokenID(key))
	}
	return nil
}

// OnRevoke calls f for each token that is revoked from now on, after it has
// become worthless.
func (t *Tokens) OnRevoke(f func(TokenID)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revoked = append(t.revoked, f)
}
