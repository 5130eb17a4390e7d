package sim

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on what a reply repeats of a prompt.
const (
	maxItems     = 12
	maxItemRunes = 40
	maxItemWords = 4
	maxKeywords  = 6
	maxQuote     = 160    // runes
	minKeyword   = 4      // runes
	readBytes    = 16_384 // of a prompt, from its beginning or to its end
)

// keywords is what a prompt is about: the items of the list that it ends with
// ("...: chicken, rice, carrots."), or else its longest words, small words aside,
// in the order in which they stand.
func keywords(prompt string, lang *language) []string {
	prompt = withoutRegions(tail(prompt, readBytes))
	if items := listItems(prompt); len(items) > 0 {
		return items
	}
	return longestWords(prompt, lang)
}

// listItems is the list that the prompt is or ends with, nil when there is none.
// One item makes a list only after a colon.
func listItems(prompt string) []string {
	least := 2
	if i := strings.LastIndexAny(prompt, ":："); i >= 0 {
		_, size := utf8.DecodeRuneInString(prompt[i:])
		if rest := prompt[i+size:]; strings.TrimSpace(rest) != "" {
			prompt, least = rest, 1
		}
	}
	var items []string
	for part := range strings.FieldsFuncSeq(prompt, func(r rune) bool { return strings.ContainsRune(",،、，;；\n", r) }) {
		item := strings.TrimFunc(part, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) })
		switch {
		case item == "" || slices.Contains(items, item):
		case utf8.RuneCountInString(item) > maxItemRunes || strings.Count(item, " ") >= maxItemWords:
			return nil // sentences, not a list
		default:
			items = append(items, item)
		}
	}
	if len(items) < least {
		return nil
	}
	return items[:min(len(items), maxItems)]
}

func longestWords(prompt string, lang *language) []string {
	type found struct {
		word string
		at   int
		size int
	}
	var all []found
	seen := map[string]bool{}
	for word := range strings.FieldsFuncSeq(prompt, func(r rune) bool { return !isWordRune(r) }) {
		size := utf8.RuneCountInString(word)
		if (size < minKeyword && !lang.unspaced) || seen[word] || len(smallWords[strings.ToLower(word)]) > 0 {
			continue
		}
		seen[word] = true
		all = append(all, found{clip(word, maxItemRunes), len(all), size})
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.size, a.size) })
	all = all[:min(len(all), maxKeywords)]
	slices.SortFunc(all, func(a, b found) int { return cmp.Compare(a.at, b.at) })
	words := make([]string, len(all))
	for i, f := range all {
		words[i] = f.word
	}
	return words
}

// isWordRune includes the marks that vowels of Thai and Hindi are.
func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '\''
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// regionCode is what a region is called, "us-gov-west-1", also within a word: a
// reply names none, not even one that the request names, lest it read as where
// the call ran.
var regionCode = regexp.MustCompile(`(?i)[a-z]{2,4}(-[a-z]{2,4})?-(central|north|south|(north|south)?(east|west))-[0-9]+`)

func withoutRegions(s string) string {
	if !strings.ContainsRune(s, '-') {
		return s
	}
	return regionCode.ReplaceAllLiteralString(s, "…")
}

// clip is s on one line, cut to n runes with an ellipsis.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(head(s, n*16)), " ")
	for i := range s {
		if n--; n < 0 {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}

// head and tail are at most n bytes of s, cut between runes.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	i := len(s) - n
	for !utf8.RuneStart(s[i]) {
		i++
	}
	return s[i:]
}
