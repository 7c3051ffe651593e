package rtp_test

import (
	"testing"

	"github.com/takoserver/takos-call/internal/rtp"
)

func TestClassifyByFirstByte(t *testing.T) {
	for first := range 256 {
		want := rtp.KindUnknown
		switch {
		case first <= 3:
			want = rtp.KindSTUN
		case first >= 20 && first <= 63:
			want = rtp.KindDTLS
		case first >= 128 && first <= 191:
			want = rtp.KindRTP
		}
		if got := rtp.Classify([]byte{byte(first), 96}); got != want {
			t.Errorf("first byte %d is %v, want %v", first, got, want)
		}
	}
}

func TestClassifyTellsRTCPBySecondByte(t *testing.T) {
	for second := range 256 {
		want := rtp.KindRTP
		if second >= 192 && second <= 223 {
			want = rtp.KindRTCP
		}
		b := []byte{0x80, byte(second)}
		if got := rtp.Classify(b); got != want {
			t.Errorf("second byte %d is %v, want %v", second, got, want)
		}
		if got := rtp.IsRTCP(b); got != (want == rtp.KindRTCP) {
			t.Errorf("IsRTCP is %v for second byte %d", got, second)
		}
	}
}

func TestClassifyNeedsTwoBytes(t *testing.T) {
	for _, b := range [][]byte{nil, {}, {0x80}, {0}} {
		if got := rtp.Classify(b); got != rtp.KindUnknown {
			t.Errorf("%x is %v", b, got)
		}
		if rtp.IsRTCP(b) {
			t.Errorf("%x is RTCP", b)
		}
	}
}

func TestKindNamesItself(t *testing.T) {
	for kind, want := range map[rtp.Kind]string{
		rtp.KindUnknown: "unknown", rtp.KindSTUN: "STUN", rtp.KindDTLS: "DTLS",
		rtp.KindRTP: "RTP", rtp.KindRTCP: "RTCP", 200: "unknown",
	} {
		if got := kind.String(); got != want {
			t.Errorf("%d is %q, want %q", kind, got, want)
		}
	}
}
