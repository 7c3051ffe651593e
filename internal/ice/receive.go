package ice

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/mono"
)

// quietAfter is how long the selected tuple may be without any sign of life before
// another that shows one takes its place without being nominated. It exceeds the six
// seconds between two consent checks (RFC 7675 §5.1) and is far below the consent
// timeout, so that a peer whose NAT moved it does not lose half a minute.
const quietAfter = 8 * time.Second

// Result is what a datagram did and asks for.
type Result struct {
	// Reply is dst with the answer appended; it has the length of dst when there is
	// nothing to answer. It goes back to the tuple that the datagram came from.
	Reply []byte
	// TupleAdded: the datagram's tuple has become valid.
	TupleAdded bool
	// SelectedChanged: ask Selected.
	SelectedChanged bool
	// StateChanged: ask State.
	StateChanged bool
	// RemovedTuple had to make room for the added one; usually nil.
	RemovedTuple *Tuple
	// RetiredUfrag is no longer ours since this check, after a restart; usually empty.
	RetiredUfrag string
	// Drop is DropNone when the check was accepted. A dropped check may still have a
	// Reply, an error.
	Drop DropReason
}

// Receive takes a STUN datagram from t and appends the answer to dst. msg is only
// read, and not kept.
//
// A request that does not prove knowledge of the password gets an error response
// only if that is not larger than the request, so that we amplify nobody's traffic.
func (a *Agent) Receive(now mono.Instant, t Tuple, msg, dst []byte) Result {
	drop := func(reason DropReason) Result { return Result{Reply: dst, Drop: reason} }
	if a.state == StateClosed {
		return drop(DropClosed)
	}
	if !IsMessage(msg) {
		return drop(DropMalformed)
	}
	switch kind := binary.BigEndian.Uint16(msg); {
	case kind == typeBindingRequest:
	case kind&classResponseBit != 0:
		return drop(DropResponse)
	case kind == typeBindingIndication:
		a.Touch(now, t) // a keepalive, RFC 8445 §11
		return drop(DropIndication)
	default:
		return drop(DropMethod)
	}
	c, reason := parseCheck(msg)
	if reason != DropNone {
		return drop(reason)
	}
	return a.receiveCheck(now, t, &c, dst)
}

// receiveCheck authenticates a check, RFC 8489 §9.1.3, then obeys it.
func (a *Agent) receiveCheck(now mono.Instant, t Tuple, c *check, dst []byte) Result {
	refuse := func(reason DropReason, code stun.ErrorCode, key stun.MessageIntegrity) Result {
		return Result{Reply: appendError(dst, c, code, key), Drop: reason}
	}
	if c.username == nil || !c.hasIntegrity {
		return refuse(DropUnauthenticated, stun.CodeBadRequest, nil)
	}
	used, ok := a.credentialsFor(c.username)
	if !ok {
		return refuse(DropUsername, stun.CodeUnauthorized, nil)
	}
	key := stun.MessageIntegrity(used.password)
	if key.Check(c.message) != nil {
		return refuse(DropIntegrity, stun.CodeUnauthorized, nil)
	}
	if len(c.unknown) > 0 {
		return refuse(DropUnknownAttribute, stun.CodeUnknownAttribute, key)
	}
	if c.controlled {
		// A lite agent is always controlled (RFC 8445 §6.1.1), so the peer must change.
		return refuse(DropRoleConflict, stun.CodeRoleConflict, key)
	}
	result := a.accept(now, t, c)
	if used == a.current && a.previous != (credentials{}) {
		result.RetiredUfrag = a.previous.ufrag
		a.previous = credentials{}
	}
	result.Reply = appendSuccess(dst, c, t, key)
	return result
}

// credentialsFor returns the credentials that a USERNAME of "ours:theirs" names.
func (a *Agent) credentialsFor(username []byte) (credentials, bool) {
	local, _, found := bytes.Cut(username, []byte{':'})
	switch {
	case !found || len(local) == 0:
		return credentials{}, false
	case string(local) == a.current.ufrag:
		return a.current, true
	case string(local) == a.previous.ufrag:
		return a.previous, true
	}
	return credentials{}, false
}

// accept notes an authenticated check and chooses the tuple for media.
func (a *Agent) accept(now mono.Instant, t Tuple, c *check) (r Result) {
	if a.restarted(c) {
		a.tuples.demote()
		a.nomination = 0
	}
	p := a.tuples.find(t)
	if p == nil {
		p, r.RemovedTuple = a.tuples.add(t, a.selected)
		r.TupleAdded = true
	}
	p.checked, p.active, p.priority = now, now, c.priority
	nominated := c.nominated || c.hasNomination
	if a.shouldSelect(now, p, c, nominated) {
		r.SelectedChanged = a.selected != p
		a.selected = p
		a.nomination = max(a.nomination, c.nomination)
	}
	p.nominated = p.nominated || nominated
	p.plain = p.plain || !nominated
	r.StateChanged = a.enter(a.stateAfterCheck())
	return r
}

// restarted reports whether c is the first check after a restart that uses the new
// credentials.
func (a *Agent) restarted(c *check) bool {
	return a.previous != (credentials{}) && bytes.HasPrefix(c.username, []byte(a.current.ufrag+":"))
}

// shouldSelect reports whether media has to go to p, which has just been checked.
func (a *Agent) shouldSelect(now mono.Instant, p *path, c *check, nominated bool) bool {
	s := a.selected
	switch {
	case s == nil || s == p:
		return true
	case now.Sub(s.active) >= quietAfter:
		return true // the peer has moved, nominated or not
	case !nominated:
		return false
	case c.hasNomination:
		return c.nomination > a.nomination
	case !s.nominated:
		return true
	case p.plain && !p.nominated:
		return true // the peer had it, and now decides for it
	}
	// RFC 5245 §8.1.1.2: of several nominated aggressively the highest priority wins.
	// An equal one is the same candidate behind another mapping of its NAT.
	return p.priority >= s.priority
}

// stateAfterCheck returns the state that the selected tuple stands for. Completed is
// left only by losing consent, as in mediasoup.
func (a *Agent) stateAfterCheck() State {
	if a.selected.nominated || a.state == StateCompleted {
		return StateCompleted
	}
	return StateConnected
}

func (a *Agent) enter(s State) (changed bool) {
	changed = a.state != s
	a.state = s
	return changed
}

// Expiry is what the passing of time did.
type Expiry struct {
	// Removed tuples have lost the peer's consent and may carry nothing any more.
	Removed []Tuple
	// SelectedChanged: ask Selected; media may have to pause.
	SelectedChanged bool
	// StateChanged: ask State; it is StateDisconnected.
	StateChanged bool
}

// Expire drops the tuples whose consent has run out (RFC 7675 §5.1). When the
// selected one is among them, the one checked last takes its place; when there is
// none, the state is "disconnected" until the next check.
func (a *Agent) Expire(now mono.Instant) (e Expiry) {
	if a.consentTimeout < 0 || a.state == StateClosed {
		return e
	}
	e.Removed = a.tuples.expire(now.Add(-a.consentTimeout))
	if len(e.Removed) == 0 {
		return e
	}
	if a.selected.checked == 0 { // its slot has been cleared
		a.selected = a.tuples.freshest()
		e.SelectedChanged = true
	}
	if a.selected == nil {
		a.nomination = 0
		e.StateChanged = a.enter(StateDisconnected)
	}
	return e
}

// Deadline returns when Expire has something to do, 0 for never. A check moves it,
// so ask again when it has come, not after every datagram.
func (a *Agent) Deadline() mono.Instant {
	oldest := a.tuples.oldest()
	if oldest == nil || a.consentTimeout < 0 {
		return 0
	}
	return oldest.checked.Add(a.consentTimeout)
}
