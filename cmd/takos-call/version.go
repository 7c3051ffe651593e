package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set by the linker (scripts/build.sh).
var (
	version string
	commit  string
)

// build says which build this is, also of a binary made with plain go build or
// go install.
func build() (v, c string) {
	v, c = version, commit
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	if v == "" {
		v = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && c == "" {
			c = setting.Value
		}
	}
	return orUnknown(v), orUnknown(c)
}

func orUnknown(s string) string {
	if s == "" || s == "(devel)" {
		return "unknown"
	}
	return s
}

// versionCommand says which build this is.
type versionCommand struct{}

// Run prints version, commit, compiler and platform, a line each.
func (versionCommand) Run(c console) error {
	version, commit := build()
	_, err := fmt.Fprintf(c.out, "takos-call %s\ncommit     %s\ngo         %s\nplatform   %s/%s\n",
		version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
