// Package amplify makes a backend.Backend of an Amplify Gen 2 amplify/ folder.
//
// The folder's TypeScript is bundled, its types erased, and evaluated in an
// interpreter that has no files, no network and no processes. What the code
// imports from @aws-amplify/backend and aws-cdk-lib are modules of our own that
// only record (folder modules, package schema); this package gives the record
// its meaning. Whatever of the CDK has none here loads all the same and is
// reported once, as a warning.
package amplify

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"fairway/backend"
)

// entryPoint is the file an amplify/ folder is evaluated from.
const entryPoint = "amplify/backend.ts"

// Option changes how Load evaluates a folder.
type Option func(*settings)

type settings struct {
	region, account string
	timeout         time.Duration
	log             *slog.Logger
}

// WithRegion sets what the CDK's region tokens, Stack.of(...).region and the
// like, read as. The default is us-east-1.
func WithRegion(region string) Option { return func(s *settings) { s.region = region } }

// WithAccount sets what the CDK's account tokens read as. The default is the
// documentation's account, 123456789012.
func WithAccount(account string) Option { return func(s *settings) { s.account = account } }

// WithTimeout bounds bundling and evaluation together. The default is five seconds.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithLog takes what the folder's code prints with console.log. Without it that
// goes nowhere.
func WithLog(log *slog.Logger) Option { return func(s *settings) { s.log = log } }

// LoadError is everything that was found in a folder that cannot run as it is.
type LoadError struct {
	Findings []backend.Finding // by file and line; at least one is an error
}

// Error is one line per finding that is an error: where, what, remedy.
func (e *LoadError) Error() string {
	var lines []string
	for _, f := range e.Findings {
		if f.Severity != backend.SeverityError {
			continue
		}
		line := position{f.File, f.Line}.String() + ": " + f.Message
		if f.Fix != "" {
			line += "; " + f.Fix
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Load evaluates the amplify/ folder in fsys, whose root is the project root,
// and returns the backend that it declares. Nothing outside fsys is read; an
// fsys that follows symbolic links out of the project is the caller's choice,
// and os.Root's does not.
//
// An error is a *LoadError, beside which Load returns as much of the backend as
// could be built (its Schema whenever the schema itself is sound), or ctx's own
// error. It returns soon after its time is over or ctx ends. A built-in of the
// interpreter cannot be stopped: one that is then at work goes on alone.
func Load(ctx context.Context, fsys fs.FS, options ...Option) (*backend.Backend, error) {
	s := settings{region: "us-east-1", account: "123456789012", timeout: 5 * time.Second}
	for _, option := range options {
		option(&s)
	}
	var found findings
	b := &backend.Backend{}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	source := &folder{FS: fsys, left: maxFolder}
	script, files, ok := bundle(limited, source, s, &found)
	if ok {
		r, complete := evaluate(limited, script, s, &found)
		declare(b, r, complete, source, &found)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load amplify folder: %w", err)
	}
	b.Files = withEntries(files, b.Operations)
	b.Findings = found.sorted()
	if found.failed() {
		return b, &LoadError{Findings: b.Findings}
	}
	return b, nil
}

// withEntries adds the resolver files to those that were bundled.
func withEntries(files []string, operations []backend.Operation) []string {
	for _, op := range operations {
		for _, f := range op.Pipeline {
			files = append(files, f.Entry)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}
