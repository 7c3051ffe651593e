package sctp

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// handshake leads an association to StateConnected by hand: Pion as a peer would be too
// slow. It reports whether the association came that far.
func handshake(a *Association, answers <-chan []byte) bool {
	a.Feed(initPacket(1))
	cookie := func() []byte {
		c, _, ok := nextChunk(chunksOf(<-answers))
		if !ok || c.kind() != 2 { // INIT ACK
			return nil
		}
		for param, rest, ok := nextPadded(c[20:]); ok; param, rest, ok = nextPadded(rest) {
			if binary.BigEndian.Uint16(param) == 7 { // state cookie
				return param[paramHeaderSize:]
			}
		}
		return nil
	}()
	a.Feed(newPacket(append([]byte{10, 0}, cookie...))) // COOKIE ECHO
	c, _, ok := nextChunk(chunksOf(<-answers))
	return ok && c.kind() == 11 // COOKIE ACK
}

// packetsOf cuts the fuzzer's bytes into packets: a length, then chunks. The header is
// ours; without a checksum, since DTLS has one.
func packetsOf(data []byte) (packets [][]byte) {
	for len(data) > 0 {
		size := min(int(data[0])*4, len(data)-1)
		packet := append([]byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 1, 0, 0, 0, 0}, data[1:1+size]...)
		packets, data = append(packets, packet), data[1+size:]
	}
	return packets
}

// asInput is the reverse of packetsOf.
func asInput(packets ...[]byte) (data []byte) {
	for _, p := range packets {
		body := p[packetHeaderSize:]
		data = append(append(data, byte(len(body)/4)), body...)
	}
	return data
}

// Whatever a peer sends into its association, nothing panics and Close ends it.
func FuzzPackets(f *testing.F) {
	f.Add(true, asInput(newPacket(dataChunk(1, 3, 0, 3, "abc1"))))
	f.Add(true, asInput(newPacket(dataChunk(1, 3, 0, 2, "abc1")), newPacket(dataChunk(2, 3, 0, 1, "def2"))))
	f.Add(true, asInput(newPacket(dataChunk(9, 3, 0, 7, "abc1"), dataChunk(2, 4, 1, 3, "x"))))
	f.Add(true, asInput(newPacket(dataChunk(1, 3, 0, 3, "abc1")), newPacket(resetChunk(1, 3, 4))))
	f.Add(true, asInput(newPacket(forwardChunk(5, 3, 1)), newPacket(dataChunk(6, 3, 2, 3, "abc1"))))
	f.Add(true, asInput(newPacket([]byte{3, 0, 0, 0, 0, 9, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1}))) // SACK
	f.Add(true, asInput(newPacket([]byte{6, 0, 0, 12, 0, 4})))                                    // ABORT
	f.Add(true, asInput(newPacket([]byte{7, 0, 0, 0, 0, 1})))                                     // SHUTDOWN
	f.Add(true, asInput(newPacket([]byte{4, 0, 0, 1, 0, 8, 1, 2, 3, 4})))                         // HEARTBEAT
	f.Add(false, asInput(newPacket(dataChunk(1, 3, 0, 3, "abc1"))))
	f.Fuzz(func(t *testing.T, connected bool, data []byte) {
		var in sync.Mutex
		answers := make(chan []byte, 4)
		a := New(Options{
			Write: func(packet []byte) error {
				select {
				case answers <- append([]byte(nil), packet...):
				default:
				}
				return nil
			},
			Message: func(m Message) {
				in.Lock()
				defer in.Unlock()
				if len(m.Data) == 0 || int(m.Stream) >= DefaultStreams {
					t.Errorf("message %+v", m)
				}
			},
		})
		defer a.Close()
		var fed atomic.Bool
		quiet := make(chan struct{})
		a.link.idle = func() {
			a.settle()
			if len(a.link.in) == 0 && fed.CompareAndSwap(true, false) {
				close(quiet)
			}
		}
		if connected && !handshake(a, answers) {
			t.Fatal("no handshake")
		}
		if !connected {
			a.Feed(initPacket(1))
		}
		_ = a.Open(3, Reliability{Unordered: len(data)%2 == 0})
		for _, packet := range packetsOf(data) {
			a.Feed(packet)
			_ = a.Send(Message{3, PPIDText, []byte("answer")}, 0)
		}
		a.CloseStream(3)
		fed.Store(true)
		for working := true; working; { // until all is worked off, or the association has ended
			a.link.nudge() // again, since the reader may just have had another packet
			select {
			case <-quiet:
				working = false
			case <-a.done:
				working = false
			case <-time.After(time.Millisecond):
			}
		}
		a.Close()
		if s := a.State(); s != StateClosed && s != StateFailed {
			t.Errorf("state %s after Close", s)
		}
	})
}
