package sctp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/sctp"
)

// A peer that sends pieces which make no messages would have us hold half a million of
// them, and sort them again with each that comes.
func TestPeerThatFloodsLosesItsAssociation(t *testing.T) {
	for name, flags := range map[string]byte{
		"messages behind one that never comes": 3,
		"beginnings without an end":            4 | 2,
	} {
		t.Run(name, func(t *testing.T) {
			answers := make(chan []byte, 4)
			failed := make(chan error, 1)
			a := New(Options{
				Write: func(p []byte) error {
					select {
					case answers <- append([]byte(nil), p...):
					default:
					}
					return nil
				},
				Message: func(Message) { t.Error("a message") },
				StateChange: func(s State, err error) {
					if s == StateFailed {
						failed <- err
					}
				},
			})
			defer a.Close()
			if !handshake(a, answers) {
				t.Fatal("no handshake")
			}
			pieces := 0
			for ; a.State() != StateFailed && pieces < 2*maxPending; pieces += 50 {
				var chunks [][]byte
				for i := range 50 {
					n := pieces + i
					chunks = append(chunks, dataChunk(uint32(n+1), uint16(n/1000), uint16(n%1000+1), flags, "x"))
				}
				a.Feed(newPacket(chunks...))
			}
			select {
			case err := <-failed:
				if !errors.Is(err, errFlood) {
					t.Errorf("ended with %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%d pieces later the association is %s", pieces, a.State())
			}
		})
	}
}

// Many small messages of an honest peer, some of which come twice, are no flood.
func TestManySmallMessagesAreNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		defer w.close()
		w.connect()
		w.toUs.setLoss(randomLoss(5, 0.05))
		w.toPeer.setLoss(randomLoss(6, 0.05))
		const count = 6 * maxPieces
		for i := range count {
			s := w.stream(uint16(i % 10))
			s.SetReliabilityParams(i%2 == 0, pion.ReliabilityTypeReliable, 0)
			w.peerSends(s, PPIDBinary, "x")
		}
		settle(10 * time.Minute)
		if got := len(w.take()); got != count || w.a.State() != StateConnected {
			t.Errorf("%d of %d messages, state %s (%v)", got, count, w.a.State(), w.err)
		}
		w.toUs.setLoss(nil)
		w.toPeer.setLoss(nil)
		w.peerSends(w.stream(1), PPIDBinary, "last")
		settle(time.Minute)
		if got := w.a.pending.Load(); got != 0 {
			t.Errorf("%d pieces pending in the end", got)
		}
	})
}
