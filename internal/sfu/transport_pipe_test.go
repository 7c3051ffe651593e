package sfu

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

// pipeWorld is two routers of one server, a sender of three encodings in the one, and a
// receiver of each of them in the other.
type pipeWorld struct {
	t         *testing.T
	near, far *Router
	alice     *DirectTransport
	asked     handed // what alice is sent
	producer  *Producer
	sent      int // packets of each encoding
}

func newPipeWorld(t *testing.T) *pipeWorld {
	t.Helper()
	s := newTestSFU(t)
	w := &pipeWorld{t: t}
	var err error
	w.near, err = s.NewRouter(RouterOptions{})
	check(t, err)
	codecs := DefaultMediaCodecs()
	slices.Reverse(codecs) // for other payload types
	w.far, err = s.NewRouter(RouterOptions{MediaCodecs: codecs})
	check(t, err)
	w.alice = newDirect(t, w.near, DirectTransportOptions{Events: DirectTransportEvents{RTCP: w.asked.takeRTCP}})
	w.producer = produceDirect(t, w.alice, ortc.Video, threeEncodings())
	return w
}

func threeEncodings() ortc.RTPParameters {
	params := videoParameters()
	params.Encodings = nil
	for i := range uint32(3) {
		params.Encodings = append(params.Encodings, ortc.RTPEncodingParameters{
			SSRC: videoSSRC + i, RTX: &ortc.RTXParameters{SSRC: videoSSRC + 100 + i},
		})
	}
	return params
}

// send sends one frame of each encoding, whose size tells which it is.
func (w *pipeWorld) send(key bool) {
	w.t.Helper()
	for i := range uint32(3) {
		p := videoPacket(uint16(w.sent), uint32(w.sent)*3000, true, key, 100*int(i+1))
		p.SSRC = videoSSRC + i
		check(w.t, w.producer.Send(raw(w.t, p)...))
	}
	w.sent++
}

// receivers are consumers of p, one for each encoding. arrived tells how many packets
// have come to it in a row, none missing.
func (w *pipeWorld) receivers(p *Producer) (list []*Consumer, arrived func(encoding int) int) {
	w.t.Helper()
	seqs := make([]map[uint16]bool, 3)
	var mu sync.Mutex
	transport := newDirect(w.t, w.far, DirectTransportOptions{})
	for i := range seqs {
		seqs[i] = map[uint16]bool{}
		c, err := transport.Consume(ConsumerOptions{
			ProducerID: p.ID(), RTPCapabilities: w.far.RTPCapabilities(), EnableRTX: new(false),
			PreferredLayers: &Layer{Spatial: uint8(i), Temporal: 2},
			Events: ConsumerEvents{RTP: func(b []byte) {
				var h rtp.Header
				if h.Parse(b) == nil && len(b)-h.PayloadOffset == 100*(i+1) {
					mu.Lock()
					defer mu.Unlock()
					seqs[i][h.Seq] = true
				}
			}},
		})
		check(w.t, err)
		list = append(list, c)
	}
	return list, func(i int) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for seq := range seqs[i] {
			if !seqs[i][seq-1] { // the first, or there is a gap before it
				n = 0
				for seqs[i][seq+uint16(n)] {
					n++
				}
				if n == len(seqs[i]) {
					return n
				}
			}
		}
		return 0
	}
}

func (w *pipeWorld) pipe(o PipeToRouterOptions) *RouterPipe {
	w.t.Helper()
	o.ProducerID = w.producer.ID()
	p, err := w.near.PipeToRouter(w.far, o)
	check(w.t, err)
	return p
}

func TestAllEncodingsGoThroughAPipe(t *testing.T) {
	w := newPipeWorld(t)
	pipe := w.pipe(PipeToRouterOptions{EnableSRTP: true, EnableRTX: true})
	if pipe.Consumer.Type() != ortc.Pipe || pipe.Producer.Type() != ortc.Simulcast || pipe.Producer.ID() != w.producer.ID() {
		t.Errorf("a %s consumer makes %s producer %q", pipe.Consumer.Type(), pipe.Producer.Type(), pipe.Producer.ID())
	}
	receivers, arrived := w.receivers(pipe.Producer)
	pushUntil(t, "a row of packets of each encoding", func() { w.send(true) }, func() bool {
		return arrived(0) > 20 && arrived(1) > 20 && arrived(2) > 20
	})
	for i, c := range receivers {
		if l, sent := c.CurrentLayers(); !sent || int(l.Spatial) != i {
			t.Errorf("receiver %d is sent layer %v", i, l)
		}
	}
	w.far.Settle()
	// A change of layers is up to the other router.
	check(t, receivers[0].SetPreferredLayers(Layer{Spatial: 2, Temporal: 2}))
	pushUntil(t, "another layer", func() { w.send(true) }, func() bool {
		l, _ := receivers[0].CurrentLayers()
		return l.Spatial == 2
	})
}

// pushUntil sends on until something has happened.
func pushUntil(t *testing.T, what string, push func(), happened func() bool) {
	t.Helper()
	eventually(t, what, func() bool { push(); return happened() })
}

// A receiver's request goes all the way to the sender, and names its encoding there.
func TestKeyframeRequestsGoBackThroughAPipe(t *testing.T) {
	w := newPipeWorld(t)
	pipe := w.pipe(PipeToRouterOptions{})
	receivers, _ := w.receivers(pipe.Producer)
	flowing := func() bool {
		l, sent := receivers[1].CurrentLayers()
		return sent && l.Spatial == 1
	}
	pushUntil(t, "layer 1", func() { w.send(true) }, flowing)
	w.asked.control(t)
	var asked []uint32
	pushUntil(t, "the request", func() { receivers[1].RequestKeyFrame() }, func() bool {
		for _, p := range w.asked.control(t) {
			if _, media, ok := p.FeedbackSSRCs(); ok && p.Type == rtp.TypePSFB && p.Count == rtp.FormatPLI {
				asked = append(asked, media)
			}
		}
		return len(asked) > 0
	})
	if asked[0] != videoSSRC+1 {
		t.Errorf("stream %d is asked for a keyframe, want %d", asked[0], videoSSRC+1)
	}
	if s := pipe.Consumer.Stats(); len(s) != 3 || s[0].PLICount+s[2].PLICount != 0 || s[1].PLICount == 0 {
		t.Errorf("%+v", s)
	}
}

// lossyLink is the network between two pipe transports, in which some of the packets of
// one direction are lost.
type lossyLink struct {
	here, there *net.UDPConn // what the transport here, and the one there, send to
}

func newLossyLink(t *testing.T, here, there *PipeTransport, lose func(b []byte) bool) {
	t.Helper()
	l := &lossyLink{}
	var err error
	for _, conn := range []**net.UDPConn{&l.here, &l.there} {
		*conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
		check(t, err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { l.here.Close(); l.there.Close(); running.Wait() })
	carry := func(in, out *net.UDPConn, to *PipeTransport, lose func(b []byte) bool) {
		b := make([]byte, 4096)
		for {
			n, err := in.Read(b)
			if err != nil {
				return
			}
			if !lose(b[:n]) {
				_, _ = out.WriteToUDPAddrPort(b[:n], netip.AddrPortFrom(loopback, to.Tuple().LocalPort))
			}
		}
	}
	running.Go(func() { carry(l.here, l.there, there, lose) })
	running.Go(func() { carry(l.there, l.here, here, func([]byte) bool { return false }) })
	connect := func(t *testing.T, a, b *PipeTransport, via *net.UDPConn) {
		remote := b.remote()
		remote.Port = via.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		check(t, a.Connect(remote))
	}
	connect(t, here, there, l.here)
	connect(t, there, here, l.there)
}

func TestLossInAPipeIsRepaired(t *testing.T) {
	w := newPipeWorld(t)
	o := PipeTransportOptions{EnableRTX: true, EnableSRTP: true}
	here, err := w.near.NewPipeTransport(o)
	check(t, err)
	there, err := w.far.NewPipeTransport(o)
	check(t, err)
	newLossyLink(t, here, there, func(b []byte) bool { // of the streams of retransmissions, too
		return rtp.Classify(b) == rtp.KindRTP && b[3]%8 == 3
	})
	c, err := here.Consume(ConsumerOptions{ProducerID: w.producer.ID()})
	check(t, err)
	p, err := there.Produce(ProducerOptions{ID: w.producer.ID(), Kind: c.Kind(), RTPParameters: c.RTPParameters()})
	check(t, err)
	_, arrived := w.receivers(p)
	pushUntil(t, "a row of packets of each encoding, none missing", func() { w.send(w.sent%50 == 0) }, func() bool {
		return arrived(0) > 100 && arrived(1) > 100 && arrived(2) > 100
	})
	for i, s := range p.Stats() {
		if s.PacketsRepaired == 0 || s.NACKCount == 0 {
			t.Errorf("encoding %d: %+v", i, s)
		}
	}
	for i, s := range c.Stats() {
		if s.PacketsRetransmitted == 0 || s.SSRC != c.RTPParameters().Encodings[i].SSRC {
			t.Errorf("stream %d: %+v", i, s)
		}
	}
}

// What is said of a pipe consumer, of its kind of transport and of others.
func TestPipeConsumerShowsAllStreams(t *testing.T) {
	w := newPipeWorld(t)
	pipe, err := w.near.NewPipeTransport(PipeTransportOptions{EnableRTX: true})
	check(t, err)
	onPipe, err := pipe.Consume(ConsumerOptions{ProducerID: w.producer.ID()})
	check(t, err)
	plain, err := w.near.NewPlainTransport(PlainTransportOptions{})
	check(t, err)
	onPlain, err := plain.Consume(ConsumerOptions{ProducerID: w.producer.ID(), RTPCapabilities: w.near.RTPCapabilities(), Pipe: true})
	check(t, err)
	for name, c := range map[string]*Consumer{"pipe": onPipe, "plain": onPlain} {
		params := c.RTPParameters()
		if c.Type() != ortc.Pipe || len(params.Encodings) != 3 || params.MID != "" || params.Encodings[2].RTX == nil {
			t.Errorf("%s: %s consumer of %+v", name, c.Type(), params)
		}
		d := c.Dump()
		if d.RTPStream != nil || len(d.RTPStreams) != 3 || d.RTPStreams[1].Params.SSRC != params.Encodings[1].SSRC || d.RTPStreams[2].RTX == nil || d.ConsumerLayersDump != nil {
			t.Errorf("%s: dump %+v", name, d)
		}
		if _, layered := c.PreferredLayers(); layered {
			t.Errorf("%s: it has layers", name)
		}
		check(t, c.SetPreferredLayers(Layer{}))
		dump := c.Transport().Dump()
		if len(dump.ConsumersBySSRC) != 3 || len(dump.ConsumersByRTXSSRC) != 3 || dump.ConsumersBySSRC[2].Value != c.ID() {
			t.Errorf("%s: streams %v and %v", name, dump.ConsumersBySSRC, dump.ConsumersByRTXSSRC)
		}
		c.EnableTraceEvents([]string{"rtp"})
		for _, s := range c.streams() {
			if !s.traces.has(traceRTP) {
				t.Errorf("%s: a stream is not traced", name)
			}
		}
	}
	if got, want := onPipe.Score(), (ConsumerScore{Score: 10, ProducerScore: 10, ProducerScores: []uint8{}}); cmp.Diff(got, want) != "" {
		t.Errorf("score %+v", got)
	}
	if got, want := onPlain.Score(), (ConsumerScore{Score: 10, ProducerScore: 10, ProducerScores: []uint8{0, 0, 0}}); cmp.Diff(got, want) != "" {
		t.Errorf("score %+v", got)
	}
	if d := pipe.Dump(); d.RTX == nil || !*d.RTX || d.Tuple == nil || pipe.Transport.Stats().Type != "pipe-transport" || pipe.Type() != TransportPipe {
		t.Errorf("transport %+v", d)
	}
	onPipe.Close()
	if d := pipe.Dump(); len(d.ConsumersBySSRC)+len(d.ConsumersByRTXSSRC) != 0 || len(*w.producer.fanout.Load()) != 3 {
		t.Errorf("streams are left: %+v", d)
	}
}

// Names of senders have to stay apart behind a pipe, which carries those of many.
func TestPipeKeepsTheNamesOfSenders(t *testing.T) {
	w := newPipeWorld(t)
	bob := newDirect(t, w.near, DirectTransportOptions{})
	params := audioParameters()
	params.RTCP.CNAME = "bob"
	second := produceDirect(t, bob, ortc.Audio, params)
	for want, id := range map[string]string{"alice": w.producer.ID(), "bob": second.ID()} {
		pipe, err := w.near.PipeToRouter(w.far, PipeToRouterOptions{ProducerID: id})
		check(t, err)
		if got := pipe.Producer.RTPParameters().RTCP.CNAME; got != want {
			t.Errorf("%q is called %q behind the pipe", want, got)
		}
	}
}

func TestPipeTransportRefuses(t *testing.T) {
	r := newTestRouter(t)
	plain, err := r.NewPipeTransport(PipeTransportOptions{})
	check(t, err)
	secured, err := r.NewPipeTransport(PipeTransportOptions{EnableSRTP: true})
	check(t, err)
	key, err := newSRTPParameters(AEADAES256GCM)
	check(t, err)
	for name, x := range map[string]struct {
		t      *PipeTransport
		remote PipeRemote
		want   string
	}{
		"no address":           {plain, PipeRemote{Port: 1}, "missing ip"},
		"no port":              {plain, PipeRemote{IP: loopback}, "missing port"},
		"a key without SRTP":   {plain, PipeRemote{IP: loopback, Port: 1, SRTP: &key}, "SRTP not enabled"},
		"SRTP without a key":   {secured, PipeRemote{IP: loopback, Port: 1}, "missing srtpParameters"},
		"a suite nobody knows": {secured, PipeRemote{IP: loopback, Port: 1, SRTP: &SRTPParameters{"FOO", key.KeyBase64}}, "FOO"},
	} {
		if err := x.t.Connect(x.remote); !isKind(err, ortc.TypeError) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	check(t, secured.Connect(PipeRemote{IP: loopback, Port: 9, SRTP: &key}))
	if err := secured.Connect(PipeRemote{IP: loopback, Port: 9, SRTP: &key}); !isKind(err, ortc.InvalidState) {
		t.Errorf("connecting twice: %v", err)
	}
	before, _ := secured.SRTPParameters()
	if before.CryptoSuite != AEADAES256GCM {
		t.Errorf("suite %q", before.CryptoSuite)
	}
	third, err := r.NewPipeTransport(PipeTransportOptions{EnableSRTP: true})
	check(t, err)
	before, _ = third.SRTPParameters()
	short, err := newSRTPParameters(AESCM128HMACSHA180)
	check(t, err)
	check(t, third.Connect(PipeRemote{IP: loopback, Port: 9, SRTP: &short}))
	if after, _ := third.SRTPParameters(); after != before {
		t.Errorf("another key than the other end was told")
	}
	for _, l := range []ListenInfo{{Protocol: TCP}, {PortRange: PortRange{4000, 3000}}} {
		if _, err := r.NewPipeTransport(PipeTransportOptions{Listen: l}); !isKind(err, ortc.TypeError) {
			t.Errorf("listening at %+v: %v", l, err)
		}
	}
	if _, err := plain.Consume(ConsumerOptions{ProducerID: "nobody"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("consuming nothing: %v", err)
	}
}

func TestPipedPacketsDoNotAllocate(t *testing.T) {
	r := newRig(t)
	in := r.plainPeer(r.newPlain(PlainTransportOptions{}))
	in.connect(in.remote())
	p, err := in.transport.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: threeEncodings()})
	check(t, err)
	sink := r.plainPeer(nil)
	pipe, err := r.router.NewPipeTransport(PipeTransportOptions{EnableRTX: true})
	check(t, err)
	_, err = pipe.Consume(ConsumerOptions{ProducerID: p.ID()})
	check(t, err)
	check(t, pipe.Connect(PipeRemote{IP: loopback, Port: sink.addr.Port()}))
	r.settle()
	frame := raw(t, videoPacket(0, 0, true, true, 1000))[0]
	buffer := bytes.Clone(frame)
	batch := []udp.Datagram{{Data: buffer, Path: udp.Path{Remote: udp.AddrFrom(in.addr), Local: in.transport.media.local}}}
	seq := uint16(0)
	send := func() {
		for i := range byte(3) {
			copy(buffer, frame)
			buffer[2], buffer[3], buffer[11] = byte(seq>>8), byte(seq), buffer[11]+i
			r.worker.takePlain(r.now, in.transport.media, batch)
		}
		seq++
	}
	for range historySize * 2 {
		send()
	}
	if n := testing.AllocsPerRun(200, send); n != 0 {
		t.Errorf("%v allocations for three packets", n)
	}
	if s := pipe.Transport.Stats(); s.RTPBytesSent == 0 {
		t.Errorf("nothing was sent: %+v", s)
	}
	if got := fmt.Sprint(len(pipe.send.streams)); got != "3" {
		t.Errorf("%s streams", got)
	}
}
