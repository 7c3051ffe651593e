package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/loadtest"
)

func TestLoadsMeasureAServer(t *testing.T) {
	url := serving(t)
	for name, test := range map[string]struct {
		args               []string
		senders, receivers int
	}{
		"fanout":  {[]string{"fanout", "--receivers=3"}, 1, 3},
		"meeting": {[]string{"meeting", "--people=3", "--bitrate=600k"}, 3, 3},
		"audio":   {[]string{"audio", "--speakers=2", "--receivers=2", "--gro"}, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"loadtest"}, test.args...)
			r := execute(t, nil, append(args, "--url", url, "--warmup=300ms", "--duration=1500ms", "--max-loss=5", "--json", "--pid", strconv.Itoa(os.Getpid()))...)
			r.expect(t, exitOK, "joined")
			s := decoded[loadtest.Summary](t, r.out)
			if s.Profile != name || s.Senders != test.senders || s.Receivers != test.receivers || s.Seconds < 1.5 {
				t.Errorf("%+v", s)
			}
			if s.PacketsReceived < 100 || s.LossPercent > 5 || s.Faults+s.Duplicates != 0 || s.SilentReceivers != 0 || s.Latency.P50 <= 0 {
				t.Errorf("%+v", s)
			}
			cost := s.Server
			if cost == nil || cost.CPUMicrosPerPacket <= 0 || cost.CPUMillisPerJoin <= 0 || cost.ResidentMiB < 1 || !strings.Contains(cost.CPUBy, strconv.Itoa(os.Getpid())) {
				t.Errorf("%+v", cost)
			}
		})
	}
	execute(t, nil, "rooms", "--url", url).expect(t, exitOK, "no rooms")
}

func decoded[V any](t *testing.T, text string) (value V) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return value
}

func TestLoadReportsInWords(t *testing.T) {
	r := execute(t, nil, "loadtest", "fanout", "--url", serving(t)+"/takos-api", "--receivers=2", "--warmup=0s", "--duration=100ms", "--max-loss=5")
	r.expect(t, exitOK, "fanout: 1 senders, 2 receivers", "packets ", "latency ", "joining ", "CPU-µs per packet sent", "metrics", "KiB of it per receiver")
}

// What calls leave behind would show in the process of the test: in goleak,
// which looks when all tests are done, and in the descriptors here.
func TestCallsLeaveNothingBehind(t *testing.T) {
	url := serving(t)
	calls := func(count int) callsSummary {
		r := execute(t, nil, "loadtest", "calls", "--url", url, "--count", strconv.Itoa(count), "--lasting=20ms", "--json")
		r.expect(t, exitOK, strconv.Itoa(count)+" of "+strconv.Itoa(count)+" calls")
		s := decoded[callsSummary](t, r.out)
		if s.Calls != count || s.Faults != 0 || s.PacketsReceived < uint64(count*8) || s.CPUPerCall <= 0 {
			t.Errorf("%+v", s)
		}
		return s
	}
	before := calls(10)
	after := calls(50)
	if grown := after.Descriptors - before.Descriptors; grown > 5 {
		t.Errorf("%d more descriptors after 50 more calls", grown)
	}
	// Goroutines of the last calls may still be on their way out: those of the
	// many would be there after a few more, too.
	for range 20 {
		if after.Goroutines-before.Goroutines <= 30 {
			break
		}
		after = calls(3)
	}
	if grown := after.Goroutines - before.Goroutines; grown > 30 {
		t.Errorf("%d more goroutines after 50 more calls", grown)
	}
	execute(t, nil, "rooms", "--url", url).expect(t, exitOK, "no rooms")
}

func TestCommandsAndJoinsAreMeasuredBesideMedia(t *testing.T) {
	url := serving(t)
	args := []string{"loadtest", "control", "--url", url, "--receivers=2", "--duration=500ms", "--pid", strconv.Itoa(os.Getpid())}
	r := execute(t, nil, append(args, "--json")...)
	r.expect(t, exitOK)
	s := decoded[controlSummary](t, r.out)
	if s.CommandsPerSecond < 100 || s.CommandP99 < s.CommandP50 || s.CommandP50 <= 0 || s.MediaP99Alone <= 0 || s.MediaP99Flooded <= 0 {
		t.Errorf("%+v", s)
	}
	if s.JoinsPerSecond < 5 || s.JoinP99 < s.JoinP50 || s.JoinP50 <= 0 || s.CPUPerJoin <= 0 {
		t.Errorf("%+v", s)
	}
	execute(t, nil, args...).expect(t, exitOK, "commands ", "over one connection", "media ", "joins ")
	execute(t, nil, "rooms", "--url", url).expect(t, exitOK, "no rooms")
}

func TestLimitIsMeasuredInAProcessOfItsOwn(t *testing.T) {
	if runtime.GOOS != "linux" {
		execute(t, nil, "loadtest", "limit").expect(t, exitFailed, "unsupported")
		return
	}
	r := execute(t, nil, "loadtest", "limit", "--receivers=5", "--core=0", "--warmup=100ms", "--duration=1s", "--max-loss=5", "--json")
	r.expect(t, exitOK)
	s := decoded[loadtest.Summary](t, r.out)
	if s.Profile != loadtest.ProfileLimit || s.PacketsReceived < 5*100 || s.LossPercent > 5 || s.Faults != 0 || s.Server == nil || s.Server.CPUMicrosPerPacket <= 0 {
		t.Errorf("%+v, %+v", s, s.Server)
	}
}

func TestServersElsewhereAreSpared(t *testing.T) {
	for _, profile := range []string{"fanout", "meeting", "audio", "calls", "control"} {
		r := execute(t, nil, "loadtest", profile, "--url=https://call.example.org")
		r.expect(t, exitFailed, "call.example.org", "--yes-load-this-server")
	}
	for url, local := range map[string]bool{
		"http://localhost:3000": true, "ws://127.8.9.1/takos-api": true, "https://[::1]:3": true,
		"http://192.0.2.1": false, "http://localhost.example.org": false, "http://[2001:db8::1]": false,
	} {
		if metrics, got, err := locate(url); err != nil || got != local || !strings.HasSuffix(metrics, "/metrics") || !strings.HasPrefix(metrics, "http") {
			t.Errorf("%s: %s, local %t, %v", url, metrics, got, err)
		}
	}
	if metrics, _, err := locate("wss://example.org/base/takos-api"); err != nil || metrics != "https://example.org/base/metrics" {
		t.Errorf("%s, %v", metrics, err)
	}
}

func TestLoadsWithoutSenseAreRefused(t *testing.T) {
	for line, word := range map[string]string{
		"fanout --receivers=0":  "--receivers",
		"fanout --bitrate=1":    "--bitrate",
		"fanout --duration=2h":  "hour",
		"meeting --people=1":    "--people",
		"audio --speakers=0":    "--speakers",
		"calls --count=0":       "--count",
		"control --at-once=0":   "--at-once",
		"control --duration=2h": "hour",
		"limit --duration=0s":   "--duration",
		"limit --frame-rate=-1": "--frame-rate",
	} {
		execute(t, nil, append([]string{"loadtest"}, strings.Fields(line)...)...).expect(t, exitUsage, word)
	}
}

func TestLossFailsALoad(t *testing.T) {
	l := lasting{MaxLoss: 0.1}
	for _, test := range []struct {
		report loadtest.Report
		ok     bool
	}{
		{loadtest.Report{Received: 10_000, Lost: 10}, true},
		{loadtest.Report{Received: 10_000, Lost: 11}, false},
		{loadtest.Report{Received: 10_000, Faults: 1}, false},
		{loadtest.Report{Received: 10_000, Duplicates: 1}, false},
		{loadtest.Report{Received: 10_000, Silent: 1}, false},
		{loadtest.Report{}, false},
	} {
		if err := l.verdict(&test.report); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test.report, err)
		}
	}
}

func TestInterruptedLoadCleansUp(t *testing.T) {
	url := serving(t)
	ctx, interrupt := context.WithCancel(t.Context())
	out := &until{word: " joined", then: interrupt}
	sources := &config.Sources{Dir: t.TempDir()}
	began := time.Now()
	code := run(ctx, []string{"loadtest", "fanout", "--url", url, "--receivers=2", "--duration=1h"}, sources, console{out, out})
	if code != exitFailed || time.Since(began) > time.Minute {
		t.Errorf("exit code %d after %s\n%s", code, time.Since(began), out.text.String())
	}
	execute(t, nil, "rooms", "--url", url).expect(t, exitOK, "no rooms")
}

// until calls then once a word has been written.
type until struct {
	word string
	then func()
	text strings.Builder
}

func (u *until) Write(p []byte) (int, error) {
	if u.text.Write(p); strings.Contains(u.text.String(), u.word) {
		u.then()
	}
	return len(p), nil
}

func TestTableComparesReports(t *testing.T) {
	dir := t.TempDir()
	keep := func(name string, s loadtest.Summary) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cost := func(micros float64) *loadtest.Cost { return &loadtest.Cost{CPUMicrosPerPacket: micros} }
	limit := keep("a", loadtest.Summary{Profile: loadtest.ProfileLimit, Senders: 1, Receivers: 50, Server: cost(1)})
	one := keep("b", loadtest.Summary{Profile: "fanout", Senders: 1, Receivers: 50, Server: cost(3)})
	two := keep("c", loadtest.Summary{Profile: "fanout", Senders: 1, Receivers: 50, Server: cost(2)})
	execute(t, nil, "loadtest", "table", limit, one, two).
		expect(t, exitOK, "| fanout 1 → 50 | 2 |", "2.50 (2.00 to 3.00) | 2.50 |", "| limit 1 → 50 | 1 |", "1.00 (1.00 to 1.00) | – |")
	wrong := filepath.Join(dir, "wrong")
	if err := os.WriteFile(wrong, []byte(`{"x":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	execute(t, nil, "loadtest", "table", wrong).expect(t, exitFailed, "not a report")
}
