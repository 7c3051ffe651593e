package sfu

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/ortc"
)

// featureReceivers are as many that what is done once for all of them hardly
// counts.
const featureReceivers = 16

// feature is one thing that a packet may have done to it, and how packets look
// that have it.
type feature struct {
	name   string
	params func() ortc.RTPParameters
	// extensions are what the sender and the receivers agree on, beside the MID.
	extensions []string
	stream     pattern
	// Of the receivers:
	consume  func(*ConsumerOptions)
	oneIn    int  // of so many packets one is sent; 0: all are
	resend   bool // packets are kept for retransmission
	estimate bool // each has an estimate of its line
	piped    bool // they are in another router
	// observed has somebody listen to who speaks.
	observed bool
}

// pattern is the packets of a stream, one after the other and again. The first
// time they begin with other bytes: those of a keyframe.
type pattern struct {
	size        int      // of the payloads
	begin, next [][]byte // with which they begin
	descriptors [2][][]byte
	count       func(i int, payload []byte) // writes what counts up
}

// plainVP8 has neither layers nor picture ids (RFC 7741 §4.2).
var plainVP8 = pattern{
	size: 1160, begin: [][]byte{append([]byte{0x10}, vp8Keyframe...)}, next: [][]byte{{0x10, 1}},
}

var vp8Keyframe = []byte{0, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 240, 0}

// layeredVP8 is L1T3: temporal layers 0, 2, 1, 2.
func layeredVP8() pattern {
	p := pattern{size: 1160, count: func(i int, payload []byte) {
		binary.BigEndian.PutUint16(payload[2:], 0x8000|uint16(i))
		payload[4] = byte(i / 4)
	}}
	for i, temporal := range []byte{0, 2, 1, 2} {
		descriptor := []byte{0x90, 0xe0, 0x80, 0, 0, temporal<<6 | 0x20}
		p.next = append(p.next, append(slices.Clone(descriptor), 1))
		if i == 0 {
			p.begin = append(p.begin, append(descriptor, vp8Keyframe...))
		} else {
			p.begin = append(p.begin, p.next[i])
		}
	}
	return p
}

// layeredVP9 is three spatial layers of one temporal, in the non-flexible mode
// (RFC 9628 §4.2).
func layeredVP9() pattern {
	const interPicture = 0x40
	p := pattern{size: 1160, count: func(i int, payload []byte) {
		binary.BigEndian.PutUint16(payload[1:], 0x8000|uint16(i/3))
		payload[4] = byte(i / 3)
	}}
	for spatial := range byte(3) {
		key := []byte{0x80 | 0x20 | 0x08 | 0x04, 0x80, 0, spatial<<1 | min(spatial, 1), 0}
		next := slices.Clone(key)
		next[0] |= interPicture
		p.begin, p.next = append(p.begin, key), append(p.next, next)
	}
	return p
}

// layeredAV1 is L1T3, told by the dependency descriptor alone.
func layeredAV1() (p pattern) {
	p.size = 1160
	stream := ddStream{temporal: 3}
	for i, temporal := range []int{0, 2, 1, 2} {
		f := ddFrame{start: true, end: true, temporal: temporal}
		p.next = append(p.next, []byte{0x10, 0x30})
		p.descriptors[1] = append(p.descriptors[1], stream.append(nil, f))
		f.structure = i == 0
		p.descriptors[0] = append(p.descriptors[0], stream.append(nil, f))
	}
	p.begin = append([][]byte{{0x18, 0x0a}}, p.next[1:]...) // a sequence header
	return p
}

// layeredParameters are videoParameters of another codec.
func layeredParameters(codec ortc.RTPCodecParameters, mode string) ortc.RTPParameters {
	p := videoParameters()
	codec.PayloadType, codec.ClockRate, codec.RTCPFeedback = videoPT, 90000, p.Codecs[0].RTCPFeedback
	p.Codecs[0] = codec
	p.Encodings[0].ScalabilityMode = mode
	return p
}

func vp9Parameters() ortc.RTPParameters {
	return layeredParameters(ortc.RTPCodecParameters{MimeType: "video/VP9", Parameters: ortc.CodecParameters{"profile-id": 0}}, "L3T1")
}

func av1Parameters() ortc.RTPParameters {
	return layeredParameters(ortc.RTPCodecParameters{MimeType: "video/AV1"}, "L1T3")
}

func vp8Parameters() ortc.RTPParameters {
	return layeredParameters(videoParameters().Codecs[0], "L1T3")
}

func lowest(o *ConsumerOptions) { o.PreferredLayers = &Layer{} }

// features are what docs/performance.md tells the price of. Those of a name with
// a comma are beside the one of the name before it.
func features() []feature {
	number, descriptor := []string{ortc.URITransportWideCC}, []string{ortc.URIDependencyDescriptor}
	vp8, vp9, av1 := layeredVP8(), layeredVP9(), layeredAV1()
	opus := pattern{size: 80, begin: [][]byte{{0x78}}, next: [][]byte{{0x78}}}
	red := redPayload(audioPT, 1, 80, 80)
	twoOpus := pattern{size: len(red), begin: [][]byte{red}, next: [][]byte{red}}
	return []feature{
		{name: "video", params: videoParameters, stream: plainVP8},
		{name: "video, kept for retransmission", params: videoParameters, stream: plainVP8, resend: true},
		{name: "video, numbered", params: videoParameters, stream: plainVP8, extensions: number},
		{name: "video, numbered and estimated", params: videoParameters, stream: plainVP8, extensions: number, estimate: true},
		{name: "video, piped", params: videoParameters, stream: plainVP8, piped: true},
		{name: "video, VP8 L1T3", params: vp8Parameters, stream: vp8},
		{name: "video, VP8 L1T3 without two of three layers", params: vp8Parameters, stream: vp8, consume: lowest, oneIn: 4},
		{name: "video, VP9 L3T1", params: vp9Parameters, stream: vp9},
		{name: "video, VP9 L3T1 without two of three layers", params: vp9Parameters, stream: vp9, consume: lowest, oneIn: 3},
		{name: "video, AV1 L1T3", params: av1Parameters, stream: av1, extensions: descriptor},
		{name: "video, AV1 L1T3 without two of three layers", params: av1Parameters, stream: av1, extensions: descriptor, consume: lowest, oneIn: 4},
		{name: "audio", params: audioParameters, stream: opus},
		{name: "audio, observed", params: audioParameters, stream: opus, extensions: []string{ortc.URIAudioLevel}, observed: true},
		{name: "audio, RED", params: redParameters, stream: twoOpus},
		{name: "audio, RED sent as Opus", params: redParameters, stream: twoOpus, consume: withoutRED},
	}
}

// featureRig has a sender and receivers of packets with a feature. Everything is
// as in life but for encryption and the kernel.
type featureRig struct {
	*rig
	feature   feature
	sender    *client
	producer  *Producer
	consumers []*Consumer
	packets   [2][]featurePacket // the first ones, and all others
	sent      int
}

// featurePacket is a packet as it comes from SRTP, and what changes in it each
// time.
type featurePacket struct{ plain, payload, number, descriptor []byte }

func newFeatureRig(tb testing.TB, f feature) *featureRig {
	tb.Helper()
	r := &featureRig{rig: newRig(tb, func(o *Options) { o.ConsentTimeout = -1 }), feature: f}
	codecs := append(DefaultMediaCodecs(), redCodecs(100)[1])
	var err error
	if r.router, err = r.sfu.NewRouter(RouterOptions{MediaCodecs: codecs}); err != nil {
		tb.Fatal(err)
	}
	r.sender = r.connect(WebRTCTransportOptions{})
	params := f.params()
	params.HeaderExtensions = []ortc.RTPHeaderExtensionParameters{{URI: ortc.URIMID, ID: 9}}
	for i, uri := range f.extensions {
		params.HeaderExtensions = append(params.HeaderExtensions, ortc.RTPHeaderExtensionParameters{URI: uri, ID: uint8(1 + i)})
	}
	kind := ortc.Video
	if params.Codecs[0].ClockRate == 48000 {
		kind = ortc.Audio
	}
	r.producer = r.sender.produce(kind, params)
	if f.observed {
		r.observe()
	}
	for range featureReceivers {
		r.consumers = append(r.consumers, r.receiver())
	}
	r.packets[0] = r.makePackets(&params, f.stream.begin, f.stream.descriptors[0])
	r.packets[1] = r.makePackets(&params, f.stream.next, f.stream.descriptors[1])
	return r
}

// observe has both kinds of observers listen.
func (r *featureRig) observe() {
	levels, err := r.router.NewAudioLevelObserver(AudioLevelObserverOptions{})
	if err != nil {
		r.tb.Fatal(err)
	}
	speakers, err := r.router.NewActiveSpeakerObserver(ActiveSpeakerObserverOptions{})
	if err != nil {
		r.tb.Fatal(err)
	}
	for _, add := range []func(string) error{levels.AddProducer, speakers.AddProducer} {
		if err := add(r.producer.ID()); err != nil {
			r.tb.Fatal(err)
		}
	}
}

// receiver makes one that asks for nothing beside the feature.
func (r *featureRig) receiver() *Consumer {
	r.tb.Helper()
	f, router, producer := &r.feature, r.router, r.producer
	if f.piped {
		router = r.newFarRouter()
		producer = r.pipe(router, producer, PipeOptions{})
	}
	bob := r.connectTo(router)
	_ = bob.socket.SetReadBuffer(4096) // full at once
	c := bob.consume(producer, func(o *ConsumerOptions) {
		o.RTPCapabilities, o.EnableRTX = router.RTPCapabilities(), &f.resend
		o.RTPCapabilities.HeaderExtensions = slices.DeleteFunc(o.RTPCapabilities.HeaderExtensions, func(e ortc.RTPHeaderExtension) bool {
			return e.URI != ortc.URIMID && !slices.Contains(f.extensions, e.URI)
		})
		for i := range o.RTPCapabilities.Codecs { // nothing that an estimate is made from
			codec := &o.RTPCapabilities.Codecs[i]
			codec.RTCPFeedback = slices.DeleteFunc(codec.RTCPFeedback, func(f ortc.RTCPFeedback) bool { return f.Type != "nack" })
		}
		if f.consume != nil {
			f.consume(o)
		}
	})
	if f.estimate {
		bob.transport.send.bandwidth = &bandwidth{estimator: bwe.NewSendEstimator(bwe.SendEstimatorOptions{Start: bwe.MegabitPerSecond})}
	}
	return c
}

func (r *featureRig) makePackets(params *ortc.RTPParameters, begin, descriptors [][]byte) (list []featurePacket) {
	r.tb.Helper()
	for i, first := range begin {
		p := &pionrtp.Packet{Header: pionrtp.Header{Version: 2, Marker: true, PayloadType: params.Codecs[0].PayloadType, SSRC: params.Encodings[0].SSRC}}
		p.Payload = append(slices.Clone(first), make([]byte, r.feature.stream.size-len(first))...)
		for _, e := range params.HeaderExtensions {
			data := map[string][]byte{ortc.URIMID: []byte(params.MID), ortc.URITransportWideCC: {0, 0}, ortc.URIAudioLevel: {0x80 | 30}}[e.URI]
			if e.URI == ortc.URIDependencyDescriptor {
				data = descriptors[i]
			}
			if err := p.SetExtension(e.ID, data); err != nil {
				r.tb.Fatal(err)
			}
		}
		plain, err := p.Marshal()
		if err != nil {
			r.tb.Fatal(err)
		}
		fp := featurePacket{plain: plain, payload: plain[len(plain)-len(p.Payload):]}
		for _, e := range params.HeaderExtensions {
			at := bytes.Index(plain, p.GetExtension(e.ID))
			switch e.URI {
			case ortc.URITransportWideCC:
				fp.number = plain[at : at+2]
			case ortc.URIDependencyDescriptor:
				fp.descriptor = plain[at:]
			}
		}
		list = append(list, fp)
	}
	return list
}

// receive has the next packet come out of SRTP.
func (r *featureRig) receive() {
	i, t := r.sent, &r.sender.transport.Transport
	r.sent++
	packets := r.packets[min(i/len(r.packets[0]), 1)]
	p := &packets[i%len(packets)]
	binary.BigEndian.PutUint16(p.plain[2:], uint16(i))
	binary.BigEndian.PutUint32(p.plain[4:], uint32(i)*960)
	if r.feature.stream.count != nil {
		r.feature.stream.count(i, p.payload)
	}
	if p.number != nil {
		binary.BigEndian.PutUint16(p.number, uint16(i))
	}
	if p.descriptor != nil {
		binary.BigEndian.PutUint16(p.descriptor[1:], uint16(i)) // behind two flags and a template
	}
	w := r.worker
	w.now = w.now.Add(time.Millisecond)
	t.recvMu.Lock()
	w.receivePlain(t, t.recv.demux.streams[binary.BigEndian.Uint32(p.plain[8:])], p.plain)
	if i%64 == 0 && t.recv.twcc.Pending() {
		w.rtcp = t.recv.twcc.AppendFeedback(w.rtcp[:0], 1, t.recv.twccSSRC, maxRTCP)[:0]
	}
	t.recvMu.Unlock()
}

// make makes what the receivers get of it: sendGroupLocked without encryption and
// the kernel. It returns how many packets that are.
func (r *featureRig) make() (made int) {
	w := r.worker
	for i := range w.grouped {
		g := &w.groups[i]
		for _, c := range r.consumers {
			t := c.transport
			t.sendMu.Lock()
			target := c.targetLocked()
			n, sizeBytes, payloadBytes := 0, 0, 0
			for i := g.first; i >= 0; i = w.packets[i].next {
				p := &w.packets[i]
				f, _ := c.selectLocked(p, target, w.now)
				if !f.send {
					continue
				}
				c.history.note(f.remember(p.extSeq, c.rewrite.generation))
				if f.red == newestOfRED {
					p = &w.newest[i]
				}
				sizeBytes += w.make(&w.ready[n], t, c, p, &f)
				payloadBytes += p.payloadLen
				n++
			}
			if n > 0 {
				c.sent.count(w.now, n, sizeBytes, payloadBytes)
			}
			made += n
			t.sendMu.Unlock()
		}
	}
	w.count, w.grouped = 0, 0
	return made
}

func TestFeaturesDoNotAllocate(t *testing.T) {
	for _, f := range features() {
		t.Run(f.name, func(t *testing.T) {
			r := newFeatureRig(t, f)
			forward := func() {
				r.receive()
				r.worker.finishBatch()
			}
			for range 4 * historySize { // stores, windows and lists grow to what they need
				forward()
			}
			if n := testing.AllocsPerRun(400, forward); n != 0 {
				t.Errorf("%v allocations per packet", n)
			}
			for i, c := range r.consumers {
				if got := int(c.sent.packets); got != (r.sent+max(f.oneIn, 1)-1)/max(f.oneIn, 1) {
					t.Errorf("receiver %d was sent %d packets of %d", i, got, r.sent)
				}
			}
		})
	}
}

// BenchmarkFeature is what a packet costs with each feature, without encryption
// and the kernel: once where it is received, and for each of its receivers.
func BenchmarkFeature(b *testing.B) {
	for _, f := range features() {
		b.Run("received/"+f.name, func(b *testing.B) {
			r := newFeatureRig(b, f)
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				r.receive()
				r.worker.count, r.worker.grouped = 0, 0
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/packet")
		})
		b.Run("made/"+f.name, func(b *testing.B) {
			r := newFeatureRig(b, f)
			r.receive()
			if r.make() != len(r.consumers) {
				b.Fatal("not all begin")
			}
			r.worker.now = r.worker.now.Add(time.Second)
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				r.receive()
				r.make()
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N*len(r.consumers)), "cpu-ns/packet")
		})
	}
}

// ways are over what a frame can go to its receivers.
var ways = []struct {
	name string
	join func(r *rig, p *Producer, read io.Writer) // which is given what comes over TCP
}{
	{"UDP", func(r *rig, p *Producer, _ io.Writer) {
		bob := r.connect(WebRTCTransportOptions{})
		_ = bob.socket.SetReadBuffer(4096) // full at once
		bob.consume(p)
	}},
	{"TCP", func(r *rig, p *Producer, read io.Writer) {
		bob := r.connect(WebRTCTransportOptions{})
		answered := r.streamStats().Sent.Packets + 2
		conn := bob.connectTCP()
		eventually(r.tb, "the count of two answers", func() bool { return r.streamStats().Sent.Packets == answered })
		var reading sync.WaitGroup
		reading.Go(func() { _, _ = io.Copy(read, conn.TCPConn) })
		r.tb.Cleanup(reading.Wait) // after
		r.tb.Cleanup(func() { conn.Close() })
		bob.consume(p)
	}},
	{"plain RTP", func(r *rig, p *Producer, _ io.Writer) {
		bob := r.plainPeer(r.newPlain(PlainTransportOptions{}))
		_ = bob.socket.SetReadBuffer(4096)
		bob.connect(bob.remote())
		bob.consume(p)
	}},
	{"plain SRTP", func(r *rig, p *Producer, _ io.Writer) {
		bob := r.plainPeer(r.newPlain(PlainTransportOptions{EnableSRTP: true}))
		_ = bob.socket.SetReadBuffer(4096)
		theirs, err := newSRTPParameters(AEADAES128GCM)
		if err != nil {
			r.tb.Fatal(err)
		}
		remote := bob.remote()
		remote.SRTP = &theirs
		bob.connect(remote)
		bob.consume(p)
	}},
	{"another router, with RTX", func(r *rig, p *Producer, _ io.Writer) {
		pipe, err := r.router.NewPipeTransport(PipeTransportOptions{EnableRTX: true})
		check(r.tb, err)
		sink := r.plainPeer(nil)
		_ = sink.socket.SetReadBuffer(4096)
		_, err = pipe.Consume(ConsumerOptions{ProducerID: p.ID()})
		check(r.tb, err)
		check(r.tb, pipe.Connect(PipeRemote{IP: loopback, Port: sink.addr.Port()}))
		r.settle()
	}},
	{"the server itself", func(r *rig, p *Producer, _ io.Writer) {
		_, err := newDirect(r.tb, r.router, DirectTransportOptions{}).Consume(ConsumerOptions{
			ProducerID: p.ID(), RTPCapabilities: r.router.RTPCapabilities(),
			Events: ConsumerEvents{RTP: func([]byte) {}},
		})
		if err != nil {
			r.tb.Fatal(err)
		}
	}},
}

// BenchmarkForwardTo is what it costs to send a frame of six packets to ten
// receivers, the kernel and encryption included. What others do of it, such as
// the kernel for a receiver's socket in a thread of its own, is not in it.
func BenchmarkForwardTo(b *testing.B) {
	const receivers, packets = 10, 6
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			r := newRig(b, enableTCP, func(o *Options) { o.ConsentTimeout = -1 })
			c := &rigCall{rig: r, alice: r.connect(WebRTCTransportOptions{})}
			c.producer = c.alice.produce(ortc.Video, videoParameters())
			var read byteCount
			for range receivers {
				way.join(r, c.producer, &read)
			}
			unread := framedBytes(r.sfu)                            // by read: answers to checks
			c.worker.takeBatch(c.now, benchFrame(b, c.alice, 0, 1)) // makes the stream, and a start
			s := (*c.producer.live.Load())[0]
			extSeq := s.highestSeq + 1
			var used time.Duration
			for b.Loop() { // that nothing is allocated, tests of each way tell
				fillGroup(c, s, extSeq, packets)
				extSeq += packets
				c.worker.now = c.worker.now.Add(time.Millisecond)
				before := cpuTime(b)
				c.worker.forwardGroups()
				used += cpuTime(b) - before
				c.worker.count, c.worker.grouped = 0, 0
				r.settle() // what the server itself is given
				for read.Load() < framedBytes(r.sfu)-unread {
					runtime.Gosched() // or the queues would be full
				}
			}
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N*receivers*packets), "cpu-ns/packet")
		})
	}
}

// byteCount counts what is written to it.
type byteCount struct{ atomic.Uint64 }

func (c *byteCount) Write(b []byte) (int, error) {
	c.Add(uint64(len(b)))
	return len(b), nil
}

// framedBytes are those that the server has sent over TCP, each packet with its
// length in two bytes.
func framedBytes(s *SFU) uint64 {
	sent := s.own.endpoints[1].connections.Stats().Sent
	return sent.Bytes + 2*sent.Packets
}
