package amplify

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fairway/backend"
)

// position is a place in a project file, "amplify/data/resource.ts:10". Line 0
// is the file as a whole.
type position struct {
	File string
	Line int
}

// String is the file, and the line where there is one.
func (p position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// UnmarshalText reads what String writes; the empty text is the entry point.
func (p *position) UnmarshalText(text []byte) error {
	*p = parsePosition(string(text))
	return nil
}

func parsePosition(text string) position {
	if text == "" {
		return position{File: entryPoint}
	}
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		if line, err := strconv.Atoi(text[i+1:]); err == nil {
			return position{text[:i], line}
		}
	}
	return position{File: text}
}

// findings collects what is found while loading.
type findings []backend.Finding

// fail adds an error: what is wrong where, and what to do about it.
func (f *findings) fail(code string, at position, fix, format string, args ...any) {
	f.add(backend.SeverityError, code, at, fix, fmt.Sprintf(format, args...))
}

// warn adds a warning.
func (f *findings) warn(code string, at position, fix, format string, args ...any) {
	f.add(backend.SeverityWarning, code, at, fix, fmt.Sprintf(format, args...))
}

func (f *findings) add(severity backend.Severity, code string, at position, fix, message string) {
	*f = append(*f, backend.Finding{
		Severity: severity, Code: code, File: at.File, Line: at.Line, Message: message, Fix: fix,
	})
}

func (f findings) failed() bool {
	return slices.ContainsFunc(f, func(one backend.Finding) bool {
		return one.Severity == backend.SeverityError
	})
}

// sorted is the findings by file and line, else in the order they were found.
func (f findings) sorted() []backend.Finding {
	return slices.SortedStableFunc(slices.Values(f), func(a, b backend.Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
