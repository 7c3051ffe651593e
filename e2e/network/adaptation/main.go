// Command adaptation is one sender of three encodings with three temporal
// layers each, made beforehand so that no encoder has a say, and receivers
// behind lines of all kinds, all in one room of a running server: who gets
// what, how soon that changes with the line, and how long the picture stands
// still. It prints a table.
//
//	go run ./e2e/network/adaptation --url ws://127.0.0.1:3000/takos-api --api-key KEY
//
// The receivers are the light clients of internal/loadtest. They decode
// nothing, but know of each frame whether it could be decoded.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/loadtest"
)

// encodings are what is sent, the least first.
func encodings(kbps []int, framesPerSecond int) []loadtest.Video {
	var list []loadtest.Video
	for i, k := range kbps {
		list = append(list, loadtest.Video{Bitrate: 1000 * k, FrameRate: framesPerSecond, Width: 320 << i, Height: 180 << i, Temporal: true})
	}
	return list
}

func main() {
	kbps := []int{100, 350, 1200}
	flag.Func("kbps", "bitrates of the encodings, the least first (default 100,350,1200)", func(text string) (err error) {
		kbps, err = numbers(text)
		return err
	})
	framesPerSecond := flag.Int("fps", 30, "frames a second")
	url := flag.String("url", "ws://127.0.0.1:3000/takos-api", "the server's /takos-api")
	key := flag.String("api-key", os.Getenv("API_KEY"), "its API key")
	trace := flag.Bool("trace", false, "tell of every second of each receiver, on standard error")
	only := flag.String("only", "", "scenarios whose names contain this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *url, *key, encodings(kbps, *framesPerSecond), *only, *trace); err != nil {
		log.Fatal(err)
	}
}

// numbers are those between commas.
func numbers(text string) (list []int, err error) {
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// call is the room, the sender and what receivers need.
type call struct {
	room   *loadtest.APIRoom
	pool   *loadtest.Pool
	sender *loadtest.Sender
	sent   []loadtest.Video // by sender, the least first
	trace  bool
}

func run(ctx context.Context, url, key string, sent []loadtest.Video, only string, trace bool) (err error) {
	api, err := client.Dial(ctx, url, client.Options{APIKey: key})
	if err != nil {
		return err
	}
	defer api.Close()
	room, err := loadtest.OpenRoom(ctx, api, "adaptation-"+rand.Text(), loadtest.Apart)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, room.Close(context.WithoutCancel(ctx))) }()
	pool, err := loadtest.NewPool(loadtest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	c := &call{room: room, pool: pool, sent: sent, trace: trace}
	signalling, err := room.Sender(ctx, 0)
	if err != nil {
		return err
	}
	if c.sender, err = pool.Sender(ctx, signalling, loadtest.SenderOptions{Simulcast: sent}); err != nil {
		return err
	}
	rows, err := c.all(ctx, only)
	if err != nil {
		return err
	}
	printTable(rows)
	return nil
}

// all runs the scenarios, at once: each has a receiver and a line of its own.
func (c *call) all(ctx context.Context, only string) ([][]string, error) {
	var wanted []scenario
	for _, s := range scenarios {
		if strings.Contains(s.name, only) {
			wanted = append(wanted, s)
		}
	}
	results, errs := make([][][]string, len(wanted)), make([]error, len(wanted))
	var running sync.WaitGroup
	for i, s := range wanted {
		running.Go(func() {
			if results[i], errs[i] = c.one(ctx, i, s); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", s.name, errs[i])
			}
		})
	}
	running.Wait()
	var rows [][]string
	for _, r := range results {
		rows = append(rows, r...)
	}
	return rows, errors.Join(errs...)
}

func (c *call) one(ctx context.Context, i int, s scenario) (rows [][]string, err error) {
	v, err := c.view(ctx, i)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.close()) }()
	v.trace = c.trace
	for _, step := range s.steps {
		f, err := v.during(ctx, step)
		if err != nil {
			return nil, err
		}
		rows = append(rows, f.row(s.name+": "+step.what))
	}
	return rows, nil
}

func printTable(rows [][]string) {
	fmt.Printf("\n| %s |\n| --- |%s\n", strings.Join(columns, " | "), strings.Repeat(" ---: |", len(columns)-1))
	for _, r := range rows {
		fmt.Printf("| %s |\n", strings.Join(r, " | "))
	}
}
