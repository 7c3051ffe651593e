package signal

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A line is a server and one client of it over a network in memory, without
// buffers: what nobody reads is not written either. It belongs in a
// synctest bubble, where time is virtual.
type line struct {
	t      *testing.T
	conn   *Conn           // the server's end
	client *websocket.Conn // the client's
	socket net.Conn        // under client
	ended  chan End        // what Run returned
	server *http.Server
}

// connect makes a line whose server calls receive with each message.
func connect(t *testing.T, l Limits, receive func(c *Conn, text []byte)) *line {
	t.Helper()
	return connectWith(t, l, receive, func(*Conn) {})
}

// connectWith is connect that calls early before the client is accepted.
func connectWith(t *testing.T, l Limits, receive func(c *Conn, text []byte), early func(*Conn)) *line {
	t.Helper()
	pipes := &pipeListener{pipes: make(chan net.Conn), done: make(chan struct{})}
	ln := &line{t: t, ended: make(chan End, 1)}
	accepted := make(chan *Conn)
	ln.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := New(l)
		early(c)
		if err := c.Accept(w, r); err != nil {
			t.Error(err)
			close(accepted)
			return
		}
		accepted <- c
		ln.ended <- c.Run(func(text []byte) { receive(c, text) })
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = ln.server.Serve(pipes) })
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		ln.socket = near
		pipes.pipes <- far
		return near, nil
	}}
	client, _, err := websocket.Dial(t.Context(), "http://server/", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	client.SetReadLimit(-1)
	ln.client, ln.conn = client, <-accepted
	t.Cleanup(func() {
		ln.conn.Kill()
		_ = client.CloseNow()
		_ = ln.server.Close()
		serving.Wait()
		transport.CloseIdleConnections()
	})
	return ln
}

type pipeListener struct {
	pipes chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.pipes:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipeListener) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *line) say(text string) {
	l.t.Helper()
	if err := l.client.Write(l.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		l.t.Fatalf("say: %v", err)
	}
}

func (l *line) hear() string {
	l.t.Helper()
	_, text, err := l.client.Read(l.t.Context())
	if err != nil {
		l.t.Fatalf("hear: %v", err)
	}
	return string(text)
}

// farewell reads until the connection has ended, and returns how.
func (l *line) farewell() (messages int, code int, reason string) {
	for {
		_, _, err := l.client.Read(l.t.Context())
		if err == nil {
			messages++
			continue
		}
		var frame websocket.CloseError
		if errors.As(err, &frame) {
			return messages, int(frame.Code), frame.Reason
		}
		return messages, CodeLost, ""
	}
}

func (l *line) wantEnd(want End) {
	l.t.Helper()
	select {
	case got := <-l.ended:
		if got != want {
			l.t.Errorf("Run returned %+v, want %+v", got, want)
		}
	case <-time.After(time.Minute):
		l.t.Errorf("Run has not returned")
	}
}

func echo(c *Conn, text []byte) { c.Reply(text) }

func ignore(*Conn, []byte) {}

func TestMessagesGoBothWaysInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{}, echo)
		const n = 500
		go func() {
			for i := range n {
				l.say(fmt.Sprint(i))
			}
		}()
		for i := range n {
			if got := l.hear(); got != fmt.Sprint(i) {
				t.Fatalf("message %d is %q", i, got)
			}
		}
	})
}

func TestClientsGoodbyeIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for code, clean := range map[int]bool{1000: true, 1001: false, CodeTooSlow: false, 4321: false} {
			l := connect(t, Limits{}, ignore)
			if err := l.client.Close(websocket.StatusCode(code), "so long"); err != nil {
				t.Error(err)
			}
			end := End{Code: code, Reason: "so long", Remote: true}
			l.wantEnd(end)
			if end.Clean() != clean || end.TooSlow() {
				t.Errorf("code %d: clean %v, too slow %v", code, end.Clean(), end.TooSlow())
			}
		}
	})
}

func TestLostLineIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{}, ignore)
		_ = l.socket.Close()
		l.wantEnd(End{Code: CodeLost, Reason: "connection lost", Remote: true})
	})
}

func TestServersGoodbyeFollowsWhatWasQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{}, ignore)
		for range 10 {
			l.conn.Send([]byte("news"))
		}
		l.conn.Close(CodeKicked, "b"+strings.Repeat("因", 50))
		l.conn.Close(CodeReplaced, "too late to change that")
		l.conn.Send([]byte("and nothing after it"))
		messages, code, reason := l.farewell()
		if messages != 10 || code != CodeKicked || reason != "b"+strings.Repeat("因", 40) {
			t.Errorf("%d messages, then %d %q", messages, code, reason)
		}
		l.wantEnd(End{Code: CodeKicked, Reason: reason})
	})
}

func TestNothingIsReceivedAfterTheServersGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var received []string
		l := connect(t, Limits{}, func(c *Conn, text []byte) {
			received = append(received, string(text))
			c.Close(CodeKicked, "")
		})
		l.say("one")
		l.say("two")
		l.farewell()
		<-l.ended
		if len(received) != 1 {
			t.Errorf("received %q", received)
		}
	})
}

func TestClientThatIgnoresTheGoodbyeIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{WriteTimeout: 10 * time.Second, PingInterval: time.Hour}, ignore)
		l.conn.Close(CodeShuttingDown, "bye")
		began := time.Now()
		<-l.ended // the client neither reads nor writes
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("that took %v", took)
		}
	})
}

func TestMessageOverTheLimitEndsOnlyItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beside := connect(t, Limits{}, echo)
		l := connect(t, Limits{MessageBytes: 1 << 20}, ignore)
		go func() {
			// The whole frame is taken off the wire, or its end would destroy
			// the answer on the way.
			_ = l.client.Write(t.Context(), websocket.MessageText, make([]byte, 5<<20))
		}()
		if _, code, _ := l.farewell(); code != CodeTooBig {
			t.Errorf("closed with %d", code)
		}
		l.wantEnd(End{Code: CodeTooBig, Reason: "message too big"})
		beside.say("still there?")
		beside.hear()
	})
}

func TestMessageOfTheLimitIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan int, 1)
		l := connect(t, Limits{MessageBytes: 1 << 20}, func(_ *Conn, text []byte) { got <- len(text) })
		l.say(strings.Repeat("x", 1<<20))
		if n := <-got; n != 1<<20 {
			t.Errorf("%d bytes", n)
		}
	})
}

func TestHalfAFrameDoesNotHoldTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{MessageBytes: 100, WriteTimeout: time.Second, PingInterval: time.Hour}, ignore)
		// A frame of 64 KiB (RFC 6455 §5.2), of which only the beginning comes.
		go func() {
			_, _ = l.socket.Write(append([]byte{0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, make([]byte, 500)...))
		}()
		began := time.Now()
		if end := <-l.ended; end.Code != CodeTooBig {
			t.Errorf("ended with %+v", end)
		}
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("that took %v", took)
		}
	})
}

func TestBinaryMessageIsTakenLikeText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{}, echo)
		if err := l.client.Write(t.Context(), websocket.MessageBinary, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if got := l.hear(); got != "{}" {
			t.Errorf("heard %q", got)
		}
	})
}

func TestSlowReaderIsClosedWithAReasonAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{QueueMessages: 10, PingInterval: time.Hour}, ignore)
		began := time.Now()
		for range 100 {
			l.conn.Send([]byte("news"))
		}
		if time.Since(began) != 0 {
			t.Error("Send waited")
		}
		// The client begins to read in time to see why.
		messages, code, reason := l.farewell()
		if messages > 10 || code != CodeTooSlow || reason == "" {
			t.Errorf("%d messages, then %d %q", messages, code, reason)
		}
		l.wantEnd(End{Code: CodeTooSlow, Reason: reason})
	})
}

func TestReaderThatNeverReadsAgainIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{QueueMessages: 10, WriteTimeout: 10 * time.Second, PingInterval: time.Hour}, ignore)
		began := time.Now()
		for range 100 {
			l.conn.Send([]byte("news"))
		}
		if end := <-l.ended; !end.TooSlow() {
			t.Errorf("ended with %+v", end)
		}
		if took := time.Since(began); took > 31*time.Second {
			t.Errorf("that took %v", took)
		}
	})
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{QueueBytes: 1000, PingInterval: time.Hour}, ignore)
		l.conn.Send(make([]byte, 5000)) // one always fits; it is being written now
		synctest.Wait()
		l.conn.Send(make([]byte, 600))
		if l.conn.out.isShut() {
			t.Error("closed with 600 of 1000 bytes queued")
		}
		l.conn.Send(make([]byte, 600))
		if end, shut := l.conn.out.end(); !shut || end.Code != CodeTooSlow {
			t.Errorf("with 1200 of 1000 bytes: %v, %+v", shut, end)
		}
	})
}

func TestPipeliningIsHeldBackAndNotClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{QueueMessages: 10, MessageBurst: 10000, PingInterval: time.Hour}, echo)
		const n = 200
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range n {
				l.say(fmt.Sprint(i))
			}
		}()
		synctest.Wait() // the server answers as far as the queue goes, and stops reading
		select {
		case <-sent:
			t.Error("everything was read although no answer was taken")
		default:
		}
		for i := range n {
			if got := l.hear(); got != fmt.Sprint(i) {
				t.Fatalf("answer %d is %q", i, got)
			}
		}
	})
}

func TestReplyGivesUpOnAReaderThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{QueueMessages: 4, WriteTimeout: time.Second, PingInterval: time.Hour}, ignore)
		for range 3 {
			l.conn.Send([]byte("news"))
		}
		synctest.Wait()
		l.conn.Send([]byte("news"))
		began := time.Now()
		l.conn.Reply([]byte("answer"))
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Reply took %v", took)
		}
		<-l.ended
	})
}

func TestFloodIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received := 0
		l := connect(t, Limits{MessagesPerSecond: 10, MessageBurst: 20}, func(*Conn, []byte) { received++ })
		for range 20 {
			l.say("{}")
		}
		time.Sleep(time.Second)
		for range 10 { // the rate gives ten more
			l.say("{}")
		}
		go func() { l.say("{}") }()
		if _, code, _ := l.farewell(); code != CodeFlood {
			t.Errorf("closed with %d", code)
		}
		l.wantEnd(End{Code: CodeFlood, Reason: "too many messages"})
		if received != 30 {
			t.Errorf("received %d", received)
		}
	})
}

func TestPingsAndPongsCountAsMessages(t *testing.T) {
	for name, opcode := range map[string]byte{"pings": 9, "pongs": 10} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				beside := connect(t, Limits{}, echo)
				l := connect(t, Limits{MessagesPerSecond: 10, MessageBurst: 20, WriteTimeout: 10 * time.Second, PingInterval: time.Hour}, ignore)
				// 10 in the second after a burst of 20, and then as many as go.
				var sent atomic.Int64
				write := func() error {
					_, err := l.socket.Write([]byte{0x80 | opcode, 0x80, 1, 2, 3, 4}) // RFC 6455 §5.2
					if err == nil {
						sent.Add(1)
					}
					return err
				}
				answers := make(chan int, 1)
				began := time.Now()
				go func() { // as little of a client as will do: it answers nothing
					frames := bufio.NewReader(l.socket)
					pongs := 0
					for {
						var header [2]byte
						if _, err := io.ReadFull(frames, header[:]); err != nil {
							break
						}
						payload := make([]byte, header[1])
						_, _ = io.ReadFull(frames, payload)
						if header[0] == 0x8a {
							pongs++
						}
						if header[0] == 0x88 && int(binary.BigEndian.Uint16(payload)) != CodeFlood {
							t.Errorf("closed with %d", binary.BigEndian.Uint16(payload))
						}
					}
					answers <- pongs
				}()
				for range 20 {
					_ = write()
				}
				time.Sleep(time.Second)
				for write() == nil {
				}
				l.wantEnd(End{Code: CodeFlood, Reason: "too many messages"})
				if pongs, want := <-answers, map[byte]int{9: 30, 10: 0}[opcode]; pongs != want {
					t.Errorf("%d pongs, want %d", pongs, want)
				}
				// The flood is not read, it is let drip.
				if took := time.Since(began); sent.Load() > 35+int64(10*took.Seconds()) || took > 15*time.Second {
					t.Errorf("%d frames were taken in %v", sent.Load(), took)
				}
				beside.say("still there?")
				beside.hear()
			})
		})
	}
}

func TestAFewPingsAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// This network has no buffers: pings of both at once would wait for each other.
		l := connect(t, Limits{PingInterval: time.Hour}, echo)
		ctx := l.client.CloseRead(t.Context())
		for range 100 {
			if err := l.client.Ping(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestMessageThatDoesNotEndEndsTheSession(t *testing.T) {
	// A frame of text of 1000 bytes (RFC 6455 §5.2) of which only the beginning
	// comes, and a message of frames of which none is the last.
	half := append([]byte{0x81, 0xfe, 0x03, 0xe8, 1, 2, 3, 4}, "begun"...)
	for name, next := range map[string]func(i int) []byte{
		"half a frame":           func(i int) []byte { return [][]byte{half, nil}[min(i, 1)] },
		"a byte now and then":    func(i int) []byte { return [][]byte{half, {'x'}}[min(i, 1)] },
		"a frame now and then":   func(i int) []byte { return []byte{[]byte{1, 0}[min(i, 1)], 0x81, 1, 2, 3, 4, 'x'} },
		"empty frames, and more": func(i int) []byte { return []byte{[]byte{1, 0}[min(i, 1)], 0x80, 1, 2, 3, 4} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				beside := connect(t, Limits{}, echo)
				l := connect(t, Limits{MessageTimeout: 10 * time.Second, WriteTimeout: time.Second, PingInterval: time.Hour}, ignore)
				began := time.Now()
				var writing sync.WaitGroup
				writing.Go(func() {
					for i := 0; next(i) != nil; i++ {
						if _, err := l.socket.Write(next(i)); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				})
				defer writing.Wait()
				go func() { _, _ = io.Copy(io.Discard, l.socket) }()
				l.wantEnd(End{Code: CodeStalled, Reason: "a message did not end in time"})
				if took := time.Since(began); took < 10*time.Second || took > 12*time.Second {
					t.Errorf("that took %v", took)
				}
				beside.say("still there?")
				beside.hear()
			})
		})
	}
}

func TestSilenceBetweenMessagesIsNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{MessageTimeout: time.Second}, echo)
		ponging := make(chan string, 2)
		go func() {
			for range 2 {
				_, text, _ := l.client.Read(t.Context())
				ponging <- string(text)
			}
		}()
		for _, text := range []string{"one", "two"} {
			time.Sleep(time.Minute)
			l.say(text)
			if got := <-ponging; got != text {
				t.Errorf("heard %q", got)
			}
		}
	})
}

func TestBytesHaveARateOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{MessageBytes: 100, BytesPerSecond: 1000}, echo)
		for range 80 { // eight seconds' worth at once
			l.say(strings.Repeat("x", 100))
			l.hear()
		}
		time.Sleep(time.Second)
		for range 10 {
			l.say(strings.Repeat("x", 100))
			l.hear()
		}
		go func() { _ = l.client.Write(t.Context(), websocket.MessageText, []byte("x")) }()
		if _, code, _ := l.farewell(); code != CodeFlood {
			t.Errorf("closed with %d", code)
		}
	})
}

func TestSilentClientIsFoundByPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{PingInterval: 15 * time.Second, PingTimeout: 10 * time.Second}, ignore)
		began := time.Now()
		go func() { // takes what comes, as a network would, and says nothing
			buffer := make([]byte, 100)
			for {
				if _, err := l.socket.Read(buffer); err != nil {
					return
				}
			}
		}()
		l.wantEnd(End{Code: CodeLost, Reason: "connection lost", Remote: true})
		if took := time.Since(began); took != 25*time.Second {
			t.Errorf("found after %v", took)
		}
	})
}

func TestPingKeepsAClientThatAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{}, ignore)
		ctx := l.client.CloseRead(t.Context()) // answers pings
		time.Sleep(10 * time.Minute)
		if ctx.Err() != nil {
			t.Error("closed")
		}
	})
}

func TestKillEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := connect(t, Limits{}, ignore)
		began := time.Now()
		l.conn.Kill()
		<-l.ended
		if time.Since(began) != 0 {
			t.Error("it took its time")
		}
	})
}

func TestNothingIsMissedBeforeTheClientIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early := connectWith(t, Limits{}, ignore, func(c *Conn) { c.Send([]byte("early")) })
		early.conn.Send([]byte("late"))
		if first, second := early.hear(), early.hear(); first != "early" || second != "late" {
			t.Errorf("heard %q, %q", first, second)
		}
	})
}

func TestPlainRequestIsNoSession(t *testing.T) {
	w := &recorder{header: http.Header{}}
	r, _ := http.NewRequest("GET", "http://server/", nil)
	if err := New(Limits{}).Accept(w, r); err == nil || w.status != http.StatusUpgradeRequired {
		t.Errorf("status %d, %v", w.status, err)
	}
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
