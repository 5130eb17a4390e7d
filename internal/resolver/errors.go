package resolver

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"

	"fairway/backend"
)

// CompileError carries everything that keeps a resolver file from loading, in
// the order of its lines.
type CompileError struct {
	Findings []backend.Finding // severity error; Code is the lint rule's name, such as "no-while"
}

// Error lists the findings, one a line: file, line, message, rule.
func (e *CompileError) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = fmt.Sprintf("%s: %s (%s)", place(f.File, f.Line), f.Message, f.Code)
	}
	return strings.Join(lines, "\n")
}

// place is a line of a file, or the file as a whole for line 0.
func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

func finding(entry string, line int, code, message, fix string) backend.Finding {
	return backend.Finding{Severity: backend.SeverityError, Code: code, File: entry, Line: line, Message: message, Fix: fix}
}

// missing finds handlers that the file does not export as functions.
func missing(entry string, names ...handlerName) []backend.Finding {
	var findings []backend.Finding
	for _, name := range names {
		findings = append(findings, finding(entry, 1, "missing-"+string(name), "no exported function "+string(name),
			fmt.Sprintf("add: export function %s(ctx) { ... }", name)))
	}
	return findings
}

// RuntimeError is a handler that failed. It is the operator's view: what a
// caller is answered is the *[backend.Error] that it unwraps to, which hides it
// as AppSync does.
type RuntimeError struct {
	Entry   string // file
	Line    int    // in the file as written, 0 when not known
	Message string // the engine's words; may quote what the code was given

	class   string // the kind of failure, such as TypeError; quotes nothing
	content bool   // a log may hold what the code was given
	answer  *backend.Error
	cause   error // of a call that was stopped from outside, else nil
}

// Error is the operator's line: file, line, message.
func (e *RuntimeError) Error() string {
	return fmt.Sprintf("run resolver %s: %s", place(e.Entry, e.Line), e.Message)
}

// LogValue is what a log holds: entry, line and the kind of failure, and the
// message only where the options ask for content.
func (e *RuntimeError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("entry", e.Entry), slog.Int("line", e.Line), slog.String("class", e.class)}
	if e.content {
		attrs = append(attrs, slog.String("message", e.Message))
	}
	return slog.GroupValue(attrs...)
}

// Unwrap is the answer for the caller, and the context's error when it ended the call.
func (e *RuntimeError) Unwrap() []error {
	if e.cause != nil {
		return []error{e.answer, e.cause}
	}
	return []error{e.answer}
}

// What AppSync answers to code that failed (aws-appsync-community #355), and to
// code that took too long.
var (
	codeFailed = backend.Error{Type: "Code", Message: "Runtime Error"}
	timedOut   = backend.Error{Type: "ExecutionTimeout", Message: "Execution timed out."}
)

func byLine(a, b backend.Finding) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code))
}
