package anthropic

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"fairway/internal/dialect"
)

// Decode reads the body of a Messages call. The error is ErrSyntax, a *TypeError,
// or a Validation for dialect.Excess; the request is nil exactly when there is an
// error. A key given twice counts as its last value, as in encoding/json.
func Decode(body []byte) (*Request, error) {
	if !isJSON(body) {
		return nil, ErrSyntax
	}
	if excess := dialect.Excess(body); excess != "" {
		return nil, refuse("", "decode Messages: "+excess)
	}
	c := &cursor{b: body}
	if found := c.peek(); found != Object {
		return nil, &TypeError{Want: Object, Found: found}
	}
	r := new(Request)
	if err := c.object(func(key []byte) error { return c.requestKey(r, key) }); err != nil {
		return nil, err
	}
	return r, nil
}

// isJSON reports whether body is a JSON text, which is one in UTF-8.
func isJSON(body []byte) bool { return utf8.Valid(body) && json.Valid(body) }

func (c *cursor) requestKey(r *Request, key []byte) error {
	switch string(key) {
	case "anthropic_version":
		return c.textPointer(&r.AnthropicVersion)
	case "max_tokens":
		return c.integer(&r.MaxTokens)
	case "messages":
		return c.messages(&r.Messages)
	case "system":
		return c.blocks(&r.System)
	case "temperature":
		return c.number(&r.Temperature)
	case "top_p":
		return c.number(&r.TopP)
	case "top_k":
		return c.integer(&r.TopK)
	case "stop_sequences":
		return c.texts(&r.StopSequences)
	case "tools":
		return c.tools(&r.Tools)
	case "tool_choice":
		return c.toolChoice(&r.ToolChoice)
	case "thinking":
		return c.thinking(&r.Thinking)
	case "model":
		return c.textPointer(&r.Model)
	case "stream":
		r.Stream = new(bool)
		return c.boolean(r.Stream)
	case "metadata":
		return c.metadata(&r.Metadata)
	case "output_config":
		return c.outputConfig(&r.OutputConfig)
	case "anthropic_beta":
		return c.texts(&r.AnthropicBeta)
	case "context_management":
		r.ContextManagement = c.raw()
		return nil
	}
	r.Unknown = append(r.Unknown, string(key))
	c.skip()
	return nil
}

// unknown consumes the value of a key that is none of the format's, and notes
// the key unless the value is null.
func (c *cursor) unknown(into *[]string, key []byte) error {
	if c.raw() != nil {
		*into = append(*into, string(key))
	}
	return nil
}

func (c *cursor) messages(into *[]Message) error {
	*into = nil
	if c.peek() == Array {
		*into = make([]Message, 0, 4)
	}
	return c.array(func() error {
		var m Message
		err := c.object(func(key []byte) error {
			switch string(key) {
			case "role":
				return c.text(&m.Role)
			case "content":
				return c.blocks(&m.Content)
			}
			return c.unknown(&m.Unknown, key)
		})
		*into = append(*into, m)
		return err
	})
}

// blocks reads a list of content blocks, or a string as one text block.
func (c *cursor) blocks(into *[]Block) error {
	*into = nil
	switch c.peek() {
	case String:
		*into = []Block{{Type: "text", Text: string(c.rawString())}}
		return nil
	case Array:
		*into = make([]Block, 0, 1)
	}
	return c.array(func() error {
		*into = append(*into, Block{})
		b := &(*into)[len(*into)-1]
		return c.object(func(key []byte) error { return c.blockKey(b, key) })
	})
}

func (c *cursor) blockKey(b *Block, key []byte) error {
	switch string(key) {
	case "type":
		return c.text(&b.Type)
	case "text":
		return c.text(&b.Text)
	case "thinking":
		return c.text(&b.Thinking)
	case "signature":
		return c.text(&b.Signature)
	case "data":
		return c.text(&b.Data)
	case "source":
		return c.source(&b.Source)
	case "title":
		return c.text(&b.Title)
	case "id":
		return c.text(&b.ID)
	case "name":
		return c.text(&b.Name)
	case "input":
		b.Input = c.raw()
		return nil
	case "tool_use_id":
		return c.text(&b.ToolUseID)
	case "content":
		return c.blocks(&b.Content)
	case "is_error":
		return c.boolean(&b.IsError)
	case "cache_control":
		return c.cacheControl(&b.CacheControl)
	case "citations":
		return c.citations(&b.Unknown)
	}
	return c.unknown(&b.Unknown, key)
}

// citations notes the citations of a text, or that a document is to be cited:
// [] and {"enabled":false} say neither.
func (c *cursor) citations(unknown *[]string) error {
	raw := c.raw()
	var asked struct{ Enabled bool }
	if len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &asked) == nil && !asked.Enabled {
		return nil
	}
	if empty := len(raw) > 0 && raw[0] == '[' && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0; empty || raw == nil {
		return nil
	}
	*unknown = append(*unknown, "citations")
	return nil
}

func (c *cursor) cacheControl(into **CacheControl) error {
	*into = nil
	if ok, err := c.want(Object); !ok {
		return err
	}
	control := new(CacheControl)
	*into = control
	return c.object(func(key []byte) error {
		switch string(key) {
		case "type":
			return c.text(&control.Type)
		case "ttl":
			return c.text(&control.TTL)
		}
		c.skip()
		return nil
	})
}

func (c *cursor) source(into **Source) error {
	if found := c.peek(); found != Object {
		c.skip() // a search result's source is a string
		return nil
	}
	s := new(Source)
	*into = s
	return c.object(func(key []byte) error {
		switch string(key) {
		case "type":
			return c.text(&s.Type)
		case "media_type":
			return c.text(&s.MediaType)
		case "data":
			return c.text(&s.Data)
		case "url":
			return c.text(&s.URL)
		}
		return c.unknown(&s.Unknown, key)
	})
}

func (c *cursor) texts(into *[]string) error {
	*into = nil
	return c.array(func() error {
		var s string
		err := c.text(&s)
		*into = append(*into, s)
		return err
	})
}

func (c *cursor) tools(into *[]Tool) error {
	*into = nil
	return c.array(func() error {
		var t Tool
		err := c.object(func(key []byte) error {
			switch string(key) {
			case "type":
				return c.text(&t.Type)
			case "name":
				return c.text(&t.Name)
			case "description":
				return c.text(&t.Description)
			case "input_schema":
				if ok, err := c.want(Object); !ok {
					return err
				}
				t.InputSchema = c.raw()
				return nil
			case "strict":
				return c.boolean(&t.Strict)
			case "cache_control":
				return c.cacheControl(&t.CacheControl)
			}
			return c.unknown(&t.Unknown, key)
		})
		*into = append(*into, t)
		return err
	})
}

func (c *cursor) toolChoice(into **ToolChoice) error {
	*into = nil
	if ok, err := c.want(Object); !ok {
		return err
	}
	choice := new(ToolChoice)
	*into = choice
	return c.object(func(key []byte) error {
		switch string(key) {
		case "type":
			return c.text(&choice.Type)
		case "name":
			return c.text(&choice.Name)
		case "disable_parallel_tool_use":
			return c.boolean(&choice.DisableParallelToolUse)
		}
		return c.unknown(&choice.Unknown, key)
	})
}

func (c *cursor) thinking(into **Thinking) error {
	*into = nil
	if ok, err := c.want(Object); !ok {
		return err
	}
	thinking := new(Thinking)
	*into = thinking
	return c.object(func(key []byte) error {
		switch string(key) {
		case "type":
			return c.text(&thinking.Type)
		case "budget_tokens":
			return c.integer(&thinking.BudgetTokens)
		}
		return c.unknown(&thinking.Unknown, key)
	})
}

func (c *cursor) metadata(into **Metadata) error {
	*into = nil
	if ok, err := c.want(Object); !ok {
		return err
	}
	metadata := new(Metadata)
	*into = metadata
	return c.object(func(key []byte) error {
		if string(key) == "user_id" {
			return c.text(&metadata.UserID)
		}
		return c.unknown(&metadata.Unknown, key)
	})
}

func (c *cursor) outputConfig(into **OutputConfig) error {
	*into = nil
	if ok, err := c.want(Object); !ok {
		return err
	}
	config := new(OutputConfig)
	*into = config
	return c.object(func(key []byte) error {
		switch string(key) {
		case "effort":
			return c.text(&config.Effort)
		case "format":
			return c.format(&config.Format)
		}
		return c.unknown(&config.Unknown, key)
	})
}

func (c *cursor) format(into **Format) error {
	*into = nil
	if ok, err := c.want(Object); !ok {
		return err
	}
	format := new(Format)
	*into = format
	return c.object(func(key []byte) error {
		switch string(key) {
		case "type":
			return c.text(&format.Type)
		case "schema":
			if ok, err := c.want(Object); !ok {
				return err
			}
			format.Schema = c.raw()
			return nil
		}
		return c.unknown(&format.Unknown, key)
	})
}
