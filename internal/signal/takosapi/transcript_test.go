package takosapi_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/transcript"
)

const page = "../../../docs/protocols/takos-api.md"

// seen is what the transcripts of the page have sent and received.
type seen struct {
	commands map[string]bool
	codes    map[string]bool
	events   map[string][]map[string]any
}

func (s *seen) note(e transcript.Exchange) {
	if name, found := strings.CutPrefix(e.Path, takosapi.Path+"/"); found && e.Sent {
		name, _, _ = strings.Cut(name, "?")
		s.commands[name] = true
	}
	var m struct {
		Type  string
		Data  map[string]any
		Error struct{ Code string }
	}
	_ = json.Unmarshal([]byte(e.Text), &m)
	switch {
	case e.Sent:
		s.commands[m.Type] = true
	case m.Type == "event":
		name, _ := m.Data["event"].(string)
		s.events[name] = append(s.events[name], m.Data)
	case m.Error.Code != "":
		s.codes[m.Error.Code] = true
	}
}

func TestTranscriptsOfThePage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	p, err := transcript.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	hash, err := fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	description := describedBy(t, newWorld(t, nil))
	all := &seen{commands: map[string]bool{}, codes: map[string]bool{}, events: map[string][]map[string]any{}}
	for _, tr := range p.Transcripts {
		t.Run(tr.Name, func(t *testing.T) {
			w := newWorld(t, tr.Settings)
			log, err := tr.Run(t.Context(), transcript.Server{URL: w.url, Do: w.act, Values: map[string]string{
				"key": key, "newkey": "another-key", "teamkey": "team-key", "readkey": "read-key", "url": w.url, "fingerprint": hash,
			}})
			if err != nil {
				t.Errorf("%s: %v", page, err)
			}
			for _, e := range log {
				all.note(e)
			}
			description.checkLog(t, log)
		})
	}
	if !t.Failed() {
		takosapi.CheckCoverage(t, all.commands, all.codes, all.events)
	}
}
