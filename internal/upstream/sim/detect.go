package sim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// script is a writing system, as far as it tells languages apart.
type script uint8

const (
	latin script = iota
	hanScript
	kanaScript
	hangulScript
	thaiScript
	devanagari
	cyrillicScript
	arabicScript
	otherScript
	scripts
)

// detect is the language of most of the prompt's letters: by script, and for
// Latin letters by which language's small words and letters are most frequent.
// English is the answer to what nothing tells.
func detect(prompt string) *language {
	var letters [scripts]int
	for _, r := range prompt {
		if s, ok := scriptOf(r); ok {
			letters[s]++
		}
	}
	if letters[kanaScript] > 0 { // Japanese writes both
		letters[kanaScript] += letters[hanScript]
	}
	most := latin
	for s := range scripts {
		if letters[s] > letters[most] {
			most = s
		}
	}
	if most == latin {
		return latinLanguage(prompt)
	}
	for i := range languages {
		if languages[i].script == most {
			return &languages[i]
		}
	}
	return english
}

func scriptOf(r rune) (script, bool) {
	switch {
	case r < utf8.RuneSelf:
		return latin, 'a' <= r|0x20 && r|0x20 <= 'z'
	case !unicode.IsLetter(r):
		return 0, false
	case r < 0x250, 0x1E00 <= r && r < 0x1F00:
		return latin, true
	case 0x400 <= r && r < 0x530:
		return cyrillicScript, true
	case 0x600 <= r && r < 0x780:
		return arabicScript, true
	case 0x900 <= r && r < 0x980:
		return devanagari, true
	case 0xE00 <= r && r < 0xE80:
		return thaiScript, true
	case 0x3040 <= r && r < 0x3100:
		return kanaScript, true
	case 0xAC00 <= r && r < 0xD7B0:
		return hangulScript, true
	case unicode.Is(unicode.Han, r):
		return hanScript, true
	}
	return otherScript, true
}

// latinLanguage gives each word to the languages that have it among their small
// words, and each word with a letter of one language to that language.
func latinLanguage(prompt string) *language {
	var score [len(languages)]int
	for word := range strings.FieldsFuncSeq(prompt, func(r rune) bool { return !unicode.IsLetter(r) }) {
		word = strings.ToLower(word)
		for _, i := range smallWords[word] {
			score[i]++
		}
		if i, ok := letterLanguage(word); ok {
			score[i]++
		}
	}
	best := 0 // English comes first and wins ties
	for i := range score {
		if score[i] > score[best] {
			best = i
		}
	}
	return &languages[best]
}

// letterLanguage is the language that alone, among those here, writes one of the
// word's letters.
func letterLanguage(word string) (index int, ok bool) {
	for _, r := range word {
		if r < utf8.RuneSelf {
			continue
		}
		if 0x1EA0 <= r && r < 0x1EFA { // Vietnamese vowels with tones
			return vietnamese, true
		}
		for i := range languages {
			if strings.ContainsRune(languages[i].letters, r) {
				return i, true
			}
		}
	}
	return 0, false
}

// smallWords maps a word to the positions of the languages that use it.
var smallWords = func() map[string][]int {
	words := map[string][]int{}
	for i := range languages {
		for word := range strings.FieldsSeq(languages[i].words) {
			words[word] = append(words[word], i)
		}
	}
	return words
}()

// length counts the words of s, or its letters in a script that does not part words.
func (l *language) length(s string) int {
	n, inside := 0, false
	for _, r := range s {
		in := isWordRune(r)
		if in && (!inside || l.unspaced && !unicode.IsMark(r)) {
			n++
		}
		inside = in
	}
	return n
}

func (l *language) comma() string {
	switch l.script {
	case hanScript, kanaScript:
		return "、"
	case arabicScript:
		return "، "
	}
	return ", "
}
