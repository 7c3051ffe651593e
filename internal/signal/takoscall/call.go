package takoscall

import (
	"cmp"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// call is the people of one room who came through this door.
type call struct {
	door   *Door
	roomID string

	mu           sync.Mutex
	participants map[string]*participant // guarded by mu: by user id
	over         bool                    // guarded by mu: taken out of door.calls
}

// participant is one of them. Its fields are guarded by call.mu.
type participant struct {
	grant   auth.Grant
	token   auth.TokenID // the newest
	peer    *room.Peer
	send    *room.Transport
	recv    *room.Transport
	session *session    // nil during the grace period
	grace   *time.Timer // nil otherwise
}

// enter returns the call of a room with its lock held.
func (d *Door) enter(roomID string) *call {
	for {
		d.mu.Lock()
		c := d.calls[roomID]
		if c == nil {
			c = &call{door: d, roomID: roomID, participants: make(map[string]*participant)}
			d.calls[roomID] = c
		}
		d.mu.Unlock()
		c.mu.Lock()
		if !c.over {
			return c
		}
		c.mu.Unlock()
	}
}

// exit gives the lock back and forgets a call without participants.
func (c *call) exit() {
	if len(c.participants) == 0 && !c.over {
		c.over = true
		c.door.mu.Lock()
		delete(c.door.calls, c.roomID)
		c.door.mu.Unlock()
	}
	c.mu.Unlock()
}

// attach brings a session into the call and sends init over it. If its user is
// in the call already the session takes over: with resume it gets the media
// objects as they are, otherwise new ones.
func (d *Door) attach(s *session, token auth.TokenID, resume bool) error {
	c := d.enter(s.grant.RoomID)
	defer c.exit()
	p := c.participants[s.grant.UserID]
	if p != nil && p.peer.Closed() { // removed, and its session has not noticed yet
		c.forgetLocked(p)
		d.discard(p)
		p = nil
	}
	// It was redeemed before the lock was had; its user may have been removed
	// meanwhile.
	if good, err := d.tokens.Good(token); err != nil || !good {
		return cmp.Or[error](err, &protocolError{Unauthorized, "the token is worthless: its user was removed from the call, or the call has ended"})
	}
	resumed := false
	if p == nil {
		_, peer, err := d.rooms.Join(s.grant.RoomID, roomOptions(s.grant), s.grant.UserID, room.PeerOptions{
			DisplayName: s.grant.DisplayName, Host: s.grant.Host,
		})
		if err != nil {
			return err
		}
		p = &participant{peer: peer}
		c.participants[s.grant.UserID] = p
	} else {
		c.replaceLocked(p)
		resumed = resume && p.send.Open() && p.recv.Open()
	}
	if !resumed {
		if err := p.renewTransports(); err != nil {
			c.leaveLocked(p)
			return err
		}
	}
	p.grant, p.token, p.session = s.grant, token, s
	s.call, s.participant, s.peer, s.send, s.recv = c, p, p.peer, p.send, p.recv
	s.open(resumed)
	d.sayClosing(s)
	return nil
}

// roomOptions are for the room of a call that begins.
func roomOptions(g auth.Grant) room.RoomOptions {
	o := room.RoomOptions{CloseWhenEmpty: true}
	if g.Kind == auth.FriendCall {
		o.MaxPeers = 2
	}
	return o
}

// renewTransports gives the participant new transports in place of those it may
// have, whose producers the others see closed.
func (p *participant) renewTransports() (err error) {
	if p.send != nil {
		p.send.Close(p.peer.ID())
		p.recv.Close(p.peer.ID())
	}
	if p.send, err = p.peer.CreateTransport(room.Send, withData); err != nil {
		return err
	}
	p.recv, err = p.peer.CreateTransport(room.Receive, withData)
	return err
}

// replaceLocked takes the participant's session away, to give it another.
func (c *call) replaceLocked(p *participant) {
	c.stopGraceLocked(p)
	if old := p.session; old != nil {
		p.session = nil
		old.stopEvents()
		old.conn.Close(signal.CodeReplaced, "replaced by a newer connection")
		c.door.counters.replaced.Add(1)
	}
}

// closedWithoutCode is what a close frame without a code stands for (RFC 6455
// §7.4.1): a client that calls close() and means it. A page that reloads sends
// 1001, a lost line nothing.
const closedWithoutCode = 1005

// detach is what happens when a session has ended.
func (c *call) detach(s *session, end signal.End) {
	c.mu.Lock()
	defer c.exit()
	p := s.participant
	if p.session != s {
		return // replaced, or left already
	}
	s.stopEvents()
	p.session = nil
	switch {
	case !end.Remote && end.Code == signal.CodeKicked:
		c.leaveLocked(p)
		c.door.discard(p)
	case hungUp(end):
		c.leaveLocked(p)
	case !end.Remote && end.Code == signal.CodeShuttingDown:
		// The room ends with the process.
	default:
		c.door.counters.lost.Add(1)
		c.startGraceLocked(p)
	}
}

// discard makes the token of somebody who was removed worthless: with it they
// would be back at once.
func (d *Door) discard(p *participant) {
	if err := d.tokens.Discard(p.grant.RoomID, p.token); err != nil {
		d.log.Error("cannot discard the token of a removed participant", "room", p.grant.RoomID, "user", p.grant.UserID, "error", err)
	}
}

// hungUp reports whether an end is meant to be one, by the client or by us.
// What our own codes mean they mean only from us.
func hungUp(end signal.End) bool {
	if end.Remote {
		return end.Code == signal.CodeNormal || end.Code == closedWithoutCode
	}
	switch end.Code {
	case signal.CodeNormal, signal.CodeCallEnded, signal.CodeKicked, signal.CodeRoomClosed, signal.CodeRevoked:
		return true
	}
	return false
}

// leaveLocked ends the participation. A friend call ends with it.
func (c *call) leaveLocked(p *participant) {
	c.forgetLocked(p)
	p.peer.Close()
	if p.grant.Kind != auth.FriendCall {
		return
	}
	for _, other := range c.participants {
		if other.session != nil {
			other.session.conn.Close(signal.CodeCallEnded, "the call has ended")
		}
		c.leaveLocked(other)
	}
}

func (c *call) forgetLocked(p *participant) {
	c.stopGraceLocked(p)
	if p.session != nil {
		p.session.stopEvents()
		p.session = nil
	}
	if c.participants[p.peer.ID()] == p {
		delete(c.participants, p.peer.ID())
	}
}

// startGraceLocked keeps the participant for a while without a session.
func (c *call) startGraceLocked(p *participant) {
	if p.peer.Closed() || !c.door.start() {
		c.leaveLocked(p)
		return
	}
	p.grace = time.AfterFunc(c.door.options.GracePeriod, func() {
		defer c.door.running.Done()
		c.mu.Lock()
		defer c.exit()
		if p.grace != nil { // not stopped in this moment
			p.grace = nil
			c.leaveLocked(p)
		}
	})
}

func (c *call) stopGraceLocked(p *participant) {
	if p.grace == nil {
		return
	}
	if p.grace.Stop() {
		c.door.running.Done()
	}
	p.grace = nil
}

// revoke ends the participation that began with the token.
func (c *call) revoke(id auth.TokenID) {
	c.mu.Lock()
	defer c.exit()
	for _, p := range c.participants {
		if p.token != id {
			continue
		}
		if p.session != nil {
			p.session.conn.Close(signal.CodeRevoked, "the token was revoked")
		}
		c.leaveLocked(p)
		return
	}
}

// has reports whether the user is in the call.
func (c *call) has(userID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.participants[userID] != nil
}

func (c *call) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.participants)
}

// each calls f with the sessions there are.
func (c *call) each(f func(*session)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.participants {
		if p.session != nil {
			f(p.session)
		}
	}
}

// shutDown ends the sessions and grace periods with the server.
func (c *call) shutDown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.participants {
		c.stopGraceLocked(p)
		if p.session != nil {
			p.session.conn.Close(signal.CodeShuttingDown, "the server is shutting down")
		}
	}
}
