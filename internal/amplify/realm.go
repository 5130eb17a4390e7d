package amplify

import (
	"errors"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// Limits of an evaluation. The engine has none of its own but for calls: past
// its stack, or past the memory there is, the process ends.
const (
	maxCallStack = 2000      // calls
	maxNesting   = 1000      // of arrays and objects, where a built-in descends
	maxElements  = 1 << 20   // of an array that a built-in walks
	maxText      = 5 << 20   // characters that a built-in repeats a text to
	maxPattern   = 64 << 10  // characters of a regular expression
	maxMemory    = 512 << 20 // bytes by which the heap may grow, garbage included
)

var realmProgram = sync.OnceValue(func() *goja.Program {
	text, err := modules.ReadFile("modules/realm.js")
	if err != nil {
		panic(err) // embedded
	}
	return goja.MustCompile("realm.js", strings.TrimSpace(string(text)), true)
})

// realm is an engine with the limits that project code runs under.
type realm struct {
	vm      *goja.Runtime
	nesting int // of built-ins of arrays
}

func newRealm() *realm {
	r := &realm{vm: goja.New()}
	r.vm.SetMaxCallStackSize(maxCallStack)
	// The bundle carries its map inside. Any other would be read from the disk.
	r.vm.SetParserOptions(parser.WithSourceMapLoader(func(string) ([]byte, error) {
		return nil, errors.New("source maps are not read")
	}))
	native := r.vm.NewObject()
	native.Set("array", r.array)
	native.Set("from", r.from)
	native.Set("text", r.text)
	native.Set("parse", r.parse)
	native.Set("stringify", r.stringify)
	native.Set("pattern", r.pattern)
	value, err := r.vm.RunProgram(realmProgram())
	if err != nil {
		panic(err) // a broken program
	}
	furnish, _ := goja.AssertFunction(value)
	must(furnish(goja.Undefined(), native))
	return r
}

type native = func(goja.FunctionCall) goja.Value

// must passes an engine's error on to the code that called.
func must(v goja.Value, err error) goja.Value {
	if err != nil {
		panic(err)
	}
	return v
}

func (r *realm) refuse(format string, args ...any) {
	panic(r.vm.NewTypeError(append([]any{format}, args...)...))
}

func (r *realm) checkLength(name string, v goja.Value) {
	o, ok := v.(*goja.Object)
	if !ok {
		return
	}
	if length := o.Get("length"); length != nil && length.ToInteger() > maxElements {
		r.refuse("%s of more than %d elements", name, maxElements)
	}
}

// array is the function name of Array.prototype, which walks no array that is too
// long and descends into arrays, as join and flat do, only so far.
func (r *realm) array(name string, original goja.Callable) native {
	return func(call goja.FunctionCall) goja.Value {
		if name != "push" && name != "pop" && name != "at" { // these touch but an end or an element
			r.checkLength(name, call.This)
		}
		if name == "flat" && len(call.Arguments) > 0 {
			call.Arguments = []goja.Value{r.vm.ToValue(min(call.Arguments[0].ToInteger(), maxNesting))}
		}
		r.nesting++
		defer func() { r.nesting-- }()
		if r.nesting > maxNesting {
			r.refuse("%s nests deeper than %d", name, maxNesting)
		}
		return must(original(call.This, call.Arguments...))
	}
}

// from is Array.from.
func (r *realm) from(original goja.Callable) native {
	return func(call goja.FunctionCall) goja.Value {
		r.checkLength("Array.from", call.Argument(0))
		return must(original(call.This, call.Arguments...))
	}
}

// text is the function name of String.prototype, which makes a text longer.
func (r *realm) text(name string, original goja.Callable) native {
	return func(call goja.FunctionCall) goja.Value {
		n := call.Argument(0).ToInteger()
		if name == "repeat" {
			n *= int64(len(call.This.String()))
		}
		if n > maxText {
			r.refuse("%s makes a text longer than %d characters", name, maxText)
		}
		return must(original(call.This, call.Arguments...))
	}
}

// pattern passes the arguments that make a regular expression, the first its
// source: as the text that was measured, unless it is a regular expression itself.
func (r *realm) pattern(args []goja.Value) []goja.Value {
	if len(args) == 0 || goja.IsUndefined(args[0]) {
		return args
	}
	if o, ok := args[0].(*goja.Object); ok && o.ClassName() == "RegExp" {
		return args
	}
	text := args[0].String()
	if len(text) > maxPattern {
		r.refuse("a regular expression is longer than %d characters", maxPattern)
	}
	args[0] = r.vm.ToValue(text)
	return args
}

// parse is JSON.parse.
func (r *realm) parse(original goja.Callable) native {
	return func(call goja.FunctionCall) goja.Value {
		if _, ok := goja.AssertFunction(call.Argument(1)); ok {
			r.refuse("the reviver of JSON.parse is not supported")
		}
		text := r.vm.ToValue(call.Argument(0).String())
		if nesting(text.String()) > maxNesting {
			r.refuse("JSON.parse: the text nests deeper than %d", maxNesting)
		}
		return must(original(call.This, text))
	}
}

// nesting is how deep arrays and objects lie in a JSON text.
func nesting(text string) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}

// stringify is JSON.stringify. The engine's asks a replacer for each value, which
// is where ours sees how deep it is.
func (r *realm) stringify(original goja.Callable) native {
	return func(call goja.FunctionCall) goja.Value {
		if replacer := call.Argument(1); !goja.IsUndefined(replacer) && !goja.IsNull(replacer) {
			r.refuse("the replacer of JSON.stringify is not supported")
		}
		var holders []*goja.Object // from the root to the one whose values are asked for
		guard := func(call goja.FunctionCall) goja.Value {
			holder := call.This.(*goja.Object)
			for len(holders) > 0 && holders[len(holders)-1] != holder {
				holders = holders[:len(holders)-1]
			}
			if len(holders) == 0 {
				holders = append(holders, holder)
			}
			if len(holders) > maxNesting {
				r.refuse("JSON.stringify: the value nests deeper than %d", maxNesting)
			}
			if o, ok := call.Argument(1).(*goja.Object); ok {
				holders = append(holders, o)
			}
			return call.Argument(1)
		}
		return must(original(call.This, call.Argument(0), r.vm.ToValue(guard), call.Argument(2)))
	}
}

var errMemory = errors.New("out of memory")

// watch interrupts the engine when ended says so or memory runs out, until done.
// It does so again and again: the engine forgets an interrupt that it obeyed, and
// to ask a thrown value for its text is to run project code once more.
func (r *realm) watch(ended func() error, done <-chan struct{}) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := heap() + maxMemory
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if err := ended(); err != nil {
			r.vm.Interrupt(err)
		} else if heap() > limit {
			r.vm.Interrupt(errMemory)
		}
	}
}

// heap is the bytes that objects hold, garbage included.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
