// Package tokens counts how many tokens a model's tokenizer makes of a text or of a
// whole call: the one count behind usage, quotas, CountTokens and estimates.
//
//	tokens.go, weights.go             the arithmetic: pure, the same for ever
//	reading.go, script.go             what an estimate is made from
//	estimator.go, scale.go, prior.go  estimates with their interval
//	calibration.go, shelf.go          what answers teach about them
//	vocabulary.go, remembered.go      the vocabularies that are public
//	pieces.go, ranks.go               and byte pair encoding
//
// A Family counts by arithmetic: characters per token of OpenAI's o200k vocabulary by
// class of rune, times a factor by model family. It knows no vocabulary and no context,
// so a text's count never depends on what stands around it, and cutting is exact:
//
//	f.Text(s[:f.Cut(s, n)]) <= n
//
// Simulated regions count so, and nothing changes it. It is some 10 per cent off on
// prose, more on code; the figures are those of ../shared/facts/bedrock.md section 4.
//
// An Estimator says how many tokens a real model makes of it: exactly where the model's
// vocabulary is public, else by a factor that it learns from the model's answers.
package tokens

import (
	"strings"

	"fairway/internal/inference"
)

// Family is a group of models that share a tokenizer.
type Family uint8

// The families. Claude 4.7 came with a new tokenizer, which makes more tokens of
// the same text.
const (
	O200K    Family = iota // OpenAI's vocabulary, and the guess for every other model
	Claude2                // Claude 2 and Instant
	Claude3                // Claude 3 to 4.6
	Claude47               // Claude 4.7 and later
	families
)

// FamilyOf is the family of a model's tokenizer.
func FamilyOf(model inference.ModelID) Family {
	if !model.IsAnthropic() {
		return O200K
	}
	for _, old := range olderClaude {
		if strings.Contains(string(model), old.part) {
			return old.family
		}
	}
	return Claude47
}

// olderClaude tells the models before Claude 4.7 by a part of their id.
var olderClaude = []struct {
	part   string
	family Family
}{
	{"claude-v2", Claude2}, {"claude-instant", Claude2},
	{"claude-3-", Claude3}, {"-4-20", Claude3}, {"-4-1-", Claude3}, {"-4-5-", Claude3}, {"-4-6", Claude3},
}

// Text estimates the tokens of s. It is 0 for the empty text only.
func (f Family) Text(s string) int {
	return whole(f.weigh(s))
}

// Cut is the length in bytes of the longest prefix of s that has at most n
// tokens. It falls on a rune boundary.
func (f Family) Cut(s string, n int) int {
	if n >= len(s) { // no rune is more than a token
		return len(s)
	}
	weights, limit, sum := &weights[f], int64(n)*unit, int64(0)
	for i, r := range s {
		if sum += int64(weights[classOf(r)]); sum > limit {
			return i
		}
	}
	return len(s)
}

func (f Family) weigh(s string) int64 {
	var m mix
	m.add(s)
	return f.weight(&m)
}

// weight is that of a text whose runes were counted.
func (f Family) weight(m *mix) (sum int64) {
	weights := &weights[f]
	for c, n := range m {
		sum += int64(n) * int64(weights[c])
	}
	return sum
}

// whole rounds a weight up to tokens.
func whole(weight int64) int { return int((weight + unit - 1) / unit) }
