package bwe_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/bwe"
)

// pions is the estimator of pion/interceptor, in a bubble of virtual time: it
// reads the clock itself. It does not probe.
type pions struct {
	*gcc.SendSideBWE
	writer interceptor.RTPWriter
}

const extensionID = 3

func newPions(t *testing.T) *pions {
	t.Helper()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	e, err := gcc.NewSendSideBWE(gcc.SendSideBWEInitialBitrate(600_000), gcc.SendSideBWEMinBitrate(30_000),
		gcc.SendSideBWEMaxBitrate(100_000_000), gcc.SendSideBWEPacer(gcc.NewNoOpPacer()), gcc.WithLoggerFactory(quiet))
	if err != nil {
		t.Fatal(err)
	}
	p := &pions{SendSideBWE: e}
	info := &interceptor.StreamInfo{SSRC: 1, RTPHeaderExtensions: []interceptor.RTPHeaderExtension{
		{URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", ID: extensionID},
	}}
	p.writer = e.AddStream(info, interceptor.RTPWriterFunc(
		func(*rtp.Header, []byte, interceptor.Attributes) (int, error) { return 0, nil }))
	return p
}

func (p *pions) sent(_ time.Duration, seq uint16, sizeBytes int) {
	h := &rtp.Header{Version: 2, SSRC: 1}
	extension, err := (&rtp.TransportCCExtension{TransportSequence: seq}).Marshal()
	if err == nil {
		err = h.SetExtension(extensionID, extension)
	}
	if err == nil {
		_, err = p.writer.Write(h, make([]byte, sizeBytes-h.MarshalSize()), nil)
	}
	if err != nil {
		panic(err)
	}
}

func (p *pions) feedback(_ time.Duration, packet []byte) {
	packets, err := rtcp.Unmarshal(packet)
	for _, feedback := range packets {
		trim(feedback.(*rtcp.TransportLayerCC))
	}
	if err == nil {
		err = p.WriteRTCP(packets, nil)
	}
	if err != nil {
		panic(err)
	}
	synctest.Wait() // its goroutines have taken it in
}

// trim cuts off the symbols of the last chunk that stand for no packet. It
// would take them for losses, which is not what is to be compared here.
func trim(feedback *rtcp.TransportLayerCC) {
	left := int(feedback.PacketStatusCount)
	for _, chunk := range feedback.PacketChunks {
		switch chunk := chunk.(type) {
		case *rtcp.RunLengthChunk:
			left -= int(chunk.RunLength)
		case *rtcp.StatusVectorChunk:
			chunk.SymbolList = chunk.SymbolList[:min(len(chunk.SymbolList), left)]
			left -= len(chunk.SymbolList)
		}
	}
}

func (p *pions) tick(time.Duration, bwe.Allocation) int { return 0 }

func (p *pions) estimate() bwe.Bitrate { return bwe.Bitrate(p.GetTargetBitrate()) }

// playOurs and playPions play a scenario with the one and with the other.
func playOurs(s scenario) string {
	r := newRun(newOurs(), newPath(5_000_000))
	s.prepare(r, r.path)
	return s.result(r.until(s.length))
}

func playPions(t *testing.T, s scenario) (result string) {
	synctest.Test(t, func(t *testing.T) {
		e := newPions(t)
		r := newRun(e, newPath(5_000_000))
		s.prepare(r, r.path)
		change := r.each
		r.each = func(now time.Duration) {
			time.Sleep(ms)
			if change != nil {
				change(now)
			}
		}
		result = s.result(r.until(s.length))
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return result
}

// scenario is a line of the table in docs/performance.md.
type scenario struct {
	name    string
	length  time.Duration
	prepare func(*run, *path)
	result  func(*run) string
}

// top is how long after a time the highest layer is sent, for a second at
// least.
func (r *run) top(from time.Duration) string {
	since := time.Duration(-1)
	for _, s := range r.samples[from/sampleTime:] {
		switch {
		case s.layer != len(ladder)-1:
			since = -1
		case since < 0:
			since = s.at
		case s.at-since >= time.Second:
			return fmt.Sprintf("%.1f s", (since + ms - from).Seconds())
		}
	}
	return "never"
}

func (r *run) down(from time.Duration, rate bwe.Bitrate) string {
	d := r.first(from, func(s sample) bool { return s.estimate <= rate })
	drained := r.first(from+d, func(s sample) bool { return s.queue < 100*ms })
	if d == time.Hour {
		return "never"
	}
	if drained == time.Hour {
		return fmt.Sprintf("%.1f s, queue stays", d.Seconds())
	}
	return fmt.Sprintf("%.1f s, queue gone after %.1f s", d.Seconds(), (d + drained).Seconds())
}

func lossy(share float64) scenario {
	return scenario{
		fmt.Sprintf("%.0f %% random loss: highest layer; mean estimate then", share*100), 40 * time.Second,
		func(_ *run, p *path) { p.loss = share },
		func(r *run) string {
			return fmt.Sprintf("%s; %d kbit/s", r.top(0), r.figures(20*time.Second, 40*time.Second).estimate/1000)
		},
	}
}

func steady(rate bwe.Bitrate) scenario {
	return scenario{
		fmt.Sprintf("%d kbit/s, video follows the estimate: arrives; queue mean, p95", rate/1000), 60 * time.Second,
		func(r *run, p *path) { p.rate, r.follows = rate, true },
		func(r *run) string {
			f := r.figures(20*time.Second, 60*time.Second)
			return fmt.Sprintf("%.0f %%; %d, %d ms", 100*float64(f.delivered)/float64(rate), f.queue.Milliseconds(), f.queue95.Milliseconds())
		},
	}
}

func comes(p *path, from, to time.Duration, rate bwe.Bitrate) func(time.Duration) {
	before := p.rate
	return func(now time.Duration) {
		switch now {
		case from:
			p.setRate(now, rate)
		case to:
			p.setRate(now, before)
		}
	}
}

func scenarios() []scenario {
	return []scenario{
		{"start on 5 Mbit/s: highest layer", 30 * time.Second, func(*run, *path) {}, func(r *run) string { return r.top(0) }},
		steady(500_000), steady(1_000_000), steady(2_000_000),
		{
			"1 Mbit/s, layers: changes of layer in a minute; queue p95", 90 * time.Second,
			func(_ *run, p *path) { p.rate = 1_000_000 },
			func(r *run) string {
				f := r.figures(30*time.Second, 90*time.Second)
				return fmt.Sprintf("%d; %d ms", f.changes, f.queue95.Milliseconds())
			},
		},
		{
			"5 Mbit/s → 700 kbit/s: estimate below it after", 30 * time.Second,
			func(r *run, p *path) { r.each = comes(p, 20*time.Second, time.Hour, 700_000) },
			func(r *run) string { return r.down(20*time.Second, 700_000) },
		},
		{
			"700 kbit/s → 5 Mbit/s after 20 s: highest layer", 80 * time.Second,
			func(r *run, p *path) { r.each = comes(p, 20*time.Second, 40*time.Second, 700_000) },
			func(r *run) string { return r.top(40 * time.Second) },
		},
		lossy(0.02), lossy(0.05), lossy(0.1),
		{
			"30 % random loss from 20 s on: mean estimate, before → after", 60 * time.Second,
			func(r *run, p *path) {
				r.each = func(now time.Duration) {
					if now == 20*time.Second {
						p.loss = 0.3
					}
				}
			},
			func(r *run) string {
				before, after := r.figures(15*time.Second, 20*time.Second), r.figures(30*time.Second, 60*time.Second)
				return fmt.Sprintf("%d → %d kbit/s", before.estimate/1000, after.estimate/1000)
			},
		},
		{
			"policer of 1 Mbit/s: lost; arrives", 60 * time.Second,
			func(_ *run, p *path) { p.policed, p.rate = true, 1_000_000 },
			func(r *run) string {
				f := r.figures(20*time.Second, 60*time.Second)
				return fmt.Sprintf("%.1f %%; %d kbit/s", 100*f.lost, f.delivered/1000)
			},
		},
		{
			"blackout of 5 s: highest layer after", 60 * time.Second,
			func(r *run, p *path) {
				r.each = func(now time.Duration) { p.broken = now >= 20*time.Second && now < 25*time.Second }
			},
			func(r *run) string { return r.top(25 * time.Second) },
		},
		{
			"a TCP (Reno) flow on 3 Mbit/s: video arrives", 90 * time.Second,
			func(r *run, p *path) { p.rate, r.competing = 3_000_000, newReno() },
			func(r *run) string {
				return fmt.Sprintf("%d kbit/s", r.figures(30*time.Second, 90*time.Second).delivered/1000-audioRate/1000)
			},
		},
		{
			"the same, video follows the estimate", 90 * time.Second,
			func(r *run, p *path) { p.rate, r.competing, r.follows = 3_000_000, newReno(), true },
			func(r *run) string {
				return fmt.Sprintf("%d kbit/s", r.figures(30*time.Second, 90*time.Second).delivered/1000-audioRate/1000)
			},
		},
		{
			"8 ms jitter, 5 Mbit/s: highest layer; least estimate then", 40 * time.Second,
			func(_ *run, p *path) { p.jitter = 8 * ms },
			func(r *run) string {
				return fmt.Sprintf("%s; %d kbit/s", r.top(0), r.figures(20*time.Second, 40*time.Second).lowest/1000)
			},
		},
	}
}

// TestComparison plays the lines of the table in docs/performance.md; with -v
// it prints them. No line may be missing there, and none of ours may be lost.
func TestComparison(t *testing.T) {
	page, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			ours, pions := playOurs(s), playPions(t, s)
			fmt.Fprintf(&table, "| %s | %s | %s |\n", s.name, ours, pions)
			if strings.Contains(ours, "never") {
				t.Errorf("%s", ours)
			}
			if !strings.Contains(string(page), "| "+s.name+" |") {
				t.Error("is not in docs/performance.md")
			}
		})
	}
	t.Log("\n" + table.String())
}
