package ice

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCandidatesKeepTheOrderOfPreference(t *testing.T) {
	list := Candidates([]Announced{
		{UDP, "192.168.1.10", 44444},
		{UDP, "203.0.113.5", 44444},
		{UDP, "2001:db8::5", 44444},
		{UDP, "sfu.example.org", 44444},
		{TCP, "192.168.1.10", 44445},
		{TCP, "203.0.113.5", 44445},
	})
	// Type and local preference, by RFC 8445 §5.1.2.1 and RFC 6544 §4.2.
	want := [][2]uint32{{126, 65535}, {126, 65534}, {126, 65533}, {126, 65532}, {90, 4<<13 + 8191}, {90, 4<<13 + 8190}}
	if len(list) != len(want) {
		t.Fatalf("%d candidates", len(list))
	}
	foundations := map[string]bool{}
	for i, c := range list {
		if i > 0 && c.Priority >= list[i-1].Priority {
			t.Errorf("candidate %d has priority %d, not below %d", i, c.Priority, list[i-1].Priority)
		}
		if foundations[c.Foundation] || len(c.Foundation) > 32 {
			t.Errorf("foundation %q", c.Foundation)
		}
		foundations[c.Foundation] = true
		if c.Priority != want[i][0]<<24|want[i][1]<<8|255 {
			t.Errorf("candidate %d has priority %#x, want %d and %d", i, c.Priority, want[i][0], want[i][1])
		}
	}
	if list[3].Address != "sfu.example.org" || list[3].IP != list[3].Address {
		t.Errorf("host name became %+v", list[3])
	}
}

func TestPrioritiesFollowAMixedOrderToo(t *testing.T) {
	list := Candidates([]Announced{
		{TCP, "192.0.2.1", 1}, {UDP, "192.0.2.1", 1}, {TCP, "192.0.2.2", 1}, {UDP, "192.0.2.2", 1}, {UDP, "192.0.2.3", 1},
	})
	for i := range list[1:] {
		if list[i].Priority <= list[i+1].Priority {
			t.Errorf("candidate %d has priority %#x, the one before %#x", i+1, list[i+1].Priority, list[i].Priority)
		}
	}
	if list[2].Foundation != "tcpcandidate2" {
		t.Errorf("the second of TCP is %q", list[2].Foundation)
	}
}

func TestCandidateJSONIsMediasoups(t *testing.T) {
	got, err := json.Marshal(Candidates([]Announced{{UDP, "127.0.0.1", 40001}, {TCP, "::1", 40002}}))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`[{"foundation":"udpcandidate","priority":2130706431,"ip":"127.0.0.1","address":"127.0.0.1","protocol":"udp","port":40001,"type":"host"}`,
		`{"foundation":"tcpcandidate","priority":1520435199,"ip":"::1","address":"::1","protocol":"tcp","port":40002,"type":"host","tcpType":"passive"}]`,
	}, ",")
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestCandidatesSurviveJSON(t *testing.T) {
	list := Candidates([]Announced{{UDP, "127.0.0.1", 40001}, {TCP, "::1", 40002}})
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	var back []Candidate
	if err := json.Unmarshal(text, &back); err != nil || !cmp.Equal(list, back) {
		t.Errorf("%v: %s", err, cmp.Diff(list, back))
	}
	if err := json.Unmarshal([]byte(`[{"protocol":"sctp"}]`), &back); err == nil {
		t.Error("read an unknown protocol")
	}
}

func TestParametersJSON(t *testing.T) {
	got, err := json.Marshal(Parameters{UsernameFragment: "u", Password: "p", ICELite: true})
	if want := `{"usernameFragment":"u","password":"p","iceLite":true}`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestCandidatesOfNothing(t *testing.T) {
	got, err := json.Marshal(Candidates(nil))
	if err != nil || string(got) != "[]" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestCandidatePrioritiesStayUnique(t *testing.T) {
	announced := make([]Announced, 20_000)
	for i := range announced {
		announced[i].Protocol = Protocol(i & 1)
	}
	list := Candidates(announced)
	seen := map[uint32]bool{}
	for _, c := range list {
		if seen[c.Priority] {
			t.Fatalf("priority %d twice among %d", c.Priority, len(list))
		}
		seen[c.Priority] = true
	}
}
