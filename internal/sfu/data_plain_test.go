package sfu

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pionsctp "github.com/pion/sctp"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/pionlog"
	"github.com/takoserver/takos-call/internal/sctp"
	"github.com/takoserver/takos-call/internal/udp"
)

// sctpPeer is Pion's SCTP in datagrams, at the other end of a PlainTransport.
type sctpPeer struct {
	t           *testing.T
	association *pionsctp.Association
}

// newSCTPPeer connects to a transport, or answers it.
func newSCTPPeer(t *testing.T, conn net.Conn, answers bool) *sctpPeer {
	t.Helper()
	options := []pionsctp.AssociationOption{
		pionsctp.WithNetConn(conn), pionsctp.WithLoggerFactory(pionlog.New(slog.New(slog.DiscardHandler), "SCTP")), pionsctp.WithMaxMessageSize(1 << 20),
	}
	var clients []pionsctp.ClientOption
	var servers []pionsctp.ServerOption
	for _, o := range options {
		clients, servers = append(clients, o), append(servers, o)
	}
	p := &sctpPeer{t: t}
	var err error
	if answers {
		p.association, err = pionsctp.ServerWithOptions(servers...)
	} else {
		p.association, err = pionsctp.ClientWithOptions(clients...)
	}
	check(t, err)
	t.Cleanup(func() { _ = p.association.Close() })
	return p
}

func (p *sctpPeer) stream(id uint16) *pionsctp.Stream {
	p.t.Helper()
	s, err := p.association.OpenStream(id, pionsctp.PayloadTypeWebRTCString)
	check(p.t, err)
	return s
}

func (p *sctpPeer) read(s *pionsctp.Stream) string {
	p.t.Helper()
	check(p.t, s.SetReadDeadline(time.Now().Add(patience)))
	defer func() { _ = s.SetReadDeadline(time.Time{}) }() // which has a goroutine
	b := make([]byte, 1<<20)
	n, err := s.Read(b)
	check(p.t, err)
	return string(b[:n])
}

// states collects what SCTPStateChange tells.
type sctpStates struct {
	mu   sync.Mutex
	list []SCTPState
}

func (s *sctpStates) add(state SCTPState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, state)
}

func (s *sctpStates) are(want ...SCTPState) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Equal(s.list, want)
}

func TestMessagesOverAPlainTransport(t *testing.T) {
	for _, comedia := range []bool{true, false} {
		var states sctpStates
		r := newTestRouter(t)
		transport, err := r.NewPlainTransport(PlainTransportOptions{
			Comedia: comedia, SCTP: SCTPOptions{Enable: true, Streams: 65535}, Events: PlainTransportEvents{SCTPStateChange: states.add},
		})
		check(t, err)
		if p := transport.SCTPParameters(); p.IsDataChannel || p.Port != 5000 || p.MIS != 65535 || p.MaxReceiverWindowBufferSize != 5242880 || p.PerStreamSendQueueLimit != 2_000_000 {
			t.Errorf("parameters %+v", p)
		}
		conn, err := net.Dial("udp4", netip.AddrPortFrom(loopback, transport.Tuple().LocalPort).String())
		check(t, err)
		t.Cleanup(func() { conn.Close() })
		in, err := transport.ProduceData(DataProducerOptions{SCTPStreamParameters: SCTPStreamParameters{StreamID: 123}})
		check(t, err)
		out, err := transport.ConsumeData(DataConsumerOptions{DataProducerID: in.ID()})
		check(t, err)
		if transport.SCTPState() != sctp.StateNew || transport.SCTPNegotiated().Outbound != 0 {
			t.Errorf("SCTP is %s with nobody", transport.SCTPState())
		}
		if !comedia { // then the transport begins
			port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
			check(t, transport.Connect(PlainRemote{IP: loopback, Port: port}))
		}
		peer := newSCTPPeer(t, conn, !comedia)
		s := peer.stream(123)
		for _, text := range []string{"hello", strings.Repeat("x", 200_000)} {
			_, err = s.Write([]byte(text))
			check(t, err)
			if got := peer.read(peer.stream(out.SCTPStreamParameters().StreamID)); got != text {
				t.Errorf("%d bytes come back, want %d", len(got), len(text))
			}
		}
		eventually(t, "all states", func() bool { return states.are(sctp.StateConnecting, sctp.StateConnected) })
		if diff := cmp.Diff(transport.SCTPNegotiated(), &SCTPNegotiated{65535, 65535}); diff != "" {
			t.Error(diff)
		}
		d := transport.Dump()
		if d.SCTPState != sctp.StateConnected || d.SCTPNegotiated.Inbound != 65535 || len(d.SCTPListener.Streams) != 1 || d.MaxSendMessageSize != 262144 {
			t.Errorf("dump %+v", d)
		}
		if tuple := transport.Tuple(); tuple.RemotePort == 0 {
			t.Error("the peer is not known")
		}
		transport.Close()
		eventually(t, "the end of SCTP", func() bool { return transport.SCTPState() == sctp.StateClosed })
	}
}

// With comedia only what begins an association introduces its sender; and nothing is
// taken from anybody else then.
func TestStrangersDoNotSpeakSCTP(t *testing.T) {
	r := newRig(t)
	transport := r.newPlain(PlainTransportOptions{Comedia: true, SCTP: SCTPOptions{Enable: true}})
	p, stranger := r.plainPeer(transport), r.plainPeer(transport)
	hello := initOfSCTP(t)
	harmed := slices.Clone(hello)
	harmed[20] ^= 1
	data := slices.Clone(hello)
	data[12] = 0
	p.deliver(transport.media, harmed, data, hello[:16], hello[:18], []byte{0x13, 0x88})
	if transport.Tuple().RemotePort != 0 || transport.SCTPState() != sctp.StateNew {
		t.Fatalf("learnt %+v, SCTP is %s", transport.Tuple(), transport.SCTPState())
	}
	p.deliver(transport.media, hello)
	if got := transport.Tuple().RemotePort; got != p.addr.Port() || transport.SCTPState() != sctp.StateConnecting {
		t.Errorf("port %d, want %d; SCTP is %s", got, p.addr.Port(), transport.SCTPState())
	}
	before := transport.Stats().BytesReceived
	stranger.deliver(transport.media, hello)
	if transport.Stats().BytesReceived != before {
		t.Error("a stranger is listened to")
	}
}

// With SRTP nobody is learnt who has not shown that he has the key.
func TestSCTPDoesNotIntroduceWhoHasToAuthenticate(t *testing.T) {
	r := newRig(t)
	transport := r.newPlain(PlainTransportOptions{Comedia: true, EnableSRTP: true, SCTP: SCTPOptions{Enable: true}})
	r.plainPeer(transport).deliver(transport.media, initOfSCTP(t))
	if transport.Tuple().RemotePort != 0 || transport.SCTPState() != sctp.StateNew {
		t.Errorf("learnt %+v, SCTP is %s", transport.Tuple(), transport.SCTPState())
	}
}

// Without SCTP its packets are none of anything.
func TestPlainTransportWithoutSCTP(t *testing.T) {
	r := newRig(t)
	transport := r.newPlain(PlainTransportOptions{Comedia: true})
	r.plainPeer(transport).deliver(transport.media, initOfSCTP(t))
	if transport.Tuple().RemotePort != 0 || transport.SCTPParameters() != nil || transport.SCTPState() != "" || transport.SCTPNegotiated() != nil {
		t.Error("it has SCTP")
	}
	if _, err := transport.ProduceData(DataProducerOptions{}); !isKind(err, ortc.InvalidState) {
		t.Errorf("ProduceData: %v", err)
	}
}

func TestMessagesOfTheServerItselfAreLimited(t *testing.T) {
	r := newTestRouter(t)
	transport, err := r.NewDirectTransport(DirectTransportOptions{MaxReceiveBytes: 10, MaxSendBytes: 5})
	check(t, err)
	p, err := transport.ProduceData(DataProducerOptions{})
	check(t, err)
	var got []string
	c, err := transport.ConsumeData(DataConsumerOptions{DataProducerID: p.ID(), Events: DataConsumerEvents{
		Message: func(data []byte, _ bool) { got = append(got, string(data)) },
	}})
	check(t, err)
	if err := p.Send(make([]byte, 11), true, Subchannels{}); !isKind(err, ortc.TypeError) {
		t.Errorf("11 bytes: %v", err)
	}
	check(t, p.Send([]byte("0123456789"), true, Subchannels{}))
	check(t, p.Send([]byte("01234"), true, Subchannels{}))
	if !slices.Equal(got, []string{"01234"}) || c.Stats().MessagesDropped != 1 {
		t.Errorf("got %q", got)
	}
	if d := transport.Dump(); d.MaxSendMessageSize != 5 || d.MaxReceiveMessageSize != 10 {
		t.Errorf("dump %+v", d)
	}
}

// initOfSCTP is what Pion begins with.
func initOfSCTP(t testing.TB) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		a, err := pionsctp.ClientWithOptions(pionsctp.WithNetConn(theirs), pionsctp.WithLoggerFactory(pionlog.New(slog.New(slog.DiscardHandler), "SCTP")))
		if err == nil {
			_ = a.Close()
		}
	}()
	b := make([]byte, 2000)
	n, err := ours.Read(b)
	check(t, err)
	check(t, ours.Close())
	<-begun
	return b[:n]
}

// Whatever comes to a port with SCTP, media goes on.
func FuzzPlainSCTP(f *testing.F) {
	hello := initOfSCTP(f)
	f.Add(hello, false)
	f.Add(append([]byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 1, 0, 0, 0, 0}, 0, 3, 0, 20, 0, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 51, 'a', 'b', 'c', 'd'), true)
	f.Add([]byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 4}, true)
	f.Fuzz(func(t *testing.T, b []byte, begun bool) {
		r := newRig(t)
		in := r.plainPeer(r.newPlain(PlainTransportOptions{SCTP: SCTPOptions{Enable: true}}))
		in.connect(in.remote())
		if begun {
			in.deliver(in.transport.media, hello)
		}
		p := in.produce()
		batch := []udp.Datagram{{Data: b, Path: udp.Path{Remote: udp.AddrFrom(in.addr), Local: in.transport.media.local}}}
		r.worker.takePlain(r.now, in.transport.media, batch)
		in.send(videoPacket(60000, 0, true, true, 100))
		if in.transport.Closed() || len(p.Score()) != 1 {
			t.Errorf("the transport is closed: %v; %v arrives", in.transport.Closed(), p.Score())
		}
	})
}
