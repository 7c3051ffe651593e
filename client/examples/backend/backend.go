package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log"
	"sync"
	"time"

	"github.com/takoserver/takos-call/client"
)

// backend knows who is in which room. The rooms themselves are the server's.
type backend struct {
	calls *client.Client

	// entrance is held while somebody comes or goes, so that a room is not
	// closed while somebody enters it.
	entrance sync.Mutex

	mu      sync.Mutex
	members map[string]*member // guarded by mu: by session
}

// member is somebody in a call.
type member struct {
	session    string // secret between the browser and us
	room, peer string
	send, recv string          // ids of transports
	news       chan string     // producers that the browser is to consume
	told       map[string]bool // guarded by backend.mu: what went into news
}

func newBackend(calls *client.Client) *backend {
	return &backend{calls: calls, members: make(map[string]*member)}
}

// watch follows what happens in the rooms.
func (b *backend) watch(ctx context.Context) {
	for e := range b.calls.Events(ctx) {
		switch e := e.(type) {
		case client.ProducerCreated:
			b.offer(e.RoomID, e.PeerID, e.ProducerID)
		case client.TransportClosed:
			b.lose(ctx, e) // the browser has vanished
		case client.Connected, client.EventsLost:
			b.catchUp(ctx)
		}
	}
}

// catchUp compares what we know with what there is, after events were missed.
func (b *backend) catchUp(ctx context.Context) {
	b.entrance.Lock() // or who comes meanwhile would seem to be gone
	defer b.entrance.Unlock()
	rooms, err := b.calls.Rooms(ctx)
	if err != nil {
		log.Printf("catch up: %v", err)
		return
	}
	present := make(map[string]bool)
	for _, room := range rooms {
		for id := range room.Peers {
			present[id] = true
		}
		b.offerAll(room)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.members {
		if !present[m.peer] {
			b.forgetLocked(m)
		}
	}
}

// offerAll tells the members of a room about everything that is sent in it.
func (b *backend) offerAll(room client.RoomInfo) {
	for _, peer := range room.Peers {
		for id := range peer.Producers {
			b.offer(room.ID, peer.ID, id)
		}
	}
}

// offer tells all but the sender about a producer, once.
func (b *backend) offer(room, sender, producer string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.members {
		if m.room != room || m.peer == sender || m.told[producer] {
			continue
		}
		select {
		case m.news <- producer:
			m.told[producer] = true
		default:
			b.forgetLocked(m) // the browser does not listen; it has to join again
		}
	}
}

// join lets a browser into a room, which is made if it is the first.
func (b *backend) join(ctx context.Context, room, name string) (*joined, error) {
	b.entrance.Lock()
	defer b.entrance.Unlock()
	_, err := b.calls.CreateRoom(ctx, room, client.RoomOptions{})
	var refusal *client.Error
	if err != nil && !(errors.As(err, &refusal) && refusal.Code == client.RoomExists) {
		return nil, err
	}
	m := &member{
		session: rand.Text(), room: room, peer: rand.Text(),
		news: make(chan string, 256), told: make(map[string]bool),
	}
	if _, err := b.calls.AddPeer(ctx, m.room, m.peer, client.PeerOptions{DisplayName: name}); err != nil {
		return nil, err
	}
	answer, err := b.equip(ctx, m)
	if err != nil {
		b.leave(ctx, m)
		return nil, err
	}
	b.mu.Lock()
	b.members[m.session] = m
	b.mu.Unlock()
	if now, err := b.calls.Room(ctx, m.room); err == nil {
		b.offerAll(now) // what others send already
	}
	return answer, nil
}

// joined is what a browser needs to begin.
type joined struct {
	Session         string               `json:"session"`
	Peer            string               `json:"peer"`
	RTPCapabilities any                  `json:"rtpCapabilities"`
	Send            client.TransportInfo `json:"send"`
	Recv            client.TransportInfo `json:"recv"`
}

// equip makes a member's transports.
func (b *backend) equip(ctx context.Context, m *member) (*joined, error) {
	capabilities, err := b.calls.RouterRTPCapabilities(ctx, m.room)
	if err != nil {
		return nil, err
	}
	send, err := b.calls.CreateTransport(ctx, m.room, m.peer, client.Send, client.TransportOptions{})
	if err != nil {
		return nil, err
	}
	recv, err := b.calls.CreateTransport(ctx, m.room, m.peer, client.Receive, client.TransportOptions{})
	if err != nil {
		return nil, err
	}
	m.send, m.recv = send.ID, recv.ID
	return &joined{m.session, m.peer, capabilities, send, recv}, nil
}

// lose takes out the member whose transport was closed.
func (b *backend) lose(ctx context.Context, e client.TransportClosed) {
	b.mu.Lock()
	var lost *member
	for _, m := range b.members {
		if m.room == e.RoomID && m.peer == e.PeerID {
			lost = m
		}
	}
	b.mu.Unlock()
	if lost != nil {
		b.remove(ctx, lost)
	}
}

// remove takes a member out.
func (b *backend) remove(ctx context.Context, m *member) {
	b.entrance.Lock()
	defer b.entrance.Unlock()
	b.leave(ctx, m)
}

// leave needs entrance. The last one closes the room. It is done even if the
// browser does not wait for it.
func (b *backend) leave(ctx context.Context, m *member) {
	b.mu.Lock()
	b.forgetLocked(m)
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := b.calls.RemovePeer(ctx, m.room, m.peer, "")
	if room, gone := b.calls.Room(ctx, m.room); gone == nil && len(room.Peers) == 0 {
		err = errors.Join(err, b.calls.CloseRoom(ctx, m.room))
	}
	if err != nil && !errors.Is(err, client.ErrNotFound) {
		log.Printf("leave: %v", err)
	}
}

func (b *backend) forgetLocked(m *member) {
	if b.members[m.session] != nil {
		delete(b.members, m.session)
		close(m.news)
	}
}

func (b *backend) member(session string) *member {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.members[session]
}
