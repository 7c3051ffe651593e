package ice

import "github.com/takoserver/takos-call/internal/mono"

// Expiry is what the passing of time, or the end of a connection, did.
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
	return a.afterRemoval(a.tuples.expire(now.Add(-a.consentTimeout)))
}

// Remove drops a tuple that can carry nothing any more, such as a TCP connection
// that has ended. What follows is as in Expire.
func (a *Agent) Remove(t Tuple) Expiry {
	return a.afterRemoval(a.tuples.remove(t))
}

// afterRemoval finds another place for media when the selected tuple is gone.
func (a *Agent) afterRemoval(removed []Tuple) (e Expiry) {
	e.Removed = removed
	if len(removed) == 0 {
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
