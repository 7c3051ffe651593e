package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
)

// altered is a server whose answers are changed on their way.
type altered struct {
	*server
	transport func(*TransportInfo)
	consumer  func(*ConsumerInfo)
	connect   error
	produce   error
}

func (a altered) CreateTransport(ctx context.Context, d Direction) (TransportInfo, error) {
	info, err := a.server.CreateTransport(ctx, d)
	if a.transport != nil {
		a.transport(&info)
	}
	return info, err
}

func (a altered) ConnectTransport(ctx context.Context, id string, p DTLSParameters) error {
	if a.connect != nil {
		return a.connect
	}
	return a.server.ConnectTransport(ctx, id, p)
}

func (a altered) Produce(ctx context.Context, id string, kind ortc.MediaKind, p ortc.RTPParameters) (string, error) {
	producer, err := a.server.Produce(ctx, id, kind, p)
	return producer, errors.Join(a.produce, err)
}

func (a altered) Consume(ctx context.Context, id, producerID string) (ConsumerInfo, error) {
	info, err := a.server.Consume(ctx, id, producerID)
	if a.consumer != nil {
		a.consumer(&info)
	}
	return info, err
}

func TestFailuresToConnectSayWhy(t *testing.T) {
	refused := errors.New("refused on purpose")
	tests := []struct {
		name  string
		alter func(*altered)
		want  string
	}{
		{"no UDP candidate", func(a *altered) {
			a.transport = func(i *TransportInfo) { i.ICECandidates = i.ICECandidates[1:2] }
		}, "none of the 1 ICE candidates"},
		{"a host name as candidate", func(a *altered) {
			a.transport = func(i *TransportInfo) {
				i.ICECandidates = []ICECandidate{{Address: "example.org", Protocol: "udp"}}
			}
		}, "none of the 1 ICE candidates"},
		{"the wrong ICE password", func(a *altered) {
			a.transport = func(i *TransportInfo) { i.ICEParameters.Password = "another" }
		}, "no answer to connectivity checks"},
		{"a refused check", func(a *altered) { a.refuse = true }, "refuses connectivity checks"},
		{"a foreign certificate", func(a *altered) {
			a.transport = func(i *TransportInfo) { i.DTLSParameters.Fingerprints[1].Value = "00:11" }
		}, "none of the signalled fingerprints"},
		{"an error of signalling", func(a *altered) { a.connect = refused }, "refused on purpose"},
		{"an error of producing", func(a *altered) { a.produce = refused }, "produce audio"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := altered{server: newServer(t)}
			test.alter(&a)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, err := newPool(t, Options{}).Sender(ctx, a, SenderOptions{Audio: true})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestFailuresToConsumeSayWhy(t *testing.T) {
	s := newServer(t)
	p := newPool(t, Options{})
	if _, err := p.Receiver(withPatience(t), s, "no such"); err == nil || !strings.Contains(err.Error(), "consume no such") {
		t.Errorf("got %v", err)
	}
	sender := startSender(t, p, s, SenderOptions{Audio: true})
	a := altered{server: s, consumer: func(i *ConsumerInfo) { i.RTPParameters = ortc.RTPParameters{} }}
	if _, err := p.Receiver(withPatience(t), a, sender.Producers()[0].ID); err == nil || !strings.Contains(err.Error(), "no SSRC") {
		t.Errorf("got %v", err)
	}
}

func TestCandidatesAreChosenByPriorityAndFamily(t *testing.T) {
	info := TransportInfo{ICECandidates: []ICECandidate{
		{Address: "192.0.2.1", Port: 1, Protocol: "udp", Priority: 5},
		{Address: "2001:db8::1", Port: 2, Protocol: "udp", Priority: 9},
		{Address: "192.0.2.3", Port: 3, Protocol: "tcp", Priority: 100},
		{IP: "192.0.2.4", Port: 4, Protocol: "udp", Priority: 7},
	}}
	for local, want := range map[netip.Addr]uint16{{}: 2, netip.MustParseAddr("127.0.0.1"): 4, netip.MustParseAddr("::1"): 2} {
		p := &Pool{options: Options{LocalIP: local}}
		if at, err := info.choose(p.reaches); err != nil || at.Port() != want {
			t.Errorf("from %s: chose %s, %v; want port %d", local, at, err, want)
		}
	}
}

func TestTransportInfoIsReadAsServersWriteIt(t *testing.T) {
	const text = `{"id":"1","iceParameters":{"usernameFragment":"u","password":"p","iceLite":true},
		"iceCandidates":[{"foundation":"f","priority":1076302079,"ip":"192.0.2.1","address":"192.0.2.1","protocol":"udp","port":40000,"type":"host"}],
		"dtlsParameters":{"role":"auto","fingerprints":[{"algorithm":"sha-256","value":"AB:CD"}]},"sctpParameters":null}`
	var info TransportInfo
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		t.Fatal(err)
	}
	at, err := info.choose(func(netip.Addr) bool { return true })
	if err != nil || at.String() != "192.0.2.1:40000" || info.ICEParameters.Password != "p" || info.DTLSParameters.Fingerprints[0].Value != "AB:CD" {
		t.Errorf("read %+v (%s, %v)", info, at, err)
	}
}

func TestTheLocalAddressIsUsed(t *testing.T) {
	own := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	s, p := newServer(t), newPool(t, Options{LocalIP: own})
	sender := startSender(t, p, s, SenderOptions{Audio: true})
	if at := sender.transport.conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr(); at != own {
		t.Errorf("sends from %s", at)
	}
}

func TestConsentIsKeptAndMissed(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	r := startReceiver(t, p, s, startSender(t, p, s, SenderOptions{Audio: true}))
	confirmed := func() int64 {
		r.transport.mu.Lock()
		defer r.transport.mu.Unlock()
		return int64(r.transport.checks.confirmed)
	}
	before := confirmed()
	r.transport.mu.Lock()
	r.transport.checks.sent = r.transport.checks.sent.Add(-consentInterval)
	r.transport.mu.Unlock()
	await(t, "an answer to the next check", func() bool { return confirmed() > before })
	if !r.Stats().Alive {
		t.Error("not alive after an answer")
	}
	r.transport.mu.Lock()
	r.transport.checks.confirmed = r.transport.checks.confirmed.Add(-consentTimeout)
	r.transport.mu.Unlock()
	if r.Stats().Alive {
		t.Error("alive without an answer for 30 s")
	}
}

func TestForeignDatagramsAreCountedNotFatal(t *testing.T) {
	s, p := newServer(t), newPool(t, Options{})
	r := startReceiver(t, p, s, startSender(t, p, s, SenderOptions{Audio: true}))
	s.mu.Lock()
	for _, e := range s.ends {
		e.mu.Lock()
		if !e.send {
			for _, garbage := range []string{"\xff", "\x80", "\x80\xc8", "\x80\x6f\x00\x01aaaabbbbcccccccccccccccccccccccc", "\x00\x01\x00\x00", "\x16\xfe\xfd"} {
				e.conn.WriteToUDP([]byte(garbage), e.remote)
			}
		}
		e.mu.Unlock()
	}
	s.mu.Unlock()
	await(t, "counters", func() bool { st := r.Stats(); return st.Malformed >= 2 && st.Undecryptable+st.Unknown >= 2 })
	packets := r.Stats().Streams[0].Packets
	awaitPackets(t, r, packets+5)
}

func TestPoolsCloseTheirClients(t *testing.T) {
	s := newServer(t)
	p, err := NewPool(Options{})
	if err != nil {
		t.Fatal(err)
	}
	sender := startSender(t, p, s, SenderOptions{Audio: true})
	startReceiver(t, p, s, sender)
	s.mu.Lock()
	for _, e := range s.ends {
		<-e.secured // a goodbye in the middle of a handshake is none
	}
	s.mu.Unlock()
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		select {
		case <-s.goodbyes:
		case <-time.After(patience):
			t.Fatal("a client has not said goodbye")
		}
	}
	if _, err := p.Sender(withPatience(t), s, SenderOptions{Audio: true}); err == nil {
		t.Error("a client joined a closed pool")
	}
}

func TestPoolsWithWrongOptionsAreRefused(t *testing.T) {
	if _, err := NewPool(Options{DTLSRole: "both"}); err == nil {
		t.Error("made a pool of the DTLS role both")
	}
}

func TestTheFeedHonoursDeadlines(t *testing.T) {
	f := newDTLSFeed(func(b []byte) (int, error) { return len(b), nil }, &net.UDPAddr{})
	read := func() error {
		_, _, err := f.ReadFrom(make([]byte, 10))
		return err
	}
	f.SetReadDeadline(time.Now().Add(-time.Second))
	if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past deadline: %v", err)
	}
	f.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("future deadline: %v", err)
	}
	f.SetReadDeadline(time.Now().Add(time.Hour))
	waiting := make(chan error)
	go func() { waiting <- read() }()
	f.SetReadDeadline(time.Now())
	if err := <-waiting; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("deadline brought forward: %v", err)
	}
	f.SetReadDeadline(time.Time{})
	f.push([]byte("x"))
	if err := read(); err != nil {
		t.Errorf("no deadline: %v", err)
	}
	f.SetReadDeadline(time.Now().Add(time.Hour))
	f.Close()
	f.Close()
	if err := read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestTheFeedDropsWhatIsTooMuch(t *testing.T) {
	f := newDTLSFeed(nil, &net.UDPAddr{})
	for i := range 2 * dtlsQueue {
		f.push([]byte{byte(i)})
	}
	var b [1]byte
	for i := range dtlsQueue {
		if _, _, err := f.ReadFrom(b[:]); err != nil || b[0] != byte(i) {
			t.Fatalf("read %d, %v; want %d", b[0], err, i)
		}
	}
}
