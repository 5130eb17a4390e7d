package sim

import (
	"cmp"
	"context"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
)

// reply is what the text source has to say to c. Where c holds the beginning of that
// reply already, it is the rest, letter for letter: behind a prefill, behind a prompt
// that goes over into the reply, and for a user who asks to go on with it. Behind is the
// text that the model writes on in.
func (w *World) reply(ctx context.Context, c *call) (reply Reply, behind string, err error) {
	ask := func(asked dialect.Conversation) (Reply, error) { return w.config.Text.Reply(ctx, c.model.ID, &asked) }
	asked := *c.conversation
	n := len(asked.Messages)
	switch {
	case c.continues() && asked.Messages[n-1].Role == dialect.Assistant:
		said := asked.Messages[n-1].Text()
		asked.Messages = asked.Messages[:n-1]
		reply, err := ask(asked)
		return rest(reply, said), cmp.Or(c.prompt, said), err
	case isToldToGoOn(asked.Messages):
		said := lastText(asked.Messages[n-2])
		asked.Messages = withoutLast(asked.Messages[:n-1])
		if reply, err := ask(asked); begun(reply, said) > 0 {
			return rest(reply, said), cmp.Or(c.prompt, said), err
		}
	case c.family().prefix != "":
		text := asked.Messages[n-1].Text()
		for _, at := range openings(text) {
			asked.Messages = append(asked.Messages[:n-1:n-1], userSays(text[:at]))
			if reply, err := ask(asked); begun(reply, text[at:]) == len(text)-at {
				return rest(reply, text[at:]), c.prompt, err
			}
		}
	}
	reply, err = ask(*c.conversation)
	return reply, c.prompt, err
}

// continues reports whether the model writes on in a trailing assistant message. A
// chat completion of a model that is not known to begins a new turn behind it, as
// OpenAI's models do [M]; the others have refused the call before this.
func (c *call) continues() bool {
	_, chat := c.form.Dialect().(openai.Dialect)
	return c.model.Prefill || !chat
}

func userSays(text string) dialect.Message {
	return dialect.Message{Role: dialect.User, Content: []dialect.Block{{Type: dialect.Text, Text: text}}}
}

// begun is how much of the reply, in bytes, said ends with: all of said, or what
// follows a beginning that was the caller's own. A letter that both happen to have is
// nothing.
func begun(reply Reply, said string) int {
	if len(reply) == 0 || reply[0].Type != dialect.Text {
		return 0
	}
	text := reply[0].Text
	if strings.HasPrefix(text, said) {
		return len(said)
	}
	for n := min(len(text), len(said)); n >= minOpening; n-- {
		if strings.HasSuffix(said, text[:n]) {
			return n
		}
	}
	return 0
}

// minOpening is how much of a reply, in bytes, shows that it has begun.
const minOpening = 2

// rest is the reply without what said has of it.
func rest(reply Reply, said string) Reply {
	n := begun(reply, said)
	if n == 0 {
		return reply
	}
	first := reply[0]
	first.Text = first.Text[n:]
	return append(Reply{first}, reply[1:]...)
}

// goOn is how a user's message begins that asks for the rest of an answer that broke
// off, by Anthropic's guide for models that take no prefill.
const goOn = "Your previous response was interrupted and ended with "

func isToldToGoOn(messages []dialect.Message) bool {
	n := len(messages)
	return n > 2 && messages[n-2].Role == dialect.Assistant && len(messages[n-2].Content) > 0 && messages[n-1].Role == dialect.User &&
		strings.HasPrefix(messages[n-1].Text(), goOn)
}

// lastText is the text that a message ends with, and withoutLast the messages without
// it: the turn before may be the assistant's too, which makes one message of both.
func lastText(m dialect.Message) string { return m.Content[len(m.Content)-1].Text }

func withoutLast(messages []dialect.Message) []dialect.Message {
	n := len(messages) - 1
	before, last := messages[:n:n], messages[n]
	if last.Content = last.Content[:len(last.Content)-1]; len(last.Content) == 0 {
		return before
	}
	return append(before, last)
}

// openings are where in a prompt a reply of Written may have begun: where its marker
// stands, or the beginning of it at the prompt's end.
func openings(prompt string) (at []int) {
	const most = 8 // of a prompt that repeats the marker
	word := strings.TrimSpace(marker)
	for from := 0; len(at) < most; {
		i := strings.Index(prompt[from:], word)
		if i < 0 {
			break
		}
		if from+i > 0 { // there is a prompt before it
			at = append(at, from+i)
		}
		from += i + len(word)
	}
	for n := len(word) - 1; n >= minOpening; n-- {
		if strings.HasSuffix(prompt, word[:n]) && len(prompt) > n {
			return append(at, len(prompt)-n)
		}
	}
	return at
}
