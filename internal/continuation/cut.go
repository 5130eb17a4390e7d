package continuation

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// Cut ends the leg at hand, which broke off. Request is what the next target is to
// answer. Where nothing but the end is missing, or the tokens that the request allows
// are used up, there is no request and rest is the end of the answer. Ok is false where
// it cannot be gone on with soundly, or has ended.
func (t *Thread) Cut() (request *inference.Request, rest []inference.Event, ok bool) {
	if t.spent = (inference.Usage{}); !t.leg.silent {
		t.spent, t.leg.silent = t.used(), true
		t.total = t.total.Plus(t.spent)
	}
	asked := t.conversation()
	switch {
	case !t.heard.began || t.heard.ended || t.heard.broken || asked == nil || !asked.IsPlain():
		return nil, nil, false
	case t.heard.stop != nil:
		rest, ok = t.end(*t.heard.stop)
		return nil, rest, ok
	case t.heard.beyond || !isFree(asked):
		return nil, nil, false
	}
	said, limit := t.heard.said(), 0
	if asked.MaxTokens != nil {
		limit = *asked.MaxTokens - t.grown(strings.Join(said, ""))
		if limit <= 0 {
			rest, ok = t.end(dialect.Stop{Reason: dialect.MaxTokens})
			return nil, rest, ok
		}
	}
	return t.follow(said, limit)
}

// follow is the request that goes on behind said.
func (t *Thread) follow(said []string, limit int) (*inference.Request, []inference.Event, bool) {
	told := ""
	if t.instruct && len(said) > 0 {
		told = instruction(said[len(said)-1])
	}
	body, ok := t.shape.extend(t.request.Body, said, told, t.form.Limits(t.request.Body), limit)
	if !ok {
		return nil, nil, false
	}
	asked, err := t.form.Decode(body)
	reader, unread := invocation.Read(t.request.Operation, t.model)
	if err != nil || unread != nil || !t.asks(asked, said, told, limit) || t.prime() != nil {
		return nil, nil, false
	}
	text := string(t.heard.text)
	t.leg = leg{reader: reader, asked: asked, silent: true, from: len(text), held: text[len(strings.TrimRightFunc(text, unicode.IsSpace)):]}
	request := *t.request
	request.Body, request.PayloadHash = body, ""
	return &request, nil, true
}

// asks reports whether an edited body reads as it was meant to: an object may have had
// members that only its reader takes for those of the form, and a prompt may have marked
// its last turn as ended.
func (t *Thread) asks(c *dialect.Conversation, said []string, told string, limit int) bool {
	if limit > 0 && (c.MaxTokens == nil || *c.MaxTokens != limit) {
		return false
	}
	if len(said) == 0 {
		return true
	}
	last := c.Messages[len(c.Messages)-1]
	if told != "" {
		if last.Role != dialect.User || last.Text() != told || len(c.Messages) < 2 {
			return false
		}
		last = c.Messages[len(c.Messages)-2]
	}
	return (last.Role == dialect.Assistant || t.shape.prompt != "") && strings.HasSuffix(last.Text(), said[len(said)-1])
}

// isFree reports whether a model that c asks may answer in plain text. Thinking may be
// asked for by members that only the model knows.
func isFree(c *dialect.Conversation) bool {
	forced := c.ToolChoice != nil && (c.ToolChoice.Mode == dialect.AnyTool || c.ToolChoice.Mode == dialect.OneTool)
	thinks := c.Thinking != nil && c.Thinking.Mode != "" && c.Thinking.Mode != "disabled"
	extra := string(c.Extra)
	return !forced && !thinks && c.Output == nil &&
		!strings.Contains(extra, "thinking") && !strings.Contains(extra, "reasoning")
}

// said is the text so far by blocks, without the white space that it ends with and
// without blocks of nothing else, which the services refuse.
func (h *heard) said() (blocks []string) {
	text, from := strings.TrimRightFunc(string(h.text), unicode.IsSpace), 0
	for _, end := range append(h.ends[:len(h.ends):len(h.ends)], len(h.text)) {
		end = min(end, len(text))
		if strings.TrimSpace(text[from:end]) != "" {
			blocks = append(blocks, text[from:end])
		}
		from = end
	}
	return blocks
}

// instruction tells a model to go on behind said, in the words of Anthropic's guide
// (page "Migrating to Claude 4.6", on prefill).
func instruction(said string) string {
	const most = 200 // bytes that it quotes
	from := max(0, len(said)-most)
	for from < len(said) && !utf8.RuneStart(said[from]) {
		from++
	}
	return "Your previous response was interrupted and ended with `" + said[from:] + "`. Continue from where you left off."
}
