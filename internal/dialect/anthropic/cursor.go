package anthropic

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Type is a JSON type. Integer is a number without a fraction.
type Type string

// The JSON types.
const (
	Object  Type = "object"
	Array   Type = "array"
	String  Type = "string"
	Integer Type = "integer"
	Number  Type = "number"
	Boolean Type = "boolean"
	Null    Type = "null"
)

// ErrSyntax means that a body is no JSON text.
var ErrSyntax = errors.New("not a JSON text")

// TypeError means that a body has a value of another type than the format's.
type TypeError struct {
	Path  []string // keys and array positions from the root, empty for the root
	Want  Type
	Found Type
}

// Error is the path and both types, never the value.
func (e *TypeError) Error() string {
	return "want " + string(e.Want) + " at " + strconv.Quote(strings.Join(e.Path, ".")) + ", found " + string(e.Found)
}

// under puts a key or array position in front of a TypeError's path.
func under(err error, segment string) error {
	if e, ok := errors.AsType[*TypeError](err); ok {
		e.Path = slices.Insert(e.Path, 0, segment)
	}
	return err
}

// cursor reads a JSON text that isJSON has passed, in one pass and without
// building anything. Every method consumes exactly one value, so syntax needs no
// second check here: only types can be wrong.
type cursor struct {
	b []byte
	i int
}

// next skips white space and gives the byte that the value begins with.
func (c *cursor) next() byte {
	for {
		switch b := c.b[c.i]; b {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return b
		}
	}
}

// peek is the type of the value ahead.
func (c *cursor) peek() Type {
	switch c.next() {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Boolean
	case 'n':
		return Null
	}
	end := c.scalarEnd()
	if bytes.ContainsAny(c.b[c.i:end], ".eE") {
		return Number
	}
	return Integer
}

// want reports whether the value ahead is of type t: false and no error means it
// is null, which has then been consumed.
func (c *cursor) want(t Type) (bool, error) {
	found := c.peek()
	switch {
	case found == t, t == Number && found == Integer:
		return true, nil
	case found == Null:
		c.skip()
		return false, nil
	}
	return false, &TypeError{Want: t, Found: found}
}

// object calls f with each key; f consumes the value. Null calls nothing.
func (c *cursor) object(f func(key []byte) error) error {
	if ok, err := c.want(Object); !ok {
		return err
	}
	c.i++
	for c.next() != '}' {
		if c.b[c.i] == ',' {
			c.i++
			continue
		}
		key := c.rawString()
		c.next() // the colon
		c.i++
		if err := f(key); err != nil {
			return under(err, string(key))
		}
	}
	c.i++
	return nil
}

// array calls f for each element; f consumes it. Null calls nothing.
func (c *cursor) array(f func() error) error {
	if ok, err := c.want(Array); !ok {
		return err
	}
	c.i++
	for n := 0; c.next() != ']'; {
		if c.b[c.i] == ',' {
			c.i++
			continue
		}
		if err := f(); err != nil {
			return under(err, strconv.Itoa(n))
		}
		n++
	}
	c.i++
	return nil
}

// skip consumes a value of any type.
func (c *cursor) skip() {
	switch c.next() {
	case '"':
		c.skipString()
		return
	case '{', '[':
	default:
		c.i = c.scalarEnd()
		return
	}
	for depth := 0; ; {
		switch c.b[c.i] {
		case '"':
			c.skipString()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		c.i++
		if depth == 0 {
			return
		}
	}
}

// raw consumes a value and gives its text; null gives nil.
func (c *cursor) raw() json.RawMessage {
	c.next()
	start := c.i
	c.skip()
	if c.b[start] == 'n' {
		return nil
	}
	return c.b[start:c.i:c.i]
}

// scalarEnd is where the number or word at the cursor ends.
func (c *cursor) scalarEnd() int {
	n := bytes.IndexAny(c.b[c.i:], ",]} \t\r\n")
	if n < 0 {
		return len(c.b)
	}
	return c.i + n
}

// skipString consumes a string and reports whether it has escapes.
func (c *cursor) skipString() (escaped bool) {
	c.i++
	end := bytes.IndexByte(c.b[c.i:], '"')
	escape := bytes.IndexByte(c.b[c.i:c.i+end], '\\')
	if escape < 0 {
		c.i += end + 1
		return false
	}
	for c.i += escape; c.b[c.i] != '"'; c.i++ {
		if c.b[c.i] == '\\' {
			c.i++
		}
	}
	c.i++
	return true
}

// rawString consumes a string and gives its unescaped bytes, which share the
// body's memory when there was nothing to unescape.
func (c *cursor) rawString() []byte {
	c.next()
	start := c.i
	escaped := c.skipString()
	inner := c.b[start+1 : c.i-1 : c.i-1]
	if !escaped {
		return inner
	}
	var text string
	_ = json.Unmarshal(c.b[start:c.i], &text) // a valid string always decodes
	return []byte(text)
}

func (c *cursor) text(into *string) error {
	ok, err := c.want(String)
	if ok {
		*into = string(c.rawString())
	}
	return err
}

func (c *cursor) textPointer(into **string) error {
	ok, err := c.want(String)
	if ok {
		s := string(c.rawString())
		*into = &s
	}
	return err
}

func (c *cursor) boolean(into *bool) error {
	ok, err := c.want(Boolean)
	if ok {
		*into = c.b[c.i] == 't'
		c.skip()
	}
	return err
}

func (c *cursor) number(into **float64) error {
	ok, err := c.want(Number)
	if ok {
		f, _ := strconv.ParseFloat(string(c.raw()), 64) // out of range gives infinity, which no limit admits
		*into = &f
	}
	return err
}

func (c *cursor) integer(into **int) error {
	ok, err := c.want(Integer)
	if ok {
		n, _ := strconv.ParseInt(string(c.raw()), 10, 64) // out of range gives the nearest, which no limit admits
		i := int(n)
		*into = &i
	}
	return err
}
