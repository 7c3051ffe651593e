package sfu

import (
	"fmt"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

const vp9PT = 98

// svc is a sender of VP9 with three spatial layers in one stream, a packet for
// each, and one receiver.
type svc struct {
	*rig
	alice, bob *client
	consumer   *Consumer
	seq        uint16
	picture    uint16
	ts         uint32
}

func newSVC(tb testing.TB, preferred uint8) *svc {
	tb.Helper()
	r := newRig(tb)
	s := &svc{rig: r, alice: r.connect(WebRTCTransportOptions{}), bob: r.connect(WebRTCTransportOptions{}), seq: 65533, picture: 32766}
	params := videoParameters()
	params.Codecs = []ortc.RTPCodecParameters{{
		MimeType: "video/VP9", PayloadType: vp9PT, ClockRate: 90000, Parameters: ortc.CodecParameters{"profile-id": 0},
		RTCPFeedback: []ortc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}}
	params.Encodings = []ortc.RTPEncodingParameters{{SSRC: videoSSRC, ScalabilityMode: "L3T1"}}
	s.consumer = s.bob.consume(s.alice.produce(ortc.Video, params), func(o *ConsumerOptions) {
		o.PreferredLayers = &Layer{Spatial: preferred}
	})
	return s
}

// packet is that of a spatial layer of the next picture (RFC 9628 §4.2).
func (s *svc) packet(spatial uint8, key bool) *pionrtp.Packet {
	first, header := byte(0x80|0x20|0x08|0x04), byte(0x80) // I, L, B, E; a keyframe
	if !key {
		first, header = first|0x40, 0x84
	}
	if spatial == 2 {
		first |= 0x01 // nothing depends on it
	}
	dependent := byte(0)
	if spatial > 0 {
		dependent = 1
	}
	s.seq++
	return &pionrtp.Packet{
		Header: pionrtp.Header{Version: 2, PayloadType: vp9PT, SequenceNumber: s.seq, Timestamp: s.ts, SSRC: videoSSRC, Marker: spatial == 2},
		Payload: append([]byte{
			first, 0x80 | byte(s.picture>>8&0x7f), byte(s.picture), spatial<<1 | dependent, byte(s.picture), header,
		}, make([]byte, 50)...),
	}
}

// send sends a picture, a keyframe if that was asked for, and returns what Bob
// gets, as "layer:seq" with an m for the marker.
func (s *svc) send() (got []string) {
	s.tb.Helper()
	asked := s.alice.take().only(rtp.TypePSFB, rtp.FormatPLI)
	for spatial := range uint8(3) {
		p := s.packet(spatial, len(asked) > 0)
		s.alice.sendRTP(p)
	}
	s.picture++
	s.ts += 3000
	s.advance(33 * time.Millisecond)
	for _, p := range s.bob.take().rtp {
		var f codec.Frame
		if !codec.Read(codec.VP9, p.payload, &f) {
			s.tb.Fatalf("Bob got % x", p.payload)
		}
		mark := ""
		if p.header.Marker {
			mark = "m"
		}
		got = append(got, fmt.Sprintf("%d:%d%s", f.Spatial, p.header.SequenceNumber, mark))
	}
	return got
}

func TestSVCForwardsThePreferredSpatialLayers(t *testing.T) {
	s := newSVC(t, 1)
	for range 60 { // until it is known what the layers take
		s.send()
	}
	first := s.consumer.rewrite.seq
	check := func(want string, got []string) {
		t.Helper()
		if fmt.Sprint(got) != want {
			t.Errorf("Bob got %v, want %s", got, want)
		}
	}
	at := func(i int64) uint16 { return uint16(first + i) }
	check(fmt.Sprintf("[0:%d 1:%dm]", at(1), at(2)), s.send())
	check(fmt.Sprintf("[0:%d 1:%dm]", at(3), at(4)), s.send())
	if l, sent := s.consumer.CurrentLayers(); !sent || l != (Layer{Spatial: 1}) {
		t.Errorf("it is sent %v, %v", l, sent)
	}
	if err := s.consumer.SetPreferredLayers(Layer{}); err != nil {
		t.Fatal(err)
	}
	check(fmt.Sprintf("[0:%dm]", at(5)), s.send()) // down at once
	if err := s.consumer.SetPreferredLayers(Layer{Spatial: 2}); err != nil {
		t.Fatal(err)
	}
	next := int64(6)
	for range 10 { // until the keyframe, which is not asked for twice within 300 ms
		got := s.send()
		if len(got) == 3 {
			check(fmt.Sprintf("[0:%d 1:%d 2:%dm]", at(next), at(next+1), at(next+2)), got)
			return
		}
		check(fmt.Sprintf("[0:%dm]", at(next)), got)
		next++
	}
	t.Error("the higher layers did not come")
}

func TestLayerThatNeverComesIsNotAskedForForEver(t *testing.T) {
	s := newSVC(t, 2)
	keyframes := 0
	for range 30 * 30 { // 30 s
		asked := s.alice.take().only(rtp.TypePSFB, rtp.FormatPLI)
		keyframes += len(asked)
		s.alice.sendRTP(s.packet(0, len(asked) > 0)) // only the base layer, as if the uplink were narrow
		s.picture++
		s.ts += 3000
		s.advance(33 * time.Millisecond)
		s.bob.take()
	}
	if keyframes == 0 || keyframes > 8 {
		t.Errorf("%d keyframes were asked for in 30 s", keyframes)
	}
}
