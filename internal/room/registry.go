package room

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

// Limits bound what clients can make the server hold. A field that is zero has
// the default.
type Limits struct {
	Rooms             int // default 10,000
	PeersPerRoom      int // default 500, and the most that a room may ask for
	TransportsPerPeer int // default 32
	ProducersPerPeer  int // default 32
	ConsumersPerPeer  int // default 2,000
}

func (l Limits) withDefaults() Limits {
	for _, field := range []struct {
		value *int
		def   int
	}{
		{&l.Rooms, 10000},
		{&l.PeersPerRoom, 500},
		{&l.TransportsPerPeer, 32},
		{&l.ProducersPerPeer, 32},
		{&l.ConsumersPerPeer, 2000},
	} {
		if *field.value <= 0 {
			*field.value = field.def
		}
	}
	return l
}

// Options are the settings of a Registry.
type Options struct {
	SFU    *sfu.SFU // required
	Limits Limits
	// DisconnectTimeout is how long after it lost its client a transport closes
	// by itself; default 30 s.
	DisconnectTimeout time.Duration
	// AudioLevelInterval is how often AudioLevels are told while somebody is
	// heard, 250 ms to 5 s; default 500 ms, negative for never.
	AudioLevelInterval time.Duration
	// SpeakerInterval is how often it is decided who has the floor, 100 ms to 5
	// s; default 300 ms, negative for never.
	SpeakerInterval time.Duration
	Logger          *slog.Logger // default slog.Default
}

// Registry is the rooms of a server.
type Registry struct {
	// constant after NewRegistry
	options Options
	log     *slog.Logger

	// copied on change; read under a room's lock
	observers atomic.Pointer[[]*observer]

	// counters for Stats
	joins, refused atomic.Uint64

	// Taken while a room's lock is held, never the other way round.
	mu       sync.Mutex
	rooms    map[string]*Room // guarded by mu
	routers  map[string]*Room // by the id of their router; guarded by mu
	draining bool             // guarded by mu
}

// NewRegistry returns a registry without rooms.
func NewRegistry(o Options) *Registry {
	o.Limits = o.Limits.withDefaults()
	if o.DisconnectTimeout <= 0 {
		o.DisconnectTimeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	g := &Registry{options: o, log: o.Logger, rooms: make(map[string]*Room), routers: make(map[string]*Room)}
	g.observers.Store(new([]*observer))
	return g
}

// Limits are the limits in force.
func (g *Registry) Limits() Limits { return g.options.Limits }

// RoomOptions are the properties of a room.
type RoomOptions struct {
	// MaxPeers is the most peers the room takes; zero is the server's limit,
	// which is also the most.
	MaxPeers int
	// Codecs are what may be sent in the room, preferred first; empty is the
	// SFU's default.
	Codecs []ortc.RTPCodecCapability
	// CloseWhenEmpty closes the room with its last peer.
	CloseWhenEmpty bool
}

// Create makes a room. Errors: RoomExists, LimitReached, Draining, *ortc.Error
// about the codecs.
func (g *Registry) Create(id string, o RoomOptions) (*Room, error) {
	if limit := g.options.Limits.PeersPerRoom; o.MaxPeers <= 0 || o.MaxPeers > limit {
		o.MaxPeers = limit
	}
	r := &Room{registry: g, id: id, options: o, peers: make(map[string]*Peer)}
	r.mu.Lock() // whoever finds the room waits until it is whole
	defer r.mu.Unlock()
	if err := g.reserve(r); err != nil {
		g.refused.Add(1)
		return nil, err
	}
	codecs := o.Codecs
	if len(codecs) == 0 {
		codecs = nil // of which the SFU makes its default; an empty list would allow nothing
	}
	router, err := g.options.SFU.NewRouter(sfu.RouterOptions{MediaCodecs: codecs})
	if err != nil {
		r.closed = true
		g.forget(r)
		return nil, err
	}
	r.router = router
	g.setRouter(r)
	if err := r.observeSpeakers(); err != nil {
		r.closed = true
		router.Close()
		g.forget(r)
		return nil, err
	}
	g.log.Info("room created", "room", id, "router", router.ID())
	r.emitLocked(Event{Type: RoomCreated})
	return r, nil
}

func (g *Registry) reserve(r *Room) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.draining:
		return errorf(Draining, "the server is shutting down and makes no new rooms")
	case g.rooms[r.id] != nil:
		return errorf(RoomExists, "room %q exists already", r.id)
	case len(g.rooms) >= g.options.Limits.Rooms:
		return errorf(LimitReached, "the server has %d rooms, which is its limit", len(g.rooms))
	}
	g.rooms[r.id] = r
	return nil
}

func (g *Registry) forget(r *Room) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.rooms, r.id)
	if r.router != nil {
		delete(g.routers, r.router.ID())
	}
}

// Room returns the room with that id, or RoomNotFound.
func (g *Registry) Room(id string) (*Room, error) {
	g.mu.Lock()
	r := g.rooms[id]
	g.mu.Unlock()
	if r == nil {
		return nil, notFound(RoomNotFound, "room", id)
	}
	return r, nil
}

// RoomOfRouter returns the open room whose router has that id, or nil.
func (g *Registry) RoomOfRouter(id string) *Room {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.routers[id]
}

func (g *Registry) setRouter(r *Room) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.routers[r.router.ID()] = r
}

// Rooms returns all rooms in the order of their ids.
func (g *Registry) Rooms() []*Room {
	g.mu.Lock()
	rooms := make([]*Room, 0, len(g.rooms))
	for _, r := range g.rooms {
		rooms = append(rooms, r)
	}
	g.mu.Unlock()
	slices.SortFunc(rooms, func(a, b *Room) int { return strings.Compare(a.id, b.id) })
	return rooms
}

// Join adds a peer to the room, which it makes first if there is none. Who makes
// a room is its host. Errors are those of Create and Room.AddPeer.
func (g *Registry) Join(roomID string, ro RoomOptions, peerID string, po PeerOptions) (*Room, *Peer, error) {
	for {
		r, err := g.Room(roomID)
		created := false
		if err != nil {
			r, err = g.Create(roomID, ro)
			created = err == nil
		}
		if IsKind(err, RoomExists) {
			continue // somebody was quicker
		}
		if err != nil {
			return nil, nil, err
		}
		po.Host = po.Host || created
		p, err := r.AddPeer(peerID, po)
		if IsKind(err, RoomNotFound) {
			continue // its last peer left in this moment
		}
		if err != nil && created {
			r.Close(ReasonEmpty)
		}
		return r, p, err
	}
}

// Observe calls f with the events of all rooms until stop is called. See the
// package's comment for what f may do.
func (g *Registry) Observe(f func(Event)) (stop func()) {
	o := &observer{f}
	g.changeObservers(func(list []*observer) []*observer { return append(list, o) })
	return func() {
		g.changeObservers(func(list []*observer) []*observer {
			return slices.DeleteFunc(list, func(other *observer) bool { return other == o })
		})
	}
}

func (g *Registry) changeObservers(change func([]*observer) []*observer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := change(slices.Clone(*g.observers.Load()))
	g.observers.Store(&list)
}

// Drain makes the registry refuse new rooms; those that exist go on.
func (g *Registry) Drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
}

// Draining reports whether Drain was called.
func (g *Registry) Draining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.draining
}

// Close closes all rooms and refuses new ones.
func (g *Registry) Close() {
	g.Drain()
	for _, r := range g.Rooms() {
		r.Close(ReasonRequested)
	}
}

// Stats are figures for metrics.
type Stats struct {
	Rooms, Peers, Transports, Producers, Consumers int
	Joins                                          uint64 // peers ever added
	Refused                                        uint64 // rooms and peers refused by a limit
}

// Stats counts what there is now.
func (g *Registry) Stats() Stats {
	s := Stats{Joins: g.joins.Load(), Refused: g.refused.Load()}
	for _, r := range g.Rooms() {
		r.countInto(&s)
	}
	return s
}
