package capacity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/nova"
	"fairway/internal/dialect/openai"
	"fairway/internal/dialect/prompt"
)

// MaxBytes is how long a prompt may be: that of the largest body which Bedrock takes.
const MaxBytes = 25 << 20

// Form is what a prompt was given as.
type Form string

// Text is a prompt that is no request body: the one message of a call.
const Text Form = "text"

// Prompt is what a model would be asked.
type Prompt struct {
	Form      Form   `json:"form"`
	Bytes     int    `json:"bytes"`
	Model     string `json:"model,omitempty"`      // that the body names, empty where it names none
	MaxTokens int    `json:"max_tokens,omitempty"` // that the body asks for, 0 where it does not

	conversation *dialect.Conversation
}

// bodies are the forms of request bodies. Each decoder refuses what the ones before it
// take, but for bodies that are both Chat Completions and Messages, which count alike.
var bodies = [...]struct {
	form   Form
	decode func(body []byte) (*dialect.Conversation, error)
}{
	{"titan", prompt.Titan{}.DecodeRequest},
	{"llama", prompt.Llama{}.DecodeRequest},
	{"mistral", prompt.Mistral{}.DecodeRequest},
	{"chat-completions", openai.Dialect{}.DecodeRequest},
	{"messages", messages},
	{"converse", converse.Dialect{}.DecodeRequest},
	{"nova", nova.Dialect{}.DecodeRequest},
}

// messages reads a body of Anthropic Messages, which need not have max_tokens here.
func messages(body []byte) (*dialect.Conversation, error) {
	r, err := anthropic.Decode(body)
	if err != nil {
		return nil, anthropic.Refusal(err)
	}
	return anthropic.Conversation(r)
}

// Forms are the names of all forms.
func Forms() []string {
	names := []string{string(Text)}
	for _, b := range bodies {
		names = append(names, string(b.form))
	}
	return names
}

// Read is the prompt that given is: in a form, or for the empty one a request body where
// it is a JSON object, and else a text. A body of CountTokens is taken for what is in it,
// unless the form is Text.
func Read(given []byte, as Form) (*Prompt, error) {
	switch {
	case len(given) > MaxBytes:
		return nil, fmt.Errorf("the prompt is too long: want at most %d MiB", MaxBytes>>20)
	case !utf8.Valid(given):
		return nil, errors.New("the prompt is not UTF-8 text: name a text or a request body")
	case as == Text, as == "" && !isObject(given):
		return text(given), nil
	}
	counted, err := unwrap(given)
	if err != nil {
		return nil, err
	}
	p, err := decode(counted, as)
	if err != nil {
		return nil, err
	}
	p.Bytes = len(given)
	return p, nil
}

// decode reads a request body in a form, of which the empty one is whichever takes it.
func decode(given []byte, as Form) (*Prompt, error) {
	if as == "" {
		return detect(given)
	}
	for _, b := range bodies {
		if b.form == as {
			c, err := b.decode(given)
			if err != nil {
				return nil, fmt.Errorf("read the prompt as %s: %w", as, err)
			}
			return body(b.form, given, c), nil
		}
	}
	return nil, fmt.Errorf("unknown form %.40q: use one of %s", as, strings.Join(Forms(), ", "))
}

// detect reads a request body of whichever form takes it.
func detect(given []byte) (*Prompt, error) {
	for _, b := range bodies {
		if c, err := b.decode(given); err == nil {
			return body(b.form, given, c), nil
		}
	}
	return nil, fmt.Errorf("the prompt is a JSON object and no request body: name its form to be told why (%s), or count it as text",
		strings.Join(Forms()[1:], ", "))
}

func isObject(given []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(given), []byte("{")) && json.Valid(given)
}

func text(given []byte) *Prompt {
	said := []dialect.Block{{Type: dialect.Text, Text: string(given)}}
	return &Prompt{Form: Text, Bytes: len(given), conversation: &dialect.Conversation{
		Messages: []dialect.Message{{Role: dialect.User, Content: said}},
	}}
}

func body(form Form, given []byte, c *dialect.Conversation) *Prompt {
	p := &Prompt{Form: form, Bytes: len(given), conversation: c}
	if c.MaxTokens != nil {
		p.MaxTokens = max(0, *c.MaxTokens)
	}
	var named struct {
		Model string `json:"model"`
	}
	if slices.Contains([]Form{"chat-completions", "messages"}, form) && json.Unmarshal(given, &named) == nil {
		p.Model = named.Model
	}
	return p
}
