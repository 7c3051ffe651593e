package sfu

import (
	"bytes"
	"testing"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// passedOn are extensions that the sender and each receiver negotiate, the value
// that a packet has, and the id that the router gives it.
var passedOn = []struct {
	uri  string
	kind ortc.MediaKind // the only one; empty: both
	sent uint8
	got  uint8
	data []byte
}{
	{ortc.URIAbsCaptureTime, "", 5, 10, []byte{1, 2, 3, 4, 5, 6, 7, 8}},
	{ortc.URIPlayoutDelay, "", 6, 11, []byte{0, 0x10, 0x20}},
	{ortc.URITransmissionOffset, ortc.Video, 7, 9, []byte{0, 1, 2}},
	{ortc.URIVideoOrientation, ortc.Video, 8, 8, []byte{3}},
	{ortc.URIAudioLevel, ortc.Audio, 10, 6, []byte{0x9f}},
}

func TestExtensionsArePassedOn(t *testing.T) {
	for _, m := range []struct {
		kind   ortc.MediaKind
		params ortc.RTPParameters
		packet func(seq uint16) *pionrtp.Packet
	}{
		{ortc.Audio, audioParameters(), func(seq uint16) *pionrtp.Packet { return audioPacket(seq, 960*uint32(seq), 50) }},
		{ortc.Video, videoParameters(), func(seq uint16) *pionrtp.Packet { return videoPacket(seq, 3000*uint32(seq), true, seq == 1, 50) }},
	} {
		t.Run(string(m.kind), func(t *testing.T) {
			r := newRig(t)
			alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
			m.params.HeaderExtensions = nil
			with := m.packet(2)
			for _, x := range passedOn {
				if x.kind != "" && x.kind != m.kind {
					continue
				}
				m.params.HeaderExtensions = append(m.params.HeaderExtensions, ortc.RTPHeaderExtensionParameters{URI: x.uri, ID: x.sent})
				if err := with.SetExtension(x.sent, x.data); err != nil {
					t.Fatal(err)
				}
			}
			consumer := bob.consume(alice.produce(m.kind, m.params))
			alice.sendRTP(m.packet(1), with, m.packet(3))
			got := bob.take().rtp
			if len(got) != 3 {
				t.Fatalf("%d packets arrive", len(got))
			}
			if consumer.rtxSSRC != 0 { // sent once more it has them still
				bob.sendRTCP(rtp.AppendNACK(nil, 7, consumer.ssrc, []uint16{got[1].header.SequenceNumber}))
				got = append(got, bob.take().rtp...)
			}
			for i, p := range got {
				for _, x := range passedOn {
					var want []byte
					if i%2 == 1 && (x.kind == "" || x.kind == m.kind) {
						want = x.data
					}
					if data := p.header.GetExtension(x.got); !bytes.Equal(data, want) {
						t.Errorf("packet %d has %x for %s, want %x", i, data, x.uri, want)
					}
				}
			}
			if want := map[ortc.MediaKind]int{ortc.Audio: 3, ortc.Video: 4}[m.kind]; len(got) != want {
				t.Errorf("%d packets in all, want %d", len(got), want)
			}
		})
	}
}
