package sfu

import (
	"slices"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

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
