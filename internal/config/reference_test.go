package config_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/internal/config"
)

const root = "../.."

func TestReferencePageIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := config.WriteReference(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "docs", "settings.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("docs/settings.md is out of date; run make generate (-want +got):\n%s", diff)
	}
}

func TestHelpNamesEverySettingWithItsVariable(t *testing.T) {
	var help bytes.Buffer
	sources := &config.Sources{Dir: t.TempDir()}
	var grammar struct {
		Serve serve `cmd:""`
	}
	parser, err := kong.New(&grammar, append(sources.Options(), kong.Writers(&help, io.Discard), kong.Exit(func(int) {}))...)
	if err != nil {
		t.Fatal(err)
	}
	// Without a real exit kong goes on after the help; what it then says does
	// not matter.
	_, _ = parser.Parse([]string{"serve", "--help"})
	text := strings.Join(strings.Fields(help.String()), " ")
	for _, d := range settings(t) {
		if !strings.Contains(text, "--"+d.flag) && !strings.Contains(text, "--[no-]"+d.flag) {
			t.Errorf("the help does not show --%s", d.flag)
		}
		if !strings.Contains(text, "("+d.variable+")") {
			t.Errorf("the help does not say that --%s is %s", d.flag, d.variable)
		}
	}
}

// A setting as the reference page shows it.
type setting struct{ variable, flag string }

var referenceRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `([a-z-]+)` \\|")

func settings(t *testing.T) []setting {
	t.Helper()
	var page bytes.Buffer
	if err := config.WriteReference(&page); err != nil {
		t.Fatal(err)
	}
	var list []setting
	for _, match := range referenceRow.FindAllStringSubmatch(page.String(), -1) {
		list = append(list, setting{match[1], match[2]})
	}
	if len(list) < 30 {
		t.Fatalf("only %d settings were found in the reference", len(list))
	}
	return list
}

func TestNamesAreUniqueAndWellFormed(t *testing.T) {
	deployed := map[string]bool{
		"PORT": true, "API_KEY": true, "MEDIASOUP_LISTEN_IP": true, "MEDIASOUP_ANNOUNCED_IP": true,
		"MEDIASOUP_RTC_MIN_PORT": true, "MEDIASOUP_RTC_MAX_PORT": true, "MEDIASOUP_LOG_LEVEL": true,
	}
	seen := map[string]bool{}
	for _, s := range settings(t) {
		if seen[s.variable] || seen[s.flag] {
			t.Errorf("%s or %s is declared twice", s.variable, s.flag)
		}
		seen[s.variable], seen[s.flag] = true, true
		if !deployed[s.variable] && s.variable != "TAKOS_CALL_"+strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_")) {
			t.Errorf("%s and --%s do not match", s.variable, s.flag)
		}
	}
	for name := range deployed {
		if !seen[name] {
			t.Errorf("%s, which deployed installations have, is gone", name)
		}
	}
}

var mentioned = regexp.MustCompile(`\b(TAKOS_CALL|MEDIASOUP)_[A-Z0-9_]*[A-Z0-9]\b`)

func TestDocumentationMentionsOnlyExistingSettings(t *testing.T) {
	// Those of sdk/mediasoup stand in the application's environment.
	exists := map[string]bool{"TAKOS_CALL_URL": true, "TAKOS_CALL_API_KEY": true}
	for _, s := range settings(t) {
		exists[s.variable] = true
	}
	files := 0
	check := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files++
		for _, name := range mentioned.FindAllString(string(text), -1) {
			if !exists[name] {
				t.Errorf("%s mentions %s, which is not a setting", path, name)
			}
		}
	}
	check(filepath.Join(root, "README.md"))
	check(filepath.Join(root, "README.ja.md"))
	for _, folder := range []string{"docs", "deploy"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && filepath.Ext(path) != ".png" {
				check(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 5 {
		t.Errorf("only %d files were looked at", files)
	}
}
