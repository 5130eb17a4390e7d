package resolver

import (
	"cmp"
	"fmt"
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
		lines[i] = fmt.Sprintf("%s:%d: %s (%s)", f.File, f.Line, f.Message, f.Code)
	}
	return strings.Join(lines, "\n")
}

func finding(entry string, line int, code, message, fix string) backend.Finding {
	return backend.Finding{Severity: backend.SeverityError, Code: code, File: entry, Line: line, Message: message, Fix: fix}
}

// RuntimeError is a handler that failed. It is the operator's view: what a
// caller is answered is the *[backend.Error] that it unwraps to, which hides it
// as AppSync does.
type RuntimeError struct {
	Entry   string // file
	Line    int    // in the file as written, 0 when not known
	Message string // the engine's words; may quote the code, never what it was given

	answer *backend.Error
	cause  error // of a call that was stopped from outside, else nil
}

// Error is the operator's line: file, line, message.
func (e *RuntimeError) Error() string {
	return fmt.Sprintf("run resolver %s:%d: %s", e.Entry, e.Line, e.Message)
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
