package takosapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Answers are kept for an hour, which is longer than anybody retries, and at
// most this many, which bounds the memory; the oldest go first.
const (
	answerLifetime = time.Hour
	maxAnswers     = 10000
	// maxIdempotencyKey is in bytes; a UUID takes 36.
	maxIdempotencyKey = 256
)

type answerKey struct{ keyName, command, idempotencyKey string }

// answers remembers what was answered to requests with an Idempotency-Key. It
// forgets with the process, as the rooms do.
type answers struct {
	mu    sync.Mutex
	kept  map[answerKey]*keptAnswer // guarded by mu
	order []answerKey               // guarded by mu: oldest first
}

type keptAnswer struct {
	question [sha256.Size]byte // hash of the body
	made     time.Time
	ready    chan struct{} // closed once answer is set
	answer   answer
}

// canonical writes data so that two texts of the same value are the same: without
// spaces, names in order.
func canonical(data json.RawMessage) []byte {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return data // no data at all
	}
	text, err := json.Marshal(value)
	if err != nil {
		return data
	}
	return text
}

func newAnswers() *answers { return &answers{kept: make(map[answerKey]*keptAnswer)} }

// once returns what work returns the first time it is called for the key. A
// repeat that comes while the first is still being worked on waits for it. What
// failed because of the server is forgotten, so that it can be tried again. A
// repeat with another body is a conflict.
func (a *answers) once(key answerKey, body []byte, work func() answer) (_ answer, conflict bool) {
	question := sha256.Sum256(body)
	a.mu.Lock()
	a.expireLocked(time.Now())
	if first := a.kept[key]; first != nil {
		a.mu.Unlock()
		if first.question != question {
			return answer{}, true
		}
		<-first.ready
		return first.answer, false
	}
	mine := &keptAnswer{question: question, made: time.Now(), ready: make(chan struct{})}
	a.kept[key] = mine
	a.order = append(a.order, key)
	a.mu.Unlock()

	mine.answer = work()
	close(mine.ready)
	if mine.answer.status >= http.StatusInternalServerError {
		a.forget(key)
	}
	return mine.answer, false
}

func (a *answers) expireLocked(now time.Time) {
	for len(a.order) > 0 {
		oldest := a.kept[a.order[0]]
		if oldest != nil && len(a.order) < maxAnswers && now.Sub(oldest.made) < answerLifetime {
			return
		}
		delete(a.kept, a.order[0])
		a.order = a.order[1:]
	}
}

func (a *answers) forget(key answerKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.kept, key) // its place in order is skipped by expireLocked
}
