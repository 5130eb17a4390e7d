package amplify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dop251/goja"

	"fairway/backend"
)

// grace is how long after its time an evaluation may still say where it was.
const grace = 250 * time.Millisecond

// evaluation is what came of running the bundle: what it recorded, also when it
// did not run to its end; complete tells. What ended it is found.
type evaluation struct {
	recording
	complete bool
	found    findings
}

// evaluate runs the bundle, and gives up on it when its time is over. A built-in
// of the engine that is at work then cannot be stopped: its goroutine ends when
// the built-in does.
func evaluate(ctx context.Context, script string, s settings, found *findings) (recording, bool) {
	e, err := within(ctx, grace, func() evaluation { return run(ctx, script, s) })
	if err != nil {
		reportGivenUp(err, "evaluate", s, found)
		return recording{}, false
	}
	*found = append(*found, e.found...)
	return e.recording, e.complete
}

// within is what work returns. Its error is that of a ctx that ended, after which
// work had grace left, or what work panicked with.
func within[T any](ctx context.Context, grace time.Duration, work func() T) (T, error) {
	var result T
	done := make(chan error, 1)
	go func() {
		defer func() {
			if x := recover(); x != nil {
				done <- fmt.Errorf("%v", x)
			}
		}()
		result = work()
		done <- nil
	}()
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, func() { close(late) }) })
	defer stop()
	select {
	case err := <-done:
		return result, err
	case <-late:
		var none T // result may be written yet
		return none, ctx.Err()
	}
}

// reportGivenUp makes a finding of an error of within.
func reportGivenUp(err error, operation string, s settings, found *findings) {
	at := position{File: entryPoint}
	if errors.Is(err, context.DeadlineExceeded) {
		found.fail("evaluation-timeout", at, "look for a loop that does not end", "%s amplify folder: not done after %v", operation, s.timeout)
		return
	}
	found.fail("evaluation-failed", at, "correct what fails", "%s amplify folder: %v", operation, err)
}

// run runs the bundle until ctx ends.
func run(ctx context.Context, script string, s settings) (e evaluation) {
	r := newRealm()
	vm := r.vm
	done := make(chan struct{})
	defer close(done)
	go r.watch(ctx.Err, done)

	provide(ctx, vm, s)
	rejections := watchRejections(vm)
	_, err := vm.RunScript("bundle.js", script)
	if err != nil {
		reportThrown(vm, err, s, &e.found)
	}
	rejected := rejections()
	for _, p := range rejected {
		message, stack := describe(vm, p.Result())
		e.found.fail("evaluation-failed", stackPosition(stack), "handle the promise's rejection",
			"evaluate amplify folder: %s", message)
	}
	e.complete = err == nil && len(rejected) == 0
	if e.recording, err = recorded(vm); err != nil && e.complete {
		reportThrown(vm, err, s, &e.found)
		e.complete = false
	}
	return e
}

// provide sets the globals that project code and our modules find.
func provide(ctx context.Context, vm *goja.Runtime, s settings) {
	vm.Set("__at", func() string {
		return projectFrame(vm.CaptureCallStack(0, nil)).String()
	})
	vm.Set("__require", library(vm))
	vm.Set("__deployment", map[string]string{
		"region": s.region, "account": s.account, "api": backend.APIID,
		"authenticatedRole": backend.AuthenticatedRole, "guestRole": backend.GuestRole, "groupRole": backend.GroupRole(""),
	})
	vm.Set("process", map[string]any{"env": vm.NewObject()})
	console := vm.NewObject()
	for _, name := range []string{"log", "info", "warn", "error", "debug", "trace", "table", "dir"} {
		console.Set(name, func(call goja.FunctionCall) goja.Value {
			if s.log != nil {
				var words []string
				for _, arg := range call.Arguments {
					words = append(words, arg.String())
				}
				s.log.InfoContext(ctx, "console output", "method", name, "text", strings.Join(words, " "))
			}
			return goja.Undefined()
		})
	}
	vm.Set("console", console)
}

// watchRejections returns a function that lists the promises rejected so far
// that nobody handled.
func watchRejections(vm *goja.Runtime) func() []*goja.Promise {
	var rejected []*goja.Promise
	vm.SetPromiseRejectionTracker(func(p *goja.Promise, operation goja.PromiseRejectionOperation) {
		if operation == goja.PromiseRejectionReject {
			rejected = append(rejected, p)
			return
		}
		rejected = slices.DeleteFunc(rejected, func(handled *goja.Promise) bool { return handled == p })
	})
	return func() []*goja.Promise { return rejected }
}

// stackLine is a project line in the stack of a JavaScript error. It is what is
// left of the frames once a promise was rejected.
var stackLine = regexp.MustCompile(projectNamespace + `:(\S+:\d+):\d+`)

// stackPosition is the innermost project line of such a stack.
func stackPosition(stack string) position {
	if line := stackLine.FindStringSubmatch(stack); line != nil {
		return parsePosition(line[1])
	}
	return position{File: entryPoint}
}

// describe is a thrown value and its stack, if any, as text. Both are asked of
// project code, which may throw in turn; hence a call that the interpreter guards.
func describe(vm *goja.Runtime, thrown goja.Value) (message, stack string) {
	const undescribed = "a value that has no text"
	function, err := vm.RunString("(thrown) => [`${thrown}`, `${thrown?.stack ?? ''}`].join('\\0')")
	if err != nil {
		return undescribed, ""
	}
	call, _ := goja.AssertFunction(function)
	text, err := call(goja.Undefined(), thrown)
	if err != nil {
		return undescribed, ""
	}
	message, stack, _ = strings.Cut(text.String(), "\x00")
	return message, stack
}

// recorded reads what the modules recorded, nothing when none was imported.
func recorded(vm *goja.Runtime) (r recording, err error) {
	value, err := vm.RunString(`JSON.stringify(globalThis.__recording ?? {})`)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(value.String()), &r)
}

// reportThrown makes a finding of what ended an evaluation, at the innermost
// project line it passed.
func reportThrown(vm *goja.Runtime, err error, s settings, found *findings) {
	var frames []goja.StackFrame
	var message string
	switch e := err.(type) {
	case *goja.InterruptedError:
		reportInterrupted(e, s, found)
		return
	case *goja.Exception:
		frames = e.Stack()
		message, _ = describe(vm, e.Value())
	case *goja.StackOverflowError:
		frames = e.Stack()
		message = "calls nested too deep"
	default: // the bundle's or the record's form
		message = err.Error()
	}
	found.fail("evaluation-failed", projectFrame(frames), "correct what throws", "evaluate amplify folder: %s", message)
}

// reportInterrupted makes a finding of an evaluation that the watch ended. Where
// it was then the engine does not know to the line, but what called it does.
func reportInterrupted(e *goja.InterruptedError, s settings, found *findings) {
	at := projectFrame(e.Stack()[min(1, len(e.Stack())):])
	if e.Value() == errMemory {
		found.fail("evaluation-memory", at, "look for a text or a list that grows without end",
			"evaluate amplify folder: it takes more than %d bytes of memory", maxMemory)
		return
	}
	found.fail("evaluation-timeout", at, "look for a loop that does not end", "evaluate amplify folder: not done after %v", s.timeout)
}

// projectFrame is the innermost frame in a project file; without one it is the
// entry point as a whole.
func projectFrame(frames []goja.StackFrame) position {
	for _, frame := range frames {
		p := frame.Position()
		name, ok := strings.CutPrefix(p.Filename, projectNamespace+":")
		if !ok {
			continue
		}
		if plain, err := url.PathUnescape(name); err == nil { // the source map escapes
			name = plain
		}
		return position{File: name, Line: p.Line}
	}
	return position{File: entryPoint}
}
