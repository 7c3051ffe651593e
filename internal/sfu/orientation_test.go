package sfu

import (
	"fmt"
	"slices"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

func TestOrientationIsToldWhenItChanges(t *testing.T) {
	r := newRig(t)
	alice := r.connect(WebRTCTransportOptions{})
	params := videoParameters()
	params.HeaderExtensions = append(slices.Clone(params.HeaderExtensions), ortc.RTPHeaderExtensionParameters{URI: ortc.URIVideoOrientation, ID: 13})
	var told []VideoOrientation
	p, err := alice.transport.Produce(ProducerOptions{
		Kind: ortc.Video, RTPParameters: params, Events: ProducerEvents{VideoOrientation: func(o VideoOrientation) { told = append(told, o) }},
	})
	check(t, err)
	other, err := r.sfu.NewRouter(RouterOptions{})
	check(t, err)
	_, err = r.router.PipeTo(other, p.ID(), PipeOptions{})
	check(t, err)
	here, there := watch(r.router), watch(other)
	if _, known := p.VideoOrientation(); known {
		t.Error("known before the first packet")
	}
	seq := uint16(0)
	send := func(seq uint16, turned ...byte) {
		packet := videoPacket(seq, 0, true, seq == 1, 100)
		if len(turned) > 0 {
			setExtensions(t, packet, map[uint8][]byte{13: turned})
		}
		alice.sendRTP(packet)
	}
	for _, turned := range []byte{0, 0xf0, 1, 6, 15} {
		seq++
		send(seq, turned)
	}
	send(7)    // without the extension
	send(6, 0) // late
	p.Pause()
	send(8, 0)
	r.settle()
	other.events.settle()
	want := []VideoOrientation{{}, {Rotation: 90}, {Flip: true, Rotation: 180}, {Camera: true, Flip: true, Rotation: 270}}
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if o, known := p.VideoOrientation(); !known || o != want[3] {
		t.Errorf("is %v, %v", o, known)
	}
	lines := []string{}
	for _, o := range want {
		lines = append(lines, fmt.Sprintf("producer.videoorientationchange %v", o))
	}
	there.want(t, append(lines, "producer.paused")...)
	here.want(t, append(lines, "producer.paused")...)
	checkFields(t, want[0], "camera", "flip", "rotation")
}
