package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func ask(t *testing.T, h http.Handler, method, path, body string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	answer := map[string]any{}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s: %v in %q", method, path, err, w.Body)
		}
	}
	return w.Code, answer
}

// figure is a number within the answer's object of one way.
func figure(answer map[string]any, way, name string) any {
	return answer[way].(map[string]any)[name]
}

func TestALineOverHTTP(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c := newControl()
	h := c.handler()
	defer c.close()
	status, made := ask(t, h, "POST", "/lines", fmt.Sprintf(`{"server":%q,"seed":7}`, server.LocalAddr()))
	if status != http.StatusCreated {
		t.Fatalf("%d %v", status, made)
	}
	if status, answer := ask(t, h, "PATCH", "/lines/1", `{"up":{"loss":1}}`); status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	client, err := net.Dial("udp", made["address"].(string))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Write([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		_, answer := ask(t, h, "GET", "/lines/1", "")
		if figure(answer, "up", "lost") == 1.0 && answer["flows"] == 1.0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v", answer)
		}
	}
	if status, _ := ask(t, h, "POST", "/lines/1/rebind", ""); status != http.StatusOK {
		t.Error(status)
	}
	if status, answer := ask(t, h, "PATCH", "/lines/1", `{"up":{},"udpBlocked":false}`); status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	if _, err := client.Write([]byte("here")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	server.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, _, err := server.ReadFrom(b); err != nil || string(b[:n]) != "here" {
		t.Errorf("%q %v", b[:n], err)
	}
	if status, _ := ask(t, h, "DELETE", "/lines/1", ""); status != http.StatusOK {
		t.Error(status)
	}
	if status, _ := ask(t, h, "GET", "/lines/1", ""); status != http.StatusNotFound {
		t.Errorf("a line that was deleted: %d", status)
	}
}

func TestWhatIsRefused(t *testing.T) {
	c := newControl()
	h := c.handler()
	defer c.close()
	if status, _ := ask(t, h, "POST", "/lines", `{"server":"127.0.0.1:9"}`); status != http.StatusCreated {
		t.Fatal(status)
	}
	for _, test := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/lines", `{}`, http.StatusBadRequest},
		{"POST", "/lines", `{"server":"nowhere"}`, http.StatusBadRequest},
		{"PATCH", "/lines/1", `{"up":{"lose":0.1}}`, http.StatusBadRequest},
		{"PATCH", "/lines/1", `{"down":{"loss":2}}`, http.StatusBadRequest},
		{"PATCH", "/lines/1", `{"up":{"rate":1000}}`, http.StatusBadRequest},
		{"PATCH", "/lines/1", ``, http.StatusBadRequest},
		{"PATCH", "/lines/2", `{}`, http.StatusNotFound},
		{"DELETE", "/lines/x", ``, http.StatusNotFound},
	} {
		if status, answer := ask(t, h, test.method, test.path, test.body); status != test.want {
			t.Errorf("%s %s %s: %d %v", test.method, test.path, test.body, status, answer)
		}
	}
}

func TestEveryConditionReachesTheLink(t *testing.T) {
	var c conditions
	text := `{"loss":0.1,"burst":2,"delayMs":3.5,"jitterMs":4,"reorder":0.2,"reorderByMs":5,"duplicate":0.3,"rate":6,"queueMs":7,"police":true,"down":true}`
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%+v", c.link())
	want := "{Loss:0.1 Burst:2 Delay:3.5ms Jitter:4ms Reorder:0.2 ReorderBy:5ms Duplicate:0.3 Rate:6 Queue:7ms Police:true Down:true}"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
