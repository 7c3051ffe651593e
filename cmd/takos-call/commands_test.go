package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/config"
)

// TestMain also is the process that a load test starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[2] == "bare-loop" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// result is what a command printed and how it ended.
type result struct {
	code     int
	out, err string
}

// execute runs a command line in an empty folder with this environment.
func execute(t *testing.T, environment []string, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	sources := &config.Sources{Environment: environment, Dir: t.TempDir()}
	code := run(t.Context(), args, sources, console{&out, &stderr})
	return result{code, out.String(), stderr.String()}
}

// expect checks the exit code and looks for words in what was printed.
func (r result) expect(t *testing.T, code int, words ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.out, r.err)
	}
	for _, word := range words {
		if !strings.Contains(r.out+r.err, word) {
			t.Errorf("%q was not printed:\n%s%s", word, r.out, r.err)
		}
	}
}

var link = regexp.MustCompile(`https?://[^/\s]+:\d+`)

// serving runs the serve command until the test ends and returns where.
func serving(t *testing.T, environment ...string) (url string) {
	t.Helper()
	environment = append(environment, "PORT=0", "MEDIASOUP_RTC_MIN_PORT=0", "TAKOS_CALL_DATA_DIR="+t.TempDir(),
		"TAKOS_CALL_DRAIN_DEADLINE=0s", "MEDIASOUP_LOG_LEVEL=none")
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		sources := &config.Sources{Environment: environment, Dir: t.TempDir()}
		ended <- run(ctx, []string{"serve"}, sources, console{in, io.Discard})
		_ = in.Close()
	}()
	t.Cleanup(func() {
		stop()
		_, _ = io.Copy(io.Discard, out)
		if code := <-ended; code != exitOK {
			t.Errorf("serve ended with exit code %d", code)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url = link.FindString(lines.Text()); url != "" {
			return url
		}
	}
	t.Fatal("serve ended without a link")
	return ""
}

func TestVersionSaysWhichBuildThisIs(t *testing.T) {
	execute(t, nil, "version").expect(t, exitOK, "takos-call ", "commit ", "go         go1.", "platform   ")
}

func TestHelpNamesTheCommandsButNotTheHiddenOne(t *testing.T) {
	r := execute(t, nil, "--help")
	r.expect(t, exitOK, "serve", "token", "rooms", "doctor", "version")
	if strings.Contains(r.out, "reference page") {
		t.Errorf("the hidden command is shown:\n%s", r.out)
	}
}

func TestWhatIsWrongOnTheCommandLineIsSaidInOneLine(t *testing.T) {
	for name, test := range map[string]struct {
		environment []string
		args        []string
		word        string
	}{
		"an unknown command":             {nil, []string{"sevre"}, "sevre"},
		"an unknown flag":                {nil, []string{"serve", "--prot=1"}, "--port"},
		"a wrong value":                  {[]string{"PORT=abc"}, []string{"serve"}, `PORT is "abc", but must be a whole number`},
		"settings that exclude each":     {[]string{"TAKOS_CALL_LISTEN_HOST=0.0.0.0"}, []string{"serve"}, "TAKOS_CALL_LISTEN_HOST"},
		"a token without a user":         {nil, []string{"token", "--room=r"}, "--user"},
		"a token of an unknown kind":     {nil, []string{"token", "--room=r", "--user=u", "--kind=x"}, "kind"},
		"somebody to mute, but no room":  {nil, []string{"rooms", "mute"}, "<room>"},
		"settings of a server elsewhere": {[]string{"PORT=abc"}, []string{"rooms"}, "PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			r := execute(t, test.environment, test.args...)
			r.expect(t, exitUsage, test.word)
			if r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "takos-call: ") {
				t.Errorf("printed:\n%s%s", r.out, r.err)
			}
		})
	}
}

func TestUnknownVariablesAreWarnedAbout(t *testing.T) {
	execute(t, []string{"TAKOS_CALL_COLOR=red", "TAKOS_CALL_DATA_DIR=" + t.TempDir()}, "doctor").
		expect(t, exitOK, "takos-call: warning: TAKOS_CALL_COLOR is not a setting")
}

func TestDoctorFailsWhenSomethingKeepsCallsFromWorking(t *testing.T) {
	free := []string{"PORT=0", "MEDIASOUP_RTC_MIN_PORT=0", "TAKOS_CALL_DATA_DIR=" + t.TempDir()}
	execute(t, free, "doctor").expect(t, exitOK, "✓", "media port", "Nothing here keeps calls from working")

	r := execute(t, append(free, "TAKOS_CALL_DATA_DIR=/dev/null"), "doctor", "--json")
	r.expect(t, exitFailed)
	var report struct{ OK bool }
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || report.OK {
		t.Errorf("not the JSON of a failure (%v):\n%s", err, r.out)
	}
}

func TestServeSaysWhatCannotBeOpened(t *testing.T) {
	execute(t, []string{"TAKOS_CALL_DATA_DIR=/dev/null", "MEDIASOUP_LOG_LEVEL=none"}, "serve").
		expect(t, exitFailed, "data folder", "TAKOS_CALL_DATA_DIR")
}

func TestNoServerIsSaidInWords(t *testing.T) {
	execute(t, nil, "rooms", "--url=http://127.0.0.1:1").expect(t, exitFailed, "no server listens", "takos-call serve", "--url")
}

func TestRoomsShowsAndActs(t *testing.T) {
	url := serving(t)
	execute(t, nil, "rooms", "--url", url).expect(t, exitOK, "no rooms")
	server := dial(t, url)
	fill(t, server)

	execute(t, nil, "rooms", "--url", url).expect(t, exitOK,
		"ROOM", "team", "2 of 5", "ann@example.org", "Ann", "mic", "ben@example.org", "Ben")
	listed := execute(t, nil, "rooms", "list", "--json", "--url", url)
	var rooms []client.RoomInfo
	if err := json.Unmarshal([]byte(listed.out), &rooms); err != nil || len(rooms) != 1 || len(rooms[0].Peers) != 2 {
		t.Errorf("rooms as JSON (%v):\n%s", err, listed.out)
	}

	execute(t, nil, "rooms", "mute", "--url", url, "team", "ann@example.org").expect(t, exitOK)
	execute(t, nil, "rooms", "--url", url).expect(t, exitOK, "mic (paused)")
	execute(t, nil, "rooms", "mute", "--url", url, "team", "ann@example.org").expect(t, exitOK, "nothing to mute")
	execute(t, nil, "rooms", "mute", "--url", url, "team", "nobody").expect(t, exitFailed, "nobody")

	execute(t, nil, "rooms", "kick", "--url", url, "team", "ben@example.org", "--reason=bye").expect(t, exitOK)
	if _, err := server.Peer(t.Context(), "team", "ben@example.org"); err == nil {
		t.Error("the kicked peer is still there")
	}
	execute(t, nil, "rooms", "close", "--url", url, "team").expect(t, exitOK)
	gone := execute(t, nil, "rooms", "close", "--url", url, "team")
	gone.expect(t, exitFailed, "ROOM_NOT_FOUND")
	if strings.Count(gone.err, "takos-call: ") != 1 {
		t.Errorf("printed %q", gone.err)
	}
}

func TestCommandsFindTheServerByTheSettings(t *testing.T) {
	const key = "0123456789abcdef"
	url := serving(t, "API_KEY="+key, "TAKOS_CALL_LISTEN_HOST=localhost")
	port := url[strings.LastIndex(url, ":")+1:]
	settings := []string{"PORT=" + port, "API_KEY=" + key + ",another-key-0123456", "TAKOS_CALL_LISTEN_HOST=localhost"}
	execute(t, settings, "rooms").expect(t, exitOK, "no rooms")
	wrong := execute(t, settings, "rooms", "--key=wrong")
	wrong.expect(t, exitFailed, "UNAUTHORIZED", "does not let us in: the API key is missing or wrong")
	if strings.Count(wrong.err, "takos-call: ") != 1 || strings.Contains(wrong.err, "reach") {
		t.Errorf("printed %q", wrong.err)
	}

	token := execute(t, settings, "token", "--room=team", "--user=ann@example.org", "--expires=1m", "--host", "--name=Ann")
	token.expect(t, exitOK, "good until")
	if secret := strings.TrimSpace(token.out); len(secret) < 32 || strings.ContainsAny(secret, " \n") {
		t.Errorf("standard output is more than the token: %q", token.out)
	}
	asJSON := execute(t, settings, "token", "--room=team", "--user=ann@example.org", "--json")
	var decoded client.Token
	if err := json.Unmarshal([]byte(asJSON.out), &decoded); err != nil || decoded.Token == "" || decoded.ExpiresAt.IsZero() {
		t.Errorf("token as JSON (%v):\n%s", err, asJSON.out)
	}
}

func TestServerOfTheLANSaysThatItHasNoKey(t *testing.T) {
	url := serving(t, "TAKOS_CALL_LAN=true")
	settings := []string{"PORT=" + url[strings.LastIndex(url, ":")+1:], "TAKOS_CALL_LAN=true"}
	for _, args := range [][]string{{"rooms"}, {"token", "--room=r", "--user=u@example.org"}} {
		execute(t, settings, args...).expect(t, exitFailed, "the server has no API key: set API_KEY and start it again")
	}
}

func dial(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), url, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// fill makes a room with Ann, who has a microphone, and Ben, who may not have the
// name he wants.
func fill(t *testing.T, c *client.Client) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.CreateRoom(ctx, "team", client.RoomOptions{MaxPeers: 5})
	must(err)
	_, err = c.AddPeer(ctx, "team", "ann@example.org", client.PeerOptions{DisplayName: "Ann"})
	must(err)
	if _, err := c.AddPeer(ctx, "team", "ben@example.org", client.PeerOptions{DisplayName: "Ben\x1b[31m"}); err == nil {
		t.Error("a name may colour the terminal")
	}
	_, err = c.AddPeer(ctx, "team", "ben@example.org", client.PeerOptions{DisplayName: "Ben"})
	must(err)
	transport, err := c.CreateTransport(ctx, "team", "ann@example.org", client.Send, client.TransportOptions{})
	must(err)
	_, err = c.CreateProducer(ctx, "team", "ann@example.org", transport.ID, client.ProducerOptions{
		Kind: "audio", Source: "mic",
		RTPParameters: json.RawMessage(`{"mid":"0","codecs":[{"mimeType":"audio/opus","payloadType":111,"clockRate":48000,"channels":2}],"encodings":[{"ssrc":1234}],"rtcp":{"cname":"c"}}`),
	})
	must(err)
}

// mentioned is a command line of ours in a text: the words and flags behind the
// name, up to anything else.
var mentioned = regexp.MustCompile("takos-call((?: (?:--?[a-z][a-z-]*|[a-z]+))+)")

func TestDocumentationShowsOnlyExistingCommands(t *testing.T) {
	parser, err := kong.New(&commands{}, (&config.Sources{}).Options()...)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, pattern := range []string{"README.md", "README.ja.md", "docs/*.md", "deploy/*"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, %v", pattern, paths, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range mentioned.FindAllStringSubmatch(string(text), -1) {
				words := strings.Fields(match[1])
				node := command(parser.Model.Node, words[0])
				if node == nil {
					if strings.Contains(match[0], " --") || isCommandLike(string(text), match[0]) {
						t.Errorf("%s mentions %q, which is no command", path, match[0])
					}
					continue
				}
				found++
				for _, word := range words[1:] {
					if flag, ok := strings.CutPrefix(word, "--"); ok && !hasFlag(node, flag) {
						t.Errorf("%s mentions %q, but %s has no such flag", path, match[0], words[0])
					}
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d commands were found in the documentation", found)
	}
}

// isCommandLike reports whether a mention stands in backticks, as a command does
// and a sentence about takos-call does not.
func isCommandLike(text, mention string) bool { return strings.Contains(text, "`"+mention) }

func command(n *kong.Node, name string) *kong.Node {
	for _, child := range n.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

func hasFlag(n *kong.Node, name string) bool {
	for _, group := range n.AllFlags(false) {
		for _, flag := range group {
			if flag.Name == name {
				return true
			}
		}
	}
	for _, child := range n.Children {
		if hasFlag(child, name) {
			return true
		}
	}
	return false
}

func TestWhatOthersChoseDoesNotSteerTheTerminal(t *testing.T) {
	if got := printable("Ben\x1b[31m \u009b0m Ünal 太郎"); got != "Ben�[31m �0m Ünal 太郎" {
		t.Errorf("prints %q", got)
	}
}
