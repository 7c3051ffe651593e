package takosapi

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/signal"
)

//go:generate go test -run TestReferenceIsCurrent -update .

var update = flag.Bool("update", false, "write the reference into the page")

const page = "../../../docs/protocols/takos-api.md"

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
	for name, content := range map[string]string{
		"structures": structures(), "commands": reference(commands), "events": eventReference(), "errors": errorReference(),
		"object commands": reference(objectCommands), "object events": objectEventReference(),
	} {
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

func reference(commands []command) string {
	var b strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&b, "\n### %s\n\n%s%s\n", c.name, c.doc, map[bool]string{true: " Changes nothing."}[c.readOnly])
		if len(c.request.Fields) > 0 {
			b.WriteString("\n| data | type | |\n| --- | --- | --- |\n")
			writeFields(&b, "", c.request)
		}
		fmt.Fprintf(&b, "\nAnswer: %s.", answerName(c.response))
		if len(c.errors) > 0 {
			var names []string
			for _, code := range c.errors {
				names = append(names, "`"+string(code)+"`")
			}
			fmt.Fprintf(&b, " Errors: %s.", strings.Join(names, ", "))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	return b.String()
}

func writeFields(b *strings.Builder, prefix string, o *signal.Object) {
	for _, f := range o.Fields {
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", prefix, f.Name, typeOf(f), f.Doc)
		if f.Object != nil {
			writeFields(b, prefix+f.Name+".", f.Object)
		}
	}
}

func typeOf(f signal.Field) string {
	text := string(f.Kind)
	switch {
	case f.Enum != nil:
		text = "\"" + strings.Join(f.Enum, "\" or \"") + "\""
	case f.Kind == signal.Integer && f.Max > 0:
		text += fmt.Sprintf(", %d to %d", f.Min, f.Max)
	case f.Chars:
		text += fmt.Sprintf(", at most %d characters", f.Max)
	case f.Kind == signal.String && f.Min > 0:
		text += fmt.Sprintf(", %d to %d bytes", f.Min, f.Max)
	case f.Kind == signal.String && f.Max > 0:
		text += fmt.Sprintf(", at most %d bytes", f.Max)
	case f.Kind == signal.Array && f.Max > 0:
		text += fmt.Sprintf(", %d to %d elements", f.Min, f.Max)
	}
	if f.Required {
		return "**" + text + "**"
	}
	return text
}

func answerName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[none]():
		return "none"
	case t.Kind() == reflect.Pointer:
		return answerName(t.Elem()) + " or null"
	}
	return fmt.Sprintf("[%s](#%s)", t.Name(), strings.ToLower(t.Name()))
}

// structures are the structs of answers, and those in them.
func structures() string {
	var list []reflect.Type
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[Door]().PkgPath() || t == reflect.TypeFor[none]() || slices.Contains(list, t) {
			return
		}
		list = append(list, t)
		for i := range t.NumField() {
			add(t.Field(i).Type)
		}
	}
	for _, c := range concat(commands, objectCommands) {
		add(c.response)
	}
	var b strings.Builder
	for _, t := range list {
		fmt.Fprintf(&b, "\n### %s\n\n| field | type | |\n| --- | --- | --- |\n", t.Name())
		for i := range t.NumField() {
			f := t.Field(i)
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			doc := f.Tag.Get("doc")
			if option == "omitempty" {
				doc += "; may be missing"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, jsonType(f.Type), strings.TrimPrefix(doc, "; "))
		}
	}
	b.WriteString("\n")
	return b.String()
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Map:
		return "object of " + jsonType(t.Elem())
	case reflect.Slice:
		return "array of " + jsonType(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Interface:
		return "any"
	}
	if t.PkgPath() == reflect.TypeFor[Door]().PkgPath() {
		return fmt.Sprintf("[%s](#%s)", t.Name(), strings.ToLower(t.Name()))
	}
	if t.Name() == "Time" {
		return "string"
	}
	return "object"
}

func eventReference() string {
	var b strings.Builder
	b.WriteString("\n| event | carries | |\n| --- | --- | --- |\n")
	for _, e := range events {
		writeEvent(&b, string(e.name), e.doc, e.fields)
	}
	b.WriteString("\n")
	return b.String()
}

func objectEventReference() string {
	var b strings.Builder
	b.WriteString("\n| event | carries | |\n| --- | --- | --- |\n")
	for _, e := range objectEvents {
		writeEvent(&b, string(e.name), e.doc, e.fields)
	}
	b.WriteString("\n")
	return b.String()
}

func writeEvent(b *strings.Builder, name, doc string, fields []string) {
	var list []string
	for _, f := range fields {
		f, optional := strings.CutSuffix(f, "?")
		if text := "`" + f + "`"; optional {
			list = append(list, text+" (or not)")
		} else {
			list = append(list, text)
		}
	}
	fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, strings.Join(list, ", "), doc)
}

func errorReference() string {
	var b strings.Builder
	b.WriteString("\n| code | HTTP status | |\n| --- | --- | --- |\n")
	for _, row := range codes {
		fmt.Fprintf(&b, "| `%s` | %d | %s |\n", row.code, row.status, row.doc)
	}
	b.WriteString("\n")
	return b.String()
}

func TestTableIsComplete(t *testing.T) {
	for _, c := range concat(commands, objectCommands) {
		if c.doc == "" || !strings.HasSuffix(c.doc, ".") {
			t.Errorf("%s has no sentence", c.name)
		}
		checkDocs(t, c.name, c.request)
		for _, code := range c.errors {
			if statuses[code] == 0 {
				t.Errorf("%s: code %s is not in the table", c.name, code)
			}
		}
	}
	for kind, code := range roomCodes {
		if statuses[code] == 0 {
			t.Errorf("kind %d of room has no code: %q", kind, code)
		}
	}
}

func checkDocs(t *testing.T, where string, o *signal.Object) {
	for _, f := range o.Fields {
		if f.Doc == "" {
			t.Errorf("%s: field %s is not described", where, f.Name)
		}
		if f.Object != nil {
			checkDocs(t, where+"."+f.Name, f.Object)
		}
	}
}
