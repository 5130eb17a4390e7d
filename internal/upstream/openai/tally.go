package openai

import (
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

// tally is the decoder of an answer that counts its tokens where the server does
// not tell them.
type tally struct {
	dialect.Decoder
	model  inference.ModelID
	tokens func(inference.ModelID, *dialect.Conversation) int
	asked  *dialect.Conversation // nil where it is not known
	said   strings.Builder
}

// decoder is a tally where there are the means to count.
func (u *Upstream) decoder(model inference.ModelID, asked *dialect.Conversation) dialect.Decoder {
	decoder := openai.Dialect{}.NewDecoder()
	if u.config.Tokens == nil {
		return decoder
	}
	return &tally{Decoder: decoder, model: model, tokens: u.config.Tokens, asked: asked}
}

// Decode gives the terminal piece the usage that it may lack.
func (t *tally) Decode(event dialect.Payload) ([]dialect.Piece, error) {
	pieces, err := t.Decoder.Decode(event)
	for i := range pieces {
		switch p := &pieces[i]; {
		case p.Kind == dialect.Delta:
			t.said.WriteString(p.Text)
		case p.Kind == dialect.Ended && p.Usage == nil:
			p.Usage = t.usage()
		}
	}
	return pieces, err
}

func (t *tally) usage() *inference.Usage {
	usage := &inference.Usage{OutputTokens: t.tokens(t.model, &dialect.Conversation{Messages: []dialect.Message{
		{Role: dialect.Assistant, Content: []dialect.Block{{Type: dialect.Text, Text: t.said.String()}}},
	}})}
	if t.asked != nil {
		usage.InputTokens = t.tokens(t.model, t.asked)
	}
	return usage
}
