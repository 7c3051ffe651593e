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
