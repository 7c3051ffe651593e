package sfu

import (
	"slices"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/speaker"
)

// ActiveSpeakerObserverEvents are called from the router's event goroutine; nil
// ones are not.
type ActiveSpeakerObserverEvents struct {
	// DominantSpeaker tells who has taken the floor. Who stops speaking keeps it
	// until another takes it.
	DominantSpeaker func(*Producer)
	Closed          func(CloseReason)
}

// ActiveSpeakerObserverOptions are what an observer is made from.
type ActiveSpeakerObserverOptions struct {
	// Interval is 100 ms to 5 s; 0 is 300 ms.
	Interval time.Duration
	AppData  any
	Events   ActiveSpeakerObserverEvents
}

// ActiveSpeakerObserver tells who of the producers has the floor. Unlike
// mediasoup's it tells of nobody who has not spoken: the only producer of a
// router has to be heard, too.
type ActiveSpeakerObserver struct {
	RTPObserver

	events ActiveSpeakerObserverEvents // constant

	// Guarded by mu.
	dominant   *observed           // nil: nobody
	activities []*speaker.Activity // of the members, reused
}

const (
	defaultSpeakerInterval = 300 * time.Millisecond
	leastSpeakerInterval   = 100 * time.Millisecond
)

// NewActiveSpeakerObserver makes an observer of no producer yet. Errors:
// ErrClosed.
func (r *Router) NewActiveSpeakerObserver(o ActiveSpeakerObserverOptions) (*ActiveSpeakerObserver, error) {
	a := &ActiveSpeakerObserver{events: o.Events}
	interval := boundedInterval(o.Interval, defaultSpeakerInterval, leastSpeakerInterval)
	a.init(r, a, interval, o.AppData, o.Events.Closed)
	if err := a.enter(); err != nil {
		return nil, err
	}
	return a, nil
}

func (*ActiveSpeakerObserver) observerType() RTPObserverType { return ActiveSpeaker }

// beginLocked has nothing to do: an activity is of the last second.
func (*ActiveSpeakerObserver) beginLocked(*observed) {}

func (a *ActiveSpeakerObserver) observeLocked(now mono.Instant) {
	a.activities = a.activities[:0]
	for _, m := range a.members {
		if m.producer.Paused() || !m.read(func(s *speaker.Source) { m.activity.Update(now, s) }) {
			m.activity.Reset()
		}
		a.activities = append(a.activities, &m.activity)
	}
	was := slices.Index(a.members, a.dominant)
	is := speaker.Dominant(a.activities, was)
	if is == was {
		return
	}
	a.dominant = a.members[is]
	p := a.dominant.producer
	if tell := a.events.DominantSpeaker; tell != nil {
		a.router.emit(func() { tell(p) })
	}
	a.router.notify(Event{Type: EventDominantSpeaker, RTPObserver: &a.RTPObserver, Data: p})
}

func (a *ActiveSpeakerObserver) removedLocked(m *observed) {
	if a.dominant == m {
		a.dominant = nil
	}
}

func (*ActiveSpeakerObserver) pausedLocked() {}
