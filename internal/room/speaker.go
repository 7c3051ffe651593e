package room

import (
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

const (
	// defaultLevelInterval is short enough for a mark that follows who speaks,
	// and long enough for a word.
	defaultLevelInterval = 500 * time.Millisecond
	// levelEntries are more people than speak at once.
	levelEntries = 10
	// levelThreshold is below quiet speech with its pauses, above the noise of
	// most rooms.
	levelThreshold = -70
)

// Level is how loud a producer was, on average, over an interval.
type Level struct {
	Producer *Producer
	DBov     int // −127 to 0, the loudest
}

// observeSpeakers makes the observers of a new room.
func (r *Room) observeSpeakers() (err error) {
	if interval := r.registry.options.AudioLevelInterval; interval >= 0 {
		if interval == 0 {
			interval = defaultLevelInterval
		}
		threshold := levelThreshold
		r.levels, err = r.router.NewAudioLevelObserver(sfu.AudioLevelObserverOptions{
			MaxEntries: levelEntries, Threshold: &threshold, Interval: interval,
			Events: sfu.AudioLevelObserverEvents{Volumes: r.levelsMeasured, Silence: func() { r.levelsMeasured(nil) }},
		})
		if err != nil {
			return err
		}
	}
	if interval := r.registry.options.SpeakerInterval; interval >= 0 {
		r.floor, err = r.router.NewActiveSpeakerObserver(sfu.ActiveSpeakerObserverOptions{
			Interval: interval, Events: sfu.ActiveSpeakerObserverEvents{DominantSpeaker: r.floorTaken},
		})
	}
	return err
}

// listenToLocked makes a new producer one of those who may speak. It leaves by
// itself when it is closed.
func (r *Room) listenToLocked(p *Producer) error {
	if p.Kind() != ortc.Audio {
		return nil
	}
	if r.levels != nil {
		if err := r.levels.AddProducer(p.ID()); err != nil {
			return err
		}
	}
	if r.floor != nil {
		return r.floor.AddProducer(p.ID())
	}
	return nil
}

// levelsMeasured is an event of the SFU. Nobody on the list is silence.
func (r *Room) levelsMeasured(volumes []sfu.ProducerVolume) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	levels := make([]Level, 0, len(volumes))
	for _, v := range volumes {
		if p := r.producerLocked(v.Producer.ID()); p != nil {
			levels = append(levels, Level{p, v.DBov})
		}
	}
	r.emitLocked(Event{Type: AudioLevels, Levels: levels})
}

// floorTaken is an event of the SFU.
func (r *Room) floorTaken(by *sfu.Producer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.producerLocked(by.ID())
	if r.closed || p == nil {
		return
	}
	r.speaker = p
	r.emitLocked(Event{Type: ActiveSpeaker, Peer: p.Peer(), Producer: p})
}
