package auth

import (
	"fmt"
	"strings"
	"time"

	"github.com/takoserver/takos-call/internal/store"
)

// Invitation is a way into a room that may be passed on: whoever has it gets a
// token of their own.
type Invitation struct {
	RoomID   string   `json:"roomId"`
	CallType CallType `json:"callType"`
	Kind     CallKind `json:"kind"`
}

// Invitations are the invitations that are out.
type Invitations struct {
	bucket   *store.Bucket[Invitation]
	lifetime time.Duration
}

// InvitationOptions are the settings of Invitations. The zero value has good
// defaults.
type InvitationOptions struct {
	// Lifetime is how long an invitation is good, unless it is made with
	// another time; default 24 hours.
	Lifetime time.Duration
}

// NewInvitations returns the invitations kept in s.
func NewInvitations(s *store.Store, o InvitationOptions) (*Invitations, error) {
	if o.Lifetime <= 0 {
		o.Lifetime = 24 * time.Hour
	}
	bucket, err := store.NewBucket[Invitation](s, "invitations")
	if err != nil {
		return nil, fmt.Errorf("open the invitations: %w", err)
	}
	return &Invitations{bucket: bucket, lifetime: o.Lifetime}, nil
}

// Create makes an invitation that is good for lifetime, or for the default time
// if that is zero. It is on disk when Create returns.
func (v *Invitations) Create(to Invitation, lifetime time.Duration) (invitation string, expires time.Time, err error) {
	if lifetime <= 0 {
		lifetime = v.lifetime
	}
	invitation, expires = newSecret(), time.Now().Add(lifetime)
	if err := v.bucket.Put(hash(invitation), to, expires); err != nil {
		return "", time.Time{}, fmt.Errorf("keep an invitation: %w", err)
	}
	return invitation, expires, nil
}

// Check returns where the invitation leads. It may be used any number of times.
func (v *Invitations) Check(invitation string) (Invitation, error) {
	to, found, err := v.bucket.Get(hash(invitation))
	if err != nil {
		return Invitation{}, fmt.Errorf("look up an invitation: %w", err)
	}
	if !found {
		return Invitation{}, ErrInvitation
	}
	return to, nil
}

// InvitationURL is the page that takes an invitation. page is where the call page
// is: a URL, or a path of the server, whose origin is given too. That of a voice
// call says so, for the page is not to ask for a camera before it has asked the
// server what the invitation is for.
func InvitationURL(page, origin, invitation string, carries CallType) string {
	if !strings.Contains(page, "://") {
		page = origin + page
	}
	url := page + "/c/" + invitation
	if carries == AudioCall {
		url += "#voice"
	}
	return url
}

// Revoke makes the invitation worthless; tokens that were given for it stay
// good. allowed is as for Tokens.Revoke.
func (v *Invitations) Revoke(invitation string, allowed func(Invitation) error) error {
	to, err := v.Check(invitation)
	if err != nil {
		return err
	}
	if allowed != nil {
		if err := allowed(to); err != nil {
			return err
		}
	}
	found, err := v.bucket.Delete(hash(invitation))
	if err != nil {
		return fmt.Errorf("revoke an invitation: %w", err)
	}
	if !found {
		return ErrInvitation
	}
	return nil
}
