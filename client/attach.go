package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/coder/websocket"
)

// WorkerAttached is yielded after Connected for each worker that this client gets
// the events of: how things are now. What happened while there was no connection
// is not told. For a worker that is gone EventWorkerClosed comes instead.
type WorkerAttached struct{ WorkerSnapshot }

// RouterAttached is the same for a router that Router.Attach was called for. For
// one that is gone EventRouterClosed comes instead, without a reason.
type RouterAttached struct{ RouterSnapshot }

func (WorkerAttached) event() {}
func (RouterAttached) event() {}

// attachments are the workers and routers whose events a client gets, by id.
type attachments struct {
	mu       sync.Mutex
	commands map[string]string // guarded by mu: by which to attach again
}

// objectRef is the part of a command's data that names what is attached.
type objectRef struct {
	WorkerID string `json:"workerId,omitempty"`
	RouterID string `json:"routerId,omitempty"`
}

// note looks at a command that was carried out.
func (a *attachments) note(command string, data any, answer json.RawMessage) {
	switch command {
	case "worker.create":
		var made WorkerInfo
		if json.Unmarshal(answer, &made) == nil {
			a.set(made.ID, "worker.attach")
		}
	case "worker.attach", "router.attach":
		a.set(refOf(data).id(), command)
	case "worker.detach", "worker.close", "router.detach", "router.close":
		a.forget(refOf(data).id())
	}
}

func (r objectRef) id() string { return r.WorkerID + r.RouterID } // one is empty

// refOf reads the data of a command, which may be of any type that encodes to it.
func refOf(data any) (r objectRef) {
	if text, err := json.Marshal(data); err == nil {
		_ = json.Unmarshal(text, &r) // it went to the server, which has understood it
	}
	return r
}

func (a *attachments) set(id, command string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commands[id] = command
}

func (a *attachments) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.commands, id)
}

// noteEvent looks at an event that came.
func (a *attachments) noteEvent(e Event) {
	switch e := e.(type) {
	case EventWorkerClosed:
		a.forget(e.WorkerID)
	case EventRouterClosed:
		a.forget(e.RouterID)
	}
}

func (a *attachments) list() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.commands)
}

// attachAgain attaches a new connection to what the lost one was attached to,
// before anybody else uses it. It returns what is to be told after Connected:
// the snapshots, and the events that have come meanwhile.
func (c *Client) attachAgain(ctx context.Context, ws *websocket.Conn) (news []Event, err error) {
	commands := c.attached.list()
	for _, id := range slices.Sorted(maps.Keys(commands)) {
		command, ref := commands[id], objectRef{RouterID: id}
		if command == "worker.attach" {
			ref = objectRef{WorkerID: id}
		}
		answer, err := ask(ctx, ws, command, ref, func(data json.RawMessage) {
			if e, err := parseEvent(data); err == nil {
				c.attached.noteEvent(e)
				news = append(news, e)
			}
		})
		e, err := attachedEvent(command, ref, answer, err)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
		c.attached.noteEvent(e)
		news = append(news, e)
	}
	return news, nil
}

// attachedEvent is what the answer to a command that attaches is told as.
func attachedEvent(command string, ref objectRef, answer json.RawMessage, err error) (Event, error) {
	worker := command == "worker.attach"
	switch {
	case errors.Is(err, ErrNotFound) && worker:
		return EventWorkerClosed{WorkerID: ref.WorkerID}, nil
	case errors.Is(err, ErrNotFound):
		return EventRouterClosed{RouterID: ref.RouterID}, nil
	case err != nil:
		return nil, err
	case worker:
		return decodeEvent[WorkerAttached](answer)
	}
	return decodeEvent[RouterAttached](answer)
}

// ask carries out a command on a connection that nobody else uses yet. What comes
// before the answer goes to onEvent.
func ask(ctx context.Context, ws *websocket.Conn, command string, data any, onEvent func(json.RawMessage)) (json.RawMessage, error) {
	const id = "0" // others begin at 1
	text, err := json.Marshal(request{command, id, data})
	if err != nil {
		return nil, err
	}
	if err := ws.Write(ctx, websocket.MessageText, text); err != nil {
		return nil, err
	}
	for {
		_, text, err := ws.Read(ctx)
		if err != nil {
			return nil, err
		}
		var m message
		switch {
		case json.Unmarshal(text, &m) != nil:
		case m.Type == "response" && m.ID == id:
			return m.result()
		case m.Type == "event":
			onEvent(m.Data)
		}
	}
}
