package takoscall

import (
	"slices"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/signal"
)

// Messages are the fields of all messages to the server.
func Messages() map[string]*signal.Object {
	all := make(map[string]*signal.Object)
	for _, m := range messages {
		all[m.name] = m.object
	}
	return all
}

// Bodies are the fields of all HTTP bodies, by path.
func Bodies() map[string]*signal.Object {
	return map[string]*signal.Object{PathInvitation: invitationObject, PathToken: tokenObject}
}

// CheckCoverage fails for every message that the transcripts do not show, and
// for every one to the client that carries something else than the table says.
func CheckCoverage(t *testing.T, sent map[string]bool, received map[string][]map[string]any) {
	for _, m := range messages {
		if !sent[m.name] {
			t.Errorf("no transcript sends %s", m.name)
		}
	}
	for _, m := range news {
		if len(received[m.name]) == 0 {
			t.Errorf("no transcript receives %s", m.name)
		}
	}
	for name, list := range received {
		for _, m := range list {
			checkNews(t, name, m)
		}
	}
}

func checkNews(t *testing.T, name string, got map[string]any) {
	for _, m := range news {
		if m.name != name {
			continue
		}
		known := []string{"type"}
		for _, f := range m.fields {
			f, optional := strings.CutSuffix(f, "?")
			known = append(known, f)
			if _, there := got[f]; !there && !optional {
				t.Errorf("%s came without %s: %v", name, f, got)
			}
		}
		for f := range got {
			if !slices.Contains(known, f) {
				t.Errorf("%s came with %s, which the table does not have", name, f)
			}
		}
		return
	}
	t.Errorf("the table does not have %s", name)
}

// Forgotten waits until the tokens of calls that have ended are forgotten.
func (d *Door) Forgotten() {
	d.mu.Lock() // nothing is added meanwhile
	defer d.mu.Unlock()
	d.forgetting.Wait()
}
