package sfu

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// checkSizes checks that exactly packets with payloads of the given sizes have
// arrived, under consecutive sequence numbers that begin after the one before,
// if that is not negative. It returns the last one.
func checkSizes(t *testing.T, before int, got []received, sizes ...int) int {
	t.Helper()
	have := make([]int, len(got))
	for i, p := range got {
		have[i] = len(p.payload)
		if before >= 0 && p.header.SequenceNumber != uint16(before+1) {
			t.Errorf("packet %d has seq %d after %d", i, p.header.SequenceNumber, before)
		}
		before = int(p.header.SequenceNumber)
	}
	if fmt.Sprint(have) != fmt.Sprint(sizes) {
		t.Fatalf("packets of %v bytes arrived, want %v", have, sizes)
	}
	return before
}

// plis is how often the sender was asked for a keyframe by PLI.
func (got taken) plis() int { return len(got.only(rtp.TypePSFB, rtp.FormatPLI)) }

func TestPausedConsumerIsSentNothingAndGoesOnWithAKeyframe(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 201))
	last := checkSizes(t, -1, c.bob.take().rtp, 201)
	c.alice.take()

	c.consumer.Pause()
	c.alice.sendRTP(videoPacket(2, 4000, true, false, 202), videoPacket(3, 7000, true, true, 203))
	checkSizes(t, last, c.bob.take().rtp)
	if n := c.alice.take().plis(); n != 0 {
		t.Errorf("%d PLIs for nobody", n)
	}

	c.advance(time.Second)
	c.consumer.Resume()
	if n := c.alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs after Resume, want 1", n)
	}
	c.alice.sendRTP(videoPacket(4, 97000, true, false, 204), videoPacket(5, 100000, true, true, 205), videoPacket(6, 103000, true, false, 206))
	got := c.bob.take().rtp
	checkSizes(t, last, got, 205, 206)
	if got[0].header.Timestamp != 100000 {
		t.Errorf("the timestamp is %d: it does not show the pause", got[0].header.Timestamp)
	}
}

func TestPausedProducerIsNotForwarded(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 201))
	last := checkSizes(t, -1, c.bob.take().rtp, 201)
	c.producer.Pause()
	if !c.producer.Paused() || !c.consumer.ProducerPaused() || c.consumer.Paused() {
		t.Error("the producer, and only it, should be paused")
	}
	c.alice.sendRTP(videoPacket(2, 4000, true, true, 202))
	checkSizes(t, last, c.bob.take().rtp)
	c.producer.Resume()
	c.alice.sendRTP(videoPacket(3, 7000, true, false, 203), videoPacket(4, 10000, true, true, 204))
	checkSizes(t, last, c.bob.take().rtp, 204)
}

func TestConsumerMadePausedStartsWithResume(t *testing.T) {
	c := newRigCall(t)
	c.consumer.Close()
	consumer, err := c.bob.transport.Consume(ConsumerOptions{
		ProducerID: c.producer.ID(), RTPCapabilities: c.router.RTPCapabilities(), Paused: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 201))
	checkSizes(t, -1, c.bob.take().rtp)
	c.producer.Pause()
	consumer.Resume() // the producer still is paused
	c.alice.sendRTP(videoPacket(2, 4000, true, true, 202))
	checkSizes(t, -1, c.bob.take().rtp)
	c.producer.Resume()
	c.alice.sendRTP(videoPacket(3, 7000, true, true, 203))
	checkSizes(t, -1, c.bob.take().rtp, 203)
}

func TestKeyframeIsAskedForBeforeTheFirstPacketOfAReceiver(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.newClient(WebRTCTransportOptions{})
	producer := alice.produce(ortc.Video, videoParameters())
	alice.sendRTP(videoPacket(1, 1000, true, true, 201))
	bob.consume(producer)
	if n := alice.take().plis(); n != 0 {
		t.Errorf("%d PLIs for a receiver that is not connected", n)
	}
	bob.check(true)
	bob.shakeHands(1)
	if n := alice.take().plis(); n != 1 {
		t.Errorf("%d PLIs when it is, want 1", n)
	}
}

// codecCase is a codec and how its keyframes and other frames begin.
type codecCase struct {
	name          string
	kind          ortc.MediaKind
	codec         ortc.RTPCodecParameters
	key, delta    []byte
	anyPacketWill bool // start a receiver
}

var codecCases = []codecCase{
	{"VP8", ortc.Video, ortc.RTPCodecParameters{MimeType: "video/VP8", PayloadType: 100, ClockRate: 90000},
		[]byte{0x10, 0, 0, 0, 0x9d, 0x01, 0x2a}, []byte{0x10, 1, 0, 0}, false},
	{"VP9", ortc.Video, ortc.RTPCodecParameters{MimeType: "video/VP9", PayloadType: 101, ClockRate: 90000,
		Parameters: ortc.CodecParameters{"profile-id": 0}}, []byte{0x08, 0x80, 0}, []byte{0x48, 0x84, 0}, false},
	{"H264", ortc.Video, ortc.RTPCodecParameters{MimeType: "video/H264", PayloadType: 102, ClockRate: 90000,
		Parameters: ortc.CodecParameters{"packetization-mode": 1, "profile-level-id": "4d001f", "level-asymmetry-allowed": 1}},
		[]byte{0x67, 0x4d, 0, 0x1f}, []byte{0x41, 0x9a, 0}, false},
	{"AV1", ortc.Video, ortc.RTPCodecParameters{MimeType: "video/AV1", PayloadType: 103, ClockRate: 90000},
		[]byte{0x18, 0x08, 0}, []byte{0x10, 0x30, 0x20}, false},
	{"Opus", ortc.Audio, ortc.RTPCodecParameters{MimeType: "audio/opus", PayloadType: 104, ClockRate: 48000, Channels: 2},
		[]byte{0x78, 1, 2}, []byte{0x78, 3, 4}, true},
	{"PCMU", ortc.Audio, ortc.RTPCodecParameters{MimeType: "audio/PCMU", PayloadType: 0, ClockRate: 8000},
		[]byte{1, 2, 3}, []byte{4, 5, 6}, true},
}

func TestReceiversOfEachCodecStartWhereADecoderCan(t *testing.T) {
	for _, cc := range codecCases {
		t.Run(cc.name, func(t *testing.T) {
			r := newRig(t)
			alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
			producer := alice.produce(cc.kind, ortc.RTPParameters{
				MID: "0", Codecs: []ortc.RTPCodecParameters{cc.codec}, Encodings: []ortc.RTPEncodingParameters{{SSRC: 7}},
			})
			consumer := bob.consume(producer)
			send := func(seq uint16, payload []byte) {
				alice.sendRTP(&pionrtp.Packet{
					Header:  pionrtp.Header{Version: 2, PayloadType: cc.codec.PayloadType, SequenceNumber: seq, Timestamp: uint32(seq) * 3000, SSRC: 7},
					Payload: payload,
				})
			}
			send(1, cc.delta)
			send(2, cc.key)
			send(3, cc.delta)
			want := [][]byte{cc.key, cc.delta}
			if cc.anyPacketWill {
				want = [][]byte{cc.delta, cc.key, cc.delta}
			}
			got := bob.take().rtp
			if len(got) != len(want) {
				t.Fatalf("%d packets arrived, want %d", len(got), len(want))
			}
			for i, p := range got {
				if !bytes.Equal(p.payload, want[i]) {
					t.Errorf("packet %d is %x, want %x", i, p.payload, want[i])
				}
				params := consumer.RTPParameters()
				if p.header.PayloadType != params.Codecs[0].PayloadType || p.header.SSRC != params.Encodings[0].SSRC {
					t.Errorf("packet %d has PT %d and SSRC %d, want those of %+v", i, p.header.PayloadType, p.header.SSRC, params)
				}
			}
		})
	}
}

func TestPausesOfDTXShowInTheTimestampOnly(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	bob.consume(alice.produce(ortc.Audio, audioParameters()))
	last := -1
	for i, ts := range []uint32{960, 1920, 1920 + 20*960, 1920 + 21*960} {
		r.advance(20 * time.Millisecond)
		alice.sendRTP(audioPacket(uint16(i), ts, 50+i))
		got := bob.take().rtp
		last = checkSizes(t, last, got, 50+i)
		if got[0].header.Timestamp != ts {
			t.Errorf("timestamp %d, want %d", got[0].header.Timestamp, ts)
		}
	}
}

func audioPacket(seq uint16, ts uint32, size int) *pionrtp.Packet {
	return &pionrtp.Packet{
		Header:  pionrtp.Header{Version: 2, PayloadType: audioPT, SequenceNumber: seq, Timestamp: ts, SSRC: audioSSRC},
		Payload: bytes.Repeat([]byte{0x78}, size),
	}
}

func TestVideoEncryptedEndToEndStartsAfterAWhile(t *testing.T) {
	c := newRigCall(t)
	secret := func(seq uint16, size int) *pionrtp.Packet {
		p := videoPacket(seq, uint32(seq)*3000, true, false, size)
		copy(p.Payload, []byte{0xff, 0xff, 0xff, 0xff})
		return p
	}
	seq := uint16(1)
	for waited := time.Duration(0); waited < keyframePatience; waited += 10 * time.Millisecond {
		c.alice.sendRTP(secret(seq, 301))
		seq++
		c.advance(10 * time.Millisecond)
	}
	checkSizes(t, -1, c.bob.take().rtp)
	c.alice.sendRTP(secret(seq, 303), secret(seq+1, 304))
	checkSizes(t, -1, c.bob.take().rtp, 303, 304)
	c.alice.take()
	// Its sender is not asked again and again for what we cannot see.
	for range 100 {
		c.advance(100 * time.Millisecond)
		c.alice.sendRTP(secret(uint16(c.now/mono10ms), 100))
	}
	if n := c.alice.take().plis(); n > maxKeyframeRetries {
		t.Errorf("%d more PLIs in 10 s", n)
	}
}

const mono10ms = 10 * millisecond

func TestPacketsOfPaddingAloneKeepTheirPlace(t *testing.T) {
	c := newRigCall(t)
	probe := videoPacket(2, 1000, false, false, 0x20)
	probe.Padding, probe.PaddingSize, probe.Payload = true, 200, nil
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 201), probe, videoPacket(3, 4000, true, false, 203))
	got := c.bob.take().rtp
	checkSizes(t, -1, got, 201, 0, 203)
	if got[1].size > 60 {
		t.Errorf("%d bytes of padding were passed on", got[1].size)
	}
	// Nor does a receiver start with one.
	c.consumer.Pause()
	c.consumer.Resume()
	probe.SequenceNumber = 4
	c.alice.sendRTP(probe)
	checkSizes(t, -1, c.bob.take().rtp)
}

func TestProbesOverRTXReachNobody(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(1, 1000, true, true, 201))
	c.bob.take()
	probe := videoPacket(50, 1000, false, false, 0x20)
	probe.Padding, probe.PaddingSize, probe.Payload, probe.SSRC, probe.PayloadType = true, 200, nil, videoRTXSSRC, videoRTXPT
	again := videoPacket(51, 1000, true, true, 201)
	again.SSRC, again.PayloadType, again.Payload = videoRTXSSRC, videoRTXPT, append([]byte{0, 1}, again.Payload...)
	short := videoPacket(52, 1000, true, false, 20)
	short.SSRC, short.PayloadType, short.Payload = videoRTXSSRC, videoRTXPT, []byte{0}
	c.alice.sendRTP(probe, again, short)
	checkSizes(t, -1, c.bob.take().rtp)
	if st := c.producer.Stats()[0]; st.PacketCount != 1 || st.PacketsRetransmitted != 3 || st.PacketsRepaired != 0 {
		t.Errorf("%d packets, %d retransmitted, %d repaired", st.PacketCount, st.PacketsRetransmitted, st.PacketsRepaired)
	}
}

func TestHeaderExtensionsReachTheReceiverUnderTheRoutersIDs(t *testing.T) {
	c := newRigCall(t)
	params := videoParameters()
	params.MID = "7"
	params.Encodings = []ortc.RTPEncodingParameters{{SSRC: 5, RTX: &ortc.RTXParameters{SSRC: 6}}}
	params.HeaderExtensions = []ortc.RTPHeaderExtensionParameters{
		{URI: ortc.URIMID, ID: 9}, {URI: ortc.URIVideoOrientation, ID: 13}, {URI: ortc.URIPlayoutDelay, ID: 2}, {URI: ortc.URITransportWideCC, ID: 3},
	}
	consumer := c.bob.consume(c.alice.produce(ortc.Video, params))
	var ids extensionIDs
	for _, e := range consumer.RTPParameters().HeaderExtensions {
		ids[extensionOfURI[e.URI]] = e.ID
	}
	packet := func(seq uint16, key bool) *pionrtp.Packet {
		p := videoPacket(seq, 3000*uint32(seq), true, key, 100+int(seq))
		p.SSRC = 5
		setExtensions(t, p, map[uint8][]byte{9: []byte("7"), 13: {0x40 + byte(seq)}, 2: {1, 2, byte(seq)}, 3: {0, byte(seq)}})
		return p
	}
	lost := packet(2, false)
	lost.SSRC, lost.PayloadType, lost.SequenceNumber, lost.Payload = 6, videoRTXPT, 900, append([]byte{0, 2}, lost.Payload...)
	c.alice.sendRTP(packet(1, true), packet(3, false), lost)
	got := c.bob.take().rtp
	if len(got) != 3 {
		t.Fatalf("%d packets arrived, want 3", len(got))
	}
	for i, seq := range []byte{1, 3, 2} {
		h := got[i].header
		for e, want := range map[extension][]byte{
			extMID: []byte(consumer.RTPParameters().MID), extVideoOrientation: {0x40 + seq}, extPlayoutDelay: {1, 2, seq}, extTransportCC: {0, byte(i + 1)},
		} {
			if have := h.GetExtension(ids[e]); ids[e] == 0 || !bytes.Equal(have, want) {
				t.Errorf("packet %d: extension %d (id %d) is %x, want %x", seq, e, ids[e], have, want)
			}
		}
		if have := h.GetExtension(ids[extAbsSendTime]); ids[extAbsSendTime] != 0 && len(have) != 3 {
			t.Errorf("packet %d: abs-send-time is %x", seq, have)
		}
	}
}

func setExtensions(t *testing.T, p *pionrtp.Packet, elements map[uint8][]byte) {
	t.Helper()
	for id, data := range elements {
		if err := p.SetExtension(id, data); err != nil {
			t.Fatal(err)
		}
	}
}

func TestContributingSourcesAreNotPassedOn(t *testing.T) {
	c := newRigCall(t)
	p := videoPacket(1, 1000, true, true, 300)
	p.CSRC = []uint32{11, 12, 13}
	c.alice.sendRTP(p)
	got := c.bob.take().rtp
	checkSizes(t, -1, got, 300)
	if len(got[0].header.CSRC) != 0 {
		t.Errorf("CSRCs %v", got[0].header.CSRC)
	}
}

func TestPacketsOfAPayloadTypeTheReceiverLacksLeaveNoHole(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	params := audioParameters()
	params.Codecs = append(params.Codecs, ortc.RTPCodecParameters{MimeType: "audio/PCMU", PayloadType: 0, ClockRate: 8000})
	producer := alice.produce(ortc.Audio, params)
	caps := r.router.RTPCapabilities()
	var opusOnly ortc.RTPCapabilities
	for _, c := range caps.Codecs {
		if c.MimeType == "audio/opus" {
			opusOnly.Codecs = append(opusOnly.Codecs, c)
		}
	}
	if _, err := bob.transport.Consume(ConsumerOptions{ProducerID: producer.ID(), RTPCapabilities: opusOnly}); err != nil {
		t.Fatal(err)
	}
	pcmu := audioPacket(2, 1920, 82)
	pcmu.PayloadType = 0
	alice.sendRTP(audioPacket(1, 960, 81), pcmu, audioPacket(3, 2880, 83))
	checkSizes(t, -1, bob.take().rtp, 81, 83)
}

func TestFrameLeavesInOneRun(t *testing.T) {
	c := newRigCall(t)
	before := c.datagramStats().Sent
	c.alice.sendRTP(
		videoPacket(1, 1000, false, true, 1100), videoPacket(2, 1000, false, false, 1101),
		videoPacket(3, 1000, false, false, 1101), videoPacket(4, 1000, true, false, 700),
	)
	after := c.datagramStats().Sent
	got := c.bob.take().rtp
	checkSizes(t, -1, got, 1100, 1101, 1101, 700)
	if n := after.Syscalls - before.Syscalls; c.datagramStats().GSO && n != 1 {
		t.Errorf("%d system calls for one frame", n)
	}
	if got[0].size != got[1].size || !got[0].header.Padding || got[3].header.Padding {
		t.Errorf("sizes %d, %d, %d, %d: the first should be padded, the last not", got[0].size, got[1].size, got[2].size, got[3].size)
	}
}
