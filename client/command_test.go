package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/client"
)

// What browsers send: Opus of a microphone, VP8 of a camera.
const (
	opus = `{"mid":"0","codecs":[{"mimeType":"audio/opus","payloadType":111,"clockRate":48000,"channels":2,
		"parameters":{"minptime":10,"useinbandfec":1},"rtcpFeedback":[]}],
		"headerExtensions":[],"encodings":[{"ssrc":1111}],"rtcp":{"cname":"alice"}}`
	vp8 = `{"mid":"1","codecs":[{"mimeType":"video/VP8","payloadType":96,"clockRate":90000,"parameters":{},
		"rtcpFeedback":[{"type":"nack","parameter":""},{"type":"nack","parameter":"pli"}]}],
		"headerExtensions":[],"encodings":[{"ssrc":2222}],"rtcp":{"cname":"alice"}}`
	fingerprint = `{"role":"client","fingerprints":[{"algorithm":"sha-256","value":` +
		`"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"}]}`
)

// meeting is a room with one who sends and one who receives.
type meeting struct {
	*client.Client
	t             *testing.T
	ctx           context.Context
	send, receive client.TransportInfo
	capabilities  json.RawMessage
}

func meet(t *testing.T, c *client.Client) *meeting {
	t.Helper()
	m := &meeting{Client: c, t: t, ctx: within(t)}
	got(c.CreateRoom(m.ctx, "r", client.RoomOptions{}))(t)
	got(c.AddPeer(m.ctx, "r", "alice", client.PeerOptions{}))(t)
	got(c.AddPeer(m.ctx, "r", "bob", client.PeerOptions{}))(t)
	m.send = got(c.CreateTransport(m.ctx, "r", "alice", client.Send, client.TransportOptions{}))(t)
	m.receive = got(c.CreateTransport(m.ctx, "r", "bob", client.Receive, client.TransportOptions{}))(t)
	m.capabilities = got(c.RouterRTPCapabilities(m.ctx, "r"))(t)
	return m
}

func (m *meeting) produce(kind client.MediaKind, parameters string) client.ProducerInfo {
	m.t.Helper()
	return got(m.CreateProducer(m.ctx, "r", "alice", m.send.ID, client.ProducerOptions{
		Kind: kind, RTPParameters: json.RawMessage(parameters), Source: "mic",
	}))(m.t)
}

func (m *meeting) consume(producerID string) client.ConsumerInfo {
	m.t.Helper()
	return got(m.CreateConsumer(m.ctx, "r", "bob", m.receive.ID, client.ConsumerOptions{
		ProducerID: producerID, RTPCapabilities: m.capabilities,
	}))(m.t)
}

func TestRooms(t *testing.T) {
	c, ctx := newServer(t, serverSettings{}).dial(t), within(t)
	created := got(c.CreateRoom(ctx, "b", client.RoomOptions{MaxPeers: 7}))(t)
	if want := (client.RoomInfo{ID: "b", MaxPeers: 7, Peers: map[string]client.PeerInfo{}}); !cmp.Equal(created, want) {
		t.Errorf("created:\n%s", cmp.Diff(want, created))
	}
	got(c.CreateRoom(ctx, "a", client.RoomOptions{Codecs: []client.Codec{{
		Kind: client.Audio, MimeType: "audio/opus", ClockRate: 48000, Channels: 2, Parameters: map[string]any{"useinbandfec": 1},
		PreferredPayloadType: new(uint8(100)), RTCPFeedback: []client.RTCPFeedback{{Type: "transport-cc"}},
	}}}))(t)

	if found := got(c.Room(ctx, "b"))(t); !cmp.Equal(found, created) {
		t.Errorf("found:\n%s", cmp.Diff(created, found))
	}
	rooms := got(c.Rooms(ctx))(t)
	if len(rooms) != 2 || rooms[0].ID != "a" || rooms[1].ID != "b" {
		t.Errorf("rooms: %+v, want a and b", rooms)
	}
	var capabilities struct{ Codecs []client.Codec }
	must(t, json.Unmarshal(got(c.RouterRTPCapabilities(ctx, "a"))(t), &capabilities))
	if len(capabilities.Codecs) != 1 || *capabilities.Codecs[0].PreferredPayloadType != 100 || capabilities.Codecs[0].Parameters["useinbandfec"] != 1.0 {
		t.Errorf("codecs of a: %+v, want Opus as it was asked for", capabilities.Codecs)
	}
	must(t, c.CloseRoom(ctx, "b"))
	if _, err := c.Room(ctx, "b"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a closed room: %v, want ErrNotFound", err)
	}
}

func TestPeers(t *testing.T) {
	c, ctx := newServer(t, serverSettings{}).dial(t), within(t)
	got(c.CreateRoom(ctx, "r", client.RoomOptions{}))(t)
	added := got(c.AddPeer(ctx, "r", "alice", client.PeerOptions{
		DisplayName: "Alice", Host: true, AppData: map[string]int{"seat": 4},
	}))(t)
	if added.ID != "alice" || added.DisplayName != "Alice" || !added.Host || string(added.AppData) != `{"seat":4}` {
		t.Errorf("added: %+v", added)
	}
	if found := got(c.Peer(ctx, "r", "alice"))(t); !cmp.Equal(found, added) {
		t.Errorf("found:\n%s", cmp.Diff(added, found))
	}
	if inRoom := got(c.Room(ctx, "r"))(t).Peers["alice"]; !cmp.Equal(inRoom, added) {
		t.Errorf("in the room:\n%s", cmp.Diff(added, inRoom))
	}
	must(t, c.RemovePeer(ctx, "r", "alice", "spam"))
	if e := await[client.PeerClosed](t, c, nil); e.Reason != "spam" {
		t.Errorf("removed because of %q, want spam", e.Reason)
	}
	if _, err := c.Peer(ctx, "r", "alice"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a removed peer: %v, want ErrNotFound", err)
	}
}

func TestTransports(t *testing.T) {
	m := meet(t, newServer(t, serverSettings{}).dial(t))
	c, ctx, id := m.Client, m.ctx, m.send.ID
	if m.send.Direction != client.Send || m.receive.Direction != client.Receive {
		t.Errorf("directions %q and %q", m.send.Direction, m.receive.Direction)
	}
	text := got(json.Marshal(m.send))(t)
	var forBrowser map[string]json.RawMessage
	must(t, json.Unmarshal(text, &forBrowser))
	for _, name := range []string{"id", "iceParameters", "iceCandidates", "dtlsParameters", "sctpParameters"} {
		if len(forBrowser[name]) == 0 {
			t.Errorf("a browser gets no %s: %s", name, text)
		}
	}
	restarted := got(c.RestartICE(ctx, "r", "alice", id))(t)
	if now := got(c.Transport(ctx, "r", "alice", id))(t); bytes.Equal(restarted, m.send.ICEParameters) || !sameJSON(t, restarted, now.ICEParameters) {
		t.Errorf("ICE parameters before %s, from the restart %s, then %s", m.send.ICEParameters, restarted, now.ICEParameters)
	}
	must(t, c.SetMaxIncomingBitrate(ctx, "r", "alice", id, 640_000))
	must(t, c.SetMaxOutgoingBitrate(ctx, "r", "alice", id, 2_000_000))
	must(t, c.SetMinOutgoingBitrate(ctx, "r", "alice", id, 100_000))
	must(t, c.ConnectTransport(ctx, "r", "alice", id, json.RawMessage(fingerprint)))
	err := c.ConnectTransport(ctx, "r", "alice", id, json.RawMessage(fingerprint))
	wantCode(t, err, client.InvalidState)
	stats := got(c.TransportStats(ctx, "r", "alice", id))(t)
	if len(stats) != 1 || stats[0].TransportID != id || stats[0].MaxIncomingBitrate != 640_000 {
		t.Errorf("figures %+v", stats)
	}
	must(t, c.CloseTransport(ctx, "r", "alice", id))
	if _, err := c.Transport(ctx, "r", "alice", id); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a closed transport: %v, want ErrNotFound", err)
	}
	limited := got(c.CreateTransport(ctx, "r", "alice", client.Send, client.TransportOptions{
		MaxIncomingBitrate: 320_000, AppData: "camera",
	}))(t)
	stats = got(c.TransportStats(ctx, "r", "alice", limited.ID))(t)
	if stats[0].MaxIncomingBitrate != 320_000 || string(limited.AppData) != `"camera"` {
		t.Errorf("options have no effect: %+v, %+v", stats, limited)
	}
}

func TestProducers(t *testing.T) {
	m := meet(t, newServer(t, serverSettings{}).dial(t))
	c, ctx := m.Client, m.ctx
	made := got(c.CreateProducer(ctx, "r", "alice", m.send.ID, client.ProducerOptions{
		Kind: client.Audio, RTPParameters: json.RawMessage(opus), Paused: true, Source: "mic", AppData: []int{1},
	}))(t)
	if made.Kind != client.Audio || !made.Paused || made.Source != "mic" || made.Type != "simple" || string(made.AppData) != "[1]" {
		t.Errorf("made: %+v", made)
	}
	paused := func(want bool) {
		t.Helper()
		if p := got(c.Producer(ctx, "r", "alice", made.ID))(t); p.Paused != want {
			t.Errorf("paused: %v, want %v", p.Paused, want)
		}
	}
	must(t, c.ResumeProducer(ctx, "r", "alice", made.ID))
	paused(false)
	must(t, c.MuteProducer(ctx, "r", "alice", made.ID))
	paused(true)
	must(t, c.ResumeProducer(ctx, "r", "alice", made.ID))
	must(t, c.PauseProducer(ctx, "r", "alice", made.ID))
	paused(true)
	if stats := got(c.ProducerStats(ctx, "r", "alice", made.ID))(t); stats == nil || len(stats) != 0 {
		t.Errorf("figures of a producer that has sent nothing: %+v, want none", stats)
	}
	must(t, c.CloseProducer(ctx, "r", "alice", made.ID))
	if _, err := c.Producer(ctx, "r", "alice", made.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a closed producer: %v, want ErrNotFound", err)
	}
}

func TestConsumers(t *testing.T) {
	m := meet(t, newServer(t, serverSettings{}).dial(t))
	c, ctx := m.Client, m.ctx
	producer := m.produce(client.Video, vp8)
	made := got(c.CreateConsumer(ctx, "r", "bob", m.receive.ID, client.ConsumerOptions{
		ProducerID: producer.ID, RTPCapabilities: m.capabilities, Paused: true, AppData: true,
	}))(t)
	if made.ProducerID != producer.ID || made.Kind != client.Video || !made.Paused || made.ProducerPaused || string(made.AppData) != "true" {
		t.Errorf("made: %+v", made)
	}
	paused := func(want bool) {
		t.Helper()
		if p := got(c.Consumer(ctx, "r", "bob", made.ID))(t); p.Paused != want {
			t.Errorf("paused: %v, want %v", p.Paused, want)
		}
	}
	must(t, c.ResumeConsumer(ctx, "r", "bob", made.ID))
	paused(false)
	must(t, c.PauseConsumer(ctx, "r", "bob", made.ID))
	paused(true)
	must(t, c.RequestKeyFrame(ctx, "r", "bob", made.ID))
	stats := got(c.ConsumerStats(ctx, "r", "bob", made.ID))(t)
	if len(stats) == 0 || stats[0].Type != "outbound-rtp" || stats[0].MimeType != "video/VP8" {
		t.Errorf("figures %+v", stats)
	}
	must(t, c.CloseConsumer(ctx, "r", "bob", made.ID))
	if _, err := c.Consumer(ctx, "r", "bob", made.ID); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a closed consumer: %v, want ErrNotFound", err)
	}
}

func TestTokensAndInvitations(t *testing.T) {
	c, ctx := newServer(t, serverSettings{}).dial(t), within(t)
	token := got(c.CreateToken(ctx, "r", "alice@example.com", client.TokenOptions{
		CallType: client.AudioCall, Kind: client.FriendCall, DisplayName: "Alice", Host: true, Lifetime: time.Hour,
	}))(t)
	if left := time.Until(token.ExpiresAt); token.Token == "" || left < 59*time.Minute || left > time.Hour {
		t.Errorf("token %+v, want one for an hour", token)
	}
	if left := time.Until(got(c.CreateToken(ctx, "r", "bob@example.com", client.TokenOptions{}))(t).ExpiresAt); left > 3*time.Minute {
		t.Errorf("a token without a lifetime is good for %v, want the server's default", left)
	}
	must(t, c.RevokeToken(ctx, token.Token))
	wantCode(t, c.RevokeToken(ctx, token.Token), client.TokenNotFound)

	invitation := got(c.CreateInvitation(ctx, client.InvitationOptions{RoomID: "r", Lifetime: 1500 * time.Millisecond}))(t)
	if invitation.RoomID != "r" || !strings.HasSuffix(invitation.URL, "/c/"+invitation.Invitation) || time.Until(invitation.ExpiresAt) < time.Second {
		t.Errorf("invitation %+v", invitation)
	}
	if fresh := got(c.CreateInvitation(ctx, client.InvitationOptions{}))(t); fresh.RoomID == "" || fresh.RoomID == "r" {
		t.Errorf("an invitation to no room leads to %q, want a fresh one", fresh.RoomID)
	}
	must(t, c.RevokeInvitation(ctx, invitation.Invitation))
	wantCode(t, c.RevokeInvitation(ctx, invitation.Invitation), client.InvitationNotFound)
}

func TestServerInfo(t *testing.T) {
	c, ctx := newServer(t, serverSettings{maxPeers: 12}).dial(t), within(t)
	got(c.CreateRoom(ctx, "r", client.RoomOptions{}))(t)
	info := got(c.ServerInfo(ctx))(t)
	if info.Version != "1.2.3" || info.Rooms != 1 || info.Draining || info.Limits.PeersPerRoom != 12 || info.Limits.MessageBytes != 1<<20 {
		t.Errorf("server: %+v", info)
	}
}

func TestSubscription(t *testing.T) {
	s := newServer(t, serverSettings{})
	watcher, worker, ctx := s.dial(t), s.dial(t), within(t)
	create := func(id string) { got(worker.CreateRoom(ctx, id, client.RoomOptions{}))(t) }
	next := func() string { return await[client.RoomCreated](t, watcher, nil).RoomID }

	create("a")
	if id := next(); id != "a" {
		t.Errorf("without a choice %q comes, want a", id)
	}
	must(t, watcher.Subscribe(ctx, "c"))
	create("b")
	create("c")
	if id := next(); id != "c" {
		t.Errorf("after c was chosen %q comes", id)
	}
	must(t, watcher.Subscribe(ctx))
	create("d")
	must(t, watcher.SubscribeAll(ctx))
	create("e")
	if id := next(); id != "e" {
		t.Errorf("after none and then all were chosen %q comes, want e", id)
	}
}

func TestOnlyTheRoomsOfTheOptionsAreTold(t *testing.T) {
	s := newServer(t, serverSettings{})
	watcher, worker := s.dial(t, func(o *client.Options) { o.Rooms = []string{"b"} }), s.dial(t)
	for _, id := range []string{"a", "b"} {
		got(worker.CreateRoom(within(t), id, client.RoomOptions{}))(t)
	}
	if e := await[client.RoomCreated](t, watcher, nil); e.RoomID != "b" {
		t.Errorf("room %q is told, want b only", e.RoomID)
	}
}

// The reasons that every backend meets; the door's own tests have them all.
func TestRefusalsHaveCodes(t *testing.T) {
	s := newServer(t, serverSettings{maxPeers: 2, roomPrefix: "r"})
	m := meet(t, s.dial(t))
	c, ctx := m.Client, m.ctx
	audio := m.produce(client.Audio, opus)
	_, exists := c.CreateRoom(ctx, "r", client.RoomOptions{})
	wantCode(t, exists, client.RoomExists)
	if want := "takos-call: createRoom: "; !strings.HasPrefix(exists.Error(), want) || !strings.HasSuffix(exists.Error(), " (ROOM_EXISTS)") {
		t.Errorf("the error reads %q, want %q, the reason and the code", exists, want)
	}
	_, full := c.AddPeer(ctx, "r", "carol", client.PeerOptions{})
	wantCode(t, full, client.RoomFull)
	_, scope := c.CreateRoom(ctx, "other", client.RoomOptions{})
	wantCode(t, scope, client.Forbidden)
	missing := c.CloseProducer(ctx, "r", "alice", "nothing")
	wantCode(t, missing, client.ProducerNotFound)
	if !errors.Is(missing, client.ErrNotFound) || errors.Is(full, client.ErrNotFound) {
		t.Errorf("ErrNotFound is %v for a producer and %v for a full room", missing, full)
	}
	_, direction := c.CreateProducer(ctx, "r", "bob", m.receive.ID, client.ProducerOptions{Kind: client.Audio, RTPParameters: json.RawMessage(opus)})
	wantCode(t, direction, client.WrongDirection)
	_, unable := c.CreateConsumer(ctx, "r", "bob", m.receive.ID, client.ConsumerOptions{
		ProducerID: audio.ID, RTPCapabilities: json.RawMessage(`{"codecs":[],"headerExtensions":[]}`),
	})
	wantCode(t, unable, client.ConsumerError)
	_, forgotten := c.CreateProducer(ctx, "r", "alice", m.send.ID, client.ProducerOptions{Kind: client.Audio})
	wantCode(t, forgotten, client.MissingField)
	wantCode(t, c.Call(ctx, "makeCoffee", nil, nil), client.UnknownCommand)
}

func TestCommandsThatAreTooBigHarmNobody(t *testing.T) {
	s := newServer(t, serverSettings{})
	c, ctx := s.dial(t), within(t)
	_, err := c.AddPeer(ctx, "r", "alice", client.PeerOptions{AppData: strings.Repeat("x", 1<<20)})
	wantCode(t, err, client.MessageTooBig)
	got(c.ServerInfo(ctx))(t)
	if n := s.door.Stats().Connections; n != 1 {
		t.Errorf("%d connections were made, want that the first is good still", n)
	}
}

func TestWhatCannotBeEncodedIsNotSent(t *testing.T) {
	c := newServer(t, serverSettings{}).dial(t)
	_, err := c.AddPeer(within(t), "r", "alice", client.PeerOptions{AppData: func() {}})
	if err == nil || !strings.Contains(err.Error(), "addPeer") || !c.Connected() {
		t.Errorf("error %v, connected %v", err, c.Connected())
	}
}

func TestEvents(t *testing.T) {
	s := newServer(t, serverSettings{})
	watcher := s.dial(t)
	m := meet(t, s.dial(t))
	c, ctx := m.Client, m.ctx
	audio := m.produce(client.Audio, opus)
	video := m.produce(client.Video, vp8)
	hears, sees := m.consume(audio.ID), m.consume(video.ID)
	must(t, c.MuteProducer(ctx, "r", "alice", audio.ID))
	must(t, c.ResumeProducer(ctx, "r", "alice", audio.ID))
	must(t, c.CloseConsumer(ctx, "r", "bob", hears.ID))
	must(t, c.CloseProducer(ctx, "r", "alice", video.ID))
	must(t, c.RemovePeer(ctx, "r", "bob", "enough"))
	must(t, c.CloseRoom(ctx, "r"))

	peer := func(id string) client.PeerInfo {
		return client.PeerInfo{
			ID: id, Transports: map[string]client.TransportInfo{},
			Producers: map[string]client.ProducerInfo{}, Consumers: map[string]client.ConsumerInfo{},
		}
	}
	limits := got(c.ServerInfo(ctx))(t).Limits
	want := []client.Event{
		client.Connected{},
		client.RoomCreated{"r", client.RoomInfo{ID: "r", Peers: map[string]client.PeerInfo{}, MaxPeers: limits.PeersPerRoom}},
		client.PeerAdded{"r", "alice", peer("alice")},
		client.PeerAdded{"r", "bob", peer("bob")},
		client.TransportCreated{"r", "alice", m.send.ID, client.Send, m.send},
		client.TransportCreated{"r", "bob", m.receive.ID, client.Receive, m.receive},
		client.ProducerCreated{"r", "alice", audio.ID, m.send.ID, client.Audio, audio},
		client.ProducerCreated{"r", "alice", video.ID, m.send.ID, client.Video, video},
		client.ConsumerCreated{"r", "bob", hears.ID, audio.ID, m.receive.ID, hears},
		client.ConsumerCreated{"r", "bob", sees.ID, video.ID, m.receive.ID, sees},
		client.ProducerMuted{"r", "alice", audio.ID, ""},
		client.ProducerPaused{"r", "alice", audio.ID},
		client.ProducerResumed{"r", "alice", audio.ID},
		client.ConsumerClosed{"r", "bob", hears.ID, audio.ID, m.receive.ID, "", "requested"},
		client.ConsumerClosed{"r", "bob", sees.ID, video.ID, m.receive.ID, "", "producerClosed"},
		client.ProducerClosed{"r", "alice", video.ID, m.send.ID, "", "requested"},
		client.TransportClosed{"r", "bob", m.receive.ID, "", "peerClosed"},
		client.PeerClosed{"r", "bob", "", "enough"},
		client.RoomClosed{"r", "requested"},
	}
	var told []client.Event
	for e := range watcher.Events(ctx) {
		told = append(told, e)
		if _, last := e.(client.RoomClosed); last {
			break
		}
	}
	if !cmp.Equal(told, want) {
		t.Errorf("told:\n%s", cmp.Diff(want, told))
	}
}

func TestTransportStateIsTold(t *testing.T) {
	m := meet(t, newServer(t, serverSettings{}).dial(t))
	check := newConnectivityCheck(t, m.send)
	e := await(t, m.Client, func(e client.TransportStateChanged) bool { check(); return e.ICEState != "new" })
	if e.RoomID != "r" || e.PeerID != "alice" || e.TransportID != m.send.ID || e.DTLSState != "new" {
		t.Errorf("told %+v", e)
	}
	stats := got(m.TransportStats(m.ctx, "r", "alice", m.send.ID))(t)
	if tuple := stats[0].ICESelectedTuple; tuple == nil || tuple.RemoteIP != "127.0.0.1" || tuple.Protocol != "udp" {
		t.Errorf("path %+v", tuple)
	}
}

// newConnectivityCheck sends a browser's first packet (RFC 8445 §7.2.4).
func newConnectivityCheck(t *testing.T, to client.TransportInfo) (send func()) {
	t.Helper()
	var ice struct{ UsernameFragment, Password string }
	var candidates []struct {
		Address string
		Port    int
	}
	must(t, json.Unmarshal(to.ICEParameters, &ice))
	must(t, json.Unmarshal(to.ICECandidates, &candidates))
	socket, err := net.Dial("udp", net.JoinHostPort(candidates[0].Address, strconv.Itoa(candidates[0].Port)))
	must(t, err)
	t.Cleanup(func() { socket.Close() })
	m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(ice.UsernameFragment+":browser"),
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}},
		stun.NewShortTermIntegrity(ice.Password), stun.Fingerprint)
	must(t, err)
	send = func() { _, _ = socket.Write(m.Raw) }
	send()
	return send
}

func TestServerStoppingIsTold(t *testing.T) {
	s := newServer(t, serverSettings{})
	c := s.dial(t)
	s.door.Drain(time.Now().Add(time.Minute))
	if e := await[client.ServerStopping](t, c, nil); e.Remaining < 50*time.Second || e.Remaining > time.Minute {
		t.Errorf("the server ends in %v, want about a minute", e.Remaining)
	}
}

func wantCode(t *testing.T, err error, want client.Code) {
	t.Helper()
	var refusal *client.Error
	if !errors.As(err, &refusal) || refusal.Code != want {
		t.Errorf("error %v, want the code %s", err, want)
	}
}

func sameJSON(t *testing.T, a, b json.RawMessage) bool {
	t.Helper()
	var x, y any
	must(t, json.Unmarshal(a, &x))
	must(t, json.Unmarshal(b, &y))
	return cmp.Equal(x, y)
}

// What the server sends and the structs do not have would be lost without a word.
func TestTheStructsHaveEveryField(t *testing.T) {
	m := meet(t, newServer(t, serverSettings{}).dial(t))
	producer := m.produce(client.Video, vp8)
	consumer := m.consume(producer.ID)
	ids := func(peer, name, id string) map[string]string {
		return map[string]string{"roomId": "r", "peerId": peer, name: id}
	}
	for command, test := range map[string]struct {
		data   any
		target any
	}{
		"getRoomInfo":       {map[string]string{"roomId": "r"}, new(client.RoomInfo)},
		"getTransportStats": {ids("alice", "transportId", m.send.ID), &struct{ Stats []client.TransportStats }{}},
		"getConsumerStats":  {ids("bob", "consumerId", consumer.ID), &struct{ Stats []client.StreamStats }{}},
		"getServerInfo":     {nil, new(client.ServerInfo)},
		"createToken":       {map[string]string{"roomId": "r", "userId": "a@b"}, new(client.Token)},
		"createInvitation":  {nil, new(client.Invitation)},
	} {
		var answer json.RawMessage
		must(t, m.Call(m.ctx, command, test.data, &answer))
		strict := json.NewDecoder(bytes.NewReader(answer))
		strict.DisallowUnknownFields()
		if err := strict.Decode(test.target); err != nil {
			t.Errorf("%s: %v in %s", command, err, answer)
		}
	}
}
