// Package architecture_test holds the code to the table of docs/ARCHITECTURE.md.
//
// It parses the source itself: a test that asked the go command would be cached
// without the files that the answer depends on.
package architecture_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/takoserver/takos-call"
	page   = "docs/ARCHITECTURE.md"
)

// testOnly are the modules that no program of ours may contain.
var testOnly = []string{
	"github.com/google/go-cmp",
	"github.com/pion/webrtc/v4",
	"go.uber.org/goleak",
	"pgregory.net/rapid",
	"testing",
}

// A row is a line of the table.
type row struct {
	kind       string
	mayImport  []string
	everything bool
}

// A file is a parsed Go file that is not a test.
type file struct {
	path string // from the top of the repository, with slashes
	ast  *ast.File
}

func (f file) folder() string { return path.Dir(f.path) }

func TestImportsAreInTheTable(t *testing.T) {
	table, files := readTable(t), parseModule(t)
	for _, f := range files {
		if rowOf(table, f.folder()) == "" {
			t.Errorf("%s: its folder has no row in the table of %s", f.path, page)
			continue
		}
		for _, imported := range imports(f) {
			if reason := forbidden(table, f.folder(), imported); reason != "" {
				t.Errorf("%s imports %s: %s", f.path, imported, reason)
			}
		}
	}
}

func TestEveryRowHasAFolder(t *testing.T) {
	present := map[string]bool{"internal/architecture": true}
	for _, f := range parseModule(t) {
		present[f.folder()] = true
	}
	for folder := range readTable(t) {
		if !present[folder] {
			t.Errorf("%s has a row for %s, where there is no Go code", page, folder)
		}
	}
}

func TestRowsNameOnlyRows(t *testing.T) {
	table := readTable(t)
	for folder, r := range table {
		for _, name := range r.mayImport {
			if _, ok := table[folderOf(name)]; !ok {
				t.Errorf("the row of %s allows %q, which is no row", folder, name)
			}
		}
	}
}

func TestTableHasNoCycle(t *testing.T) {
	table := readTable(t)
	var visit func(folder string, trail []string)
	visit = func(folder string, trail []string) {
		if slices.Contains(trail, folder) {
			t.Fatalf("the table allows a cycle: %s", strings.Join(append(trail, folder), " → "))
		}
		for _, name := range table[folder].mayImport {
			visit(folderOf(name), append(slices.Clone(trail), folder))
		}
	}
	for folder := range table {
		visit(folder, nil)
	}
}

func TestEnginesOnlyCompute(t *testing.T) {
	table := readTable(t)
	for _, f := range parseModule(t) {
		if table[rowOf(table, f.folder())].kind != "engine" {
			continue
		}
		for _, problem := range sideEffects(f) {
			t.Errorf("%s: an engine takes values and returns values, but this file %s", f.path, problem)
		}
	}
}

func TestGuardsSeeViolations(t *testing.T) {
	const source = `package p
import ("sync"; "time")
var mu sync.Mutex
func f() { go f(); _ = time.Now() }`
	parsed, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := sideEffects(file{"internal/p/p.go", parsed}); len(got) != 3 {
		t.Errorf("three side effects, seen: %q", got)
	}
	table := map[string]row{
		"internal/mono":       {},
		"internal/rtp":        {},
		"internal/sfu":        {},
		"internal/signal":     {},
		"internal/signal/api": {},
		"cmd/x":               {},
		"internal/p":          {mayImport: []string{"rtp", "signal"}},
		"internal/server":     {everything: true},
	}
	for _, test := range []struct {
		folder, imported string
		want             bool
	}{
		{"internal/p", "bytes", true},
		{"internal/p", "github.com/google/uuid", true},
		{"internal/p", "testing", false},
		{"internal/p", "github.com/pion/webrtc/v4/pkg/media", false},
		{"internal/p", module + "/internal/mono", true},
		{"internal/p", module + "/internal/rtp", true},
		{"internal/p", module + "/internal/rtp/deep", true},
		{"internal/p/deep", module + "/internal/p", true},
		{"internal/p", module + "/internal/sfu", false},
		{"internal/p", module + "/internal/signal", true},
		{"internal/p", module + "/internal/signal/api", false},
		{"internal/p", module + "/internal/unknown", false},
		{"internal/server", module + "/internal/sfu", true},
		{"internal/server", module + "/cmd/x", false},
	} {
		reason := forbidden(table, test.folder, test.imported)
		if allowed := reason == ""; allowed != test.want {
			t.Errorf("%s imports %s: allowed %v, want %v (%s)", test.folder, test.imported, allowed, test.want, reason)
		}
	}
}

// forbidden returns why a file of a folder may not import a package, or "".
func forbidden(table map[string]row, folder, imported string) string {
	for _, m := range testOnly {
		if imported == m || strings.HasPrefix(imported, m+"/") {
			return "it is for tests only"
		}
	}
	ours, ok := strings.CutPrefix(imported, module+"/")
	if !ok {
		return ""
	}
	from, to := rowOf(table, folder), rowOf(table, ours)
	switch {
	case to == "":
		return "it has no row in the table of " + page
	case to == from, to == "internal/mono":
		return ""
	case table[from].everything && !strings.HasPrefix(to, "cmd/"):
		return ""
	case slices.ContainsFunc(table[from].mayImport, func(name string) bool { return folderOf(name) == to }):
		return ""
	}
	return "the table of " + page + " does not allow it"
}

// sideEffects lists what an engine may not contain.
func sideEffects(f file) []string {
	var found []string
	for _, imported := range imports(f) {
		switch imported {
		case "sync", "sync/atomic", "net", "net/http", "os", "log", "log/slog", "context", "syscall":
			found = append(found, "imports "+imported)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "starts a goroutine")
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && readsClock(pkg.Name, n.Sel.Name) {
				found = append(found, fmt.Sprintf("uses %s.%s", pkg.Name, n.Sel.Name))
			}
		}
		return true
	})
	return found
}

func readsClock(pkg, name string) bool {
	switch pkg {
	case "mono":
		return name == "Now"
	case "time":
		return slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}, name)
	}
	return false
}

// folderOf returns the folder of a name in the last column.
func folderOf(name string) string {
	switch name {
	case "client", "web":
		return name
	}
	return "internal/" + name
}

// rowOf returns the folder whose row holds for a folder: its own, that of the
// nearest folder above it, or "".
func rowOf(table map[string]row, folder string) string {
	for ; folder != "."; folder = path.Dir(folder) {
		if _, ok := table[folder]; ok {
			return folder
		}
	}
	return ""
}

func imports(f file) []string {
	var list []string
	for _, spec := range f.ast.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has accepted it
		}
		list = append(list, name)
	}
	return list
}

// readTable returns the rows by folder.
func readTable(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]row{}
	inTable := false
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case cells[0] == "folder" && cells[len(cells)-1] == "may import":
			inTable = true
		case len(cells) != 4:
			inTable = false
		case inTable && !strings.HasPrefix(cells[0], "---"):
			r := row{kind: cells[1], mayImport: strings.Fields(cells[3])}
			if slices.Equal(r.mayImport, []string{"all"}) {
				r.mayImport, r.everything = nil, true
			}
			if !slices.Contains([]string{"base", "engine", "graph", "edge"}, r.kind) {
				t.Fatalf("%s: the row of %s has no known kind: %q", page, cells[0], r.kind)
			}
			table[cells[0]] = r
		}
	}
	if len(table) < 10 {
		t.Fatalf("%s: the table was not found; rows: %q", page, slices.Sorted(maps.Keys(table)))
	}
	return table
}

// parseModule returns the files of this module that are not tests.
func parseModule(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			if rel != "." && skipped(rel) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		files = append(files, file{rel, parsed})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// skipped reports whether a folder holds no package of this module.
func skipped(folder string) bool {
	base := path.Base(folder)
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		slices.Contains([]string{"node_modules", "testdata", "tools", "e2e", "sdk", "bin"}, base)
}
