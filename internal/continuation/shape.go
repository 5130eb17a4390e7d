package continuation

import (
	"bytes"
	"slices"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/nova"
	"fairway/internal/dialect/openai"
	"fairway/internal/dialect/prompt"
)

// shape is where a dialect's request body has what a continuation changes.
type shape struct {
	prompt string // the member that is all of the prompt; empty where messages are
	block  string // how a text block begins, up to the text
}

func shapeOf(d dialect.Server) (shape, bool) {
	switch d.(type) {
	case converse.Dialect, nova.Dialect:
		return shape{block: `{"text":`}, true
	case anthropic.Dialect, openai.Dialect:
		return shape{block: `{"type":"text","text":`}, true
	case prompt.Titan:
		return shape{prompt: "inputText"}, true
	case prompt.Llama, prompt.Mistral:
		return shape{prompt: "prompt"}, true
	}
	return shape{}, false
}

// edit puts text in a place of a body.
type edit struct {
	at   dialect.Place
	text string
}

// extend is body with what the assistant has said at its end, in blocks, then told, if
// that is not empty, as the user's; and with limit, if that is not 0, in the places of
// its limits. All other bytes stay as they are. Ok is false where body does not have the
// members that it would have to.
func (s shape) extend(body []byte, said []string, told string, limits []dialect.Place, limit int) (extended []byte, ok bool) {
	var edits []edit
	for _, at := range limits {
		if limit > 0 {
			edits = append(edits, edit{at, strconv.Itoa(limit)})
		}
	}
	if len(said) > 0 {
		place, ok := member(body, dialect.Place{To: len(body)}, s.member())
		if !ok {
			return nil, false
		}
		e, ok := s.said(body, place, said, told)
		if !ok {
			return nil, false
		}
		edits = append(edits, e...)
	}
	return apply(body, edits), true
}

// member is the body's member that ends with what the assistant says next.
func (s shape) member() string {
	if s.prompt != "" {
		return s.prompt
	}
	return "messages"
}

// said puts what was said into the prompt or the messages at place: behind a prefill of
// the caller's own, but for a model that is told in words, which had begun a new turn.
func (s shape) said(body []byte, place dialect.Place, said []string, told string) ([]edit, bool) {
	if s.prompt != "" {
		return prolong(body, place, said)
	}
	var last dialect.Place
	for last = range dialect.Elements(body, place) {
	}
	role, ok := member(body, last, "role")
	if !ok {
		return nil, false
	}
	var edits []edit
	if told == "" && string(body[role.From:role.To]) == `"assistant"` {
		if edits, ok = prolongMessage(body, last, said); !ok {
			return nil, false
		}
		said = nil
	}
	return append(edits, edit{dialect.Place{From: last.To, To: last.To}, s.messages(said, told)}), true
}

// prolongMessage puts said behind the text that the message at place ends with.
func prolongMessage(body []byte, place dialect.Place, said []string) ([]edit, bool) {
	content, ok := member(body, place, "content")
	if ok && body[content.From] == '[' {
		var last dialect.Place
		for last = range dialect.Elements(body, content) {
		}
		content, ok = member(body, last, "text")
	}
	if !ok {
		return nil, false
	}
	return prolong(body, content, said)
}

// prolong puts said at the end of the string at place.
func prolong(body []byte, place dialect.Place, said []string) ([]edit, bool) {
	if body[place.From] != '"' {
		return nil, false
	}
	end := dialect.Place{From: place.To - 1, To: place.To - 1}
	var text []byte
	for _, s := range said {
		quoted := dialect.AppendString(nil, s)
		text = append(text, quoted[1:len(quoted)-1]...)
	}
	return []edit{{end, string(text)}}, true
}

// messages is the text of an assistant's message and a user's, as they follow another;
// each is left out where it says nothing.
func (s shape) messages(said []string, told string) string {
	var b []byte
	add := func(role dialect.Role, texts []string) {
		b = append(b, `,{"role":"`+string(role)+`","content":[`...)
		for i, text := range texts {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(dialect.AppendString(append(b, s.block...), text), '}')
		}
		b = append(b, "]}"...)
	}
	if len(said) > 0 {
		add(dialect.Assistant, said)
	}
	if told != "" {
		add(dialect.User, []string{told})
	}
	return string(b)
}

// member is where the value of a member is in the object at in. One that is given twice
// is none that could be changed.
func member(body []byte, in dialect.Place, name string) (place dialect.Place, ok bool) {
	for found, at := range dialect.Members(body, in) {
		if found == name {
			if ok {
				return dialect.Place{}, false
			}
			place, ok = at, true
		}
	}
	return place, ok
}

func apply(body []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.at.From - b.at.From })
	var to bytes.Buffer
	from := 0
	for _, e := range edits {
		to.Write(body[from:e.at.From])
		to.WriteString(e.text)
		from = e.at.To
	}
	to.Write(body[from:])
	return to.Bytes()
}
