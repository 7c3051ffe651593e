// Command takos-call is a WebRTC SFU with mediasoup's object model.
//
//	takos-call serve     run the server
//	takos-call token     make a call token
//	takos-call rooms     list rooms; close, kick, mute
//	takos-call doctor    check this machine and the settings
//	takos-call loadtest  load a running server and say what that costs it
//	takos-call version   say which build this is
//
// It exits with 0 when all went well, with 1 when something failed, and with 2
// when a command or a setting is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/takoserver/takos-call/internal/config"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands is the grammar of the command line.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Token    tokenCommand    `cmd:"" help:"Make a call token."`
	Rooms    roomsCommand    `cmd:"" help:"List rooms; close, kick, mute."`
	Doctor   doctorCommand   `cmd:"" help:"Check this machine and the settings, and say what to do."`
	Loadtest loadtestCommand `cmd:"" help:"Load a running server and say what that costs it."`
	Version  versionCommand  `cmd:"" help:"Say which build this is."`
	Settings settingsCommand `cmd:"" hidden:"" help:"Write the reference page of all settings."`
}

// console is what a command prints to: results to out, everything else to err.
type console struct{ out, err io.Writer }

func main() {
	// The first signal asks to end, the second one ends the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], config.SystemSources(), console{os.Stdout, os.Stderr}))
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, sources *config.Sources, c console) int {
	exit := -1
	options := append(sources.Options(),
		kong.Name("takos-call"),
		kong.Description("A WebRTC SFU with mediasoup's object model: one binary, one UDP port."),
		kong.Writers(c.out, c.err),
		kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(sources, c),
	)
	parser, err := kong.New(&commands{}, options...)
	if err != nil {
		return c.fail(fmt.Errorf("read the declarations of the commands: %w", err), exitFailed)
	}
	command, err := parser.Parse(args)
	switch {
	case exit >= 0:
		return exit // --help has been answered
	case err != nil:
		return c.fail(sources.Explain(err), exitUsage)
	}
	for _, warning := range sources.Warnings() {
		fmt.Fprintf(c.err, "takos-call: warning: %s\n", warning)
	}
	return c.finish(command.Run())
}

// finish turns the error of a command into an exit code.
func (c console) finish(err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.Is(err, errSettings):
		return c.fail(err, exitUsage)
	}
	return c.fail(err, exitFailed)
}

func (c console) fail(err error, code int) int {
	// The client's errors begin with the name as well.
	fmt.Fprintf(c.err, "takos-call: %s\n", strings.ReplaceAll(err.Error(), "takos-call: ", ""))
	return code
}

var (
	// errReported means that the command has said itself what is wrong.
	errReported = errors.New("reported")
	// errSettings means that the settings cannot be used.
	errSettings = errors.New("wrong settings")
)

// A settingsError is a sentence about settings that cannot be used.
type settingsError struct{ error }

func (settingsError) Is(target error) bool { return target == errSettings }

// checked returns an error if the settings contradict each other.
func checked(c *config.Config, sources *config.Sources) error {
	if err := c.Check(sources.Name); err != nil {
		return settingsError{err}
	}
	return nil
}

// settingsCommand writes docs/settings.md.
type settingsCommand struct{}

// Run writes the reference page.
func (settingsCommand) Run(c console) error { return config.WriteReference(c.out) }
