package capacity

import (
	"cmp"
	"time"

	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

// Desk is what quotes are made with.
type Desk struct {
	Catalog   *catalog.Catalog
	Estimator *tokens.Estimator
	Now       time.Time
}

// UsualOutput is how long an answer is guessed to be, in tokens, where nobody says: about
// that of a recipe.
const UsualOutput = 300

// unknownMax is the max_tokens of a model whose own is not known, as routing assumes it.
const unknownMax = 4_096

// Asked is what is known of the calls beside their prompt. Zero members are not given.
type Asked struct {
	Output    int // tokens of an answer
	MaxTokens int // in place of the body's
	Counted   int // tokens of the prompt, in place of the estimate
}

// Quote is one call of one model.
type Quote struct {
	Named  string            `json:"model"` // profile or model, as callers name it
	Model  inference.ModelID `json:"foundation_model"`
	Source inference.Region  `json:"source_region"`

	Tokens int          `json:"input_tokens"`
	Low    int          `json:"input_tokens_low"`
	High   int          `json:"input_tokens_high"`
	Basis  tokens.Basis `json:"basis"`

	Output    int  `json:"output_tokens"`
	Guessed   bool `json:"output_guessed"`
	MaxTokens int  `json:"max_tokens"` // asked for, else the model's own
	Window    int  `json:"context_window,omitempty"`
	Fits      bool `json:"fits"` // High and MaxTokens are within the context window, as far as that is known

	EndOfLife string `json:"end_of_life,omitempty"` // YYYY-MM-DD, where it has come
	Uncounted string `json:"uncounted,omitempty"`   // why the service's own count is not there that was asked for

	Cost  *Cost          `json:"cost_usd,omitempty"` // nil without a price
	Price *catalog.Price `json:"price,omitempty"`    // the row that it is by
}

// Cost is what a call costs: with the expected answer by the estimate and the ends of its
// interval, and at most: a prompt at the interval's end and an answer of max_tokens.
type Cost struct {
	Estimate inference.Money `json:"estimate"`
	Low      inference.Money `json:"low"`
	High     inference.Money `json:"high"`
	Most     inference.Money `json:"most"`
}

// Quote prices one call of a model, as it is called, with the prompt.
func (d *Desk) Quote(p *Prompt, called inference.Profile, asked Asked) Quote {
	m, _ := d.Catalog.Model(called.Model)
	estimate := tokens.Estimate{Tokens: asked.Counted, Low: asked.Counted, High: asked.Counted, Basis: Counted}
	if asked.Counted == 0 {
		estimate = d.Estimator.Conversation(called.Model, p.conversation)
	}
	q := Quote{
		Named: called.Named(), Model: called.Model, Source: called.SourceRegion,
		Tokens: estimate.Tokens, Low: estimate.Low, High: estimate.High, Basis: estimate.Basis,
		MaxTokens: cmp.Or(asked.MaxTokens, p.MaxTokens, m.MaxOutput, unknownMax),
		Guessed:   asked.Output == 0,
		Window:    m.ContextWindow,
	}
	q.Output = min(cmp.Or(asked.Output, UsualOutput), q.MaxTokens)
	q.Fits = q.Window == 0 || q.High+q.MaxTokens <= q.Window
	if d.ended(called) {
		q.EndOfLife = m.EndOfLife
	}
	if price, ok := d.Catalog.Price(cmp.Or(called.CopiedFrom, called.Named()), d.Now); ok {
		q.Price, q.Cost = &price, q.cost(&price)
	}
	return q
}

func (q *Quote) cost(p *catalog.Price) *Cost {
	of := func(input, output int) inference.Money {
		return p.Cost(inference.Usage{InputTokens: input, OutputTokens: output})
	}
	return &Cost{
		Estimate: of(q.Tokens, q.Output), Low: of(q.Low, q.Output), High: of(q.High, q.Output),
		Most: of(q.High, q.MaxTokens),
	}
}
