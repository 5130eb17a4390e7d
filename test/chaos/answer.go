package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// answer is what a caller was answered, in a form that all doors share.
type answer struct {
	blocks []block
	stop   string // end_turn, max_tokens, stop_sequence or tool_use
	input  int    // tokens
	output int
	failed string // the exception that ended the stream; empty for one that is whole
}

// block is one content block. Of a tool's call the text is its input.
type block struct{ sort, text string }

const (
	textBlock      = "text"
	reasoningBlock = "reasoning"
)

func isText(sort string) bool { return sort == textBlock || sort == reasoningBlock }

// callOf is the sort of the block that calls a tool.
func callOf(tool string) string { return "call of " + tool }

// differs says what of a is not as in want, but for the usage; nil for nothing.
func (a *answer) differs(want *answer) error {
	for i, b := range a.blocks {
		switch {
		case i >= len(want.blocks):
			return fmt.Errorf("block %d is one too many: %s %.60q", i, b.sort, b.text)
		case b.sort != want.blocks[i].sort:
			return fmt.Errorf("block %d is %s, want %s", i, b.sort, want.blocks[i].sort)
		case b.text != want.blocks[i].text:
			return fmt.Errorf("block %d %s", i, parting(b.text, want.blocks[i].text))
		}
	}
	switch {
	case len(a.blocks) < len(want.blocks):
		return fmt.Errorf("there are %d blocks, want %d", len(a.blocks), len(want.blocks))
	case a.stop != want.stop:
		return fmt.Errorf("it stops for %q, want %q", a.stop, want.stop)
	}
	return nil
}

// begins reports whether a is how want begins: of a stream that failed on its way. Of
// a tool's input that is not whole nothing can be said.
func (a *answer) begins(want *answer) bool {
	if len(a.blocks) > len(want.blocks) {
		return false
	}
	for i, b := range a.blocks {
		w, last := want.blocks[i], i == len(a.blocks)-1
		switch {
		case b.sort != w.sort:
			return false
		case last && !isText(b.sort):
		case last && !strings.HasPrefix(w.text, b.text), !last && b.text != w.text:
			return false
		}
	}
	return true
}

// parting shows where two texts part.
func parting(got, want string) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	around := func(s string) string { return strings.ToValidUTF8(s[max(0, at-30):min(len(s), at+30)], "") }
	return fmt.Sprintf("parts at byte %d of %d: %q, want %q", at, len(want), around(got), around(want))
}

// asChat is what chat completions can tell of a: neither thinking nor the sequence
// that stopped it.
func (a *answer) asChat() *answer {
	c := *a
	c.blocks = slices.DeleteFunc(slices.Clone(a.blocks), func(b block) bool { return b.sort == reasoningBlock })
	if c.stop == "stop_sequence" {
		c.stop = "end_turn"
	}
	return &c
}

// canonical is a tool's input with its members in order and no space between them.
func canonical(input []byte) (string, error) {
	var v any
	if err := json.Unmarshal(input, &v); err != nil {
		return "", fmt.Errorf("a tool's input is no JSON: %w", err)
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// assembly puts a streamed answer together and holds it against the order that
// every dialect keeps: one start, blocks one after the other, one stop, one end.
type assembly struct {
	answer
	began, open, stopped, ended bool // open: the last block is
}

var errAfterEnd = errors.New("an event after the last")

func (a *assembly) start() error {
	if a.began {
		return errors.New("a second message start")
	}
	a.began = true
	return nil
}

// begin opens the block of that index.
func (a *assembly) begin(index int, sort string) error {
	switch {
	case a.ended:
		return errAfterEnd
	case !a.began, a.stopped:
		return fmt.Errorf("block %d before the start or after the stop", index)
	case a.open:
		return fmt.Errorf("block %d begins within another", index)
	case index != len(a.blocks):
		return fmt.Errorf("block %d begins where %d would", index, len(a.blocks))
	}
	a.open = true
	a.blocks = append(a.blocks, block{sort: sort})
	return nil
}

// add takes in a piece of the block that is open. The sort is empty for the input of
// a tool, whose name only its beginning tells.
func (a *assembly) add(index int, sort, text string) error {
	switch {
	case a.ended:
		return errAfterEnd
	case !a.open || index != len(a.blocks)-1:
		return fmt.Errorf("a piece of block %d, which is not open", index)
	case sort != "" && sort != a.blocks[index].sort:
		return fmt.Errorf("a piece of %s in block %d of %s", sort, index, a.blocks[index].sort)
	}
	a.blocks[index].text += text
	return nil
}

// addTo is add, where blocks of text begin with their first piece.
func (a *assembly) addTo(index int, sort, text string) error {
	if !a.open && sort != "" {
		if err := a.begin(index, sort); err != nil {
			return err
		}
	}
	return a.add(index, sort, text)
}

func (a *assembly) close(index int) (err error) {
	if !a.open || index != len(a.blocks)-1 {
		return fmt.Errorf("block %d ends, which is not open", index)
	}
	a.open = false
	b := &a.blocks[index]
	if !isText(b.sort) {
		b.text, err = canonical([]byte(b.text))
	}
	return err
}

func (a *assembly) halt(reason string) error {
	switch {
	case !a.began, a.open:
		return errors.New("a stop before the start or within a block")
	case a.stopped:
		return errors.New("a second stop")
	}
	a.stop, a.stopped = reason, true
	return nil
}

// end is the terminal event.
func (a *assembly) end() error {
	switch {
	case a.ended:
		return errors.New("a second end")
	case !a.stopped:
		return errors.New("the end before the stop")
	}
	a.ended = true
	return nil
}

// fail is the exception that ends a stream in place of its terminal event.
func (a *assembly) fail(exception string) error {
	if a.ended || a.failed != "" {
		return errAfterEnd
	}
	if exception == "" {
		return errors.New("an exception without a name")
	}
	a.failed = exception
	return nil
}

// whole is the answer once the stream has ended.
func (a *assembly) whole() (*answer, error) {
	if !a.ended && a.failed == "" {
		return &a.answer, errors.New("the stream ended without its terminal event")
	}
	return &a.answer, nil
}
