package room

// PeerOptions are the properties of a participant.
type PeerOptions struct {
	// DisplayName is what others see; it may be empty.
	DisplayName string
	// Host may remove and mute others.
	Host bool
	// AppData is kept for whoever added the peer.
	AppData any
}

// Peer is a participant and the owner of media objects.
type Peer struct {
	// constant after AddPeer
	room    *Room
	id      string
	options PeerOptions
	number  uint64

	// guarded by room.mu
	closed     bool
	transports map[string]*Transport
	producers  map[string]*Producer
	consumers  map[string]*Consumer
	dataObjects
}

func newPeer(r *Room, id string, o PeerOptions) *Peer {
	return &Peer{
		room: r, id: id, options: o, number: r.nextLocked(),
		transports: make(map[string]*Transport),
		producers:  make(map[string]*Producer),
		consumers:  make(map[string]*Consumer),

		dataObjects: newDataObjects(),
	}
}

// ID is unique in the room.
func (p *Peer) ID() string { return p.id }

// Room is where the peer is.
func (p *Peer) Room() *Room { return p.room }

// DisplayName is what others see; it may be empty.
func (p *Peer) DisplayName() string { return p.options.DisplayName }

// Host reports whether the peer may remove and mute others.
func (p *Peer) Host() bool { return p.options.Host }

// AppData is what was attached when the peer was added.
func (p *Peer) AppData() any { return p.options.AppData }

// Closed reports whether the peer has left or was removed.
func (p *Peer) Closed() bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	return p.closed
}

// Transport returns the peer's transport with that id, or TransportNotFound.
func (p *Peer) Transport(id string) (*Transport, error) {
	return find(p, p.transports, id, TransportNotFound, "transport")
}

// Producer returns the peer's producer with that id, or ProducerNotFound.
func (p *Peer) Producer(id string) (*Producer, error) {
	return find(p, p.producers, id, ProducerNotFound, "producer")
}

// Consumer returns the peer's consumer with that id, or ConsumerNotFound.
func (p *Peer) Consumer(id string) (*Consumer, error) {
	return find(p, p.consumers, id, ConsumerNotFound, "consumer")
}

// ConsumerOf returns the peer's first consumer of a producer, or nil.
func (p *Peer) ConsumerOf(producerID string) *Consumer {
	for _, c := range p.Snapshot().Consumers {
		if c.ProducerID() == producerID {
			return c
		}
	}
	return nil
}

func find[T any](p *Peer, objects map[string]*T, id string, kind ErrorKind, what string) (*T, error) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if o := objects[id]; o != nil {
		return o, nil
	}
	return nil, notFound(kind, what, id)
}

// Close makes the peer leave by itself.
func (p *Peer) Close() {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.closeLocked(p.id, ReasonRequested)
}

// Remove makes the peer leave because a backend or the server wants it to.
func (p *Peer) Remove(reason string) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	p.closeLocked("", reason)
}

// Kick makes another peer leave. Errors: NotHost, PeerNotFound.
func (p *Peer) Kick(id, reason string) error {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	other, err := p.moderateLocked(id)
	if err != nil {
		return err
	}
	other.closeLocked(p.id, reason)
	return nil
}

// Mute pauses producers of another peer: those for which match says so. The
// other may resume them. It returns how many there were. Errors: NotHost,
// PeerNotFound.
func (p *Peer) Mute(id string, match func(*Producer) bool) (int, error) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	other, err := p.moderateLocked(id)
	if err != nil {
		return 0, err
	}
	muted := 0
	for _, producer := range other.snapshotLocked().Producers {
		if match(producer) {
			producer.muteLocked(p.id)
			muted++
		}
	}
	return muted, nil
}

// moderateLocked returns the peer with that id if p may act on it.
func (p *Peer) moderateLocked(id string) (*Peer, error) {
	if p.closed || !p.options.Host {
		return nil, errorf(NotHost, "only a host of the room may do this")
	}
	if other := p.room.peers[id]; other != nil {
		return other, nil
	}
	return nil, notFound(PeerNotFound, "peer", id)
}

// closeLocked closes the peer, its transports first, so that observers see
// everything end before its owner.
func (p *Peer) closeLocked(by, reason string) {
	if p.closed {
		return
	}
	p.closed = true
	for _, t := range p.snapshotLocked().Transports {
		t.closeLocked(by, ReasonPeerClosed)
	}
	delete(p.room.peers, p.id)
	p.room.emitLocked(Event{Type: PeerClosed, Peer: p, By: by, Reason: reason})
	if len(p.room.peers) == 0 && p.room.options.CloseWhenEmpty {
		p.room.closeLocked(ReasonEmpty)
	}
}

func (p *Peer) openLocked() error {
	if err := p.room.openLocked(); err != nil {
		return err
	}
	if p.closed {
		return notFound(PeerNotFound, "peer", p.id)
	}
	return nil
}
