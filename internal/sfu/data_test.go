package sfu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/webrtc/v4"

	"github.com/takoserver/takos-call/internal/dtls"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sctp"
)

// dataPeer is pion/webrtc at the far side of a transport, with its parts in its own
// hands: there is no SDP.
type dataPeer struct {
	t         testing.TB
	transport *WebRTCTransport
	api       *webrtc.API
	sctp      *webrtc.SCTPTransport
	stop      []func() error
}

func connectDataPeer(t testing.TB, r *Router, o WebRTCTransportOptions) *dataPeer {
	t.Helper()
	o.SCTP.Enable = true
	p := &dataPeer{t: t, transport: newTestTransport(t, r, o)}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4})
	p.api = webrtc.NewAPI(webrtc.WithSettingEngine(settings))
	gatherer, err := p.api.NewICEGatherer(webrtc.ICEGatherOptions{})
	check(t, err)
	gathered := make(chan struct{})
	gatherer.OnLocalCandidate(func(c *webrtc.ICECandidate) {
		if c == nil {
			close(gathered)
		}
	})
	check(t, gatherer.Gather())
	<-gathered
	ice := p.api.NewICETransport(gatherer)
	secure, err := p.api.NewDTLSTransport(ice, nil)
	check(t, err)
	p.sctp = p.api.NewSCTPTransport(secure)
	p.stop = []func() error{p.sctp.Stop, secure.Stop, ice.Stop}
	t.Cleanup(p.close)
	p.start(gatherer, ice, secure)
	return p
}

func (p *dataPeer) start(gatherer *webrtc.ICEGatherer, ice *webrtc.ICETransport, secure *webrtc.DTLSTransport) {
	t := p.t
	t.Helper()
	local, err := secure.GetLocalParameters()
	check(t, err)
	remote := dtls.Parameters{Role: dtls.RoleClient}
	for _, f := range local.Fingerprints {
		remote.Fingerprints = append(remote.Fingerprints, dtls.Fingerprint{Algorithm: f.Algorithm, Value: f.Value})
	}
	check(t, p.transport.Connect(remote))
	for _, c := range p.transport.ICECandidates() {
		protocol, err := webrtc.NewICEProtocol(c.Protocol.String())
		check(t, err)
		check(t, ice.AddRemoteCandidate(&webrtc.ICECandidate{
			Foundation: c.Foundation, Priority: c.Priority, Address: c.Address, Port: c.Port,
			Protocol: protocol, TCPType: c.TCPType, Typ: webrtc.ICECandidateTypeHost, Component: 1,
		}))
	}
	ours := p.transport.ICEParameters()
	role := webrtc.ICERoleControlling
	check(t, ice.Start(gatherer, webrtc.ICEParameters{
		UsernameFragment: ours.UsernameFragment, Password: ours.Password, ICELite: true,
	}, &role))
	server := webrtc.DTLSParameters{Role: webrtc.DTLSRoleServer}
	for _, f := range p.transport.DTLSParameters().Fingerprints {
		server.Fingerprints = append(server.Fingerprints, webrtc.DTLSFingerprint{Algorithm: f.Algorithm, Value: f.Value})
	}
	check(t, secure.Start(server))
	check(t, p.sctp.Start(webrtc.SCTPCapabilities{MaxMessageSize: uint32(p.transport.SCTPParameters().MaxMessageSize)}))
	eventually(t, "SCTP of the transport", func() bool { return p.transport.SCTPState() == sctp.StateConnected })
}

func (p *dataPeer) close() {
	for _, stop := range p.stop {
		_ = stop()
	}
}

// channel opens a data channel of the given parameters, as mediasoup-client does.
func (p *dataPeer) channel(params SCTPStreamParameters) *webrtc.DataChannel {
	p.t.Helper()
	c, err := p.api.NewDataChannel(p.sctp, &webrtc.DataChannelParameters{
		Label: "test", ID: &params.StreamID, Negotiated: true, Ordered: *params.Ordered,
		MaxPacketLifeTime: params.MaxPacketLifeTime, MaxRetransmits: params.MaxRetransmits,
	})
	check(p.t, err)
	return c
}

func (p *dataPeer) produce(o DataProducerOptions) (*DataProducer, *webrtc.DataChannel) {
	p.t.Helper()
	producer, err := p.transport.ProduceData(o)
	check(p.t, err)
	return producer, p.channel(producer.SCTPStreamParameters())
}

func (p *dataPeer) consume(o DataConsumerOptions) (*DataConsumer, *dataInbox) {
	p.t.Helper()
	consumer, err := p.transport.ConsumeData(o)
	check(p.t, err)
	in := &dataInbox{channel: p.channel(consumer.SCTPStreamParameters()), closed: make(chan struct{})}
	in.channel.OnMessage(in.take)
	in.channel.OnClose(func() { close(in.closed) })
	return consumer, in
}

// dataInbox is what a data channel has received.
type dataInbox struct {
	channel *webrtc.DataChannel
	closed  chan struct{}

	mu       sync.Mutex
	messages []webrtc.DataChannelMessage
}

func (in *dataInbox) take(m webrtc.DataChannelMessage) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages = append(in.messages, m)
}

func (in *dataInbox) count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.messages)
}

func (in *dataInbox) want(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, "messages", func() bool { return in.count() >= len(want) })
	in.mu.Lock()
	defer in.mu.Unlock()
	var got []string
	for _, m := range in.messages {
		got = append(got, string(m.Data))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sendText(t *testing.T, c *webrtc.DataChannel, text string) {
	t.Helper()
	check(t, c.SendText(text))
}

func TestDataGoesFromProducerToConsumers(t *testing.T) {
	r := newTestRouter(t)
	alice, bob := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, r, WebRTCTransportOptions{})
	p, out := alice.produce(DataProducerOptions{Label: "chat", Protocol: "x", SCTPStreamParameters: SCTPStreamParameters{StreamID: 5}})
	c, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	c2, in2 := bob.consume(DataConsumerOptions{DataProducerID: p.ID(), Ordered: new(false)})
	_, unordered := c.SCTPStreamParameters(), c2.SCTPStreamParameters()
	if *unordered.Ordered || unordered.StreamID == c.SCTPStreamParameters().StreamID {
		t.Errorf("parameters of the second consumer: %+v", unordered)
	}
	if c.Label() != "chat" || c.Protocol() != "x" || c.DataProducerID() != p.ID() || r.DataProducer(p.ID()) != p {
		t.Errorf("consumer of %q %q", c.Label(), c.Protocol())
	}
	sendText(t, out, "hello")
	sendText(t, out, "")
	check(t, out.Send([]byte{1, 2, 3}))
	in.want(t, "hello", "", "\x01\x02\x03")
	in2.want(t, "hello", "", "\x01\x02\x03")
	for i, isString := range []bool{true, true, false} {
		if in.messages[i].IsString != isString {
			t.Errorf("message %d: string %v", i, in.messages[i].IsString)
		}
	}
	ps := p.Stats()
	if ps.Type != "data-producer" || ps.MessagesReceived != 3 || ps.BytesReceived != 9 || ps.Label != "chat" {
		t.Errorf("producer's stats %+v", ps)
	}
	cs := c.Stats()
	if cs.Type != "data-consumer" || cs.MessagesSent != 3 || cs.BytesSent != 9 || cs.MessagesDropped != 0 {
		t.Errorf("consumer's stats %+v", cs)
	}
	if s := alice.transport.Stats(); s.SCTPState != sctp.StateConnected {
		t.Errorf("transport's SCTP state %q", s.SCTPState)
	}
}

func TestDataOfManySizesIsNotLost(t *testing.T) {
	const count = 1000
	r := newTestRouter(t)
	alice, bob := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, r, WebRTCTransportOptions{})
	p, out := alice.produce(DataProducerOptions{})
	_, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	random := rand.New(rand.NewPCG(1, 2))
	var want [][]byte
	for i := range count {
		size := int(math.Exp(random.Float64() * math.Log(64<<10))) // pion/webrtc's limit
		b := binary.BigEndian.AppendUint32(nil, uint32(i))
		b = append(b, bytes.Repeat([]byte{byte(i)}, size)...)[:max(4, size)]
		want = append(want, b)
		check(t, out.Send(b))
	}
	eventually(t, "all messages", func() bool { return in.count() == count })
	for i, m := range in.messages {
		if !bytes.Equal(m.Data, want[i]) {
			t.Fatalf("message %d: %d bytes, want %d", i, len(m.Data), len(want[i]))
		}
	}
}

func TestDataPausesAtEitherEnd(t *testing.T) {
	r := newTestRouter(t)
	alice, bob := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, r, WebRTCTransportOptions{})
	events := make(chan string, 10)
	event := func(name string) func() { return func() { events <- name } }
	p, out := alice.produce(DataProducerOptions{Events: DataProducerEvents{Paused: event("paused"), Resumed: event("resumed")}})
	c, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID(), Events: DataConsumerEvents{
		DataProducerPaused: event("producer paused"), DataProducerResumed: event("producer resumed"),
	}})
	arrives := func(n uint64, text string) {
		t.Helper()
		sendText(t, out, text)
		eventually(t, text, func() bool { return p.Stats().MessagesReceived == n })
	}
	arrives(1, "one")
	p.Pause()
	p.Pause() // again
	if !c.DataProducerPaused() || !p.Paused() {
		t.Error("not paused")
	}
	arrives(2, "paused")
	p.Resume()
	arrives(3, "two")
	c.Pause()
	arrives(4, "consumer paused")
	if !c.Paused() {
		t.Error("consumer not paused")
	}
	c.Resume()
	arrives(5, "three")
	in.want(t, "one", "two", "three")
	for _, want := range []string{"paused", "producer paused", "resumed", "producer resumed"} {
		if got := <-events; got != want {
			t.Errorf("event %q, want %q", got, want)
		}
	}
}

func TestDataProducerThatClosesTakesItsConsumersAlong(t *testing.T) {
	r := newTestRouter(t)
	alice, bob := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, r, WebRTCTransportOptions{})
	reasons := make(chan CloseReason, 2)
	closed := func(r CloseReason) { reasons <- r }
	p, out := alice.produce(DataProducerOptions{Events: DataProducerEvents{Closed: closed}})
	c, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID(), Events: DataConsumerEvents{Closed: closed}})
	outClosed := make(chan struct{})
	out.OnClose(func() { close(outClosed) })
	sendText(t, out, "x")
	in.want(t, "x")
	p.Close()
	waitFor(t, in.closed, "end of the consumer's channel")
	waitFor(t, outClosed, "end of the producer's channel")
	if a, b := <-reasons, <-reasons; a != CloseProducer || b != CloseRequested {
		t.Errorf("reasons %q and %q", a, b)
	}
	if !p.Closed() || !c.Closed() || r.DataProducer(p.ID()) != nil {
		t.Error("not closed")
	}
	if _, err := c.Send([]byte("x"), true); !errors.Is(err, ErrClosed) {
		t.Errorf("Send on a closed consumer: %v", err)
	}
	if _, err := bob.transport.ConsumeData(DataConsumerOptions{DataProducerID: p.ID()}); !errors.Is(err, ErrNotFound) {
		t.Errorf("consuming what is closed: %v", err)
	}
}

func TestDataEndsWithItsTransport(t *testing.T) {
	r := newTestRouter(t)
	states := make(chan SCTPState, 10)
	alice := connectDataPeer(t, r, WebRTCTransportOptions{Events: TransportEvents{SCTPStateChange: func(s SCTPState) { states <- s }}})
	bob := connectDataPeer(t, r, WebRTCTransportOptions{})
	p, out := alice.produce(DataProducerOptions{})
	c, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	sendText(t, out, "x")
	in.want(t, "x")
	alice.transport.Close()
	if !p.Closed() || !c.Closed() {
		t.Error("not closed")
	}
	for _, want := range []SCTPState{sctp.StateConnecting, sctp.StateConnected} {
		if got := <-states; got != want {
			t.Errorf("state %q, want %q", got, want)
		}
	}
	if _, err := alice.transport.ProduceData(DataProducerOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("producing data: %v", err)
	}
}

func TestSCTPEndsWithDTLS(t *testing.T) {
	r := newTestRouter(t)
	alice := connectDataPeer(t, r, WebRTCTransportOptions{})
	p, _ := alice.produce(DataProducerOptions{})
	alice.close()
	eventually(t, "the end of SCTP", func() bool { return alice.transport.SCTPState() == sctp.StateClosed })
	if p.Closed() {
		t.Error("the data producer is closed although its transport is not")
	}
}

func TestServerSendsDataOfItsOwn(t *testing.T) {
	r := newTestRouter(t)
	alice, bob := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, r, WebRTCTransportOptions{})
	p, _ := alice.produce(DataProducerOptions{})
	low := make(chan int, 100)
	c, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID(), Events: DataConsumerEvents{BufferedAmountLow: func(n int) { low <- n }}})
	c.SetBufferedAmountLowThreshold(10)
	if n, err := c.Send([]byte("from the server"), true); err != nil || n > 15 {
		t.Errorf("Send: %d, %v", n, err)
	}
	in.want(t, "from the server")
	if n := <-low; n > 10 {
		t.Errorf("low at %d bytes", n)
	}
	if _, err := c.Send(make([]byte, 300_000), false); !isKind(err, ortc.TypeError) {
		t.Errorf("Send of too much: %v", err)
	}
}

// Who does not take what is sent loses messages, and costs the others a moment.
func TestDataConsumerThatDoesNotTakeMessages(t *testing.T) {
	r := newTestRouter(t)
	alice, bob := connectDataPeer(t, r, WebRTCTransportOptions{}), connectDataPeer(t, r, WebRTCTransportOptions{})
	stuck := connectDataPeer(t, r, WebRTCTransportOptions{SCTP: SCTPOptions{SendBufferBytes: 100_000}})
	p, out := alice.produce(DataProducerOptions{})
	full := make(chan struct{}, 10)
	c, none := stuck.consume(DataConsumerOptions{DataProducerID: p.ID(), Events: DataConsumerEvents{SendBufferFull: func() { full <- struct{}{} }}})
	gate := make(chan struct{})
	none.channel.OnMessage(func(webrtc.DataChannelMessage) { <-gate })
	defer close(gate)
	_, in := bob.consume(DataConsumerOptions{DataProducerID: p.ID()})
	const count = 100 // 5 MB: the client's window of 1 MB, and our buffer
	message := make([]byte, 50_000)
	for range count {
		check(t, out.Send(message))
	}
	eventually(t, "all messages", func() bool { return in.count() == count })
	waitFor(t, full, "the event")
	s := c.Stats()
	if s.MessagesDropped == 0 || s.MessagesSent+s.MessagesDropped != count {
		t.Errorf("stats of the one that is stuck: %+v", s)
	}
	// Once, or again when it seemed to have caught up: on a slow machine the window
	// of the client fills by and by.
	if told := 1 + len(full); uint64(told) > 1+s.MessagesDropped/10 {
		t.Errorf("told %d times of %d messages dropped", told, s.MessagesDropped)
	}
}

func TestDataOfTransportsWithoutSCTP(t *testing.T) {
	r := newTestRouter(t)
	transport := newTestTransport(t, r, WebRTCTransportOptions{})
	if transport.SCTPParameters() != nil || transport.SCTPState() != "" {
		t.Error("a transport without SCTP has parameters or a state")
	}
	if _, err := transport.ProduceData(DataProducerOptions{}); !isKind(err, ortc.InvalidState) {
		t.Errorf("producing data: %v", err)
	}
	if _, err := transport.ConsumeData(DataConsumerOptions{}); !isKind(err, ortc.InvalidState) {
		t.Errorf("consuming data: %v", err)
	}
}

func TestSCTPStreamParametersAreChecked(t *testing.T) {
	r := newTestRouter(t)
	transport := newTestTransport(t, r, WebRTCTransportOptions{SCTP: SCTPOptions{Enable: true, Streams: 4}})
	for name, c := range map[string]struct {
		params SCTPStreamParameters
		kind   ortc.ErrorKind
	}{
		"stream beyond":   {SCTPStreamParameters{StreamID: 4}, ortc.TypeError},
		"both limits":     {SCTPStreamParameters{MaxPacketLifeTime: new(uint16(1)), MaxRetransmits: new(uint16(1))}, ortc.TypeError},
		"ordered limited": {SCTPStreamParameters{Ordered: new(true), MaxRetransmits: new(uint16(1))}, ortc.TypeError},
	} {
		if _, err := transport.ProduceData(DataProducerOptions{SCTPStreamParameters: c.params}); !isKind(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	limited, err := transport.ProduceData(DataProducerOptions{SCTPStreamParameters: SCTPStreamParameters{StreamID: 2, MaxRetransmits: new(uint16(3))}})
	check(t, err)
	if *limited.SCTPStreamParameters().Ordered {
		t.Error("limited and ordered")
	}
	if _, err := transport.ProduceData(DataProducerOptions{SCTPStreamParameters: SCTPStreamParameters{StreamID: 2}}); !isKind(err, ortc.InvalidState) {
		t.Errorf("a stream twice: %v", err)
	}
	for _, want := range []uint16{0, 1, 3} {
		c, err := transport.ConsumeData(DataConsumerOptions{DataProducerID: limited.ID()})
		check(t, err)
		if p := c.SCTPStreamParameters(); p.StreamID != want || *p.MaxRetransmits != 3 || *p.Ordered {
			t.Errorf("consumer's parameters %+v, want stream %d", p, want)
		}
	}
	if _, err := transport.ConsumeData(DataConsumerOptions{DataProducerID: limited.ID()}); !errors.Is(err, ErrLimit) {
		t.Errorf("a consumer without a stream: %v", err)
	}
	limited.Close()
	if _, err := transport.ProduceData(DataProducerOptions{SCTPStreamParameters: SCTPStreamParameters{StreamID: 2}}); err != nil {
		t.Errorf("a stream that is free again: %v", err)
	}
}

func isKind(err error, kind ortc.ErrorKind) bool {
	var e *ortc.Error
	return errors.As(err, &e) && e.Kind == kind
}
