package invocation

import (
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/nova"
	"fairway/internal/dialect/openai"
	"fairway/internal/dialect/prompt"
)

// Limits are the places of the numbers that limit the output in a request body, of
// which one or none counts where a dialect has several words for it. The body is not
// decoded: a member that is written in another case than the dialect's is not found.
func (f Form) Limits(body []byte) (places []dialect.Place) {
	in, names := dialect.Place{To: len(body)}, []string(nil)
	switch f.server.(type) {
	case converse.Dialect:
		in, names = memberOf(body, in, "inferenceConfig"), []string{"maxTokens"}
	case nova.Dialect:
		in, names = memberOf(body, in, "inferenceConfig"), []string{"maxTokens", "max_new_tokens"}
	case anthropic.Dialect, prompt.Mistral:
		names = []string{"max_tokens"}
	case openai.Dialect:
		names = []string{"max_completion_tokens", "max_tokens"}
	case prompt.Titan:
		in, names = memberOf(body, in, "textGenerationConfig"), []string{"maxTokenCount"}
	case prompt.Llama:
		names = []string{"max_gen_len"}
	}
	for _, name := range names {
		if at := memberOf(body, in, name); isNumber(body, at) {
			places = append(places, at)
		}
	}
	return places
}

func isNumber(body []byte, at dialect.Place) bool {
	_, err := strconv.Atoi(string(body[at.From:at.To]))
	return err == nil
}

// memberOf is where the last member of a name is in an object; empty where none is.
func memberOf(body []byte, in dialect.Place, name string) (place dialect.Place) {
	for found, at := range dialect.Members(body, in) {
		if found == name {
			place = at
		}
	}
	return place
}
