package sfu

import (
	"fmt"
	"testing"
	"time"

	"github.com/takoserver/takos-call/e2e/relay/link"
)

// narrow is a line of so many kbit/s with 30 ms and a queue of 300 ms.
func narrow(kilobits int64) link.Conditions {
	return link.Conditions{Delay: 30 * time.Millisecond, Rate: kilobits * 1000, Queue: 300 * time.Millisecond}
}

// police is a line that loses what exceeds so many kbit/s.
func police(kilobits int64) link.Conditions {
	c := narrow(kilobits)
	c.Police, c.Queue = true, 250*time.Millisecond
	return c
}

// longestStill is how long a picture may stand.
const longestStill = time.Second

func (v *viewer) expect(showing int, still, changed time.Duration, changes int) {
	v.tb.Helper()
	if v.showing != showing || v.still > still || v.changed > changed || v.changes > changes {
		v.tb.Errorf("shows encoding %d, after %v and %d changes, and stood still for %v; want %d, within %v and %d changes, and %v",
			v.showing, v.changed, v.changes, v.still, showing, changed, changes, still)
	}
}

func TestNarrowLineHasAPictureFromTheBeginning(t *testing.T) {
	for _, test := range []struct {
		kilobits int64
		shows    int
	}{{150, 0}, {700, 1}, {3000, 2}} {
		t.Run(fmt.Sprint(test.kilobits), func(t *testing.T) {
			g := newGallery(newSimulcast(t), narrow(test.kilobits))
			v := g.viewers[0]
			g.run(20 * time.Second)
			v.expect(test.shows, 400*time.Millisecond, 2*time.Second, 3)
			if st := v.down.Stats(); st.Dropped > 5 {
				t.Errorf("%d packets were lost in the queue", st.Dropped)
			}
			v.watch()
			g.run(20 * time.Second)
			v.expect(test.shows, 200*time.Millisecond, 0, 0)
		})
	}
}

// TestBottleneckComesAndGoes begins it at different points of the sender's
// pattern of frames: what fits the queue differs.
func TestBottleneckComesAndGoes(t *testing.T) {
	for _, test := range []struct {
		line    link.Conditions
		name    string
		shows   int
		changes int
		still   time.Duration
	}{
		{narrow(200), "200 kbit/s", 0, 1, longestStill},
		// At one of these phases the middle encoding is tried on the way, whose
		// keyframe just does not fit.
		{narrow(250), "250 kbit/s", 0, 2, longestStill + 250*time.Millisecond},
		{narrow(500), "500 kbit/s", 1, 3, longestStill},
		{narrow(700), "700 kbit/s", 1, 1, longestStill},
		{police(700), "a policer of 700 kbit/s", 1, 1, longestStill},
		{police(1000), "a policer of 1 Mbit/s", 2, 5, longestStill},
	} {
		for phase := range 4 {
			t.Run(fmt.Sprintf("%s/%d", test.name, phase), func(t *testing.T) {
				g := newGallery(newSimulcast(t), narrow(3000))
				v := g.viewers[0]
				g.run(8*time.Second + time.Duration(phase)*30*time.Millisecond)
				v.watch()
				v.set(test.line)
				g.run(20 * time.Second)
				limit := 20 * time.Second
				if test.changes <= 1 {
					limit = 2 * time.Second
				}
				v.expect(test.shows, test.still, limit, test.changes)
				v.watch()
				v.set(narrow(3000))
				g.run(20 * time.Second)
				v.expect(2, longestStill, 15*time.Second, 5)
			})
		}
	}
}
