package prompt

import (
	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Llama is the dialect of Meta Llama.
type Llama struct{}

var _ dialect.Server = Llama{}

// DecodeRequest reads {"prompt","max_gen_len","temperature","top_p"}.
func (Llama) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	var r struct {
		Prompt      *string  `json:"prompt"`
		MaxGenLen   *int     `json:"max_gen_len"`
		Temperature *float64 `json:"temperature"`
		TopP        *float64 `json:"top_p"`
	}
	if err := dialect.ReadBody(body, &r); err != nil {
		return nil, err
	}
	c, err := read("prompt", r.Prompt)
	if err != nil {
		return nil, err
	}
	c.MaxTokens, c.Temperature, c.TopP = r.MaxGenLen, r.Temperature, r.TopP
	return c, nil
}

// llamaAnswer is the body of a unary answer and each event of a stream, where the
// counts come with the last one.
type llamaAnswer struct {
	Generation           string  `json:"generation"`
	PromptTokenCount     *int    `json:"prompt_token_count"`
	GenerationTokenCount *int    `json:"generation_token_count"`
	StopReason           *string `json:"stop_reason"`
}

func llamaEnd(text string, reason dialect.StopReason, usage inference.Usage) llamaAnswer {
	why := stopOrLength(reason)
	return llamaAnswer{text, &usage.InputTokens, &usage.OutputTokens, &why}
}

// EncodeAnswer writes {"generation","prompt_token_count",...}.
func (Llama) EncodeAnswer(a *dialect.Answer) ([]byte, error) {
	said, err := text(a)
	if err != nil {
		return nil, err
	}
	return dialect.WriteBody(llamaEnd(said, a.Stop.Reason, a.Usage))
}

// NewEncoder begins a streamed answer.
func (Llama) NewEncoder(dialect.Head) dialect.Encoder {
	return &encoder{
		say: func(text string) any { return llamaAnswer{Generation: text} },
		end: func(reason dialect.StopReason, usage inference.Usage) any { return llamaEnd("", reason, usage) },
	}
}

// stopOrLength is why an answer ended, as Llama and Mistral say it.
func stopOrLength(r dialect.StopReason) string {
	if r == dialect.MaxTokens || r == dialect.ContextWindowExceeded {
		return "length"
	}
	return "stop"
}
