package resolver

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

func index(i int) string { return strconv.Itoa(i) }

// parseJSON is JSON.parse, which in APPSYNC_JS gives "" for text that is not
// JSON. It is our own because the engine's recurses without a bound.
func (m *machine) parseJSON(text string) goja.Value {
	p := jsonParser{m: m, text: text}
	p.space()
	v, ok := p.value(0)
	if p.space(); !ok || p.at != len(text) {
		return m.vm.ToValue("")
	}
	return v
}

type jsonParser struct {
	m    *machine
	text string
	at   int
}

// peek is the next byte, 0 at the end, which begins no JSON.
func (p *jsonParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *jsonParser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *jsonParser) take(word string) bool {
	if strings.HasPrefix(p.text[p.at:], word) {
		p.at += len(word)
		return true
	}
	return false
}

func (p *jsonParser) value(depth int) (goja.Value, bool) {
	if depth > maxNesting {
		return nil, false
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, ok := p.string()
		return p.m.vm.ToValue(s), ok
	case c == 't':
		return p.m.vm.ToValue(true), p.take("true")
	case c == 'f':
		return p.m.vm.ToValue(false), p.take("false")
	case c == 'n':
		return goja.Null(), p.take("null")
	}
	return p.number()
}

func (p *jsonParser) object(depth int) (goja.Value, bool) {
	o := p.m.vm.NewObject()
	p.at++
	if p.space(); p.take("}") {
		return o, true
	}
	for {
		p.space()
		if p.peek() != '"' {
			return nil, false
		}
		key, ok := p.string()
		if p.space(); !ok || !p.take(":") {
			return nil, false
		}
		p.space()
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		set(o, key, v)
		if p.space(); p.take("}") {
			return o, true
		}
		if !p.take(",") {
			return nil, false
		}
	}
}

func (p *jsonParser) array(depth int) (goja.Value, bool) {
	items := []any{}
	p.at++
	if p.space(); p.take("]") {
		return p.m.vm.NewArray(), true
	}
	for {
		p.space()
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		items = append(items, v)
		if p.space(); p.take("]") {
			return p.m.vm.NewArray(items...), true
		}
		if !p.take(",") {
			return nil, false
		}
	}
}

// string takes a string literal. One without escapes is a slice of the text.
func (p *jsonParser) string() (string, bool) {
	start := p.at
	escaped := false
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			if !escaped {
				return p.text[start+1 : p.at-1], true
			}
			var s string
			err := json.Unmarshal([]byte(p.text[start:p.at]), &s)
			return s, err == nil
		case c == '\\':
			escaped = true
			p.at++
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

func (p *jsonParser) number() (goja.Value, bool) {
	start := p.at
	for strings.IndexByte("+-.0123456789eE", p.peek()) >= 0 {
		p.at++
	}
	text := p.text[start:p.at]
	if !json.Valid([]byte(text)) {
		return nil, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && text[0] != '-' || n != 0 && err == nil {
		return p.m.vm.ToValue(n), true
	}
	// Out of range is an infinity, as in JavaScript.
	f, _ := strconv.ParseFloat(text, 64)
	return p.m.vm.ToValue(f), true
}

// stringify is the JSON text of a value, each level indented by indent when it
// is not empty; false for what JSON has no form for. It is our own because the
// engine's recurses without a bound.
func (m *machine) stringify(v goja.Value, indent string) (string, bool) {
	w := jsonWriter{m: m, exporter: exporter{m: m, left: m.resolver.opts.MaxResult}, indent: len(indent)}
	ok := w.value(v, 0)
	if !ok || indent == "" {
		return w.out.String(), ok
	}
	var pretty bytes.Buffer
	// The writer wrote JSON, so that it can be indented.
	_ = json.Indent(&pretty, []byte(w.out.String()), "", indent)
	return pretty.String(), true
}

type jsonWriter struct {
	m        *machine
	exporter exporter // counts the size
	indent   int      // bytes a level, to be counted
	out      strings.Builder
}

// value writes v and reports false, with nothing written, for what JSON has no
// form for.
func (w *jsonWriter) value(v goja.Value, depth int) bool {
	if depth > maxNesting {
		panic(w.m.vm.NewTypeError("the value nests deeper than %d", maxNesting))
	}
	if o, ok := v.(*goja.Object); ok {
		switch o.ClassName() {
		case "Array":
			w.array(o, depth)
			return true
		case "Function":
			return false
		case "String", "Number", "Boolean":
			v = w.m.vm.ToValue(o.Export())
		default:
			w.object(o, depth)
			return true
		}
	}
	return w.primitive(v)
}

func (w *jsonWriter) primitive(v goja.Value) bool {
	start := w.out.Len()
	if v == nil || goja.IsUndefined(v) {
		return false
	}
	switch x := v.Export().(type) {
	case nil:
		w.out.WriteString("null")
	case string:
		writeString(&w.out, x)
	case *goja.Symbol:
		return false
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			w.out.WriteString("null")
		} else {
			w.out.WriteString(v.String())
		}
	case bool, int64:
		w.out.WriteString(v.String())
	default:
		panic(w.m.vm.NewTypeError("a value of type %s has no JSON form", v.ExportType().String()))
	}
	w.exporter.spend(w.out.Len() - start)
	return true
}

func (w *jsonWriter) array(o *goja.Object, depth int) {
	n := int(o.Get("length").ToInteger())
	w.exporter.spend(n + 1)
	w.out.WriteByte('[')
	for i := range n {
		if i > 0 {
			w.out.WriteByte(',')
		}
		w.line(depth + 1)
		if !w.value(o.Get(index(i)), depth+1) {
			w.out.WriteString("null")
		}
	}
	w.out.WriteByte(']')
}

// line counts the start of a line at a depth.
func (w *jsonWriter) line(depth int) {
	if w.indent > 0 {
		w.exporter.spend(1 + depth*w.indent)
	}
}

func (w *jsonWriter) object(o *goja.Object, depth int) {
	w.out.WriteByte('{')
	first := true
	for _, key := range o.Keys() {
		v := o.Get(key)
		if goja.IsUndefined(v) || isFunction(v) {
			continue
		}
		if !first {
			w.out.WriteByte(',')
		}
		first = false
		w.line(depth + 1)
		start := w.out.Len()
		writeString(&w.out, key)
		w.out.WriteByte(':')
		w.exporter.spend(w.out.Len() - start)
		if !w.value(v, depth+1) {
			w.out.WriteString("null")
		}
	}
	w.out.WriteByte('}')
	w.exporter.spend(2)
}

func isFunction(v goja.Value) bool {
	o, ok := v.(*goja.Object)
	return ok && o.ClassName() == "Function"
}

const hexDigits = "0123456789abcdef"

// writeString quotes as JSON.stringify does: only the quote, the backslash and
// controls are escaped.
func writeString(out *strings.Builder, s string) {
	out.WriteByte('"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out.WriteString(s[start:i])
		start = i + 1
		if short := strings.IndexByte("\b\f\n\r\t\"\\", c); short >= 0 {
			out.WriteByte('\\')
			out.WriteByte(`bfnrt"\`[short])
		} else {
			out.WriteString(`\u00`)
			out.WriteByte(hexDigits[c>>4])
			out.WriteByte(hexDigits[c&15])
		}
	}
	out.WriteString(s[start:])
	out.WriteByte('"')
}
