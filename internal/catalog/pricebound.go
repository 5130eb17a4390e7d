package catalog

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a price file. The parser takes the square of the number of blank lines, and
// of how deep brackets, and dashes and question marks on one line, nest.
const (
	maxBytes    = 512 << 10
	maxLines    = 10_000
	maxBlanks   = 1000 // in all
	maxDepth    = 20   // of brackets
	maxMarks    = 20   // dashes and question marks on a line
	maxTiers    = 16   // of one row
	maxText     = 256  // bytes of an id, name, source, date
	maxNote     = 2000 // bytes
	maxProblems = 20   // told
)

// bounded refuses what the parser would take long for, and what is no text.
func bounded(text []byte) error {
	switch {
	case len(text) > maxBytes:
		return fmt.Errorf("want at most %d bytes", maxBytes)
	case !utf8.Valid(text):
		return errors.New("want UTF-8 text")
	}
	lines, blanks, open := 0, 0, 0
	for line := range strings.Lines(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))) {
		lines++
		if strings.TrimSpace(line) == "" {
			blanks++
		}
		for _, b := range []byte(line) {
			switch b {
			case '[', '{':
				open++
			case ']', '}':
				open--
			}
			if open > maxDepth {
				return fmt.Errorf("want brackets at most %d deep, up to line %d", maxDepth, lines)
			}
		}
		switch {
		case lines > maxLines:
			return fmt.Errorf("want at most %d lines", maxLines)
		case blanks > maxBlanks:
			return fmt.Errorf("want at most %d blank lines, up to line %d", maxBlanks, lines)
		case strings.Count(line, "- ")+strings.Count(line, "? ") > maxMarks:
			return fmt.Errorf("want at most %d dashes and question marks on line %d", maxMarks, lines)
		}
	}
	return nil
}
