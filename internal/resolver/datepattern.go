package resolver

import (
	"fmt"
	"strings"
	"time"
)

// datePattern is a pattern of Java's DateTimeFormatter, taken apart.
type datePattern []dateField

// dateField is a run of one pattern letter, or literal text.
type dateField struct {
	letter  byte // 0 for text
	count   int
	literal string
}

// layouts gives Go's layout for a letter and count; count 0 stands for any other
// count of that letter.
var layouts = map[byte]map[int]string{
	'y': {2: "06", 0: "2006"},
	'u': {2: "06", 0: "2006"},
	'M': {1: "1", 2: "01", 3: "Jan", 4: "January"},
	'L': {1: "1", 2: "01", 3: "Jan", 4: "January"},
	'd': {1: "2", 2: "02"},
	'D': {3: "002"},
	'E': {1: "Mon", 2: "Mon", 3: "Mon", 4: "Monday"},
	'a': {1: "PM"},
	'h': {1: "3", 2: "03"},
	'H': {1: "15", 2: "15"},
	'm': {1: "4", 2: "04"},
	's': {1: "5", 2: "05"},
	'z': {1: "MST", 2: "MST", 3: "MST"},
	'Z': {1: "-0700", 2: "-0700", 3: "-0700", 5: "Z07:00"},
	'X': {1: "Z07", 2: "Z0700", 3: "Z07:00", 4: "Z070000", 5: "Z07:00:00"},
	'x': {1: "-07", 2: "-0700", 3: "-07:00", 4: "-070000", 5: "-07:00:00"},
}

// parseDatePattern takes a pattern apart. A letter, or a letter that often, that
// we do not format is an error that names it.
func parseDatePattern(pattern string) (datePattern, error) {
	var fields datePattern
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			text, n, ok := quoted(pattern[i:])
			if !ok {
				return nil, fmt.Errorf("util.time: pattern %q has a quote that does not end", pattern)
			}
			fields = append(fields, dateField{literal: text})
			i += n
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			count := len(pattern[i:]) - len(strings.TrimLeft(pattern[i:], string(c)))
			f := dateField{letter: c, count: count}
			if f.layout() == "" && c != 'S' {
				return nil, fmt.Errorf("util.time: pattern letters %q are not supported", pattern[i:i+count])
			}
			fields = append(fields, f)
			i += count
		default:
			fields = append(fields, dateField{literal: string(c)})
			i++
		}
	}
	return fields, nil
}

// quoted takes 'text' apart, in which two quotes are one; two quotes alone are a quote.
// n is the length it took.
func quoted(s string) (text string, n int, ok bool) {
	if strings.HasPrefix(s, "''") {
		return "'", 2, true
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			out.WriteByte(s[i])
			continue
		}
		if !strings.HasPrefix(s[i:], "''") {
			return out.String(), i + 1, true
		}
		out.WriteByte('\'')
		i++
	}
	return "", 0, false
}

func (f dateField) layout() string {
	byCount := layouts[f.letter]
	if layout, ok := byCount[f.count]; ok {
		return layout
	}
	return byCount[0]
}

func (p datePattern) format(t time.Time) string {
	var out strings.Builder
	for _, f := range p {
		switch {
		case f.letter == 0:
			out.WriteString(f.literal)
		case f.letter == 'S':
			out.WriteString(fmt.Sprintf("%09d", t.Nanosecond())[:min(f.count, 9)])
		case f.letter == 'H' && f.count == 1:
			fmt.Fprint(&out, t.Hour()) // Go has no layout for it
		default:
			out.WriteString(t.Format(f.layout()))
		}
	}
	return out.String()
}

// parse reads text; zone applies where the pattern has none.
func (p datePattern) parse(text string, zone *time.Location) (time.Time, error) {
	// Go's layouts have no quoting: literals are removed from text and layout
	// alike, and a control character keeps the fields apart.
	var layout, rest strings.Builder
	left := text
	for i, f := range p {
		if f.letter == 0 {
			if !strings.HasPrefix(left, f.literal) {
				return time.Time{}, fmt.Errorf("util.time: the text does not match the pattern at %q", f.literal)
			}
			left = left[len(f.literal):]
			continue
		}
		n := f.width(left, p[i+1:])
		value := left[:n]
		left = left[n:]
		if f.letter == 'S' {
			layout.WriteString("\x1f." + strings.Repeat("0", f.count))
			rest.WriteString("\x1f." + value)
			continue
		}
		layout.WriteString("\x1f" + f.layout())
		rest.WriteString("\x1f" + value)
	}
	if left != "" {
		return time.Time{}, fmt.Errorf("util.time: the text goes on after the pattern")
	}
	t, err := time.ParseInLocation(layout.String(), rest.String(), zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("util.time: the text does not match the pattern")
	}
	return t, nil
}

// width is how much of text the field takes: up to the literal that follows it,
// all when it is the last, and its count of digits before another field.
func (f dateField) width(text string, next datePattern) int {
	if len(next) == 0 {
		return len(text)
	}
	if next[0].letter == 0 {
		if i := strings.Index(text, next[0].literal); i >= 0 {
			return i
		}
		return len(text)
	}
	if strings.IndexByte("yuMdHhmsSDL", f.letter) < 0 || f.count < 2 || f.count > 2 && strings.IndexByte("ML", f.letter) >= 0 {
		// A name or number of any length: it ends where the next field can begin.
		if end := strings.IndexAny(text, "+-Z 0123456789"); end > 0 {
			return end
		}
	}
	return min(max(f.count, 1), len(text))
}
