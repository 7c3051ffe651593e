package takosapi

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/takoserver/takos-call/internal/ortc"
)

// writtenForTS are the structs that the package for TypeScript has of its own,
// with their names there, by the file that they are in.
var writtenForTS = map[string]map[string]string{
	"rtp": {
		"Codec": "RoomCodec", "RTPCapabilities": "RtpCapabilities", "RTPParameters": "RtpParameters", "ICEParameters": "IceParameters",
		"ICECandidate": "IceCandidate", "DTLSParameters": "DtlsParameters", "MediaKind": "MediaKind",
	},
	"protocol": {
		"Layers": "Layers", "ConsumerLayers": "PreferredLayers", "ConsumerScore": "ConsumerScore", "EncodingScore": "EncodingScore",
		"SCTPStreamParameters": "SctpStreamParameters", "AppData": "AppData",
	},
}

type tsWriter struct {
	strings.Builder
	api *api
}

func tsClient(a *api) []byte {
	body := &tsWriter{api: a}
	body.commands()
	body.events()
	for i := range kindsOfObjects {
		body.handle(&kindsOfObjects[i])
	}
	body.structures()
	head := &tsWriter{api: a}
	head.line("// Made from the tables of /takos-api by go generate; not to be edited.")
	for _, file := range []string{"protocol", "rtp"} {
		var names []string
		for _, name := range writtenForTS[file] {
			if mentions(body.String(), name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		head.line("import type {\n  %s,\n} from \"./%s.js\";", strings.Join(names, ",\n  "), file)
	}
	return []byte(head.String() + body.String())
}

func mentions(text, name string) bool {
	return regexp.MustCompile(`\b` + name + `\b`).MatchString(text)
}

func (w *tsWriter) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// doc writes a comment on what follows.
func (w *tsWriter) doc(indent, text string) {
	if text == "" {
		return
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	if len(indent)+len(text) < 110 {
		w.line("%s/** %s */", indent, text)
		return
	}
	w.line("%s/**", indent)
	line := indent + " *"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 110 {
			w.line("%s", line)
			line = indent + " *"
		}
		line += " " + word
	}
	w.line("%s\n%s */", line, indent)
}

// tsName is a Go name by the customs of TypeScript: RtpParameters.
func tsName(name string) string {
	for _, names := range writtenForTS {
		if own := names[name]; own != "" {
			return own
		}
	}
	runes := []rune(name)
	for i := 1; i < len(runes); i++ {
		endsWord := i+1 < len(runes) && unicode.IsLower(runes[i+1]) && runes[i+1] != 's' && i+1 != len(runes)-1
		if unicode.IsUpper(rune(name[i-1])) && !endsWord {
			runes[i] = unicode.ToLower(runes[i])
		}
	}
	return string(runes)
}

func isWrittenForTS(name string) bool {
	return writtenForTS["rtp"][name] != "" || writtenForTS["protocol"][name] != ""
}

func tsAddress(k *kindOfObject) string { return tsName(k.goName) + "Address" }

func (w *tsWriter) commands() {
	w.line("\n/** Each command of an object with what it takes and what it answers. */\nexport interface ObjectCommands {")
	for i := range w.api.methods {
		m := &w.api.methods[i]
		w.doc("  ", m.command.doc)
		w.line("  %q: [%s, %s];", m.command.name, w.taken(m), w.answered(m))
	}
	w.line("}")
}

// taken is the type of a command's data.
func (w *tsWriter) taken(m *method) string {
	var parts []string
	if m.of != nil {
		parts = append(parts, tsAddress(m.of))
	}
	switch {
	case m.options != "":
		parts = append(parts, tsName(m.options))
	case len(m.parameters) > 0:
		var fields []string
		for i := range m.parameters {
			p := &m.parameters[i]
			fields = append(fields, p.json+optionalMark(p)+": "+w.fieldType(p))
		}
		parts = append(parts, "{ "+strings.Join(fields, "; ")+" }")
	}
	if parts == nil {
		return "Record<string, never>"
	}
	return strings.Join(parts, " & ")
}

// surely are the fields of an info that what a command makes has.
var surely = map[string][]string{
	"router.createWebRtcTransport": {"iceParameters", "iceCandidates", "iceState", "dtlsParameters", "dtlsState"},
	"router.createPlainTransport":  {"tuple", "rtcpMux", "comedia"},
	"router.createPipeTransport":   {"tuple", "rtx"},
}

func (w *tsWriter) answered(m *method) string {
	switch fields := surely[m.command.name]; {
	case fields != nil:
		return fmt.Sprintf(`Having<%s, "%s">`, w.typeName(m.answer), strings.Join(fields, `" | "`))
	case m.unwrap != nil:
		return "{ " + m.unwrap.json + ": " + w.fieldType(m.unwrap) + " }"
	case m.answer == nil:
		return "void"
	}
	return w.typeName(m.answer)
}

func optionalMark(p *property) string {
	if p.optional {
		return "?"
	}
	return ""
}

func (w *tsWriter) events() {
	w.line("\n/** What is told of objects, by name. */\nexport interface ObjectEvents {")
	for i := range w.api.events {
		e := &w.api.events[i]
		w.doc("  ", e.doc)
		typ := ""
		if len(e.address) == len(e.of.address) {
			typ = tsAddress(e.of)
		}
		var fields []string
		for j := range e.fields {
			if p := &e.fields[j]; typ == "" || !slices.Contains(e.address, p.json) {
				fields = append(fields, p.json+optionalMark(p)+": "+w.fieldType(p))
			}
		}
		if fields != nil && typ != "" {
			typ += " & "
		}
		if fields != nil {
			typ += "{ " + strings.Join(fields, "; ") + " }"
		}
		w.line("  %q: %s;", e.name, typ)
	}
	w.line("}\n\n/** The names of the objects' events. */\nexport const OBJECT_EVENTS: readonly (keyof ObjectEvents)[] = [")
	for i := range w.api.events {
		w.line("  %q,", w.api.events[i].name)
	}
	w.line("];\n")
	w.line("/** Who sends the commands of handles: a TakosCallClient. */\nexport interface ObjectCaller {")
	w.line("  request<Name extends keyof ObjectCommands>(command: Name, data: ObjectCommands[Name][0]): Promise<ObjectCommands[Name][1]>;\n}\n")
	w.line("/** A handle that was made from an answer, which is its info. */")
	w.line("export type Described<Handle extends { info: unknown }, Info = NonNullable<Handle[\"info\"]>> = Handle & { readonly info: Info };\n")
	w.line("/** An info that has fields which others of its kind may lack. */")
	w.line("export type Having<Info, Fields extends keyof Info> = Info & Required<Pick<Info, Fields>>;")
}

func (w *tsWriter) handle(k *kindOfObject) {
	name, address, info := tsName(k.goName), tsAddress(k), tsName(structName(k.info))
	w.line("\n/** Names %s. */\nexport interface %s {", k.doc, address)
	for _, field := range k.address {
		w.line("  %s: string;", field)
	}
	w.line("}\n")
	w.doc("", fmt.Sprintf("A handle of %s. It is an address and stays good across lost connections, until the object is closed.", k.doc))
	w.line("export class %s {", name)
	w.line("  readonly #caller: ObjectCaller;\n  readonly address: %s;", address)
	w.line("  /** It as it was when the handle was made from an answer; undefined in one made from an id. */\n  readonly info: %s | undefined;\n", info)
	w.line("  constructor(caller: ObjectCaller, address: %s, info?: %s) {", address, info)
	w.line("    this.#caller = caller;\n    this.address = address;\n    this.info = info;\n  }\n")
	w.line("  get id(): string {\n    return this.address.%s;\n  }", k.id())
	for i := range kindsOfObjects {
		if part := &kindsOfObjects[i]; part.parent == k.name {
			partName := tsName(part.goName)
			w.line("\n  /** A handle made from an id. The server is not asked. */")
			w.line("  %s(%s: string): %s {", strings.ToLower(partName[:1])+partName[1:], part.id(), partName)
			w.line("    return new %s(this.#caller, { ...this.address, %s });\n  }", partName, part.id())
		}
	}
	for i := range w.api.methods {
		if m := &w.api.methods[i]; m.of == k {
			w.method(m)
		}
	}
	w.line("}")
}

func (w *tsWriter) method(m *method) {
	arguments, sent := w.arguments(m)
	w.line("")
	w.doc("  ", m.command.doc)
	call := fmt.Sprintf("this.#caller.request(%q, %s)", m.command.name, sent)
	switch {
	case m.makes != nil:
		made := tsName(m.makes.goName)
		var address []string
		for _, f := range m.makes.address {
			if f == m.makes.id() {
				address = append(address, f+": info.id")
			} else {
				address = append(address, f+": this.address."+f)
			}
		}
		described := "Described<" + made + ">"
		if surely[m.command.name] != nil {
			described = "Described<" + made + ", " + w.answered(m) + ">"
		}
		w.line("  async %s(%s): Promise<%s> {\n    const info = await %s;", m.name, arguments, described, call)
		w.line("    return new %s(this.#caller, { %s }, info) as %s;\n  }", made, strings.Join(address, ", "), described)
	case m.unwrap != nil:
		w.line("  async %s(%s): Promise<%s> {\n    return (await %s).%s;\n  }", m.name, arguments, w.fieldType(m.unwrap), call, m.unwrap.json)
	default:
		w.line("  %s(%s): Promise<%s> {\n    return %s;\n  }", m.name, arguments, w.answered(m), call)
	}
}

func (w *tsWriter) arguments(m *method) (arguments, sent string) {
	if len(m.parameters) == 0 {
		return "", "this.address"
	}
	if m.options != "" {
		arguments = "options: " + tsName(m.options)
		if !slices.ContainsFunc(m.parameters, func(p property) bool { return !p.optional }) {
			arguments += " = {}"
		}
		return arguments, "{ ...this.address, ...options }"
	}
	var list, names []string
	for i := range m.parameters {
		p := &m.parameters[i]
		argument := p.json + ": " + w.fieldType(p)
		if p.optional && p.typ.Kind() == reflect.Slice {
			argument += " = []"
		}
		list, names = append(list, argument), append(names, p.json)
	}
	return strings.Join(list, ", "), "{ ...this.address, " + strings.Join(names, ", ") + " }"
}

// structures writes those that are mentioned.
func (w *tsWriter) structures() {
	written := map[string]bool{}
	for again := true; again; {
		again = false
		for _, s := range w.api.structs {
			if name := tsName(s.name); !written[name] && !isWrittenForTS(s.name) && (isTrace(s.name) || mentions(w.String(), name)) {
				written[name], again = true, true
				w.structure(name, s)
			}
		}
	}
}

func isTrace(name string) bool {
	return slices.ContainsFunc(traceInfos, func(t reflect.Type) bool { return structName(t) == name })
}

func (w *tsWriter) structure(name string, s structure) {
	w.line("")
	if s.doc != "" {
		w.doc("", name+" "+s.doc)
	}
	w.line("export interface %s {", name)
	for i := range s.fields {
		p := &s.fields[i]
		text := p.doc
		if first, rest, more := strings.Cut(text, " "); more && first == p.goName {
			text = strings.TrimPrefix(strings.TrimPrefix(rest, "is "), "are ")
		}
		w.doc("  ", text)
		w.line("  %s%s: %s;", p.json, optionalMark(p), w.fieldType(p))
	}
	w.line("}")
}

func (w *tsWriter) fieldType(p *property) string {
	t := p.typ
	nullable := t.Kind() == reflect.Pointer && !p.optional
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case p.json == "appData":
		return "AppData"
	case slices.Equal(p.enum, []string{"audio", "video"}):
		return "MediaKind"
	case p.enum != nil:
		return `"` + strings.Join(p.enum, `" | "`) + `"`
	case nullable && !p.required:
		return w.typeName(t) + " | null"
	}
	return w.typeName(t)
}

func (w *tsWriter) typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[listenIP]():
		return "string | { ip: string; announcedIp?: string }"
	case wordsOf[t] != nil && t != reflect.TypeFor[ortc.MediaKind]():
		return `"` + strings.Join(wordsOf[t], `" | "`) + `"`
	case t == rawMessage:
		return "unknown"
	case t == reflect.TypeFor[ortc.MediaKind]():
		return "MediaKind"
	case t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && isText(t):
		return "string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Interface:
		return "unknown"
	case reflect.Pointer:
		return w.typeName(t.Elem())
	case reflect.Slice:
		if of := w.typeName(t.Elem()); strings.Contains(of, "|") {
			return "(" + of + ")[]"
		} else {
			return of + "[]"
		}
	case reflect.Map:
		return "Record<string, " + w.typeName(t.Elem()) + ">"
	case reflect.Struct:
		return tsName(structName(t))
	}
	return "number"
}
