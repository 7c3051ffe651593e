package speaker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/takoserver/takos-call/internal/mono"
)

// meeting is sources in virtual time, read every 300 ms.
type meeting struct {
	now        mono.Instant
	sources    []Source
	activities []*Activity
	current    int
	said       []string // who took the floor when: "1.2s: 0"
}

const decisionInterval = 300 * time.Millisecond

func newMeeting(n int) *meeting {
	m := &meeting{now: at(time.Hour), sources: make([]Source, n), current: -1}
	for range n {
		m.activities = append(m.activities, &Activity{})
	}
	return m
}

// sound is the level, in −dBov, of who makes one at a time; Silence is sent
// like any other, nothing is sent for never.
type sound func(since time.Duration) int

const never = -1

func steady(level int) sound { return func(time.Duration) int { return level } }

// speech has syllables of 160 ms at level with gaps of 60 ms, and breathes 300
// ms every three seconds.
func speech(level, background int) sound {
	return func(d time.Duration) int {
		if d%(3*time.Second) > 2700*time.Millisecond || d%(220*time.Millisecond) >= 160*time.Millisecond {
			return background
		}
		return level
	}
}

// during is what it is from one moment to another, and else the background.
func during(from, to time.Duration, s sound, background int) sound {
	return func(d time.Duration) int {
		if d < from || d >= to {
			return background
		}
		return s(d - from)
	}
}

// run lets time pass with a packet of each source every 20 ms.
func (m *meeting) run(d time.Duration, sounds ...sound) {
	start := m.now
	for since := time.Duration(0); since < d; since += slotLength {
		for i, s := range sounds {
			if level := s(since); level != never {
				m.sources[i].Note(m.now, byte(level))
			}
		}
		m.now = m.now.Add(slotLength)
		if m.now.Sub(start)%decisionInterval == 0 {
			m.decide(m.now.Sub(start))
		}
	}
}

func (m *meeting) decide(since time.Duration) {
	for i := range m.sources {
		m.activities[i].Update(m.now, &m.sources[i])
	}
	if next := Dominant(m.activities, m.current); next != m.current {
		m.current = next
		m.said = append(m.said, fmt.Sprintf("%v: %d", since, next))
	}
}

func (m *meeting) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(m.said, want) {
		t.Errorf("the floor went to %s; want %s", strings.Join(m.said, ", "), strings.Join(want, ", "))
	}
	m.said = nil
}

func TestWhoTakesTheFloor(t *testing.T) {
	const s = time.Second
	tests := map[string]struct {
		sounds []sound
		want   []string
	}{
		"nobody speaks":             {[]sound{steady(127), steady(127)}, nil},
		"nobody sends":              {[]sound{steady(never), steady(never)}, nil},
		"only noise":                {[]sound{steady(60), steady(62)}, nil},
		"one speaks":                {[]sound{steady(127), speech(30, 127)}, []string{"300ms: 1"}},
		"a quiet one speaks":        {[]sound{steady(127), speech(50, 127)}, []string{"300ms: 1"}},
		"one speaks into a fan":     {[]sound{steady(127), speech(30, 52)}, []string{"300ms: 1"}},
		"one after the other":       {[]sound{during(0, 5*s, speech(30, 127), 127), during(5*s, 10*s, speech(40, 127), 127)}, []string{"300ms: 0", "5.7s: 1"}},
		"one after another, no DTX": {[]sound{during(0, 5*s, speech(30, 60), 60), during(5*s, 10*s, speech(40, 65), 65)}, []string{"300ms: 0", "5.7s: 1"}},
		"one after another, DTX":    {[]sound{during(0, 5*s, speech(30, 60), never), during(5*s, 10*s, speech(40, 65), never)}, []string{"300ms: 0", "5.7s: 1"}},
		"who has it may pause":      {[]sound{during(0, 5*s, speech(30, 127), 127), steady(127)}, []string{"300ms: 0"}},
		"a word between":            {[]sound{speech(30, 127), during(3*s, 3400*time.Millisecond, speech(20, 127), 127)}, []string{"300ms: 0"}},
		"a louder one at once":      {[]sound{speech(40, 127), during(3*s, 10*s, speech(10, 127), 127)}, []string{"300ms: 0"}},
		"both at once: the louder":  {[]sound{speech(40, 127), speech(20, 127), speech(30, 127)}, []string{"300ms: 1"}},
		"a door":                    {[]sound{steady(127), during(2*s, 2200*time.Millisecond, steady(5), 127)}, nil},
		"a door while one speaks":   {[]sound{speech(30, 127), during(2850*time.Millisecond, 2950*time.Millisecond, steady(5), 127)}, []string{"300ms: 0"}},
		"keys on a desk": {[]sound{steady(127), func(d time.Duration) int {
			return map[bool]int{true: 30, false: 127}[d%(150*time.Millisecond) < 40*time.Millisecond]
		}}, nil},
		"a tone":                     {[]sound{steady(127), steady(25)}, []string{"300ms: 1"}},
		"a quiet tone, then a voice": {[]sound{steady(66), during(4*s, 10*s, speech(30, 127), 127)}, []string{"4.5s: 1"}},
		"packets of 60 ms": {[]sound{steady(127), func(d time.Duration) int {
			if d%(60*time.Millisecond) != 0 {
				return never
			}
			return speech(30, 127)(d)
		}}, []string{"300ms: 1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMeeting(len(test.sounds))
			m.run(10*s, test.sounds...)
			m.want(t, test.want...)
		})
	}
}

func TestBackgroundIsLearned(t *testing.T) {
	m := newMeeting(1)
	var got []uint8
	for range 5 {
		m.run(9*time.Second, steady(55))
		got = append(got, Silence-m.activities[0].background())
	}
	// The window in which the noise began knows the silence before it.
	if want := []uint8{70, 55, 55, 55, 55}; !slices.Equal(got, want) {
		t.Errorf("background %v, want %v", got, want)
	}
	m.run(9*time.Second, steady(127))
	if got := Silence - m.activities[0].background(); got != 70 {
		t.Errorf("silence is −%d dBov", got)
	}
	m.run(30*time.Second, steady(10))
	if got := Silence - m.activities[0].background(); got != 50 {
		t.Errorf("what is loud for ever is background up to −%d dBov", got)
	}
	if m.activities[0].long != blocks {
		t.Error("it counts as silence")
	}
}

func TestBackgroundIsForgottenOverALongPause(t *testing.T) {
	m := newMeeting(1)
	m.run(30*time.Second, steady(50))
	m.now = m.now.Add(time.Minute) // nobody looks
	m.run(time.Second, steady(50))
	if got := Silence - m.activities[0].background(); got != 70 {
		t.Errorf("the background is −%d dBov", got)
	}
}

func TestResetMakesSilent(t *testing.T) {
	m := newMeeting(2)
	m.run(3*time.Second, speech(30, 127), steady(127))
	m.activities[0].Reset()
	if Dominant(m.activities, -1) != -1 {
		t.Error("who is paused speaks")
	}
	if Dominant(m.activities, 0) != 0 {
		t.Error("who is paused loses the floor to nobody")
	}
}

func TestScoresAreThoseOfThePaper(t *testing.T) {
	// Φ(v) by hand: ln C(n,v) − n ln 2 − ln λ + λ v.
	for _, test := range []struct {
		scores []float64
		v      int
		want   float64
	}{
		{mediumScores, 0, -23.026}, // negative, so ln 1e-10
		{mediumScores, 1, 2.943},   // 1.609 − 3.466 − 3.178 + 24 = 18.965 → ln
		{mediumScores, 5, 4.731},   // −3.466 − 3.178 + 120 = 113.356
		{immediateScores, 13, 0.320},
		{longScores, 10, 6.130}, // −6.931 − 3.850 + 470 = 459.219
	} {
		if got := test.scores[test.v]; got < test.want-0.01 || got > test.want+0.01 {
			t.Errorf("score of %d: %.3f, want %.3f", test.v, got, test.want)
		}
	}
}

func TestDominantInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *Activity {
			return &Activity{
				immediate: rapid.Uint8Range(0, immediateSteps).Draw(t, "immediate"),
				medium:    rapid.Uint8Range(0, blockSlots).Draw(t, "medium"),
				long:      rapid.Uint8Range(0, blocks).Draw(t, "long"),
				loudness:  rapid.Uint16Range(0, 50*127).Draw(t, "loudness"),
			}
		}), 0, 6).Draw(t, "all")
		current := rapid.IntRange(-1, len(all)-1).Draw(t, "current")
		next := Dominant(all, current)
		if next < -1 || next >= len(all) || current >= 0 && next < 0 {
			t.Fatalf("Dominant is %d", next)
		}
		if next == current {
			return
		}
		if all[next].medium == 0 || all[next].long < leastBlocks {
			t.Fatalf("%+v took the floor", *all[next])
		}
		if current >= 0 && (all[current].medium > 0 || all[current].long >= all[next].long) {
			t.Fatalf("%+v took the floor from %+v", *all[next], *all[current])
		}
		if again := Dominant(all, next); again != next {
			t.Fatalf("first %d, at once %d", next, again)
		}
	})
}

// With random people, jitter and loss, the floor goes to who speaks, soon, and
// stays there.
func TestTheFloorFollowsTurnsOfSpeech(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const people, turns = 5, 200
	m := newMeeting(people)
	turnLength := 6 * time.Second
	var changes, right, decisions int
	for range turns {
		speaker := random.IntN(people)
		sounds := make([]sound, people)
		for i := range sounds {
			voice := steady(60 + i*5)
			if i == speaker {
				voice = speech(25+random.IntN(20), 60+i*5)
			}
			sounds[i] = func(d time.Duration) int {
				if random.IntN(20) == 0 { // 5 % are lost
					return never
				}
				return voice(d)
			}
		}
		for done := time.Duration(0); done < turnLength; done += decisionInterval {
			was := m.current
			m.run(decisionInterval, shifted(sounds, done)...)
			if m.current != was {
				changes++
			}
			if done >= time.Second {
				decisions++
				if m.current == speaker {
					right++
				}
			}
		}
	}
	if share := float64(right) / float64(decisions); share < 0.99 {
		t.Errorf("one second into a turn and later the floor is right %.1f %% of the time", 100*share)
	}
	if changes > turns {
		t.Errorf("%d changes in %d turns", changes, turns)
	}
}

func shifted(sounds []sound, by time.Duration) []sound {
	later := make([]sound, len(sounds))
	for i, s := range sounds {
		later[i] = func(d time.Duration) int { return s(d + by) }
	}
	return later
}
