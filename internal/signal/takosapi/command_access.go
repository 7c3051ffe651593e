package takosapi

import (
	"time"

	"github.com/google/uuid"

	"github.com/takoserver/takos-call/internal/auth"
)

var accessCommands = []command{
	creates(define("createToken", "Makes a token with which one user enters one call through the call endpoint.", createToken)),
	define("revokeToken", "Makes a token worthless and ends the session that was opened with it.", revokeToken, TokenNotFound),
	creates(define("createInvitation", "Makes an invitation, which people pass on and each exchanges for a token of their own.", createInvitation)),
	define("revokeInvitation", "Makes an invitation worthless; tokens that were given for it stay good.", revokeInvitation, InvitationNotFound),
}

type callProperties struct {
	CallType string `json:"callType" check:"enum=audio|video" doc:"what the call carries; default \"video\""`
	Kind     string `json:"kind" check:"enum=friend|group" doc:"a friend call ends with the first who hangs up; default \"group\""`
}

func (p callProperties) callType() auth.CallType {
	if p.CallType == "" {
		return auth.VideoCall
	}
	return auth.CallType(p.CallType)
}

func (p callProperties) kind() auth.CallKind {
	if p.Kind == "" {
		return auth.GroupCall
	}
	return auth.CallKind(p.Kind)
}

type createTokenRequest struct {
	roomRef
	UserID string `json:"userId" check:"id" doc:"becomes the peer's id; name@domain"`
	callProperties
	DisplayName      string `json:"displayName" check:"chars=64" doc:"what others see"`
	Host             bool   `json:"host" doc:"whether the user may remove and mute others"`
	ExpiresInSeconds int    `json:"expiresInSeconds" check:"min=1,max=86400" doc:"how long the token may stay unused; default 120"`
}

// Token is the answer of createToken.
type Token struct {
	Token     string    `json:"token" doc:"secret: whoever has it is the user"`
	ExpiresAt time.Time `json:"expiresAt" doc:"when it is worthless unless it has been used, RFC 3339"`
}

func createToken(c *caller, q *createTokenRequest) (Token, error) {
	if err := c.mayUse(q.RoomID); err != nil {
		return Token{}, err
	}
	token, expires, err := c.door.tokens.Create(auth.Grant{
		RoomID: q.RoomID, UserID: q.UserID, DisplayName: q.DisplayName,
		CallType: q.callType(), Kind: q.kind(), Host: q.Host,
	}, time.Duration(q.ExpiresInSeconds)*time.Second)
	return Token{token, wire(expires)}, err
}

// wire is a time as it is sent: milliseconds are enough, and UTC.
func wire(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

type revokeTokenRequest struct {
	Token string `json:"token" check:"id" doc:"what createToken gave"`
}

func revokeToken(c *caller, q *revokeTokenRequest) (none, error) {
	return none{}, c.door.tokens.Revoke(q.Token, func(g auth.Grant) error { return c.mayUse(g.RoomID) })
}

type createInvitationRequest struct {
	RoomID string `json:"roomId" check:"min=1,max=256" doc:"default a fresh id"`
	callProperties
	ExpiresInSeconds int `json:"expiresInSeconds" check:"min=1,max=31536000" doc:"how long it is good; default a day"`
}

// Invitation is the answer of createInvitation.
type Invitation struct {
	Invitation string    `json:"invitation" doc:"secret: whoever has it gets in"`
	RoomID     string    `json:"roomId" doc:"where it leads"`
	URL        string    `json:"url" doc:"the page that takes it; that of a voice call ends with #voice, so that nobody is asked for a camera"`
	ExpiresAt  time.Time `json:"expiresAt" doc:"RFC 3339"`
}

func createInvitation(c *caller, q *createInvitationRequest) (Invitation, error) {
	if q.RoomID == "" {
		q.RoomID = c.access.Scope.RoomPrefix + uuid.NewString()
	}
	if err := c.mayUse(q.RoomID); err != nil {
		return Invitation{}, err
	}
	invitation, expires, err := c.door.invitations.Create(auth.Invitation{
		RoomID: q.RoomID, CallType: q.callType(), Kind: q.kind(),
	}, time.Duration(q.ExpiresInSeconds)*time.Second)
	url := auth.InvitationURL(c.door.pageURL, c.origin, invitation, q.callType())
	return Invitation{invitation, q.RoomID, url, wire(expires)}, err
}

type revokeInvitationRequest struct {
	Invitation string `json:"invitation" check:"id" doc:"what createInvitation gave"`
}

func revokeInvitation(c *caller, q *revokeInvitationRequest) (none, error) {
	return none{}, c.door.invitations.Revoke(q.Invitation, func(v auth.Invitation) error { return c.mayUse(v.RoomID) })
}
