package speaker

import (
	"math"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// The three time scales. A slot has 0 to immediateSteps steps of loudness, a
// block (100 ms) 0 to blockSlots active slots, the whole (1 s) 0 to blocks
// active blocks.
const (
	immediateSteps = 13
	blockSlots     = 5
	blocks         = 10

	// stepDB is how much louder than the background each step is.
	stepDB = 4
	// activeSteps make a slot active: 12 dB above the background.
	activeSteps = 3
	// activeSlots make a block active: not all, since speech has gaps and the
	// network jitter.
	activeSlots = 3
	// leastBlocks must be active to take the floor even from somebody silent: a
	// door or a key is shorter.
	leastBlocks = 3
)

// Loudness is counted from silence up here: 127 is 0 dBov.
const (
	// The background is believed between these only: many senders make it
	// digital silence, against which a breath is loud, and what never pauses
	// (music, a tone) is not background however long it goes on.
	quietest = Silence - 70
	noisiest = Silence - 50
	// backgroundSlots is half of what the background is the quietest slot of.
	// There is a pause in 7.5 s of speech.
	backgroundSlots = int64(7500 * time.Millisecond / slotLength)
)

// Activity is what is known of one source at its last Update. The zero value is
// silent.
type Activity struct {
	immediate uint8 // steps of the loudest slot of the newest block
	medium    uint8 // active slots of the newest block
	long      uint8 // active blocks
	loudness  uint16

	seen        int64 // the last slot that the background knows
	windowEnd   int64 // slot
	lowest      uint8 // loudness in this window
	lowestOfOld uint8 // in the one before
}

// Update reads s. It is meant to be called at least once a second; what a
// longer pause hides is not active.
func (a *Activity) Update(now mono.Instant, s *Source) {
	// The slot of now is not over.
	end := slotOf(now)
	a.noteBackground(s, end)
	background := a.background()
	a.medium, a.immediate, a.long, a.loudness = 0, 0, 0, 0
	for block := range int64(blocks) {
		active := uint8(0)
		for slot := end - (block+1)*blockSlots; slot < end-block*blockSlots; slot++ {
			loudness := s.loudness(slot)
			n := steps(loudness, background)
			if n >= activeSteps {
				active++
			}
			a.loudness += uint16(loudness)
			if block == 0 {
				a.immediate = max(a.immediate, n)
			}
		}
		if block == 0 {
			a.medium = active
		}
		if active >= activeSlots {
			a.long++
		}
	}
}

// Reset forgets that the source was active, as when it is paused.
func (a *Activity) Reset() { a.immediate, a.medium, a.long, a.loudness = 0, 0, 0, 0 }

func steps(loudness, background uint8) uint8 {
	if loudness <= background {
		return 0
	}
	return min((loudness-background)/stepDB, immediateSteps)
}

// noteBackground takes in the slots up to end that it has not seen.
func (a *Activity) noteBackground(s *Source, end int64) {
	for slot := max(a.seen+1, end-slots+1); slot < end; slot++ {
		if slot >= a.windowEnd {
			a.lowestOfOld, a.lowest = a.lowest, Silence
			if slot >= a.windowEnd+backgroundSlots {
				a.lowestOfOld = 0 // the first, or there was none for long
			}
			a.windowEnd = slot + backgroundSlots
		}
		a.lowest = min(a.lowest, s.loudness(slot))
		a.seen = slot
	}
}

// background is the loudness of the source when nobody speaks.
func (a *Activity) background() uint8 {
	return min(max(min(a.lowest, a.lowestOfOld), quietest), noisiest)
}

// The least by which the scores of who takes the floor exceed those of who has
// it, by the paper. What they come to: the one speaks now, the other does not
// and has done so for less of the last second.
const (
	leastImmediate = 3.0
	leastMedium    = 2.0
	leastLong      = 0.0
)

// Logarithms of the scores that an activity of 0, 1, 2 … has.
var (
	immediateScores = scores(immediateSteps, 0.78)
	mediumScores    = scores(blockSlots, 24)
	longScores      = scores(blocks, 47)
)

// scores returns ln Φ(v) for v active ones of n, where
//
//	Φ(v) = ln P(v | speech) − ln P(v | none)
//
// with a binomial distribution (p = ½) for speech and an exponential one of the
// parameter lambda for none.
func scores(n int, lambda float64) []float64 {
	const least = 1e-10 // what is likelier without speech has no logarithm
	list := make([]float64, n+1)
	lnFactorial := func(k int) float64 { l, _ := math.Lgamma(float64(k + 1)); return l }
	for v := range list {
		speech := lnFactorial(n) - lnFactorial(v) - lnFactorial(n-v) - float64(n)*math.Ln2
		none := math.Log(lambda) - lambda*float64(v)
		list[v] = math.Log(max(speech-none, least))
	}
	return list
}

// takesFrom reports whether a takes the floor from other; nil is nobody.
func (a *Activity) takesFrom(other *Activity) bool {
	if a.long < leastBlocks {
		return false
	}
	if other == nil {
		other = &Activity{}
	}
	return immediateScores[a.immediate]-immediateScores[other.immediate] > leastImmediate &&
		mediumScores[a.medium]-mediumScores[other.medium] > leastMedium &&
		longScores[a.long]-longScores[other.long] > leastLong
}

// louder orders those who could take the floor.
func (a *Activity) louder(other *Activity) bool {
	switch {
	case a.medium != other.medium:
		return a.medium > other.medium
	case a.long != other.long:
		return a.long > other.long
	}
	return a.loudness > other.loudness
}

// Dominant returns the index of who has the floor, when current (−1: nobody)
// had it until now. Who has it keeps it, silent or not, until another takes it;
// −1 is returned only where nobody has spoken yet.
func Dominant(all []*Activity, current int) int {
	var holder *Activity
	if current >= 0 {
		holder = all[current]
	}
	next := current
	for i, a := range all {
		if i == current || !a.takesFrom(holder) {
			continue
		}
		if next == current || a.louder(all[next]) {
			next = i
		}
	}
	return next
}
