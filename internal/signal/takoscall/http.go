package takoscall

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// maxBody is the size of the largest HTTP body taken: all of them are small.
const maxBody = 16 << 10

// admit looks at a request for a session before anything is done for it. A page
// cannot see why an upgrade was refused, so it may ask the same without one.
func (d *Door) admit(w http.ResponseWriter, r *http.Request, token string) bool {
	grant, err := d.tokens.Check(token)
	if err != nil {
		d.refuseToken(w, r, err)
		return false
	}
	switch rm, err := d.rooms.Room(grant.RoomID); {
	case err != nil && d.rooms.Draining():
		d.refuse(w, http.StatusServiceUnavailable, ServerClosing, "the server is shutting down")
	case err == nil && !d.isIn(grant) && hasPeer(rm, grant.UserID):
		d.refuse(w, http.StatusConflict, PeerExists, "a backend has put this user into the room")
	case err == nil && !d.isIn(grant) && rm.Full():
		d.refuse(w, http.StatusConflict, RoomFull, "the room is full")
	case !signal.IsUpgrade(r):
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		d.refuse(w, http.StatusUpgradeRequired, UpgradeRequired, "the token is good; open a WebSocket here")
	default:
		return true
	}
	return false
}

func hasPeer(r *room.Room, id string) bool {
	_, err := r.Peer(id)
	return err == nil
}

func (d *Door) isIn(g auth.Grant) bool {
	d.mu.Lock()
	c := d.calls[g.RoomID]
	d.mu.Unlock()
	return c != nil && c.has(g.UserID)
}

func (d *Door) refuseToken(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case !errors.Is(err, auth.ErrToken):
		d.fault(w, "look at a token", err)
	case !d.mayTry(w, r):
	default:
		d.refuse(w, http.StatusUnauthorized, Unauthorized, err.Error())
	}
}

// mayTry bounds how often an address may ask for something that others might
// want to try out. Where it reports false the answer has been written.
func (d *Door) mayTry(w http.ResponseWriter, r *http.Request) bool {
	if d.rate.Allow(auth.ClientAddress(r, d.options.TrustedProxies)) {
		return true
	}
	w.Header().Set("Retry-After", "1")
	d.refuse(w, http.StatusTooManyRequests, RateLimited, "too many requests from this address")
	return false
}

type invitationRequest struct {
	RoomID   string `json:"roomId" check:"min=1,max=256" doc:"where it leads; default a fresh room"`
	CallType string `json:"callType" check:"enum=audio|video" doc:"default \"video\""`
	Kind     string `json:"kind" check:"enum=friend|group" doc:"default \"group\""`
}

type invitationAnswer struct {
	Invitation string    `json:"invitation"`
	RoomID     string    `json:"roomId"`
	URL        string    `json:"url"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

var (
	invitationObject = signal.ObjectOf(reflect.TypeFor[invitationRequest]())
	tokenObject      = signal.ObjectOf(reflect.TypeFor[tokenRequest]())
)

// serveInvitation makes an invitation, for whoever has an API key.
func (d *Door) serveInvitation(w http.ResponseWriter, r *http.Request) {
	if !d.options.Origins.Allow(r) {
		d.refuse(w, http.StatusForbidden, Forbidden, "pages of this origin may not make invitations")
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Add("Vary", "Origin")
	}
	q := invitationRequest{CallType: string(auth.VideoCall), Kind: string(auth.GroupCall)}
	if !d.readPost(w, r, invitationObject, &q) {
		return
	}
	if address := auth.ClientAddress(r, d.options.TrustedProxies); !d.options.Allowed.Allows(address) {
		d.refuse(w, http.StatusForbidden, Forbidden, fmt.Sprintf("address %s is not on the list of those allowed", address))
		return
	}
	access, ok := d.options.Keys.Check(auth.RequestKey(r))
	if !ok && !(d.options.Open && d.options.Keys.Empty()) {
		why := "an API key is needed to make an invitation"
		if d.options.Keys.Empty() {
			why = auth.NoKeys
		}
		d.refuse(w, http.StatusUnauthorized, Unauthorized, why)
		return
	}
	if q.RoomID == "" {
		q.RoomID = access.Scope.RoomPrefix + uuid.NewString()
	}
	if access.Scope.ReadOnly || !access.Scope.AllowsRoom(q.RoomID) {
		d.refuse(w, http.StatusForbidden, Forbidden, "this key may not invite into the room")
		return
	}
	invitation, expires, err := d.options.Invitations.Create(auth.Invitation{
		RoomID: q.RoomID, CallType: auth.CallType(q.CallType), Kind: auth.CallKind(q.Kind),
	}, 0)
	if err != nil {
		d.fault(w, "make an invitation", err)
		return
	}
	url := auth.InvitationURL(d.options.PageURL, auth.RequestOrigin(r, d.options.TrustedProxies), invitation, auth.CallType(q.CallType))
	answer(w, invitationAnswer{invitation, q.RoomID, url, wire(expires)})
}

type tokenRequest struct {
	Invitation  string `json:"invitation" check:"id" doc:"from the page's own address"`
	DisplayName string `json:"displayName" check:"chars=64" doc:"what others see"`
}

type tokenAnswer struct {
	Token     string        `json:"token"`
	RoomID    string        `json:"roomId"`
	UserID    string        `json:"userId"`
	CallType  auth.CallType `json:"callType"`
	ExpiresAt time.Time     `json:"expiresAt"`
}

// serveToken exchanges an invitation for a token of the visitor's own.
func (d *Door) serveToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	var q tokenRequest
	if !d.readPost(w, r, tokenObject, &q) {
		return
	}
	to, err := d.options.Invitations.Check(q.Invitation)
	switch {
	case errors.Is(err, auth.ErrInvitation):
		d.refuse(w, http.StatusNotFound, InvitationNotFound, err.Error())
		return
	case err != nil:
		d.fault(w, "look at an invitation", err)
		return
	}
	if rm, err := d.rooms.Room(to.RoomID); err == nil && rm.Full() {
		d.refuse(w, http.StatusConflict, RoomFull, "the room is full")
		return
	}
	user := d.guestID(r)
	token, expires, err := d.tokens.Create(auth.Grant{
		RoomID: to.RoomID, UserID: user, DisplayName: q.DisplayName, CallType: to.CallType, Kind: to.Kind,
	}, 0)
	if err != nil {
		d.fault(w, "make a token", err)
		return
	}
	answer(w, tokenAnswer{token, to.RoomID, user, to.CallType, wire(expires)})
}

// maxDomain is the longest name that DNS has (RFC 1035 §2.3.4), in bytes. What a
// client says of where it is going is no more than that.
const maxDomain = 255

// guestID makes a user id for somebody without one.
func (d *Door) guestID(r *http.Request) string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	domain := d.options.Domain
	if domain == "" {
		domain = r.Host
		if host, _, err := net.SplitHostPort(domain); err == nil {
			domain = host
		}
		if len(domain) > maxDomain {
			domain = "localhost"
		}
	}
	return "guest-" + hex.EncodeToString(b[:]) + "@" + domain
}

// readPost reads the body of a POST, answers a page's question whether it may
// send one, and refuses everything else. It reports whether q is filled.
func (d *Door) readPost(w http.ResponseWriter, r *http.Request, object *signal.Object, q any) bool {
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Methods", http.MethodPost)
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Api-Key, Authorization")
		w.Header().Set("Access-Control-Max-Age", "3600")
		w.WriteHeader(http.StatusNoContent)
		return false
	case http.MethodPost:
	default:
		w.Header().Set("Allow", http.MethodPost)
		d.refuse(w, http.StatusMethodNotAllowed, MethodNotAllowed, "this is a POST")
		return false
	}
	if !d.mayTry(w, r) {
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		d.refuse(w, http.StatusRequestEntityTooLarge, MessageTooBig, "the body is too big")
		return false
	case err != nil:
		d.refuse(w, http.StatusBadRequest, InvalidJSON, "the body cannot be read")
		return false
	case len(body) > 0 && !json.Valid(body):
		d.refuse(w, http.StatusBadRequest, InvalidJSON, "the body is not JSON")
		return false
	}
	if err := object.Decode("the body", body, q); err != nil {
		d.refuse(w, http.StatusBadRequest, codeOf(err), err.Error())
		return false
	}
	return true
}

type refusal struct {
	Success bool         `json:"success"`
	Error   refusalError `json:"error"`
}

type refusalError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// refuse answers a request that leads to nothing.
func (d *Door) refuse(w http.ResponseWriter, status int, code Code, message string) {
	d.counters.errors[code].Add(1)
	write(w, status, refusal{Error: refusalError{code, message}})
}

// fault answers a request that failed because of us.
func (d *Door) fault(w http.ResponseWriter, what string, err error) {
	d.log.Error("cannot "+what, "error", err)
	d.refuse(w, http.StatusInternalServerError, Internal, "the server failed; its log says why")
}

func answer(w http.ResponseWriter, body any) { write(w, http.StatusOK, body) }

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

// wire is a time as it is sent: milliseconds are enough, and UTC.
func wire(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
