package transcript

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parrot sends back what it gets. "bye N" closes with code N, "twice X" is sent
// back twice. Over HTTP it answers with the body.
func parrot(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"why":"because","key":"`+r.Header.Get("Key")+`"}`)
			return
		}
		if r.Header.Get("Upgrade") == "" {
			_, _ = io.Copy(w, r.Body)
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		ws.SetReadLimit(-1)
		for {
			_, text, err := ws.Read(r.Context())
			if err != nil {
				return
			}
			if string(text) == "bye" {
				_ = ws.Close(4001, "as you wish")
				return
			}
			times := 1
			if rest, twice := strings.CutPrefix(string(text), "twice "); twice {
				times, text = 2, []byte(rest)
			}
			for range times {
				if ws.Write(r.Context(), websocket.MessageText, text) != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const constant = "```json thing\n{\"a\":[1,2]}\n```\n"

// run runs one transcript made of these lines.
func runLines(t *testing.T, lines ...string) error {
	t.Helper()
	p, err := Parse(constant + "```transcript Test\n" + strings.Join(lines, "\n") + "\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Transcripts[0].Run(t.Context(), Server{
		URL: parrot(t), Patience: 200 * time.Millisecond, Values: map[string]string{"key": "k"},
		Do: func(action string) error {
			if action != "do it k" {
				return errors.New("cannot " + action)
			}
			return nil
		},
	})
	return err
}

func TestWhatMatchesPasses(t *testing.T) {
	for name, lines := range map[string][]string{
		"equal":             {`open A /`, `A→ {"x":1,"y":[true,null,"z"]}`, `A← {"y":[true,null,"z"],"x":1}`},
		"any":               {`open A /`, `A→ {"x":{"y":1}}`, `A← {"x":"<any>"}`},
		"string":            {`open A /`, `A→ {"x":"y"}`, `A← {"x":"<string>"}`},
		"number":            {`open A /`, `A→ {"x":7}`, `A← {"x":"<number>"}`},
		"time":              {`open A /`, `A→ {"x":"2026-11-20T10:00:00.5Z"}`, `A← {"x":"<time>"}`},
		"the same twice":    {`open A /`, `A→ {"x":"p","y":"p"}`, `A← {"x":"<id:i>","y":"<id:i>"}`},
		"bound, then sent":  {`open A /`, `A→ {"x":"p"}`, `A← {"x":"<id:i>"}`, `A→ {"y":"<id:i>"}`, `A← {"y":"p"}`},
		"inside a string":   {`open A /`, `A→ {"x":"k"}`, `A← {"x":"<id:i>"}`, `A→ {"u":"/c/<id:i>"}`, `A← {"u":"/c/<id:i>"}`},
		"keys":              {`open A /`, `A→ {"x":{"p":1}}`, `A← {"x":{"<id:i>":1}}`, `A→ {"x":{"p":2,"q":3}}`, `A← {"x":{"<id:i>":2,"q":3}}`},
		"others":            {`open A /`, `A→ {"x":1,"y":2}`, `A← {"x":1,"...":"<any>"}`},
		"constant":          {`open A /`, `A→ {"x":"<json:thing>"}`, `A← {"x":{"a":[1,2]}}`, `A→ {"x":{"a":[1,2]}}`, `A← {"x":"<json:thing>"}`},
		"bytes":             {`open A /`, `A→ {"x":"<bytes:3>"}`, `A← {"x":"xxx"}`},
		"variable":          {`open A /`, `A→ {"x":"<key>"}`, `A← {"x":"k"}`},
		"closed":            {`open A /`, `A→ bye`, `closed A 4001 as you wish`},
		"closed, no words":  {`open A /`, `A→ bye`, `closed A 4001`, `open A /`},
		"close":             {`open A /`, `close A 1000`},
		"drop":              {`open A /`, `drop A`, `open A /`},
		"refused":           {`open A /refuse key: <key>; x: y`, `refused A 403 {"why":"because","key":"k"}`},
		"two":               {`open A /`, `open B /`, `A→ {}`, `B→ {"b":1}`, `B← {"b":1}`, `A← {}`},
		"request":           {`POST /x key: v`, `→ {"x":"<key>"}`, `← 200 {"x":"k"}`, `GET /`, `← 200`},
		"comment":           {``, `# nothing`},
		"action":            {`* do it <key>`},
		"besides":           {`open A /`, `besides A {"x":"<any>"}`, `A→ {"x":1}`, `A→ {"y":2}`, `A→ {"x":3}`, `A→ {"x":4}`, `A← {"y":2}`, `A← {"x":4}`, `A→ {"x":5}`},
		"besides, at close": {`open A /`, `besides A {"x":"<any>"}`, `A→ {"x":1}`, `A→ bye`, `closed A 4001`},
		"besides, unbound":  {`open A /`, `besides A {"x":"<any>"}`, `A→ {"x":"p"}`, `A→ {"x":"q"}`, `A→ {"y":"p","z":"q"}`, `A← {"y":"<id:i>","z":"<id:j>"}`},
	} {
		if err := runLines(t, lines...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatDoesNotMatchFails(t *testing.T) {
	for name, test := range map[string]struct {
		want  string
		lines []string
	}{
		"another value":      {"x: the line has 2, received 1", []string{`open A /`, `A→ {"x":1}`, `A← {"x":2}`}},
		"another type":       {"x: the line has", []string{`open A /`, `A→ {"x":"1"}`, `A← {"x":1}`}},
		"not an object":      {"x: the line has", []string{`open A /`, `A→ {"x":1}`, `A← {"x":{}}`}},
		"missing field":      {`field "y" is missing`, []string{`open A /`, `A→ {"x":1}`, `A← {"x":1,"y":2}`}},
		"another field":      {`fields that the line does not have: ["y"]`, []string{`open A /`, `A→ {"x":1,"y":2}`, `A← {"x":1}`}},
		"missing any":        {`field "y" is missing`, []string{`open A /`, `A→ {"x":1}`, `A← {"x":1,"y":"<any>"}`}},
		"shorter list":       {"x: the line has", []string{`open A /`, `A→ {"x":[1]}`, `A← {"x":[1,2]}`}},
		"in a list":          {"x[1]: the line has", []string{`open A /`, `A→ {"x":[1,2]}`, `A← {"x":[1,3]}`}},
		"no string":          {"x: the line has", []string{`open A /`, `A→ {"x":1}`, `A← {"x":"<string>"}`}},
		"no number":          {"x: the line has", []string{`open A /`, `A→ {"x":"1"}`, `A← {"x":"<number>"}`}},
		"no time":            {"x: the line has", []string{`open A /`, `A→ {"x":"now"}`, `A← {"x":"<time>"}`}},
		"no id":              {"x: the line has", []string{`open A /`, `A→ {"x":1}`, `A← {"x":"<id:i>"}`}},
		"not the same":       {"y: the line has", []string{`open A /`, `A→ {"x":"p","y":"q"}`, `A← {"x":"<id:i>","y":"<id:i>"}`}},
		"another constant":   {"x.a: the line has", []string{`open A /`, `A→ {"x":{"a":[]}}`, `A← {"x":"<json:thing>"}`}},
		"which key":          {"could stand for any of 2", []string{`open A /`, `A→ {"p":1,"q":1}`, `A← {"<id:i>":1}`}},
		"unbound":            {"stands for nothing yet", []string{`open A /`, `A→ {"x":"<id:i>"}`}},
		"unbound inside":     {"stands for nothing yet", []string{`open A /`, `A→ {"x":"a"}`, `A← {"x":"a<id:i>"}`}},
		"no such constant":   {"no constant", []string{`open A /`, `A→ {"x":"<json:none>"}`}},
		"none to compare":    {"no constant", []string{`open A /`, `A→ {"x":1}`, `A← {"x":"<json:none>"}`}},
		"silence":            {"received nothing", []string{`open A /`, `A← {}`}},
		"too much":           {"what no line has", []string{`open A /`, `A→ twice {}`, `A← {}`}},
		"closed at the end":  {"closed, which no line has", []string{`open A /`, `A→ bye`, `POST /`, `→ {}`, `← 200 {}`}},
		"too much, at close": {"what no line has", []string{`open A /`, `A→ twice {}`, `A← {}`, `A→ bye`, `closed A 4001`}},
		"not JSON":           {"not JSON", []string{`open A /`, `A→ twice`, `A← {}`}},
		"line not JSON":      {"the line is not JSON", []string{`open A /`, `A→ {}`, `A← {`}},
		"closed instead":     {"was closed", []string{`open A /`, `A→ bye`, `A← {}`}},
		"another code":       {`closed with 4001`, []string{`open A /`, `A→ bye`, `closed A 4002`}},
		"another reason":     {`closed with 4001`, []string{`open A /`, `A→ bye`, `closed A 4001 no`}},
		"not closed":         {"was not closed", []string{`open A /`, `closed A 4001`}},
		"not refused":        {"the WebSocket was opened", []string{`open A /`, `refused A 403 {}`}},
		"refused":            {"open A", []string{`open A /refuse`}},
		"another status":     {"status 403", []string{`open A /refuse`, `refused A 401 {}`}},
		"another refusal":    {"why", []string{`open A /refuse`, `refused A 403 {"why":"so","key":""}`}},
		"not open":           {"A is not open", []string{`A→ {}`}},
		"open already":       {"open already", []string{`open A /`, `open A /`}},
		"no answer":          {"no answer", []string{`GET /x`}},
		"another answer":     {"status 200", []string{`GET /x`, `← 404`}},
		"answer's body":      {"x: the line has", []string{`POST /x`, `→ {"x":1}`, `← 200 {"x":2}`}},
		"a body at all":      {"has a body", []string{`POST /x`, `→ {"x":1}`, `← 200`}},
		"action":             {"cannot dance", []string{`* dance`}},
		"not besides":        {"y: the line has", []string{`open A /`, `besides A {"x":"<any>"}`, `A→ {"x":1}`, `A→ {"y":2}`, `A← {"y":3}`}},
		"not besides, left":  {"what no line has", []string{`open A /`, `besides A {"x":"<any>"}`, `A→ {"x":1}`, `A→ {"y":2}`, `A→ {"x":1}`, `A← {"x":1}`}},
	} {
		err := runLines(t, test.lines...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func TestErrorsNameTheLineOfThePage(t *testing.T) {
	page := "# Title\n\n```transcript T\nopen A /\nA→ {}\n\nA← {\"x\":1}\n```\n"
	p, err := Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	log, err := p.Transcripts[0].Run(t.Context(), Server{URL: parrot(t)})
	if err == nil || !strings.HasPrefix(err.Error(), "line 7: ") {
		t.Errorf("error: %v", err)
	}
	if len(log) != 2 || !log[0].Sent || log[0].Text != "{}" || log[1].Sent {
		t.Errorf("log: %v", log)
	}
}

func TestPageIsRead(t *testing.T) {
	p, err := Parse("text\n```transcript First; a=1; b=x y\n```\n```go\nnot ours\n```\n```transcript Second\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Transcripts) != 2 || p.Transcripts[0].Name != "First" || p.Transcripts[0].Line != 2 ||
		p.Transcripts[0].Settings["a"] != "1" || p.Transcripts[0].Settings["b"] != "x y" {
		t.Errorf("read %+v", p.Transcripts)
	}
	for page, want := range map[string]string{
		"```transcript T\nsing a song\n```":      `line 2: "sing a song" begins with no verb`,
		"```transcript T\nclosed A soon\n```":    "not a number",
		"```transcript\n```":                     "no name",
		"```transcript T; a\n```":                "not key=value",
		"```json x\n{\n```":                      "constant x",
		"text\n```transcript T\n":                "line 2: the block has no end",
		"```transcript T\nopen A /\n← x {}\n```": "not a number",
	} {
		if _, err := Parse(page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", page, err, want)
		}
	}
}
