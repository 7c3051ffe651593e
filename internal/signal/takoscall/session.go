package takoscall

import (
	"errors"
	"net/http"
	"sync"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// session is one WebSocket of a participant.
type session struct {
	// constant after serveCall
	door    *Door
	conn    *signal.Conn
	grant   auth.Grant
	dialect Dialect
	wishes  wishes

	// constant after attach
	call        *call
	participant *participant
	peer        *room.Peer
	send        *room.Transport
	recv        *room.Transport
	unobserve   func()

	// owned by the goroutine that runs the session
	guesses map[*room.Transport][]room.Fingerprint // connects without a transport

	mu      sync.Mutex
	waiting [][]byte // guarded by mu: events that came before init was sent
	begun   bool     // guarded by mu: init was sent
	stopped bool     // guarded by mu: events are of no interest any more
}

// serveCall upgrades a request that carries a good token, and holds the session.
func (d *Door) serveCall(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	query := r.URL.Query()
	token := query.Get("token")
	s := &session{
		door: d, dialect: dialectOf(query.Get("dialect"), d.options.Dialect), wishes: wishesOf(query.Get("events")),
	}
	if !d.admit(w, r, token) {
		return
	}
	if !d.start() {
		d.refuse(w, http.StatusServiceUnavailable, ServerClosing, "the server is shutting down")
		return
	}
	defer d.running.Done()
	grant, id, err := d.tokens.Redeem(token)
	if err != nil {
		d.refuseToken(w, r, err)
		return
	}
	s.grant = grant
	s.conn = signal.New(d.options.Limits)
	if err := s.conn.Accept(w, r); err != nil {
		d.refusals.Say(func(leftOut uint64) {
			d.log.Info("WebSocket refused", "room", grant.RoomID, "user", grant.UserID, "error", err, "not logged before", leftOut)
		})
		return
	}
	d.counters.sessions.Add(1)
	if err := d.attach(s, id, query.Get("resume") == "1"); err != nil {
		s.turnAway(err)
		return
	}
	if d.isClosed() { // Close may have looked for sessions before this was one
		s.conn.Close(signal.CodeShuttingDown, "the server is shutting down")
	}
	end := s.conn.Run(s.receive)
	if end.TooSlow() {
		d.counters.tooSlow.Add(1)
	}
	d.log.Info("session ended", "room", grant.RoomID, "user", grant.UserID, "code", end.Code, "reason", end.Reason)
	s.call.detach(s, end)
}

func dialectOf(wanted string, byDefault Dialect) Dialect {
	switch d := Dialect(wanted); d {
	case Seed, Deployed:
		return d
	}
	return byDefault
}

// turnAway ends a session that could not join: the room has been filled, say,
// since its request was looked at.
func (s *session) turnAway(err error) {
	s.door.refusals.Say(func(leftOut uint64) {
		s.door.log.Info("cannot join", "room", s.grant.RoomID, "user", s.grant.UserID, "error", err, "not logged before", leftOut)
	})
	s.door.counters.errors[codeOf(err)].Add(1)
	s.conn.Send(encode(errorMessage{Type: "error", Context: "join", Message: clientMessage(err)}))
	s.conn.Close(signal.CodeRoomClosed, clientMessage(err))
	s.conn.Run(func([]byte) {})
}

// open begins the session: from here on it gets the room's events, after init.
// call.mu is held.
func (s *session) open(resumed bool) {
	if resumed {
		s.door.counters.resumed.Add(1)
	}
	now, stop := s.peer.Room().Observe(s.observe)
	s.unobserve = stop
	init := encode(s.initMessage(now, resumed))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
	s.conn.Send(init)
	for _, message := range s.waiting {
		s.conn.Send(message)
	}
	s.waiting = nil
}

// tell queues a message, behind init if that has not been sent yet.
func (s *session) tell(message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
	case s.begun:
		s.conn.Send(message)
	default:
		s.waiting = append(s.waiting, message)
	}
}

// stopEvents makes the session deaf to its room. call.mu is held.
func (s *session) stopEvents() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	if s.unobserve != nil {
		s.unobserve()
	}
}

// reply answers a message of the client.
func (s *session) reply(message any) { s.conn.Reply(encode(message)) }

// clientMessage is what a client is told about an error.
func clientMessage(err error) string {
	var ofField *signal.FieldError
	var ofRoom *room.Error
	var ofMedia *ortc.Error
	var own *protocolError
	switch {
	case errors.As(err, &ofField), errors.As(err, &ofRoom), errors.As(err, &ofMedia), errors.As(err, &own):
		return err.Error()
	}
	return "the server failed"
}

// protocolError is a mistake of the client that only this door knows.
type protocolError struct {
	code    Code
	message string
}

func (e *protocolError) Error() string { return e.message }
