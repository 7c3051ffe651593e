package dtls

import (
	"testing"
	"testing/synctest"
	"time"
)

// FuzzFeed gives an established connection, and one that waits, a datagram of anybody
// who can forge the peer's address.
func FuzzFeed(f *testing.F) {
	f.Add([]byte{})
	f.Add(plaintextRecord(contentAlert, []byte{2, 40}))
	f.Add(plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 0, 50)))
	f.Add(plaintextRecord(contentHandshake, clientHelloFragment(0, 50, 0, 50)))
	f.Add(makeRecord(contentAlert, 1, make([]byte, 26)))
	f.Add(append(plaintextRecord(contentChangeCipherSpec, []byte{1}), makeRecord(contentHandshake, 1, make([]byte, 48))...))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		synctest.Test(t, func(t *testing.T) {
			waiting := newSide(Options{})
			waiting.Feed(datagram)
			start(t, waiting, RoleServer, certificateB.Fingerprints())
			waiting.Feed(datagram)

			server, client := connected(t, Options{}, Options{})
			server.Feed(datagram)
			settle(time.Second)
			wantState(t, server, StateConnected)
			settle(DefaultLinger)
			server.Feed(datagram)
			settle(time.Second)
			wantState(t, server, StateConnected)
			wantState(t, client, StateConnected)
			closeAll(waiting, server, client)
		})
	})
}
