package resolver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"fairway/backend"

	"github.com/dop251/goja"
)

type handlerName string

const (
	request  handlerName = "request"
	response handlerName = "response"
)

const (
	maxCallStack = 500 // frames
	maxNesting   = 200 // of arrays and objects, wherever a value is walked
)

// machine is one engine with the resolver's program loaded. It serves one call
// at a time. Between calls it holds frozen globals and this struct; call sets
// anew every field that a call may have changed.
type machine struct {
	resolver *Resolver
	vm       *goja.Runtime
	module   goja.Callable // evaluates the module anew
	ctx      contextObject
	timer    *time.Timer // begins to watch the call; stopped between calls
	over     atomic.Bool // no call is running
	call     *backend.Context
	running  handlerName // the handler being called
	ending   *ending     // how the call was ended by the code, nil while it was not
	nesting  int
	quiet    bool // the last call ended before its timer fired and its context ended
}

// ending is a call ended by the code itself: util.error and its family, or
// runtime.earlyReturn. Exactly one of value and err is set.
type ending struct {
	value *backend.EarlyReturn
	err   error
}

func (e *ending) Error() string { return "ended by the code" }

func newMachine(r *Resolver) (*machine, error) {
	m := &machine{resolver: r, vm: goja.New()}
	m.vm.SetMaxCallStackSize(maxCallStack)
	m.vm.SetRandSource(m.randomFloat)
	m.vm.SetParserOptions(noSourceMaps)
	m.timer = time.AfterFunc(time.Hour, m.watch)
	m.timer.Stop()
	if err := m.furnish(); err != nil {
		return nil, fmt.Errorf("prepare resolver runtime: %w", err)
	}
	value, err := m.vm.RunProgram(r.program)
	if err != nil {
		return nil, fmt.Errorf("load resolver %s: %w", r.entry, err)
	}
	m.module, _ = goja.AssertFunction(value)
	return m, nil
}

// run runs body, which may call into the engine, for one call. What it returns
// is nil, an *ending, or what runtimeError explains. It returns a Go panic as an
// error: the engine must not take the process down.
func (m *machine) run(ctx context.Context, c *backend.Context, body func()) (fault error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.call, m.ending, m.nesting, m.quiet = c, nil, 0, false
	m.ctx.reset()
	m.over.Store(false)
	m.timer.Reset(m.untilWatched())
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() { m.vm.Interrupt(ctx.Err()) })
	}
	defer func() {
		if x := recover(); x != nil {
			fault = panicError(x)
		}
		// Not short-circuited: both must be stopped.
		timerStopped, contextStopped := m.timer.Stop(), stop()
		m.quiet = timerStopped && contextStopped
		m.over.Store(true)
		m.call = nil
		if m.ending != nil {
			fault = m.ending
		}
	}()
	if exception := m.vm.Try(body); exception != nil {
		return exception
	}
	return nil
}

func panicError(x any) error {
	if err, ok := x.(error); ok {
		return err
	}
	return fmt.Errorf("%v", x)
}

// handler evaluates the module and gives one of its handlers, made to be called
// inside run: what it throws goes up as a panic.
func (m *machine) handler(name handlerName) func(args ...goja.Value) goja.Value {
	m.running = name
	f, ok := goja.AssertFunction(m.handlers().Get(string(name)))
	if !ok {
		panic(m.vm.NewTypeError("the export %s is not a function", string(name)))
	}
	return func(args ...goja.Value) goja.Value { return must(f(goja.Undefined(), args...)) }
}

// handlers evaluates the module, and is the object of its handlers.
func (m *machine) handlers() *goja.Object { return must(m.module(goja.Undefined())).(*goja.Object) }

// must passes an engine's error on to the enclosing run.
func must(v goja.Value, err error) goja.Value {
	if err != nil {
		panic(err)
	}
	return v
}

// end ends the call from inside a native function.
func (m *machine) end(e *ending) {
	m.ending = e
	panic(m.vm.ToValue("ended by the code"))
}

// runtimeError is the operator's view of a fault, and the answer behind it.
func (m *machine) runtimeError(ctx context.Context, fault error) *RuntimeError {
	answer := codeFailed
	e := &RuntimeError{
		Entry: m.resolver.entry, Message: fault.Error(),
		class: "engine", content: m.resolver.opts.LogContent, answer: &answer,
	}
	var frames []goja.StackFrame
	if exception, ok := errors.AsType[*goja.Exception](fault); ok {
		frames, e.Message, e.class = exception.Stack(), exception.Value().String(), classOf(exception.Value())
	} else if overflow, ok := errors.AsType[*goja.StackOverflowError](fault); ok {
		frames, e.Message, e.class = overflow.Stack(), fmt.Sprintf("calls nest deeper than %d", maxCallStack), "recursion"
	} else if interrupted, ok := errors.AsType[*goja.InterruptedError](fault); ok {
		frames, e.Message, e.class = interrupted.Stack(), fmt.Sprint(interrupted.Value()), "memory"
		if interrupted.Value() == errTimeout {
			e.class, answer = "timeout", timedOut
		}
	}
	if err := ctx.Err(); err != nil {
		e.cause, e.Message, e.class, answer = err, err.Error(), "canceled", timedOut
	}
	e.Line = lineOf(frames)
	return e
}

// classOf is the name of a thrown error of the language.
func classOf(thrown goja.Value) string {
	if o, ok := thrown.(*goja.Object); ok && o.ClassName() == "Error" {
		if name := o.Get("name"); name != nil {
			return name.String()
		}
	}
	return "engine"
}

// lineOf is the line of the innermost frame that is the project's code.
func lineOf(frames []goja.StackFrame) int {
	for _, f := range frames {
		if p := f.Position(); strings.Contains(p.Filename, fromProject+":") {
			return p.Line
		}
	}
	return 0
}
