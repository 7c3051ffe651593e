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
	retired := ""
	if used == a.current && a.previous != (credentials{}) {
		retired = a.previous.ufrag
		a.completeRestart()
	}
	result := a.accept(now, t, c)
	result.RetiredUfrag = retired
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
	p := a.tuples.find(t)
	if p == nil {
		p, r.RemovedTuple = a.tuples.add(t, a.selected)
		r.TupleAdded = true
	}
	p.checked, p.active, p.priority = now, now, c.priority
	if a.shouldSelect(now, p, c) {
		r.SelectedChanged = a.selected != p
		a.selected = p
		a.nomination = max(a.nomination, c.nomination)
	}
	p.nominated = p.nominated || c.nominated
	p.plain = !c.nominated
	r.StateChanged = a.enter(a.stateAfterCheck())
	return r
}

// completeRestart ends the credentials from before a restart, since the peer has the
// new ones. Its choices are void too (RFC 8445 §9): tuples of the old generation stay
// valid, but any that is nominated now comes before them.
func (a *Agent) completeRestart() {
	a.previous = credentials{}
	a.nomination = 0
	a.tuples.demote()
}

// shouldSelect reports whether media has to go to p, which has just been checked.
func (a *Agent) shouldSelect(now mono.Instant, p *path, c *check) bool {
	s := a.selected
	switch {
	case s == nil || s == p:
		return true
	case now.Sub(s.active) >= quietAfter:
		return true // the peer has moved, nominated or not
	case !c.nominated:
		return false
	case c.nomination > 0:
		return c.nomination > a.nomination
	case !s.nominated:
		return true
	case p.plain:
		return true // the peer had it, and now decides for it
	case p.priority == s.priority:
		// One candidate of the peer. From another address it is behind a new mapping of
		// its NAT; at another address of ours it is a second pair, less preferred than the
		// one it began with.
		return p.tuple.Local == s.tuple.Local && p.tuple.Protocol == s.tuple.Protocol
	}
	// RFC 5245 §8.1.1.2: of several nominated aggressively the highest priority wins.
	return p.priority > s.priority
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
