// Package check finds what would fail at run time, here or on AWS, before it
// does: it asks the stages that decide ahead of a call the questions that a call
// would ask, and runs each resolver once against an error to see what becomes
// of it.
//
//	check.go      the run
//	statement.go  what is wrong with policy statements by themselves
//	call.go       what each model call would meet
//	swallow.go    what becomes of an error of the service
//	probe.go      running a resolver on made-up arguments
package check

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairway/backend"
	"fairway/internal/catalog"
	"fairway/internal/policy"
)

// Options are the settings that a finding depends on.
type Options struct {
	Account string        // what <UserID> stands for; default catalog.DefaultAccount
	Strict  bool          // a call that AWS refuses is refused here too
	Now     time.Time     // the day that ends of life are held against
	Timeout time.Duration // of the run; default 10s
}

// Run lists what there is to know about b, by file and line and each thing once:
// what was found when it was loaded, also where that failed, and what calling it
// would meet. A nil b has nothing to find. It resolves nothing over the network
// and calls no model. Resolver files that run on past the timeout are stopped,
// and a finding says so; a resolver in Go runs to its end.
func Run(ctx context.Context, b *backend.Backend, o Options) []backend.Finding {
	if b == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.Timeout, 10*time.Second))
	defer cancel()
	c := newChecker(ctx, b, o)
	c.placeholders()
	c.statementOrder()
	c.engines()
	c.compile()
	c.policies()
	c.signing()
	c.calls()
	c.swallowed()
	if ctx.Err() == context.DeadlineExceeded {
		c.add(backend.SeverityWarning, "unfinished", "",
			"check ran out of time, because resolver code takes too long on the arguments it was tried with; there may be more to find", "look for nested loops")
	}
	return c.findings()
}

// checker is one Run under way.
type checker struct {
	Options
	ctx       context.Context
	backend   *backend.Backend
	sources   map[string]backend.DataSource
	catalog   *catalog.Catalog
	policy    *policy.Engine              // nil when a statement is invalid
	resolvers map[string]backend.Resolver // by entry; nil for those that do not compile
	examples  examples
	found     []backend.Finding
}

func newChecker(ctx context.Context, b *backend.Backend, o Options) *checker {
	o.Account = cmp.Or(o.Account, catalog.DefaultAccount)
	c := &checker{
		Options:   o,
		ctx:       ctx,
		backend:   b,
		sources:   map[string]backend.DataSource{},
		catalog:   catalog.New(catalog.Options{Account: o.Account}),
		resolvers: map[string]backend.Resolver{},
		examples:  newExamples(b.Schema),
		found:     slices.Clone(b.Findings),
	}
	for _, ds := range b.DataSources {
		c.sources[ds.Name] = ds
	}
	return c
}

// functions are the pipeline functions of all operations, each with its operation.
func (c *checker) functions() iter.Seq2[backend.Function, backend.Operation] {
	return func(yield func(backend.Function, backend.Operation) bool) {
		for _, op := range c.backend.Operations {
			for _, f := range op.Pipeline {
				if !yield(f, op) {
					return
				}
			}
		}
	}
}

// engines lists the operations that have no engine yet, unless loading has: it
// names those of one declaration in one finding.
func (c *checker) engines() {
	for _, op := range c.backend.Operations {
		if op.Unsupported != "" && !c.loaded("unsupported-operation", op.At) {
			c.add(backend.SeverityWarning, "no-engine", op.At,
				op.Type+"."+op.Field+" is "+op.Unsupported+", which has no engine here yet: calling it answers an error", "")
		}
	}
}

// add adds a finding at a position such as "amplify/backend.ts:30".
func (c *checker) add(severity backend.Severity, code, at, message, fix string) {
	file, line := position(at)
	c.found = append(c.found, backend.Finding{
		Severity: severity, Code: code, File: file, Line: line, Message: message, Fix: fix,
	})
}

// loaded reports whether loading has found such a thing at a position.
func (c *checker) loaded(code, at string) bool {
	file, line := position(at)
	return slices.ContainsFunc(c.backend.Findings, func(f backend.Finding) bool {
		return f.Code == code && f.File == file && f.Line == line
	})
}

// position takes "amplify/backend.ts:30" apart; line 0 is the file as a whole.
func position(at string) (file string, line int) {
	if i := strings.LastIndexByte(at, ':'); i >= 0 {
		if line, err := strconv.Atoi(at[i+1:]); err == nil {
			return at[:i], line
		}
	}
	return at, 0
}

// findings is what was found, by file and line, each once.
func (c *checker) findings() []backend.Finding {
	seen := map[backend.Finding]bool{}
	var once []backend.Finding
	for _, f := range c.found {
		if !seen[f] {
			seen[f] = true
			once = append(once, f)
		}
	}
	slices.SortStableFunc(once, func(a, b backend.Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return once
}
