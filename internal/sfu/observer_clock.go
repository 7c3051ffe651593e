package sfu

import "github.com/takoserver/takos-call/internal/mono"

// tickObservers lets those look whose time has come.
func (sc *scratch) tickObservers(now mono.Instant) {
	for _, o := range sc.sfu.observers.all() {
		if o.due <= now {
			sc.tickObserver(o, now)
		}
	}
}

func (sc *scratch) tickObserver(o *RTPObserver, now mono.Instant) {
	defer sc.recoverPanic()
	if o.due = o.due.Add(o.interval); o.due <= now { // the clock was held up
		o.due = now.Add(o.interval)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.paused && len(o.members) > 0 {
		o.kind.observeLocked(now)
	}
}
