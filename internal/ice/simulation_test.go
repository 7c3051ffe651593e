package ice

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/mono"
)

// world is a network in virtual time between one agent and one browser. Datagrams
// take a while, get lost, and overtake each other.
type world struct {
	t      *testing.T
	random *rand.Rand
	now    mono.Instant
	events eventQueue
	loss   float64
	// blocked are addresses of the browser from which nothing gets through.
	blocked map[netip.Addr]bool
	// mapping is how the NAT renumbers ports: added to the browser's own.
	mapping uint16

	agent   *Agent
	browser *browser
	changes []string // of state, in order
}

type event struct {
	at mono.Instant
	do func()
}

type eventQueue []event

func (q eventQueue) Len() int           { return len(q) }
func (q eventQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q eventQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)        { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

func (w *world) after(d time.Duration, do func()) {
	heap.Push(&w.events, event{w.now.Add(d), do})
}

// run lets time pass, calling Expire when the agent has asked for it.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		next := end
		if len(w.events) > 0 {
			next = min(next, w.events[0].at)
		}
		deadline := w.agent.Deadline()
		if deadline != 0 && deadline <= next {
			w.now = max(w.now, deadline)
			w.note(w.agent.Expire(w.now).StateChanged)
			if w.agent.Deadline() == deadline {
				w.t.Fatal("Expire at the deadline has done nothing")
			}
			continue
		}
		w.now = next
		if len(w.events) == 0 || w.events[0].at > end {
			return
		}
		heap.Pop(&w.events).(event).do()
	}
}

func (w *world) note(changed bool) {
	if changed {
		w.changes = append(w.changes, string(w.agent.State()))
	}
}

// deliver passes a datagram on after 5 to 45 ms, or loses it.
func (w *world) deliver(from netip.Addr, do func()) {
	if w.blocked[from] || w.random.Float64() < w.loss {
		return
	}
	w.after(5*time.Millisecond+time.Duration(w.random.Int64N(int64(40*time.Millisecond))), do)
}

// pair is one candidate pair of the browser.
type pair struct {
	from     netip.AddrPort // before the NAT
	to       netip.AddrPort
	priority uint32
	works    bool
	answered mono.Instant
}

// browser is the full agent of the other side, always controlling.
type browser struct {
	w           *world
	parameters  Parameters
	aggressive  bool
	pairs       []*pair // best first
	selected    *pair
	interrupted bool // ends its periodic checks
}

// check sends a check for p and expects the answer.
func (b *browser) check(p *pair) {
	nominate := b.aggressive && b.selected == nil || !b.aggressive && b.selected == p
	setters := []stun.Setter{priority(p.priority)}
	if nominate {
		setters = append(setters, useCandidate())
	}
	w := b.w
	msg := request(w.t, b.parameters, setters...)
	seen := netip.AddrPortFrom(p.from.Addr(), p.from.Port()+w.mapping)
	w.deliver(p.from.Addr(), func() {
		r := w.agent.Receive(w.now, Tuple{Local: p.to, Remote: seen}, msg, nil)
		w.note(r.StateChanged)
		if r.Drop == DropNone {
			w.deliver(p.from.Addr(), func() { b.answer(p) })
		}
	})
}

// answer takes in a success response and selects as browsers do.
func (b *browser) answer(p *pair) {
	p.works, p.answered = true, b.w.now
	switch {
	case b.selected == nil, b.selected.priority < p.priority && b.aggressive:
		b.selected = p
	}
}

// start checks all pairs every 50 ms until one works, then each every 2 s, as
// Chromium does; the one that is silent for 6 s loses.
func (b *browser) start() {
	var tick func()
	tick = func() {
		if b.interrupted {
			return
		}
		interval := 50 * time.Millisecond
		if b.selected != nil {
			interval = 2 * time.Second
			if b.w.now.Sub(b.selected.answered) > 6*time.Second {
				b.selected.works = false
				b.selected = b.best()
			}
		}
		for _, p := range b.pairs {
			if !b.aggressive || b.selected == nil || b.selected == p {
				b.check(p)
			}
		}
		b.w.after(interval, tick)
	}
	tick()
}

func (b *browser) best() *pair {
	for _, p := range b.pairs {
		if p.works && b.w.now.Sub(p.answered) < 6*time.Second {
			return p
		}
	}
	return nil
}

// newWorld has a browser with two interfaces and an agent with two addresses.
func newWorld(t *testing.T, seed uint64, aggressive bool) *world {
	w := &world{
		t:       t,
		random:  rand.New(rand.NewPCG(seed, 0)),
		now:     epoch,
		blocked: map[netip.Addr]bool{},
		agent:   NewAgent(Options{}),
	}
	b := &browser{w: w, aggressive: aggressive, parameters: w.agent.Parameters()}
	for i, from := range []string{"198.51.100.1:5000", "198.51.100.2:5000"} {
		for _, to := range []netip.AddrPort{localV4, localV4b} {
			b.pairs = append(b.pairs, &pair{from: netip.MustParseAddrPort(from), to: to, priority: uint32(1000 - i)})
		}
	}
	w.browser = b
	return w
}

// agrees reports whether both sides send media on one path.
func (w *world) agrees() bool {
	s, ok := w.agent.Selected()
	p := w.browser.selected
	return ok && p != nil && s.Local == p.to && s.Remote == netip.AddrPortFrom(p.from.Addr(), p.from.Port()+w.mapping)
}

func simulations(t *testing.T, f func(t *testing.T, w *world)) {
	for seed := range uint64(20) {
		for _, aggressive := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed %d aggressive %v", seed, aggressive), func(t *testing.T) {
				w := newWorld(t, seed, aggressive)
				w.loss = 0.2
				f(t, w)
			})
		}
	}
}

func TestSimulatedBrowserConnectsThroughLoss(t *testing.T) {
	simulations(t, func(t *testing.T, w *world) {
		w.browser.start()
		w.run(time.Second)
		if s := w.agent.State(); s != StateConnected && s != StateCompleted {
			t.Errorf("state %v after a second", s)
		}
		w.run(29 * time.Second)
		if w.agent.State() != StateCompleted {
			t.Errorf("state %v", w.agent.State())
		}
		if s := selected(t, w.agent); w.browser.aggressive && s.Remote.Addr() != w.browser.selected.from.Addr() {
			t.Errorf("media goes to %v, the browser chose %v", s.Remote, w.browser.selected.from)
		} else if !w.browser.aggressive && !w.agrees() {
			t.Errorf("media goes to %v, the browser chose %v", s, w.browser.selected)
		}
	})
}

func TestSimulatedBrowserMovesToAnotherNetwork(t *testing.T) {
	simulations(t, func(t *testing.T, w *world) {
		w.browser.start()
		w.run(10 * time.Second)
		if w.browser.aggressive {
			// Such a browser checks only what it has selected, so it begins again.
			w.after(time.Second, func() { w.browser.selected = nil })
		}
		w.blocked[w.browser.selected.from.Addr()] = true
		w.run(20 * time.Second)
		if w.agent.State() != StateCompleted {
			t.Errorf("state %v", w.agent.State())
		}
		if s := selected(t, w.agent); w.blocked[s.Remote.Addr()] {
			t.Errorf("media still goes to %v", s.Remote)
		}
	})
}

func TestSimulatedNATChangesItsMapping(t *testing.T) {
	simulations(t, func(t *testing.T, w *world) {
		w.browser.start()
		w.run(10 * time.Second)
		w.mapping = 1000
		w.run(quietAfter + 8*time.Second)
		if s := selected(t, w.agent); s.Remote.Port() < 6000 {
			t.Errorf("media still goes to %v", s.Remote)
		}
		for _, c := range w.changes {
			if c == string(StateDisconnected) {
				t.Errorf("states %v", w.changes)
			}
		}
	})
}

func TestSimulatedBrowserGoesAndComesBack(t *testing.T) {
	simulations(t, func(t *testing.T, w *world) {
		w.browser.start()
		w.run(10 * time.Second)
		loss := w.loss
		w.loss = 1
		w.run(20 * time.Second) // the last check that came through is some seconds old
		if w.agent.State() == StateDisconnected {
			t.Fatal("disconnected too early")
		}
		w.run(11 * time.Second)
		if w.agent.State() != StateDisconnected {
			t.Fatalf("state %v after 31 s of silence", w.agent.State())
		}
		w.loss = loss
		w.browser.parameters = w.agent.Restart()
		w.browser.selected = nil
		w.run(10 * time.Second)
		if w.agent.State() != StateCompleted || len(w.agent.Ufrags()) != 1 {
			t.Errorf("state %v, ufrags %v", w.agent.State(), w.agent.Ufrags())
		}
	})
}

func TestSimulatedRestartDoesNotInterrupt(t *testing.T) {
	simulations(t, func(t *testing.T, w *world) {
		w.browser.start()
		w.run(10 * time.Second)
		p := w.agent.Restart()
		w.after(3*time.Second, func() { // until then the browser knows nothing of it
			w.browser.parameters = p
			w.browser.selected = nil
		})
		for range 100 {
			w.run(100 * time.Millisecond)
			if _, ok := w.agent.Selected(); !ok || w.agent.State() == StateDisconnected {
				t.Fatal("media was interrupted")
			}
		}
		if ufrags := w.agent.Ufrags(); len(ufrags) != 1 || ufrags[0] != p.UsernameFragment {
			t.Errorf("ufrags %v", ufrags)
		}
	})
}
