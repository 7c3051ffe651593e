package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Object is how a JSON object from a client is checked. It is made from a struct
// whose fields carry tags:
//
//	json:"name"            the name of the field
//	check:"rule,rule=n"    the rules below; a field without is optional
//	doc:"…"                what it is, for a reference
//
// The rules are
//
//	required     the field must be there and not null
//	id           required, 1 to 256 bytes that can be printed
//	enum=a|b     the string is one of these
//	min=n max=n  of the bytes of a string, the elements of an array, or a number
//	chars=n      the most characters of a string
//	text         the string may have several lines
//	nested       the field's struct, or that of its elements, has rules of its own
//
// Fields that the struct does not have are ignored: clients may be newer than
// the server. The fields of embedded structs count as the struct's own.
type Object struct {
	Fields []Field
}

// Field is one field of an Object.
type Field struct {
	Name     string
	Doc      string
	Kind     JSONKind
	Required bool
	Enum     []string // of a string
	Min, Max int      // 0 for no limit
	Chars    bool     // Max counts the characters of a string and not its bytes
	Object   *Object  // for nested; of an array, that of its elements
	ID       bool     // characters that cannot be printed are refused
	Text     bool     // line feeds, carriage returns and tabs are not

	bounded bool  // Min and Max hold, even if they are 0
	path    []int // for reflect.Value.FieldByIndex
}

// Bounds are those of a string's length, an array's or a number; most is 0 where
// there is only a least.
func (f Field) Bounds() (least, most int, bounded bool) { return f.Min, f.Max, f.bounded || f.ID }

// JSONKind is the type of a JSON value.
type JSONKind string

// The kinds.
const (
	String  JSONKind = "string"
	Integer JSONKind = "integer"
	Boolean JSONKind = "boolean"
	Struct  JSONKind = "object"
	Array   JSONKind = "array"
	Any     JSONKind = "any" // also what is no JSON value at all
)

// FieldError says what is wrong with a field of a client's message.
type FieldError struct {
	// Missing tells a field that is not there from one that is wrong.
	Missing bool
	// Message names the field.
	Message string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Message }

func missing(name string) error { return &FieldError{Missing: true, Message: name + " is missing"} }

func invalid(format string, args ...any) error {
	return &FieldError{Message: fmt.Sprintf(format, args...)}
}

// maxIDLen is the longest id taken, in bytes.
const maxIDLen = 256

// ObjectOf reads the tags of a struct type. It panics if they make no sense.
func ObjectOf(t reflect.Type) *Object {
	o := &Object{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		o.Fields = append(o.Fields, fieldOf(f, name))
	}
	return o
}

func fieldOf(f reflect.StructField, name string) Field {
	made := Field{Name: name, Doc: f.Tag.Get("doc"), path: f.Index, Kind: kindOf(f.Type)}
	check, checked := f.Tag.Lookup("check")
	if checked && strings.Contains(check, "nested") {
		made.Object = ObjectOf(structOf(f.Type))
	}
	for rule := range strings.SplitSeq(check, ",") {
		made.rule(rule)
	}
	return made
}

// structOf is the struct that a nested field has, or has several of.
func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// rule applies one rule of a check tag.
func (f *Field) rule(rule string) {
	key, value, _ := strings.Cut(rule, "=")
	switch key {
	case "", "nested":
	case "required":
		f.Required = true
	case "text":
		f.Text = true
	case "id": // a required string of 1 to maxIDLen bytes that can be printed
		f.Required, f.ID, f.Min, f.Max = true, true, 1, maxIDLen
	case "enum":
		f.Enum = strings.Split(value, "|")
	case "min", "max", "chars":
		n, err := strconv.Atoi(value)
		if err != nil {
			panic(fmt.Sprintf("field %s: rule %s: %v", f.Name, rule, err))
		}
		f.bounded = true
		switch key {
		case "min":
			f.Min = n
		case "max":
			f.Max = n
		case "chars":
			f.Max, f.Chars = n, true
		}
	default:
		panic(fmt.Sprintf("field %s: there is no rule %q", f.Name, rule))
	}
}

func kindOf(t reflect.Type) JSONKind {
	if t == reflect.TypeFor[json.RawMessage]() {
		return Any
	}
	switch t.Kind() {
	case reflect.String:
		return String
	case reflect.Bool:
		return Boolean
	case reflect.Struct, reflect.Map:
		return Struct
	case reflect.Slice:
		return Array
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Int, reflect.Int64, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Integer
	}
	panic("no rule for fields of type " + t.String())
}

// Decode checks data and fills target, a pointer to the struct that the object
// was made from. what names data itself. No data and null are an empty object.
// The error is a *FieldError, or that of a field whose type decodes itself.
func (o *Object) Decode(what string, data json.RawMessage, target any) error {
	return o.decodeAt(what, "", data, reflect.ValueOf(target).Elem())
}

// DecodeField is Decode for the value of a field that is an object; errors name
// the fields in it by their path.
func (o *Object) DecodeField(name string, value json.RawMessage, target any) error {
	return o.decodeAt(name, name+".", value, reflect.ValueOf(target).Elem())
}

func (o *Object) decodeAt(what, prefix string, data json.RawMessage, target reflect.Value) error {
	var values map[string]json.RawMessage
	if len(data) > 0 && !IsNull(data) {
		if KindOf(data) != Struct {
			return invalid("%s must be an object, not %s", what, Describe(data))
		}
		if err := json.Unmarshal(data, &values); err != nil {
			return invalid("%s: %v", what, err)
		}
	}
	for i := range o.Fields {
		f := &o.Fields[i]
		value, present := values[f.Name]
		if !present || IsNull(value) {
			if f.Required {
				return missing(prefix + f.Name)
			}
			continue
		}
		if err := f.decode(prefix+f.Name, value, target.FieldByIndex(f.path)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) decode(name string, value json.RawMessage, target reflect.Value) error {
	if got := KindOf(value); f.Kind != Any && got != f.Kind {
		return invalid("%s must be %s, not %s", name, article(f.Kind), Describe(value))
	}
	switch {
	case f.Object != nil && f.Kind == Array:
		return f.decodeElements(name, value, target)
	case f.Object != nil:
		if target.Kind() == reflect.Pointer {
			target.Set(reflect.New(target.Type().Elem()))
			target = target.Elem()
		}
		return f.Object.decodeAt(name, name+".", value, target)
	}
	if err := json.Unmarshal(value, target.Addr().Interface()); err != nil {
		return explainJSON(name, err)
	}
	switch f.Kind {
	case Any:
		if f.Max > 0 && len(value) > f.Max {
			return invalid("%s is too long: %d bytes, and %d is the most", name, len(value), f.Max)
		}
	case String:
		return f.checkString(name, target.String())
	case Integer:
		return f.checkNumber(name, value)
	case Array:
		return f.checkLength(name, target.Len())
	}
	return nil
}

// decodeElements is decode for an array whose elements have rules of their own.
func (f *Field) decodeElements(name string, value json.RawMessage, target reflect.Value) error {
	var elements []json.RawMessage
	if err := json.Unmarshal(value, &elements); err != nil {
		return explainJSON(name, err)
	}
	if err := f.checkLength(name, len(elements)); err != nil {
		return err
	}
	target.Set(reflect.MakeSlice(target.Type(), len(elements), len(elements)))
	for i, element := range elements {
		at := fmt.Sprintf("%s[%d]", name, i)
		if IsNull(element) {
			return invalid("%s must be an object, not null", at)
		}
		if err := f.Object.decodeAt(at, at+".", element, target.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) checkLength(name string, elements int) error {
	if f.Max > 0 && elements > f.Max {
		return invalid("%s has %d elements; %d is the most", name, elements, f.Max)
	}
	if elements < f.Min {
		return invalid("%s needs at least %d element", name, f.Min)
	}
	return nil
}

func (f *Field) checkString(name, value string) error {
	switch {
	case len(value) < f.Min:
		return invalid("%s must not be empty", name)
	case f.Chars && utf8.RuneCountInString(value) > f.Max:
		return invalid("%s is too long: %d characters are the most", name, f.Max)
	case !f.Chars && f.Max > 0 && len(value) > f.Max:
		return invalid("%s is too long: %d bytes, and %d is the most", name, len(value), f.Max)
	case f.Enum != nil && !slices.Contains(f.Enum, value):
		return invalid("%s must be %s, not %q", name, alternatives(f.Enum), Clip(value))
	case !printable(value, f.Text):
		return invalid("%s has characters that cannot be printed", name)
	}
	return nil
}

func (f *Field) checkNumber(name string, text json.RawMessage) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return invalid("%s must be an integer", name)
	}
	if f.bounded && (n < int64(f.Min) || f.Max > 0 && n > int64(f.Max)) {
		return invalid("%s must be from %d to %d", name, f.Min, f.Max)
	}
	return nil
}

// printable keeps control characters out of logs, terminals and other people's
// pages, and half characters, which decoding has replaced, out of ids: they would
// come back as another id.
func printable(value string, lines bool) bool {
	return !strings.ContainsFunc(value, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) && !(lines && strings.ContainsRune("\n\r\t", r))
	})
}

// IsNull reports whether value is null.
func IsNull(value json.RawMessage) bool { return string(bytes.TrimSpace(value)) == "null" }

// KindOf returns the kind of a JSON value by its first character.
func KindOf(value json.RawMessage) JSONKind {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return Any
	}
	switch value[0] {
	case '"':
		return String
	case '{':
		return Struct
	case '[':
		return Array
	case 't', 'f':
		return Boolean
	case 'n':
		return Any
	}
	return Integer
}

// Describe says in words of what type a value is.
func Describe(value json.RawMessage) string {
	if IsNull(value) {
		return "null"
	}
	if kind := KindOf(value); kind != Integer {
		return article(kind)
	}
	return "a number"
}

func article(kind JSONKind) string {
	switch kind {
	case Struct, Array, Integer:
		return "an " + string(kind)
	}
	return "a " + string(kind)
}

func alternatives(enum []string) string {
	quoted := make([]string, len(enum))
	for i, value := range enum {
		quoted[i] = strconv.Quote(value)
	}
	return strings.Join(quoted, " or ")
}

// explainJSON says which part of a field has the wrong type. Types that decode
// themselves have said so in their own errors.
func explainJSON(name string, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	if wrong.Field != "" {
		name += "." + wrong.Field
	}
	return invalid("%s does not take a %s", name, wrong.Value)
}

// Clip shortens what a client sent before it is shown to anybody.
func Clip(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
