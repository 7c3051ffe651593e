package client

import (
	"context"
	"time"
)

// CallType is what a call carries.
type CallType string

// The types of calls.
const (
	AudioCall CallType = "audio"
	VideoCall CallType = "video"
)

// CallKind is how a call ends.
type CallKind string

// The kinds of calls.
const (
	FriendCall CallKind = "friend" // with the first who hangs up
	GroupCall  CallKind = "group"  // with the last who leaves
)

// TokenOptions are the properties of a call token. The zero value is good.
type TokenOptions struct {
	CallType    CallType // default VideoCall
	Kind        CallKind // default GroupCall
	DisplayName string   // what others see; at most 64 bytes
	Host        bool     // whether the user may remove and mute others
	// Lifetime is how long the token may stay unused, in whole seconds up to a
	// day; default two minutes.
	Lifetime time.Duration
}

// Token lets one user into one call through the call endpoint.
type Token struct {
	Token     string    `json:"token"`     // secret: whoever has it is the user
	ExpiresAt time.Time `json:"expiresAt"` // unless it was used before
}

// CreateToken makes a token with which a user enters a call through
// /_takos/v2/call. The user's id, like alice@example.com, becomes the peer's id.
// Codes: Forbidden.
func (c *Client) CreateToken(ctx context.Context, roomID, userID string, o TokenOptions) (Token, error) {
	return answerOf[Token](ctx, c, "createToken", struct {
		RoomID           string   `json:"roomId"`
		UserID           string   `json:"userId"`
		CallType         CallType `json:"callType"`
		Kind             CallKind `json:"kind"`
		DisplayName      string   `json:"displayName,omitempty"`
		Host             bool     `json:"host,omitempty"`
		ExpiresInSeconds int64    `json:"expiresInSeconds,omitempty"`
	}{roomID, userID, orDefault(o.CallType, VideoCall), orDefault(o.Kind, GroupCall), o.DisplayName, o.Host, seconds(o.Lifetime)})
}

// RevokeToken makes a token worthless and ends the session that was opened with
// it. Codes: TokenNotFound.
func (c *Client) RevokeToken(ctx context.Context, token string) error {
	return c.Call(ctx, "revokeToken", struct {
		Token string `json:"token"`
	}{token}, nil)
}

// InvitationOptions are the properties of an invitation. The zero value is good.
type InvitationOptions struct {
	RoomID   string   // default a fresh id
	CallType CallType // default VideoCall
	Kind     CallKind // default GroupCall
	// Lifetime is how long the invitation is good, in whole seconds up to a
	// year; default a day.
	Lifetime time.Duration
}

// Invitation is what people pass on, and each exchanges for a token of their own.
type Invitation struct {
	Invitation string    `json:"invitation"` // secret: whoever has it gets in
	RoomID     string    `json:"roomId"`     // where it leads
	URL        string    `json:"url"`        // the page that takes it
	ExpiresAt  time.Time `json:"expiresAt"`
}

// CreateInvitation makes an invitation to the call page. Codes: Forbidden.
func (c *Client) CreateInvitation(ctx context.Context, o InvitationOptions) (Invitation, error) {
	return answerOf[Invitation](ctx, c, "createInvitation", struct {
		RoomID           string   `json:"roomId,omitempty"`
		CallType         CallType `json:"callType"`
		Kind             CallKind `json:"kind"`
		ExpiresInSeconds int64    `json:"expiresInSeconds,omitempty"`
	}{o.RoomID, orDefault(o.CallType, VideoCall), orDefault(o.Kind, GroupCall), seconds(o.Lifetime)})
}

// RevokeInvitation makes an invitation worthless; tokens that were given for it
// stay good. Codes: InvitationNotFound.
func (c *Client) RevokeInvitation(ctx context.Context, invitation string) error {
	return c.Call(ctx, "revokeInvitation", struct {
		Invitation string `json:"invitation"`
	}{invitation}, nil)
}

func orDefault[T ~string](value, fallback T) T {
	if value == "" {
		return fallback
	}
	return value
}

// seconds rounds up, so that what is short does not become the default.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
