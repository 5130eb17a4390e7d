package config

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// setting is one field of a Config that holds a value.
type setting struct {
	path  string // "breaker.open_for"
	value reflect.Value
}

// settings lists the settings of c in the order of the struct; they set c.
func settings(c *Config) []setting {
	return slices.DeleteFunc(fields(c), func(s setting) bool { return isListing(s.value) })
}

// listings lists what only a file can say: its lists of more than words.
func listings(c *Config) []setting {
	return slices.DeleteFunc(fields(c), func(s setting) bool { return !isListing(s.value) })
}

func fields(c *Config) []setting { return appendFields(nil, "", reflect.ValueOf(c).Elem()) }

func appendFields(list []setting, prefix string, v reflect.Value) []setting {
	for _, m := range members(v) {
		path := prefix + m.path
		if isSection(m.value.Type()) {
			list = appendFields(list, path+".", m.value)
		} else {
			list = append(list, setting{path, m.value})
		}
	}
	return list
}

// members are the keys of a section with their values. Those of a struct that is
// embedded in it are its own.
func members(section reflect.Value) []setting {
	var list []setting
	for field, value := range section.Fields() {
		if field.Anonymous {
			list = append(list, members(value)...)
		} else {
			list = append(list, setting{field.Tag.Get("yaml"), value})
		}
	}
	return list
}

// isSection reports whether values of t are keys with values.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[Document]()
}

// isListing reports whether v is a list of more than words.
func isListing(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct
}

// within takes dir for the folder that file names are relative to.
func (s setting) within(dir string) {
	if l, ok := s.value.Addr().Interface().(interface{ within(dir string) }); ok {
		l.within(dir)
	}
}

// variable is the name of the setting in the environment.
func (s setting) variable() string {
	return "FAIRWAY_" + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
}

// given is what a source says of a setting: exactly one field is set. A scalar
// can say anything.
type given struct {
	scalar *string
	list   []string
	pairs  map[string]string
}

// set takes the value over; the setting is unchanged if that fails.
func (s setting) set(g given) error {
	switch s.value.Kind() {
	case reflect.Slice:
		return s.setList(g)
	case reflect.Map:
		return s.setMap(g)
	}
	if g.scalar == nil {
		return fmt.Errorf("want a single value")
	}
	return parse(s.value, *g.scalar)
}

func (s setting) setList(g given) error {
	items := g.list
	if g.scalar != nil {
		items = splitList(*g.scalar)
	}
	if items == nil {
		return fmt.Errorf("want a list")
	}
	list := reflect.MakeSlice(s.value.Type(), len(items), len(items))
	for i, item := range items {
		if err := parse(list.Index(i), item); err != nil {
			return err
		}
	}
	s.value.Set(list)
	return nil
}

func (s setting) setMap(g given) error {
	pairs := g.pairs
	if g.scalar != nil {
		pairs = map[string]string{}
		for _, item := range splitList(*g.scalar) {
			name, value, _ := strings.Cut(item, "=")
			pairs[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	if pairs == nil {
		return fmt.Errorf("want a map")
	}
	table := reflect.MakeMap(s.value.Type())
	for _, name := range slices.Sorted(maps.Keys(pairs)) { // so that the same one is told each time
		text := pairs[name]
		key, value := reflect.New(s.value.Type().Key()).Elem(), reflect.New(s.value.Type().Elem()).Elem()
		if err := parse(key, name); err != nil {
			return err
		}
		if err := parse(value, text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		table.SetMapIndex(key, value)
	}
	s.value.Set(table)
	return nil
}

func splitList(text string) []string {
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return slices.DeleteFunc(items, func(item string) bool { return item == "" })
}

// parse sets v, a value of one word, to what text says.
func parse(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("want true or false, got %q", text)
		}
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 0)
		if err != nil {
			return fmt.Errorf("want a whole number, got %q", text)
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Errorf("want a number, got %q", text)
		}
		v.SetFloat(n)
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("want a whole number from 0 up, got %q", text)
		}
		v.SetUint(n)
	default:
		panic("config: no way to write a " + v.Type().String())
	}
	return nil
}

// text is v, a value of one word, as parse reads it.
func text(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		out, err := m.MarshalText()
		if err != nil {
			panic("config: " + err.Error())
		}
		return string(out)
	}
	return fmt.Sprint(v.Interface())
}
