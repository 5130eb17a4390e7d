package resolver

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	timer    *time.Timer // interrupts the engine; stopped between calls
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
	m.timer = time.AfterFunc(time.Hour, func() { m.vm.Interrupt(errTimeout) })
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

var errTimeout = errors.New("ran past its time limit")

// run runs body, which may call into the engine, for one call. What it returns
// is nil, an *ending, or what runtimeError explains. It returns a Go panic as an
// error: the engine must not take the process down.
func (m *machine) run(ctx context.Context, c *backend.Context, body func()) (fault error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.call, m.ending, m.nesting, m.quiet = c, nil, 0, false
	m.ctx.reset()
	m.timer.Reset(m.resolver.opts.Timeout)
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
	handlers := must(m.module(goja.Undefined())).(*goja.Object)
	f, ok := goja.AssertFunction(handlers.Get(string(name)))
	if !ok {
		panic(m.vm.NewTypeError("the export %s is not a function", string(name)))
	}
	return func(args ...goja.Value) goja.Value { return must(f(goja.Undefined(), args...)) }
}

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
	e := &RuntimeError{Entry: m.resolver.entry, Message: fault.Error(), answer: &backend.Error{}}
	*e.answer = codeFailed
	var frames []goja.StackFrame
	if exception, ok := errors.AsType[*goja.Exception](fault); ok {
		frames, e.Message = exception.Stack(), exception.Value().String()
	} else if overflow, ok := errors.AsType[*goja.StackOverflowError](fault); ok {
		frames, e.Message = overflow.Stack(), fmt.Sprintf("calls nest deeper than %d", maxCallStack)
	} else if interrupted, ok := errors.AsType[*goja.InterruptedError](fault); ok {
		frames, e.Message = interrupted.Stack(), fmt.Sprint(interrupted.Value())
		if interrupted.Value() == errTimeout {
			*e.answer = timedOut
		}
	}
	if err := ctx.Err(); err != nil {
		e.cause, e.Message = err, err.Error()
		*e.answer = timedOut
	}
	e.Line = lineOf(frames)
	return e
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
