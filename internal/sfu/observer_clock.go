package sfu

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/takoserver/takos-call/internal/mono"
)

// observerList is the open observers of an SFU, for the clock.
type observerList struct {
	mu   sync.Mutex // of changes; taken after Router.mu
	list atomic.Pointer[[]*RTPObserver]
}

func (l *observerList) all() []*RTPObserver {
	if list := l.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (l *observerList) add(o *RTPObserver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := append(slices.Clone(l.all()), o)
	l.list.Store(&next)
}

func (l *observerList) remove(o *RTPObserver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := slices.DeleteFunc(slices.Clone(l.all()), func(other *RTPObserver) bool { return other == o })
	l.list.Store(&next)
}

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
