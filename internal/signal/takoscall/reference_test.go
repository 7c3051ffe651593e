package takoscall

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/signal"
)

//go:generate go test -run TestReferenceIsCurrent -update .

var update = flag.Bool("update", false, "write the reference into the page")

const page = "../../../docs/protocols/takos-call.md"

// The parts of the page between these lines are made from the tables.
const (
	beginMark = "<!-- made from the code: %s -->\n"
	endMark   = "<!-- end -->\n"
)

func TestReferenceIsCurrent(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, content := range map[string]string{"messages": messageReference(), "news": newsReference()} {
		begin := fmt.Sprintf(beginMark, name)
		before, rest, found := strings.Cut(want, begin)
		_, after, ended := strings.Cut(rest, endMark)
		if !found || !ended {
			t.Fatalf("the page has no place for the %s", name)
		}
		want = before + begin + content + endMark + after
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("the page is not what the tables say; go generate writes it")
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func messageReference() string {
	var b strings.Builder
	b.WriteString("\n| message | field | type | |\n| --- | --- | --- | --- |\n")
	for _, m := range messages {
		fmt.Fprintf(&b, "| **%s** | | | %s |\n", m.name, m.doc)
		for _, f := range m.object.Fields {
			fmt.Fprintf(&b, "| | `%s` | %s | %s |\n", f.Name, typeOf(f), f.Doc)
		}
	}
	b.WriteString("\n")
	return b.String()
}

func typeOf(f signal.Field) string {
	text := string(f.Kind)
	switch {
	case f.Enum != nil:
		text = "\"" + strings.Join(f.Enum, "\" or \"") + "\""
	case f.Kind == signal.Integer && f.Max > 0:
		text += fmt.Sprintf(", %d to %d", f.Min, f.Max)
	case f.Kind == signal.String && f.Max > 0:
		text += fmt.Sprintf(", at most %d bytes", f.Max)
	}
	if f.Required {
		return "**" + text + "**"
	}
	return text
}

func newsReference() string {
	var b strings.Builder
	b.WriteString("\n| message | carries | |\n| --- | --- | --- |\n")
	for _, m := range news {
		var fields []string
		for _, f := range m.fields {
			name, optional := strings.CutSuffix(f, "?")
			if text := "`" + name + "`"; optional {
				fields = append(fields, text+" (or not)")
			} else {
				fields = append(fields, text)
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, strings.Join(fields, ", "), m.doc)
	}
	b.WriteString("\n")
	return b.String()
}

func TestEveryFieldIsDescribed(t *testing.T) {
	for _, m := range messages {
		for _, f := range m.object.Fields {
			if f.Doc == "" {
				t.Errorf("%s: field %s is not described", m.name, f.Name)
			}
		}
	}
}
