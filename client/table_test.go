package client

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const door = "../internal/signal/takosapi"

// aliases are commands that are another one under an older name.
var aliases = []string{"requestConsumerKeyFrame"}

func TestEveryCommandOfTheServerHasAMethod(t *testing.T) {
	theirs := firstArguments(t, door, "define")
	ours := firstArguments(t, ".", "Call", "call", "answerOf", "find")
	theirs = slices.DeleteFunc(theirs, func(name string) bool { return slices.Contains(aliases, name) })
	if !cmp.Equal(ours, theirs) {
		t.Errorf("commands of the door (-) and of this package (+):\n%s", cmp.Diff(theirs, ours))
	}
}

func TestEveryCodeOfTheServerIsHere(t *testing.T) {
	theirs, ours := constants(t, door, "Code"), constants(t, ".", "Code")
	if !cmp.Equal(ours, theirs) {
		t.Errorf("codes of the door (-) and of this package (+):\n%s", cmp.Diff(theirs, ours))
	}
}

func TestEveryEventOfTheServerIsHere(t *testing.T) {
	theirs := append(constants(t, "../internal/room", "EventType"), "serverClosing")
	slices.Sort(theirs)
	if ours := slices.Sorted(maps.Keys(eventDecoders)); !cmp.Equal(ours, theirs) {
		t.Errorf("events of the server (-) and of this package (+):\n%s", cmp.Diff(theirs, ours))
	}
}

func TestEveryEventOfTheServersObjectsIsHere(t *testing.T) {
	theirs := constants(t, "../internal/sfu", "EventType")
	if len(theirs) == 0 {
		t.Error("no events were found")
	}
	for _, name := range theirs {
		if objectEventDecoders[name] == nil {
			t.Errorf("the event %s has no struct", name)
		}
	}
}

// firstArguments returns the first string literal of each call of the functions,
// without repeats.
func firstArguments(t *testing.T, folder string, functions ...string) []string {
	found := map[string]bool{}
	inspect(t, folder, func(n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || !slices.Contains(functions, nameOf(call.Fun)) {
			return
		}
		for _, argument := range call.Args {
			if text, ok := literal(argument); ok {
				found[text] = true
				return
			}
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// constants returns the values of a string type's constants.
func constants(t *testing.T, folder, typeName string) []string {
	found := map[string]bool{}
	inspect(t, folder, func(n ast.Node) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Type == nil || nameOf(spec.Type) != typeName {
			return
		}
		for _, value := range spec.Values {
			if text, ok := literal(value); ok {
				found[text] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(found))
}

func inspect(t *testing.T, folder string, visit func(ast.Node)) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no source in %s: %v", folder, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name) // so that a cached result is not used when it changes
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			visit(n)
			return true
		})
	}
}

// nameOf returns the last name of a function or type, such as define in
// define[Q, A].
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return nameOf(e.X)
	case *ast.IndexListExpr:
		return nameOf(e.X)
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	basic, ok := e.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}
