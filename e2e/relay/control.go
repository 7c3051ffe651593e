package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/takoserver/takos-call/e2e/relay/line"
	"github.com/takoserver/takos-call/e2e/relay/link"
)

// control is the lines that there are.
type control struct {
	mu    sync.Mutex
	made  int
	lines map[int]*line.Line
}

func newControl() *control { return &control{lines: map[int]*line.Line{}} }

// handler is the HTTP interface.
func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /lines", c.create)
	mux.HandleFunc("PATCH /lines/{id}", c.withLine(change))
	mux.HandleFunc("POST /lines/{id}/rebind", c.withLine(func(l *line.Line, _ *http.Request) error { return l.Rebind() }))
	mux.HandleFunc("GET /lines/{id}", c.withLine(nil))
	mux.HandleFunc("DELETE /lines/{id}", c.remove)
	return mux
}

// close closes all lines.
func (c *control) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, l := range c.lines {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

func (c *control) create(w http.ResponseWriter, r *http.Request) {
	var wish struct {
		Server netip.AddrPort `json:"server"`
		Seed   uint64         `json:"seed"`
	}
	if err := decode(r, &wish); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if !wish.Server.IsValid() {
		refuse(w, http.StatusBadRequest, errors.New("a line needs a server"))
		return
	}
	l, err := line.Listen(line.Options{Server: wish.Server, Seed: wish.Seed})
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	c.mu.Lock()
	c.made++
	id := c.made
	c.lines[id] = l
	c.mu.Unlock()
	writeJSON(w, http.StatusCreated, map[string]any{"id": id, "address": l.Address()})
}

func (c *control) remove(w http.ResponseWriter, r *http.Request) {
	id, l := c.find(r)
	c.mu.Lock()
	delete(c.lines, id)
	c.mu.Unlock()
	if l == nil {
		http.NotFound(w, r)
		return
	}
	if err := l.Close(); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	writeJSON(w, http.StatusOK, describe(l.Stats()))
}

func (c *control) find(r *http.Request) (int, *line.Line) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return id, c.lines[id]
}

// withLine does something with the line of the path, if anything, and answers
// with its statistics.
func (c *control) withLine(do func(*line.Line, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, l := c.find(r)
		if l == nil {
			http.NotFound(w, r)
			return
		}
		if do != nil {
			if err := do(l, r); err != nil {
				refuse(w, http.StatusBadRequest, err)
				return
			}
		}
		writeJSON(w, http.StatusOK, describe(l.Stats()))
	}
}

// conditions is link.Conditions in JSON.
type conditions struct {
	Loss        float64 `json:"loss"`
	Burst       float64 `json:"burst"`
	DelayMs     float64 `json:"delayMs"`
	JitterMs    float64 `json:"jitterMs"`
	Reorder     float64 `json:"reorder"`
	ReorderByMs float64 `json:"reorderByMs"`
	Duplicate   float64 `json:"duplicate"`
	Rate        int64   `json:"rate"`
	QueueMs     float64 `json:"queueMs"`
	Police      bool    `json:"police"`
	Down        bool    `json:"down"`
}

func (c conditions) link() link.Conditions {
	return link.Conditions{
		Loss: c.Loss, Burst: c.Burst, Delay: milliseconds(c.DelayMs), Jitter: milliseconds(c.JitterMs),
		Reorder: c.Reorder, ReorderBy: milliseconds(c.ReorderByMs), Duplicate: c.Duplicate,
		Rate: c.Rate, Queue: milliseconds(c.QueueMs), Police: c.Police, Down: c.Down,
	}
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// change takes in the conditions that a request gives.
func change(l *line.Line, r *http.Request) error {
	var wish struct {
		Up         *conditions `json:"up"`
		Down       *conditions `json:"down"`
		UDPBlocked *bool       `json:"udpBlocked"`
	}
	if err := decode(r, &wish); err != nil {
		return err
	}
	if wish.UDPBlocked != nil {
		l.BlockUDP(*wish.UDPBlocked)
	}
	for way, c := range map[line.Way]*conditions{line.Up: wish.Up, line.Down: wish.Down} {
		if c == nil {
			continue
		}
		if err := l.Set(way, c.link()); err != nil {
			return err
		}
	}
	return nil
}

// way is link.Stats in JSON.
type way struct {
	Passed     uint64  `json:"passed"`
	Lost       uint64  `json:"lost"`
	Dropped    uint64  `json:"dropped"`
	Policed    uint64  `json:"policed"`
	Dark       uint64  `json:"dark"`
	Bytes      uint64  `json:"bytes"`
	Duplicated uint64  `json:"duplicated"`
	HeldBack   uint64  `json:"heldBack"`
	MaxQueueMs float64 `json:"maxQueueMs"`
}

func describeWay(s link.Stats) way {
	return way{
		s.Passed, s.Lost, s.Dropped, s.Policed, s.Dark, s.Bytes, s.Duplicated, s.HeldBack,
		float64(s.MaxQueue) / float64(time.Millisecond),
	}
}

func describe(s line.Stats) any {
	return map[string]any{
		"up": describeWay(s.Up), "down": describeWay(s.Down),
		"flows": s.Flows, "connections": s.Connections, "blocked": s.Blocked, "unsent": s.Unsent,
	}
}

// decode reads the body, in which only what is known may stand: a misspelt
// condition would make a test of nothing.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func refuse(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"error": err.Error()})
}
