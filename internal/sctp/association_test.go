package sctp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	pion "github.com/pion/sctp"
)

func inWorld(t *testing.T, o Options, f func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		defer w.close()
		f(w)
	})
}

func wantReceived(t *testing.T, got []received, want ...received) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.AllowUnexported(received{})); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestMessagesGoBothWays(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		s := w.stream(7)
		w.peerSends(s, PPIDText, "question")
		w.peerSends(s, PPIDEmptyBinary, "\x00")
		settle(time.Second)
		wantReceived(t, w.take(), received{7, PPIDText, "question"}, received{7, PPIDEmptyBinary, "\x00"})
		w.send(7, "answer")
		if got := w.peerReads(s); got != "answer" {
			t.Errorf("the peer got %q", got)
		}
		if got := w.a.State(); got != StateConnected {
			t.Errorf("state %s", got)
		}
	})
}

func TestEncodedContentComesBack(t *testing.T) {
	for _, text := range []bool{true, false} {
		for _, data := range []string{"", "x", "some more"} {
			ppid, wire := Encode([]byte(data), text)
			if len(wire) == 0 {
				t.Errorf("%q: nothing on the wire", data)
			}
			got, gotText, ok := Message{PPID: ppid, Data: wire}.Content()
			if string(got) != data || gotText != text || !ok {
				t.Errorf("%q text %v came back as %q text %v, ok %v", data, text, got, gotText, ok)
			}
		}
	}
	if _, _, ok := (Message{PPID: PPIDControl, Data: []byte{3}}).Content(); ok {
		t.Error("DCEP is no content")
	}
}

func TestStatesInOrder(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		if got := w.a.State(); got != StateNew {
			t.Errorf("state %s before anything", got)
		}
		w.connect()
		w.a.Close()
		if d := cmp.Diff([]State{StateConnecting, StateConnected, StateClosed}, w.states); d != "" || w.err != nil {
			t.Errorf("states (-want +got), error %v:\n%s", w.err, d)
		}
		w.a.Close() // again
	})
}

func TestNothingBeginsBeforeAnInit(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		for _, packet := range [][]byte{nil, make([]byte, 11), make([]byte, 40), make([]byte, 3*maxPacket)} {
			w.a.Feed(packet)
		}
		settle(time.Hour)
		if w.a.State() != StateNew || len(w.states) > 0 {
			t.Errorf("state %s, reported %v", w.a.State(), w.states)
		}
	})
}

// A peer that begins and then says nothing more costs what one association costs, until
// the transport goes.
func TestPeerThatNeverEndsItsHandshake(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.a.Feed(initPacket(1))
		settle(time.Hour)
		if got := w.a.State(); got != StateConnecting {
			t.Errorf("state %s", got)
		}
		if err := w.a.Send(Message{1, PPIDText, []byte("x")}, time.Second); !errors.Is(err, ErrNotConnected) {
			t.Errorf("Send: %v", err)
		}
		w.a.Close()
		if got := w.a.State(); got != StateClosed {
			t.Errorf("state %s after Close", got)
		}
	})
}

// initPacket is a peer's INIT with room for every stream.
func initPacket(tag uint32) []byte {
	b := make([]byte, packetHeaderSize+20)
	binary.BigEndian.PutUint16(b[0:], 5000)
	binary.BigEndian.PutUint16(b[2:], 5000)
	c := b[packetHeaderSize:]
	c[0] = chunkInit
	binary.BigEndian.PutUint16(c[2:], 20)
	binary.BigEndian.PutUint32(c[4:], tag)
	binary.BigEndian.PutUint32(c[8:], 1<<20)
	binary.BigEndian.PutUint16(c[12:], math.MaxUint16)
	binary.BigEndian.PutUint16(c[14:], math.MaxUint16)
	binary.BigEndian.PutUint32(c[16:], 1)
	return seal(b)
}

// A browser repeats its INIT when the answer is slow, and the repetition may come last.
func TestInitThatComesLateChangesNothing(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		w.a.Feed(initPacket(99))
		s := w.stream(1)
		w.peerSends(s, PPIDText, "still here")
		settle(time.Second)
		wantReceived(t, w.take(), received{1, PPIDText, "still here"})
	})
}

func TestOpenBeforeTheAssociation(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		if err := w.a.Open(3, Reliability{Unordered: true}); err != nil {
			t.Fatal(err)
		}
		if err := w.a.Send(Message{3, PPIDText, []byte("early")}, 0); !errors.Is(err, ErrNotConnected) {
			t.Errorf("Send before the association: %v", err)
		}
		w.connect()
		w.send(3, "now")
		if got := w.peerReads(w.stream(3)); got != "now" {
			t.Errorf("the peer got %q", got)
		}
	})
}

// Two thousand messages each way, of 4 bytes to 16 KiB, their sizes spread
// logarithmically, on four streams, with every tenth packet lost.
func TestNothingIsLostOnReliableStreams(t *testing.T) {
	const count = 2000
	for _, unordered := range []bool{false, true} {
		t.Run(fmt.Sprintf("unordered %v", unordered), func(t *testing.T) {
			inWorld(t, Options{SendBufferBytes: 1 << 20}, func(w *world) {
				w.connect()
				w.toUs.setLoss(randomLoss(1, 0.1))
				w.toPeer.setLoss(randomLoss(2, 0.1))
				random := rand.New(rand.NewPCG(3, 4))
				sent := map[string]int{}
				for i := range count {
					id := uint16(i % 4)
					if err := w.a.Open(id, Reliability{Unordered: unordered}); err != nil {
						t.Fatal(err)
					}
					s := w.stream(id)
					s.SetReliabilityParams(unordered, pion.ReliabilityTypeReliable, 0)
					data := numbered(i, int(math.Exp(random.Float64()*math.Log(16<<10))))
					sent[data]++
					w.peerSends(s, PPIDBinary, data)
					if err := w.a.Send(Message{id, PPIDBinary, []byte(data)}, time.Hour); err != nil {
						t.Fatal(err)
					}
				}
				settle(2 * time.Hour) // what is lost again and again is sent once a minute
				checkMessages(t, "to us", w.take(), sent, unordered)
				var back []received
				for id := range uint16(4) {
					for range count / 4 {
						back = append(back, received{stream: id, data: w.peerReads(w.stream(id))})
					}
				}
				checkMessages(t, "to the peer", back, sent, unordered)
			})
		})
	}
}

// numbered is a message of at least 4 bytes that says which one it is.
func numbered(i, sizeBytes int) string {
	b := bytes.Repeat([]byte{byte(i)}, max(4, sizeBytes))
	binary.BigEndian.PutUint32(b, uint32(i))
	return string(b)
}

func checkMessages(t *testing.T, where string, got []received, sent map[string]int, unordered bool) {
	t.Helper()
	last := map[uint16]uint32{}
	seen := map[string]int{}
	for _, m := range got {
		seen[m.data]++
		i := binary.BigEndian.Uint32([]byte(m.data))
		if before, ok := last[m.stream]; ok && i < before && !unordered {
			t.Fatalf("%s: message %d after %d on stream %d", where, i, before, m.stream)
		}
		last[m.stream] = i
	}
	if len(seen) != len(sent) || len(got) != len(sent) {
		t.Fatalf("%s: %d messages, %d different ones, of %d", where, len(got), len(seen), len(sent))
	}
	for data := range sent {
		if seen[data] != 1 {
			t.Fatalf("%s: message %d came %d times", where, binary.BigEndian.Uint32([]byte(data)), seen[data])
		}
	}
}

func TestMessagesOfLimitedRetransmissionAreGivenUp(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		if err := w.a.Open(1, Reliability{Limited: true}); err != nil {
			t.Fatal(err)
		}
		w.toPeer.setLoss(func([]byte) bool { return true })
		w.send(1, "lost")
		settle(time.Second / 2)
		w.toPeer.setLoss(nil)
		w.send(1, "kept")
		if got := w.peerReads(w.stream(1)); got != "kept" {
			t.Errorf("the peer got %q", got)
		}
	})
}

func TestMessagesAreSentAgainAsOftenAsAllowed(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		if err := w.a.Open(1, Reliability{Limited: true, MaxRetransmits: 2}); err != nil {
			t.Fatal(err)
		}
		lost := 0
		w.toPeer.setLoss(func(b []byte) bool {
			c, _, ok := nextChunk(chunksOf(b))
			if !ok || c.kind() != chunkData {
				return false
			}
			lost++
			return lost <= 2
		})
		w.send(1, "third time")
		if got := w.peerReads(w.stream(1)); got != "third time" {
			t.Errorf("the peer got %q", got)
		}
	})
}

func TestMessagesOfLimitedLifetimeAreGivenUp(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		if err := w.a.Open(1, Reliability{Limited: true, MaxLifetime: 200 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		w.toPeer.setLoss(func([]byte) bool { return true })
		w.send(1, "too old")
		settle(time.Minute)
		if got := w.a.BufferedAmount(1); got != 7 {
			t.Errorf("%d bytes wait", got)
		}
		w.toPeer.setLoss(nil)
		w.send(1, "young")
		if got := w.peerReads(w.stream(1)); got != "young" {
			t.Errorf("the peer got %q", got)
		}
		// The line is good again: what is lost within the lifetime is sent again.
		settle(time.Minute)
		if err := w.a.Open(1, Reliability{Limited: true, MaxLifetime: time.Hour}); err != nil {
			t.Fatal(err)
		}
		w.toPeer.setLoss(func([]byte) bool { return true })
		w.send(1, "again")
		settle(10 * time.Second)
		w.toPeer.setLoss(nil)
		if got := w.peerReads(w.stream(1)); got != "again" {
			t.Errorf("the peer got %q", got)
		}
	})
}

// What the peer gives up must not hold up what comes behind it.
func TestMessagesThatThePeerGivesUpAreSkipped(t *testing.T) {
	for _, unordered := range []bool{false, true} {
		inWorld(t, Options{}, func(w *world) {
			w.connect()
			if err := w.a.Open(1, Reliability{Unordered: unordered, Limited: true}); err != nil {
				t.Fatal(err)
			}
			s := w.stream(1)
			s.SetReliabilityParams(unordered, pion.ReliabilityTypeRexmit, 0)
			w.toUs.setLoss(func([]byte) bool { return true })
			w.peerSends(s, PPIDText, "lost")
			settle(time.Second / 2)
			w.toUs.setLoss(nil)
			w.peerSends(s, PPIDText, "kept")
			settle(time.Minute)
			wantReceived(t, w.take(), received{1, PPIDText, "kept"})
		})
	}
}

func TestSendRefusesWhatCannotBeSent(t *testing.T) {
	inWorld(t, Options{MaxMessageBytes: 1000, Streams: 10}, func(w *world) {
		w.connect()
		for _, c := range []struct {
			stream uint16
			size   int
			want   error
		}{{1, 0, ErrEmpty}, {1, 1001, ErrTooBig}, {10, 5, errStreamRange}, {1, 1000, nil}} {
			if err := w.a.Send(Message{c.stream, PPIDBinary, make([]byte, c.size)}, 0); !errors.Is(err, c.want) {
				t.Errorf("%d bytes on stream %d: %v, want %v", c.size, c.stream, err, c.want)
			}
		}
		if err := w.a.Open(10, Reliability{}); !errors.Is(err, errStreamRange) {
			t.Errorf("Open: %v", err)
		}
		w.a.Close()
		if err := w.a.Send(Message{1, PPIDText, []byte("x")}, time.Hour); !errors.Is(err, ErrNotConnected) {
			t.Errorf("Send after Close: %v", err)
		}
		if err := w.a.Open(1, Reliability{}); !errors.Is(err, ErrNotConnected) {
			t.Errorf("Open after Close: %v", err)
		}
	})
}

func TestBufferIsBoundedAndTellsWhenItIsLow(t *testing.T) {
	inWorld(t, Options{SendBufferBytes: 10_000}, func(w *world) {
		w.connect()
		w.toPeer.setLoss(func([]byte) bool { return true })
		w.a.SetBufferedAmountLowThreshold(1, 4000)
		for range 2 {
			w.send(1, strings.Repeat("x", 5000))
		}
		full := Message{1, PPIDBinary, []byte("one more")}
		if err := w.a.Send(full, 0); !errors.Is(err, ErrBufferFull) {
			t.Fatalf("Send into a full buffer: %v", err)
		}
		before := time.Now()
		if err := w.a.Send(full, 3*time.Second); !errors.Is(err, ErrBufferFull) || time.Since(before) != 3*time.Second {
			t.Errorf("Send with patience: %v after %v", err, time.Since(before))
		}
		if got := w.a.BufferedAmount(1); got != 10_000 {
			t.Errorf("%d bytes buffered", got)
		}
		w.read(func() {
			if len(w.lows) > 0 {
				t.Error("low while all is lost")
			}
		})
		w.toPeer.setLoss(nil)
		if err := w.a.Send(full, time.Minute); err != nil {
			t.Errorf("Send that waits for room: %v", err)
		}
		settle(time.Minute)
		w.read(func() {
			if d := cmp.Diff([]uint16{1}, w.lows); d != "" {
				t.Errorf("low events (-want +got):\n%s", d)
			}
		})
		if got := w.a.BufferedAmount(1); got != 0 {
			t.Errorf("%d bytes buffered at the end", got)
		}
	})
}

func TestMessageBiggerThanTheBufferGoesWhenItIsEmpty(t *testing.T) {
	inWorld(t, Options{SendBufferBytes: 1000}, func(w *world) {
		w.connect()
		big := strings.Repeat("b", 100_000)
		w.send(1, big)
		if err := w.a.Send(Message{1, PPIDText, []byte("x")}, 0); !errors.Is(err, ErrBufferFull) {
			t.Errorf("behind it: %v", err)
		}
		if got := w.peerReads(w.stream(1)); got != big {
			t.Errorf("the peer got %d bytes", len(got))
		}
	})
}

func TestCloseWakesWhoWaitsForRoom(t *testing.T) {
	inWorld(t, Options{SendBufferBytes: 1000}, func(w *world) {
		w.connect()
		w.toPeer.setLoss(func([]byte) bool { return true })
		w.send(1, strings.Repeat("x", 1000))
		done := make(chan error)
		go func() { done <- w.a.Send(Message{1, PPIDText, []byte("x")}, time.Hour) }()
		settle(time.Second)
		w.a.Close()
		if err := <-done; !errors.Is(err, ErrNotConnected) {
			t.Errorf("Send: %v", err)
		}
	})
}

func TestMessagesThatAreTooBigAreDropped(t *testing.T) {
	inWorld(t, Options{MaxMessageBytes: 1000}, func(w *world) {
		w.connect()
		s := w.stream(1)
		w.peerSends(s, PPIDBinary, strings.Repeat("x", 1001))
		w.peerSends(s, PPIDBinary, strings.Repeat("y", 1000))
		settle(time.Second)
		wantReceived(t, w.take(), received{1, PPIDBinary, strings.Repeat("y", 1000)})
		if got := w.a.Dropped(); got != 1 {
			t.Errorf("%d messages dropped", got)
		}
	})
}

func TestStreamClosedByThePeer(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		s := w.stream(1)
		w.peerSends(s, PPIDText, "last")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		wantReceived(t, w.take(), received{1, PPIDText, "last"})
		if d := cmp.Diff([]uint16{1}, w.resets); d != "" {
			t.Errorf("resets (-want +got):\n%s", d)
		}
		if got := s.State(); got != pion.StreamStateClosed {
			t.Errorf("the peer's stream is %s: our direction was not closed", got)
		}
		again := w.stream(1)
		w.peerSends(again, PPIDText, "again")
		settle(time.Second)
		wantReceived(t, w.take(), received{1, PPIDText, "again"})
		w.send(1, "answer")
		if got := w.peerReads(again); got != "answer" {
			t.Errorf("the peer got %q", got)
		}
	})
}

func TestStreamClosedByUs(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		w.send(1, "last")
		s := w.stream(1)
		if got := w.peerReads(s); got != "last" {
			t.Errorf("the peer got %q", got)
		}
		w.a.CloseStream(1)
		w.a.CloseStream(1) // again
		w.a.CloseStream(2) // never was
		if err := w.a.Send(Message{1, PPIDText, []byte("x")}, 0); !errors.Is(err, ErrStreamClosed) {
			t.Errorf("Send on a closed stream: %v", err)
		}
		if err := w.a.Open(1, Reliability{}); !errors.Is(err, ErrStreamClosed) {
			t.Errorf("Open of a stream that is closing: %v", err)
		}
		settle(time.Second)
		if _, err := s.Read(make([]byte, 10)); err == nil {
			t.Error("the peer's stream goes on")
		}
		if err := s.Close(); err != nil { // as a browser does
			t.Fatal(err)
		}
		settle(time.Second)
		if len(w.resets) > 0 {
			t.Errorf("told of a reset that answers ours: %v", w.resets)
		}
		if err := w.a.Open(1, Reliability{}); err != nil {
			t.Errorf("Open after the stream was closed on both sides: %v", err)
		}
	})
}

func TestPeerThatAbortsOrShutsDown(t *testing.T) {
	for name, end := range map[string]func(*pion.Association){
		"abort":    func(p *pion.Association) { p.Abort("enough") },
		"shutdown": func(p *pion.Association) { _ = p.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Options{}, func(w *world) {
				w.connect()
				go end(w.peer)
				settle(time.Second)
				if got := w.a.State(); got != StateClosed {
					t.Errorf("state %s", got)
				}
				w.a.Feed(initPacket(5)) // is too late
			})
		})
	}
}

func TestPeerThatUsesStreamsBeyondTheLimit(t *testing.T) {
	inWorld(t, Options{Streams: 16}, func(w *world) {
		w.connect()
		for id := range uint16(17) {
			w.peerSends(w.stream(id), PPIDText, "x")
		}
		settle(time.Second)
		if got := w.a.State(); got != StateFailed || !errors.Is(w.err, errStreamRange) {
			t.Errorf("state %s, error %v", got, w.err)
		}
	})
}

func TestAllStreamsCanBeUsed(t *testing.T) {
	inWorld(t, Options{Streams: 1024}, func(w *world) {
		w.connect()
		for id := range uint16(1024) {
			w.peerSends(w.stream(id), PPIDText, "x")
		}
		settle(time.Minute)
		if got := len(w.take()); got != 1024 {
			t.Errorf("%d messages", got)
		}
	})
}

// A taker that waits holds up the peer, not the acknowledgements of what we send.
func TestSlowTakerSlowsThePeerOnly(t *testing.T) {
	gate := make(chan struct{})
	var taken int
	synctest.Test(t, func(t *testing.T) {
		gate = make(chan struct{})
		w := newWorld(t, Options{SendBufferBytes: 1 << 20, Message: func(Message) { <-gate; taken++ }})
		defer w.close()
		w.connect()
		s := w.stream(1)
		const count = 200
		for range count { // 2 MB, four windows
			w.peerSends(s, PPIDBinary, strings.Repeat("x", 10_000))
		}
		settle(time.Minute)
		if left := s.BufferedAmount(); left < 1_400_000 {
			t.Errorf("the peer has only %d bytes left although nobody takes them", left)
		}
		w.send(2, "answer")
		if got := w.peerReads(w.stream(2)); got != "answer" {
			t.Errorf("the peer got %q", got)
		}
		settle(time.Second)
		if got := w.a.BufferedAmount(2); got != 0 {
			t.Errorf("%d bytes are not acknowledged", got)
		}
		close(gate)
		settle(2 * time.Hour) // what is lost again and again is sent once a minute
		if taken != count {
			t.Errorf("%d of %d messages were taken in the end", taken, count)
		}
	})
}

// What waits for a taker that is slow does not hold up the end.
func TestCloseDoesNotWaitForWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := 0
		w := newWorld(t, Options{Message: func(Message) { taken++; time.Sleep(time.Second) }})
		defer w.close()
		w.connect()
		s := w.stream(1)
		for range 100 {
			w.peerSends(s, PPIDText, "x")
		}
		settle(5 * time.Second)
		before := time.Now()
		w.a.Close()
		if waited := time.Since(before); waited > time.Second || taken > 6 {
			t.Errorf("Close took %v, %d messages were taken", waited, taken)
		}
	})
}

func TestLastMessagesOfAPeerThatEndsAreHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := 0
		w := newWorld(t, Options{Message: func(Message) { taken++; time.Sleep(time.Second) }})
		defer w.close()
		w.connect()
		s := w.stream(1)
		for range 20 {
			w.peerSends(s, PPIDText, "x")
		}
		settle(100 * time.Millisecond)
		w.peer.Abort("enough")
		settle(time.Minute)
		if taken != 20 || w.a.State() != StateClosed {
			t.Errorf("%d of 20 messages, state %s", taken, w.a.State())
		}
	})
}

func TestUnsentIsWhatHasNotGoneYet(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.connect()
		w.toPeer.setLoss(func([]byte) bool { return true })
		w.send(1, "gone, if not arrived")
		w.a.Flush(1, time.Second)
		if unsent, waits := w.a.Unsent(1), w.a.BufferedAmount(1); unsent != 0 || waits == 0 {
			t.Errorf("%d bytes unsent, %d not acknowledged", unsent, waits)
		}
		const size = 100_000 // more than the first window
		w.send(1, strings.Repeat("x", size))
		before := time.Now()
		w.a.Flush(1, time.Second)
		if waited := time.Since(before); waited != time.Second {
			t.Errorf("waited %v for what cannot go", waited)
		}
		if got := w.a.Unsent(1); got <= 0 || got >= size {
			t.Errorf("%d bytes unsent behind a full window", got)
		}
		w.toPeer.setLoss(nil)
		settle(time.Minute)
		if got := w.a.Unsent(1); got != 0 {
			t.Errorf("%d bytes unsent at the end", got)
		}
	})
}

func TestHandshakeIsAwaited(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		if w.a.AwaitHandshake(time.Second) {
			t.Error("connected before it has begun")
		}
		w.connect()
		before := time.Now()
		if !w.a.AwaitHandshake(time.Second) || time.Since(before) != 0 {
			t.Errorf("%s after %v", w.a.State(), time.Since(before))
		}
		w.a.Close()
		if w.a.AwaitHandshake(time.Second) {
			t.Error("connected after its end")
		}
	})
}

func TestHandshakeOfWhatIsClosedIsNotAwaited(t *testing.T) {
	a := New(Options{})
	a.Close()
	if a.AwaitHandshake(time.Hour) { // it would be noticed
		t.Error("connected")
	}
}
