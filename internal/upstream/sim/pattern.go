package sim

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// patternText is a text that matches a schema's pattern and has a length that its
// limits, in runes, admit; false where none was found. Patterns that RE2 does not
// read have none.
func patternText(pattern string, least int, most *int) (string, bool) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	matcher, err := regexp.Compile(pattern)
	if err != nil {
		return "", false
	}
	limit := math.MaxInt
	if most != nil {
		limit = *most
	}
	for extra := range maxRepeats {
		text := new(strings.Builder)
		writeMatch(text, tree, extra)
		n := utf8.RuneCountInString(text.String())
		if least <= n && n <= limit && matcher.MatchString(text.String()) {
			return text.String(), true
		}
		if n > min(limit, maxExampleRunes) {
			break
		}
	}
	return "", false
}

// maxRepeats is how often more than it must a repeated part is written at most.
const maxRepeats = 64

// writeMatch writes what the expression matches, each repeated part extra times
// more than it must be, where it may.
func writeMatch(text *strings.Builder, re *syntax.Regexp, extra int) {
	repeat := func(times int) {
		for range times {
			if text.Len() > maxExampleRunes*utf8.UTFMax {
				return
			}
			writeMatch(text, re.Sub[0], extra)
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		text.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		text.WriteRune(oneOf(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		text.WriteByte('a')
	case syntax.OpCapture:
		repeat(1)
	case syntax.OpStar:
		repeat(extra)
	case syntax.OpQuest:
		repeat(min(extra, 1))
	case syntax.OpPlus:
		repeat(1 + extra)
	case syntax.OpRepeat:
		times := re.Min + extra
		if re.Max >= 0 {
			times = min(times, re.Max)
		}
		repeat(times)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			writeMatch(text, sub, extra)
		}
	case syntax.OpAlternate:
		writeMatch(text, re.Sub[0], extra)
	}
}

// oneOf is a rune of a class, given as pairs of first and last: a plain one where
// the class has any.
func oneOf(ranges []rune) rune {
	for _, r := range "aA1-_ " {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= r && r <= ranges[i+1] {
				return r
			}
		}
	}
	if len(ranges) == 0 {
		return 'a'
	}
	return ranges[0]
}
