package anthropic

import "slices"

// maxMembers is how many members the top level of a body may have: four times
// what the format knows.
const maxMembers = 100

// Body is a Messages body opened at its top level, for who passes it on nearly as
// it is. It shares the memory of what it was opened from.
type Body struct {
	Model     string // empty without one
	Stream    bool
	MaxTokens bool     // there is a limit
	Betas     []string // anthropic_beta

	raw     []byte
	members []member
	head    int // where the first member is, or would be
}

// member is one of the top level, with its place: from its key's quote to the end
// of its value.
type member struct {
	key        string
	start, end int
}

// Open opens a body. The error is ErrSyntax, a *TypeError for the members that
// Body shows, or a Validation for too many members. A key given twice counts as
// its last value.
func Open(raw []byte) (*Body, error) {
	if !isJSON(raw) {
		return nil, ErrSyntax
	}
	c := &cursor{b: raw}
	if found := c.peek(); found != Object {
		return nil, &TypeError{Want: Object, Found: found}
	}
	c.i++ // the brace
	b := &Body{raw: raw}
	for c.next() != '}' {
		if c.b[c.i] == ',' {
			c.i++
			continue
		}
		if len(b.members) == maxMembers {
			return nil, refuse("", "the body has too many members")
		}
		m := member{start: c.i}
		m.key = string(c.rawString())
		c.next() // the colon
		c.i++
		if err := b.read(c, m.key); err != nil {
			return nil, under(err, m.key)
		}
		m.end = c.i
		b.members = append(b.members, m)
	}
	b.head = c.i
	if len(b.members) > 0 {
		b.head = b.members[0].start
	}
	return b, nil
}

// read consumes the value of key.
func (b *Body) read(c *cursor, key string) error {
	switch key {
	case "model":
		b.Model = ""
		return c.text(&b.Model)
	case "stream":
		b.Stream = false
		return c.boolean(&b.Stream)
	case "anthropic_beta":
		return c.texts(&b.Betas)
	case "max_tokens":
		b.MaxTokens = c.peek() != Null
	}
	c.skip()
	return nil
}

// With is the body without the members of the keys in drop and with add, the text
// of members such as `"stream":true`, at its end. All other bytes are as they
// were, in a slice of its own.
func (b *Body) With(drop []string, add string) []byte {
	to := make([]byte, 0, len(b.raw)+len(add)+1)
	to = append(to, b.raw[:b.head]...)
	end, some := b.head, false
	for _, m := range b.members {
		if !slices.Contains(drop, m.key) {
			if some {
				to = append(to, b.raw[end:m.start]...) // the comma
			}
			to = append(to, b.raw[m.start:m.end]...)
			some = true
		}
		end = m.end
	}
	if some && add != "" {
		to = append(to, ',')
	}
	to = append(to, add...)
	return append(to, b.raw[end:]...)
}
