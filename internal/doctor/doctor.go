// Package doctor looks at this machine and the settings and says what would keep
// calls from working, and what to do about it.
//
// It changes nothing but for a file that it makes and removes in the data
// folder, and sends nothing but to this machine. Each check is a function of a
// [Machine], which tests replace in part. It runs in one goroutine.
package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/takoserver/takos-call/internal/address"
	"github.com/takoserver/takos-call/internal/config"
)

// Grade is the result of a check.
type Grade string

// The grades. Only Bad keeps calls from working.
const (
	Good Grade = "ok"
	Note Grade = "note" // nothing to do, but good to know
	Warn Grade = "warning"
	Bad  Grade = "error"
)

// sign is what stands before a finding in the table.
func (g Grade) sign() string {
	return map[Grade]string{Good: "✓", Note: "·", Warn: "!", Bad: "✗"}[g]
}

// Finding is what one check has found.
type Finding struct {
	Grade  Grade  `json:"grade"`
	Topic  string `json:"topic"`            // "address eth0"
	Found  string `json:"found"`            // what is the case
	Advice string `json:"advice,omitempty"` // what to do about it
}

// Report is what all checks have found, in the order of the checks.
type Report struct {
	Findings []Finding `json:"findings"`
}

// Failed reports whether something keeps calls from working.
func (r *Report) Failed() bool {
	for _, f := range r.Findings {
		if f.Grade == Bad {
			return true
		}
	}
	return false
}

func (r *Report) add(g Grade, topic, found, advice string) {
	r.Findings = append(r.Findings, Finding{g, topic, found, advice})
}

// WriteText writes the report as a table with a sentence at the end.
func (r *Report) WriteText(w io.Writer) error {
	width := 0
	for _, f := range r.Findings {
		width = max(width, utf8.RuneCountInString(f.Topic))
	}
	var text strings.Builder
	problems := 0
	for _, f := range r.Findings {
		fmt.Fprintf(&text, "%s %-*s  %s\n", f.Grade.sign(), width, f.Topic, f.Found)
		if f.Advice != "" {
			fmt.Fprintf(&text, "  %-*s  → %s\n", width, "", f.Advice)
		}
		if f.Grade == Bad {
			problems++
		}
	}
	switch problems {
	case 0:
		text.WriteString("\nNothing here keeps calls from working.\n")
	case 1:
		text.WriteString("\nOne thing keeps calls from working; it is marked ✗.\n")
	default:
		fmt.Fprintf(&text, "\n%d things keep calls from working; they are marked ✗.\n", problems)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		OK bool `json:"ok"`
		*Report
	}{!r.Failed(), r})
}

// Machine is how the checks look at the machine.
type Machine struct {
	Interfaces func() ([]address.Interface, error)
	Resolve    func(ctx context.Context, host string) ([]netip.Addr, error)
	Now        func() time.Time
	// ClockSynchronised reports whether the system's clock follows a reference;
	// known is false where that cannot be told.
	ClockSynchronised func() (synchronised, known bool)
	// OpenFiles returns the limit of open files; 0 where there is none.
	OpenFiles func() uint64
	HTTP      *http.Client
}

// ThisMachine returns the machine that the program runs on.
func ThisMachine() Machine {
	return Machine{
		Interfaces: address.Interfaces,
		Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		Now:               time.Now,
		ClockSynchronised: clockSynchronised,
		OpenFiles:         openFiles,
		HTTP:              localClient(),
	}
}

// A Settings is the settings to check and where they came from.
type Settings struct {
	*config.Config
	Name func(setting string) string
}

// Examine runs all checks.
func Examine(ctx context.Context, m Machine, s Settings) *Report {
	r := &Report{}
	if err := s.Check(s.Name); err != nil {
		r.add(Bad, "settings", err.Error(), "the server will not start before this is right")
		return r
	}
	for _, advice := range s.Advice(s.Name) {
		r.add(Warn, "settings", advice, "")
	}
	running := checkServer(ctx, m, s, r)
	interfaces := checkAddresses(ctx, m, s, r)
	checkMedia(s, r, interfaces, running)
	checkHTTP(ctx, s, r, running)
	checkTLS(m, s, r)
	checkSystem(m, s, r)
	checkDataDir(s, r)
	return r
}

// checkDataDir tries to keep something in the data folder, or where it will be.
func checkDataDir(s Settings, r *Report) {
	const topic = "data folder"
	dir := existing(s.DataDir)
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		r.add(Bad, topic, dir+" is a file", "name a folder with "+s.Name("data-dir"))
		return
	}
	if err := tryWriting(dir); err != nil {
		r.add(Bad, topic, fmt.Sprintf("%s cannot be written to: %v", dir, err), "give it to the user that runs the server, make room on its disk, or name another with "+s.Name("data-dir"))
		return
	}
	if dir != s.DataDir {
		r.add(Good, topic, s.DataDir+" will be made at the first start", "")
		return
	}
	r.add(Good, topic, s.DataDir+" can be written to", "")
}

// existing returns the path, or the nearest folder above it that exists.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

func tryWriting(dir string) error {
	probe, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return err
	}
	_, err = probe.WriteString("x")
	return errors.Join(err, probe.Close(), os.Remove(probe.Name()))
}
