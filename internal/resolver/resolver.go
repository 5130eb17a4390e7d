// Package resolver runs APPSYNC_JS 1.0.0 resolver files: request(ctx) and
// response(ctx) in a bounded JavaScript engine. [Compile] refuses what AppSync
// refuses at deployment, with line and rule; a [Resolver] then runs each call in
// a realm whose globals are frozen and whose module is evaluated anew, so that
// nothing one call does is seen by another.
//
// What bounds a call: time, 1,000 iterations a loop, call-stack and nesting
// depth, the length of arrays that a built-in walks, the size of each string it
// makes and of what it returns, and how far memory grows while it runs. The time
// limit is seen between instructions: a built-in that is at work ends first.
package resolver

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"fairway/backend"

	"github.com/dop251/goja"
)

// Options bounds and connects a resolver. The zero value has AppSync's limits,
// the real clock, real randomness, and logs nowhere.
type Options struct {
	Log        *slog.Logger // console.log and console.error go here, at debug level
	LogContent bool         // log what was printed too, which may hold prompts

	Timeout       time.Duration // of one handler, 10s when zero; a context's end stops it too
	MaxIterations int           // of one for-of or for-in loop, 1000 when zero
	MaxResult     int           // bytes of a returned value as JSON and of any string, 5 MB when zero

	Now  func() time.Time // clock of util.time and ids
	Rand io.Reader        // randomness of ids and numbers; must be safe for concurrent use
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxIterations == 0 {
		o.MaxIterations = 1000
	}
	if o.MaxResult == 0 {
		o.MaxResult = 5 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return o
}

// Resolver is a compiled resolver file. It is safe for concurrent use.
type Resolver struct {
	entry   string
	opts    Options
	program *goja.Program // evaluates to a function that evaluates the module and returns its handlers
	slots   chan struct{} // taken by each machine in use

	mu   sync.Mutex
	idle []*machine // the last used is the first taken: its memory is warm
}

var _ backend.Resolver = (*Resolver)(nil)

// Compile checks and compiles the text of one resolver file. The extension of
// entry, the file's path inside the project, says whether it is TypeScript. The
// error is a *[CompileError].
func Compile(entry, code string, opts Options) (*Resolver, error) {
	opts = opts.withDefaults()
	script, findings := bundle(entry, code)
	if findings != nil {
		return nil, &CompileError{Findings: findings}
	}
	if strings.Contains(script, commonJS) {
		return nil, &CompileError{Findings: missing(entry, request, response)}
	}
	program, findings := compile(entry, script, opts.MaxIterations)
	if findings != nil {
		return nil, &CompileError{Findings: findings}
	}
	r := &Resolver{entry: entry, opts: opts, program: program, slots: make(chan struct{}, 4*runtime.GOMAXPROCS(0))}
	if findings := r.load(); findings != nil {
		return nil, &CompileError{Findings: findings}
	}
	return r, nil
}

// commonJS is how the bundler begins a file that exports as CommonJS does.
const commonJS = "\nvar require_entry = __commonJS("

// load evaluates the module once, so that a module that cannot be evaluated is
// refused when it is compiled.
func (r *Resolver) load() []backend.Finding {
	m, err := r.machine(context.Background())
	if err != nil {
		return []backend.Finding{finding(r.entry, 0, "module-evaluation", err.Error(), "")}
	}
	var absent []handlerName
	fault := m.run(context.Background(), &backend.Context{}, func() {
		handlers := m.handlers()
		for _, name := range []handlerName{request, response} {
			if !isFunction(handlers.Get(string(name))) {
				absent = append(absent, name)
			}
		}
	})
	r.release(m, fault)
	if fault == nil {
		return missing(r.entry, absent...)
	}
	f := m.runtimeError(context.Background(), fault)
	return []backend.Finding{finding(r.entry, f.Line, "module-evaluation",
		"evaluate resolver module: "+f.Message, "keep code that may fail inside request and response")}
}

// Request runs request(ctx). It returns nil, bool, int64, float64, string, []any
// or map[string]any, or an *[backend.EarlyReturn]. An object under params.body is
// returned as its JSON text, in the order the code wrote its keys. Errors are
// *backend.Error for util.error and its family, else a *[RuntimeError].
func (r *Resolver) Request(ctx context.Context, c *backend.Context) (any, error) {
	return r.call(ctx, c, request)
}

// Response runs response(ctx), with the values and errors of [Resolver.Request].
func (r *Resolver) Response(ctx context.Context, c *backend.Context) (any, error) {
	return r.call(ctx, c, response)
}

func (r *Resolver) call(ctx context.Context, c *backend.Context, name handlerName) (any, error) {
	m, err := r.machine(ctx)
	if err != nil {
		return nil, err
	}
	var value any
	fault := m.run(ctx, c, func() {
		result := m.handler(name)(m.ctx.object)
		value = m.exportResult(result, name)
		m.writeStash()
	})
	defer r.release(m, fault)
	if fault == nil {
		return value, nil
	}
	if done, ok := fault.(*ending); ok {
		if done.err != nil {
			return nil, done.err
		}
		return done.value, nil
	}
	return nil, m.runtimeError(ctx, fault)
}

// machine takes an idle machine or makes one. Only a few for each processor are
// in use at a time: one takes milliseconds to make, a call a tenth of one, so a
// burst of calls does better waiting for those there are.
func (r *Resolver) machine(ctx context.Context) (*machine, error) {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		answer := timedOut
		return nil, &RuntimeError{Entry: r.entry, Message: ctx.Err().Error(), class: "canceled", cause: ctx.Err(), answer: &answer}
	}
	if m := r.pop(); m != nil {
		return m, nil
	}
	m, err := newMachine(r)
	if err != nil {
		<-r.slots
	}
	return m, err
}

func (r *Resolver) pop() *machine {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	if last < 0 {
		return nil
	}
	m := r.idle[last]
	r.idle = r.idle[:last]
	return m
}

// release gives a machine back. One that was stopped half way, or to which an
// interrupt may still be on its way, is not used again.
func (r *Resolver) release(m *machine, fault error) {
	switch fault.(type) {
	case nil, *ending, *goja.Exception:
		if m.quiet {
			r.mu.Lock()
			r.idle = append(r.idle, m)
			r.mu.Unlock()
		}
	}
	<-r.slots
}
