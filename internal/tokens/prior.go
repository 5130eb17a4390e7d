package tokens

import (
	"math"
	"strings"

	"fairway/internal/inference"
)

// kind is what is known of a model's tokenizer before it has answered.
type kind uint8

const (
	openai   kind = iota // its vocabulary is public, and the arithmetic was made for it
	claude2              // its vocabulary is public
	claude3              // measured by others (facts sheet, section 4)
	claude47             // measured by others, who differ
	unknown              // counted as if it were OpenAI's
	kinds
)

func kindOf(model inference.ModelID) kind {
	switch FamilyOf(model) {
	case Claude2:
		return claude2
	case Claude3:
		return claude3
	case Claude47:
		return claude47
	}
	if strings.HasPrefix(string(model), "openai.") {
		return openai
	}
	return unknown
}

// ofOpenAI is the log of how many tokens o200k makes of a text for each that the
// arithmetic counts, by script: mean and deviation of the half of the texts in testdata
// that is for fitting.
var ofOpenAI = [scripts]spread{
	Latin:      {-0.04, 0.06},
	Accented:   {0.02, 0.07},
	Vietnamese: {0.04, 0.08},
	Cyrillic:   {-0.02, 0.12},
	Arabic:     {0.04, 0.08},
	Indic:      {-0.09, 0.07},
	Thai:       {-0.07, 0.07},
	Chinese:    {0.01, 0.12},
	Japanese:   {0.04, 0.06},
	Korean:     {0.04, 0.07},
	Code:       {-0.02, 0.10},
	Data:       {0.23, 0.09},
	Other:      {0, 0.40}, // not fitted
}

// ofClaude2 is the same for Claude 2's vocabulary, which falls apart on what its makers
// had few texts of.
var ofClaude2 = [scripts]spread{
	Latin:      {-0.06, 0.05},
	Accented:   {0.33, 0.05},
	Vietnamese: {1.02, 0.01},
	Cyrillic:   {0.43, 0.08},
	Arabic:     {0.90, 0.02},
	Indic:      {0.98, 0.03},
	Thai:       {1.14, 0.02},
	Chinese:    {0.03, 0.16},
	Japanese:   {0.05, 0.07},
	Korean:     {0.42, 0.07},
	Code:       {0.04, 0.19},
	Data:       {0.12, 0.12},
	Other:      {0, 0.40}, // not fitted
}

// Deviations of what is known of a family, beside that of a text of its script. They are
// ours: six texts of a script are few, two measurements of Claude 4.7 differ by a fifth,
// and nothing is known of others.
const (
	unsureOfFit      = 0.05
	unsureOfClaude3  = 0.10
	unsureOfClaude47 = 0.15
	unsureOfOthers   = 0.25
	unsureOfScripts  = 0.50 // what others make of anything but Latin letters: old vocabularies make four times as much
)

// priors are the estimates of models that have not answered yet.
var priors = func() (table [kinds][scripts]*scale) {
	for s := range scripts {
		table[openai][s] = newScale(ofOpenAI[s].blurred(unsureOfFit), 0)
		table[claude2][s] = newScale(ofClaude2[s].blurred(unsureOfFit), 0)
		table[claude3][s] = newScale(ofOpenAI[s].blurred(unsureOfClaude3), 0)
		table[claude47][s] = newScale(ofOpenAI[s].blurred(unsureOfClaude47), 0)
		table[unknown][s] = newScale(ofOpenAI[s].blurred(unsureOfOthers), 0)
		if s.isForeign() {
			table[unknown][s] = newScale(ofOpenAI[s].blurred(unsureOfScripts), 0)
		}
	}
	return table
}()

// blurred is the spread with another deviation on top.
func (s spread) blurred(deviation float64) spread {
	return spread{s.mean, math.Hypot(s.deviation, deviation)}
}
