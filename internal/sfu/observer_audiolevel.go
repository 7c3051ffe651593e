package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/speaker"
)

// AudioLevelObserverEvents are called from the router's event goroutine; nil
// ones are not.
type AudioLevelObserverEvents struct {
	// Volumes tells, once per interval, who was not below the threshold, the
	// loudest first. There is at least one.
	Volumes func([]ProducerVolume)
	// Silence follows on Volumes when nobody is heard any more.
	Silence func()
	Closed  func(CloseReason)
}

// ProducerVolume is how loud a producer was, on average, over an interval.
type ProducerVolume struct {
	Producer *Producer
	DBov     int // −127 to 0
}

// AudioLevelObserverOptions are what an observer is made from.
type AudioLevelObserverOptions struct {
	// MaxEntries is how many Volumes tells of; 0 is 1.
	MaxEntries int
	// Threshold is the least volume that is told, −127 to 0 dBov; nil is −80.
	Threshold *int
	// Interval is 250 ms to 5 s; 0 is 1 s.
	Interval time.Duration
	AppData  any
	Events   AudioLevelObserverEvents
}

// AudioLevelObserver tells how loud producers are.
type AudioLevelObserver struct {
	RTPObserver

	// Constant.
	maxEntries int
	threshold  int
	least      uint64 // packets that make a volume
	events     AudioLevelObserverEvents

	// Guarded by mu.
	heard   bool             // Volumes was the last event
	volumes []speaker.Volume // of the members, reused
}

const (
	defaultAudioLevelInterval = time.Second
	leastAudioLevelInterval   = 250 * time.Millisecond
	defaultThreshold          = -80
	// packetsPerSecond are the least of who is heard: half of what 50 ms
	// packets come to. A sender that sends only what is not silent sends fewer.
	packetsPerSecond = 10
)

// NewAudioLevelObserver makes an observer of no producer yet. Errors: ErrClosed,
// *ortc.Error.
func (r *Router) NewAudioLevelObserver(o AudioLevelObserverOptions) (*AudioLevelObserver, error) {
	a := &AudioLevelObserver{maxEntries: max(o.MaxEntries, 1), threshold: defaultThreshold, events: o.Events}
	switch {
	case o.MaxEntries < 0:
		return nil, typeErrorf("maxEntries: %d is negative", o.MaxEntries)
	case o.Threshold != nil && (*o.Threshold < -speaker.Silence || *o.Threshold > 0):
		return nil, typeErrorf("threshold: %d is not between −127 and 0 dBov", *o.Threshold)
	case o.Threshold != nil:
		a.threshold = *o.Threshold
	}
	interval := boundedInterval(o.Interval, defaultAudioLevelInterval, leastAudioLevelInterval)
	a.least = uint64(interval * packetsPerSecond / time.Second)
	a.init(r, a, interval, o.AppData, o.Events.Closed)
	if err := a.enter(); err != nil {
		return nil, err
	}
	return a, nil
}

func (*AudioLevelObserver) observerType() RTPObserverType { return AudioLevels }

func (a *AudioLevelObserver) beginLocked(m *observed) { m.read(m.reading.Start) }

func (a *AudioLevelObserver) observeLocked(mono.Instant) {
	a.volumes = a.volumes[:0]
	for i, m := range a.members {
		m.read(func(s *speaker.Source) {
			if dBov, ok := m.reading.Average(s, a.least); ok && !m.producer.Paused() {
				a.volumes = append(a.volumes, speaker.Volume{Index: i, DBov: dBov})
			}
		})
	}
	loudest := speaker.Loudest(a.volumes, a.threshold, a.maxEntries)
	if len(loudest) == 0 {
		a.silenceLocked()
		return
	}
	a.heard = true
	tell := a.events.Volumes
	if tell != nil || a.router.observed() {
		list := make([]ProducerVolume, len(loudest))
		for i, v := range loudest {
			list[i] = ProducerVolume{Producer: a.members[v.Index].producer, DBov: v.DBov}
		}
		if tell != nil {
			a.router.emit(func() { tell(list) })
		}
		a.router.notify(Event{Type: EventVolumes, RTPObserver: &a.RTPObserver, Data: list})
	}
}

func (a *AudioLevelObserver) silenceLocked() {
	if a.heard {
		a.heard = false
		a.router.emit(a.events.Silence)
		a.router.notify(Event{Type: EventSilence, RTPObserver: &a.RTPObserver})
	}
}

func (a *AudioLevelObserver) pausedLocked() { a.silenceLocked() }

// removedLocked tells of silence at once when there is nobody left who would.
func (a *AudioLevelObserver) removedLocked(*observed) {
	if len(a.members) == 0 {
		a.silenceLocked()
	}
}
