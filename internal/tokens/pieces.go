package tokens

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pieces cuts a text where no token goes across, as GPT-2's expression does:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func pieces(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s != "" {
			n := piece(s)
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

// piece is the length of the first piece of a text that is not empty.
func piece(s string) int {
	for _, ending := range [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(s, ending) {
			return len(ending)
		}
	}
	blank := 0
	if s[0] == ' ' {
		blank = 1
	}
	for _, is := range [...]func(rune) bool{unicode.IsLetter, unicode.IsNumber, isSymbol} {
		if n := run(s[blank:], is); n > 0 {
			return blank + n
		}
	}
	n := run(s, unicode.IsSpace)
	if n == len(s) {
		return n
	}
	if _, last := utf8.DecodeLastRuneInString(s[:n]); last < n {
		return n - last // what follows takes the last blank with it
	}
	return n
}

func isSymbol(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.IsLetter(r) && !unicode.IsNumber(r)
}

// run is the length of the longest prefix all of whose runes are as is says.
func run(s string, is func(rune) bool) int {
	if n := strings.IndexFunc(s, func(r rune) bool { return !is(r) }); n >= 0 {
		return n
	}
	return len(s)
}
