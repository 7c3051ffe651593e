package sfu

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// fuzzCall is a call whose sender knows all extensions, RTX and RED, so that a
// packet of hers may go any way that there is.
func fuzzCall(f *testing.F) *rigCall {
	f.Helper()
	r := newRig(f, func(o *Options) { o.ConsentTimeout = -1 })
	var err error
	if r.router, err = r.sfu.NewRouter(RouterOptions{MediaCodecs: append(DefaultMediaCodecs(), redCodecs(125)[1])}); err != nil {
		f.Fatal(err)
	}
	c := &rigCall{rig: r, alice: r.connect(WebRTCTransportOptions{}), bob: r.connect(WebRTCTransportOptions{})}
	params := videoParameters()
	params.HeaderExtensions = nil
	for i, uri := range []string{
		ortc.URIMID, ortc.URIRTPStreamID, ortc.URIRepairedRTPStreamID, ortc.URIAbsSendTime, ortc.URITransportWideCC,
		ortc.URIDependencyDescriptor, ortc.URIVideoOrientation, ortc.URITransmissionOffset, ortc.URIAbsCaptureTime, ortc.URIPlayoutDelay,
	} {
		params.HeaderExtensions = append(params.HeaderExtensions, ortc.RTPHeaderExtensionParameters{URI: uri, ID: uint8(i + 1)})
	}
	c.producer = c.alice.produce(ortc.Video, params)
	c.consumer = c.bob.consume(c.producer)
	voice := redParameters()
	voice.HeaderExtensions = nil
	p := c.alice.produce(ortc.Audio, voice)
	c.bob.consume(p)
	c.bob.consume(p, withoutRED)
	return c
}

// calm fails if a packet made something panic.
func (c *rigCall) calm(t *testing.T) {
	t.Helper()
	if n := c.sfu.counters.panics.Load(); n != 0 || c.alice.transport.Closed() || c.bob.transport.Closed() {
		t.Fatalf("%d panics", n)
	}
}

// FuzzMedia takes in what a client may send who has the right keys: any bytes.
func FuzzMedia(f *testing.F) {
	for _, p := range []struct {
		pt   uint8
		ssrc uint32
	}{{videoPT, videoSSRC}, {videoRTXPT, videoRTXSSRC}, {videoPT, 99}} {
		packet := videoPacket(1, 2, true, true, 40)
		packet.PayloadType, packet.SSRC = p.pt, p.ssrc
		for id := range uint8(10) {
			if err := packet.SetExtension(id+1, []byte{'0', 0, id}); err != nil {
				f.Fatal(err)
			}
		}
		b, err := packet.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		b = append(b[:len(b):len(b)], 3)
		b[0] |= 0x20
		f.Add(b)
	}
	for _, payload := range [][]byte{redPayload(audioPT, 2, 30, 31), {0x80 | audioPT, 0, 3, 255, audioPT, 1}} {
		b, err := redPacket(2, payload).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	c := fuzzCall(f)
	f.Fuzz(func(t *testing.T, plain []byte) {
		if len(plain) < rtp.HeaderSize || len(plain) > 4000 {
			return
		}
		w, alice := c.worker, &c.alice.transport.Transport
		c.now = c.now.Add(time.Millisecond)
		w.now = c.now
		func() {
			defer w.recoverPanic()
			alice.recvMu.Lock()
			w.receiving = alice
			w.receivePlain(alice, alice.recv.demux.streams[uint32(plain[8])<<24|uint32(plain[9])<<16|uint32(plain[10])<<8|uint32(plain[11])], plain)
			w.receiving = nil
			alice.recvMu.Unlock()
		}()
		c.worker.takeBatch(c.now, nil) // forwards it
		c.clock.tickDue(c.now)
		c.calm(t)
	})
}

// FuzzRTCP takes in any compound, of the sender and of the receiver.
func FuzzRTCP(f *testing.F) {
	f.Add(receiverFeedback(videoSSRC, 1))
	f.Add(rtp.AppendSR(nil, rtp.SenderReport{SSRC: videoSSRC, NTP: 1 << 63}, []rtp.ReportBlock{{SSRC: 1}}))
	f.Add(rtp.AppendBYE(nil, []uint32{videoSSRC, videoRTXSSRC}))
	f.Add(rtp.AppendXRDLRR(nil, videoSSRC, []rtp.DLRRReport{{SSRC: feedbackSSRC, LastRR: 1}}))
	c := fuzzCall(f)
	c.consumer.ssrc = videoSSRC // so that what names one stream can meet both
	c.bob.transport.recv.sinks[videoSSRC] = c.consumer
	f.Fuzz(func(t *testing.T, compound []byte) {
		c.tb = t
		c.alice.sendRTP(videoPacket(uint16(c.now/millisecond), 0, true, true, 50))
		for _, client := range []*client{c.alice, c.bob} {
			c.now = c.now.Add(time.Millisecond)
			w := c.worker
			w.now = c.now
			func() {
				defer w.recoverPanic()
				client.transport.recvMu.Lock()
				w.receiving = &client.transport.Transport
				r := rtp.NewRTCPReader(compound)
				for p := (rtp.RTCPPacket{}); r.Next(&p); {
					w.applyRTCP(&client.transport.Transport, p)
				}
				w.receiving = nil
				client.transport.recvMu.Unlock()
			}()
		}
		c.clock.tickDue(c.now)
		c.calm(t)
	})
}
