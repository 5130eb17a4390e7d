// Package prompt is the dialects of InvokeModel bodies that hold one prompt text:
// Titan, Llama and Mistral. The text is a conversation where it is marked up as the
// model's template says, and one user message where it is not.
//
// Shapes: Bedrock User Guide, "Amazon Titan Text models", "Meta Llama models",
// "Mistral AI text completion" [M]; streams: facts bedrock.md 1.9.
package prompt

import (
	"strconv"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// read is the conversation that a prompt spells, the body's member of that name, nil
// where it is not given. The error is a Validation.
func read(member string, prompt *string) (*dialect.Conversation, error) {
	switch {
	case prompt == nil:
		return nil, dialect.Malformed("#: required key [" + member + "] not found")
	case turns(*prompt) > dialect.MaxNested: // each becomes a message
		return nil, &inference.Error{
			Kind: inference.Validation, Op: "decode prompt",
			Message: "decode prompt: it has more than " + strconv.Itoa(dialect.MaxNested) + " turns: send fewer",
		}
	}
	c := parse(*prompt)
	if len(c.Messages) == 0 {
		return nil, dialect.Malformed("#/" + member + ": expected minLength: 1, actual: 0")
	}
	return c, nil
}

// turns is how many turns a prompt marks up, of whichever template.
func turns(prompt string) int {
	return strings.Count(prompt, llama3.header) + strings.Count(prompt, llama4.header) + strings.Count(prompt, instruction)
}

// parse is the conversation that a prompt text spells.
func parse(text string) *dialect.Conversation {
	c := new(dialect.Conversation)
	switch {
	case strings.Contains(text, llama3.header):
		llama3.parse(text, c)
	case strings.Contains(text, llama4.header):
		llama4.parse(text, c)
	case strings.Contains(text, instruction):
		parseInstructions(text, c)
	default:
		add(c, dialect.User, text)
	}
	return c
}

// say adds a turn of a template, in which white space around it is not of it.
func say(c *dialect.Conversation, role dialect.Role, text string) {
	add(c, role, strings.TrimSpace(text))
}

// add adds a turn; one without text is none.
func add(c *dialect.Conversation, role dialect.Role, text string) {
	if text == "" {
		return
	}
	block := []dialect.Block{{Type: dialect.Text, Text: text}}
	if role == "system" {
		c.System = append(c.System, block...)
		return
	}
	c.Messages = append(c.Messages, dialect.Message{Role: role, Content: block})
}

// tags are how a generation of Llama marks turns up:
//
//	<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>
type tags struct{ begin, header, headerEnd, end string }

var (
	llama3 = tags{"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}
	llama4 = tags{"<|begin_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>"}
)

// parse takes text before the first header for the user's, as it does turns of
// roles that a conversation does not have, which are results of tools.
func (t tags) parse(text string, c *dialect.Conversation) {
	before, turns, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), t.begin), t.header)
	say(c, dialect.User, before)
	for turn := range strings.SplitSeq(turns, t.header) {
		name, said, _ := strings.Cut(turn, t.headerEnd)
		said, _, _ = strings.Cut(said, t.end)
		role := dialect.Role(strings.TrimSpace(name))
		if role != "system" && role != dialect.Assistant {
			role = dialect.User
		}
		say(c, role, said)
	}
}

// How Mistral and Llama 2 mark turns up:
//
//	<s>[INST] <<SYS>>Be brief<</SYS>> Hello [/INST] Hi</s>[INST] How are you? [/INST]
const (
	begin          = "<s>"
	end            = "</s>"
	instruction    = "[INST]"
	instructionEnd = "[/INST]"
	system         = "<<SYS>>"
	systemEnd      = "<</SYS>>"
)

func parseInstructions(text string, c *dialect.Conversation) {
	before, turns, _ := strings.Cut(text, instruction)
	say(c, dialect.User, strings.ReplaceAll(before, begin, ""))
	for turn := range strings.SplitSeq(turns, instruction) {
		asked, said, _ := strings.Cut(turn, instructionEnd)
		if rest, ok := strings.CutPrefix(strings.TrimSpace(asked), system); ok {
			var told string
			told, asked, _ = strings.Cut(rest, systemEnd)
			say(c, "system", told)
		}
		say(c, dialect.User, asked)
		said, _, _ = strings.Cut(said, end)
		say(c, dialect.Assistant, strings.ReplaceAll(said, begin, ""))
	}
}
