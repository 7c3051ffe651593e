package client

import (
	"slices"
	"strings"
	"testing"
)

// ObjectCommands are the commands of the server's objects, in order.
func ObjectCommands(t *testing.T) []string {
	return slices.DeleteFunc(firstArguments(t, door, "define"), func(name string) bool { return !strings.Contains(name, ".") })
}
