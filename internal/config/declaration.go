package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"
)

// A declaration is what the tags of a field say about a setting.
type declaration struct {
	name, variable string
	help           string
	deflt          string
	limits         string // "least..most", or ""
	oneof          []string
	unit, example  string
	secret         bool
	group          string
	kind           reflect.Type
}

// declarations returns all settings in the order of the fields.
var declarations = sync.OnceValue(func() []declaration {
	var list []declaration
	groups := reflect.TypeFor[Config]()
	for i := range groups.NumField() {
		group := groups.Field(i)
		for j := range group.Type.NumField() {
			field := group.Type.Field(j)
			tag := field.Tag.Get
			d := declaration{
				name: tag("name"), variable: tag("var"), help: tag("help"), deflt: tag("default"),
				limits: tag("range"), unit: tag("unit"), example: tag("example"),
				secret: tag("secret") == "yes", group: group.Tag.Get("group"), kind: field.Type,
			}
			if values := tag("oneof"); values != "" {
				d.oneof = strings.Split(values, ",")
			}
			list = append(list, d)
		}
	}
	return list
})

// declared returns the setting with the name of its flag.
func declared(name string) (declaration, bool) {
	for _, d := range declarations() {
		if d.name == name {
			return d, true
		}
	}
	return declaration{}, false
}

// want says what would be right, to follow "must be".
func (d declaration) want() string {
	if len(d.oneof) > 0 {
		return "one of " + strings.Join(d.oneof, ", ")
	}
	base := "text"
	if w, ok := reflect.Zero(d.kind).Interface().(interface{ want() string }); ok {
		base = w.want()
	} else if d.kind == reflect.TypeFor[time.Duration]() {
		base = "a duration with its unit, such as 30s or 5m"
	} else if d.kind.Kind() == reflect.Int {
		base = "a whole number in decimal digits"
	} else if d.kind.Kind() == reflect.Bool {
		base = "true or false"
	}
	if least, most, ok := strings.Cut(d.limits, ".."); ok {
		base += ", from " + least + " to " + most
	}
	return base
}

// check returns an error for a decoded value outside of what is declared.
func (d declaration) check(value reflect.Value) error {
	if len(d.oneof) > 0 {
		for _, allowed := range d.oneof {
			if value.String() == allowed {
				return nil
			}
		}
		return fmt.Errorf("%q is none of them", value.String())
	}
	least, most, ok := strings.Cut(d.limits, "..")
	if !ok {
		return nil
	}
	if value.Int() < d.number(least) || value.Int() > d.number(most) {
		return fmt.Errorf("%v is outside", value.Interface())
	}
	return nil
}

// number reads an end of the declared range in the form of the setting.
func (d declaration) number(text string) int64 {
	target := reflect.New(d.kind).Elem()
	scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text})
	if err := defaultMappers.ForType(d.kind).Decode(&kong.DecodeContext{Value: &kong.Value{}, Scan: scan}, target); err != nil {
		panic(fmt.Sprintf("config: range of %s: %v", d.name, err)) // a slip in a tag; a test reads them all
	}
	return target.Int()
}

var defaultMappers = kong.NewRegistry().RegisterDefaults()

// A ValueError is a setting whose value is not right.
type ValueError struct {
	Setting string // the name of the flag
	Text    string // as given; "" for a secret
	Want    string // what would be right, to follow "must be"
	Cause   error
}

// Error names the setting by its flag; [Sources.Explain] knows where the value
// came from.
func (e *ValueError) Error() string { return e.sentence("--" + e.Setting) }

func (e *ValueError) sentence(where string) string {
	if e.Text == "" {
		return fmt.Sprintf("%s has a wrong value; it must be %s", where, e.Want)
	}
	return fmt.Sprintf("%s is %q, but must be %s", where, e.Text, e.Want)
}

func (e *ValueError) Unwrap() error { return e.Cause }

// errNotDecimal is about numbers such as 0x10 and 010, which kong takes for 16
// and 8: nobody can have meant that of a port.
var errNotDecimal = errors.New("not written in decimal digits")

// A mapper decodes a flag as kong does and holds it to its declaration.
type mapper struct{ kong.Mapper }

func (m mapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	text := ctx.Scan.Peek().String()
	err := m.Mapper.Decode(ctx, target)
	d, ok := declared(ctx.Value.Name)
	if !ok || ctx.Value.Tag.Get("var") == "" {
		return err // a flag of a command, not a setting
	}
	if err == nil && d.kind == reflect.TypeFor[int]() && strconv.FormatInt(target.Int(), 10) != text {
		err = errNotDecimal
	}
	if err == nil {
		err = d.check(target)
	}
	if err == nil {
		return nil
	}
	if d.secret {
		text = ""
	}
	return &ValueError{Setting: d.name, Text: text, Want: d.want(), Cause: err}
}

// A boolMapper is a mapper of flags that need no value.
type boolMapper struct{ mapper }

func (boolMapper) IsBool() bool { return true }

// mappers returns what lets kong decode every type of setting through [mapper].
func mappers() []kong.Option {
	var options []kong.Option
	for _, d := range declarations() {
		m := mapper{defaultMappers.ForType(d.kind)}
		if d.kind.Kind() == reflect.Bool {
			options = append(options, kong.TypeMapper(d.kind, boolMapper{m}))
		} else {
			options = append(options, kong.TypeMapper(d.kind, m))
		}
	}
	return options
}
