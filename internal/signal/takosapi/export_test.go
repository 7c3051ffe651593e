package takosapi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/signal"
)

// Requests are the data of all commands.
func Requests() map[string]*signal.Object { return requests(concat(commands, objectCommands)) }

// RoomRequests are those of the commands of rooms.
func RoomRequests() map[string]*signal.Object { return requests(commands) }

// ObjectRequests are those of the commands of objects.
func ObjectRequests() map[string]*signal.Object { return requests(objectCommands) }

func requests(list []command) map[string]*signal.Object {
	all := make(map[string]*signal.Object)
	for _, c := range list {
		all[c.name] = c.request
	}
	return all
}

// MayFailWith reports whether a command has a code in its row of the table, or
// the code is one of those that every command can have.
func MayFailWith(command, code string) bool {
	switch Code(code) {
	case InvalidJSON, InvalidMessage, UnknownCommand, MissingField, InvalidField, Forbidden, RateLimited:
		return true
	}
	return slices.Contains(commandByName[command].errors, Code(code))
}

// ReadOnly reports whether a command changes nothing.
func ReadOnly(command string) bool { return commandByName[command].readOnly }

// AddCommand puts a command into the table until the test ends.
func AddCommand(t *testing.T, name string, run func() error) {
	commandByName[name] = &command{name: name, run: func(*caller, json.RawMessage) (any, error) { return none{}, run() }}
	t.Cleanup(func() { delete(commandByName, name) })
}

// CheckCoverage fails for every command, code and event that the transcripts do
// not show, and for every event that carries something else than the table says.
func CheckCoverage(t *testing.T, commandsSeen, codesSeen map[string]bool, eventsSeen map[string][]map[string]any) {
	for _, c := range concat(commands, objectCommands) {
		if !commandsSeen[c.name] {
			t.Errorf("no transcript has the command %s", c.name)
		}
	}
	for _, row := range codes {
		if !codesSeen[string(row.code)] {
			t.Errorf("no transcript has the error %s", row.code)
		}
	}
	for _, e := range events {
		if len(eventsSeen[string(e.name)]) == 0 {
			t.Errorf("no transcript has the event %s", e.name)
		}
	}
	for _, e := range objectEvents {
		if len(eventsSeen[string(e.name)]) == 0 {
			t.Errorf("no transcript has the event %s", e.name)
		}
	}
	for name, list := range eventsSeen {
		for _, data := range list {
			checkEvent(t, name, data)
		}
	}
}

func checkEvent(t *testing.T, name string, data map[string]any) {
	for _, e := range events {
		if string(e.name) == name {
			checkFields(t, name, append(e.fields, "event", "roomId?"), data)
			return
		}
	}
	for _, e := range objectEvents {
		if string(e.name) == name {
			checkFields(t, name, append(e.fields, "event"), data)
			return
		}
	}
	t.Errorf("the tables do not have the event %s", name)
}

func checkFields(t *testing.T, name string, fields []string, data map[string]any) {
	var known []string
	for _, f := range fields {
		f, optional := strings.CutSuffix(f, "?")
		known = append(known, f)
		if _, there := data[f]; !there && !optional {
			t.Errorf("event %s came without %s: %v", name, f, data)
		}
	}
	for f := range data {
		if !slices.Contains(known, f) {
			t.Errorf("event %s came with %s, which the table does not have", name, f)
		}
	}
}

// AllowRequests lets each address send so many HTTP requests and no more.
func (d *Door) AllowRequests(n int) { d.rate = signal.NewAddressRate(1e-9, n) }

// Codes are all there are.
func Codes() (all []string) {
	for _, row := range codes {
		all = append(all, string(row.code))
	}
	return all
}
