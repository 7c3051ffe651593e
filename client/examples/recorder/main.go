// Command recorder writes what is said and shown in a room to a file: the RTP
// packets of all its producers, in the format of rtpdump, which Wireshark reads.
//
//	go run ./client/examples/recorder -server http://localhost:3000 -key KEY -room standup -file standup.rtpdump
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"

	"github.com/takoserver/takos-call/client"
)

func main() {
	server := flag.String("server", "http://localhost:3000", "the server's URL")
	key := flag.String("key", os.Getenv("API_KEY"), "an API key of the server")
	room := flag.String("room", "", "the room's id")
	name := flag.String("file", "recording.rtpdump", "where to write to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *server, *key, *room, *name); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, server, key, room, name string) error {
	c, err := client.Dial(ctx, server, client.Options{APIKey: key, Rooms: []string{}})
	if err != nil {
		return err
	}
	defer c.Close()
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return record(ctx, c, room, file)
}
