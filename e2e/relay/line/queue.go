package line

import (
	"container/heap"

	"github.com/takoserver/takos-call/internal/mono"
)

// datagram is one on its way.
type datagram struct {
	at    mono.Instant
	order uint64 // among those that arrive at the same time
	way   Way
	flow  *flow
	data  []byte
}

// queue is the datagrams that are on their way. The zero value is empty.
type queue struct {
	heap   arrivals
	pushed uint64
}

// push adds a datagram and reports whether it is the next to arrive.
func (q *queue) push(at mono.Instant, w Way, f *flow, data []byte) (first bool) {
	q.pushed++
	heap.Push(&q.heap, datagram{at, q.pushed, w, f, data})
	return q.heap[0].order == q.pushed
}

// next returns when the next arrives, ok false when there is none.
func (q *queue) next() (at mono.Instant, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].at, true
}

// pop takes the next out.
func (q *queue) pop() datagram { return heap.Pop(&q.heap).(datagram) }

// arrivals implements heap.Interface.
type arrivals []datagram

func (a arrivals) Len() int      { return len(a) }
func (a arrivals) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)   { *a = append(*a, x.(datagram)) }

func (a arrivals) Less(i, j int) bool {
	if a[i].at != a[j].at {
		return a[i].at < a[j].at
	}
	return a[i].order < a[j].order
}

func (a *arrivals) Pop() any {
	last := len(*a) - 1
	d := (*a)[last]
	(*a)[last] = datagram{}
	*a = (*a)[:last]
	return d
}
