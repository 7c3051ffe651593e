package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/config"
)

// roomsCommand looks at the rooms of a running server and acts on them.
type roomsCommand struct {
	List  listRoomsCommand `cmd:"" default:"withargs" help:"List rooms and who is in them."`
	Close closeRoomCommand `cmd:"" help:"Close a room and every call in it."`
	Kick  kickCommand      `cmd:"" help:"Remove somebody from a room."`
	Mute  muteCommand      `cmd:"" help:"Mute somebody, who may unmute again."`
}

// listRoomsCommand lists the rooms.
type listRoomsCommand struct {
	remote `embed:""`

	JSON bool `name:"json" help:"Write all that there is to know as JSON."`
}

// Run writes a table with a line for each peer, or JSON.
func (l *listRoomsCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	return l.do(ctx, sources, func(ctx context.Context, server *client.Client) error {
		rooms, err := server.Rooms(ctx)
		switch {
		case err != nil:
			return err
		case l.JSON:
			return writeJSON(c.out, rooms)
		case len(rooms) == 0:
			_, err := fmt.Fprintln(c.out, "no rooms")
			return err
		}
		return writeRooms(c.out, rooms)
	})
}

func writeRooms(w io.Writer, rooms []client.RoomInfo) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROOM\tPEERS\tPEER\tNAME\tSENDS\tRECEIVES")
	for _, room := range rooms {
		title := fmt.Sprintf("%s\t%d of %d", printable(room.ID), len(room.Peers), room.MaxPeers)
		for _, id := range slices.Sorted(maps.Keys(room.Peers)) {
			peer := room.Peers[id]
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\n", title, printable(id), printable(peer.DisplayName), sends(peer), len(peer.Consumers))
			title = "\t"
		}
		if len(room.Peers) == 0 {
			fmt.Fprintf(table, "%s\t\t\t\t\n", title)
		}
	}
	return table.Flush()
}

// sends says what a peer sends: "mic, camera (paused)".
func sends(p client.PeerInfo) string {
	var list []string
	for _, producer := range p.Producers {
		what := producer.Source
		if what == "" {
			what = string(producer.Kind)
		}
		if producer.Paused {
			what += " (paused)"
		}
		list = append(list, printable(what))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// printable keeps what others have chosen from writing on the terminal what it
// likes.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}

// closeRoomCommand closes a room.
type closeRoomCommand struct {
	remote `embed:""`

	Room string `arg:"" help:"Id of the room."`
}

// Run closes the room.
func (r *closeRoomCommand) Run(ctx context.Context, sources *config.Sources) error {
	return r.do(ctx, sources, func(ctx context.Context, server *client.Client) error {
		return server.CloseRoom(ctx, r.Room)
	})
}

// kickCommand removes a peer.
type kickCommand struct {
	remote `embed:""`

	Room   string `arg:"" help:"Id of the room."`
	Peer   string `arg:"" help:"Id of the peer."`
	Reason string `name:"reason" placeholder:"TEXT" help:"What the peer is told."`
}

// Run removes the peer.
func (k *kickCommand) Run(ctx context.Context, sources *config.Sources) error {
	return k.do(ctx, sources, func(ctx context.Context, server *client.Client) error {
		return server.RemovePeer(ctx, k.Room, k.Peer, k.Reason)
	})
}

// muteCommand mutes a peer.
type muteCommand struct {
	remote `embed:""`

	Room string `arg:"" help:"Id of the room."`
	Peer string `arg:"" help:"Id of the peer."`
	Kind string `name:"kind" enum:"audio,video,all" default:"audio" help:"What to mute: audio, video or all."`
}

// Run mutes what the peer sends of the kind.
func (m *muteCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	return m.do(ctx, sources, func(ctx context.Context, server *client.Client) error {
		peer, err := server.Peer(ctx, m.Room, m.Peer)
		if err != nil {
			return fmt.Errorf("look for %s in %s: %w", m.Peer, m.Room, err)
		}
		muted := 0
		for id, producer := range peer.Producers {
			if producer.Paused || m.Kind != "all" && string(producer.Kind) != m.Kind {
				continue
			}
			if err := server.MuteProducer(ctx, m.Room, m.Peer, id); err != nil {
				return err
			}
			muted++
		}
		if muted == 0 {
			_, err := fmt.Fprintln(c.out, "nothing to mute")
			return err
		}
		return nil
	})
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
