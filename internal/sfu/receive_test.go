package sfu

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
	"github.com/takoserver/takos-call/internal/udp"
)

// dropped is what was dropped since it was called last, by reason.
func (r *rig) dropped(reason dropReason) uint64 { return r.sfu.counters.drops[reason].Swap(0) }

// rawRTP is the packet with bytes changed after it was marshalled.
func rawRTP(t *testing.T, p *pionrtp.Packet, change func([]byte) []byte) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return change(b)
}

// withExtensionBlock puts a header extension block of one profile, of words
// times four bytes as it says itself, behind the fixed header.
func withExtensionBlock(profile, words uint16, content ...byte) func([]byte) []byte {
	return func(b []byte) []byte {
		block := binary.BigEndian.AppendUint16(nil, profile)
		block = binary.BigEndian.AppendUint16(block, words)
		b[0] |= 0x10
		return slices.Concat(b[:rtp.HeaderSize], block, content, b[rtp.HeaderSize:])
	}
}

func TestMalformedMediaIsDroppedAndCounted(t *testing.T) {
	good := func(seq uint16) *pionrtp.Packet { return videoPacket(seq, 1000, true, true, 100) }
	for _, c := range []struct {
		what   string
		change func([]byte) []byte
		drop   dropReason
	}{
		{"padding longer than the payload", func(b []byte) []byte { b[0] |= 0x20; b[len(b)-1] = 255; return b }, dropMalformed},
		{"padding of no length", func(b []byte) []byte { b[0] |= 0x20; b[len(b)-1] = 0; return b }, dropMalformed},
		{"padding and no payload", func(b []byte) []byte { b[0] |= 0x20; return b[:rtp.HeaderSize] }, dropMalformed},
		{"version 1", func(b []byte) []byte { b[0] = b[0]&0x3f | 0x40; return b }, dropMalformed},
		{"unknown payload type", func(b []byte) []byte { b[1] = 127; return b }, dropUnknownStream},
		{"unknown SSRC", func(b []byte) []byte { b[8]++; return b }, dropUnknownStream},
		{"RTX payload type on the media's SSRC", func(b []byte) []byte { b[1] = videoRTXPT; return b }, dropUnknownStream},
		{"larger than any network's packets", func(b []byte) []byte { return append(b, make([]byte, 1700)...) }, dropTooBig},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRigCall(t)
			r.alice.sendRTP(good(1))
			r.bob.take()
			bad := r.alice.protectBytes(rawRTP(t, good(2), c.change))
			if c.what == "version 1" {
				bad[0] = bad[0]&0x3f | 0x40 // what is classified as no RTP at all
			}
			r.alice.deliver(bad)
			if n := r.dropped(c.drop); n != 1 {
				t.Errorf("%d packets dropped as %v, want 1", n, c.drop)
			}
			checkSizes(t, -1, r.bob.take().rtp)
			r.alice.sendRTP(good(3))
			checkSizes(t, -1, r.bob.take().rtp, 100)
		})
	}
}

func TestGarbageInHeaderExtensionsIsIgnored(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func([]byte) []byte
	}{
		{"unknown profile", withExtensionBlock(0xabcd, 1, 1, 2, 3, 4)},
		{"empty block", withExtensionBlock(0xbede, 0)},
		{"unknown ids", withExtensionBlock(0xbede, 1, 0xe0, 1, 0xd0, 2)},
		{"the id that ends the block", withExtensionBlock(0xbede, 1, 0xf3, 1, 2, 3)},
		{"padding with a length", withExtensionBlock(0xbede, 1, 0x03, 1, 2, 3)},
		{"padding only", withExtensionBlock(0xbede, 2, 0, 0, 0, 0, 0, 0, 0, 0)},
		{"transport-wide sequence number of one byte", withExtensionBlock(0xbede, 1, 0x30, 1, 0, 0)},
		{"two-byte form with an empty MID", withExtensionBlock(0x1000, 1, 9, 0, 0, 0)},
		{"a MID of nobody, for a known SSRC", withExtensionBlock(0xbede, 1, 0x90, 'x', 0, 0)},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRigCall(t)
			r.alice.deliver(r.alice.protectBytes(rawRTP(t, videoPacket(1, 1000, true, true, 100), c.change)))
			checkSizes(t, -1, r.bob.take().rtp, 100)
		})
	}
	t.Run("block longer than the packet", func(t *testing.T) {
		r := newRigCall(t)
		b := r.alice.protect(videoPacket(1, 1000, true, true, 100))
		b[0] |= 0x10
		binary.BigEndian.PutUint16(b[14:], 4000)
		r.alice.deliver(b, r.alice.protect(videoPacket(2, 1000, true, true, 100)))
		checkSizes(t, -1, r.bob.take().rtp, 100)
		if r.dropped(dropDecrypt) != 1 {
			t.Error("not counted")
		}
	})
}

func TestMediaThatDoesNotAuthenticateIsDropped(t *testing.T) {
	r := newRigCall(t)
	packet := r.alice.protect(videoPacket(1, 1000, true, true, 100))
	for _, c := range []struct {
		what string
		b    []byte
		drop dropReason
	}{
		{"truncated", packet[:60], dropDecrypt},
		{"shorter than a header", packet[:8], dropMalformed},
		{"changed", changed(packet, 40), dropDecrypt},
		{"of another SSRC", changed(packet, 9), dropDecrypt},
		{"RTCP shorter than its header", []byte{0x80, rtp.TypeRR, 0, 0}, dropMalformed},
		{"RTCP that does not authenticate", append([]byte{0x80, rtp.TypeRR, 0, 1, 0, 0, 0, 1}, make([]byte, 20)...), dropDecrypt},
		{"nothing known", []byte{0xff, 1, 2, 3}, dropMalformed},
	} {
		r.alice.deliver(bytes.Clone(c.b))
		if n := r.dropped(c.drop); n != 1 {
			t.Errorf("%s: %d packets dropped as %v", c.what, n, c.drop)
		}
	}
	r.alice.deliver(bytes.Clone(packet))
	r.alice.deliver(bytes.Clone(packet)) // a replay
	checkSizes(t, -1, r.bob.take().rtp, 100)
	if n := r.dropped(dropDecrypt); n != 1 {
		t.Errorf("the replay: %d dropped", n)
	}
}

func changed(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestMediaBeforeKeysIsDropped(t *testing.T) {
	r := newRig(t)
	c := r.newClient(WebRTCTransportOptions{})
	c.check(true)
	c.deliver(append([]byte{0x80, 96}, make([]byte, 60)...), append([]byte{0x80, rtp.TypeRR}, make([]byte, 60)...))
	if n := r.dropped(dropNoKeys); n != 2 {
		t.Errorf("%d packets dropped for want of keys", n)
	}
	if st := c.transport.Stats(); st.BytesReceived == 0 || st.RTPBytesReceived != 0 {
		t.Errorf("%d bytes received, %d of RTP", st.BytesReceived, st.RTPBytesReceived)
	}
}

func TestStrangersAreNotListenedTo(t *testing.T) {
	r := newRigCall(t)
	packet := r.alice.protect(videoPacket(1, 1000, true, true, 100))
	stranger, gone := r.newClient(WebRTCTransportOptions{}), r.newClient(WebRTCTransportOptions{})
	forNobody := bindingRequest(t, gone.transport, true)
	gone.transport.Close()
	for _, b := range [][]byte{packet, {22, 0xfe, 0xfd, 0, 0}, append([]byte{0x80, rtp.TypeRR}, make([]byte, 60)...), forNobody} {
		stranger.deliver(b)
	}
	if n := r.dropped(dropUnknownPath); n != 3 {
		t.Errorf("%d packets dropped as from unknown paths", n)
	}
	if n := r.dropped(dropUnknownUfrag); n != 1 {
		t.Errorf("%d packets dropped as checks for nobody", n)
	}
	checkSizes(t, -1, r.bob.take().rtp)
	if b := stranger.reply(); b != nil {
		t.Errorf("the stranger got an answer: %x", b)
	}
}

func TestChecksThatProveNothingOpenNoPath(t *testing.T) {
	r := newRig(t)
	c := r.newClient(WebRTCTransportOptions{})
	good := bindingRequest(t, c.transport, true)
	wrongKey := changed(good, len(good)-12) // within MESSAGE-INTEGRITY
	c.deliver(wrongKey)
	if n := r.dropped(dropSTUN); n != 1 {
		t.Errorf("%d checks dropped", n)
	}
	if answer := c.reply(); len(answer) > len(good) {
		t.Errorf("an answer of %d bytes to a question of %d", len(answer), len(good))
	}
	if c.transport.ICEState() != ice.StateNew || r.sfu.paths.find(c.path) != nil {
		t.Error("the check opened a path")
	}
	c.check(true)
	if c.transport.ICEState() != ice.StateCompleted || r.sfu.paths.find(c.path) != c.transport {
		t.Errorf("ICE is %v after a good check", c.transport.ICEState())
	}
}

func TestLastCheckedTransportHasThePath(t *testing.T) {
	r := newRigCall(t)
	// Mallory has a transport of her own and forges Alice's address.
	mallory := r.newClient(WebRTCTransportOptions{})
	own := mallory.path
	mallory.path = r.alice.path
	mallory.check(true)
	r.alice.sendRTP(videoPacket(1, 1000, true, true, 101))
	checkSizes(t, -1, r.bob.take().rtp)
	r.alice.check(true)
	r.alice.sendRTP(videoPacket(2, 1000, true, true, 102))
	checkSizes(t, -1, r.bob.take().rtp, 102)
	mallory.transport.Close()
	r.alice.sendRTP(videoPacket(3, 1000, true, true, 103))
	checkSizes(t, -1, r.bob.take().rtp, 103)
	mallory.path = own
}

func TestSSRCsOfOneTransportAreBounded(t *testing.T) {
	r := newRigCall(t)
	stray := videoPacket(1, 1000, true, true, 20)
	stray.PayloadType = 127
	forged := r.alice.protect(stray)
	for i := range maxSSRCs + 10 {
		forged[8], forged[9], forged[10], forged[11] = 1, byte(i>>16), byte(i>>8), byte(i)
		r.alice.deliver(bytes.Clone(forged))
	}
	if n := r.dropped(dropDecrypt); n != maxSSRCs+10 || r.alice.transport.recv.ssrcs != 0 {
		t.Errorf("%d forged packets dropped, %d SSRCs counted", n, r.alice.transport.recv.ssrcs)
	}
	for i := range maxSSRCs + 10 {
		stray.SSRC = 0x10000 + uint32(i)
		r.alice.sendRTP(stray)
	}
	if a, b := r.dropped(dropUnknownStream), r.dropped(dropTooManyStreams); a != maxSSRCs || b != 10 {
		t.Errorf("%d packets dropped as unknown, %d as too many", a, b)
	}
	stray.SSRC = 0x10000 // one that was known before
	stray.SequenceNumber++
	r.alice.sendRTP(stray)
	if r.dropped(dropUnknownStream) != 1 {
		t.Error("a known SSRC is not listened to any more")
	}
	// RTCP is bounded in the same way.
	for i := range maxSSRCs + 10 {
		r.alice.sendRTCP(rtp.AppendRR(nil, uint32(i), nil))
	}
	if n := r.dropped(dropTooManyStreams); n != 10 {
		t.Errorf("%d RTCP packets dropped as of too many", n)
	}
}

func TestStreamsOfTwoProducersOnOneTransport(t *testing.T) {
	c := newRigCall(t)
	screen := videoParameters()
	screen.MID, screen.Encodings = "5", []ortc.RTPEncodingParameters{{SSRC: 51, RTX: &ortc.RTXParameters{SSRC: 52}}}
	voice := c.bob.consume(c.alice.produce(ortc.Audio, audioParameters()))
	second := c.bob.consume(c.alice.produce(ortc.Video, screen))
	shared := videoPacket(900, 1000, true, true, 302)
	shared.SSRC = 51
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 301), audioPacket(70, 960, 30), shared, videoPacket(2, 4000, true, false, 303))
	got := c.bob.take().rtp
	bySSRC := map[uint32][]int{}
	for _, p := range got {
		bySSRC[p.header.SSRC] = append(bySSRC[p.header.SSRC], len(p.payload))
	}
	for consumer, want := range map[*Consumer][]int{c.consumer: {301, 303}, voice: {30}, second: {302}} {
		if have := bySSRC[consumer.RTPParameters().Encodings[0].SSRC]; !slices.Equal(have, want) {
			t.Errorf("consumer with mid %q got %v, want %v", consumer.RTPParameters().MID, have, want)
		}
	}
}

func TestBrowserThatChangesItsSSRC(t *testing.T) {
	c := newRigCall(t)
	packet := func(ssrc uint32, seq uint16, ts uint32, key bool) *pionrtp.Packet {
		p := videoPacket(seq, ts, true, key, 100+int(seq%100))
		p.SSRC = ssrc
		setExtensions(t, p, map[uint8][]byte{9: []byte("0")})
		return p
	}
	c.alice.sendRTP(packet(videoSSRC, 1, 1000, true), packet(videoSSRC, 2, 4000, false))
	last := checkSizes(t, -1, c.bob.take().rtp, 101, 102)
	c.alice.take()
	c.advance(time.Second)
	c.alice.sendRTP(packet(4242, 5007, 900_000, false))
	if n := c.alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs for the new stream, want 1", n)
	}
	c.alice.sendRTP(packet(4242, 5008, 903_000, true))
	got := c.bob.take().rtp
	last = checkSizes(t, last, got, 108)
	if want := uint32(4000 + 90_000); got[0].header.Timestamp != want {
		t.Errorf("timestamp %d, want %d: a second later", got[0].header.Timestamp, want)
	}
	// What was sent before can still be asked for.
	params := c.consumer.RTPParameters()
	c.bob.sendRTCP(rtp.AppendNACK(nil, 9, params.Encodings[0].SSRC, []uint16{uint16(last - 1), uint16(last)}))
	again := c.bob.take().rtp
	if len(again) != 2 || len(again[0].payload) != 2+102 || len(again[1].payload) != 2+108 {
		t.Fatalf("%d packets were retransmitted", len(again))
	}
	if again[0].header.Timestamp != 4000 || again[1].header.Timestamp != got[0].header.Timestamp {
		t.Errorf("with timestamps %d and %d", again[0].header.Timestamp, again[1].header.Timestamp)
	}
}

func TestByeEndsAStreamAndTheNextPacketBeginsAnother(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 101))
	c.alice.sendRTCP(rtp.AppendBYE(nil, []uint32{videoSSRC, 12345}))
	if st := c.producer.Stats(); len(st) != 0 {
		t.Errorf("statistics of an ended stream: %+v", st)
	}
	last := checkSizes(t, -1, c.bob.take().rtp, 101)
	c.alice.sendRTP(videoPacket(2, 4000, true, false, 102), videoPacket(3, 7000, true, true, 103))
	checkSizes(t, last, c.bob.take().rtp, 103) // it begins anew, with a keyframe
}

func TestEachSRTPProfileCarriesMedia(t *testing.T) {
	for _, profile := range []srtp.ProtectionProfile{
		srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm, srtp.ProtectionProfileAes128CmHmacSha1_80,
	} {
		t.Run(profile.String(), func(t *testing.T) {
			r := newRig(t)
			alice, bob := r.newClient(WebRTCTransportOptions{}), r.newClient(WebRTCTransportOptions{})
			for _, c := range []*client{alice, bob} {
				c.check(true)
				c.shakeHands(profile)
			}
			consumer := bob.consume(alice.produce(ortc.Video, videoParameters()))
			alice.sendRTP(videoPacket(1, 1000, true, true, 1200), videoPacket(2, 1000, true, false, 1199), videoPacket(3, 4000, true, false, 30))
			last := checkSizes(t, -1, bob.take().rtp, 1200, 1199, 30)
			bob.sendRTCP(rtp.AppendNACK(nil, 9, consumer.ssrc, []uint16{uint16(last)}))
			if got := bob.take().rtp; len(got) != 1 || len(got[0].payload) != 32 {
				t.Errorf("%d packets retransmitted", len(got))
			}
		})
	}
}

func TestBatchOfManyTransports(t *testing.T) {
	c := newRigCall(t)
	carol := c.connect(WebRTCTransportOptions{})
	carol.transport.Close() // her packets are still in the batch
	batch := []udp.Datagram{
		{Data: c.alice.protect(videoPacket(1, 1000, false, true, 101)), Path: c.alice.path},
		{Data: carol.protect(videoPacket(1, 1000, true, true, 999)), Path: carol.path},
		{Data: c.alice.protect(videoPacket(2, 1000, true, false, 102)), Path: c.alice.path},
	}
	c.worker.takeBatch(c.now, batch)
	checkSizes(t, -1, c.bob.take().rtp, 101, 102)
}
