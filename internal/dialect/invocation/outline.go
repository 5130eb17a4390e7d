package invocation

import (
	"hash/crc32"
	"slices"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/nova"
	"fairway/internal/inference"
)

// Outline is what routing wants to know of a request of a model, found in its body
// without decoding it: a few walks over its bytes, which pass over long strings at the
// speed of memory.
// Count is the model's tokens of a text; it is given a sample of the strings first, which
// makes InputTokens, then all that is no media piece by piece, which makes MostInput. A
// body that cannot be read has an outline too, of what can be told of its bytes; CountTokens, which
// writes nothing and takes from no quota, has none.
func Outline(op inference.Operation, model inference.Model, body []byte, count func(text string) int) inference.Outline {
	if op == inference.CountTokens {
		return inference.Outline{}
	}
	form, _ := Of(op, model.ID) // the zero one knows no limits
	o := inference.Outline{MaxTokens: form.maxTokens(op, model, body)}
	e := estimate{mark: form.cacheMark()}
	e.read(body)
	o.InputTokens, o.MediaTokens = e.tokens(count), e.media
	o.MostInput = max(o.InputTokens, e.media+e.most(body, count))
	if !e.marked {
		return o
	}
	if parts := form.cached(body); len(parts) > 0 {
		var e estimate
		for _, p := range parts {
			e.read(p)
		}
		o.Prefix, o.PrefixTokens = hash(parts), e.tokens(count)
	}
	return o
}

// cacheMark is the member that makes a cache point, empty where the dialect has none.
func (f Form) cacheMark() string {
	switch f.server.(type) {
	case anthropic.Dialect:
		return "cache_control"
	case converse.Dialect, nova.Dialect:
		return "cachePoint"
	}
	return ""
}

// cached are the parts of a body up to its last cache point, in the order in which a
// model reads them: tools, system prompt, messages. None where the cache points are
// elsewhere.
func (f Form) cached(body []byte) [][]byte {
	tools := "toolConfig"
	if _, ok := f.server.(anthropic.Dialect); ok {
		tools = "tools"
	}
	var parts [3][]byte
	for name, at := range dialect.Members(body, dialect.Place{To: len(body)}) {
		if n := slices.Index([]string{tools, "system", "messages"}, name); n >= 0 {
			parts[n] = body[at.From:at.To]
		}
	}
	for n := len(parts) - 1; n >= 0; n-- {
		if mark := lastName(parts[n], f.cacheMark()); mark >= 0 {
			end := blockEnd(parts[n], dialect.Place{To: len(parts[n])}, mark, deepest)
			parts[n] = parts[n][:end]
			return parts[:n+1]
		}
	}
	return nil
}

// lastName is where the last member of that name is, -1 without one.
func lastName(text []byte, name string) int {
	last := -1
	for at := range dialect.Strings(text) {
		if isName(text, at, name) {
			last = at.From
		}
	}
	return last
}

// isName reports whether the string at a place is a member's name and that one. A text
// that says the same is followed by no colon.
func isName(text []byte, at dialect.Place, name string) bool {
	return string(text[at.From:at.To]) == name && isNamed(text, at)
}

// isNamed reports whether the string at a place is a member's name.
func isNamed(text []byte, at dialect.Place) bool {
	i := at.To + 1
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	return i < len(text) && text[i] == ':'
}

// deepest is how many lists a block with a cache point is in at most: the messages, the
// content of one, and that of a tool's result.
const deepest = 3

// blockEnd is where the block ends that has a mark: of the list at in, of a list in its
// element, and so on.
func blockEnd(text []byte, in dialect.Place, mark, levels int) int {
	block := in // which is no list where it has no elements
	for at := range dialect.Elements(text, in) {
		if at.From <= mark && mark < at.To {
			block = at
		}
	}
	for name, at := range dialect.Members(text, block) {
		if levels > 1 && (name == "content" || name == "tools") && at.From <= mark && mark < at.To {
			return blockEnd(text, at, mark, levels-1)
		}
	}
	return block.To
}

// hash is equal for equal parts, and never 0. It is made of two checksums for which
// processors have instructions: prompts are long.
func hash(parts [][]byte) uint64 {
	table, a, b := crc32.MakeTable(crc32.Castagnoli), uint32(0), uint32(0)
	for _, p := range parts {
		a, b = crc32.Update(a, table, p), crc32.Update(b, crc32.IEEETable, p)
		a, b = crc32.Update(a, table, []byte{0}), crc32.Update(b, crc32.IEEETable, []byte{0})
	}
	return max(1, uint64(a)<<32|uint64(b))
}
