package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	neturl "net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/loadtest"
)

// loadtestCommand loads a running server.
type loadtestCommand struct {
	Fanout   fanoutCommand   `cmd:"" help:"One video to many receivers."`
	Meeting  meetingCommand  `cmd:"" help:"A meeting: everybody sends audio and video and gets those of all others."`
	Audio    audioCommand    `cmd:"" help:"Several speakers to many listeners."`
	Calls    callsCommand    `cmd:"" help:"Make and end calls, one after the other."`
	Control  controlCommand  `cmd:"" help:"Commands over one connection beside media, and joins."`
	Limit    limitCommand    `cmd:"" help:"What a fan-out costs at least on this machine: encrypt and send, without a server."`
	BareLoop bareLoopCommand `cmd:"" hidden:"" help:"The process that limit measures."`
	Table    tableCommand    `cmd:"" help:"Compare reports that were written with --json: a table in Markdown."`
}

// under is what the commands that load a server have in common.
type under struct {
	remote `embed:""`

	PID     int        `name:"pid" placeholder:"PID" help:"Process of the server, if it runs on this machine: its CPU time is then known exactly. Default: as the server's metrics say, to 10 ms."`
	Yes     bool       `name:"yes-load-this-server" help:"Load a server that is not on this machine. Its calls will suffer, and so may its network."`
	LocalIP netip.Addr `name:"local-ip" placeholder:"IP" help:"Address to send from; the server is reached at its candidates of the same family."`
	GRO     bool       `name:"gro" help:"Let the kernel hand datagrams to the clients in bulk. Over loopback that also spares the server's kernel the work of cutting up what it sends."`
	JSON    bool       `name:"json" help:"Write the report as JSON."`
}

// A session is a connection to the server to be loaded, and clients.
type session struct {
	api      *client.Client
	pool     *loadtest.Pool
	observer *loadtest.Observer
}

// open connects. It refuses servers elsewhere, unless told otherwise.
func (u under) open(ctx context.Context, sources *config.Sources) (*session, error) {
	t, err := u.target(sources)
	if err != nil {
		return nil, err
	}
	metrics, local, err := locate(t.url)
	if err != nil {
		return nil, err
	}
	if !local && !u.Yes {
		return nil, fmt.Errorf("%s is not on this machine; a load test would harm its calls. If it is yours to load, say --yes-load-this-server", t.url)
	}
	dialling, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	c, err := t.dial(dialling)
	if err != nil {
		return nil, err
	}
	pool, err := loadtest.NewPool(loadtest.Options{LocalIP: u.LocalIP, JoinDatagrams: u.GRO, KernelTime: kernelTime, DecryptEvery: decryptEvery})
	if err != nil {
		c.Close()
		return nil, err
	}
	return &session{c, pool, &loadtest.Observer{
		URL: metrics, APIKey: t.options.APIKey, PID: u.PID, Client: t.options.HTTPClient,
	}}, nil
}

const (
	// kernelTime tells whether the kernel stamps arrivals here.
	kernelTime = runtime.GOOS == "linux"
	// decryptEvery is how many packets of video a client takes for one that it
	// decrypts, compares and measures. It has no factor in common with the
	// packets of a frame, so that all of its places have their turn.
	decryptEvery = 7
)

func (s *session) close() error {
	err := s.pool.Close()
	s.api.Close()
	return err
}

// locate returns where the metrics of a server are, and whether it is on this
// machine, beyond doubt.
func locate(url string) (metrics string, local bool, err error) {
	u, err := neturl.Parse(url)
	if err != nil {
		return "", false, fmt.Errorf("--url: %w", err)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local = u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
	u.Scheme = cmp.Or(map[string]string{"ws": "http", "wss": "https"}[u.Scheme], u.Scheme)
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/takos-api") + "/metrics"
	return u.String(), local, nil
}

// room opens a room with an id that nobody else has.
func (s *session) room(ctx context.Context, p loadtest.Peers) (*loadtest.APIRoom, error) {
	return loadtest.OpenRoom(ctx, s.api, "loadtest-"+rand.Text(), p)
}

// lasting is for how long to measure, and what is bad enough to be an error.
type lasting struct {
	Duration time.Duration `name:"duration" default:"20s" help:"How long to measure, at most an hour."`
	Warmup   time.Duration `name:"warmup" default:"3s" help:"How long to wait before that, once everybody has joined."`
	MaxLoss  float64       `name:"max-loss" default:"0.1" placeholder:"PERCENT" help:"Fail if more packets are lost."`
}

// check bounds the load: one that nobody ends must end by itself.
func (l lasting) check() error {
	if l.Duration <= 0 || l.Duration > time.Hour || l.Warmup < 0 || l.Warmup > time.Hour {
		return settingsError{errors.New("--duration and --warmup may be an hour at most")}
	}
	return nil
}

// verdict is an error if r is not as it should be.
func (l lasting) verdict(r *loadtest.Report) error {
	if !r.Whole(l.MaxLoss / 100) {
		return fmt.Errorf("media did not arrive as they should: more than %g %% were lost, or there were faults", l.MaxLoss)
	}
	return nil
}

// steady is a load whose clients stay.
type steady struct {
	under   `embed:""`
	lasting `embed:""`

	Joining int `name:"joining" default:"8" help:"How many receivers join at a time."`
}

// video is what senders of video send.
type video struct {
	Bitrate   config.Bitrate `name:"bitrate" default:"1500k" help:"Of a video, in bits a second."`
	FrameRate int            `name:"frame-rate" default:"30" help:"Of a video, in frames a second."`
}

func (v video) options() (*loadtest.Video, error) {
	if v.Bitrate < 10_000 || v.Bitrate > 50_000_000 || v.FrameRate < 1 || v.FrameRate > 120 {
		return nil, settingsError{errors.New("--bitrate must be from 10k to 50M, --frame-rate from 1 to 120")}
	}
	return &loadtest.Video{Bitrate: int(v.Bitrate), FrameRate: v.FrameRate}, nil
}

// atLeastOne returns an error for a number of people that makes no load.
func atLeastOne(flag string, n int) error {
	if n < 1 {
		return settingsError{fmt.Errorf("%s is %d, but must be 1 or more", flag, n)}
	}
	return nil
}

// atLeastTwo returns an error for a number of people that cannot meet.
func atLeastTwo(people int) error {
	if people < 2 {
		return settingsError{fmt.Errorf("--people is %d, but must be 2 or more", people)}
	}
	return nil
}

// fanoutCommand is one video to many.
type fanoutCommand struct {
	steady `embed:""`
	video  `embed:""`

	Receivers int `name:"receivers" default:"50" help:"How many receive the video."`
}

// Run runs the load and reports.
func (f *fanoutCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	video, err := f.options()
	if err := errors.Join(err, atLeastOne("--receivers", f.Receivers)); err != nil {
		return err
	}
	return f.run(ctx, sources, c, "fanout", loadtest.Load{
		Senders: 1, Receivers: f.Receivers, Sender: loadtest.SenderOptions{Video: video},
	}, loadtest.Apart)
}

// meetingCommand is everybody to everybody.
type meetingCommand struct {
	steady `embed:""`
	video  `embed:""`

	People int `name:"people" default:"10" help:"How many meet."`
}

// Run runs the load and reports.
func (m *meetingCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	video, err := m.options()
	if err := errors.Join(err, atLeastTwo(m.People)); err != nil {
		return err
	}
	return m.run(ctx, sources, c, "meeting", loadtest.Load{
		Senders: m.People, Receivers: m.People, Sender: loadtest.SenderOptions{Video: video, Audio: true},
		Hears: func(r, s int) bool { return r != s },
	}, loadtest.Together)
}

// audioCommand is speakers to listeners.
type audioCommand struct {
	steady `embed:""`

	Speakers  int `name:"speakers" default:"10" help:"How many speak."`
	Receivers int `name:"receivers" default:"100" help:"How many listen to all of them."`
}

// Run runs the load and reports.
func (a *audioCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	if err := errors.Join(atLeastOne("--speakers", a.Speakers), atLeastOne("--receivers", a.Receivers)); err != nil {
		return err
	}
	return a.run(ctx, sources, c, "audio", loadtest.Load{
		Senders: a.Speakers, Receivers: a.Receivers, Sender: loadtest.SenderOptions{Audio: true},
	}, loadtest.Apart)
}

// run runs a load in a room of its own and reports.
func (s steady) run(ctx context.Context, sources *config.Sources, c console, profile string, l loadtest.Load, peers loadtest.Peers) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	session, err := s.open(ctx, sources)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.close()) }()
	room, err := session.room(ctx, peers)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), remoteTimeout)
		defer cancel()
		err = errors.Join(err, room.Close(ending))
	}()
	books := &books{observer: session.observer, console: c, figures: map[loadtest.Moment]loadtest.Figures{}}
	l.Joining, l.Warmup, l.Duration = s.Joining, s.Warmup, s.Duration
	l.At = func(m loadtest.Moment) error { return books.read(ctx, m) }
	l.Progress = progress(c, l.Receivers)
	report, err := session.pool.Run(ctx, l, room)
	if err != nil {
		return err
	}
	summary := loadtest.Summarise(profile, report)
	summary.LatencyBy = latencyBy()
	if books.missing == nil {
		summary.Charge(books.figures, session.observer.Source())
	}
	return errors.Join(write(c, summary, s.JSON), s.verdict(report))
}

func latencyBy() string {
	if kernelTime {
		return "when the receiver's kernel had it"
	}
	return "when the receiver had read it"
}

func write(c console, s *loadtest.Summary, asJSON bool) error {
	if asJSON {
		return writeJSON(c.out, s)
	}
	return s.Write(c.out)
}

// books are the server's figures at the moments of a load. A server that does
// not let us read them is loaded all the same.
type books struct {
	observer *loadtest.Observer
	console  console
	figures  map[loadtest.Moment]loadtest.Figures
	missing  error
}

func (b *books) read(ctx context.Context, m loadtest.Moment) error {
	if b.missing != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	if b.figures[m], b.missing = b.observer.Read(ctx); b.missing != nil {
		fmt.Fprintf(b.console.err, "takos-call: warning: %v; the report will not say what the server spent\n", b.missing)
	}
	return nil
}

// progress returns what writes a line a second.
func progress(c console, receivers int) func(loadtest.Progress) {
	var last loadtest.Progress
	return func(p loadtest.Progress) {
		fmt.Fprintf(c.err, "%4.0f s   %d of %d joined   %d packets/s   %d lost\n",
			p.Elapsed.Seconds(), p.Joined, receivers, p.Received-min(last.Received, p.Received), p.Lost)
		last = p
	}
}

// tableCommand compares reports.
type tableCommand struct {
	Reports []string `arg:"" type:"existingfile" help:"Files that --json has written."`
}

// Run writes a table in Markdown.
func (t *tableCommand) Run(c console) error {
	var summaries []*loadtest.Summary
	for _, path := range t.Reports {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s := &loadtest.Summary{}
		if err := decodeStrictly(text, s); err != nil {
			return fmt.Errorf("%s is not a report of a load test: %w", path, err)
		}
		summaries = append(summaries, s)
	}
	return loadtest.WriteTable(c.out, summaries)
}
