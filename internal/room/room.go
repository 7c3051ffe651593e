package room

import (
	"slices"
	"sync"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

// Room is where peers meet: one router of the SFU and those who use it.
type Room struct {
	// constant after Create
	registry *Registry
	id       string
	options  RoomOptions
	router   *sfu.Router
	levels   *sfu.AudioLevelObserver    // nil: not told
	floor    *sfu.ActiveSpeakerObserver // nil: not told

	mu        sync.Mutex
	peers     map[string]*Peer // guarded by mu
	speaker   *Producer        // guarded by mu: who has the floor, nil for nobody
	observers []*observer      // guarded by mu
	closed    bool             // guarded by mu
	made      uint64           // guarded by mu: objects made so far, for their order
}

// ID is unique among the rooms that exist.
func (r *Room) ID() string { return r.id }

// MaxPeers is the most peers the room takes.
func (r *Room) MaxPeers() int { return r.options.MaxPeers }

// Full reports whether the room takes nobody else at the moment.
func (r *Room) Full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.peers) >= r.options.MaxPeers
}

// RTPCapabilities are what clients load their device with.
func (r *Room) RTPCapabilities() ortc.RTPCapabilities { return r.router.RTPCapabilities() }

// Router is the SFU's router of the room. What is made on it directly belongs
// to nobody and is closed with the room.
func (r *Room) Router() *sfu.Router { return r.router }

// AddPeer adds a participant. Errors: PeerExists, RoomFull, RoomNotFound if the
// room has been closed.
func (r *Room) AddPeer(id string, o PeerOptions) (*Peer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.openLocked(); err != nil {
		return nil, err
	}
	if r.peers[id] != nil {
		return nil, errorf(PeerExists, "peer %q exists already in room %q", id, r.id)
	}
	if len(r.peers) >= r.options.MaxPeers {
		r.registry.refused.Add(1)
		return nil, errorf(RoomFull, "room %q is full: it has %d peers", r.id, len(r.peers))
	}
	p := newPeer(r, id, o)
	r.peers[id] = p
	r.registry.joins.Add(1)
	r.emitLocked(Event{Type: PeerAdded, Peer: p})
	return p, nil
}

// Peer returns the participant with that id, or PeerNotFound.
func (r *Room) Peer(id string) (*Peer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[id]; p != nil {
		return p, nil
	}
	return nil, notFound(PeerNotFound, "peer", id)
}

// Producer returns the producer with that id, whoever's it is, or
// ProducerNotFound.
func (r *Room) Producer(id string) (*Producer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.producerLocked(id); p != nil {
		return p, nil
	}
	return nil, notFound(ProducerNotFound, "producer", id)
}

// Close closes the room and everything in it. Peers and their objects get no
// events of their own: RoomClosed stands for all of them.
func (r *Room) Close(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeLocked(reason)
}

func (r *Room) closeLocked(reason string) {
	if r.closed {
		return
	}
	r.closed = true
	for _, p := range r.peers {
		p.closed = true
	}
	clear(r.peers)
	r.router.Close()
	r.registry.forget(r)
	r.registry.log.Info("room closed", "room", r.id, "reason", reason)
	r.emitLocked(Event{Type: RoomClosed, Reason: reason})
}

// Observe calls f with the events of this room from now on, until stop is
// called; the snapshot is the room at that moment, so nothing is missed and
// nothing is told twice. See the package's comment for what f may do. f may be
// called before Observe returns.
func (r *Room) Observe(f func(Event)) (now Snapshot, stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := &observer{f}
	r.observers = append(r.observers, o)
	return r.snapshotLocked(), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		// A new slice: the old one may be being walked through by emitLocked
		// in a caller of this very function.
		r.observers = slices.DeleteFunc(slices.Clone(r.observers), func(other *observer) bool { return other == o })
	}
}

// Snapshot returns the room as it is now.
func (r *Room) Snapshot() Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshotLocked()
}

func (r *Room) openLocked() error {
	if r.closed {
		return notFound(RoomNotFound, "room", r.id)
	}
	return nil
}

// emitLocked tells all observers. mu is held.
func (r *Room) emitLocked(e Event) {
	e.Room = r
	e.Ending = e.Peer != nil && e.Peer.closed
	for _, o := range r.observers {
		o.receive(e)
	}
	for _, o := range *r.registry.observers.Load() {
		o.receive(e)
	}
}

// nextLocked numbers the objects of the room in the order in which they are
// made.
func (r *Room) nextLocked() uint64 {
	r.made++
	return r.made
}

func (r *Room) countInto(s *Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	s.Rooms++
	for _, p := range r.peers {
		s.Peers++
		s.Transports += len(p.transports)
		s.Producers += len(p.producers)
		s.Consumers += len(p.consumers)
	}
}
