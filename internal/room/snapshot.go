package room

import (
	"cmp"
	"slices"
)

// Snapshot is what was in a room at one moment, in the order in which it came.
type Snapshot struct {
	Room  *Room
	Peers []PeerSnapshot
	// Speaker is who has the floor, nil for nobody.
	Speaker *Producer
}

// PeerSnapshot is one participant at that moment.
type PeerSnapshot struct {
	Peer       *Peer
	Transports []*Transport
	Producers  []*Producer
	Consumers  []*Consumer

	DataProducers []*DataProducer
	DataConsumers []*DataConsumer
}

func (r *Room) snapshotLocked() Snapshot {
	s := Snapshot{Room: r, Peers: make([]PeerSnapshot, 0, len(r.peers)), Speaker: r.speaker}
	for _, p := range r.peers {
		s.Peers = append(s.Peers, p.snapshotLocked())
	}
	slices.SortFunc(s.Peers, func(a, b PeerSnapshot) int { return cmp.Compare(a.Peer.number, b.Peer.number) })
	return s
}

func (p *Peer) snapshotLocked() PeerSnapshot {
	return PeerSnapshot{
		Peer:       p,
		Transports: inOrder(p.transports, func(t *Transport) uint64 { return t.number }),
		Producers:  inOrder(p.producers, func(o *Producer) uint64 { return o.number }),
		Consumers:  inOrder(p.consumers, func(c *Consumer) uint64 { return c.number }),

		DataProducers: p.producersInOrder(),
		DataConsumers: p.consumersInOrder(),
	}
}

// Snapshot returns the peer as it is now.
func (p *Peer) Snapshot() PeerSnapshot {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	return p.snapshotLocked()
}

func inOrder[T any](objects map[string]T, number func(T) uint64) []T {
	list := make([]T, 0, len(objects))
	for _, o := range objects {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(number(a), number(b)) })
	return list
}
