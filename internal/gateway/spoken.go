package gateway

import (
	"strings"

	"fairway/internal/inference"
)

// spoken counts the tokens of what a stream has said so far, for one that ends before
// the model tells. The zero spoken can read nothing.
type spoken struct {
	text  func(inference.Event) string
	count func(text string) int

	rest    strings.Builder // that is not counted yet
	counted int             // tokens of what came before that
}

// mostRest is how many bytes of an answer are kept at a time.
const mostRest = 64 << 10

// listen makes the spoken of a call's answer. That of a unary one, which is whole or is
// not, is zero.
func (g *Gateway) listen(c *call) (s spoken) {
	if g.Text == nil || !c.request.Operation.Streams() {
		return s
	}
	model := c.answer.Profile.Model
	s.text, s.count = g.Text(c.request.Operation, model), quarter
	if g.Count != nil {
		s.count = func(text string) int { return g.Count(model, text) }
	}
	return s
}

// quarter is the tokens of a text at four bytes each.
func quarter(text string) int { return (len(text) + 3) / 4 }

// add takes in an event.
func (s *spoken) add(e inference.Event) {
	s.rest.WriteString(s.text(e))
	if s.rest.Len() >= mostRest {
		s.counted = s.tokens()
		s.rest.Reset()
	}
}

// tokens are those of all that was said.
func (s *spoken) tokens() int {
	if s.rest.Len() == 0 {
		return s.counted
	}
	return s.counted + s.count(s.rest.String())
}
