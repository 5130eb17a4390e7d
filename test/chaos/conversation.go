package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// conversation is what a caller says, before it is put in a door's dialect.
type conversation struct {
	system string
	turns  []string // of the user and the assistant by turns, the first and the last the user's
	max    int      // output tokens
	stop   string   // stop sequence, empty for none
	tool   bool     // is offered, and will be called
	thinks bool
}

// sort is what is special about a conversation.
type sort string

const (
	plain    sort = "plain"
	brief    sort = "brief"    // ends at max_tokens
	stopped  sort = "stopped"  // ends at a stop sequence
	tool     sort = "tool"     // ends with a call of a tool
	thinking sort = "thinking" // thinks before it speaks
)

// poolSize is how many conversations there are of each sort.
const poolSize = 40

// pool is what callers say to a model, by sort: the same for the same seed.
func pool(seed uint64) map[sort][]*conversation {
	r := rand.New(rand.NewPCG(seed, 1<<63))
	all := map[sort][]*conversation{}
	for _, s := range []sort{plain, brief, stopped, tool, thinking} {
		for range poolSize {
			all[s] = append(all[s], converse(r, s))
		}
	}
	return all
}

// languages are words that replies repeat, so that a cut falls between all sorts of
// letters.
var languages = [][]string{
	{"chicken", "rice", "carrots", "garlic", "a pinch of salt", "two eggs", "butter"},
	{"Hähnchen", "Möhren", "süße Sahne", "Knoblauch", "grüner Spargel", "Grieß"},
	{"鶏肉", "ご飯", "にんじん", "玉ねぎ", "味噌", "豆腐"},
	{"pollo", "azafrán", "piñones", "jalapeño", "calabacín"},
	{"🍗 chicken", "🍚 rice", "🥕 carrots", "naïve crème fraîche", "jalapeño “extra hot”"},
}

func converse(r *rand.Rand, s sort) *conversation {
	c := &conversation{max: 2000}
	words := languages[r.IntN(len(languages))]
	say := func() string {
		said := make([]string, 2+r.IntN(6))
		for i := range said {
			said[i] = words[r.IntN(len(words))]
		}
		return fmt.Sprintf("No. %d: %s.", r.IntN(1000), strings.Join(said, ", "))
	}
	for range r.IntN(3) {
		c.turns = append(c.turns, say(), "Yes: "+say())
	}
	c.turns = append(c.turns, say())
	if r.IntN(3) == 0 {
		c.system = "Answer as a cook would. " + say()
	}
	switch s {
	case brief:
		c.max = 5 + r.IntN(90)
	case stopped:
		c.stop = []string{"prompt arrived", "this", "\n\nA", "。"}[r.IntN(4)]
	case tool:
		c.tool = true
	case thinking:
		c.thinks = true
	}
	return c
}

type object = map[string]any

// turnsAs are the turns as messages, the content of each put by form.
func (c *conversation) turnsAs(form func(string) any) []any {
	messages := make([]any, len(c.turns))
	for i, text := range c.turns {
		messages[i] = object{"role": [...]string{"user", "assistant"}[i%2], "content": form(text)}
	}
	return messages
}

// The tool that conversations offer.
const (
	toolName    = "find_recipes"
	toolPurpose = "Finds recipes by their ingredients."
)

func toolSchema() any {
	return object{
		"type": "object",
		"properties": object{
			"ingredients": object{"type": "array", "items": object{"type": "string"}},
			"servings":    object{"type": "integer"},
		},
		"required": []string{"ingredients", "servings"},
	}
}

const thinkingBudget = 1024 // tokens, the least that is taken

// messages is the conversation as a Messages body.
func (c *conversation) messages() object {
	body := object{"max_tokens": c.max, "messages": c.turnsAs(func(s string) any { return s })}
	if c.system != "" {
		body["system"] = c.system
	}
	if c.stop != "" {
		body["stop_sequences"] = []string{c.stop}
	}
	if c.tool {
		body["tools"] = []any{object{"name": toolName, "description": toolPurpose, "input_schema": toolSchema()}}
	}
	if c.thinks {
		body["thinking"] = object{"type": "enabled", "budget_tokens": thinkingBudget}
	}
	return body
}

// converse is the conversation as a Converse body, which is Nova's own too but for
// its version.
func (c *conversation) converse() object {
	text := func(s string) any { return []any{object{"text": s}} }
	limits := object{"maxTokens": c.max}
	body := object{"messages": c.turnsAs(text), "inferenceConfig": limits}
	if c.system != "" {
		body["system"] = text(c.system)
	}
	if c.stop != "" {
		limits["stopSequences"] = []string{c.stop}
	}
	if c.tool {
		spec := object{"name": toolName, "description": toolPurpose, "inputSchema": object{"json": toolSchema()}}
		body["toolConfig"] = object{"tools": []any{object{"toolSpec": spec}}}
	}
	if c.thinks {
		body["additionalModelRequestFields"] = object{"thinking": object{"type": "enabled", "budget_tokens": thinkingBudget}}
	}
	return body
}

// chat is the conversation as a body of chat completions.
func (c *conversation) chat() object {
	messages := c.turnsAs(func(s string) any { return s })
	if c.system != "" {
		messages = append([]any{object{"role": "system", "content": c.system}}, messages...)
	}
	body := object{"messages": messages, "max_completion_tokens": c.max}
	if c.stop != "" {
		body["stop"] = c.stop
	}
	if c.tool {
		f := object{"name": toolName, "description": toolPurpose, "parameters": toolSchema()}
		body["tools"] = []any{object{"type": "function", "function": f}}
	}
	return body
}
