package transcript

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// values are what placeholders stand for.
type values struct {
	bound     map[string]string
	constants constants
}

var (
	placeholder = regexp.MustCompile(`<([a-z]+):([A-Za-z0-9_-]+)>`)
	wholeJSON   = regexp.MustCompile(`"<json:([A-Za-z0-9_-]+)>"`)
	variable    = regexp.MustCompile(`<([a-z]+)>`)
)

// fill replaces the placeholders of what is sent.
func (v *values) fill(text string) (string, error) {
	var failed error
	text = wholeJSON.ReplaceAllStringFunc(text, func(found string) string {
		name := wholeJSON.FindStringSubmatch(found)[1]
		value, known := v.constants[name]
		if !known {
			failed = fmt.Errorf("there is no constant %q", name)
		}
		encoded, _ := json.Marshal(value)
		return string(encoded)
	})
	text = placeholder.ReplaceAllStringFunc(text, func(found string) string {
		parts := placeholder.FindStringSubmatch(found)
		if parts[1] == "bytes" {
			n, _ := strconv.Atoi(parts[2])
			return strings.Repeat("x", n)
		}
		value, known := v.bound[parts[2]]
		if !known {
			failed = fmt.Errorf("%s stands for nothing yet", found)
		}
		return value
	})
	text = variable.ReplaceAllStringFunc(text, func(found string) string {
		if value, known := v.bound[found[1:len(found)-1]]; known {
			return value
		}
		return found
	})
	return text, failed
}

// match compares what was received with the text of a line. Unless they match,
// no placeholder is bound.
func (v *values) match(pattern string, got []byte) (err error) {
	before := maps.Clone(v.bound)
	defer func() {
		if err != nil {
			v.bound = before
		}
	}()
	var want, have any
	if err := json.Unmarshal([]byte(pattern), &want); err != nil {
		return fmt.Errorf("the line is not JSON: %w", err)
	}
	if err := json.Unmarshal(got, &have); err != nil {
		return fmt.Errorf("received what is not JSON: %q", got)
	}
	return v.compare("", want, have)
}

func (v *values) compare(path string, want, have any) error {
	switch want := want.(type) {
	case map[string]any:
		object, ok := have.(map[string]any)
		if !ok {
			return mismatch(path, want, have)
		}
		return v.compareObjects(path, want, object)
	case []any:
		list, ok := have.([]any)
		if !ok || len(list) != len(want) {
			return mismatch(path, want, have)
		}
		for i := range want {
			if err := v.compare(fmt.Sprintf("%s[%d]", path, i), want[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		return v.compareString(path, want, have)
	}
	if want != have {
		return mismatch(path, want, have)
	}
	return nil
}

const others = "..."

func (v *values) compareObjects(path string, want, have map[string]any) error {
	left := maps.Clone(have)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if key == others {
			continue
		}
		name, err := v.keyFor(key, left)
		if err != nil {
			return fmt.Errorf("%s: %w", orTop(path), err)
		}
		value, there := left[name]
		if !there {
			return fmt.Errorf("%s: field %q is missing", orTop(path), name)
		}
		if err := v.compare(path+"."+name, want[key], value); err != nil {
			return err
		}
		delete(left, name)
	}
	if _, open := want[others]; len(left) > 0 && !open {
		return fmt.Errorf("%s: fields that the line does not have: %q", orTop(path), slices.Sorted(maps.Keys(left)))
	}
	return nil
}

// keyFor returns the key that a placeholder in place of a key stands for. One
// that is not bound yet takes the only key there is.
func (v *values) keyFor(key string, have map[string]any) (string, error) {
	parts := placeholder.FindStringSubmatch(key)
	if parts == nil || parts[0] != key {
		return key, nil
	}
	if bound, known := v.bound[parts[2]]; known {
		return bound, nil
	}
	if len(have) != 1 {
		return "", fmt.Errorf("%s could stand for any of %d keys", key, len(have))
	}
	for only := range have {
		v.bound[parts[2]] = only
		return only, nil
	}
	return "", nil
}

func (v *values) compareString(path, want string, have any) error {
	text, isText := have.(string)
	_, isNumber := have.(float64)
	ok := false
	switch parts := placeholder.FindStringSubmatch(want); {
	case want == "<any>":
		ok = true
	case want == "<string>":
		ok = isText
	case want == "<number>":
		ok = isNumber
	case want == "<time>":
		_, err := time.Parse(time.RFC3339, text)
		ok = err == nil
	case parts != nil && parts[1] == "json":
		constant, known := v.constants[parts[2]]
		if !known {
			return fmt.Errorf("there is no constant %q", parts[2])
		}
		return v.compare(path, constant, have)
	case parts != nil && parts[0] == want:
		bound, known := v.bound[parts[2]]
		if ok = isText && (!known || bound == text); ok {
			v.bound[parts[2]] = text
		}
	default:
		filled, err := v.fill(want)
		if err != nil {
			return err
		}
		ok = isText && filled == text
	}
	if !ok {
		return mismatch(path, want, have)
	}
	return nil
}

func mismatch(path string, want, have any) error {
	w, _ := json.Marshal(want)
	h, _ := json.Marshal(have)
	return fmt.Errorf("%s: the line has %s, received %s", orTop(path), w, h)
}

func orTop(path string) string {
	if path == "" {
		return "the message"
	}
	return strings.TrimPrefix(path, ".")
}
