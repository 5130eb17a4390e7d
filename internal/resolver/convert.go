package resolver

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/dop251/goja"
)

// set defines or assigns a property. It throws what the engine throws, which an
// object of ours never does.
func set(o *goja.Object, name string, value goja.Value) {
	if err := o.Set(name, value); err != nil {
		panic(err)
	}
}

// value is a JSON-like Go value as the engine's own, a copy. Keys of maps are in
// alphabetical order, since Go knows no other.
func (m *machine) value(v any) goja.Value {
	switch v := v.(type) {
	case nil:
		return goja.Null()
	case map[string]any:
		return m.object(v)
	case []any:
		return m.array(len(v), func(i int) goja.Value { return m.value(v[i]) })
	case []string:
		return m.array(len(v), func(i int) goja.Value { return m.vm.ToValue(v[i]) })
	case map[string]string:
		return m.stringMap(v)
	case string, bool, int, int32, int64, float32, float64:
		return m.vm.ToValue(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return m.vm.ToValue(n)
		}
		f, _ := v.Float64()
		return m.vm.ToValue(f)
	}
	panic(m.vm.NewTypeError("%s", fmt.Sprintf("a value of Go type %T cannot be handed to a resolver", v)))
}

func (m *machine) object(fields map[string]any) goja.Value {
	o := m.vm.NewObject()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		set(o, name, m.value(fields[name]))
	}
	return o
}

func (m *machine) stringMap(fields map[string]string) goja.Value {
	o := m.vm.NewObject()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		set(o, name, m.vm.ToValue(fields[name]))
	}
	return o
}

func (m *machine) array(n int, at func(int) goja.Value) goja.Value {
	items := make([]any, n)
	for i := range items {
		items[i] = at(i)
	}
	return m.vm.NewArray(items...)
}

// exportResult is what a handler returned, as Go values. A request's params.body
// that is not a string becomes its JSON text first, which keeps the order of its
// keys.
func (m *machine) exportResult(v goja.Value, name handlerName) any {
	out := m.export(v)
	if name != request {
		return out
	}
	fields, _ := out.(map[string]any)
	params, _ := fields["params"].(map[string]any)
	switch params["body"].(type) {
	case map[string]any, []any:
		body := v.(*goja.Object).Get("params").(*goja.Object).Get("body")
		params["body"], _ = m.stringify(body, "")
	}
	return out
}

// export is a value of the engine as Go values: what JSON would carry of it,
// with int64 for whole numbers that the engine holds as such. It throws past the
// result size and the nesting limit, so also for a cycle.
func (m *machine) export(v goja.Value) any {
	e := exporter{m: m, left: m.resolver.opts.MaxResult}
	out, _ := e.export(v, 0)
	return out
}

type exporter struct {
	m    *machine
	left int // bytes of JSON that may still come
}

func (e *exporter) spend(n int) {
	if e.left -= n; e.left < 0 {
		panic(e.m.vm.NewTypeError("the value is larger than %d bytes", e.m.resolver.opts.MaxResult))
	}
}

// export reports false for what JSON has no form for: undefined, functions, symbols.
func (e *exporter) export(v goja.Value, depth int) (any, bool) {
	if depth > maxNesting {
		panic(e.m.vm.NewTypeError("the value nests deeper than %d", maxNesting))
	}
	e.spend(2)
	o, isObject := v.(*goja.Object)
	if !isObject {
		return e.exportPrimitive(v)
	}
	switch o.ClassName() {
	case "Array":
		return e.exportArray(o, depth), true
	case "Function":
		return nil, false
	case "String", "Number", "Boolean":
		return e.exportPrimitive(e.m.vm.ToValue(o.Export()))
	}
	return e.exportObject(o, depth), true
}

func (e *exporter) exportPrimitive(v goja.Value) (any, bool) {
	if v == nil || goja.IsUndefined(v) {
		return nil, false
	}
	switch x := v.Export().(type) {
	case nil:
		return nil, true
	case string:
		e.spend(len(x))
		return x, true
	case bool, int64:
		return x, true
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, true
		}
		return x, true
	case *goja.Symbol:
		return nil, false
	}
	panic(e.m.vm.NewTypeError("a value of type %s cannot be returned", v.ExportType().String()))
}

func (e *exporter) exportArray(o *goja.Object, depth int) []any {
	n := int(o.Get("length").ToInteger())
	e.spend(n)
	out := make([]any, n)
	for i := range out {
		out[i], _ = e.export(o.Get(index(i)), depth+1)
	}
	return out
}

func (e *exporter) exportObject(o *goja.Object, depth int) map[string]any {
	keys := o.Keys()
	out := make(map[string]any, len(keys))
	for _, key := range keys {
		e.spend(len(key) + 2)
		if v, ok := e.export(o.Get(key), depth+1); ok {
			out[key] = v
		}
	}
	return out
}
