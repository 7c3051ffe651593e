package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/takoserver/takos-call/internal/loadtest"
)

// limitCommand measures the least that a fan-out can cost.
type limitCommand struct {
	lasting `embed:""`
	video   `embed:""`

	Receivers int  `name:"receivers" default:"50" help:"How many receive the video."`
	Core      int  `name:"core" default:"-1" placeholder:"N" help:"Core to pin the sending process to, as taskset does. Default: none."`
	GRO       bool `name:"gro" help:"As for the other loads."`
	JSON      bool `name:"json" help:"Write the report as JSON."`
}

// Run starts the process that sends, measures it, and reports.
func (l *limitCommand) Run(ctx context.Context, c console) (err error) {
	video, err := l.options()
	if err := errors.Join(err, l.check(), atLeastOne("--receivers", l.Receivers)); err != nil {
		return err
	}
	loop, err := l.start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loop.stop()) }()
	figures := map[loadtest.Moment]loadtest.Figures{}
	report, err := loadtest.RunBare(ctx, loop.address, loadtest.BareLoad{
		Receivers: l.Receivers, Video: *video, Warmup: l.Warmup, Duration: l.Duration, JoinDatagrams: l.GRO,
		At: func(m loadtest.Moment) error {
			cpu, err := loadtest.ProcessCPU(loop.pid())
			figures[m] = loadtest.Figures{CPU: cpu}
			return err
		},
	})
	if err != nil {
		return err
	}
	summary := loadtest.Summarise(loadtest.ProfileLimit, report)
	summary.LatencyBy = latencyBy()
	summary.Charge(figures, fmt.Sprintf("the clock of process %d", loop.pid()))
	return errors.Join(write(c, summary, l.JSON), l.verdict(report))
}

// bareLoop is the process that sends. It ends when its standard input does, so
// that it cannot be left behind.
type bareLoop struct {
	command *exec.Cmd
	input   io.Closer
	address netip.AddrPort
}

func (l *limitCommand) start(ctx context.Context, c console) (*bareLoop, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	arguments := []string{self, "loadtest", "bare-loop"}
	if l.Core >= 0 {
		arguments = append([]string{"taskset", "--cpu-list", strconv.Itoa(l.Core)}, arguments...)
	}
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Stderr = c.err
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the sending process: %w", err)
	}
	loop := &bareLoop{command: command, input: input}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err == nil {
		loop.address, err = netip.ParseAddrPort(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hear from the sending process: %w", err), loop.stop())
	}
	return loop, nil
}

// pid is the same before and after taskset, which becomes what it starts.
func (b *bareLoop) pid() int { return b.command.Process.Pid }

func (b *bareLoop) stop() error {
	return errors.Join(b.input.Close(), b.command.Wait())
}

// bareLoopCommand is the process that sends.
type bareLoopCommand struct{}

// Run says where it listens and sends until standard input ends.
func (bareLoopCommand) Run(ctx context.Context, c console) error {
	conn, err := loadtest.ListenBareLoop()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.out, conn.LocalAddr()); err != nil {
		return errors.Join(err, conn.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	return loadtest.ServeBareLoop(ctx, conn)
}
