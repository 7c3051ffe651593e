package ice

import "github.com/takoserver/takos-call/internal/mono"

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
