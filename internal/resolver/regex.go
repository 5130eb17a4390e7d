package resolver

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strings"
)

// regex compiles a pattern string. AppSync's are Java's; RE2 runs those without
// look-around, back-references and possessive quantifiers, in linear time, and
// refuses the others.
func regex(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("regular expression is refused, RE2 cannot run it: %w", err)
	}
	return re, nil
}

// regex is regex for running code. The pattern may be what the code was given, so
// that the error does not quote it.
func (m *machine) regex(pattern string) *regexp.Regexp {
	re, err := regex(pattern)
	if cause, ok := errors.AsType[*syntax.Error](err); ok {
		err = fmt.Errorf("regular expression is refused, RE2 cannot run it: %s", cause.Code)
	}
	m.check(err)
	return re
}

// replace writes s with the matches of re replaced. In the replacement $1 or
// ${name} is a group and $& the match; a backslash takes the next character as it
// is, and so does a second dollar sign.
func replace(out io.StringWriter, s string, re *regexp.Regexp, replacement string, matches [][]int) {
	end := 0
	for _, match := range matches {
		out.WriteString(s[end:match[0]])
		expand(out, re, s, replacement, match)
		end = match[1]
	}
	out.WriteString(s[end:])
}

func expand(out io.StringWriter, re *regexp.Regexp, s, replacement string, match []int) {
	group := func(i int) {
		if i >= 0 && 2*i < len(match) && match[2*i] >= 0 {
			out.WriteString(s[match[2*i]:match[2*i+1]])
		}
	}
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if (c != '$' && c != '\\') || i+1 == len(replacement) {
			out.WriteString(replacement[i : i+1])
			continue
		}
		i++
		next := replacement[i]
		name, _, named := strings.Cut(replacement[i:], "}")
		switch {
		case c == '\\' || next == '$':
			out.WriteString(replacement[i : i+1])
		case next == '&':
			group(0)
		case next >= '0' && next <= '9':
			group(int(next - '0'))
		case next == '{' && named:
			group(re.SubexpIndex(name[1:]))
			i += len(name)
		default:
			out.WriteString(replacement[i-1 : i+1])
		}
	}
}
