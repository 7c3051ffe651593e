package takoscall_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/signal/takoscall"
	"github.com/takoserver/takos-call/internal/signal/transcript"
)

const page = "../../../docs/protocols/takos-call.md"

func TestTranscriptsOfThePage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	p, err := transcript.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	sent, received := map[string]bool{}, map[string][]map[string]any{}
	for _, tr := range p.Transcripts {
		t.Run(tr.Name, func(t *testing.T) {
			w := newWorld(t, tr.Settings)
			log, err := tr.Run(t.Context(), transcript.Server{URL: w.url, Do: w.act, Values: map[string]string{
				"key": key, "teamkey": "team-key", "readkey": "read-key", "url": w.url,
				"alice": w.token(t, "alice"), "bob": w.token(t, "bob"), "carol": w.token(t, "carol"),
			}})
			if err != nil {
				t.Errorf("%s: %v", page, err)
			}
			for _, e := range log {
				var m map[string]any
				_ = json.Unmarshal([]byte(e.Text), &m)
				name, _ := m["type"].(string)
				if !strings.HasPrefix(e.Path, takoscall.PathCall) || name == "" {
					continue
				}
				if e.Sent {
					sent[name] = true
				} else {
					received[name] = append(received[name], m)
				}
			}
		})
	}
	if !t.Failed() {
		takoscall.CheckCoverage(t, sent, received)
	}
}
