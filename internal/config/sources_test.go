package config_test

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/config"
)

// given is what a start finds.
type given struct {
	args        []string
	environment []string
	dotenv      string // .env in the working directory
	file        string // takos-call.yaml in the working directory
}

// serve is a command whose flags are the settings, as in cmd.
type serve struct {
	config.Config `embed:""`
}

// load reads the settings as the serve command does.
func load(t *testing.T, g given) (*config.Config, *config.Sources, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{".env": g.dotenv, "takos-call.yaml": g.file} {
		if text != "" {
			write(t, filepath.Join(dir, name), text)
		}
	}
	sources := &config.Sources{Environment: g.environment, Dir: dir}
	var grammar struct {
		Serve serve `cmd:""`
	}
	parser, err := kong.New(&grammar, append(sources.Options(), kong.Writers(io.Discard, io.Discard))...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"serve"}, g.args...)); err != nil {
		return nil, sources, sources.Explain(err)
	}
	return &grammar.Serve.Config, sources, nil
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDefaultsAreRight(t *testing.T) {
	c, sources, err := load(t, given{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(sources.Name); err != nil {
		t.Errorf("the defaults do not start: %v", err)
	}
	if advice := c.Advice(sources.Name); len(advice) > 0 {
		t.Errorf("advice on defaults: %q", advice)
	}
	if c.Port != 3000 || c.RTCMinPort != 40000 || c.RTCMaxPort != 49999 || c.TransportTimeout != 30*time.Second || !c.GSO || c.LAN {
		t.Errorf("not the documented defaults: %+v", c)
	}
	if diff := cmp.Diff([]string{"127.0.0.1", "::1"}, c.ListenHosts()); diff != "" {
		t.Errorf("hosts without a key (-want +got):\n%s", diff)
	}
	if !c.LoopbackOnly() {
		t.Error("without a key the listener is not on loopback only")
	}
}

func TestPrecedence(t *testing.T) {
	all := given{
		args:        []string{"--port", "1"},
		environment: []string{"PORT=2"},
		dotenv:      "PORT=3\n",
		file:        "port: 4\n",
	}
	steps := []struct {
		drop func(*given)
		want int
		name string
	}{
		{func(*given) {}, 1, "--port"},
		{func(g *given) { g.args = nil }, 2, "PORT"},
		{func(g *given) { g.environment = nil }, 3, "PORT in .env"},
		{func(g *given) { g.dotenv = "" }, 4, "port in takos-call.yaml"},
		{func(g *given) { g.file = "" }, 3000, "PORT"},
	}
	for _, step := range steps {
		step.drop(&all)
		c, sources, err := load(t, all)
		if err != nil {
			t.Fatal(err)
		}
		if c.Port != step.want || sources.Name("port") != step.name {
			t.Errorf("port %d from %q, want %d from %q", c.Port, sources.Name("port"), step.want, step.name)
		}
	}
}

func TestAnEmptyValueIsNone(t *testing.T) {
	c, _, err := load(t, given{environment: []string{"PORT=", "API_KEY="}, dotenv: "PORT=\nAPI_KEY=from-the-file-0123456789\n", file: "port:\n"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Port != 3000 || len(c.APIKeys) != 1 || c.APIKeys[0] != "from-the-file-0123456789" {
		t.Errorf("port %d, keys %d", c.Port, len(c.APIKeys))
	}
}

func TestReadsWhatDeployedInstallationsHave(t *testing.T) {
	c, _, err := load(t, given{dotenv: `
# Takos-Call
PORT=3100
API_KEY="0123456789abcdef0123456789abcdef"
MEDIASOUP_LISTEN_IP=0.0.0.0
MEDIASOUP_ANNOUNCED_IP=203.0.113.9
MEDIASOUP_RTC_MIN_PORT=40000
MEDIASOUP_RTC_MAX_PORT=40100
MEDIASOUP_LOG_LEVEL=warn
`})
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{}
	want.Port, want.RTCMinPort, want.RTCMaxPort, want.LogLevel = 3100, 40000, 40100, "warn"
	got := &config.Config{}
	got.Port, got.RTCMinPort, got.RTCMaxPort, got.LogLevel = c.Port, c.RTCMinPort, c.RTCMaxPort, c.LogLevel
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if len(c.ListenIPs) != 1 || c.ListenIPs[0] != netip.IPv4Unspecified() || len(c.AnnouncedIPs) != 1 || c.AnnouncedIPs[0] != "203.0.113.9" {
		t.Errorf("listen %v, announced %v", c.ListenIPs, c.AnnouncedIPs)
	}
	if diff := cmp.Diff([]string{""}, c.ListenHosts()); diff != "" || c.LoopbackOnly() {
		t.Errorf("hosts with a key (-want +got):\n%s", diff)
	}
}

func TestFilesThatSettingsName(t *testing.T) {
	dir := t.TempDir()
	env, file := filepath.Join(dir, "env"), filepath.Join(dir, "settings.yaml")
	write(t, env, "PORT=3200\n")
	write(t, file, "rtc-min-port: 41000\n")
	for name, g := range map[string]given{
		"by flags":           {args: []string{"--env-file", env, "--config", file}, dotenv: "PORT=1\n", file: "rtc-min-port: 1\n"},
		"by the environment": {environment: []string{"TAKOS_CALL_ENV_FILE=" + env, "TAKOS_CALL_CONFIG=" + file}},
		"by the .env file":   {dotenv: "PORT=3200\nTAKOS_CALL_CONFIG=" + file + "\n"},
	} {
		c, _, err := load(t, g)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.Port != 3200 || c.RTCMinPort != 41000 {
			t.Errorf("%s: port %d, first media port %d", name, c.Port, c.RTCMinPort)
		}
	}
}

func TestListsAndJSONInTheSettingsFile(t *testing.T) {
	c, _, err := load(t, given{file: `
announced-ip: [203.0.113.9, call.Example.org]
trusted-proxies:
  - 127.0.0.1
  - 10.1.2.3/8
gso: false
transport-timeout: 45s
max-message-size: 64KiB
max-incoming-bitrate: 2M
base-path: call/
ice-servers:
  - urls: turn:turn.example.org
    username: u
    credential: c
`})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Hosts{"203.0.113.9", "call.example.org"}, c.AnnouncedIPs); diff != "" {
		t.Error(diff)
	}
	if len(c.TrustedProxies) != 2 || c.TrustedProxies[0].String() != "127.0.0.1/32" || c.TrustedProxies[1].String() != "10.0.0.0/8" {
		t.Errorf("proxies %v", c.TrustedProxies)
	}
	if c.GSO || c.TransportTimeout != 45*time.Second || c.MaxMessageSize != 65536 || c.MaxIncomingBitrate != 2_000_000 || c.BasePath != "/call" {
		t.Errorf("not what the file says: %+v", c)
	}
	want := config.ICEServers{{URLs: config.ICEURLs{"turn:turn.example.org"}, Username: "u", Credential: "c"}}
	if diff := cmp.Diff(want, c.ICEServers); diff != "" {
		t.Error(diff)
	}
}

func TestWrongValuesAreNamedAsTheirSourceDoes(t *testing.T) {
	for name, test := range map[string]struct {
		given given
		want  []string // in the sentence
	}{
		"a word for a number, on the command line": {
			given{args: []string{"--port", "abc"}},
			[]string{"--port", `"abc"`, "must be a whole number in decimal digits, from 0 to 65535"},
		},
		"a hexadecimal number, on the command line": {
			given{args: []string{"--port=0x10"}},
			[]string{"--port", `"0x10"`, "must be a whole number in decimal digits, from 0 to 65535"},
		},
		"what could be an octal number, in the environment": {
			given{environment: []string{"PORT=0808"}},
			[]string{"PORT is", `"0808"`, "decimal digits"},
		},
		"an octal number, in .env": {
			given{dotenv: "TAKOS_CALL_MAX_ROOMS=010\n"},
			[]string{"TAKOS_CALL_MAX_ROOMS in .env", `"010"`, "decimal digits"},
		},
		"a number with separators, in the file": {
			given{file: "max-rooms: 1_000\n"},
			[]string{"max-rooms in takos-call.yaml", `"1_000"`, "decimal digits"},
		},
		"a binary number with a sign": {
			given{args: []string{"--max-rooms=+0b11"}},
			[]string{"--max-rooms", `"+0b11"`, "decimal digits"},
		},
		"out of range, in the environment": {
			given{environment: []string{"PORT=70000"}},
			[]string{"PORT is", `"70000"`, "from 0 to 65535"},
		},
		"out of range, in .env": {
			given{dotenv: "MEDIASOUP_RTC_MIN_PORT=-1\n"},
			[]string{"MEDIASOUP_RTC_MIN_PORT in .env", `"-1"`, "from 0 to 65535"},
		},
		"a duration without unit, in the file": {
			given{file: "grace-period: 15\n"},
			[]string{"grace-period in takos-call.yaml", `"15"`, "a duration with its unit"},
		},
		"an unknown level": {
			given{environment: []string{"MEDIASOUP_LOG_LEVEL=loud"}},
			[]string{"MEDIASOUP_LOG_LEVEL", `"loud"`, "one of debug, info, warn, error, none"},
		},
		"a mistyped address": {
			given{environment: []string{"MEDIASOUP_ANNOUNCED_IP=192.168.1.300"}},
			[]string{"MEDIASOUP_ANNOUNCED_IP", `"192.168.1.300"`, "addresses or host names"},
		},
		"a mistyped network": {
			given{environment: []string{"TAKOS_CALL_TRUSTED_PROXIES=10.0.0.0/40"}},
			[]string{"TAKOS_CALL_TRUSTED_PROXIES", "10.0.0.0/40", "addresses or networks"},
		},
		"an origin with a path": {
			given{environment: []string{"TAKOS_CALL_ALLOWED_ORIGINS=https://a.example/x"}},
			[]string{"TAKOS_CALL_ALLOWED_ORIGINS", "without a path"},
		},
		"a profile nobody knows": {
			given{args: []string{"--srtp-profiles=AES"}},
			[]string{"--srtp-profiles", `"AES"`, "AEAD_AES_128_GCM"},
		},
		"a switch that is neither on nor off": {
			given{environment: []string{"TAKOS_CALL_GSO=perhaps"}},
			[]string{"TAKOS_CALL_GSO", `"perhaps"`, "true or false"},
		},
		"a flag nobody knows": {
			given{args: []string{"--porrt=1"}},
			[]string{"--porrt", "--port"},
		},
		"a size without number": {
			given{args: []string{"--max-message-size=MiB"}},
			[]string{"--max-message-size", "64KiB"},
		},
		"an unknown key in the file": {
			given{file: "port: 1\nanounced-ip: 10.0.0.1\n"},
			[]string{"takos-call.yaml", "line 2", "anounced-ip is not a setting", "did you mean announced-ip?"},
		},
		"a variable as a key of the file": {
			given{file: "MEDIASOUP_ANNOUNCED_IP: 10.0.0.1\n"},
			[]string{"takos-call.yaml", "did you mean announced-ip?"},
		},
		"a key like nothing else": {
			given{file: "colour: blue\n"},
			[]string{"takos-call.yaml", "colour is not a setting"},
		},
		"a key twice": {
			given{file: "port: 1\nport: 2\n"},
			[]string{"takos-call.yaml", "port"},
		},
		"the file's own name in the file": {
			given{file: "config: other.yaml\n"},
			[]string{"takos-call.yaml", "config", "cannot stand in it"},
		},
		"a map where a value belongs": {
			given{file: "port: {a: 1}\n"},
			[]string{"takos-call.yaml", "line 1", "port must be a whole number"},
		},
		"no settings but a list": {
			given{file: "- port\n"},
			[]string{"takos-call.yaml", "line 1", "name: value"},
		},
		"no YAML": {
			given{file: "port: [\n"},
			[]string{"takos-call.yaml", "line"},
		},
		"no environment file": {
			given{dotenv: "PORT\n"},
			[]string{".env cannot be understood"},
		},
		"a file that is not there": {
			given{environment: []string{"TAKOS_CALL_CONFIG=/nowhere/x.yaml"}},
			[]string{"/nowhere/x.yaml cannot be read"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := load(t, test.given)
			expectSentence(t, err, test.want)
		})
	}
}

func TestSettingsThatContradictEachOther(t *testing.T) {
	const key = "API_KEY=0123456789abcdef"
	for name, test := range map[string]struct {
		given given
		want  []string // in the sentence; none: it must start
	}{
		"open to others without a key":       {given{environment: []string{"TAKOS_CALL_LISTEN_HOST=0.0.0.0"}}, []string{"TAKOS_CALL_LISTEN_HOST", "API_KEY", "--lan"}},
		"an address without a key":           {given{args: []string{"--listen-host=192.168.0.2"}}, []string{"--listen-host", "API_KEY"}},
		"open to others with a key":          {given{environment: []string{"TAKOS_CALL_LISTEN_HOST=0.0.0.0", key}}, nil},
		"behind a proxy without a key":       {given{environment: []string{"TAKOS_CALL_TRUSTED_PROXIES=127.0.0.1"}}, []string{"TAKOS_CALL_TRUSTED_PROXIES", "API_KEY"}},
		"a public URL without a key":         {given{args: []string{"--public-url=https://call.example.org"}}, []string{"--public-url", "API_KEY"}},
		"a local URL without a key":          {given{args: []string{"--public-url=http://localhost:8080/x"}}, nil},
		"loopback without a key":             {given{args: []string{"--listen-host=127.0.0.1"}}, nil},
		"localhost without a key":            {given{args: []string{"--listen-host=localhost"}}, nil},
		"a host name to listen on":           {given{args: []string{"--listen-host=example.org"}}, []string{"--listen-host", "IP address"}},
		"for the network, without a key":     {given{args: []string{"--lan"}}, nil},
		"for the network, but loopback":      {given{args: []string{"--lan", "--listen-host=::1"}}, []string{"--lan", "--listen-host"}},
		"the key that everybody knows":       {given{environment: []string{"API_KEY=default_api_key"}}, []string{"API_KEY", "default_api_key"}},
		"a certificate without its key":      {given{environment: []string{"TAKOS_CALL_TLS_CERT=a.pem"}}, []string{"TAKOS_CALL_TLS_CERT", "TAKOS_CALL_TLS_KEY"}},
		"limited keys alone":                 {given{environment: []string{"TAKOS_CALL_SCOPED_KEYS=0123456789abcdef;read"}}, []string{"TAKOS_CALL_SCOPED_KEYS", "API_KEY"}},
		"limited keys beside others":         {given{environment: []string{key, "TAKOS_CALL_SCOPED_KEYS=0123456789abcdeg;read"}}, nil},
		"a domain that is none":              {given{args: []string{"--domain=a b@c"}}, []string{"--domain", "a b@c", "example.org"}},
		"a domain":                           {given{args: []string{"--domain=call.example.org"}}, nil},
		"a key without its certificate":      {given{file: "tls-key: a.pem\n"}, []string{"tls-key in takos-call.yaml", "TAKOS_CALL_TLS_CERT"}},
		"announcing every address":           {given{environment: []string{key, "MEDIASOUP_ANNOUNCED_IP=0.0.0.0"}}, []string{"MEDIASOUP_ANNOUNCED_IP", "0.0.0.0"}},
		"announcing a link-local address":    {given{environment: []string{"MEDIASOUP_ANNOUNCED_IP=10.0.0.1,fe80::1"}}, []string{"MEDIASOUP_ANNOUNCED_IP", "fe80::1", "link-local"}},
		"announcing loopback to others":      {given{environment: []string{key, "MEDIASOUP_ANNOUNCED_IP=127.0.0.1"}}, []string{"MEDIASOUP_ANNOUNCED_IP", "127.0.0.1", "TAKOS_CALL_LISTEN_HOST", "localhost"}},
		"announcing loopback behind a proxy": {given{environment: []string{key, "TAKOS_CALL_LISTEN_HOST=localhost", "TAKOS_CALL_TRUSTED_PROXIES=127.0.0.1", "MEDIASOUP_ANNOUNCED_IP=127.0.0.1"}}, []string{"MEDIASOUP_ANNOUNCED_IP", "127.0.0.1"}},
		"announcing loopback to oneself":     {given{environment: []string{"MEDIASOUP_ANNOUNCED_IP=127.0.0.1,::1"}}, nil},
		"announcing a name and an address":   {given{environment: []string{key, "MEDIASOUP_ANNOUNCED_IP=call.example.org,192.168.0.2"}}, nil},
		"a range of ports that is backwards": {given{environment: []string{"MEDIASOUP_RTC_MIN_PORT=50000"}}, []string{"MEDIASOUP_RTC_MIN_PORT", "50000", "MEDIASOUP_RTC_MAX_PORT", "49999"}},
		"the profiler for everybody":         {given{args: []string{"--debug-listen=:6060"}}, []string{"--debug-listen", "loopback"}},
		"the profiler for oneself":           {given{args: []string{"--debug-listen=localhost:6060"}}, nil},
		"listening nowhere":                  {given{args: []string{"--listen-ip=,"}}, []string{"--listen-ip", "IP addresses"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, sources, err := load(t, test.given)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Check(sources.Name)
			if test.want == nil {
				if err != nil {
					t.Errorf("does not start: %v", err)
				}
				return
			}
			expectSentence(t, err, test.want)
		})
	}
}

func expectSentence(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatal("the settings pass")
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not contain %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than a sentence", err)
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	const secret = "hunter2hunter2"
	_, _, err := load(t, given{environment: []string{`TAKOS_CALL_ICE_SERVERS=[{"urls":"http://x","credential":"` + secret + `"}]`}})
	if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "TAKOS_CALL_ICE_SERVERS") {
		t.Errorf("the sentence names no setting, or tells the secret: %v", err)
	}
	c, _, err := load(t, given{environment: []string{"API_KEY=" + secret}})
	if err != nil {
		t.Fatal(err)
	}
	if string(c.APIKeys[0]) != secret {
		t.Fatalf("the key was not read")
	}
	if printed := strings.Join([]string{c.APIKeys[0].String(), c.APIKeys[0].GoString(), c.APIKeys[0].LogValue().String()}, " "); strings.Contains(printed, secret) {
		t.Errorf("a printed key tells it: %s", printed)
	}
}

func TestWarnsAboutVariablesThatAreNoSettings(t *testing.T) {
	_, sources, err := load(t, given{
		environment: []string{"TAKOS_CALL_GRACE=1s", "TAKOS_CALL_GRACE_PERIOD=2s", "HOME=/root", "TAKOS_CALL_LISTENHOST="},
		dotenv:      "TAKOS_CALL_COLOUR_OF_THE_MOON=blue\nOTHER=1\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"TAKOS_CALL_GRACE is not a setting",
		"TAKOS_CALL_LISTENHOST is not a setting; did you mean TAKOS_CALL_LISTEN_HOST?",
		"TAKOS_CALL_COLOUR_OF_THE_MOON in .env is not a setting",
	}
	if diff := cmp.Diff(want, sources.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestAdvice(t *testing.T) {
	for name, test := range map[string]struct {
		environment []string
		want        string
	}{
		"a short key":               {[]string{"API_KEY=short", "TAKOS_CALL_TRUSTED_PROXIES=127.0.0.1"}, "API_KEY"},
		"no HTTPS for others":       {[]string{"API_KEY=0123456789abcdef"}, "HTTPS"},
		"HTTPS by a proxy":          {[]string{"API_KEY=0123456789abcdef", "TAKOS_CALL_TRUSTED_PROXIES=127.0.0.1"}, ""},
		"HTTPS by a certificate":    {[]string{"API_KEY=0123456789abcdef", "TAKOS_CALL_TLS_CERT=a", "TAKOS_CALL_TLS_KEY=b"}, ""},
		"HTTPS of the local server": {[]string{"TAKOS_CALL_LAN=true"}, ""},
	} {
		c, sources, err := load(t, given{environment: test.environment})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(c.Advice(sources.Name), "\n")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: advice %q, want something on %q", name, got, test.want)
		}
	}
}

func TestWhereThisMachineFindsTheServer(t *testing.T) {
	for want, environment := range map[string][]string{
		"http://127.0.0.1:3000":       nil,
		"http://127.0.0.1:3001/call":  {"PORT=3001", "API_KEY=0123456789abcdef", "TAKOS_CALL_BASE_PATH=/call/"},
		"https://127.0.0.1:3000":      {"TAKOS_CALL_LAN=1"},
		"https://192.168.0.2:3000":    {"API_KEY=0123456789abcdef", "TAKOS_CALL_LISTEN_HOST=192.168.0.2", "TAKOS_CALL_TLS_CERT=a", "TAKOS_CALL_TLS_KEY=b"},
		"http://[::1]:3000":           {"API_KEY=0123456789abcdef", "TAKOS_CALL_LISTEN_HOST=::"},
		"http://[2001:db8::1]:80/a/b": {"API_KEY=0123456789abcdef", "TAKOS_CALL_LISTEN_HOST=2001:db8::1", "PORT=80", "TAKOS_CALL_BASE_PATH=a/b"},
	} {
		c, _, err := load(t, given{environment: environment})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.LocalURL(); got != want {
			t.Errorf("with %v at %s, want %s", environment, got, want)
		}
	}
}

func TestLoadReadsNoCommandLine(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".env"), "PORT=3300\n")
	c, err := (&config.Sources{Environment: []string{"MEDIASOUP_LOG_LEVEL=error"}, Dir: dir}).Load()
	if err != nil {
		t.Fatal(err)
	}
	if c.Port != 3300 || c.LogLevel != "error" {
		t.Errorf("port %d, level %s", c.Port, c.LogLevel)
	}
	_, err = (&config.Sources{Environment: []string{"PORT=x"}, Dir: dir}).Load()
	expectSentence(t, err, []string{"PORT", "whole number"})
}

func TestErrorsKeepTheirCause(t *testing.T) {
	_, _, err := load(t, given{environment: []string{"TAKOS_CALL_CONFIG=/nowhere/x.yaml"}})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not wrap that the file does not exist", err)
	}
}

func TestBrokenEnvFileIsNamedByLineAndNotQuoted(t *testing.T) {
	for text, line := range map[string]string{
		"PORT=3000\nFOO BAR\nAPI_KEY=\"s3cret\n":      "line 2 ",
		"PORT=3000\n\nAPI_KEY=\"s3cret\nmore\nmore\n": "line 3 ",
	} {
		_, _, err := load(t, given{dotenv: text})
		if err == nil || !strings.Contains(err.Error(), line) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: error %v, want one that says %q and no secret", text, err, line)
		}
	}
}

func TestKeysWithLimits(t *testing.T) {
	c, _, err := load(t, given{environment: []string{"API_KEY=0123456789abcdef", "TAKOS_CALL_SCOPED_KEYS=one;read, two;rooms=a/, three;rooms=b/;read"}})
	if err != nil {
		t.Fatal(err)
	}
	want := config.ScopedKeys{
		{Secret: "one", ReadOnly: true}, {Secret: "two", RoomPrefix: "a/"}, {Secret: "three", ReadOnly: true, RoomPrefix: "b/"},
	}
	if !slices.Equal(c.ScopedKeys, want) {
		t.Errorf("read %#v", c.ScopedKeys)
	}
	for _, wrong := range []string{"hunter2", "hunter2;", "hunter2;write", "hunter2;rooms=", ";read"} {
		_, _, err := load(t, given{environment: []string{"API_KEY=0123456789abcdef", "TAKOS_CALL_SCOPED_KEYS=" + wrong}})
		if err == nil || !strings.Contains(err.Error(), "TAKOS_CALL_SCOPED_KEYS") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v, want one that names the setting and not the key", wrong, err)
		}
	}
}
