package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// parseYAML reads a settings file into texts by key, in the form they have in
// the environment: a list becomes its items separated by commas, and the JSON
// settings may be written as YAML.
func parseYAML(text string) (map[string]string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if document.Kind == 0 {
		return nil, nil // an empty file
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: it must be a list of settings, each as name: value", top.Line)
	}
	values := map[string]string{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		d, ok := declared(key.Value)
		if !ok {
			return nil, fmt.Errorf("line %d: %s is not a setting%s", key.Line, key.Value, suggest(key.Value, flagName))
		}
		if d.name == "config" || d.name == "env-file" {
			return nil, fmt.Errorf("line %d: %s says where this file is, so it cannot stand in it", key.Line, key.Value)
		}
		if _, twice := values[key.Value]; twice {
			return nil, fmt.Errorf("line %d: %s is set a second time", key.Line, key.Value)
		}
		text, err := flatten(d, value)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s must be %s", value.Line, d.name, d.want())
		}
		values[key.Value] = text
	}
	return values, nil
}

// flatten returns a YAML value as it would stand in the environment.
func flatten(d declaration, value *yaml.Node) (string, error) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		return "", nil
	case value.Kind == yaml.ScalarNode:
		return value.Value, nil
	case d.kind == reflect.TypeFor[ICEServers]():
		var decoded any
		if err := value.Decode(&decoded); err != nil {
			return "", err
		}
		text, err := json.Marshal(decoded)
		return string(text), err
	case value.Kind == yaml.SequenceNode && d.kind.Kind() == reflect.Slice:
		var items []string
		err := value.Decode(&items)
		return strings.Join(items, ","), err
	}
	return "", errors.New("neither a value nor a list of values")
}

// suggest returns a hint at the setting that was probably meant, or "". It
// compares with all names of a setting, and spell says which of them to offer.
func suggest(name string, spell func(declaration) string) string {
	name = fold(strings.TrimPrefix(name, ourPrefix))
	best, bestDistance := "", 1+min(3, len(name)/3) // a word with more slips could be anything
	for _, d := range declarations() {
		for _, candidate := range []string{d.name, strings.TrimPrefix(d.variable, ourPrefix)} {
			if distance := editDistance(name, fold(candidate)); distance < bestDistance {
				best, bestDistance = spell(d), distance
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// fold makes announcedIp, announced-ip and ANNOUNCED_IP the same.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// editDistance is the number of letters to insert, delete or replace between
// two words.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
