package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

const referenceIntro = `# Settings

This page is made from the code by ` + "`make generate`" + `; a test fails when it is out of date.

A setting's value is that of the first of these that has one: the flag of the command line, the environment, the ` + "`.env`" + ` file, the settings file, the default. An empty value is none.

- The ` + "`.env`" + ` file is read from the working directory, or from where ` + "`TAKOS_CALL_ENV_FILE`" + ` says. It knows settings by the names of the environment.
- The settings file is YAML: ` + "`takos-call.yaml`" + ` in the working directory, or the file that ` + "`TAKOS_CALL_CONFIG`" + ` names. Its keys are the names of the flags without the dashes in front; lists may be written as YAML lists. A key that is not a setting stops the start; a variable that begins with ` + "`TAKOS_CALL_`" + ` and is not a setting is warned about.
- Durations are written with their unit (` + "`30s`, `5m`, `1h`" + `), sizes as bytes or with KiB or MiB, bit rates in bits a second or with k or M. Lists are separated by commas.
- A wrong value stops the start with a sentence that names the setting and says what would be right. ` + "`takos-call doctor`" + ` checks what can be checked before a start.
`

// WriteReference writes the reference page of all settings, in Markdown.
func WriteReference(w io.Writer) error {
	var page strings.Builder
	page.WriteString(referenceIntro)
	group := ""
	for _, d := range declarations() {
		if d.group != group {
			group = d.group
			fmt.Fprintf(&page, "\n## %s\n\n| environment | flag and key | default | meaning |\n| --- | --- | --- | --- |\n", title(group))
		}
		fmt.Fprintf(&page, "| `%s` | `%s` | %s | %s |\n", d.variable, d.name, d.shownDefault(), d.meaning())
	}
	_, err := io.WriteString(w, page.String())
	return err
}

func title(group string) string {
	for _, g := range groups {
		if g.Key == group {
			return g.Title
		}
	}
	return group
}

func (d declaration) shownDefault() string {
	switch {
	case d.deflt == "" && d.kind.Kind() == reflect.Bool:
		return "`false`"
	case d.deflt == "":
		return ""
	}
	return "`" + strings.ReplaceAll(d.deflt, ",", ", ") + "`"
}

// meaning is the help with what is right and an example.
func (d declaration) meaning() string {
	text := d.help
	if len(d.oneof) > 0 {
		text += " One of `" + strings.Join(d.oneof, "`, `") + "`."
	}
	if least, most, ok := strings.Cut(d.limits, ".."); ok {
		text += fmt.Sprintf(" From %s to %s", least, most)
		if d.unit != "" {
			text += " " + d.unit
		}
		text += "."
	}
	if d.example != "" {
		text += " Example: `" + d.example + "`."
	}
	return strings.ReplaceAll(text, "|", "\\|")
}

// help is a flag's help for the terminal: for a setting with its name in the
// environment.
func help(v *kong.Value) string {
	d, ok := declared(v.Name)
	if !ok || v.Tag.Get("var") == "" {
		return kong.DefaultHelpValueFormatter(v)
	}
	text := strings.TrimSuffix(d.help, ".")
	if len(d.oneof) > 0 {
		text += ": " + strings.Join(d.oneof, ", ")
	}
	return text + " (" + d.variable + ")."
}
