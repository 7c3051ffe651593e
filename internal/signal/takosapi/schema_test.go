package takosapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/transcript"
)

// described is the description that the door serves, ready to check messages.
type described struct {
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

func describedBy(t *testing.T, w *world) *described {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+takosapi.Path+"/asyncapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("api-key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", response.StatusCode, err, text)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	d := &described{jsonschema.NewCompiler(), map[string]*jsonschema.Schema{}}
	if err := d.compiler.AddResource("door.json", document); err != nil {
		t.Fatal(err)
	}
	return d
}

// check compares a message with what the description says of those of its name.
func (d *described) check(t *testing.T, name, text string) {
	t.Helper()
	schema := d.schemas[name]
	if schema == nil {
		var err error
		if schema, err = d.compiler.Compile("door.json#/components/messages/" + name + "/payload"); err != nil {
			t.Fatal(err)
		}
		d.schemas[name] = schema
	}
	message, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(message); err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
	}
}

// checkLog compares what a transcript has sent and received. Commands that were
// refused need not be what the description says.
func (d *described) checkLog(t *testing.T, log []transcript.Exchange) {
	sent := map[string]transcript.Exchange{} // by socket and id
	for _, e := range log {
		var m struct {
			Type    string
			ID      json.RawMessage
			Success bool
			Data    struct{ Event string }
		}
		if e.Socket == "" || json.Unmarshal([]byte(e.Text), &m) != nil {
			continue // over HTTP, or no message
		}
		id := e.Socket + " " + string(m.ID)
		switch {
		case e.Sent:
			sent[id] = e
		case m.Type == "event":
			d.check(t, "event."+m.Data.Event, e.Text)
		case m.Type == "response" && m.Success:
			command := sent[id]
			var name struct{ Type string }
			if json.Unmarshal([]byte(command.Text), &name) != nil || name.Type == "" {
				continue // such as one whose id came back in another form
			}
			d.check(t, name.Type, command.Text)
			d.check(t, name.Type+".response", e.Text)
		case m.Type == "response":
			d.check(t, "failure", e.Text)
		}
	}
}

func TestDescriptionIsRefusedWithoutAKey(t *testing.T) {
	w := newWorld(t, nil)
	response, err := http.Get(w.url + takosapi.Path + "/asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", response.StatusCode)
	}
}
