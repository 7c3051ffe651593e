package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/joho/godotenv"
)

// Where files are looked for when no setting names them.
const (
	defaultConfigFile = "takos-call.yaml"
	defaultEnvFile    = ".env"
	ourPrefix         = "TAKOS_CALL_"
)

// Sources reads settings from the places where they may stand. A setting's
// value is that of the first that has one:
//
//  1. the flag of the command line,
//  2. the environment,
//  3. the .env file,
//  4. the settings file,
//  5. the default.
//
// An empty value is none. A Sources serves one start, from one goroutine.
type Sources struct {
	// Environment is the environment as os.Environ gives it.
	Environment []string
	// Dir is where the two files are looked for when no setting names them.
	Dir string

	loaded  bool
	places  []place
	origins map[string]string // by flag: the setting's name where its value stands
}

// A place is one of the sources, by the names that it knows settings by.
type place struct {
	suffix string // " in .env"
	values map[string]string
	key    func(declaration) string
}

// SystemSources returns the environment of this process and its working
// directory.
func SystemSources() *Sources { return &Sources{Environment: os.Environ(), Dir: "."} }

// Load reads all settings from everywhere but a command line. The error is a
// sentence for people.
func (s *Sources) Load() (*Config, error) {
	var c Config
	parser, err := kong.New(&c, s.Options()...)
	if err != nil {
		return nil, fmt.Errorf("read the declarations of the settings: %w", err)
	}
	if _, err := parser.Parse(nil); err != nil {
		return nil, s.Explain(err)
	}
	return &c, nil
}

// Options returns what a kong parser needs whose grammar embeds a [Config]. The
// parser's errors go through [Sources.Explain].
func (s *Sources) Options() []kong.Option {
	return append(mappers(),
		kong.Resolvers(kong.ResolverFunc(s.resolve)),
		kong.WithBeforeApply(s.noteFlags),
		kong.ValueFormatter(help),
		kong.ExplicitGroups(groups))
}

// noteFlags remembers which settings the command line has given.
func (s *Sources) noteFlags(ctx *kong.Context) error {
	for _, p := range ctx.Path {
		if p.Flag != nil && !p.Resolved && s.origins != nil {
			s.origins[p.Flag.Name] = "--" + p.Flag.Name
		}
	}
	return nil
}

// groups are the headings of the help and of the reference page.
var groups = []kong.Group{
	{Key: "http", Title: "HTTP and who may use it"},
	{Key: "media", Title: "Media"},
	{Key: "calls", Title: "Calls"},
	{Key: "limits", Title: "Limits"},
	{Key: "run", Title: "The process"},
}

// Name returns the name of a setting, given by its flag, in the source that its
// value came from: "--port", "PORT", "PORT in .env", "port in takos-call.yaml".
func (s *Sources) Name(setting string) string {
	if name, ok := s.origins[setting]; ok {
		return name
	}
	if d, ok := declared(setting); ok {
		return d.variable
	}
	return setting
}

// Explain turns an error of the parser about a setting into a sentence that
// names it as its source does.
func (s *Sources) Explain(err error) error {
	if wrong, ok := errors.AsType[*ValueError](err); ok {
		if name, ok := s.origins[wrong.Setting]; ok {
			return errors.New(wrong.sentence(name))
		}
		return errors.New(wrong.sentence("--" + wrong.Setting))
	}
	if file, ok := errors.AsType[*fileError](err); ok {
		return file
	}
	return err
}

// Warnings returns a sentence for each variable that looks like a setting of
// ours but is none. It knows them once the settings have been read.
func (s *Sources) Warnings() []string {
	var warnings []string
	for _, p := range s.places {
		for _, name := range slices.Sorted(maps.Keys(p.values)) {
			if strings.HasPrefix(name, ourPrefix) && !isVariable(name) {
				warnings = append(warnings, name+p.suffix+" is not a setting"+suggest(name, variableName))
			}
		}
	}
	return warnings
}

// A fileError is a settings file that cannot be used.
type fileError struct{ error }

func (e *fileError) Unwrap() error { return e.error }

// resolve is called by kong for each flag that the command line does not give.
func (s *Sources) resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	d, ok := declared(flag.Name)
	if !ok || flag.Tag.Get("var") == "" {
		return nil, nil
	}
	if err := s.load(ctx); err != nil {
		return nil, &fileError{err}
	}
	for _, p := range s.places {
		if value := p.values[p.key(d)]; value != "" {
			s.origins[d.name] = p.key(d) + p.suffix
			return value, nil
		}
	}
	return nil, nil
}

// load reads the sources, once.
func (s *Sources) load(ctx *kong.Context) error {
	if s.loaded {
		return nil
	}
	s.loaded = true
	s.origins = map[string]string{}
	environment := map[string]string{}
	for _, entry := range s.Environment {
		name, value, _ := strings.Cut(entry, "=")
		environment[name] = value
	}
	s.places = append(s.places, place{"", environment, variableName})

	path, values, err := s.readFile(ctx, "env-file", defaultEnvFile, parseEnv)
	if err != nil {
		return err
	}
	s.places = append(s.places, place{" in " + path, values, variableName})

	path, values, err = s.readFile(ctx, "config", defaultConfigFile, parseYAML)
	if err != nil {
		return err
	}
	s.places = append(s.places, place{" in " + path, values, flagName})
	return nil
}

// parseEnv reads the text of a .env file. The library's errors quote the rest of
// the file, secrets and all; ours say in which line it stopped.
func parseEnv(text string) (map[string]string, error) {
	values, err := godotenv.Unmarshal(text)
	if err == nil {
		return values, nil
	}
	lines := strings.SplitAfter(text, "\n")
	good := len(lines)
	for good > 0 && err != nil {
		good--
		_, err = godotenv.Unmarshal(strings.Join(lines[:good], ""))
	}
	return nil, fmt.Errorf("line %d is not NAME=value, or has a quote that is not closed", good+1)
}

// readFile reads the file that a setting names, or the default one if it is
// there.
func (s *Sources) readFile(ctx *kong.Context, setting, byDefault string, parse func(string) (map[string]string, error)) (path string, values map[string]string, err error) {
	path = s.chosenPath(ctx, setting)
	text, err := os.ReadFile(cmp.Or(path, filepath.Join(s.Dir, byDefault)))
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return byDefault, nil, nil
	}
	path = cmp.Or(path, byDefault)
	if err != nil {
		return path, nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	values, err = parse(string(text))
	if err != nil {
		return path, nil, fmt.Errorf("%s cannot be understood: %w", path, err)
	}
	return path, values, nil
}

// chosenPath returns the path of a file from the command line or the sources
// read so far, or "".
func (s *Sources) chosenPath(ctx *kong.Context, setting string) string {
	for _, flag := range ctx.Flags() {
		if flag.Name == setting {
			if path, _ := ctx.FlagValue(flag).(string); path != "" {
				return path
			}
		}
	}
	d, _ := declared(setting)
	for _, p := range s.places {
		if path := p.values[d.variable]; path != "" {
			return path
		}
	}
	return ""
}

func flagName(d declaration) string     { return d.name }
func variableName(d declaration) string { return d.variable }

func isVariable(name string) bool {
	return slices.ContainsFunc(declarations(), func(d declaration) bool { return d.variable == name })
}
