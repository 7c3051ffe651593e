package auth

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestEachOfSeveralKeysOpens(t *testing.T) {
	keys := NewKeys(
		Key{Name: "old", Secret: "first"},
		Key{Name: "new", Secret: "second", Scope: Scope{RoomPrefix: "a/", ReadOnly: true}},
		Key{Name: "none", Secret: ""},
	)
	for secret, want := range map[string]string{"first": "old", "second": "new"} {
		access, ok := keys.Check(secret)
		if !ok || access.KeyName != want {
			t.Errorf("Check(%q) = %v, %v", secret, access, ok)
		}
	}
	if access, _ := keys.Check("second"); access.Scope != (Scope{"a/", true}) {
		t.Errorf("scope %v", access.Scope)
	}
	for _, wrong := range []string{"", "firs", "firstt", "FIRST", "first second", "none"} {
		if access, ok := keys.Check(wrong); ok || access != (Access{}) {
			t.Errorf("Check(%q) = %v, %v", wrong, access, ok)
		}
	}
}

func TestWithoutKeysNobodyGetsIn(t *testing.T) {
	for _, keys := range []*Keys{nil, NewKeys(), NewKeys(Key{Name: "empty"})} {
		if !keys.Empty() {
			t.Error("not empty")
		}
		if _, ok := keys.Check(""); ok {
			t.Error("the empty key got in")
		}
	}
	if NewKeys(Key{Secret: "x"}).Empty() {
		t.Error("empty with a key")
	}
}

func TestScopeCoversItsRooms(t *testing.T) {
	all, some := Scope{}, Scope{RoomPrefix: "team-a/"}
	for room, want := range map[string]bool{"team-a/1": true, "team-a/": true, "team-b/1": false, "team-a": false, "": false} {
		if some.AllowsRoom(room) != want {
			t.Errorf("room %q: %v", room, !want)
		}
		if !all.AllowsRoom(room) {
			t.Errorf("room %q is not covered by everything", room)
		}
	}
}

func TestKeyIsReadFromWhereverItMayBe(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		query  string
		want   string
	}{
		"query":               {nil, "?api_key=k", "k"},
		"escaped query":       {nil, "?api_key=a%2Bb", "a+b"},
		"header":              {http.Header{"Api-Key": {"k"}}, "", "k"},
		"header before query": {http.Header{"Api-Key": {"k"}}, "?api_key=other", "k"},
		"bearer":              {http.Header{"Authorization": {"Bearer k"}}, "", "k"},
		"bearer in any case":  {http.Header{"Authorization": {"bearer  k "}}, "", "k"},
		"basic is no key":     {http.Header{"Authorization": {"Basic k"}}, "", ""},
		"nothing":             {nil, "", ""},
		"another parameter":   {nil, "?token=k", ""},
	} {
		r := httptest.NewRequest("GET", "/takos-api"+test.query, nil)
		if test.header != nil {
			r.Header = test.header
		}
		if got := RequestKey(r); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
