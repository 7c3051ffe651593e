package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/server"
)

// serveCommand runs the server.
type serveCommand struct {
	config.Config `embed:""`
}

// Run serves until the process is told to end. SIGTERM and Ctrl-C let the calls
// come to an end; a second one does not wait.
func (s *serveCommand) Run(ctx context.Context, sources *config.Sources, c console) error {
	if err := checked(&s.Config, sources); err != nil {
		return err
	}
	log := newLogger(&s.Config, c.err)
	for _, advice := range s.Advice(sources.Name) {
		log.Warn(advice)
	}
	version, commit := build()
	running, err := server.New(ctx, &s.Config, server.Build{Version: version, Commit: commit}, log)
	if err != nil {
		return err
	}
	if err := greet(c.out, &s.Config, running, version); err != nil {
		running.Close()
		return err
	}
	return running.Run(ctx)
}

// newLogger returns the logger that the settings ask for.
func newLogger(c *config.Config, w io.Writer) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[c.LogLevel]
	if !ok {
		return slog.New(slog.DiscardHandler) // none
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// greet tells the person who started the server where to go.
func greet(w io.Writer, c *config.Config, s *server.Server, version string) error {
	links := s.Links()
	var text strings.Builder
	fmt.Fprintf(&text, "takos-call %s is ready.\n\n", version)
	switch {
	case c.LAN:
		path, expires, err := s.Invite()
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "  A call for every device in this network:\n")
		for _, link := range links {
			fmt.Fprintf(&text, "    %s%s\n", link, path)
		}
		fmt.Fprintf(&text, "  Whoever has the link gets in, until %s.\n", expires.Local().Format(time.DateTime))
		if c.TLSCert == "" {
			text.WriteString("  Browsers will warn about the certificate, because this server made it itself: look that the\n  address is the one above, then go on (Advanced, Proceed or Accept the risk).\n")
		}
	case c.LoopbackOnly():
		fmt.Fprintf(&text, "  Open a call:  %s/\n", links[0])
		text.WriteString("  Only this machine gets in. For other devices: takos-call serve --lan; for a server: set API_KEY.\n")
	default:
		fmt.Fprintf(&text, "  HTTP port %d, with an API key: %s/takos-api\n", s.Port(), links[0])
	}
	text.WriteString("  Ctrl-C ends it.\n\n")
	_, err := io.WriteString(w, text.String())
	return err
}
