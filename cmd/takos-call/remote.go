package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/config"
)

// remoteTimeout bounds a command to a running server.
const remoteTimeout = 15 * time.Second

// remote is what the commands to a running server have in common.
type remote struct {
	URL string `name:"url" placeholder:"URL" help:"Where the server is. Default: on this machine, as the environment, .env and the settings file say."`
	Key string `name:"key" placeholder:"KEY" help:"API key. Default: the first one of API_KEY in the same places."`
}

// do connects to the server and calls f.
func (r remote) do(ctx context.Context, sources *config.Sources, f func(context.Context, *client.Client) error) error {
	t, err := r.target(sources)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(ctx, c)
}

// target is a server and how to reach it.
type target struct {
	url     string
	options client.Options
}

// target returns the server that the flags name, or else the settings.
func (r remote) target(sources *config.Sources) (target, error) {
	settings, err := sources.Load()
	if err != nil {
		return target{}, settingsError{err}
	}
	t := target{r.URL, client.Options{
		APIKey: r.Key,
		Rooms:  []string{}, // events are of no interest
		Logger: slog.New(slog.DiscardHandler),
	}}
	if r.Key == "" && len(settings.APIKeys) > 0 {
		t.options.APIKey = string(settings.APIKeys[0])
	}
	if t.url == "" {
		t.url = settings.LocalURL()
		t.options.HTTPClient = ownMachine()
	}
	return t, nil
}

func (t target) dial(ctx context.Context) (*client.Client, error) {
	c, err := client.Dial(ctx, t.url, t.options)
	var refusal *client.Error
	switch {
	case errors.As(err, &refusal):
		return nil, fmt.Errorf("the server at %s does not let us in: %w", t.url, refusal)
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("no server listens at %s: start one with takos-call serve, or name another with --url", t.url)
	case err != nil:
		return nil, fmt.Errorf("reach the server at %s: %w", t.url, err)
	}
	return c, nil
}

// ownMachine returns an HTTP client for the server on this machine, which is
// asked by an address that its certificate need not be for.
func ownMachine() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.Proxy = nil
	return &http.Client{Transport: transport}
}

// tokenCommand makes a call token.
type tokenCommand struct {
	remote `embed:""`

	Room     string        `name:"room" required:"" placeholder:"ROOM" help:"Room of the call; it is made when the first one comes."`
	User     string        `name:"user" required:"" placeholder:"NAME@DOMAIN" help:"Who enters with the token."`
	Name     string        `name:"name" placeholder:"NAME" help:"What the others see."`
	CallType string        `name:"call-type" enum:"audio,video" default:"video" help:"What the call carries: audio or video."`
	Kind     string        `name:"kind" enum:"group,friend" default:"group" help:"A friend call ends with the first who hangs up, a group call with the last."`
	Expires  time.Duration `name:"expires" placeholder:"DURATION" help:"How long the token may wait for its first use. Default: as the server's settings say."`
	Host     bool          `name:"host" help:"Let the user remove and mute others."`
	JSON     bool          `name:"json" help:"Write token and time as JSON."`
}

// Run prints the token, and nothing else to standard output.
func (t *tokenCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	return t.do(ctx, sources, func(ctx context.Context, server *client.Client) error {
		token, err := server.CreateToken(ctx, t.Room, t.User, client.TokenOptions{
			CallType: client.CallType(t.CallType), Kind: client.CallKind(t.Kind),
			DisplayName: t.Name, Host: t.Host, Lifetime: t.Expires,
		})
		if err != nil {
			return err
		}
		if t.JSON {
			return writeJSON(c.out, token)
		}
		fmt.Fprintf(c.err, "good until %s, and once used for as long as the call lives\n", token.ExpiresAt.Local().Format(time.DateTime))
		_, err = fmt.Fprintln(c.out, strings.TrimSpace(token.Token))
		return err
	})
}
