package auth

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestInvitationIsGoodUntilItExpiresOrIsRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		invitations, err := NewInvitations(openStore(t, ""), InvitationOptions{})
		must(t, err)
		to := Invitation{RoomID: "room", CallType: VideoCall, Kind: GroupCall}
		first, expires, err := invitations.Create(to, 0)
		must(t, err)
		if !expires.Equal(time.Now().Add(24 * time.Hour)) {
			t.Errorf("expires %v", expires)
		}
		second, _, err := invitations.Create(to, time.Hour)
		must(t, err)
		for range 3 { // as often as people come
			if got, err := invitations.Check(first); got != to || err != nil {
				t.Errorf("Check = %v, %v", got, err)
			}
		}
		time.Sleep(time.Hour)
		if _, err := invitations.Check(second); !errors.Is(err, ErrInvitation) {
			t.Errorf("after its time: %v", err)
		}
		no := errors.New("no")
		if err := invitations.Revoke(first, func(v Invitation) error {
			if v != to {
				t.Errorf("asked about %v", v)
			}
			return no
		}); err != no {
			t.Errorf("Revoke = %v", err)
		}
		must(t, invitations.Revoke(first, nil))
		if _, err := invitations.Check(first); !errors.Is(err, ErrInvitation) {
			t.Errorf("after revocation: %v", err)
		}
		if err := invitations.Revoke(first, nil); !errors.Is(err, ErrInvitation) {
			t.Errorf("the second time: %v", err)
		}
	})
}
