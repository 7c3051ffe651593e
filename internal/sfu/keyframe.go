package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

const (
	// defaultKeyframeInterval is the least time between two requests for a
	// keyframe of one stream. Shorter: nine people who join at once cost the
	// sender nine keyframes; longer: the tenth waits for his picture.
	defaultKeyframeInterval = 300 * time.Millisecond
	// keyframeRetry is when a request that brought nothing is repeated: PLI
	// and keyframe are lost as other packets are.
	keyframeRetry = 500 * time.Millisecond
	// maxKeyframeRetries ends the repeating. A stream that is encrypted end to
	// end shows us none of its keyframes; more would have its sender make
	// nothing else. Whoever still waits then asks again.
	maxKeyframeRetries = 5
)

// keyframeRequests decides when the sender of one stream is asked for a
// keyframe. It is an engine; the stream's keyframeMu guards it.
type keyframeRequests struct {
	interval   time.Duration
	asked      mono.Instant // when the last request was sent; 0: never
	due        mono.Instant // when the next is to be sent; 0: nobody waits
	unanswered int          // requests since the last keyframe
}

// want notes that a receiver needs a keyframe that begins after now, and
// reports whether to ask for it at once. If not, expire will have to be called
// at due, unless that is 0.
func (k *keyframeRequests) want(now mono.Instant) (ask bool) {
	if k.due != 0 {
		return false // asked for, or about to be
	}
	if earliest := k.asked.Add(k.interval); k.asked != 0 && now < earliest {
		k.due = earliest
		return false
	}
	k.ask(now)
	return true
}

// expire reports whether a request is due.
func (k *keyframeRequests) expire(now mono.Instant) (ask bool) {
	if k.due == 0 || now < k.due {
		return false
	}
	k.ask(now)
	return true
}

func (k *keyframeRequests) ask(now mono.Instant) {
	k.asked, k.due = now, 0
	if k.unanswered++; k.unanswered <= maxKeyframeRetries {
		k.due = now.Add(max(keyframeRetry, k.interval))
	}
}

// arrived notes the beginning of a keyframe: whoever waited has it.
func (k *keyframeRequests) arrived() { k.due, k.unanswered = 0, 0 }

// forget gives up what was asked for.
func (k *keyframeRequests) forget() { k.due = 0 }

// What one receiver may ask for by PLI, FIR and NACK: some keyframes at once,
// after an outage, and in the long run one every few seconds. A line that does
// not carry the stream otherwise has all who receive it pay for one keyframe
// after the other, none of which helps.
const (
	keyframeBudgetBurst = 4
	keyframeBudgetEvery = 3 * time.Second
	// keyframeBudgetOnce is how long what comes is the same request.
	keyframeBudgetOnce = 100 * time.Millisecond
)

// keyframeBudget is what a receiver has left of that. The zero value is all.
type keyframeBudget struct {
	restored mono.Instant // when it will be whole again
	taken    mono.Instant // when one was taken last
}

// take reports whether there is one left, and takes it.
func (k *keyframeBudget) take(now mono.Instant) bool {
	if k.taken != 0 && now.Sub(k.taken) < keyframeBudgetOnce {
		return true
	}
	if k.restored.Sub(now) > (keyframeBudgetBurst-1)*keyframeBudgetEvery {
		return false
	}
	k.taken, k.restored = now, max(k.restored, now).Add(keyframeBudgetEvery)
	return true
}

// requestKeyframe asks the sender for a keyframe, now or, if it was asked just
// before, by the clock. The sender's receive lock is not needed.
func (s *recvStream) requestKeyframe(sc *scratch, now mono.Instant) {
	if !s.producer.usePLI && !s.producer.useFIR {
		return
	}
	s.keyframeMu.Lock()
	ask, due := s.keyframes.want(now), s.keyframes.due
	s.keyframeMu.Unlock()
	s.askForKeyframe(sc, ask, due)
}

// repeatKeyframeRequest is requestKeyframe by the clock. Whoever waited may have
// gone.
func (s *recvStream) repeatKeyframeRequest(sc *scratch, now mono.Instant) {
	s.keyframeMu.Lock()
	if s.keyframes.due != 0 && !s.wanted() {
		s.keyframes.forget()
	}
	ask, due := s.keyframes.expire(now), s.keyframes.due
	s.keyframeMu.Unlock()
	s.askForKeyframe(sc, ask, due)
}

// askForKeyframe sends a request if ask is set, and has the clock look again
// at due.
func (s *recvStream) askForKeyframe(sc *scratch, ask bool, due mono.Instant) {
	if due != 0 {
		s.producer.transport.wake(due)
	}
	if ask {
		sc.sendKeyframeRequest(s)
	}
}

func (s *recvStream) keyframeArrived() {
	s.keyframeMu.Lock()
	s.keyframes.arrived()
	s.keyframeMu.Unlock()
}
