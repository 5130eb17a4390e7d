package openai

import (
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// tally counts the tokens of an answer whose usage the server does not tell. Its
// methods may be called on nil, which counts nothing.
type tally struct {
	model  inference.ModelID
	tokens func(inference.ModelID, *dialect.Conversation) int
	asked  *dialect.Conversation // nil where it is not known
	said   strings.Builder
}

// tally is nil without the means to count.
func (u *Upstream) tally(model inference.ModelID, asked *dialect.Conversation) *tally {
	if u.config.Tokens == nil {
		return nil
	}
	return &tally{model: model, tokens: u.config.Tokens, asked: asked}
}

// add takes a piece in, and gives the last one the usage that it may lack.
func (t *tally) add(p *dialect.Piece) {
	switch {
	case t == nil:
	case p.Kind == dialect.Delta:
		t.said.WriteString(p.Text)
	case p.Kind == dialect.Ended && p.Usage == nil:
		p.Usage = &inference.Usage{OutputTokens: t.tokens(t.model, &dialect.Conversation{Messages: []dialect.Message{
			{Role: dialect.Assistant, Content: []dialect.Block{{Type: dialect.Text, Text: t.said.String()}}},
		}})}
		if t.asked != nil {
			p.Usage.InputTokens = t.tokens(t.model, t.asked)
		}
	}
}
