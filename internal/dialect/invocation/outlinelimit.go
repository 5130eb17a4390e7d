package invocation

import (
	"cmp"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/dialect/prompt"
	"fairway/internal/inference"
)

// Limits of models whose body asks for none.
const (
	promptTokens  = 512   // of Titan, Llama and Mistral's prompts (User Guide, the families' pages [M])
	unknownTokens = 4_096 // where the model's own is not known
)

// Bounds of what a body may ask for: no model has as much, and sums of such do not wrap.
const (
	mostTokens  = 100_000_000
	mostAnswers = 128 // OpenAI's own bound of n
)

// maxTokens is the most that all answers to a body may have together.
func (f Form) maxTokens(op inference.Operation, model inference.Model, body []byte) int {
	asked, unasked := 0, 0
	if limits := f.Limits(body); len(limits) > 0 {
		asked, _ = strconv.Atoi(string(body[limits[0].From:limits[0].To]))
	}
	switch f.server.(type) {
	case prompt.Titan, prompt.Llama, prompt.Mistral:
		unasked = promptTokens
	}
	one := cmp.Or(max(0, asked), unasked, model.MaxOutput, unknownTokens)
	return min(min(one, mostTokens)*f.answers(op, body), mostTokens)
}

// answers is how many answers a body asks for. Families whose bodies are not known here
// are mostly spoken with as OpenAI's are.
func (f Form) answers(op inference.Operation, body []byte) int {
	_, chat := f.server.(openai.Dialect)
	invoked := op == inference.InvokeModel || op == inference.InvokeModelWithResponseStream
	if !chat && (!invoked || f.server != nil) {
		return 1
	}
	at := memberOf(body, dialect.Place{To: len(body)}, "n")
	n, _ := strconv.ParseFloat(string(body[at.From:at.To]), 64) // as JSON writes numbers
	return int(min(max(n, 1), mostAnswers))
}
