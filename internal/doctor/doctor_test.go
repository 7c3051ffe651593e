package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/address"
	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/udp"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// healthy is a machine on which nothing is wrong.
func healthy() Machine {
	return Machine{
		Interfaces: func() ([]address.Interface, error) {
			return []address.Interface{
				{Name: "lo", Up: true, Loopback: true, Addresses: []address.Address{{IP: netip.MustParseAddr("127.0.0.1")}}},
				{Name: "eth0", Up: true, Addresses: []address.Address{{IP: netip.MustParseAddr("203.0.113.9")}, {IP: netip.MustParseAddr("fe80::1")}}},
				{Name: "docker0", Up: true, Addresses: []address.Address{{IP: netip.MustParseAddr("172.17.0.1")}}},
			}, nil
		},
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			return nil, fmt.Errorf("no such host: %s", host)
		},
		Now:               func() time.Time { return noon },
		ClockSynchronised: func() (bool, bool) { return true, true },
		OpenFiles:         func() uint64 { return 1 << 20 },
		HTTP:              localClient(),
	}
}

func settings(t *testing.T, environment ...string) Settings {
	t.Helper()
	sources := &config.Sources{Environment: append([]string{"TAKOS_CALL_DATA_DIR=" + t.TempDir()}, environment...), Dir: t.TempDir()}
	c, err := sources.Load()
	if err != nil {
		t.Fatal(err)
	}
	return Settings{c, sources.Name}
}

// short is a finding without its advice, of which a test only looks for a part.
func short(r *Report) []string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, f.Grade.sign()+" "+f.Topic+": "+f.Found)
	}
	return lines
}

func expect(t *testing.T, r *Report, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, short(r)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// expectOne looks for one finding: its grade, and words in its text or advice.
func expectOne(t *testing.T, r *Report, g Grade, topic string, words ...string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Topic != topic || f.Grade != g {
			continue
		}
		missing := ""
		for _, word := range words {
			if !strings.Contains(f.Found+" → "+f.Advice, word) {
				missing = word
			}
		}
		if missing == "" {
			return
		}
	}
	t.Errorf("no finding %s %s with %q among:\n%s", g.sign(), topic, words, strings.Join(short(r), "\n"))
}

func TestSaysWhichCandidatesBrowsersGet(t *testing.T) {
	r := &Report{}
	checkAddresses(t.Context(), healthy(), settings(t, "API_KEY=0123456789abcdef"), r)
	expect(t, r,
		"✓ address eth0: 203.0.113.9 is given to browsers: a public address",
		"· address lo: 127.0.0.1 is left out: it is a loopback address, which no other machine can reach",
		"· address eth0: fe80::1 is left out: it is link-local: it means something on one cable only",
		"· address docker0: 172.17.0.1 is left out: its interface connects containers or virtual machines of this computer only",
	)
}

func TestJudgesTheAddresses(t *testing.T) {
	private := func() ([]address.Interface, error) {
		return []address.Interface{{Name: "eth0", Up: true, Addresses: []address.Address{{IP: netip.MustParseAddr("192.168.0.2")}}}}, nil
	}
	loopback := func() ([]address.Interface, error) {
		return []address.Interface{{Name: "lo", Up: true, Loopback: true, Addresses: []address.Address{{IP: netip.MustParseAddr("127.0.0.1")}}}}, nil
	}
	none := func() ([]address.Interface, error) { return nil, nil }
	broken := func() ([]address.Interface, error) { return nil, errors.New("list network interfaces: no") }
	for name, test := range map[string]struct {
		interfaces  func() ([]address.Interface, error)
		environment []string
		grade       Grade
		words       []string
	}{
		"a server with private addresses only":   {private, []string{"API_KEY=0123456789abcdef"}, Warn, []string{"private", "MEDIASOUP_ANNOUNCED_IP"}},
		"without a network, Firefox is left out": {loopback, nil, Warn, []string{"Firefox"}},
		"no address at all":                      {none, nil, Bad, []string{"MEDIASOUP_ANNOUNCED_IP"}},
		"the system does not tell":               {broken, nil, Bad, []string{"list network interfaces"}},
	} {
		m := healthy()
		m.Interfaces = test.interfaces
		r := &Report{}
		checkAddresses(t.Context(), m, settings(t, test.environment...), r)
		t.Run(name, func(t *testing.T) { expectOne(t, r, test.grade, "addresses", test.words...) })
	}
}

func TestResolvesWhatIsAnnounced(t *testing.T) {
	m := healthy()
	m.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "call.example.org":
			return []netip.Addr{netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::9")}, nil
		case "hosts-file.example.org":
			return []netip.Addr{netip.MustParseAddr("127.0.1.1")}, nil
		}
		return nil, errors.New("no such host")
	}
	for _, test := range []struct {
		announced string
		grade     Grade
		words     []string
	}{
		{"call.example.org", Good, []string{"203.0.113.9, 2001:db8::9"}},
		{"hosts-file.example.org", Bad, []string{"127.0.1.1", "hosts file"}},
		{"mistyped.example.org", Bad, []string{"does not resolve", "MEDIASOUP_ANNOUNCED_IP"}},
		{"203.0.113.9", Good, []string{"it is on eth0"}},
		{"198.51.100.1", Note, []string{"not on this machine", "forward UDP port 40000"}},
	} {
		r := &Report{}
		checkAddresses(t.Context(), m, settings(t, "API_KEY=0123456789abcdef", "MEDIASOUP_ANNOUNCED_IP="+test.announced), r)
		expectOne(t, r, test.grade, "announced", test.words...)
	}
}

func TestLooksAtThePublicURL(t *testing.T) {
	m := healthy()
	m.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "call.example.org" {
			return []netip.Addr{netip.MustParseAddr("203.0.113.9")}, nil
		}
		return nil, errors.New("no such host")
	}
	for _, test := range []struct {
		url   string
		grade Grade
		word  string
	}{
		{"https://call.example.org", Good, "https://call.example.org"},
		{"http://call.example.org", Warn, "neither camera nor microphone"},
		{"https://other.example.org", Bad, "TAKOS_CALL_PUBLIC_URL"},
	} {
		r := &Report{}
		checkAddresses(t.Context(), m, settings(t, "API_KEY=0123456789abcdef", "TAKOS_CALL_PUBLIC_URL="+test.url), r)
		expectOne(t, r, test.grade, "public URL", test.word)
	}
}

func TestMediaPort(t *testing.T) {
	interfaces := []address.Interface{{Name: "lo", Up: true, Loopback: true, Addresses: []address.Address{{IP: netip.MustParseAddr("127.0.0.1")}}}}
	taken, err := udp.Listen(udp.Options{IPs: []netip.Addr{netip.IPv4Unspecified()}})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprintf("MEDIASOUP_RTC_MIN_PORT=%d", taken.Port())
	topic := fmt.Sprintf("media port %d", taken.Port())

	r := &Report{}
	checkMedia(settings(t, port, "MEDIASOUP_RTC_MAX_PORT=65535"), r, interfaces, false)
	expectOne(t, r, Bad, topic, "cannot be opened", "MEDIASOUP_RTC_MIN_PORT")

	r = &Report{}
	checkMedia(settings(t, port, "MEDIASOUP_RTC_MAX_PORT=65535"), r, interfaces, true)
	expectOne(t, r, Good, topic, "in use by the running server")
	expectOne(t, r, Good, "UDP to 127.0.0.1", "arrives")

	r = &Report{}
	checkMedia(settings(t, "MEDIASOUP_RTC_MIN_PORT=0", "API_KEY=0123456789abcdef"), r, interfaces, false)
	expectOne(t, r, Good, "media port 0", "free", "firewall must let UDP port")
	expectOne(t, r, Good, "TCP for media, port 0", "free", "firewall should let TCP port")
}

func TestMediaPortOfTCP(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	number := taken.Addr().(*net.TCPAddr).Port
	port, topic := fmt.Sprintf("MEDIASOUP_RTC_MIN_PORT=%d", number), fmt.Sprintf("TCP for media, port %d", number)
	listen := []netip.Addr{netip.MustParseAddr("127.0.0.1")}

	r := &Report{}
	checkMediaTCP(settings(t, port, "MEDIASOUP_RTC_MAX_PORT=65535"), r, listen)
	expectOne(t, r, Bad, topic, "in use", "MEDIASOUP_RTC_MIN_PORT", "TAKOS_CALL_TCP=false")

	r = &Report{}
	checkMediaTCP(settings(t, port, "MEDIASOUP_RTC_MAX_PORT=65535", "TAKOS_CALL_TCP=false"), r, listen)
	expectOne(t, r, Note, topic, "switched off", "TAKOS_CALL_TCP")
}

func TestComparesTheKernelsLimitsWithWhatIsNeeded(t *testing.T) {
	s := settings(t)
	r := &Report{}
	checkKernelBuffers(r, udp.Stats{ReceiveBuffer: 425984, SendBuffer: wantedBuffer})
	checkOffloads(s, r, udp.Stats{})
	expectOne(t, r, Warn, "receive buffer", "416 KiB of 4096 KiB", "net.core.rmem_max=4194304", "sysctl --system")
	expectOne(t, r, Good, "send buffer", "4096 KiB")
	expectOne(t, r, Warn, "UDP_SEGMENT", "4.18")
	expectOne(t, r, Note, "UDP_GRO", "5.0")

	off := settings(t, "TAKOS_CALL_GSO=false")
	r = &Report{}
	checkOffloads(off, r, udp.Stats{GRO: true})
	expectOne(t, r, Note, "UDP_SEGMENT", "TAKOS_CALL_GSO")
	expectOne(t, r, Good, "UDP_GRO", "joins")
}

func TestHTTPPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	topic := fmt.Sprintf("HTTP port %d", port)
	s := settings(t, fmt.Sprintf("PORT=%d", port))

	r := &Report{}
	checkHTTP(t.Context(), s, r, false)
	expectOne(t, r, Bad, topic, "cannot be opened", "PORT")
	r = &Report{}
	checkHTTP(t.Context(), s, r, true)
	expectOne(t, r, Good, topic, "in use by the running server")

	free := settings(t, "PORT=0")
	r = &Report{}
	checkHTTP(t.Context(), free, r, false)
	expectOne(t, r, Good, "HTTP port 0", "only this machine", "--lan", "API_KEY")
	open := settings(t, "PORT=0", "API_KEY=0123456789abcdef")
	r = &Report{}
	checkHTTP(t.Context(), open, r, false)
	expectOne(t, r, Good, "HTTP port 0", "other machines", "firewall")
}

func TestAsksARunningServer(t *testing.T) {
	for _, test := range []struct {
		answer  string
		running bool
		grade   Grade
		word    string
	}{
		{`{"ready":true,"reasons":[]}`, true, Good, "ready"},
		{`{"ready":false,"reasons":["the server is about to end"]}`, true, Warn, "about to end"},
		{`<html>another program</html>`, false, "", ""},
		{`{"other":1}`, false, "", ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(test.answer))
		}))
		u, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		r := &Report{}
		if running := checkServer(t.Context(), healthy(), settings(t, "PORT="+u.Port()), r); running != test.running {
			t.Errorf("%s: running %v, want %v", test.answer, running, test.running)
		}
		if test.grade != "" {
			expectOne(t, r, test.grade, "server", test.word)
		} else if len(r.Findings) > 0 {
			t.Errorf("%s is taken for a server of ours: %q", test.answer, short(r))
		}
		server.Close()
	}
	r := &Report{}
	if checkServer(t.Context(), healthy(), settings(t, "PORT=1"), r) {
		t.Error("a closed port is taken for a server")
	}
	expectOne(t, r, Note, "server", "none is running")
}

func TestSystem(t *testing.T) {
	m := healthy()
	r := &Report{}
	checkSystem(m, settings(t), r)
	expect(t, r, "✓ open files: the limit of 1048576 is enough for 10000 connections", "✓ clock: 2026-11-20 12:00:00")

	m.OpenFiles = func() uint64 { return 1024 }
	m.ClockSynchronised = func() (bool, bool) { return false, true }
	r = &Report{}
	checkSystem(m, settings(t), r)
	expectOne(t, r, Warn, "open files", "1024", "LimitNOFILE=10256", "TAKOS_CALL_MAX_CONNECTIONS")
	expectOne(t, r, Warn, "clock", "nothing keeps it right", "chrony")

	m.Now = func() time.Time { return time.Unix(0, 0).UTC() }
	r = &Report{}
	checkSystem(m, settings(t), r)
	expectOne(t, r, Bad, "clock", "1970")
}

func TestDataFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		grade Grade
		word  string
	}{
		dir:                         {Good, "can be written to"},
		filepath.Join(dir, "later"): {Good, "will be made"},
		file:                        {Bad, "is a file"},
		filepath.Join(dir, "a/b/c"): {Good, "will be made"},
		filepath.Join(file, "x"):    {Bad, "TAKOS_CALL_DATA_DIR"},
		"/proc":                     {Bad, "cannot be written to"},
	} {
		r := &Report{}
		checkDataDir(settings(t, "TAKOS_CALL_DATA_DIR="+path), r)
		expectOne(t, r, want.grade, "data folder", want.word)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the doctor leaves something behind: %v %v", entries, err)
	}
}

func TestWrongSettingsAreTheOnlyFinding(t *testing.T) {
	r := Examine(t.Context(), healthy(), settings(t, "TAKOS_CALL_LISTEN_HOST=0.0.0.0"))
	if len(r.Findings) != 1 || !r.Failed() {
		t.Fatalf("findings: %q", short(r))
	}
	expectOne(t, r, Bad, "settings", "TAKOS_CALL_LISTEN_HOST", "API_KEY")
}

func TestExaminesThisMachine(t *testing.T) {
	m := ThisMachine()
	m.ClockSynchronised, m.OpenFiles = healthy().ClockSynchronised, healthy().OpenFiles
	r := Examine(t.Context(), m, settings(t, "PORT=0", "MEDIASOUP_RTC_MIN_PORT=0"))
	if r.Failed() {
		t.Errorf("this machine, on which the tests run, fails:\n%s", strings.Join(short(r), "\n"))
	}
	for _, topic := range []string{"media port 0", "HTTP port 0", "data folder", "clock", "open files"} {
		expectOne(t, r, Good, topic)
	}
}

func TestReportForPeopleAndPrograms(t *testing.T) {
	r := &Report{}
	r.add(Good, "clock", "12:00", "")
	r.add(Warn, "open files", "few", "more of them")
	var text, program bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&program)); err != nil {
		t.Fatal(err)
	}
	const want = `✓ clock       12:00
! open files  few
              → more of them

Nothing here keeps calls from working.
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	var decoded struct {
		OK       bool
		Findings []Finding
	}
	if err := json.Unmarshal(program.Bytes(), &decoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Findings, decoded.Findings); diff != "" || !decoded.OK {
		t.Errorf("JSON (-want +got):\n%s\n%s", diff, program.String())
	}

	for problems, sentence := range map[int]string{1: "One thing keeps calls from working", 2: "2 things keep calls from working"} {
		failed := &Report{}
		for range problems {
			failed.add(Bad, "x", "broken", "")
		}
		var text bytes.Buffer
		if err := failed.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if !failed.Failed() || !strings.Contains(text.String(), sentence) {
			t.Errorf("with %d problems: %s", problems, text.String())
		}
	}
}
