package prompt

import (
	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Mistral is the dialect of Mistral AI's text completion.
type Mistral struct{}

var _ dialect.Server = Mistral{}

// DecodeRequest reads {"prompt","max_tokens","temperature","top_p","top_k","stop"}.
func (Mistral) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	var r struct {
		Prompt      *string  `json:"prompt"`
		MaxTokens   *int     `json:"max_tokens"`
		Temperature *float64 `json:"temperature"`
		TopP        *float64 `json:"top_p"`
		TopK        *int     `json:"top_k"`
		Stop        []string `json:"stop"`
	}
	if err := dialect.ReadBody(body, &r); err != nil {
		return nil, err
	}
	c, err := read("prompt", r.Prompt)
	if err != nil {
		return nil, err
	}
	c.MaxTokens, c.Temperature, c.TopP, c.TopK, c.StopSequences = r.MaxTokens, r.Temperature, r.TopP, r.TopK, r.Stop
	return c, nil
}

// mistralAnswer is the body of a unary answer and each event of a stream. It counts
// no tokens: headers and metrics do.
type mistralAnswer struct {
	Outputs [1]mistralOutput `json:"outputs"`
}

type mistralOutput struct {
	Text       string  `json:"text"`
	StopReason *string `json:"stop_reason"`
}

func mistralEnd(text string, reason dialect.StopReason) mistralAnswer {
	why := stopOrLength(reason)
	return mistralAnswer{[1]mistralOutput{{text, &why}}}
}

// EncodeAnswer writes {"outputs":[{"text","stop_reason"}]}.
func (Mistral) EncodeAnswer(a *dialect.Answer) ([]byte, error) {
	said, err := text(a)
	if err != nil {
		return nil, err
	}
	return dialect.WriteBody(mistralEnd(said, a.Stop.Reason))
}

// NewEncoder begins a streamed answer.
func (Mistral) NewEncoder(dialect.Head) dialect.Encoder {
	return &encoder{
		say: func(text string) any { return mistralAnswer{[1]mistralOutput{{Text: text}}} },
		end: func(reason dialect.StopReason, _ inference.Usage) any { return mistralEnd("", reason) },
	}
}
