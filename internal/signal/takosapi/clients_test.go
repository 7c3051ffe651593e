package takosapi

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
)

//go:generate go test -run TestClientsAreCurrent -update .

// TestClientsAreCurrent compares the parts of the clients for Go and TypeScript
// that are made from the tables of the objects' commands and events.
func TestClientsAreCurrent(t *testing.T) {
	api := readAPI(t)
	for name, want := range map[string][]byte{
		"../../../client/objects_gen.go":        goClient(t, api),
		"../../../sdk/takos-api/src/objects.ts": tsClient(api),
	} {
		have, _ := os.ReadFile(name)
		switch {
		case bytes.Equal(have, want):
		case !*update:
			t.Errorf("%s is not what the tables say; go generate writes it", path.Base(name))
		default:
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Error(err)
			}
		}
	}
}

// kindOfObject is a kind of object that commands have in front of their names.
type kindOfObject struct {
	name    string
	goName  string
	doc     string
	parent  string   // whose method makes a handle from an id; empty for the client
	address []string // the fields that name one, its own id at the end
	info    reflect.Type
}

var kindsOfObjects = []kindOfObject{
	{"worker", "Worker", "a worker: routers and WebRTC servers that belong together", "", []string{"workerId"}, reflect.TypeFor[WorkerInfo]()},
	{"webRtcServer", "WebRTCServer", "a WebRTC server: sockets that webrtc transports share", "worker", []string{"workerId", "webRtcServerId"}, reflect.TypeFor[WebRTCServerInfo]()},
	{"router", "Router", "a router, of a worker or of a room", "", []string{"routerId"}, reflect.TypeFor[RouterInfo]()},
	{"transport", "Transport", "a transport of any type", "router", []string{"routerId", "transportId"}, reflect.TypeFor[RouterTransportInfo]()},
	{"producer", "Producer", "a producer: media that comes in", "router", []string{"routerId", "producerId"}, reflect.TypeFor[RouterProducerInfo]()},
	{"consumer", "Consumer", "a consumer: media that goes out", "router", []string{"routerId", "consumerId"}, reflect.TypeFor[RouterConsumerInfo]()},
	{"dataProducer", "DataProducer", "a data producer: messages that come in", "router", []string{"routerId", "dataProducerId"}, reflect.TypeFor[RouterDataProducerInfo]()},
	{"dataConsumer", "DataConsumer", "a data consumer: messages that go out", "router", []string{"routerId", "dataConsumerId"}, reflect.TypeFor[RouterDataConsumerInfo]()},
	{"rtpObserver", "RTPObserver", "an observer of who speaks", "router", []string{"routerId", "rtpObserverId"}, reflect.TypeFor[RTPObserverInfo]()},
}

func (k *kindOfObject) id() string { return k.address[len(k.address)-1] }

// api is what the clients are made from.
type api struct {
	methods []method
	structs []structure // of what is sent and received, by name
	events  []eventKind
	docs    map[string]string // comments of the source by "package.Type" and "package.Type.Field"
}

// method is a command as a client has it.
type method struct {
	command    *command
	name       string        // without object
	of         *kindOfObject // nil for one of the client itself
	parameters []property    // besides the object's address
	options    string        // the name of the struct they are in; empty for arguments
	answer     reflect.Type  // nil for none
	unwrap     *property     // the only field of the answer
	makes      *kindOfObject // what the answer is the info of
}

// property is a field of a struct.
type property struct {
	json     string
	goName   string
	doc      string
	typ      reflect.Type
	optional bool
	required bool   // of what is sent
	omit     string // the option of the json tag, of what the server sends
	enum     []string
	base64   bool
}

// structure is a struct with a name that the clients have too.
type structure struct {
	name   string
	doc    string
	fields []property
	sent   bool // to the server
}

// eventKind is an event of objects.
type eventKind struct {
	name    string
	of      *kindOfObject
	doc     string
	fields  []property
	address []string // those of the fields that name the object
}

// optionsNames are the names of the structs with a command's parameters.
var optionsNames = map[string]string{
	"worker.create":                      "WorkerOptions",
	"worker.updateSettings":              "WorkerSettings",
	"worker.createWebRtcServer":          "WebRTCServerOptions",
	"worker.createRouter":                "RouterOptions",
	"router.createWebRtcTransport":       "WebRTCTransportOptions",
	"router.createPlainTransport":        "PlainTransportOptions",
	"router.createPipeTransport":         "PipeTransportOptions",
	"router.createDirectTransport":       "DirectTransportOptions",
	"router.createActiveSpeakerObserver": "ActiveSpeakerObserverOptions",
	"router.createAudioLevelObserver":    "AudioLevelObserverOptions",
	"router.pipeToRouter":                "PipeToRouterOptions",
	"transport.connect":                  "ConnectOptions",
	"transport.produce":                  "ProduceOptions",
	"transport.consume":                  "ConsumeOptions",
	"transport.produceData":              "ProduceDataOptions",
	"transport.consumeData":              "ConsumeDataOptions",
	"dataProducer.send":                  "DataProducerMessage",
	"dataConsumer.send":                  "DataConsumerMessage",
	"consumer.setPreferredLayers":        "ConsumerLayers",
}

// traceInfos are what Trace.Info is.
var traceInfos = []reflect.Type{
	reflect.TypeFor[sfu.PacketTrace](), reflect.TypeFor[sfu.SSRCTrace](), reflect.TypeFor[sfu.SenderReportTrace](), reflect.TypeFor[sfu.BWETrace](),
}

func readAPI(t *testing.T) *api {
	a := &api{docs: comments(t, "../../ortc", "../../sfu", "../../ice", "../../dtls", "../../worker", ".")}
	for i := range objectCommands {
		a.methods = append(a.methods, a.method(t, &objectCommands[i]))
	}
	for _, e := range objectEvents {
		a.events = append(a.events, a.event(t, e))
	}
	for _, t := range traceInfos {
		a.add(t, false)
	}
	for _, m := range a.methods {
		for _, p := range m.parameters {
			a.add(p.typ, true)
		}
		if m.answer != nil {
			a.add(m.answer, false)
		}
	}
	for _, e := range a.events {
		for _, p := range e.fields {
			a.add(p.typ, false)
		}
	}
	slices.SortFunc(a.structs, func(x, y structure) int { return strings.Compare(x.name, y.name) })
	return a
}

func objectNamed(name string) *kindOfObject {
	i := slices.IndexFunc(kindsOfObjects, func(k kindOfObject) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return &kindsOfObjects[i]
}

func (a *api) method(t *testing.T, c *command) method {
	object, name, _ := strings.Cut(c.name, ".")
	m := method{command: c, name: name, of: objectNamed(object)}
	if m.of == nil && object != "room" {
		t.Fatalf("%s: the clients have no objects of that kind", c.name)
	}
	if m.of != nil && !slices.ContainsFunc(c.request.Fields, func(f signal.Field) bool { return f.Name == m.of.id() }) {
		m.of = nil // it makes or lists them
	}
	for _, p := range a.requested(c.requestType, c.request) {
		if m.of == nil || !slices.Contains(m.of.address, p.json) {
			m.parameters = append(m.parameters, p)
		}
	}
	if m.options = optionsNames[c.name]; m.options != "" {
		a.structs = append(a.structs, structure{m.options, "are the parameters of " + c.name, m.parameters, true})
	}
	if m.options == "" && len(m.parameters) > 1 && slices.ContainsFunc(m.parameters, func(p property) bool { return p.optional }) {
		t.Fatalf("%s: its parameters need a name in optionsNames", c.name)
	}
	if c.response == reflect.TypeFor[none]() {
		return m
	}
	m.answer = c.response
	for i, k := range kindsOfObjects {
		if k.info == c.response {
			m.makes = &kindsOfObjects[i]
		}
	}
	if fields := a.answered(c.response); m.makes == nil && len(fields) == 1 {
		m.unwrap, m.answer = &fields[0], fields[0].typ
	}
	return m
}

func (a *api) event(t *testing.T, row objectEventRow) eventKind {
	object, _, _ := strings.Cut(string(row.name), ".")
	e := eventKind{name: string(row.name), of: objectNamed(object), doc: row.doc}
	if e.of == nil {
		t.Fatalf("%s: the clients have no objects of that kind", row.name)
	}
	for _, field := range row.fields {
		field, optional := strings.CutSuffix(field, "?")
		if slices.Contains(e.of.address, field) {
			e.address = append(e.address, field)
		}
		typ := fieldOfEvent(e.name, reflect.TypeFor[objectEvent](), field)
		if typ.Kind() == reflect.Pointer && !optional && eventFieldTypes[e.name][field] == nil {
			typ = typ.Elem()
		}
		p := property{json: field, goName: goName(field), typ: typ, optional: optional, base64: field == "packet" || field == "binary"}
		if optional {
			p.omit = "omitempty"
		}
		e.fields = append(e.fields, p)
	}
	return e
}

// requested are the fields of what is sent.
func (a *api) requested(t reflect.Type, o *signal.Object) (list []property) {
	for _, f := range o.Fields {
		at := slices.IndexFunc(reflect.VisibleFields(t), func(g reflect.StructField) bool {
			tag, _, _ := strings.Cut(g.Tag.Get("json"), ",")
			return tag == f.Name
		})
		g := reflect.VisibleFields(t)[at]
		list = append(list, property{
			json: f.Name, goName: goName(f.Name), doc: f.Doc, typ: g.Type, optional: !f.Required, required: f.Required, enum: f.Enum,
			base64: f.Kind == signal.String && strings.Contains(f.Doc, "base64"),
		})
	}
	return list
}

// answered are the fields of what is received, and of what is both.
func (a *api) answered(t reflect.Type) (list []property) {
	for _, f := range reflect.VisibleFields(t) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		p := property{json: name, goName: f.Name, doc: f.Tag.Get("doc"), typ: f.Type, omit: option}
		if inOptional(t, f) {
			p.omit = "omitempty"
			p.typ = reflect.PointerTo(f.Type)
		}
		p.optional = p.omit != ""
		if p.doc == "" {
			p.doc = a.fieldComment(t, f)
		}
		list = append(list, p)
	}
	return list
}

func (a *api) fieldComment(t reflect.Type, f reflect.StructField) string {
	for i := range f.Index[:len(f.Index)-1] { // of the struct that it really is in
		t = t.Field(f.Index[i]).Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return a.docs[path.Base(t.PkgPath())+"."+t.Name()+"."+f.Name]
}

// add adds the structs that a value of the type has in it.
func (a *api) add(t reflect.Type, sent bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[listenIP]() {
		return
	}
	name := structName(t)
	if at := slices.IndexFunc(a.structs, func(s structure) bool { return s.name == name }); at >= 0 {
		return
	}
	s := structure{name: name, sent: sent || path.Base(t.PkgPath()) == "ortc"}
	if ast.IsExported(t.Name()) {
		s.fields = a.answered(t)
		s.doc = withoutSubject(a.docs[path.Base(t.PkgPath())+"."+t.Name()])
	} else {
		s.fields = a.requested(t, signal.ObjectOf(t))
		s.doc = "is what commands take"
	}
	a.structs = append(a.structs, s)
	for _, p := range s.fields {
		a.add(p.typ, sent)
	}
}

// structNames are those of structs that go by another name in the clients.
var structNames = map[reflect.Type]string{
	reflect.TypeFor[objectLayers]():            "ConsumerLayers",
	reflect.TypeFor[dtlsParameters]():          "DTLSParameters",
	reflect.TypeFor[srtpParameters]():          "SRTPParameters",
	reflect.TypeFor[sctpStreamParameters]():    "SCTPStreamParameters",
	reflect.TypeFor[producerVolume]():          "ProducerVolume",
	reflect.TypeFor[ortc.RTPCodecCapability](): "Codec",
	reflect.TypeFor[sfu.SRTPParameters]():      "SRTPParameters",
}

func structName(t reflect.Type) string {
	if name := structNames[t]; name != "" {
		return name
	}
	return packagePrefix[path.Base(t.PkgPath())] + strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
}

var initialisms = regexp.MustCompile(`^(rtp|rtcp|rtx|ice|dtls|sctp|srtp|id|ids|ip|ips|udp|tcp|ppid|mid|dtx|ssrc|rid|rtc|ipv6)$`)

// goName is a field's or a command's name by the customs of Go.
func goName(name string) string {
	var words []string
	start := 0
	for i, r := range name + "A" {
		if i > start && r >= 'A' && r <= 'Z' {
			words = append(words, name[start:i])
			start = i
		}
	}
	for i, w := range words {
		switch lower := strings.ToLower(w); {
		case lower == "ids" || lower == "ips":
			words[i] = strings.ToUpper(w[:2]) + "s"
		case lower == "ipv6":
			words[i] = "IPv6"
		case initialisms.MatchString(lower):
			words[i] = strings.ToUpper(w)
		default:
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.ReplaceAll(strings.Join(words, ""), "WebRtc", "WebRTC")
}

// withoutSubject drops the name that a comment begins with.
func withoutSubject(comment string) string {
	_, rest, _ := strings.Cut(comment, " ")
	return strings.TrimSuffix(rest, ".")
}

// comments reads what is written at the structs of packages and at their fields.
func comments(t *testing.T, folders ...string) map[string]string {
	found := map[string]string{}
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
					commentsOf(g, file.Name.Name, found)
				}
			}
		}
	}
	return found
}

func commentsOf(g *ast.GenDecl, in string, found map[string]string) {
	for _, spec := range g.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		key := in + "." + s.Name.Name
		if found[key] = oneLine(s.Doc); found[key] == "" {
			found[key] = oneLine(g.Doc)
		}
		of, ok := s.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range of.Fields.List {
			for _, n := range f.Names {
				text := oneLine(f.Doc)
				if text == "" {
					text = oneLine(f.Comment)
				}
				found[key+"."+n.Name] = text
			}
		}
	}
}

func oneLine(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	return strings.Join(strings.Fields(c.Text()), " ")
}

// The words that the description has are those that the source has.
func TestWordsAreThoseOfTheSource(t *testing.T) {
	found := map[string][]string{}
	for _, folder := range []string{"../../ortc", "../../sfu", "../../ice", "../../dtls", "../../sctp"} {
		names, _ := filepath.Glob(filepath.Join(folder, "*.go"))
		for _, name := range names {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
					of, _ := spec.Type.(*ast.Ident)
					value, _ := spec.Values[0].(*ast.BasicLit)
					if of != nil && value != nil {
						key := file.Name.Name + "." + of.Name
						found[key] = append(found[key], strings.Trim(value.Value, `"`))
					}
				}
				return true
			})
		}
	}
	for of, words := range wordsOf {
		if !slices.Equal(found[of.String()], words) {
			t.Errorf("%v has the words %q, and the source has %q", of, words, found[of.String()])
		}
	}
}

// isText reports whether a type is a string in JSON.
func isText(t reflect.Type) bool {
	_, marshals := reflect.Zero(t).Interface().(interface{ MarshalText() ([]byte, error) })
	return t.Kind() == reflect.String || marshals
}

var rawMessage = reflect.TypeFor[json.RawMessage]()
