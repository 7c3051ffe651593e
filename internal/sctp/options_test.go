package sctp

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestBufferOfOneStreamLeavesTheOthersTheirs(t *testing.T) {
	inWorld(t, Options{SendBufferBytes: 100_000, StreamBufferBytes: 10_000}, func(w *world) {
		w.connect()
		w.toPeer.setLoss(func([]byte) bool { return true })
		w.send(1, strings.Repeat("x", 10_000))
		if err := w.a.Send(Message{1, PPIDBinary, []byte("one more")}, 0); !errors.Is(err, ErrBufferFull) {
			t.Errorf("Send into a full stream: %v", err)
		}
		w.send(2, "another stream")
	})
}

// The biggest messages may differ by direction.
func TestMessagesAreLimitedByDirection(t *testing.T) {
	inWorld(t, Options{MaxSendBytes: 10, MaxMessageBytes: 20}, func(w *world) {
		w.connect()
		if err := w.a.Send(Message{1, PPIDBinary, make([]byte, 11)}, 0); !errors.Is(err, ErrTooBig) {
			t.Errorf("Send of 11 bytes: %v", err)
		}
		w.send(1, strings.Repeat("x", 10))
		s := w.stream(1)
		w.peerSends(s, PPIDText, strings.Repeat("y", 21))
		w.peerSends(s, PPIDText, strings.Repeat("y", 20))
		settle(time.Second)
		wantReceived(t, w.take(), received{1, PPIDText, strings.Repeat("y", 20)})
	})
}

func TestWindowIsTheOneAskedFor(t *testing.T) {
	for want, o := range map[uint32]Options{
		512 << 10: {},
		3_000_000: {ReceiveWindowBytes: 3_000_000},
		600_000:   {ReceiveWindowBytes: 1, MaxMessageBytes: 600_000},
	} {
		if got := o.withDefaults().receiveWindow(); got != want {
			t.Errorf("%+v: %d bytes", o, got)
		}
	}
}

// Without DTLS a packet has the checksum that tells whether it came through unharmed, and
// either side may begin, or both at once.
func TestAssociationWithoutDTLS(t *testing.T) {
	for name, begin := range map[string]func(w *world){
		"the peer begins": func(w *world) { w.connect() },
		"we begin":        func(w *world) { w.a.Connect(); w.connect() },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Options{Bare: true, Streams: 65535}, func(w *world) {
				if out, in := w.a.Negotiated(); out != 0 || in != 0 {
					t.Errorf("agreed on %d and %d streams with nobody", out, in)
				}
				begin(w)
				settle(time.Minute)
				if out, in := w.a.Negotiated(); out != 65535 || in != 65535 {
					t.Errorf("agreed on %d and %d streams", out, in)
				}
				w.send(60_000, "hello")
				if got := w.peerReads(w.stream(60_000)); got != "hello" {
					t.Errorf("the peer got %q", got)
				}
				w.peerSends(w.stream(3), PPIDText, "and back")
				settle(time.Second)
				wantReceived(t, w.take(), received{3, PPIDText, "and back"})
			})
		})
	}
}

// Who begins with nobody there has failed in the end, and may be closed before.
func TestConnectToNobody(t *testing.T) {
	inWorld(t, Options{Bare: true}, func(w *world) {
		w.a.Connect()
		w.a.Connect() // changes nothing
		settle(time.Second)
		if s := w.a.State(); s != StateConnecting {
			t.Errorf("state %s", s)
		}
		settle(time.Hour)
		if s := w.a.State(); s != StateFailed {
			t.Errorf("state %s in the end", s)
		}
	})
	inWorld(t, Options{Bare: true}, func(w *world) {
		w.a.Connect()
		settle(time.Second)
		w.a.Close()
		if s := w.a.State(); s != StateClosed {
			t.Errorf("state %s after Close", s)
		}
		w.a.Connect()
		if s := w.a.State(); s != StateClosed {
			t.Errorf("state %s after all", s)
		}
	})
}

// A peer that has been told of 65535 streams may not make us hold them all.
func TestPeerMayUseOnlySoManyStreamsThatNobodyOpened(t *testing.T) {
	inWorld(t, Options{Streams: 65535}, func(w *world) {
		w.connect()
		for id := range uint16(100) {
			if err := w.a.Open(id, Reliability{}); err != nil {
				t.Fatal(err)
			}
		}
		for id := range uint16(100 + maxStrangers) {
			w.peerSends(w.stream(id), PPIDText, "x")
		}
		settle(time.Second)
		if n := len(w.take()); n != 100+maxStrangers || w.a.State() != StateConnected {
			t.Fatalf("%d messages, state %s", n, w.a.State())
		}
		w.peerSends(w.stream(2000), PPIDText, "one too many")
		settle(time.Second)
		if s := w.a.State(); s != StateFailed {
			t.Errorf("state %s", s)
		}
	})
}

func TestPacketsThatBeginAnAssociation(t *testing.T) {
	good := initPacket(7)
	if !BeginsAssociation(good) {
		t.Error("an INIT does not")
	}
	for name, change := range map[string]func(b []byte) []byte{
		"harmed":        func(b []byte) []byte { b[20] ^= 1; return b },
		"short":         func(b []byte) []byte { return b[:10] },
		"another chunk": func(b []byte) []byte { b[12] = chunkData; return b },
		"no checksum":   func(b []byte) []byte { clear(b[8:12]); return b },
	} {
		if BeginsAssociation(change(append([]byte(nil), good...))) {
			t.Errorf("what is %s does", name)
		}
	}
}
