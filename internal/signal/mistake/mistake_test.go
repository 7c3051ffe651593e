package mistake

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/signal"
)

type inner struct {
	Size int `json:"size" check:"required,min=1,max=3"`
}

type message struct {
	ID     string          `json:"id" check:"id"`
	Word   string          `json:"word" check:"enum=a|b"`
	Text   string          `json:"text" check:"max=4"`
	On     bool            `json:"on"`
	List   []string        `json:"list" check:"min=1,max=2"`
	Inner  inner           `json:"inner" check:"required,nested"`
	Inners []inner         `json:"inners" check:"required,nested,max=2"`
	Free   json.RawMessage `json:"free" check:"required"`
	Number int             `json:"number"`
}

func TestEveryMistakeIsOne(t *testing.T) {
	object := signal.ObjectOf(reflect.TypeFor[message]())
	var maker Maker
	text, _ := json.Marshal(maker.Object(object))
	if err := object.Decode("it", text, &message{}); err != nil {
		t.Fatalf("the good object is wrong: %v", err)
	}
	seen := map[string]bool{}
	for _, m := range maker.All(object) {
		seen[m.Field+" "+m.Why] = true
		text, err := json.Marshal(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		err = object.Decode("it", text, &message{})
		if err == nil || !strings.HasPrefix(err.Error(), m.Field+" ") || err.(*signal.FieldError).Missing != m.Missing {
			t.Errorf("%s %s: %v", m.Field, m.Why, err)
		}
	}
	for _, want := range []string{
		"id missing", "id null", "id is integer", "id empty", "id too long", "id unprintable", "word none of the words",
		"text too long", "on is string", "list too long", "list empty", "inner missing", "inner.size missing",
		"inner.size too large", "inner.size is string",
		"inners missing", "inners too long", "inners is string", "inners[0].size missing", "inners[0].size too large", "free missing", "number not whole", "number beyond 64 bits",
	} {
		if !seen[want] {
			t.Errorf("nobody makes the mistake %q", want)
		}
	}
}

func TestGivenValuesAreUsed(t *testing.T) {
	object := signal.ObjectOf(reflect.TypeFor[message]())
	if got := (Maker{map[string]any{"free": 7}}).Object(object); got["free"] != 7 {
		t.Errorf("got %v", got)
	}
}
