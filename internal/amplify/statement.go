package amplify

import (
	"io/fs"
	"strings"

	"fairway/backend"
)

// principals lists the roles that have statements: the data sources' first, by
// their names, then the others.
func principals(r recording, sources *sourceText, found *findings) []backend.Principal {
	roles := make([]roleRecord, 0, len(r.DataSources)+len(r.Roles))
	for _, ds := range r.DataSources {
		roles = append(roles, ds.roleRecord)
	}
	var named []backend.Principal
	for _, role := range append(roles, r.Roles...) {
		if len(role.Statements) == 0 {
			continue
		}
		p := backend.Principal{Name: role.Name}
		for _, s := range role.Statements {
			checkStatement(s, found)
			p.Statements = append(p.Statements, statement(s, sources))
		}
		named = append(named, p)
	}
	return named
}

// checkStatement finds what the CDK refuses in a role's statement at synthesis.
func checkStatement(s statementRecord, found *findings) {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		found.fail("invalid-statement", s.At, "use Effect.ALLOW or Effect.DENY", "policy statement: its effect is %q", s.Effect)
	}
	if len(s.Actions)+len(s.NotActions) == 0 {
		found.fail("invalid-statement", s.At, "give it actions", "policy statement: it has no action")
	}
	if len(s.Resources)+len(s.NotResources) == 0 {
		found.fail("invalid-statement", s.At, "give it resources", "policy statement: it has no resource")
	}
}

func statement(s statementRecord, sources *sourceText) backend.Statement {
	out := backend.Statement{
		SID:          s.SID,
		Effect:       s.Effect,
		Actions:      nonEmpty(s.Actions),
		NotActions:   nonEmpty(s.NotActions),
		Resources:    nonEmpty(s.Resources),
		NotResources: nonEmpty(s.NotResources),
		At:           s.At.String(),
	}
	for operator, keys := range s.Conditions {
		if out.Conditions == nil {
			out.Conditions = map[string]map[string][]string{}
		}
		out.Conditions[operator] = map[string][]string{}
		for key, values := range keys {
			out.Conditions[operator][key] = values
		}
	}
	for i, resource := range s.Resources {
		at := s.At
		if i < len(s.ResourceAt) { // it is project code's to add to one list alone
			at = s.ResourceAt[i]
		}
		at.Line = sources.lineOf(at, resource)
		out.ResourceAt = append(out.ResourceAt, at.String())
	}
	return out
}

// nonEmpty is nil for no values, as a hand-written backend has it.
func nonEmpty(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	return values
}

// sourceText reads project files by line, each once.
type sourceText struct {
	fsys  fs.FS
	files map[string][]string
}

func (s *sourceText) lines(file string) []string {
	lines, ok := s.files[file]
	if !ok {
		text, _ := fs.ReadFile(s.fsys, file) // it was bundled from there; unread, nothing is found in it
		lines = strings.Split(string(text), "\n")
		if s.files == nil {
			s.files = map[string][]string{}
		}
		s.files[file] = lines
	}
	return lines
}

// minMatch is how much of a resource a template must spell out to be taken for
// it: more than the arn:aws: that all have.
const minMatch = len("arn:aws:") + 1

// lineOf is the line on which the call at at writes resource: the one, up to the
// call's closing bracket, with the literal that agrees with it longest. A literal
// computed elsewhere gives the line of the call.
func (s *sourceText) lineOf(at position, resource string) int {
	line, longest, depth := at.Line, 0, 0
	lines := s.lines(at.File)
	for i := max(at.Line, 1) - 1; i < len(lines); i++ {
		if n := agreement(lines[i], resource); n > longest {
			line, longest = i+1, n
		}
		for _, c := range lines[i] {
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			}
		}
		if depth <= 0 {
			break
		}
	}
	return line
}

// agreement is how much of value's start and end a string literal on the line
// spells out, 0 when that is too little to tell. A literal that is all of value
// wins over one with more text.
func agreement(line, value string) int {
	best := 0
	for i := range len(line) {
		if !strings.ContainsRune("\"'`", rune(line[i])) {
			continue
		}
		literal := line[i+1:]
		if end := strings.IndexByte(literal, line[i]); end >= 0 {
			literal = literal[:end]
		}
		if literal == value {
			return len(value) + 1
		}
		if start := commonPrefix(literal, value); start >= minMatch {
			best = max(best, start+commonSuffix(literal[start:], value[start:]))
		}
	}
	return best
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
