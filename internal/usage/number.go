package usage

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fairway/internal/inference"
)

// grouped writes a number with its thousands apart, "1,234,567".
func grouped(n int64) string {
	digits, negative := strings.CutPrefix(strconv.FormatInt(n, 10), "-")
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// dollars writes an amount with so many decimals, 1 to 8, rounded half away from zero.
func dollars(m inference.Money, decimals int) string {
	sign, amount := "", uint64(m)
	if m < 0 {
		sign, amount = "-", -amount
	}
	unit := uint64(inference.Dollar)
	for range decimals {
		unit /= 10
	}
	cut := (amount + unit/2) / unit
	whole := uint64(inference.Dollar) / unit
	if cut == 0 {
		sign = ""
	}
	return sign + grouped(int64(cut/whole)) + "." + strconv.FormatUint(cut%whole+whole, 10)[1:]
}

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
