// Package mistake makes, from the fields that a message has, all the ways in
// which each of them can be wrong by itself. The tests of the doors send them.
package mistake

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/takoserver/takos-call/internal/signal"
)

// Mistake is a message with one wrong field.
type Mistake struct {
	Field   string // with its path
	Why     string
	Missing bool // rather than wrong
	Data    map[string]any
}

// Maker makes mistakes.
type Maker struct {
	// Good are values for fields, by name, whose types decode themselves and
	// which an empty object would not satisfy.
	Good map[string]any
}

// Object returns an object whose required fields are all right.
func (m Maker) Object(o *signal.Object) map[string]any {
	data := make(map[string]any)
	for _, f := range o.Fields {
		if f.Required {
			data[f.Name] = m.value(f)
		}
	}
	return data
}

func (m Maker) value(f signal.Field) any {
	switch value, given := m.Good[f.Name]; {
	case given:
		return value
	case f.Enum != nil:
		return f.Enum[0]
	case f.Object != nil && f.Kind == signal.Array:
		return m.elements(f)
	case f.Object != nil:
		return m.Object(f.Object)
	}
	switch f.Kind {
	case signal.String:
		return "x"
	case signal.Integer:
		return f.Min
	case signal.Boolean:
		return true
	case signal.Array:
		return make([]any, max(1, f.Min))
	case signal.Struct:
		return map[string]any{}
	}
	return "*"
}

// elements are as many objects as an array needs.
func (m Maker) elements(f signal.Field) []any {
	list := make([]any, max(1, f.Min))
	for i := range list {
		list[i] = m.Object(f.Object)
	}
	return list
}

// All returns every mistake that can be made with an object.
func (m Maker) All(o *signal.Object) (all []Mistake) {
	for _, f := range o.Fields {
		with := func(value any) map[string]any {
			data := m.Object(o)
			data[f.Name] = value
			return data
		}
		if f.Required {
			absent := m.Object(o)
			delete(absent, f.Name)
			all = append(all, Mistake{f.Name, "missing", true, absent}, Mistake{f.Name, "null", true, with(nil)})
		}
		for why, value := range wrongValues(f) {
			all = append(all, Mistake{f.Name, why, false, with(value)})
		}
		if f.Object == nil {
			continue
		}
		for _, inner := range m.All(f.Object) {
			if f.Kind == signal.Array {
				all = append(all, Mistake{f.Name + "[0]." + inner.Field, inner.Why, inner.Missing, with([]any{inner.Data})})
				continue
			}
			all = append(all, Mistake{f.Name + "." + inner.Field, inner.Why, inner.Missing, with(inner.Data)})
		}
	}
	return all
}

// wrongValues are those of a wrong type and those out of bounds.
func wrongValues(f signal.Field) map[string]any {
	values := make(map[string]any)
	for kind, value := range map[signal.JSONKind]any{
		signal.String: "text", signal.Integer: 7, signal.Boolean: false, signal.Array: []any{}, signal.Struct: map[string]any{},
	} {
		if f.Kind != signal.Any && f.Kind != kind {
			values["is "+string(kind)] = value
		}
	}
	switch f.Kind {
	case signal.String:
		addStrings(values, f)
	case signal.Integer:
		values["not whole"] = 1.5
		values["beyond 64 bits"] = json.RawMessage("1e30")
		if f.Max > 0 {
			values["too large"] = f.Max + 1
			values["negative"] = -1
		}
	case signal.Array:
		if f.Max > 0 {
			values["too long"] = make([]any, f.Max+1)
		}
		if f.Min > 0 {
			values["empty"] = []any{}
		}
	}
	return values
}

func addStrings(values map[string]any, f signal.Field) {
	switch {
	case f.Enum != nil:
		values["none of the words"] = slices.Max(f.Enum) + " or something else"
		values["empty"] = ""
		return
	case f.Min > 0:
		values["empty"] = ""
	}
	if f.Max > 0 {
		values["too long"] = strings.Repeat("x", f.Max+1)
	}
	if f.ID {
		values["unprintable"] = "a\u0000b"
	}
}
