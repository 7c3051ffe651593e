package signal

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSeldomSaysOnceInAWhileAndCountsTheRest(t *testing.T) {
	for every, pause := range map[time.Duration]time.Duration{0: time.Second, 10 * time.Second: 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := Seldom{Every: every}
			var said []uint64
			note := func(leftOut uint64) { said = append(said, leftOut) }
			for range 5 {
				s.Say(note)
			}
			time.Sleep(pause - time.Nanosecond)
			s.Say(note)
			time.Sleep(time.Nanosecond)
			s.Say(note)
			s.Say(note)
			time.Sleep(pause)
			s.Say(note)
			time.Sleep(time.Hour)
			s.Say(note)
			if want := []uint64{0, 5, 1, 0}; !slices.Equal(said, want) {
				t.Errorf("said with %v left out, want %v", said, want)
			}
		})
	}
}

func TestSeldomCountsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Seldom
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { s.Say(func(uint64) {}) })
		}
		all.Wait()
		time.Sleep(time.Second)
		s.Say(func(leftOut uint64) {
			if leftOut != 99 {
				t.Errorf("%d left out", leftOut)
			}
		})
	})
}
