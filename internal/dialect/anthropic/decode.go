package anthropic

import "encoding/json"

// Decode reads the body of a Messages call. The error is ErrSyntax or a
// *TypeError; the request is nil exactly when there is an error. A key given
// twice counts as its last value, as in encoding/json.
func Decode(body []byte) (*Request, error) {
	if !json.Valid(body) {
		return nil, ErrSyntax
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
	case "anthropic_beta", "metadata", "context_management", "output_config":
	default:
		r.Unknown = append(r.Unknown, string(key))
	}
	c.skip()
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
			c.skip()
			return nil
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
	}
	c.skip()
	return nil
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
		c.skip()
		return nil
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
			}
			c.skip()
			return nil
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
		}
		c.skip()
		return nil
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
		c.skip()
		return nil
	})
}
