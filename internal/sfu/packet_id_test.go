package sfu

import (
	"encoding/binary"
	"slices"
	"testing"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// numbered is a sender whose packets are given numbers, and two receivers.
type numbered struct {
	*rig
	alice     *client
	bobs      [2]*client
	consumers [2]*Consumer
	id        uint8 // of the header extension
}

func newNumbered(tb testing.TB, params ortc.RTPParameters, number bool) *numbered {
	tb.Helper()
	r := newRig(tb)
	n := &numbered{rig: r, alice: r.connect(WebRTCTransportOptions{})}
	p, err := n.alice.transport.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: params, NumberPackets: number})
	check(tb, err)
	for i := range n.bobs {
		n.bobs[i] = r.connect(WebRTCTransportOptions{})
		n.consumers[i] = n.bobs[i].consume(p)
		n.id = extensionIDsOf(n.consumers[i].RTPParameters().HeaderExtensions)[extPacketID]
	}
	return n
}

// number is that of a packet.
func (n *numbered) number(p received) uint32 {
	n.tb.Helper()
	data := p.header.GetExtension(n.id)
	if len(data) != 4 {
		n.tb.Fatalf("the number is % x", data)
	}
	return binary.BigEndian.Uint32(data)
}

func TestPacketsHaveNumbersOfTheirOwn(t *testing.T) {
	n := newNumbered(t, videoParameters(), true)
	var numbers []uint32
	for seq := range uint16(3) {
		n.alice.sendRTP(videoPacket(65534+seq, 0, true, seq == 0, 100))
	}
	one, other := n.bobs[0].take().rtp, n.bobs[1].take().rtp
	for i := range one {
		if n.number(one[i]) != n.number(other[i]) {
			t.Errorf("packet %d has two numbers", i)
		}
		numbers = append(numbers, n.number(one[i]))
	}
	if len(numbers) != 3 || numbers[1] != numbers[0]+1 || numbers[2] != numbers[0]+2 {
		t.Errorf("numbers %d", numbers)
	}
	n.bobs[0].sendRTCP(rtp.AppendNACK(nil, 9, n.consumers[0].ssrc, []uint16{one[1].header.SequenceNumber}))
	if again := n.bobs[0].take().rtp; len(again) != 1 || n.number(again[0]) != numbers[1] {
		t.Errorf("sent again with %d, want %d", n.number(again[0]), numbers[1])
	}
}

func TestNumbersOfTheSenderArePassedOn(t *testing.T) {
	params := videoParameters()
	params.HeaderExtensions = append(slices.Clone(params.HeaderExtensions), ortc.RTPHeaderExtensionParameters{URI: ortc.URIPacketID, ID: 14})
	packet := func(seq uint16) *pionrtp.Packet {
		p := videoPacket(seq, 0, true, true, 100)
		setExtensions(t, p, map[uint8][]byte{14: {1, 2, 3, byte(seq)}})
		return p
	}
	for _, number := range []bool{false, true} {
		n := newNumbered(t, params, number)
		n.alice.sendRTP(packet(5))
		if got := n.bobs[0].take().rtp; n.number(got[0]) != 0x01020305 {
			t.Errorf("%x", n.number(got[0]))
		}
	}
}

func TestPacketsHaveNoNumberUnlessThatIsAskedFor(t *testing.T) {
	n := newNumbered(t, videoParameters(), false)
	n.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	if got := n.bobs[0].take().rtp; len(got) != 1 || got[0].header.GetExtension(n.id) != nil {
		t.Errorf("%+v", got)
	}
}

func TestSilenceOfOpusIsLeftOutWhereThatIsWanted(t *testing.T) {
	r := newRig(t)
	alice, bob, carol := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	params := audioParameters()
	params.Codecs = append(params.Codecs, ortc.RTPCodecParameters{MimeType: "audio/PCMU", PayloadType: 0, ClockRate: 8000})
	p := alice.produce(ortc.Audio, params)
	bob.consume(p, func(o *ConsumerOptions) { o.IgnoreDTX = true })
	carol.consume(p)
	payloads := [][]byte{
		{0x78, 1, 2}, {0x78}, {0x79}, {0x7a, 0}, // RFC 6716 §3.2: one, two and two empty frames
		{0x7a, 0, 3}, {0x7b}, {0x78, 4},
	}
	for i, payload := range payloads {
		packet := audioPacket(uint16(i), uint32(i)*960, 1)
		packet.Payload = payload
		alice.sendRTP(packet)
	}
	other := audioPacket(uint16(len(payloads)), uint32(len(payloads))*960, 1)
	other.PayloadType, other.Payload = 0, []byte{0x78} // a byte of sound
	alice.sendRTP(other)
	payloads = append(payloads, other.Payload)
	got, all := bob.take().rtp, carol.take().rtp
	if len(all) != len(payloads) {
		t.Errorf("%d packets to who wants all", len(all))
	}
	kept := []int{0, 4, 5, 6, 7}
	if len(got) != len(kept) {
		t.Fatalf("%d packets, want %d", len(got), len(kept))
	}
	for i, at := range kept {
		if !slices.Equal(got[i].payload, payloads[at]) || got[i].header.SequenceNumber != got[0].header.SequenceNumber+uint16(i) ||
			got[i].header.Timestamp-got[0].header.Timestamp != uint32(at)*960 {
			t.Errorf("packet %d is %+v", i, got[i])
		}
	}
}
