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

// maxElements is the array length past which a built-in refuses to walk an
// array: the engine cannot be interrupted inside one.
const maxElements = 1 << 20

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
	set(native, "string", m.functions("String.prototype.", m.stringFunctions()))
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

// arrayFunctions wraps the functions of Array.prototype: none walks an array
// that is too long, and those that descend into elements do not do so for ever.
func (m *machine) arrayFunctions(call goja.FunctionCall) goja.Value {
	prototype := call.Argument(0).(*goja.Object)
	wrapped := functions{}
	for _, name := range prototype.GetOwnPropertyNames() {
		original, ok := goja.AssertFunction(prototype.Get(name))
		if !ok || name == "push" || name == "pop" || name == "at" {
			continue // these touch an end or an element, and loops are full of them
		}
		wrapped[name] = func(call goja.FunctionCall) goja.Value {
			if o, ok := call.This.(*goja.Object); ok && o.ClassName() == "Array" {
				m.checkLength(o)
			}
			if name == "flat" && len(call.Arguments) > 0 {
				call.Arguments = []goja.Value{m.vm.ToValue(min(call.Arguments[0].ToInteger(), maxNesting))}
			}
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

func (m *machine) checkLength(array *goja.Object) {
	if n := array.Get("length").ToInteger(); n > maxElements {
		panic(m.vm.NewTypeError("an array of %d elements is longer than %d", n, maxElements))
	}
}

// stringFunctions is the functions of strings that take Java regular expressions
// as strings.
func (m *machine) stringFunctions() functions {
	replacing := func(all bool) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value {
			if isFunction(call.Argument(1)) {
				panic(m.vm.NewTypeError("a replacement function is not supported, give a string"))
			}
			out, err := replace(call.This.String(), call.Argument(0).String(), call.Argument(1).String(), all)
			m.check(err)
			return m.text(out)
		}
	}
	return functions{
		"replace":    replacing(false),
		"replaceAll": replacing(true),
		"match": func(call goja.FunctionCall) goja.Value {
			re, err := regex(call.Argument(0).String())
			m.check(err)
			groups := re.FindStringSubmatch(call.This.String())
			if groups == nil {
				return goja.Null()
			}
			return m.value(groups)
		},
	}
}

// check throws err, which is a caller's mistake, into the code.
func (m *machine) check(err error) {
	if err != nil {
		panic(m.vm.NewTypeError("%s", err.Error()))
	}
}

// text is a string made by a helper, which may not be larger than a result.
func (m *machine) text(s string) goja.Value {
	if len(s) > m.resolver.opts.MaxResult {
		panic(m.vm.NewTypeError("a string is larger than %d bytes", m.resolver.opts.MaxResult))
	}
	return m.vm.ToValue(s)
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
