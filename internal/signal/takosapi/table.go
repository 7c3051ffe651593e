package takosapi

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
)

// A command is a row of the table that everything about commands comes from:
// what is dispatched over WebSocket and HTTP, how its data is checked, and what
// the reference says.
type command struct {
	name        string
	doc         string
	request     *signal.Object
	requestType reflect.Type
	response    reflect.Type // none for nothing
	errors      []Code       // besides those that every command can have
	readOnly    bool         // changes nothing
	creates     bool         // may carry an Idempotency-Key
	run         func(c *caller, data json.RawMessage) (any, error)
}

// caller is who sent a command.
type caller struct {
	ctx     context.Context
	door    *Door
	access  auth.Access
	session *session      // nil over HTTP
	touched []*sfu.Router // whose objects the command has handled
	origin  string        // of the server as the caller addressed it: scheme://host
}

// none is the answer of commands that have nothing to say.
type none struct{}

// define makes a row from a handler. Q is a struct whose fields say how they are
// checked; see signal.Object.
func define[Q, A any](name, doc string, handle func(*caller, *Q) (A, error), errors ...Code) command {
	request := signal.ObjectOf(reflect.TypeFor[Q]())
	return command{
		name: name, doc: doc, errors: errors,
		request: request, requestType: reflect.TypeFor[Q](), response: reflect.TypeFor[A](),
		run: func(c *caller, data json.RawMessage) (any, error) {
			var q Q
			if err := request.Decode("data", data, &q); err != nil {
				return nil, err
			}
			return handle(c, &q)
		},
	}
}

// reads marks a command that changes nothing.
func reads(c command) command { c.readOnly = true; return c }

// creates marks a command whose repeat would do harm.
func creates(c command) command { c.creates = true; return c }

// commands is the table, in the order of the reference.
var commands = concat(
	roomCommands, peerCommands, transportCommands, producerCommands, consumerCommands, dataCommands,
	accessCommands, serverCommands,
)

// objectCommands handle the SFU's objects themselves, in mediasoup's words.
var objectCommands = concat(
	workerCommands, routerCommands, webRTCCommands, routerMakeCommands, routerPipeCommands, routerTransportCommands, routerProducerCommands, routerConsumerCommands,
	routerDataCommands, rtpObserverCommands,
)

var commandByName = index(concat(commands, objectCommands))

func concat(groups ...[]command) (all []command) {
	for _, group := range groups {
		all = append(all, group...)
	}
	return all
}

func index(list []command) map[string]*command {
	m := make(map[string]*command, len(list))
	for i := range list {
		if m[list[i].name] != nil {
			panic(fmt.Sprintf("command %q is in the table twice", list[i].name))
		}
		m[list[i].name] = &list[i]
	}
	return m
}

// do runs one command, by whatever way it came. The error is always one that the
// caller may see.
func (d *Door) do(c *caller, name string, data json.RawMessage) (answer any, failure *Error) {
	d.counters.commands.Add(1)
	row := commandByName[name]
	if row == nil {
		return nil, d.counters.failed(errorf(UnknownCommand, "there is no command %q", signal.Clip(name)))
	}
	if c.access.Scope.ReadOnly && !row.readOnly {
		return nil, d.counters.failed(errorf(Forbidden, "this key may only read, and %s changes something", name))
	}
	answer, err := d.runSafely(row, c, data)
	if err == nil {
		return answer, nil
	}
	failure, forCaller := coded(err)
	if !forCaller {
		d.log.Error("command failed", "command", name, "key", c.access.KeyName, "error", err)
	}
	return nil, d.counters.failed(failure)
}

// runSafely keeps a fault in one command from ending everything else.
func (d *Door) runSafely(row *command, c *caller, data json.RawMessage) (answer any, err error) {
	defer func() {
		if r := recover(); r != nil {
			d.counters.panics.Add(1)
			answer, err = nil, fmt.Errorf("panic: %v", r)
		}
	}()
	return row.run(c, data)
}
