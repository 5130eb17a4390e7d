// Package tokens estimates how many tokens a model's tokenizer makes of a text
// or of a whole call: the one count behind usage, quotas and CountTokens.
//
// Anthropic publishes no tokenizer for Claude 3 and later, so this is an
// estimate: characters per token of OpenAI's o200k vocabulary by class of
// script, times a factor by model family. It is pure arithmetic on each rune,
// without a vocabulary and without context, so a text's count never depends on
// what stands around it and cutting is exact:
//
//	f.Text(s[:f.Cut(s, n)]) <= n
//
// Expect 10 to 15 per cent error on prose, more on code. The figures are those
// of ../shared/facts/bedrock.md section 4, to be calibrated with real usage.
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
	weights, sum := &weights[f], int64(0)
	for _, r := range s {
		sum += int64(weights[classOf(r)])
	}
	return sum
}

// whole rounds a weight up to tokens.
func whole(weight int64) int { return int((weight + unit - 1) / unit) }
