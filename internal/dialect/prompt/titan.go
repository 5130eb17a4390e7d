package prompt

import (
	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Titan is the dialect of Amazon Titan Text.
type Titan struct{}

var _ dialect.Server = Titan{}

// DecodeRequest reads {"inputText","textGenerationConfig":{"maxTokenCount",...}}.
func (Titan) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	var r struct {
		InputText            *string `json:"inputText"`
		TextGenerationConfig struct {
			MaxTokenCount *int     `json:"maxTokenCount"`
			Temperature   *float64 `json:"temperature"`
			TopP          *float64 `json:"topP"`
			StopSequences []string `json:"stopSequences"`
		} `json:"textGenerationConfig"`
	}
	if err := dialect.ReadBody(body, &r); err != nil {
		return nil, err
	}
	c, err := read("inputText", r.InputText)
	if err != nil {
		return nil, err
	}
	config := r.TextGenerationConfig
	c.MaxTokens, c.Temperature, c.TopP, c.StopSequences = config.MaxTokenCount, config.Temperature, config.TopP, config.StopSequences
	return c, nil
}

type titanAnswer struct {
	InputTextTokenCount int           `json:"inputTextTokenCount"`
	Results             []titanResult `json:"results"`
}

type titanResult struct {
	TokenCount       int    `json:"tokenCount"`
	OutputText       string `json:"outputText"`
	CompletionReason string `json:"completionReason"`
}

// titanEvent is an event of a stream: the last one has the reason and the total.
type titanEvent struct {
	OutputText          string  `json:"outputText"`
	Index               int     `json:"index"`
	TotalOutputTokens   *int    `json:"totalOutputTextTokenCount"`
	CompletionReason    *string `json:"completionReason"`
	InputTextTokenCount int     `json:"inputTextTokenCount"`
}

// EncodeAnswer writes {"inputTextTokenCount","results":[...]}.
func (Titan) EncodeAnswer(a *dialect.Answer) ([]byte, error) {
	said, err := text(a)
	if err != nil {
		return nil, err
	}
	return dialect.WriteBody(titanAnswer{
		InputTextTokenCount: a.Usage.InputTokens,
		Results:             []titanResult{{a.Usage.OutputTokens, said, titanReason(a.Stop.Reason)}},
	})
}

// NewEncoder begins a streamed answer.
func (Titan) NewEncoder(dialect.Head) dialect.Encoder {
	e := new(encoder)
	e.say = func(text string) any {
		return titanEvent{OutputText: text, InputTextTokenCount: e.usage.InputTokens}
	}
	e.end = func(reason dialect.StopReason, usage inference.Usage) any {
		why := titanReason(reason)
		return titanEvent{TotalOutputTokens: &usage.OutputTokens, CompletionReason: &why, InputTextTokenCount: usage.InputTokens}
	}
	return e
}

func titanReason(r dialect.StopReason) string {
	switch r {
	case dialect.MaxTokens, dialect.ContextWindowExceeded:
		return "LENGTH"
	case dialect.StopSequence:
		return "STOP_CRITERIA_MET"
	case dialect.ContentFiltered, dialect.GuardrailIntervened:
		return "CONTENT_FILTERED"
	}
	return "FINISH"
}
