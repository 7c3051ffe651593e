package sfu

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// modelCall is a sender of a simulcast of three encodings and one receiver, with
// all of the server's own code in between but for sockets and encryption.
type modelCall struct {
	*rig
	modelMode
	random    *rand.Rand
	clean     bool
	start     mono.Instant
	sender    *DirectTransport
	producer  *Producer
	consumer  *Consumer
	encodings []*modelEncoding
	receiver  modelReceiver
	failed    error // what the receiver met first
	preferred Layer
	held      []*pionrtp.Packet
	due       []int
}

// modelWorld is what model calls of a mode have in common.
type modelWorld struct {
	*rig
	modelMode
	receiver *DirectTransport
}

func newModelWorld(t testing.TB, m modelMode) *modelWorld {
	r := newRig(t)
	router, err := r.sfu.NewRouter(RouterOptions{MediaCodecs: []ortc.RTPCodecCapability{m.capability()}})
	if err != nil {
		t.Fatal(err)
	}
	r.router = router
	return &modelWorld{rig: r, modelMode: m, receiver: newDirect(t, router, DirectTransportOptions{})}
}

func (w *modelWorld) call(t testing.TB, seed uint64, clean bool) *modelCall {
	c := &modelCall{rig: w.rig, modelMode: w.modelMode, clean: clean, random: rand.New(rand.NewPCG(seed, 1)), start: w.now}
	c.sender = newDirect(t, w.router, DirectTransportOptions{Events: DirectTransportEvents{RTCP: c.takeRequests}})
	params := ortc.RTPParameters{
		Codecs: []ortc.RTPCodecParameters{{
			MimeType: modelMimeTypes[w.codec], PayloadType: modelPT, ClockRate: 90000, Parameters: w.parameters(),
			RTCPFeedback: []ortc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
		}},
		RTCP: ortc.RTCPParameters{CNAME: "model"},
	}
	if w.dd {
		params.HeaderExtensions = []ortc.RTPHeaderExtensionParameters{{URI: ortc.URIDependencyDescriptor, ID: modelDescriptorID}}
	}
	for i := range 3 {
		c.encodings = append(c.encodings, newModelEncoding(w.modelMode, i, c.random))
		params.Encodings = append(params.Encodings, ortc.RTPEncodingParameters{
			SSRC: uint32(5000 + i), ScalabilityMode: fmt.Sprintf("L1T%d", w.temporal),
		})
	}
	c.producer = produceDirect(t, c.sender, ortc.Video, params)
	consumer, err := w.receiver.Consume(ConsumerOptions{
		ProducerID: c.producer.ID(), RTPCapabilities: w.router.RTPCapabilities(), Events: ConsumerEvents{RTP: c.take},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.consumer, c.preferred = consumer, Layer{Spatial: 2, Temporal: 2}
	c.receiver = modelReceiver{
		modelMode: w.modelMode, encodings: c.encodings,
		descriptorID: extensionIDsOf(consumer.RTPParameters().HeaderExtensions)[extDependencyDescriptor],
	}
	return c
}

// take is what the receiver gets.
func (c *modelCall) take(packet []byte) {
	if err := c.receiver.receive(packet); err != nil && c.failed == nil {
		c.failed = err
	}
}

// takeRequests has the sender make the keyframes that the server asks for.
func (c *modelCall) takeRequests(compound []byte) {
	r := rtp.NewRTCPReader(compound)
	var p rtp.RTCPPacket
	for r.Next(&p) {
		if _, media, ok := p.FeedbackSSRCs(); ok && p.Type == rtp.TypePSFB && p.Count == rtp.FormatPLI {
			c.encodings[media-5000].wantsKey = true
		}
	}
}

// happen lets encodings come and go and the receiver change its mind.
func (c *modelCall) happen(t testing.TB) {
	switch c.random.IntN(24) {
	case 0, 1:
		e := c.encodings[c.random.IntN(3)]
		e.silent = !e.silent
		e.wantsKey = true // browsers begin with one
	case 2, 3, 4:
		c.preferred = Layer{Spatial: uint8(c.random.IntN(3)), Temporal: uint8(c.random.IntN(3))}
		if err := c.consumer.SetPreferredLayers(c.preferred); err != nil {
			t.Fatal(err)
		}
	case 5:
		if c.consumer.Paused() {
			c.consumer.Resume()
		} else if c.random.IntN(3) == 0 {
			c.consumer.Pause()
		}
	case 6:
		if c.random.IntN(4) == 0 {
			c.advance(time.Duration(c.random.IntN(1500)) * time.Millisecond)
		}
	case 7:
		c.consumer.RequestKeyFrame()
	case 8:
		c.reportTime(t)
	}
}

// reportTime sends the sender reports of some encodings.
func (c *modelCall) reportTime(t testing.TB) {
	for _, e := range c.encodings {
		if c.random.IntN(2) == 0 {
			continue
		}
		sr := rtp.SenderReport{SSRC: uint32(5000 + e.index), NTP: rtp.ToNTP(c.now.Wall()), RTPTime: e.firstTS + c.time()}
		if err := c.sender.SendRTCP(rtp.AppendSR(nil, sr, nil)); err != nil {
			t.Fatal(err)
		}
	}
}

// time is how long the call has lasted, in units of its RTP clock.
func (c *modelCall) time() uint32 { return rtpUnits(c.now.Sub(c.start), 90000) }

// picture sends the next picture in all sizes.
func (c *modelCall) picture(t testing.TB) {
	c.settle() // so that the sender knows what it was asked for
	var packets []*pionrtp.Packet
	for _, i := range c.random.Perm(len(c.encodings)) {
		if e := c.encodings[i]; !e.silent {
			packets = append(packets, e.next(t, c.time())...)
		}
	}
	if err := c.producer.Send(raw(t, c.pass(packets)...)...); err != nil {
		t.Fatal(err)
	}
	c.advance(33 * time.Millisecond)
}

// pass is the sender's network: it loses some packets and holds others back.
func (c *modelCall) pass(packets []*pionrtp.Packet) (out []*pionrtp.Packet) {
	for _, p := range packets {
		for i := 0; i < len(c.held); {
			if c.due[i]--; c.due[i] > 0 {
				i++
				continue
			}
			out = append(out, c.held[i])
			c.held = append(c.held[:i], c.held[i+1:]...)
			c.due = append(c.due[:i], c.due[i+1:]...)
		}
		switch x := c.random.IntN(100); {
		case c.clean || x >= 8:
			out = append(out, p)
		case x >= 3:
			c.held, c.due = append(c.held, p), append(c.due, 1+c.random.IntN(40))
		}
	}
	return out
}

// run makes a call, and returns what is wrong with it.
func (c *modelCall) run(t testing.TB) error {
	const pictures, settled = 80, 70
	for range pictures {
		c.happen(t)
		c.picture(t)
	}
	c.consumer.Resume()
	c.settle()
	if c.encodings[0].silent && c.encodings[1].silent {
		c.encodings[2].silent, c.encodings[2].wantsKey = false, true
	}
	for range settled { // a second of silence tells that an encoding is off
		c.picture(t)
	}
	if c.failed != nil {
		return c.failed
	}
	if err := c.receiver.decode(c.clean); err != nil {
		return err
	}
	return c.checkLayers()
}

// checkLayers checks that the receiver is sent what it prefers.
func (c *modelCall) checkLayers() error {
	want := c.preferred
	for want.Spatial > 0 && c.encodings[want.Spatial].silent {
		want.Spatial--
	}
	for c.encodings[want.Spatial].silent {
		want.Spatial++
	}
	if want.Temporal = min(want.Temporal, uint8(c.temporal-1)); !c.clean {
		want.Temporal = 0 // the way up may have been lost
	}
	got, sent := c.consumer.CurrentLayers()
	if !c.clean {
		got.Temporal = 0
	}
	if !sent || got != want {
		return fmt.Errorf("it is sent %+v (%v), and prefers %+v; silent: %v %v %v", got, sent, c.preferred,
			c.encodings[0].silent, c.encodings[1].silent, c.encodings[2].silent)
	}
	return nil
}

// TestSimulcastAgainstModel makes 2,000 calls, or 40,000 with TEST_LONG=1:
// encodings come and go, the receiver changes its mind, packets are lost and
// overtaken, all numbers go round, and the decoder's view never breaks.
func TestSimulcastAgainstModel(t *testing.T) {
	seeds := uint64(100)
	if os.Getenv("TEST_LONG") != "" {
		seeds = 2000
	}
	for _, m := range modelModes {
		t.Run(m.name, func(t *testing.T) {
			w := newModelWorld(t, m)
			for seed := range seeds {
				for _, clean := range []bool{true, false} {
					c := w.call(t, seed, clean)
					if err := c.run(t); err != nil {
						t.Fatalf("seed %d, clean %t: %v", seed, clean, err)
					}
					c.sender.Close()
				}
			}
		})
	}
}
