package tokens

import "unicode/utf8"

// Script is what most of a text is written in, as far as estimates tell texts apart:
// a text of one script is about as far off as the next. Code and data are told by how
// much of them is punctuation and digits.
type Script uint8

// The scripts.
const (
	Latin      Script = iota // without accents: English
	Accented                 // most of Europe's languages
	Vietnamese               // Latin letters, an accent on every third
	Cyrillic                 // and Greek
	Arabic                   // and Hebrew
	Indic
	Thai // and Lao, Khmer, Burmese
	Chinese
	Japanese
	Korean
	Code // and JSON
	Data // tables, logs, ids: every sixth character is a digit
	Other
	scripts
)

var scriptNames = [scripts]string{
	"latin", "accented", "vietnamese", "cyrillic", "arabic", "indic", "thai",
	"chinese", "japanese", "korean", "code", "data", "other",
}

// String is the script's name, as calibrations are kept by it.
func (s Script) String() string { return scriptNames[min(s, Other)] }

// isForeign reports whether it is written in letters that vocabularies differ on.
func (s Script) isForeign() bool { return s != Latin && s != Accented && s != Code && s != Data }

// scriptOf is the script of that name.
func scriptOf(name string) (Script, bool) {
	for s := range scripts {
		if scriptNames[s] == name {
			return s, true
		}
	}
	return Other, false
}

// mix counts the runes of texts by their class.
type mix [classes]int

// add counts a text. ASCII is counted three classes at once, in the lanes of a word: on a
// call's way each nanosecond a character counts.
func (m *mix) add(s string) {
	for i := 0; i < len(s); {
		run, from := uint64(0), i
		for end := min(len(s), from+laneMax); i < end && s[i] < utf8.RuneSelf; i++ {
			run += lanes[s[i]]
		}
		m[letter] += int(run & laneMax)
		m[mark] += int(run >> laneBits & laneMax)
		m[digit] += int(run >> (2 * laneBits))
		if i < len(s) && s[i] >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			m[classOf(r)]++
			i += size
		}
	}
}

// A word has a lane for each class of ASCII, the letters' lowest.
const (
	laneBits = 21
	laneMax  = 1<<laneBits - 1
)

// lanes is 1 in the lane of each ASCII character's class.
var lanes = func() (table [utf8.RuneSelf]uint64) {
	for r, c := range ascii {
		switch c {
		case letter:
			table[r] = 1
		case mark:
			table[r] = 1 << laneBits
		case digit:
			table[r] = 1 << (2 * laneBits)
		}
	}
	return table
}()

// Shares that tell scripts apart, in per cent; ours, from the texts in testdata.
const (
	ofData       = 16 // digits among ASCII
	ofCode       = 12 // digits and punctuation among ASCII
	ofVietnamese = 16 // accents among Latin letters
	ofJapanese   = 12 // kana among kana and Chinese characters
)

// script is the script of what was counted. What counts is the tokens that a class makes,
// not its runes: a Chinese character is worth four letters.
func (m *mix) script() Script {
	if s, weight := m.foreign(); weight > m.weight(letter)+m.weight(accented) {
		return s
	}
	marks := m[mark] + m[digit]
	ascii := m[letter] + marks
	switch {
	case m[digit]*100 > ascii*ofData:
		return Data
	case marks*100 > ascii*ofCode:
		return Code
	case m[accented]*100 > (m[letter]+m[accented])*ofVietnamese:
		return Vietnamese
	case m[accented] > 0 && m[accented]*200 > m[letter]:
		return Accented
	}
	return Latin
}

// foreign is the heaviest script that is not Latin, and its weight.
func (m *mix) foreign() (script Script, weight int) {
	east := m.weight(han) + m.weight(kana)
	eastern := Chinese
	if m[kana]*100 > (m[han]+m[kana])*ofJapanese {
		eastern = Japanese
	}
	for _, of := range [...]struct {
		script Script
		weight int
	}{
		{Cyrillic, m.weight(cyrillic)}, {Arabic, m.weight(arabic)}, {Indic, m.weight(indic)}, {Thai, m.weight(thai)},
		{eastern, east}, {Korean, m.weight(hangul)}, {Other, m.weight(other)},
	} {
		if of.weight > weight {
			script, weight = of.script, of.weight
		}
	}
	return script, weight
}

func (m *mix) weight(c class) int { return m[c] * o200k[c] }
