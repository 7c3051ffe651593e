package takosapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

// session is one WebSocket of a backend.
type session struct {
	door   *Door
	access auth.Access
	conn   *signal.Conn

	// attached are the workers and routers whose events the session gets, by id. It
	// belongs to the goroutine that reads the commands.
	attached map[string]*attachment

	mu     sync.Mutex
	wanted subscription // guarded by mu
}

// unknownID answers what has no id.
const unknownID = `"unknown"`

type responseMessage struct {
	Type    string          `json:"type"`
	ID      json.RawMessage `json:"id"`
	Success bool            `json:"success"`
	Data    json.RawMessage `json:"data,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

func (d *Door) serveSession(w http.ResponseWriter, r *http.Request, access auth.Access) {
	if !signal.IsUpgrade(r) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		d.writeFailure(w, errorf(UpgradeRequired, "open a WebSocket here, or POST to %s/COMMAND", Path))
		return
	}
	s := &session{door: d, access: access, conn: signal.New(d.limits), attached: map[string]*attachment{}}
	if !d.register(s) { // before the client knows that it will get events
		d.writeFailure(w, errorf(ServerClosing, "the server is shutting down"))
		return
	}
	defer d.unregister(s)
	if err := s.conn.Accept(w, r); err != nil {
		d.refusals.Say(func(leftOut uint64) {
			d.log.Info("WebSocket refused", "key", access.KeyName, "error", err, "not logged before", leftOut)
		})
		return
	}
	address := auth.ClientAddress(r, d.options.TrustedProxies)
	d.log.Info("backend connected", "key", access.KeyName, "address", address)
	c := d.caller(r, access)
	c.session = s
	end := s.conn.Run(func(text []byte) { s.conn.Reply(s.answer(c, text)) })
	s.leaveAll(end.Code == signal.CodeNormal)
	if end.TooSlow() {
		d.counters.tooSlow.Add(1)
	}
	d.log.Info("backend disconnected", "key", access.KeyName, "address", address, "code", end.Code, "reason", end.Reason)
}

func (d *Door) register(s *session) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.sessions[s] = struct{}{}
	d.counters.connections.Add(1)
	d.running.Add(1)
	return true
}

func (d *Door) unregister(s *session) {
	d.mu.Lock()
	delete(d.sessions, s)
	d.mu.Unlock()
	d.running.Done()
}

// answer carries out one message and returns the response.
func (s *session) answer(c *caller, text []byte) []byte {
	var q map[string]json.RawMessage // a struct would take "TYPE" for type
	if err := json.Unmarshal(text, &q); err != nil {
		if json.Valid(text) {
			return s.fail(nil, errorf(InvalidMessage, "a message must be an object {type, id, data}"))
		}
		return s.fail(nil, errorf(InvalidJSON, "the message is not JSON: %v", err))
	}
	id, typed := q["id"], q["type"]
	if kind := signal.KindOf(id); len(id) == 0 || kind != signal.String && kind != signal.Integer {
		id = nil
	}
	var name string
	if len(typed) == 0 || signal.IsNull(typed) {
		return s.fail(id, errorf(InvalidMessage, "type is missing"))
	}
	if err := json.Unmarshal(typed, &name); err != nil {
		return s.fail(id, errorf(InvalidMessage, "type must be a string, not %s", signal.Describe(typed)))
	}
	data, failure := s.door.do(c, name, q["data"])
	c.settle()
	if failure != nil {
		return failed(id, failure)
	}
	return marshal(responseMessage{Type: "response", ID: orUnknown(id), Success: true, Data: encode(data)})
}

// fail answers what was no command.
func (s *session) fail(id json.RawMessage, failure *Error) []byte {
	return failed(id, s.door.counters.failed(failure))
}

func failed(id json.RawMessage, failure *Error) []byte {
	return marshal(responseMessage{Type: "response", ID: orUnknown(id), Error: failure})
}

func orUnknown(id json.RawMessage) json.RawMessage {
	if id == nil {
		return json.RawMessage(unknownID)
	}
	return id
}

// encode returns the data of an answer, nothing at all for none.
func encode(data any) json.RawMessage {
	if _, ok := data.(none); ok {
		return nil
	}
	return marshal(data)
}

// marshal encodes a message of ours, without the escapes that are only needed
// inside HTML.
func marshal(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // our own structs
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// subscription is what a session wants to be told.
type subscription struct {
	rooms       map[string]struct{} // nil for all
	audioLevels bool
	quality     bool // consumerLayersChanged, consumerScore, producerScore, producerLayersWanted
}

// subscribe replaces what the session wants to be told.
func (s *session) subscribe(w subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = w
}

// wants reports whether the session gets an event.
func (s *session) wants(e room.Event) bool {
	if !s.access.Scope.AllowsRoom(e.Room.ID()) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Type {
	case room.AudioLevels:
		if !s.wanted.audioLevels {
			return false
		}
	case room.ConsumerLayersChanged, room.ConsumerScored, room.ProducerScored, room.ProducerLayersWanted:
		if !s.wanted.quality {
			return false
		}
	}
	if s.wanted.rooms == nil {
		return true
	}
	_, wanted := s.wanted.rooms[e.Room.ID()]
	return wanted
}
