package amplify

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/dop251/goja"
)

// maxCallStack is the depth of calls at which evaluation ends.
const maxCallStack = 2000

// evaluate runs the bundle and returns what it recorded, also when it did not
// run to its end; complete tells. What ended it is found.
func evaluate(ctx context.Context, script string, s settings, found *findings) (r recording, complete bool) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()

	vm := goja.New()
	vm.SetMaxCallStackSize(maxCallStack)
	stop := context.AfterFunc(ctx, func() { vm.Interrupt(ctx.Err()) })
	defer stop()

	provide(ctx, vm, s)
	rejections := watchRejections(vm)
	_, err := vm.RunScript("bundle.js", script)
	if err != nil {
		reportThrown(err, s, found)
	}
	rejected := rejections()
	for _, p := range rejected {
		found.fail("evaluation-failed", thrownAt(p.Result()), "handle the promise's rejection",
			"evaluate amplify folder: %s", p.Result())
	}
	complete = err == nil && len(rejected) == 0
	if r, err = recorded(vm); err != nil && complete {
		reportThrown(err, s, found)
		complete = false
	}
	return r, complete
}

// provide sets the globals that project code and our modules find.
func provide(ctx context.Context, vm *goja.Runtime, s settings) {
	vm.Set("__at", func() string {
		return projectFrame(vm.CaptureCallStack(0, nil)).String()
	})
	vm.Set("__deployment", map[string]string{"region": s.region, "account": s.account})
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

// thrownAt is the innermost project line of a thrown value's own stack.
func thrownAt(thrown goja.Value) position {
	if object, ok := thrown.(*goja.Object); ok {
		if stack := object.Get("stack"); stack != nil {
			if line := stackLine.FindStringSubmatch(stack.String()); line != nil {
				return parsePosition(line[1])
			}
		}
	}
	return position{File: entryPoint}
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
func reportThrown(err error, s settings, found *findings) {
	var frames []goja.StackFrame
	if interrupted, ok := errors.AsType[*goja.InterruptedError](err); ok {
		found.fail("evaluation-timeout", projectFrame(interrupted.Stack()), "look for a loop that does not end",
			"evaluate amplify folder: not done after %v", s.timeout)
		return
	}
	message := err.Error()
	if thrown, ok := errors.AsType[*goja.Exception](err); ok {
		frames = thrown.Stack()
		message = thrown.Value().String()
	} else if overflow, ok := errors.AsType[*goja.StackOverflowError](err); ok {
		frames = overflow.Stack()
		message = "calls nested too deep"
	}
	found.fail("evaluation-failed", projectFrame(frames), "correct what throws", "evaluate amplify folder: %s", message)
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
