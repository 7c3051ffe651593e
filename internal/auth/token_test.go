package auth

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/takoserver/takos-call/internal/store"
)

var alice = Grant{RoomID: "room", UserID: "alice@example.com", CallType: VideoCall, Kind: GroupCall}

func openTokens(t *testing.T, s *store.Store) *Tokens {
	t.Helper()
	tokens, err := NewTokens(s, TokenOptions{})
	must(t, err)
	return tokens
}

func create(t *testing.T, tokens *Tokens, g Grant) string {
	t.Helper()
	token, _, err := tokens.Create(g, 0)
	must(t, err)
	return token
}

func TestTokenStandsForItsGrant(t *testing.T) {
	tokens := openTokens(t, openStore(t, ""))
	g := Grant{RoomID: "r", UserID: "u@d", DisplayName: "U", CallType: AudioCall, Kind: FriendCall, Host: true}
	token := create(t, tokens, g)
	if got, err := tokens.Check(token); got != g || err != nil {
		t.Errorf("Check = %v, %v", got, err)
	}
	got, id, err := tokens.Redeem(token)
	if got != g || err != nil || id == "" || string(id) == token {
		t.Errorf("Redeem = %v, %q, %v", got, id, err)
	}
	for _, wrong := range []string{"", token[1:], token + "A", string(id)} {
		if _, err := tokens.Check(wrong); !errors.Is(err, ErrToken) {
			t.Errorf("Check(%q): %v", wrong, err)
		}
		if _, _, err := tokens.Redeem(wrong); !errors.Is(err, ErrToken) {
			t.Errorf("Redeem(%q): %v", wrong, err)
		}
	}
}

func TestUnusedTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := openTokens(t, openStore(t, ""))
		token, expires, err := tokens.Create(alice, 0)
		must(t, err)
		if want := time.Now().Add(2 * time.Minute); !expires.Equal(want) {
			t.Errorf("expires %v, want %v", expires, want)
		}
		longer, _, err := tokens.Create(alice, time.Hour)
		must(t, err)
		time.Sleep(2*time.Minute - time.Nanosecond)
		if _, err := tokens.Check(token); err != nil {
			t.Errorf("before its time: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, _, err := tokens.Redeem(token); !errors.Is(err, ErrToken) {
			t.Errorf("after its time: %v", err)
		}
		if _, err := tokens.Check(longer); err != nil {
			t.Errorf("one made for an hour: %v", err)
		}
	})
}

func TestUsedTokenLivesAsLongAsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := openTokens(t, openStore(t, ""))
		used, elsewhere := create(t, tokens, alice), create(t, tokens, Grant{RoomID: "other"})
		_, _, err := tokens.Redeem(elsewhere)
		must(t, err)
		for range 3 { // a user may come back
			_, _, err := tokens.Redeem(used)
			must(t, err)
			time.Sleep(48 * time.Hour)
		}
		if _, err := tokens.Check(used); err != nil {
			t.Errorf("after days of calling: %v", err)
		}
		fresh := create(t, tokens, alice)
		must(t, tokens.EndCall("room").Forget())
		if _, err := tokens.Check(used); !errors.Is(err, ErrToken) {
			t.Errorf("after the call: %v", err)
		}
		if _, err := tokens.Check(fresh); err != nil {
			t.Errorf("an unused one after the call: %v", err)
		}
		if _, err := tokens.Check(elsewhere); err != nil {
			t.Errorf("one of another call: %v", err)
		}
	})
}

func TestTokenUsedAfterTheEndBelongsToTheNextCall(t *testing.T) {
	tokens := openTokens(t, openStore(t, ""))
	token := create(t, tokens, alice)
	ended := tokens.EndCall("room")
	_, _, err := tokens.Redeem(token)
	must(t, err)
	must(t, ended.Forget())
	if _, err := tokens.Check(token); err != nil {
		t.Errorf("forgotten with the call before: %v", err)
	}
}

func TestRevokedTokenIsWorthlessAndTold(t *testing.T) {
	tokens := openTokens(t, openStore(t, ""))
	var told []TokenID
	tokens.OnRevoke(func(id TokenID) { told = append(told, id) })
	token := create(t, tokens, alice)
	_, id, err := tokens.Redeem(token)
	must(t, err)

	no := errors.New("no")
	if err := tokens.Revoke(token, func(g Grant) error {
		if g != alice {
			t.Errorf("asked about %v", g)
		}
		return no
	}); err != no {
		t.Errorf("Revoke = %v", err)
	}
	if _, err := tokens.Check(token); err != nil || told != nil {
		t.Errorf("after a refused revocation: %v, told %v", err, told)
	}
	must(t, tokens.Revoke(token, nil))
	if _, err := tokens.Check(token); !errors.Is(err, ErrToken) {
		t.Errorf("after revocation: %v", err)
	}
	if len(told) != 1 || told[0] != id {
		t.Errorf("told %v, want %v", told, id)
	}
	if err := tokens.Revoke(token, nil); !errors.Is(err, ErrToken) {
		t.Errorf("the second time: %v", err)
	}
}

func TestUsedTokensHaveAMomentAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, path)
		tokens := openTokens(t, s)
		used, late := create(t, tokens, alice), create(t, tokens, alice)
		for _, token := range []string{used, late} {
			_, _, err := tokens.Redeem(token)
			must(t, err)
		}
		time.Sleep(24 * time.Hour)
		must(t, s.Close())

		tokens = openTokens(t, openStore(t, path))
		time.Sleep(time.Minute)
		if _, _, err := tokens.Redeem(used); err != nil {
			t.Errorf("a minute after the restart: %v", err)
		}
		time.Sleep(time.Minute)
		if _, _, err := tokens.Redeem(late); !errors.Is(err, ErrToken) {
			t.Errorf("two minutes after the restart: %v", err)
		}
		if _, err := tokens.Check(used); err != nil {
			t.Errorf("the one who came back in time: %v", err)
		}
	})
}

func TestNothingSecretIsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := openStore(t, path)
	tokens := openTokens(t, s)
	invitations, err := NewInvitations(s, InvitationOptions{})
	must(t, err)
	token := create(t, tokens, alice)
	invitation, _, err := invitations.Create(Invitation{RoomID: "room"}, 0)
	must(t, err)
	must(t, s.Close())
	content, err := os.ReadFile(path)
	must(t, err)
	for _, secret := range []string{token, invitation} {
		if bytes.Contains(content, []byte(secret)) {
			t.Error("a secret is on disk")
		}
	}
	if !bytes.Contains(content, []byte("alice@example.com")) {
		t.Error("this test reads the wrong file")
	}
}

func TestFailingStoreIsNotAWrongToken(t *testing.T) {
	s := openStore(t, "")
	tokens := openTokens(t, s)
	invitations, err := NewInvitations(s, InvitationOptions{})
	must(t, err)
	must(t, s.Close())
	_, checked := tokens.Check("x")
	_, _, redeemed := tokens.Redeem("x")
	_, invited := invitations.Check("x")
	_, _, created := tokens.Create(alice, 0)
	_, _, made := invitations.Create(Invitation{}, 0)
	for i, err := range []error{
		checked, redeemed, invited, created, made,
		tokens.Revoke("x", nil), invitations.Revoke("x", nil), Ended{tokens.bucket, []string{"x"}}.Forget(),
	} {
		if !errors.Is(err, store.ErrClosed) || errors.Is(err, ErrToken) || errors.Is(err, ErrInvitation) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := NewTokens(s, TokenOptions{}); err == nil {
		t.Error("tokens from a closed store")
	}
	if _, err := NewInvitations(s, InvitationOptions{}); err == nil {
		t.Error("invitations from a closed store")
	}
}
