package takosapi

import (
	"fmt"
	"go/format"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
)

// writtenForGo are the structs that package client has of its own.
var writtenForGo = map[string]bool{
	"Layers": true, "ConsumerLayers": true, "ConsumerScore": true, "EncodingScore": true, "Codec": true, "RTCPFeedback": true,
	"DataProducerStats": true, "DataConsumerStats": true,
}

type goWriter struct {
	strings.Builder
	api *api
}

func goClient(t *testing.T, a *api) []byte {
	w := &goWriter{api: a}
	w.line("// Code generated from the tables of /takos-api. DO NOT EDIT.\n")
	w.line("package client\n")
	w.line("import (\n\"context\"\n\"encoding/json\"\n)\n")
	for i := range kindsOfObjects {
		w.handle(&kindsOfObjects[i])
	}
	for i := range a.methods {
		w.method(&a.methods[i])
	}
	for _, s := range a.structs {
		if !writtenForGo[s.name] {
			w.structure(s)
		}
	}
	w.events()
	text, err := format.Source([]byte(w.String()))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, w.String())
	}
	return text
}

func (w *goWriter) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// comment writes a text in lines of comments.
func (w *goWriter) comment(text string) {
	line := "//"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 79 {
			w.line("%s", line)
			line = "//"
		}
		line += " " + word
	}
	w.line("%s", line)
}

func addressName(k *kindOfObject) string {
	return strings.ReplaceAll(k.name, "webRtc", "webRTC") + "Address"
}

// receiver is the name that methods have for the object; options are o.
func (k *kindOfObject) receiver() string { return strings.ToLower(k.goName[:1]) }

func (w *goWriter) handle(k *kindOfObject) {
	address := addressName(k)
	w.line("type %s struct {", address)
	for _, field := range k.address {
		w.line("%s string `json:%q`", goName(field), field)
	}
	w.line("}\n")
	w.comment(fmt.Sprintf("%s is a handle of %s. It is an address, which may be copied, kept and used from any goroutine; it stays good across lost connections, until the object is closed.", k.goName, k.doc))
	w.line("type %s struct {", k.goName)
	w.comment("Info describes it as it was when the handle was made from an answer. In a handle made from an id it has the id alone.")
	w.line("Info %s\n", structName(k.info))
	w.line("client *Client\naddress %s\n}\n", address)
	w.line("// ID returns the id of the object.\nfunc (%s *%s) ID() string { return %[1]s.address.%[3]s }\n", k.receiver(), k.goName, goName(k.id()))
	receiver, client, fields := "c *Client", "c", ""
	if parent := objectNamed(k.parent); parent != nil {
		receiver, client = parent.receiver()+" *"+parent.goName, parent.receiver()+".client"
		for _, f := range parent.address {
			if f != k.id() {
				fields += parent.receiver() + ".address." + goName(f) + ", "
			}
		}
	}
	w.comment(fmt.Sprintf("%s returns a handle made from an id. The server is not asked; if there is no such object, what is done with the handle fails.", k.goName))
	w.line("func (%s) %s(id string) *%s {", receiver, k.goName, k.goName)
	w.line("return &%s{Info: %s{ID: id}, client: %s, address: %s{%sid}}\n}\n", k.goName, structName(k.info), client, address, fields)
}

// methodNames are those of methods that would read badly by the rule.
var methodNames = map[string]string{
	"worker.create": "CreateWorker", "worker.list": "Workers", "room.getRouter": "RoomRouter",
}

func (m *method) goName() string {
	if name := methodNames[m.command.name]; name != "" {
		return name
	}
	name := goName(m.name)
	if rest, get := strings.CutPrefix(name, "Get"); get {
		return rest
	}
	return name
}

func (w *goWriter) method(m *method) {
	w.comment(m.goDoc())
	receiver, client, address := "c *Client", "c", ""
	if m.of != nil {
		r := m.of.receiver()
		receiver, client, address = r+" *"+m.of.goName, r+".client", r+".address"
	}
	arguments, sent := w.arguments(m, address)
	result := "error"
	if m.answer != nil {
		result = "(" + w.answerType(m) + ", error)"
	}
	w.line("func (%s) %s(ctx context.Context%s) %s {", receiver, m.goName(), arguments, result)
	switch {
	case m.answer == nil:
		w.line("return %s.Call(ctx, %q, %s, nil)", client, m.command.name, sent)
	case m.makes != nil:
		w.line("info, err := answerOf[%s](ctx, %s, %q, %s)", structName(m.makes.info), client, m.command.name, sent)
		w.line("if err != nil {\nreturn nil, err\n}")
		w.line("return &%s{info, %s, %s{%s}}, nil", m.makes.goName, client, addressName(m.makes), w.addressOf(m))
	case m.unwrap != nil:
		w.line("answer, err := answerOf[struct {\n%s %s `json:%q`\n}](ctx, %s, %q, %s)", m.unwrap.goName, w.goType(m.unwrap, false), m.unwrap.json, client, m.command.name, sent)
		w.line("return answer.%s, err", m.unwrap.goName)
	default:
		w.line("return answerOf[%s](ctx, %s, %q, %s)", w.answerType(m), client, m.command.name, sent)
	}
	w.line("}\n")
}

// addressOf is the address of what a method makes.
func (w *goWriter) addressOf(m *method) string {
	var fields []string
	for _, f := range m.makes.address {
		switch {
		case f == m.makes.id():
			fields = append(fields, "info.ID")
		default:
			fields = append(fields, m.of.receiver()+".address."+goName(f))
		}
	}
	return strings.Join(fields, ", ")
}

func (m *method) goDoc() string {
	doc := m.command.doc
	switch first, _, _ := strings.Cut(doc, " "); first {
	case "Figures":
		doc = "returns f" + doc[1:]
	default:
		doc = strings.ToLower(doc[:1]) + doc[1:]
	}
	text := m.goName() + " " + doc
	for _, p := range m.parameters {
		if m.options == "" && p.doc != "" {
			text += fmt.Sprintf(" The %s: %s.", argumentName(p), p.doc)
		}
	}
	if len(m.command.errors) > 0 {
		var names []string
		for _, code := range m.command.errors {
			names = append(names, codeName(code))
		}
		text += " Codes: " + strings.Join(names, ", ") + "."
	}
	return text + " (" + m.command.name + ")"
}

// codeName is the name of a code's constant in package client.
func codeName(code Code) string {
	words := strings.Split(strings.ToLower(string(code)), "_")
	for i, word := range words {
		words[i] = goName(word)
	}
	return strings.ReplaceAll(strings.Join(words, ""), "Webrtc", "WebRTC")
}

func argumentName(p property) string {
	if name := p.json; name != "types" {
		return strings.ReplaceAll(name, "Id", "ID")
	}
	return p.json
}

// arguments are a method's, and the expression of the data that is sent.
func (w *goWriter) arguments(m *method, address string) (arguments, sent string) {
	if len(m.parameters) == 0 {
		if address == "" {
			return "", "nil"
		}
		return "", address
	}
	fields, values := "", ""
	if address != "" {
		fields, values = addressName(m.of)+"\n", address+", "
	}
	if m.options != "" {
		name := m.options
		if writtenForGo[name] {
			name = "Layers"
		}
		if address == "" {
			return ", o " + name, "o"
		}
		return ", o " + name, fmt.Sprintf("struct {\n%s%s\n}{%so}", fields, name, values)
	}
	var names []string
	for i := range m.parameters {
		p := &m.parameters[i]
		arguments += ", " + argumentName(*p) + " " + w.goType(p, true)
		fields += fmt.Sprintf("%s %s `json:\"%s\"`\n", p.goName, w.goType(p, true), p.json)
		names = append(names, argumentName(*p))
	}
	return arguments, fmt.Sprintf("struct {\n%s}{%s%s}", fields, values, strings.Join(names, ", "))
}

func (w *goWriter) answerType(m *method) string {
	switch {
	case m.makes != nil:
		return "*" + m.makes.goName
	case m.unwrap != nil:
		return w.goType(m.unwrap, false)
	}
	return structName(m.answer)
}

func (w *goWriter) structure(s structure) {
	if s.doc == "" {
		s.doc = "is a part of what the server sends"
	}
	w.comment(s.name + " " + s.doc + ".")
	w.line("type %s struct {", s.name)
	w.fields(s.fields, s.sent)
	w.line("}\n")
}

func (w *goWriter) fields(fields []property, sent bool) {
	for i := range fields {
		p := &fields[i]
		w.fieldDoc(p)
		tag := p.json
		switch kind := p.typ.Kind(); {
		case p.omit != "":
			tag += "," + p.omit
		case sent && p.optional:
			tag += ",omitzero"
		case sent && (kind == reflect.Slice || kind == reflect.Map || kind == reflect.Struct || kind == reflect.String):
			tag += ",omitzero" // null and "" would be refused
		}
		w.line("%s %s `json:\"%s\"`", p.goName, w.goType(p, sent), tag)
	}
}

func (w *goWriter) fieldDoc(p *property) {
	text := p.doc
	if p.enum != nil {
		text += " (" + strings.Join(p.enum, ", ") + ")"
	}
	if text == "" {
		return
	}
	if first, _, _ := strings.Cut(text, " "); first != p.goName {
		text = p.goName + ": " + text
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	w.comment(text)
}

// goType is the type of a field in package client.
func (w *goWriter) goType(p *property, sent bool) string {
	switch {
	case p.base64:
		return "[]byte"
	case slices.Equal(p.enum, []string{"audio", "video"}):
		return "MediaKind"
	}
	return w.typeName(p.typ, sent)
}

func (w *goWriter) typeName(t reflect.Type, sent bool) string {
	switch {
	case t == reflect.TypeFor[objectLayers]():
		return "*Layers"
	case t == reflect.TypeFor[listenIP]():
		return "ListenIP"
	case t == rawMessage && sent:
		return "any"
	case t == rawMessage:
		return "json.RawMessage"
	case t == reflect.TypeFor[time.Time]():
		return "time.Time"
	case t == reflect.TypeFor[ortc.MediaKind]():
		return "MediaKind"
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		return "json.RawMessage"
	case t.Kind() != reflect.Pointer && isText(t):
		return "string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + w.typeName(t.Elem(), sent)
	case reflect.Slice:
		return "[]" + w.typeName(t.Elem(), sent)
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			return "map[string]any"
		}
		return "map[string]" + w.typeName(t.Elem(), sent)
	case reflect.Struct:
		return structName(t)
	}
	return t.Kind().String()
}

// wordsOfEvents are the names of events that are several words.
var wordsOfEvents = map[string]string{
	"newrouter": "NewRouter", "newwebrtcserver": "NewWebRTCServer", "newtransport": "NewTransport", "newrtpobserver": "NewRTPObserver",
	"newproducer": "NewProducer", "newconsumer": "NewConsumer", "newdataproducer": "NewDataProducer", "newdataconsumer": "NewDataConsumer",
	"icestatechange": "ICEStateChange", "iceselectedtuplechange": "ICESelectedTupleChange", "dtlsstatechange": "DTLSStateChange",
	"sctpstatechange": "SCTPStateChange", "rtcptuple": "RTCPTuple", "rtcp": "RTCP", "rtp": "RTP", "layerschange": "LayersChange",
	"videoorientationchange": "VideoOrientationChange", "producerpause": "ProducerPause", "producerresume": "ProducerResume",
	"dataproducerpause": "DataProducerPause", "dataproducerresume": "DataProducerResume", "sctpsendbufferfull": "SCTPSendBufferFull",
	"bufferedamountlow": "BufferedAmountLow", "addproducer": "AddProducer", "removeproducer": "RemoveProducer", "dominantspeaker": "DominantSpeaker",
}

func (e *eventKind) goName() string {
	_, name, _ := strings.Cut(e.name, ".")
	if words := wordsOfEvents[name]; words != "" {
		name = words
	}
	return "Event" + e.of.goName + strings.ToUpper(name[:1]) + name[1:]
}

func (w *goWriter) events() {
	for i := range w.api.events {
		e := &w.api.events[i]
		w.comment(fmt.Sprintf("%s tells: %s (%s)", e.goName(), e.doc, e.name))
		w.line("type %s struct {", e.goName())
		w.fields(e.fields, false)
		w.line("}\n")
	}
	for i := range w.api.events {
		w.line("func (%s) event() {}", w.api.events[i].goName())
	}
	w.line("\n// objectEventDecoders are the names of the objects' events on the wire.")
	w.line("var objectEventDecoders = map[string]func(json.RawMessage) (Event, error){")
	for i := range w.api.events {
		w.line("%q: decodeEvent[%s],", w.api.events[i].name, w.api.events[i].goName())
	}
	w.line("}")
}
