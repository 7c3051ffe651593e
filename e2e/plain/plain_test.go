//go:build plain

// Package plain tests plain RTP against the programs that speak it: GStreamer
// and ffmpeg send into a router and receive from it, and what comes out of their
// decoders is compared with what went into their encoders.
//
// It needs both, hence the build tag: go test -tags plain ./e2e/plain.
package plain

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

const (
	width, height = 320, 240
	frameBytes    = width * height * 3
	sampleRate    = 48000
	tone          = 440 // Hz

	videoPT, videoSSRC = 96, 1111
	audioPT, audioSSRC = 97, 2222
)

// red is the picture sent, as RGB; a decoder may be off by a little.
var red = [3]float64{254, 0, 0}

var loopback = netip.MustParseAddr("127.0.0.1")

func newRouter(t *testing.T) *sfu.Router {
	t.Helper()
	s, err := sfu.New(sfu.Options{ListenIPs: []netip.Addr{loopback}, Announced: []string{"127.0.0.1"}})
	check(t, err)
	t.Cleanup(s.Close)
	r, err := s.NewRouter(sfu.RouterOptions{})
	check(t, err)
	return r
}

func newPlain(t *testing.T, r *sfu.Router, o sfu.PlainTransportOptions) *sfu.PlainTransport {
	t.Helper()
	transport, err := r.NewPlainTransport(o)
	check(t, err)
	return transport
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, transport *sfu.PlainTransport, kind ortc.MediaKind) *sfu.Producer {
	t.Helper()
	codec := ortc.RTPCodecParameters{MimeType: "video/VP8", PayloadType: videoPT, ClockRate: 90000}
	ssrc := uint32(videoSSRC)
	if kind == ortc.Audio {
		codec = ortc.RTPCodecParameters{MimeType: "audio/opus", PayloadType: audioPT, ClockRate: sampleRate, Channels: 2}
		ssrc = audioSSRC
	}
	p, err := transport.Produce(sfu.ProducerOptions{Kind: kind, RTPParameters: ortc.RTPParameters{
		Codecs: []ortc.RTPCodecParameters{codec}, Encodings: []ortc.RTPEncodingParameters{{SSRC: ssrc}},
	}})
	check(t, err)
	return p
}

// consume makes a consumer as plain receivers like it: without RTX and header
// extensions.
func consume(t *testing.T, transport *sfu.PlainTransport, p *sfu.Producer) *sfu.Consumer {
	t.Helper()
	capabilities := transport.Router().RTPCapabilities()
	capabilities.HeaderExtensions = nil
	c, err := transport.Consume(sfu.ConsumerOptions{ProducerID: p.ID(), RTPCapabilities: capabilities, EnableRTX: new(false)})
	check(t, err)
	return c
}

// freePort is a port of UDP that nobody has now.
func freePort(t *testing.T) uint16 {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback.AsSlice()})
	check(t, err)
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// start runs a program until the test ends and returns what it writes.
func start(t *testing.T, name string, args ...string) io.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, name, args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("%s %s\n%s", name, strings.Join(args, " "), log.String())
		}
	})
	return out
}

// checkPicture reads decoded frames until twenty in a row are red.
func checkPicture(t *testing.T, video io.Reader) {
	t.Helper()
	frame := make([]byte, frameBytes)
	for good := 0; good < 20; good++ {
		if _, err := io.ReadFull(video, frame); err != nil {
			t.Fatalf("after %d frames: %v", good, err)
		}
		var mean [3]float64
		for i, b := range frame {
			mean[i%3] += float64(b) / (width * height)
		}
		for i := range mean {
			if math.Abs(mean[i]-red[i]) > 12 {
				t.Fatalf("frame %d has the colour %.0f, want %.0f", good, mean, red)
			}
		}
	}
}

// checkTone reads a second of decoded sound, after some to settle, and compares
// the power at the tone with all of it.
func checkTone(t *testing.T, audio io.Reader) {
	t.Helper()
	raw := make([]byte, 2*sampleRate)
	for range 2 {
		if _, err := io.ReadFull(audio, raw); err != nil {
			t.Fatal(err)
		}
	}
	var power, re, im float64
	for i := range sampleRate {
		x := float64(int16(uint16(raw[2*i]) | uint16(raw[2*i+1])<<8))
		phase := 2 * math.Pi * tone * float64(i) / sampleRate
		power += x * x
		re += x * math.Cos(phase)
		im += x * math.Sin(phase)
	}
	share := 2 * (re*re + im*im) / sampleRate / power
	if power/sampleRate < 1000 || share < 0.8 {
		t.Errorf("%.0f %% of the sound is the tone, power %.0f", 100*share, power/sampleRate)
	}
}

func gst(t *testing.T, pipeline string) io.Reader {
	t.Helper()
	return start(t, "gst-launch-1.0", append([]string{"-q"}, strings.Fields(pipeline)...)...)
}

func TestGStreamerSendsAndReceives(t *testing.T) {
	r := newRouter(t)
	in := newPlain(t, r, sfu.PlainTransportOptions{Comedia: true, AllowedRemotes: []netip.Prefix{netip.PrefixFrom(loopback, 32)}})
	video, audio := produce(t, in, ortc.Video), produce(t, in, ortc.Audio)

	receive := func(p *sfu.Producer, caps, decode string) io.Reader {
		out, port := newPlain(t, r, sfu.PlainTransportOptions{}), freePort(t)
		c := consume(t, out, p)
		decoded := gst(t, fmt.Sprintf("udpsrc address=127.0.0.1 port=%d caps=application/x-rtp,%s,payload=%d ! rtpjitterbuffer latency=50 ! %s ! fdsink fd=1",
			port, caps, c.RTPParameters().Codecs[0].PayloadType, decode))
		check(t, out.Connect(sfu.PlainRemote{IP: loopback, Port: port}))
		return decoded
	}
	pictures := receive(video, "media=video,clock-rate=90000,encoding-name=VP8",
		fmt.Sprintf("rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=RGB,width=%d,height=%d", width, height))
	sound := receive(audio, "media=audio,clock-rate=48000,encoding-name=OPUS",
		fmt.Sprintf("rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,rate=%d,channels=1", sampleRate))

	// Both streams from one port: that of the first packet is learnt.
	gst(t, fmt.Sprintf(`funnel name=both ! udpsink host=127.0.0.1 port=%d
		videotestsrc is-live=true pattern=red ! video/x-raw,width=%d,height=%d,framerate=25/1 ! vp8enc deadline=1 keyframe-max-dist=25 ! rtpvp8pay pt=%d ssrc=%d picture-id-mode=2 ! both.
		audiotestsrc is-live=true freq=%d ! audio/x-raw,rate=%d,channels=2 ! opusenc ! rtpopuspay pt=%d ssrc=%d ! both.`,
		in.Tuple().LocalPort, width, height, videoPT, videoSSRC, tone, sampleRate, audioPT, audioSSRC))
	checkPicture(t, pictures)
	checkTone(t, sound)
	if st := video.Stats(); len(st) != 1 || st[0].PacketsLost != 0 {
		t.Errorf("of the video: %+v", st)
	}
}

func TestFFmpegSendsAndReceivesSRTP(t *testing.T) {
	r := newRouter(t)
	// RTCP on a port of its own, as ffmpeg has it.
	in := newPlain(t, r, sfu.PlainTransportOptions{Comedia: true, EnableSRTP: true, DisableRTCPMux: true})
	theirs := sfu.SRTPParameters{CryptoSuite: sfu.AESCM128HMACSHA180, KeyBase64: "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"} // of RFC 4568
	check(t, in.Connect(sfu.PlainRemote{SRTP: &theirs}))
	video := produce(t, in, ortc.Video)

	out, port := newPlain(t, r, sfu.PlainTransportOptions{EnableSRTP: true}), freePort(t)
	c := consume(t, out, video)
	ours, _ := out.SRTPParameters()
	sdp := filepath.Join(t.TempDir(), "video.sdp")
	check(t, os.WriteFile(sdp, fmt.Appendf(nil, `v=0
o=- 0 0 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=video %d RTP/SAVP %d
a=rtpmap:%[2]d VP8/90000
a=crypto:1 %s inline:%s
`, port, c.RTPParameters().Codecs[0].PayloadType, ours.CryptoSuite, ours.KeyBase64), 0o600))
	pictures := start(t, "ffmpeg", "-loglevel", "warning", "-protocol_whitelist", "file,udp,rtp,srtp",
		"-analyzeduration", "1M", "-i", sdp, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
	check(t, out.Connect(sfu.PlainRemote{IP: loopback, Port: port, SRTP: &theirs}))

	rtcp, _ := in.RTCPTuple()
	start(t, "ffmpeg", "-loglevel", "warning", "-re", "-f", "lavfi", "-i", fmt.Sprintf("color=red:size=%dx%d:rate=25", width, height),
		"-c:v", "libvpx", "-deadline", "realtime", "-g", "25", "-payload_type", fmt.Sprint(videoPT), "-ssrc", fmt.Sprint(videoSSRC),
		"-srtp_out_suite", string(theirs.CryptoSuite), "-srtp_out_params", theirs.KeyBase64,
		"-f", "rtp", fmt.Sprintf("srtp://127.0.0.1:%d?rtcpport=%d", in.Tuple().LocalPort, rtcp.LocalPort))
	checkPicture(t, pictures)
	if rtcp, _ = in.RTCPTuple(); rtcp.RemotePort == 0 {
		t.Error("ffmpeg's RTCP did not come")
	}
}
