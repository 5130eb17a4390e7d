package resolver

import (
	"fmt"
	"regexp"
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

// replace replaces the first match of pattern, or all of them. In the
// replacement $1 or ${name} is a group and $& the match; a backslash takes the
// next character as it is, and so does a second dollar sign.
func replace(s, pattern, replacement string, all bool) (string, error) {
	re, err := regex(pattern)
	if err != nil {
		return "", err
	}
	limit := 1
	if all {
		limit = -1
	}
	var out strings.Builder
	end := 0
	for _, match := range re.FindAllStringSubmatchIndex(s, limit) {
		out.WriteString(s[end:match[0]])
		expand(&out, re, s, replacement, match)
		end = match[1]
	}
	out.WriteString(s[end:])
	return out.String(), nil
}

func expand(out *strings.Builder, re *regexp.Regexp, s, replacement string, match []int) {
	group := func(i int) {
		if i >= 0 && 2*i < len(match) && match[2*i] >= 0 {
			out.WriteString(s[match[2*i]:match[2*i+1]])
		}
	}
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if (c != '$' && c != '\\') || i+1 == len(replacement) {
			out.WriteByte(c)
			continue
		}
		i++
		next := replacement[i]
		name, _, named := strings.Cut(replacement[i:], "}")
		switch {
		case c == '\\' || next == '$':
			out.WriteByte(next)
		case next == '&':
			group(0)
		case next >= '0' && next <= '9':
			group(int(next - '0'))
		case next == '{' && named:
			group(re.SubexpIndex(name[1:]))
			i += len(name)
		default:
			out.WriteByte(c)
			out.WriteByte(next)
		}
	}
}
