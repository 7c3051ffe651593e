package room_test

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRegistry(t *testing.T, o room.Options) *room.Registry {
	t.Helper()
	return newRegistryWith(t, o, sfu.Options{})
}

func newRegistryWith(t *testing.T, o room.Options, so sfu.Options) *room.Registry {
	t.Helper()
	so.ListenIPs, so.Announced, so.Readers = []netip.Addr{netip.MustParseAddr("127.0.0.1")}, []string{"127.0.0.1"}, 1
	media, err := sfu.New(so)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(media.Close)
	o.SFU, o.Logger = media, slog.New(slog.DiscardHandler)
	g := room.NewRegistry(o)
	t.Cleanup(g.Close)
	return g
}

// history writes down events, one line each.
type history struct {
	mu    sync.Mutex
	lines []string
}

func (h *history) note(e room.Event) {
	line := string(e.Type)
	if e.Peer != nil {
		line += " " + e.Peer.ID()
	}
	switch {
	case e.Consumer != nil:
		line += " consumer of " + e.Consumer.Producer().Source()
	case e.Producer != nil:
		line += " " + e.Producer.Source()
	case e.Transport != nil:
		line += " " + string(e.Transport.Direction())
	}
	if e.By != "" {
		line += " by " + e.By
	}
	if e.Reason != "" {
		line += ": " + e.Reason
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

func (h *history) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := h.lines
	h.lines = nil
	return lines
}

func (h *history) want(t *testing.T, lines ...string) {
	t.Helper()
	if got := h.take(); !slices.Equal(got, lines) {
		t.Errorf("events:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// must is used as must(f())(t).
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func wantKind(t *testing.T, err error, kind room.ErrorKind, words ...string) {
	t.Helper()
	if !room.IsKind(err, kind) {
		t.Errorf("error %v, want kind %d", err, kind)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not name %q", err, word)
		}
	}
}

func opus(ssrc uint32) ortc.RTPParameters {
	return ortc.RTPParameters{
		Codecs:    []ortc.RTPCodecParameters{{MimeType: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2}},
		Encodings: []ortc.RTPEncodingParameters{{SSRC: ssrc}},
	}
}

// pair is a sender and a receiver of one microphone.
type pair struct {
	room       *room.Room
	alice, bob *room.Peer
	send, recv *room.Transport
	mic        *room.Producer
	hears      *room.Consumer
}

func newPair(t *testing.T, g *room.Registry, id string) pair {
	t.Helper()
	r := must(g.Create(id, room.RoomOptions{}))(t)
	p := pair{room: r, alice: must(r.AddPeer("alice", room.PeerOptions{Host: true}))(t), bob: must(r.AddPeer("bob", room.PeerOptions{}))(t)}
	p.send = must(p.alice.CreateTransport(room.Send, room.TransportOptions{}))(t)
	p.recv = must(p.bob.CreateTransport(room.Receive, room.TransportOptions{}))(t)
	p.mic = must(p.send.Produce(room.ProduceOptions{Kind: ortc.Audio, RTPParameters: opus(1), Source: "mic"}))(t)
	p.hears = must(p.recv.Consume(room.ConsumeOptions{ProducerID: p.mic.ID(), RTPCapabilities: r.RTPCapabilities()}))(t)
	return p
}

func TestEventsTellEverythingInOrder(t *testing.T) {
	g := newRegistry(t, room.Options{})
	var h history
	stop := g.Observe(h.note)
	p := newPair(t, g, "tako")
	h.want(t, "roomCreated", "peerAdded alice", "peerAdded bob", "transportCreated alice send", "transportCreated bob recv",
		"producerCreated alice mic", "consumerCreated bob consumer of mic")
	if !p.mic.Pause() || p.mic.Pause() || !p.mic.Resume() || p.mic.Resume() {
		t.Error("a pause or resume is reported wrongly")
	}
	h.want(t, "producerPaused alice mic", "producerResumed alice mic")
	if !p.mic.Mute("bob") || p.mic.Mute("bob") {
		t.Error("a mute is reported wrongly")
	}
	h.want(t, "producerMuted alice mic by bob", "producerPaused alice mic")
	p.mic.Close("alice")
	p.mic.Close("alice")
	h.want(t, "consumerClosed bob consumer of mic by alice: producerClosed", "producerClosed alice mic by alice: requested")
	p.room.Close("enough")
	p.room.Close("enough")
	h.want(t, "roomClosed: enough")
	stop()
	must(g.Create("ika", room.RoomOptions{}))(t)
	h.want(t)
}

func TestWhatBelongsToSomethingEndsBeforeIt(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(pair)
		want []string
	}{
		"consumer": {func(p pair) { p.hears.Close("bob") }, []string{"consumerClosed bob consumer of mic by bob: requested"}},
		"transport": {func(p pair) { p.recv.Close("") }, []string{
			"consumerClosed bob consumer of mic: transportClosed", "transportClosed bob recv: requested",
		}},
		"peer": {func(p pair) { p.alice.Remove("bedtime") }, []string{
			"consumerClosed bob consumer of mic: producerClosed", "producerClosed alice mic: transportClosed",
			"transportClosed alice send: peerClosed", "peerClosed alice: bedtime",
		}},
		"leaving": {func(p pair) { p.bob.Close() }, []string{
			"consumerClosed bob consumer of mic by bob: transportClosed", "transportClosed bob recv by bob: peerClosed",
			"peerClosed bob by bob: requested",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRegistry(t, room.Options{})
			p := newPair(t, g, "tako")
			var h history
			g.Observe(h.note)
			test.end(p)
			h.want(t, test.want...)
			test.end(p) // again: nothing
			h.want(t)
		})
	}
}

func TestEndOfAnOwnerIsToldApart(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	ending := map[room.EventType]bool{}
	g.Observe(func(e room.Event) { ending[e.Type] = e.Ending })
	p.alice.Close()
	want := map[room.EventType]bool{
		room.ConsumerClosed: false, // bob's
		room.ProducerClosed: true, room.TransportClosed: true, room.PeerClosed: true,
	}
	for kind, want := range want {
		if ending[kind] != want {
			t.Errorf("%s: ending is %v", kind, !want)
		}
	}
}

func TestClosedThingsAreNotFound(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	send, recv := room.ProduceOptions{Kind: ortc.Audio, RTPParameters: opus(9)}, room.ConsumeOptions{ProducerID: p.mic.ID()}
	p.hears.Close("")
	_, err := p.bob.Consumer(p.hears.ID())
	wantKind(t, err, room.ConsumerNotFound, p.hears.ID())
	p.mic.Close("")
	_, err = p.alice.Producer(p.mic.ID())
	wantKind(t, err, room.ProducerNotFound, p.mic.ID())
	_, err = p.room.Producer(p.mic.ID())
	wantKind(t, err, room.ProducerNotFound, p.mic.ID())
	_, err = p.recv.Consume(recv)
	wantKind(t, err, room.ProducerNotFound, p.mic.ID())
	p.send.Close("")
	_, err = p.alice.Transport(p.send.ID())
	wantKind(t, err, room.TransportNotFound, p.send.ID())
	_, err = p.send.Produce(send)
	wantKind(t, err, room.TransportNotFound, p.send.ID())
	wantKind(t, p.send.Connect(room.DTLSParameters{}), room.TransportNotFound)
	p.alice.Close()
	_, err = p.room.Peer("alice")
	wantKind(t, err, room.PeerNotFound, "alice")
	_, err = p.alice.CreateTransport(room.Send, room.TransportOptions{})
	wantKind(t, err, room.PeerNotFound, "alice")
	wantKind(t, p.alice.Kick("bob", ""), room.NotHost) // not any more
	p.room.Close("")
	_, err = g.Room("tako")
	wantKind(t, err, room.RoomNotFound, "tako")
	_, err = p.room.AddPeer("carol", room.PeerOptions{})
	wantKind(t, err, room.RoomNotFound, "tako")
	_, err = p.bob.CreateTransport(room.Send, room.TransportOptions{})
	wantKind(t, err, room.RoomNotFound, "tako")
	if !p.bob.Closed() || p.recv.Open() || p.mic.Pause() {
		t.Error("something of a closed room lives on")
	}
}

func TestOwnersAndPropertiesAreKept(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	carol := must(p.room.AddPeer("carol", room.PeerOptions{DisplayName: "Carol", AppData: 7}))(t)
	tr := must(carol.CreateTransport(room.Receive, room.TransportOptions{MaxIncomingBitrate: 100000, AppData: 8}))(t)
	c := must(tr.Consume(room.ConsumeOptions{
		ProducerID: p.mic.ID(), RTPCapabilities: p.room.RTPCapabilities(), Paused: true, AppData: 9,
	}))(t)
	if carol.DisplayName() != "Carol" || carol.AppData() != 7 || carol.Host() || tr.AppData() != 8 || c.AppData() != 9 || !c.Paused() {
		t.Error("a property was lost")
	}
	if p.mic.Peer() != p.alice || p.mic.Transport() != p.send || c.Peer() != carol || c.Transport() != tr || c.Producer() != p.mic ||
		tr.Peer() != carol || carol.Room() != p.room || tr.Direction() != room.Receive {
		t.Error("an owner was lost")
	}
	if carol.ConsumerOf(p.mic.ID()) != c || carol.ConsumerOf("nothing") != nil {
		t.Error("ConsumerOf")
	}
	if err := tr.SetMaxIncomingBitrate(50000); err != nil {
		t.Error(err)
	}
	if p.room.Router() == nil || p.room.MaxPeers() != g.Limits().PeersPerRoom {
		t.Error("the room's own properties")
	}
}

func TestSnapshotIsInTheOrderOfComing(t *testing.T) {
	g := newRegistry(t, room.Options{})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	var want []string
	for i := range 30 {
		id := fmt.Sprintf("p%d", (i*7)%30)
		want = append(want, id)
		must(r.AddPeer(id, room.PeerOptions{}))(t)
	}
	var got []string
	for _, p := range r.Snapshot().Peers {
		got = append(got, p.Peer.ID())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLimitsHold(t *testing.T) {
	g := newRegistry(t, room.Options{Limits: room.Limits{
		Rooms: 1, PeersPerRoom: 3, TransportsPerPeer: 1, ProducersPerPeer: 1, ConsumersPerPeer: 1,
	}})
	p := newPair(t, g, "tako")
	_, err := g.Create("ika", room.RoomOptions{})
	wantKind(t, err, room.LimitReached, "1 rooms")
	_, err = p.alice.CreateTransport(room.Receive, room.TransportOptions{})
	wantKind(t, err, room.LimitReached, "alice", "1 transports")
	_, err = p.send.Produce(room.ProduceOptions{Kind: ortc.Audio, RTPParameters: opus(2)})
	wantKind(t, err, room.LimitReached, "alice", "1 producers")
	_, err = p.recv.Consume(room.ConsumeOptions{ProducerID: p.mic.ID(), RTPCapabilities: p.room.RTPCapabilities()})
	wantKind(t, err, room.LimitReached, "bob", "1 consumers")
	must(p.room.AddPeer("carol", room.PeerOptions{}))(t)
	_, err = p.room.AddPeer("dave", room.PeerOptions{})
	wantKind(t, err, room.RoomFull, "tako")
	if !p.room.Full() || g.Stats().Refused != 2 {
		t.Errorf("full: %v, stats %+v", p.room.Full(), g.Stats())
	}
	// What was closed makes room.
	p.mic.Close("")
	must(p.send.Produce(room.ProduceOptions{Kind: ortc.Audio, RTPParameters: opus(2)}))(t)
	p.room.Close("")
	must(g.Create("ika", room.RoomOptions{MaxPeers: 1000}))(t)
}

func TestRoomMayTakeFewerButNotMore(t *testing.T) {
	g := newRegistry(t, room.Options{Limits: room.Limits{PeersPerRoom: 10}})
	for asked, want := range map[int]int{0: 10, 3: 3, 10: 10, 11: 10, -1: 10} {
		r := must(g.Create(fmt.Sprint(asked), room.RoomOptions{MaxPeers: asked}))(t)
		if r.MaxPeers() != want {
			t.Errorf("%d asked, %d given", asked, r.MaxPeers())
		}
	}
}

func TestWrongUseIsRefused(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	_, err := g.Create("tako", room.RoomOptions{})
	wantKind(t, err, room.RoomExists, "tako")
	_, err = p.room.AddPeer("bob", room.PeerOptions{})
	wantKind(t, err, room.PeerExists, "bob", "tako")
	_, err = p.recv.Produce(room.ProduceOptions{Kind: ortc.Audio, RTPParameters: opus(2)})
	wantKind(t, err, room.WrongDirection, p.recv.ID())
	_, err = p.send.Consume(room.ConsumeOptions{ProducerID: p.mic.ID()})
	wantKind(t, err, room.WrongDirection, p.send.ID())
	_, err = p.recv.Consume(room.ConsumeOptions{ProducerID: p.mic.ID(), RTPCapabilities: ortc.RTPCapabilities{
		Codecs: []ortc.RTPCodecCapability{{Kind: ortc.Video, MimeType: "video/VP8", PreferredPayloadType: new(uint8), ClockRate: 90000}},
	}})
	wantKind(t, err, room.CannotConsume, p.mic.ID())
	other := newPair(t, g, "ika")
	_, err = p.recv.Consume(room.ConsumeOptions{ProducerID: other.mic.ID(), RTPCapabilities: p.room.RTPCapabilities()})
	wantKind(t, err, room.ProducerNotFound, other.mic.ID())
	if _, err := g.Create("x", room.RoomOptions{Codecs: []ortc.RTPCodecCapability{{MimeType: "video/none", ClockRate: 1}}}); err == nil {
		t.Error("a room with a codec that there is not")
	}
	if _, err := g.Room("x"); err == nil {
		t.Error("the room that could not be made exists")
	}
}

func TestOnlyHostsModerate(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	all := func(*room.Producer) bool { return true }
	wantKind(t, p.bob.Kick("alice", ""), room.NotHost)
	_, err := p.bob.Mute("alice", all)
	wantKind(t, err, room.NotHost)
	_, err = p.alice.Mute("carol", all)
	wantKind(t, err, room.PeerNotFound, "carol")
	var h history
	g.Observe(h.note)
	if n, err := p.alice.Mute("alice", func(*room.Producer) bool { return false }); n != 0 || err != nil {
		t.Errorf("muted %d, %v", n, err)
	}
	if n, err := p.alice.Mute("alice", all); n != 1 || err != nil {
		t.Errorf("muted %d, %v", n, err)
	}
	if err := p.alice.Kick("bob", "bedtime"); err != nil {
		t.Error(err)
	}
	h.want(t, "producerMuted alice mic by alice", "producerPaused alice mic",
		"consumerClosed bob consumer of mic by alice: transportClosed", "transportClosed bob recv by alice: peerClosed",
		"peerClosed bob by alice: bedtime")
}

func TestJoiningMakesTheRoomAndLeavingEndsIt(t *testing.T) {
	g := newRegistry(t, room.Options{})
	var h history
	g.Observe(h.note)
	auto := room.RoomOptions{CloseWhenEmpty: true, MaxPeers: 2}
	r, alice, err := g.Join("tako", auto, "alice", room.PeerOptions{})
	if err != nil || !alice.Host() {
		t.Fatalf("host %v, %v", alice.Host(), err)
	}
	_, bob, err := g.Join("tako", auto, "bob", room.PeerOptions{})
	if err != nil || bob.Host() {
		t.Fatalf("host %v, %v", bob.Host(), err)
	}
	_, _, err = g.Join("tako", auto, "carol", room.PeerOptions{})
	wantKind(t, err, room.RoomFull)
	alice.Close()
	bob.Close()
	h.want(t, "roomCreated", "peerAdded alice", "peerAdded bob", "peerClosed alice by alice: requested",
		"peerClosed bob by bob: requested", "roomClosed: empty")
	if again, _, err := g.Join("tako", auto, "alice", room.PeerOptions{}); err != nil || again == r {
		t.Errorf("joined %v, %v", again, err)
	}
	if r := must(g.Create("stays", room.RoomOptions{}))(t); !leaves(t, r) {
		t.Error("a room that was made is closed with its last peer")
	}
}

// leaves reports whether a room is there after somebody came and left.
func leaves(t *testing.T, r *room.Room) bool {
	t.Helper()
	must(r.AddPeer("x", room.PeerOptions{}))(t).Close()
	_, err := r.AddPeer("y", room.PeerOptions{})
	return err == nil
}

func TestDrainingRefusesNewRoomsOnly(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	g.Drain()
	_, err := g.Create("ika", room.RoomOptions{})
	wantKind(t, err, room.Draining)
	_, _, err = g.Join("ika", room.RoomOptions{}, "x", room.PeerOptions{})
	wantKind(t, err, room.Draining)
	must(p.room.AddPeer("carol", room.PeerOptions{}))(t)
	if !g.Draining() {
		t.Error("not draining")
	}
	g.Close()
	if s := g.Stats(); s.Rooms != 0 || s.Joins != 3 {
		t.Errorf("after Close: %+v", s)
	}
}

// checkICE is a browser's check of the path (RFC 8445 §7.2.2).
func checkICE(t *testing.T, tr *room.Transport) {
	t.Helper()
	parameters, candidate := tr.WebRTC().ICEParameters(), tr.WebRTC().ICECandidates()[0]
	check := must(stun.Build(stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(parameters.UsernameFragment+":browser"),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0x7f, 0x1e, 0xff}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(parameters.Password), stun.Fingerprint,
	))(t)
	conn := must(net.Dial("udp", net.JoinHostPort(candidate.Address, strconv.Itoa(int(candidate.Port)))))(t)
	defer func() { _ = conn.Close() }()
	must(conn.Write(check.Raw))(t)
}

func TestTransportWhoseClientVanishesIsClosed(t *testing.T) {
	g := newRegistryWith(t, room.Options{DisconnectTimeout: 100 * time.Millisecond}, sfu.Options{ConsentTimeout: 100 * time.Millisecond})
	p := newPair(t, g, "tako")
	var h history
	closed := make(chan struct{})
	var states []string
	g.Observe(func(e room.Event) {
		h.note(e)
		switch e.Type {
		case room.TransportState:
			states = append(states, string(e.Transport.WebRTC().ICEState()))
		case room.TransportClosed:
			close(closed)
		}
	})
	checkICE(t, p.send)
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("not closed")
	}
	h.want(t, "transportState alice send", "transportState alice send",
		"consumerClosed bob consumer of mic: producerClosed", "producerClosed alice mic: transportClosed",
		"transportClosed alice send: disconnected")
	if !slices.Equal(states, []string{"completed", "disconnected"}) {
		t.Errorf("states %v", states)
	}
	if _, err := p.room.Peer("alice"); err != nil {
		t.Errorf("the peer went with its transport: %v", err)
	}
}

// What is done to the SFU's objects past the room is seen by it.
func TestRoomFollowsTheSFU(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	events := make(chan room.Event, 10)
	g.Observe(func(e room.Event) { events <- e })
	next := func() room.EventType {
		t.Helper()
		select {
		case e := <-events:
			return e.Type
		case <-time.After(10 * time.Second):
			t.Fatal("no event")
			return ""
		}
	}
	p.mic.Producer.Pause()
	if e := next(); e != room.ProducerPaused {
		t.Errorf("event %s", e)
	}
	p.mic.Producer.Resume()
	if e := next(); e != room.ProducerResumed {
		t.Errorf("event %s", e)
	}
	p.hears.Consumer.Close()
	if e := next(); e != room.ConsumerClosed {
		t.Errorf("event %s", e)
	}
	p.mic.Producer.Close()
	if e := next(); e != room.ProducerClosed {
		t.Errorf("event %s", e)
	}
	p.recv.WebRTC().Close()
	if e := next(); e != room.TransportClosed {
		t.Errorf("event %s", e)
	}
}

func TestConnectingTakesTheParametersOnce(t *testing.T) {
	g := newRegistry(t, room.Options{})
	p := newPair(t, g, "tako")
	good := room.DTLSParameters{Fingerprints: []room.Fingerprint{{
		Algorithm: "sha-256",
		Value:     "82:5a:68:3d:36:c3:0a:de:af:e7:32:43:d2:88:83:57:ac:2d:65:e5:80:c4:b6:fb:af:1a:a0:21:9f:6d:0c:ad",
	}}}
	if err := p.send.Connect(room.DTLSParameters{Role: "client"}); err == nil {
		t.Error("connected without a fingerprint")
	}
	if p.send.Connected() {
		t.Error("connected by a failure")
	}
	if err := p.send.Connect(good); err != nil {
		t.Error(err)
	}
	if err := p.send.Connect(good); err == nil || !p.send.Connected() {
		t.Errorf("connected twice: %v", err)
	}
}

// replica is a room as somebody sees it who only hears events.
type replica struct {
	mu    sync.Mutex
	there map[string]bool
	wrong []string
}

func (r *replica) apply(e room.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := ""
	switch {
	case e.Consumer != nil:
		id = e.Consumer.ID()
	case e.Producer != nil:
		id = e.Producer.ID()
	case e.Transport != nil:
		id = e.Transport.ID()
	case e.Peer != nil:
		id = "peer " + e.Peer.ID()
	}
	switch e.Type {
	case room.PeerAdded, room.TransportCreated, room.ProducerCreated, room.ConsumerCreated:
		if r.there[id] {
			r.wrong = append(r.wrong, string(e.Type)+" twice")
		}
		r.there[id] = true
	case room.PeerClosed, room.TransportClosed, room.ProducerClosed, room.ConsumerClosed:
		if !r.there[id] {
			r.wrong = append(r.wrong, string(e.Type)+" of what is not there")
		}
		delete(r.there, id)
	}
}

func ids(s room.Snapshot) map[string]bool {
	there := map[string]bool{}
	for _, p := range s.Peers {
		there["peer "+p.Peer.ID()] = true
		for _, t := range p.Transports {
			there[t.ID()] = true
		}
		for _, o := range p.Producers {
			there[o.ID()] = true
		}
		for _, c := range p.Consumers {
			there[c.ID()] = true
		}
	}
	return there
}

// Whoever begins to observe at any moment, while many change the room, knows it
// exactly from then on.
func TestObserversKnowTheRoomExactly(t *testing.T) {
	g := newRegistry(t, room.Options{})
	r := must(g.Create("tako", room.RoomOptions{}))(t)
	var replicas []*replica
	var changing sync.WaitGroup
	for i := range 6 {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		changing.Go(func() {
			for range 150 {
				disturb(r, fmt.Sprintf("p%d", random.IntN(4)), random)
			}
		})
	}
	for range 20 {
		v := &replica{}
		v.mu.Lock() // events wait for the snapshot
		now, _ := r.Observe(func(e room.Event) { v.apply(e) })
		v.there = ids(now)
		v.mu.Unlock()
		replicas = append(replicas, v)
	}
	changing.Wait()
	for i, v := range replicas {
		// What was done past the room reaches it, and them, a moment later.
		known := v.knows(r)
		for deadline := time.Now().Add(5 * time.Second); !known && time.Now().Before(deadline); known = v.knows(r) {
			time.Sleep(time.Millisecond)
		}
		if !known || len(v.wrong) > 0 {
			t.Errorf("observer %d does not know the room: %v", i, v.wrong)
		}
	}
}

func (r *replica) knows(what *room.Room) bool {
	there := ids(what.Snapshot())
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Equal(r.there, there)
}

// disturb changes something in the room; it may fail.
func disturb(r *room.Room, name string, random *rand.Rand) {
	p, err := r.Peer(name)
	if err != nil {
		_, _ = r.AddPeer(name, room.PeerOptions{Host: true})
		return
	}
	s := p.Snapshot()
	switch random.IntN(9) {
	case 0:
		p.Close()
	case 1:
		_, _ = p.CreateTransport(room.Send, room.TransportOptions{})
	case 2:
		_, _ = p.CreateTransport(room.Receive, room.TransportOptions{})
	case 3, 4:
		for _, t := range s.Transports {
			_, _ = t.Produce(room.ProduceOptions{Kind: ortc.Audio, RTPParameters: opus(random.Uint32())})
		}
	case 5, 6:
		for _, other := range r.Snapshot().Peers {
			for _, producer := range other.Producers {
				for _, t := range s.Transports {
					_, _ = t.Consume(room.ConsumeOptions{ProducerID: producer.ID(), RTPCapabilities: r.RTPCapabilities()})
				}
			}
		}
	case 7:
		for _, producer := range s.Producers {
			if random.IntN(2) == 0 {
				producer.Close(name)
			} else {
				producer.Producer.Close() // past the room
			}
		}
	case 8:
		for _, t := range s.Transports {
			if random.IntN(2) == 0 {
				t.WebRTC().Close() // past the room
			} else {
				t.Close(name)
			}
		}
	}
}
