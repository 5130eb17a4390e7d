package resolver

import (
	_ "embed" // realm.js
	"strings"
	"sync"

	"github.com/dop251/goja"
)

//go:embed realm.js
var realmSource string

var realmProgram = sync.OnceValue(func() *goja.Program {
	return goja.MustCompile("realm.js", strings.TrimSpace(realmSource), true)
})

// functions is an object of the runtime by its functions' names.
type functions map[string]func(goja.FunctionCall) goja.Value

// furnish makes the machine's engine an APPSYNC_JS realm.
func (m *machine) furnish() error {
	m.newContext()
	value, err := m.vm.RunProgram(realmProgram())
	if err != nil {
		return err
	}
	harden, _ := goja.AssertFunction(value)
	native := m.vm.NewObject()
	set(native, "array", m.vm.ToValue(m.arrayFunctions))
	set(native, "iterate", m.vm.ToValue(m.iterate))
	set(native, "string", m.vm.ToValue(m.stringFunctions))
	set(native, "raw", m.functions("String.", functions{"raw": m.raw}))
	set(native, "json", m.functions("JSON.", m.jsonFunctions()))
	set(native, "globals", m.globals())
	set(native, "context", m.ctx.object)
	_, err = harden(goja.Undefined(), native)
	return err
}

// functions is fs as an engine's object. The prefix names where it will be found.
func (m *machine) functions(prefix string, fs functions) *goja.Object {
	o := m.vm.NewObject()
	for name, f := range fs {
		native := m.vm.ToValue(f).(*goja.Object)
		// Fails on frozen functions only, and this one is new.
		_ = native.DefineDataProperty("name", m.vm.ToValue(prefix+name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		set(o, name, native)
	}
	return o
}

// globals is what the realm adds to the language: util and its like, console,
// the objects behind the importable modules, and what compiled code calls by
// names of its own.
func (m *machine) globals() *goja.Object {
	o := m.vm.NewObject()
	util, extensions, runtime := m.util(), m.notYet("extensions.", extensionNames), m.runtimeObject()
	set(o, "util", util)
	set(o, "extensions", extensions)
	set(o, "runtime", runtime)
	set(o, "console", m.console())
	set(o, limitName, m.vm.ToValue(func(goja.FunctionCall) goja.Value {
		panic(m.vm.NewTypeError("a loop ran past %d iterations", m.resolver.opts.MaxIterations))
	}))
	set(o, checkName, m.vm.ToValue(m.checked))
	set(o, defineName, m.vm.GlobalObject().Get("Object").(*goja.Object).Get("defineProperty"))
	for name, exports := range runtimeModules {
		_, short, _ := strings.Cut(name, "@aws-appsync/utils/")
		if short != "" {
			set(o, name, m.notYet(name+".", exports))
			continue
		}
		all := m.vm.NewObject()
		set(all, "util", util)
		set(all, "extensions", extensions)
		set(all, "runtime", runtime)
		set(o, name, all)
	}
	return o
}

// arrayFunctions wraps the functions of Array.prototype: they are for arrays, none
// walks or makes one that is too long, and those that descend into elements do not
// do so for ever.
func (m *machine) arrayFunctions(call goja.FunctionCall) goja.Value {
	prototype := call.Argument(0).(*goja.Object)
	wrapped := functions{}
	for _, name := range prototype.GetOwnPropertyNames() {
		original, ok := goja.AssertFunction(prototype.Get(name))
		if !ok || name == "push" || name == "pop" || name == "at" {
			continue // these touch an end or an element, and loops are full of them
		}
		wrapped[name] = func(call goja.FunctionCall) goja.Value {
			m.checkArray(name, &call)
			if m.nesting++; m.nesting > maxNesting {
				panic(m.vm.NewTypeError("%s nests deeper than %d", name, maxNesting))
			}
			result := must(original(call.This, call.Arguments...))
			m.nesting--
			return result
		}
	}
	return m.functions("Array.prototype.", wrapped)
}

// checkArray checks the call of an array's function.
func (m *machine) checkArray(name string, call *goja.FunctionCall) {
	array, ok := isArray(call.This)
	if !ok {
		panic(m.vm.NewTypeError("%s is a function of arrays", name))
	}
	m.checkLength(length(array))
	switch name {
	case "join", "toString":
		separator := ","
		if v := call.Argument(0); name == "join" && !goja.IsUndefined(v) {
			separator = v.String()
		}
		m.checkJoin(array, separator)
	case "concat":
		m.checkConcat(array, call.Arguments)
	case "flat":
		depth := int64(1)
		if len(call.Arguments) > 0 {
			depth = min(call.Arguments[0].ToInteger(), maxNesting)
			call.Arguments = []goja.Value{m.vm.ToValue(depth)}
		}
		m.checkFlat(array, int(depth))
	}
}

// iterate wraps the iteration of arrays and strings, which is how they are spread.
func (m *machine) iterate(call goja.FunctionCall) goja.Value {
	original, _ := goja.AssertFunction(call.Argument(0))
	return m.vm.ToValue(func(call goja.FunctionCall) goja.Value {
		if array, ok := isArray(call.This); ok {
			m.checkLength(length(array))
		} else if s, ok := call.This.(goja.String); ok {
			m.checkLength(s.Length())
		}
		return must(original(call.This))
	})
}

// stringFunctions is the functions of String.prototype that take Java regular
// expressions as strings, and those that make many strings of one or one of many.
func (m *machine) stringFunctions(call goja.FunctionCall) goja.Value {
	split, _ := goja.AssertFunction(call.Argument(0).(*goja.Object).Get("split"))
	replacing := func(all bool) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value {
			if isFunction(call.Argument(1)) {
				panic(m.vm.NewTypeError("a replacement function is not supported, give a string"))
			}
			out, s, re := builder{m: m}, call.This.String(), m.regex(call.Argument(0).String())
			most := 1
			if all {
				most = maxElements + 1
			}
			matches := re.FindAllStringSubmatchIndex(s, most)
			m.checkLength(len(matches))
			replace(&out, s, re, call.Argument(1).String(), matches)
			return out.value()
		}
	}
	return m.functions("String.prototype.", functions{
		"replace":    replacing(false),
		"replaceAll": replacing(true),
		"concat": func(call goja.FunctionCall) goja.Value {
			out := builder{m: m}
			for _, v := range append([]goja.Value{call.This}, call.Arguments...) {
				out.WriteString(v.String())
			}
			return out.value()
		},
		"split": func(call goja.FunctionCall) goja.Value {
			if separator := call.Argument(0); !goja.IsUndefined(separator) {
				m.checkLength(strings.Count(call.This.String(), separator.String()))
			}
			return must(split(call.This, call.Arguments...))
		},
		"match": func(call goja.FunctionCall) goja.Value {
			re := m.regex(call.Argument(0).String())
			groups := re.FindStringSubmatch(call.This.String())
			if groups == nil {
				return goja.Null()
			}
			return m.value(groups)
		},
	})
}

// raw is String.raw.
func (m *machine) raw(call goja.FunctionCall) goja.Value {
	var parts goja.Value
	if strings, ok := call.Argument(0).(*goja.Object); ok {
		parts = strings.Get("raw")
	}
	array, ok := isArray(parts)
	if !ok {
		panic(m.vm.NewTypeError("String.raw is the tag of a template"))
	}
	m.checkLength(length(array))
	out := builder{m: m}
	last := length(array) - 1
	for i := range last + 1 {
		if part := array.Get(index(i)); part != nil {
			out.WriteString(part.String())
		}
		if i < last && i+1 < len(call.Arguments) {
			out.WriteString(call.Arguments[i+1].String())
		}
	}
	return out.value()
}

// check throws err, which is a caller's mistake, into the code.
func (m *machine) check(err error) {
	if err != nil {
		panic(m.vm.NewTypeError("%s", err.Error()))
	}
}

func (m *machine) jsonFunctions() functions {
	return functions{
		"parse": func(call goja.FunctionCall) goja.Value {
			if isFunction(call.Argument(1)) {
				panic(m.vm.NewTypeError("the reviver of JSON.parse is not supported"))
			}
			return m.parseJSON(call.Argument(0).String())
		},
		"stringify": func(call goja.FunctionCall) goja.Value {
			if replacer := call.Argument(1); !goja.IsUndefined(replacer) && !goja.IsNull(replacer) {
				panic(m.vm.NewTypeError("the replacer of JSON.stringify is not supported"))
			}
			text, ok := m.stringify(call.Argument(0), indent(call.Argument(2)))
			if !ok {
				return goja.Undefined()
			}
			return m.text(text)
		},
	}
}

// indent is JSON.stringify's third argument as text: a number of spaces or the
// text itself, ten characters at most.
func indent(v goja.Value) string {
	switch x := v.Export().(type) {
	case int64:
		return strings.Repeat(" ", int(min(max(x, 0), 10)))
	case string:
		return x[:min(len(x), 10)]
	}
	return ""
}
