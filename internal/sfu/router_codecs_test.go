package sfu

import (
	"errors"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
)

func TestMediaCodecsOfARouterCanBeChanged(t *testing.T) {
	c := newRigCall(t)
	if err := c.router.UpdateMediaCodecs([]ortc.RTPCodecCapability{{Kind: ortc.Video, MimeType: "video/nothing", ClockRate: 90000}}); !isKind(err, ortc.UnsupportedError) {
		t.Errorf("an unknown codec: %v", err)
	}
	check(t, c.router.UpdateMediaCodecs(nil))
	if list := c.router.RTPCapabilities(); len(list.Codecs) != 0 || len(list.HeaderExtensions) == 0 {
		t.Errorf("capabilities %+v", list)
	}
	_, err := c.alice.transport.Produce(ProducerOptions{Kind: ortc.Audio, RTPParameters: audioParameters()})
	if !isKind(err, ortc.UnsupportedError) {
		t.Errorf("a codec of before: %v", err)
	}
	c.alice.sendRTP(videoPacket(1, 0, true, true, 100))
	if got := c.bob.take().rtp; len(got) != 1 {
		t.Errorf("%d packets of the producer that there was", len(got))
	}
	check(t, c.router.UpdateMediaCodecs(DefaultMediaCodecs()))
	c.bob.consume(c.alice.produce(ortc.Audio, audioParameters()))
	c.router.Close()
	if err := c.router.UpdateMediaCodecs(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("on a closed router: %v", err)
	}
}
