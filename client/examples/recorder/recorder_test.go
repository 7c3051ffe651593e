package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/room/roomtest"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/store"
	"github.com/takoserver/takos-call/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silence = slog.New(slog.DiscardHandler)

func TestWhatIsSaidInARoomIsRecorded(t *testing.T) {
	rooms, c := newServer(t)
	r, err := rooms.Create("standup", room.RoomOptions{})
	must(t, err)
	early, err := roomtest.Join(r, "alice")
	must(t, err)
	t.Cleanup(func() { must(t, early.Close()) })
	early.Producer.Resume()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	file, end := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- record(ctx, c, "standup", end)
		end.Close()
	}()
	head := make([]byte, len("#!rtpplay1.0 0.0.0.0/0\n")+16)
	_, err = io.ReadFull(file, head)
	must(t, err)
	if !bytes.HasPrefix(head, []byte("#!rtpplay1.0 ")) {
		t.Errorf("the file begins with %q", head)
	}

	streams := map[uint32]int{}
	readUntil(t, file, streams, 1)
	late, err := roomtest.Join(r, "bob")
	must(t, err)
	t.Cleanup(func() { must(t, late.Close()) })
	late.Producer.Resume()
	readUntil(t, file, streams, 2)

	go io.Copy(io.Discard, file)
	r.Close("")
	must(t, <-done)
}

// readUntil reads packets until there are several of each of so many streams.
func readUntil(t *testing.T, file io.Reader, packets map[uint32]int, streams int) {
	t.Helper()
	for heard := 0; heard < streams; {
		head := make([]byte, 8)
		_, err := io.ReadFull(file, head)
		must(t, err)
		length, size := binary.BigEndian.Uint16(head), binary.BigEndian.Uint16(head[2:])
		if length != size+8 {
			t.Fatalf("a record of %d bytes has a packet of %d", length, size)
		}
		packet := make([]byte, size)
		_, err = io.ReadFull(file, packet)
		must(t, err)
		if packet[0]>>6 != 2 {
			t.Fatalf("no RTP: %x", packet)
		}
		packets[binary.BigEndian.Uint32(packet[8:])]++
		heard = 0
		for _, n := range packets {
			if n >= 5 {
				heard++
			}
		}
	}
}

func newServer(t *testing.T) (*room.Registry, *client.Client) {
	t.Helper()
	media, err := sfu.New(sfu.Options{
		ListenIPs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Announced: []string{"127.0.0.1"}, Readers: 1,
	})
	must(t, err)
	t.Cleanup(media.Close)
	records, err := store.Open("", store.Options{Logger: silence})
	must(t, err)
	t.Cleanup(func() { records.Close() })
	tokens, err := auth.NewTokens(records, auth.TokenOptions{})
	must(t, err)
	invitations, err := auth.NewInvitations(records, auth.InvitationOptions{})
	must(t, err)
	rooms := room.NewRegistry(room.Options{SFU: media, Logger: silence})
	t.Cleanup(rooms.Close)
	door := takosapi.New(takosapi.Options{
		Rooms: rooms, Workers: worker.NewRegistry(media, worker.Limits{}), Tokens: tokens, Invitations: invitations, Logger: silence, Open: true,
	})
	t.Cleanup(door.Close)
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	c, err := client.Dial(t.Context(), server.URL, client.Options{Logger: silence, Rooms: []string{}})
	must(t, err)
	t.Cleanup(c.Close)
	return rooms, c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
