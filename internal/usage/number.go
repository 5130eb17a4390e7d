package usage

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fairway/internal/inference"
)

// grouped is a number for the eye.
func grouped(n int64) string { return inference.Grouped(strconv.FormatInt(n, 10)) }

// dollars is an amount for the eye.
func dollars(m inference.Money, decimals int) string { return inference.Grouped(m.Rounded(decimals)) }

// printable is a name as a terminal may be given it: what callers call themselves is
// theirs to choose.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
}

func orDash(name string) string {
	if name == "" {
		return "-"
	}
	return printable(name)
}

// shorten takes the middle out of a name that is wider than most characters: the
// beginning and the end tell ids apart.
func shorten(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most || most < 3 {
		return name
	}
	head := most / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(most-head-1):])
}
