package transcript

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Page is what a markdown file has for this package.
type Page struct {
	Transcripts []Transcript
}

// Transcript is one conversation.
type Transcript struct {
	Name     string
	Settings map[string]string
	Line     int // of the page, from 1
	steps    []step
	page     *constants
}

type constants map[string]any

// step is a line.
type step struct {
	line int
	verb verb
	who  string // the WebSocket's name, or the HTTP method
	code int    // close code or status
	text string // JSON, path and headers, reason or action
}

type verb string

const (
	open    verb = "open"
	refused verb = "refused"
	send    verb = "→"
	receive verb = "←"
	besides verb = "besides"
	closed  verb = "closed"
	shut    verb = "close"
	drop    verb = "drop"
	request verb = "request"
	body    verb = "body"
	answer  verb = "answer"
	action  verb = "*"
)

const fence = "```"

// Parse reads a page.
func Parse(markdown string) (*Page, error) {
	p, values := &Page{}, make(constants)
	var info string
	var block []string
	inside, began := false, 0
	for i, line := range strings.Split(markdown, "\n") {
		marker, isFence := strings.CutPrefix(line, fence)
		switch {
		case isFence && !inside:
			inside, info, began, block = true, marker, i+1, nil
		case isFence:
			inside = false
			if err := p.add(values, info, block, began); err != nil {
				return nil, err
			}
		case inside:
			block = append(block, line)
		}
	}
	if inside {
		return nil, fmt.Errorf("line %d: the block has no end", began)
	}
	return p, nil
}

func (p *Page) add(values constants, info string, block []string, line int) error {
	kind, rest, _ := strings.Cut(info, " ")
	switch {
	case kind == "json" && rest != "":
		var value any
		if err := json.Unmarshal([]byte(strings.Join(block, "\n")), &value); err != nil {
			return fmt.Errorf("line %d: constant %s: %w", line, rest, err)
		}
		values[rest] = value
	case kind == "transcript":
		name, settings, err := readInfo(rest)
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		t := Transcript{Name: name, Settings: settings, Line: line, page: &values}
		for i, text := range block {
			s, err := readStep(text)
			if err != nil {
				return fmt.Errorf("line %d: %w", line+i+1, err)
			}
			if s.verb != "" {
				s.line = line + i + 1
				t.steps = append(t.steps, s)
			}
		}
		p.Transcripts = append(p.Transcripts, t)
	}
	return nil
}

// readInfo reads "Name of it; key=value; key=value".
func readInfo(text string) (name string, settings map[string]string, err error) {
	parts := strings.Split(text, ";")
	if name = strings.TrimSpace(parts[0]); name == "" {
		return "", nil, fmt.Errorf("the transcript has no name")
	}
	settings = make(map[string]string)
	for _, part := range parts[1:] {
		key, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			return "", nil, fmt.Errorf("setting %q is not key=value", part)
		}
		settings[key] = value
	}
	return name, settings, nil
}

func readStep(line string) (step, error) {
	line = strings.TrimSpace(line)
	first, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case line == "", strings.HasPrefix(line, "#"):
		return step{}, nil
	case first == "*":
		return step{verb: action, text: rest}, nil
	case first == "→":
		return step{verb: body, text: rest}, nil
	case first == "←":
		return withCode(step{verb: answer}, rest)
	case strings.HasSuffix(first, "→"):
		return step{verb: send, who: strings.TrimSuffix(first, "→"), text: rest}, nil
	case strings.HasSuffix(first, "←"):
		return step{verb: receive, who: strings.TrimSuffix(first, "←"), text: rest}, nil
	case first == "GET", first == "POST", first == "OPTIONS", first == "DELETE":
		return step{verb: request, who: first, text: rest}, nil
	}
	who, rest, _ := strings.Cut(rest, " ")
	s := step{verb: verb(first), who: who}
	switch s.verb {
	case open, besides:
		s.text = strings.TrimSpace(rest)
		return s, nil
	case drop:
		return s, nil
	case refused, closed, shut:
		return withCode(s, rest)
	}
	return step{}, fmt.Errorf("%q begins with no verb of a transcript", line)
}

// withCode reads a number and the rest.
func withCode(s step, text string) (step, error) {
	number, rest, _ := strings.Cut(text, " ")
	if _, err := fmt.Sscanf(number, "%d", &s.code); err != nil {
		return step{}, fmt.Errorf("%q is not a number", number)
	}
	s.text = strings.TrimSpace(rest)
	return s, nil
}
