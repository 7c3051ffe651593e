package signal

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

type ref struct {
	ID string `json:"id" check:"id" doc:"whose"`
}

type inner struct {
	Size int    `json:"size" check:"min=1,max=10"`
	Word string `json:"word" check:"required"`
}

type sample struct {
	ref
	Kind   string          `json:"kind" check:"required,enum=a|b"`
	Name   string          `json:"name" check:"max=5"`
	Count  int             `json:"count" check:"min=0,max=100"`
	On     bool            `json:"on"`
	List   []string        `json:"list" check:"min=1,max=2"`
	Inner  inner           `json:"inner" check:"nested"`
	Inners []inner         `json:"inners" check:"nested,max=2"`
	Maybe  *inner          `json:"maybe" check:"nested"`
	Opaque struct{ A int } `json:"opaque"`
	Any    json.RawMessage `json:"any"`
	Free   int             `json:"free"`
	Title  string          `json:"title" check:"chars=3"`
	hidden string
	NoTag  string
	Minus  string `json:"-"`
}

var sampleObject = ObjectOf(reflect.TypeFor[sample]())

func TestObjectIsReadFromTheStruct(t *testing.T) {
	var names []string
	for _, f := range sampleObject.Fields {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "id kind name count on list inner inners maybe opaque any free title" {
		t.Errorf("fields %q", got)
	}
	id := sampleObject.Fields[0]
	if id.Kind != String || !id.Required || id.Max != maxIDLen || id.Doc != "whose" {
		t.Errorf("id: %+v", id)
	}
	if kind := sampleObject.Fields[1]; strings.Join(kind.Enum, "|") != "a|b" {
		t.Errorf("kind: %+v", kind)
	}
	_ = sample{hidden: ""}
}

func TestGoodObjectFillsTheStruct(t *testing.T) {
	var got sample
	text := `{"id":"x","kind":"b","name":"five!","count":100,"on":true,"list":["l"],"inner":{"size":3,"word":"w"},
		"inners":[{"word":"a"},{"size":2,"word":"b"}],"maybe":{"word":"m"},"opaque":{"A":1},"any":[1,null],"unknown":{"is":"ignored"},"free":-5,"title":"日本語"}`
	if err := sampleObject.Decode("data", json.RawMessage(text), &got); err != nil {
		t.Fatal(err)
	}
	want := sample{
		ref: ref{"x"}, Kind: "b", Name: "five!", Count: 100, On: true, List: []string{"l"}, Inner: inner{3, "w"},
		Inners: []inner{{0, "a"}, {2, "b"}}, Maybe: &inner{0, "m"},
		Opaque: struct{ A int }{1}, Any: json.RawMessage("[1,null]"), Free: -5, Title: "日本語",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOptionalFieldsMayBeMissingOrNull(t *testing.T) {
	for _, text := range []string{
		`{"id":"x","kind":"a"}`,
		`{"id":"x","kind":"a","name":null,"count":null,"on":null,"list":null,"inner":null,"inners":null,"maybe":null,"opaque":null,"any":null}`,
	} {
		var got sample
		if err := sampleObject.Decode("data", json.RawMessage(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNoDataIsAnEmptyObject(t *testing.T) {
	empty := ObjectOf(reflect.TypeFor[struct{}]())
	for _, text := range []string{"", "null", " null ", "{}"} {
		if err := empty.Decode("data", json.RawMessage(text), &struct{}{}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWrongFieldsAreNamed(t *testing.T) {
	const good = `"id":"x","kind":"a"`
	long := strings.Repeat("x", maxIDLen+1)
	for text, want := range map[string]string{
		`{}`:                                  "id is missing",
		`{"id":null}`:                         "id is missing",
		`{"id":"x"}`:                          "kind is missing",
		`[]`:                                  "data must be an object, not an array",
		`"x"`:                                 "data must be an object, not a string",
		`7`:                                   "data must be an object, not a number",
		`true`:                                "data must be an object, not a boolean",
		`{"id":7}`:                            "id must be a string, not a number",
		`{"id":["x"]}`:                        "id must be a string, not an array",
		`{"id":{}}`:                           "id must be a string, not an object",
		`{"id":""}`:                           "id must not be empty",
		`{"id":"` + long + `"}`:               "id is too long: 257 bytes, and 256 is the most",
		`{"id":"a\u0000b"}`:                   "id has characters that cannot be printed",
		`{"id":"x","kind":"c"}`:               `kind must be "a" or "b", not "c"`,
		`{"id":"x","kind":""}`:                `kind must be "a" or "b", not ""`,
		`{` + good + `,"name":"six chars"}`:   "name is too long: 9 bytes, and 5 is the most",
		`{` + good + `,"count":101}`:          "count must be from 0 to 100",
		`{` + good + `,"count":-1}`:           "count must be from 0 to 100",
		`{` + good + `,"count":1.5}`:          "count does not take a number 1.5",
		`{` + good + `,"count":1e99}`:         "count does not take a number 1e99",
		`{` + good + `,"count":"1"}`:          "count must be an integer, not a string",
		`{` + good + `,"on":"true"}`:          "on must be a boolean, not a string",
		`{` + good + `,"on":1}`:               "on must be a boolean, not a number",
		`{` + good + `,"list":[]}`:            "list needs at least 1 element",
		`{` + good + `,"list":["a","b","c"]}`: "list has 3 elements; 2 is the most",
		`{` + good + `,"list":[1]}`:           "list does not take a number",
		`{` + good + `,"list":{}}`:            "list must be an array, not an object",
		`{` + good + `,"inner":{}}`:           "inner.word is missing",
		`{` + good + `,"inner":{"word":"w","size":11}}`: "inner.size must be from 1 to 10",
		`{` + good + `,"inner":[]}`:                     "inner must be an object, not an array",
		`{` + good + `,"inners":{}}`:                    "inners must be an array, not an object",
		`{` + good + `,"inners":[{"word":"w"},{}]}`:     "inners[1].word is missing",
		`{` + good + `,"inners":[null]}`:                "inners[0] must be an object, not null",
		`{` + good + `,"inners":["w"]}`:                 "inners[0] must be an object, not a string",
		`{` + good + `,"inners":[{},{},{}]}`:            "inners has 3 elements; 2 is the most",
		`{` + good + `,"maybe":{}}`:                     "maybe.word is missing",
		`{` + good + `,"title":"日本語だ"}`:                 "title is too long: 3 characters are the most",
		`{` + good + `,"opaque":{"A":"x"}}`:             "opaque.A does not take a string",
	} {
		var got sample
		err := sampleObject.Decode("data", json.RawMessage(text), &got)
		var wrong *FieldError
		if !errors.As(err, &wrong) || wrong.Message != want {
			t.Errorf("%s: %v, want %s", text, err, want)
			continue
		}
		if wrong.Missing != strings.HasSuffix(want, "is missing") {
			t.Errorf("%s: missing is %v", text, wrong.Missing)
		}
	}
}

type selfMade struct{}

var errSelfMade = errors.New("made by itself")

func (*selfMade) UnmarshalJSON([]byte) error { return errSelfMade }

func TestErrorsOfTypesThatDecodeThemselvesAreKept(t *testing.T) {
	type message struct {
		Field selfMade `json:"field"`
	}
	object := ObjectOf(reflect.TypeFor[message]())
	if err := object.Decode("data", json.RawMessage(`{"field":{}}`), &message{}); !errors.Is(err, errSelfMade) {
		t.Errorf("error: %v", err)
	}
}

func TestSenselessTagsArePanics(t *testing.T) {
	for name, typ := range map[string]reflect.Type{
		"unknown rule": reflect.TypeFor[struct {
			A string `json:"a" check:"prime"`
		}](),
		"not a number": reflect.TypeFor[struct {
			A string `json:"a" check:"max=many"`
		}](),
		"not a JSON type": reflect.TypeFor[struct {
			A chan int `json:"a"`
		}](),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			ObjectOf(typ)
		}()
	}
}

func TestClipKeepsTextValid(t *testing.T) {
	if got := Clip("short"); got != "short" {
		t.Errorf("%q", got)
	}
	if got := Clip(strings.Repeat("あ", 40)); got != strings.Repeat("あ", 21)+"…" {
		t.Errorf("%q", got)
	}
}

func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{"id":"x","kind":"a","inner":{"size":3,"word":"w"}}`, `{}`, `[]`, `null`, `{"id":"a","kind":"b","list":["x"],"any":{}}`,
		`{"id":"x","kind":"a","count":1e2}`, `{"id":"` + strings.Repeat("あ", 100) + `"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return // the doors look at that first
		}
		var got sample
		err := sampleObject.Decode("data", text, &got)
		var wrong *FieldError
		if err != nil && !errors.As(err, &wrong) {
			t.Errorf("an error of another kind: %v", err)
		}
		if err == nil && (got.ID == "" || len(got.ID) > maxIDLen || got.Kind != "a" && got.Kind != "b" ||
			len(got.Name) > 5 || got.Count < 0 || got.Count > 100 || len(got.List) > 2) {
			t.Errorf("taken: %+v", got)
		}
	})
}

func BenchmarkObject(b *testing.B) {
	text := json.RawMessage(`{"id":"x","kind":"b","name":"five!","count":100,"on":true,"inner":{"size":3,"word":"w"}}`)
	b.ReportAllocs()
	for b.Loop() {
		var got sample
		if err := sampleObject.Decode("data", text, &got); err != nil {
			b.Fatal(err)
		}
	}
}

func TestFreeFieldsAreBoundedAndNamesCanBePrinted(t *testing.T) {
	type note struct {
		Title string          `json:"title" check:"max=20"`
		Data  json.RawMessage `json:"data" check:"max=8"`
	}
	o := ObjectOf(reflect.TypeFor[note]())
	for text, wrong := range map[string]string{
		`{"title":"a title","data":[1,2,3]}`: "",
		`{"title":"a\u0000b"}`:               "title",
		`{"title":"\ud800"}`:                 "title",
		`{"data":[1,2,3,4,5]}`:               "data",
	} {
		var n note
		err := o.Decode("the message", []byte(text), &n)
		if (wrong == "") != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), wrong) {
			t.Errorf("%s: %v, want an error about %q", text, err, wrong)
		}
	}
}
