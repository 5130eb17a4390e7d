package prompt

import (
	"errors"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

var errNoText = errors.New("encode answer: a text model answers with text only")

// text is an answer's text.
func text(a *dialect.Answer) (string, error) {
	all := ""
	for _, b := range a.Content {
		if b.Type != dialect.Text {
			return "", errNoText
		}
		all += b.Text
	}
	return all, nil
}

// encoder writes a streamed answer: an event for each text, and one at the end.
type encoder struct {
	reason dialect.StopReason
	usage  inference.Usage // what is known of it so far

	say func(text string) any                                      // the event of a piece of text
	end func(reason dialect.StopReason, usage inference.Usage) any // the last event
}

// Encode makes nothing of the beginnings and ends of blocks.
func (e *encoder) Encode(p dialect.Piece) ([]dialect.Payload, error) {
	if p.Usage != nil {
		e.usage = *p.Usage
	}
	switch p.Kind {
	case dialect.BlockBegan:
		if p.Block.Type != dialect.Text {
			return nil, errNoText
		}
	case dialect.Delta:
		return payload(e.say(p.Text))
	case dialect.Stopped:
		e.reason = p.Stop.Reason
	case dialect.Ended:
		return payload(e.end(e.reason, e.usage))
	}
	return nil, nil
}

func payload(event any) ([]dialect.Payload, error) {
	text, err := dialect.WriteBody(event)
	return []dialect.Payload{{JSON: text}}, err
}
