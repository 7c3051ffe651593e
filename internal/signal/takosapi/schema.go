package takosapi

import (
	"encoding"
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal"
)

// descriptionName is where the description of the door is, below Path.
const descriptionName = "asyncapi.json"

// object is a JSON object of the description.
type object = map[string]any

// description describes all messages in the terms of AsyncAPI 3.0, whose
// schemas are JSON Schema. It is made from the tables that commands are
// dispatched by and events are checked against.
var description = sync.OnceValue(func() object {
	d := describer{object{}, map[string]reflect.Type{}}
	messages, operations := object{}, object{}
	for _, c := range concat(commands, objectCommands) {
		messages[c.name], messages[c.name+".response"] = d.request(&c), d.response(&c)
		operations[c.name] = object{
			"action": "receive", "channel": ref("channels", channel), "summary": c.doc,
			"messages":     []any{channelMessage(c.name)},
			"reply":        object{"channel": ref("channels", channel), "messages": []any{channelMessage(c.name + ".response"), channelMessage(failureMessage)}},
			"x-read-only":  c.readOnly,
			"x-idempotent": c.creates,
			"x-errors":     c.errors,
		}
	}
	messages[failureMessage] = d.failure()
	for _, e := range events {
		d.event(messages, operations, string(e.name), e.doc, append(slices.Clone(e.fields), "roomId?"), reflect.TypeFor[eventData]())
	}
	for _, e := range objectEvents {
		d.event(messages, operations, string(e.name), e.doc, e.fields, reflect.TypeFor[objectEvent]())
	}
	inChannel := object{}
	for name := range messages {
		inChannel[name] = ref("components/messages", name)
	}
	return object{
		"asyncapi": "3.0.0",
		"info": object{
			"title":       "takos-call " + Path,
			"version":     "1.0.0",
			"description": "The remote control of takos-call. Every message goes over one WebSocket; each command can be a POST to " + Path + "/COMMAND as well, with data as its body.",
		},
		"defaultContentType": "application/json",
		"channels":           object{channel: object{"address": Path, "messages": inChannel}},
		"operations":         operations,
		"components":         object{"messages": messages, "schemas": d.schemas},
	}
})

const (
	channel        = "takosApi"
	failureMessage = "failure"
)

func ref(parts ...string) object {
	for i, part := range parts[1:] {
		parts[i+1] = strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	}
	return object{"$ref": "#/" + strings.Join(parts, "/")}
}

func channelMessage(name string) object { return ref("channels", channel, "messages", name) }

// describer makes schemas; those of structs with a name are kept once.
type describer struct {
	schemas object
	types   map[string]reflect.Type // of the schemas
}

func (d describer) request(c *command) object {
	payload := object{
		"type": "object", "required": []string{"type"},
		"properties": object{
			"type": object{"const": c.name},
			"id":   object{"type": []string{"string", "integer"}, "description": "comes back in the response"},
			"data": d.checked(c.request),
		},
	}
	if slices.ContainsFunc(c.request.Fields, func(f signal.Field) bool { return f.Required }) {
		payload["required"] = []string{"type", "data"}
	}
	return object{"name": c.name, "summary": c.doc, "payload": payload}
}

func (d describer) response(c *command) object {
	properties := object{"type": object{"const": "response"}, "id": object{"type": []string{"string", "integer"}}, "success": object{"const": true}}
	required := []string{"type", "id", "success"}
	if c.response != reflect.TypeFor[none]() {
		properties["data"] = d.schema(c.response)
		required = append(required, "data")
	}
	return object{"name": c.name + ".response", "payload": object{"type": "object", "required": required, "properties": properties}}
}

func (d describer) failure() object {
	list := make([]Code, len(codes))
	for i, row := range codes {
		list[i] = row.code
	}
	return object{"name": failureMessage, "payload": object{
		"type": "object", "required": []string{"type", "id", "success", "error"},
		"properties": object{
			"type": object{"const": "response"}, "id": object{"type": []string{"string", "integer"}}, "success": object{"const": false},
			"error": object{
				"type": "object", "required": []string{"code", "message"},
				"properties": object{"code": object{"enum": list}, "message": object{"type": "string"}},
			},
		},
	}}
}

// event adds an event that carries some fields of a struct.
func (d describer) event(messages, operations object, name, doc string, fields []string, of reflect.Type) {
	properties, required := object{"event": object{"const": name}}, []string{"event"}
	for _, f := range fields {
		field, optional := strings.CutSuffix(f, "?")
		properties[field] = d.schema(fieldOfEvent(name, of, field))
		if !optional {
			required = append(required, field)
		}
	}
	messages["event."+name] = object{"name": name, "summary": doc, "payload": object{
		"type": "object", "required": []string{"type", "data"},
		"properties": object{
			"type": object{"const": "event"},
			"data": object{"type": "object", "required": required, "properties": properties},
		},
	}}
	operations["event."+name] = object{
		"action": "send", "channel": ref("channels", channel), "summary": doc, "messages": []any{channelMessage("event." + name)},
	}
}

// fieldOfEvent is the type of a field of an event, which is one of a struct.
func fieldOfEvent(event string, of reflect.Type, name string) reflect.Type {
	if t := eventFieldTypes[event][name]; t != nil {
		return t
	}
	for _, f := range reflect.VisibleFields(of) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return f.Type
		}
	}
	panic("event " + event + " has no field " + name)
}

// eventFieldTypes are the types of fields that differ by event.
var eventFieldTypes = map[string]map[string]reflect.Type{
	string(room.ConsumerLayersChanged): {"layers": reflect.TypeFor[*Layers]()},
	string(room.ConsumerScored):        {"score": reflect.TypeFor[ConsumerScore]()},
	string(room.ProducerScored):        {"score": reflect.TypeFor[[]EncodingScore]()},
	string(room.ProducerLayersWanted):  {"wantedSpatialLayer": reflect.TypeFor[*uint8]()},
	"serverClosing":                    {"deadlineMs": reflect.TypeFor[int64]()},
	string(sfu.EventProducerScore):     {"score": reflect.TypeFor[[]EncodingScore]()},
	string(sfu.EventConsumerScore):     {"score": reflect.TypeFor[ConsumerScore]()},
	string(sfu.EventLayersChange):      {"layers": reflect.TypeFor[*Layers]()},
	string(sfu.EventTransportTrace):    {"trace": reflect.TypeFor[sfu.Trace]()},
	string(sfu.EventProducerTrace):     {"trace": reflect.TypeFor[sfu.Trace]()},
	string(sfu.EventConsumerTrace):     {"trace": reflect.TypeFor[sfu.Trace]()},
}

// checked is the schema of what a client sends, with what is checked of it.
func (d describer) checked(o *signal.Object) object {
	properties, required := object{}, []string{}
	for _, f := range o.Fields {
		properties[f.Name] = d.checkedField(f)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func (d describer) checkedField(f signal.Field) object {
	s := object{"description": f.Doc}
	switch {
	case f.Object != nil && f.Kind == signal.Array:
		s["items"] = d.checked(f.Object)
	case f.Object != nil:
		maps.Copy(s, d.checked(f.Object))
	}
	if f.Kind != signal.Any {
		s["type"] = string(f.Kind)
		if !f.Required {
			s["type"] = []string{string(f.Kind), "null"}
		}
	}
	if f.Enum != nil {
		s["enum"] = enumOf(f)
	}
	least, most, bounded := f.Bounds()
	if !bounded {
		return s
	}
	names := map[signal.JSONKind][2]string{
		signal.Integer: {"minimum", "maximum"}, signal.Array: {"minItems", "maxItems"}, signal.String: {"minLength", "maxLength"},
	}[f.Kind]
	if names[0] != "" {
		s[names[0]] = least
		if most > 0 {
			s[names[1]] = most
		}
	}
	return s
}

func enumOf(f signal.Field) []any {
	list := []any{}
	for _, word := range f.Enum {
		list = append(list, word)
	}
	if !f.Required {
		list = append(list, nil)
	}
	return list
}

// wordsOf are the values of types that have only some.
var wordsOf = map[reflect.Type][]string{
	reflect.TypeFor[sfu.ICEState]():        {"new", "connected", "completed", "disconnected", "closed"},
	reflect.TypeFor[sfu.DTLSState]():       {"new", "connecting", "connected", "failed", "closed"},
	reflect.TypeFor[sfu.DTLSRole]():        {"auto", "client", "server"},
	reflect.TypeFor[sfu.SCTPState]():       {"new", "connecting", "connected", "failed", "closed"},
	reflect.TypeFor[sfu.TransportType]():   {"webrtc", "plain", "pipe", "direct"},
	reflect.TypeFor[sfu.DataType]():        {"sctp", "direct"},
	reflect.TypeFor[sfu.RTPObserverType](): {"audiolevel", "activespeaker"},
	reflect.TypeFor[sfu.TraceType]():       {"rtp", "keyframe", "nack", "pli", "fir", "sr", "probation", "bwe"},
	reflect.TypeFor[ortc.MediaKind]():      {"audio", "video"},
	reflect.TypeFor[ortc.ProducerType]():   {"simple", "simulcast", "svc", "pipe"},
}

// schema is that of what the server sends.
func (d describer) schema(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		if words := wordsOf[t]; words != nil {
			return object{"enum": words}
		}
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Pointer:
		return object{"oneOf": []any{d.schema(t.Elem()), object{"type": "null"}}}
	case reflect.Struct:
		return d.structure(t)
	}
	return object{} // any
}

// packagePrefix makes names of packages that rely on theirs clear by themselves.
var packagePrefix = map[string]string{"ice": "ICE", "dtls": "DTLS"}

// structure refers to the schema of a struct, which it makes at first.
func (d describer) structure(t reflect.Type) object {
	name := packagePrefix[path.Base(t.PkgPath())] + t.Name()
	switch d.types[name] {
	case nil:
		d.types[name] = t // before its fields, as they may have it in them
		d.schemas[name] = d.fields(t)
	case t:
	default:
		panic("two structs have the name " + name)
	}
	return ref("components/schemas", name)
}

func (d describer) fields(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, tagged := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		s := d.schema(f.Type)
		if doc := f.Tag.Get("doc"); doc != "" {
			s = maps.Clone(s)
			s["description"] = doc
		}
		properties[name] = s
		if !(tagged && strings.Contains(options, "omit")) && !inOptional(t, f) {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required}
}

// inOptional reports whether a field is there only where a struct embedded by a
// pointer is.
func inOptional(t reflect.Type, f reflect.StructField) bool {
	for i := range f.Index[:len(f.Index)-1] {
		if t.FieldByIndex(f.Index[:i+1]).Type.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

var descriptionText = sync.OnceValue(func() []byte { return marshal(description()) })

// serveDescription answers GET /takos-api/asyncapi.json.
func serveDescription(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(descriptionText())
}
