package takosapi

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRepeatGetsTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers()
		var worked atomic.Int32
		ask := func(key answerKey, body string) (answer, bool) {
			return a.once(key, []byte(body), func() answer {
				time.Sleep(time.Second) // others come while the first is worked on
				return answer{http.StatusOK, fmt.Append(nil, worked.Add(1))}
			})
		}
		first := answerKey{"key", "createRoom", "1"}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if got, conflict := ask(first, "x"); string(got.body) != "1" || conflict {
					t.Errorf("answered %s, %v", got.body, conflict)
				}
			})
		}
		all.Wait()
		if _, conflict := ask(first, "y"); !conflict {
			t.Error("another body is no conflict")
		}
		for i, other := range []answerKey{{"other", "createRoom", "1"}, {"key", "addPeer", "1"}, {"key", "createRoom", "2"}} {
			if got, _ := ask(other, "x"); string(got.body) != fmt.Sprint(i+2) {
				t.Errorf("%v was answered %s", other, got.body)
			}
		}
		time.Sleep(answerLifetime)
		if got, _ := ask(first, "y"); string(got.body) != "5" {
			t.Errorf("after its lifetime answered %s", got.body)
		}
	})
}

func TestWhatFailedBecauseOfUsIsTriedAgain(t *testing.T) {
	a := newAnswers()
	key := answerKey{"key", "createToken", "1"}
	for _, status := range []int{500, 503, 200, 409} {
		want := status
		if status == 409 {
			want = 200 // what was answered well is answered again
		}
		got, _ := a.once(key, nil, func() answer { return answer{status: status} })
		if got.status != want {
			t.Errorf("answered %d, want %d", got.status, want)
		}
	}
}

func TestMemoryOfAnswersIsBounded(t *testing.T) {
	a := newAnswers()
	for i := range maxAnswers + 100 {
		a.once(answerKey{"key", "createRoom", fmt.Sprint(i)}, nil, func() answer { return answer{status: 200} })
	}
	if len(a.kept) > maxAnswers || len(a.order) > maxAnswers {
		t.Errorf("%d answers are kept, in an order of %d", len(a.kept), len(a.order))
	}
	if _, ok := a.kept[answerKey{"key", "createRoom", fmt.Sprint(maxAnswers + 99)}]; !ok {
		t.Error("the newest is forgotten")
	}
}

func TestSpacesAndOrderDoNotMakeOtherData(t *testing.T) {
	want := string(canonical([]byte(`{"roomId":"a","options":{"maxPeers":3,"x":1.50}}`)))
	if got := string(canonical([]byte(` { "options" : {"x":1.50, "maxPeers":3} , "roomId" : "a" } `))); got != want {
		t.Errorf("%s is not %s", got, want)
	}
	if got := string(canonical([]byte(`{"roomId":"b"}`))); got == want {
		t.Error("other data is the same")
	}
	if len(canonical(nil)) != 0 {
		t.Error("no data has become some")
	}
}
