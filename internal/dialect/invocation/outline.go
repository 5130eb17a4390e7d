package invocation

import (
	"bytes"
	"cmp"
	"hash/crc32"
	"slices"
	"strconv"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/converse"
	"fairway/internal/dialect/nova"
	"fairway/internal/dialect/prompt"
	"fairway/internal/inference"
)

// Outline is what routing wants to know of a request of a model, found in its body
// without decoding it: a few walks over its bytes, which pass over long strings at the
// speed of memory.
// Count is the model's tokens of a text; it is given a sample of a long body. A body that
// cannot be read has an outline too, of what can be told of its bytes; CountTokens, which
// writes nothing and takes from no quota, has none.
func Outline(op inference.Operation, model inference.Model, body []byte, count func(text string) int) inference.Outline {
	if op == inference.CountTokens {
		return inference.Outline{}
	}
	form, _ := Of(op, model.ID) // the zero one knows no limits
	o := inference.Outline{MaxTokens: form.maxTokens(model, body)}
	e := estimate{mark: form.cacheMark()}
	e.read(body)
	o.InputTokens, o.MediaTokens = e.tokens(count), e.media
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

// Limits of models whose body asks for none.
const (
	promptTokens  = 512   // of Titan, Llama and Mistral's prompts (User Guide, the families' pages [M])
	unknownTokens = 4_096 // where the model's own is not known
)

func (f Form) maxTokens(model inference.Model, body []byte) int {
	asked, unasked := 0, 0
	if limits := f.Limits(body); len(limits) > 0 {
		asked, _ = strconv.Atoi(string(body[limits[0].From:limits[0].To]))
	}
	switch f.server.(type) {
	case prompt.Titan, prompt.Llama, prompt.Mistral:
		unasked = promptTokens
	}
	return cmp.Or(max(0, asked), unasked, model.MaxOutput, unknownTokens)
}

// What is counted of a text, in bytes.
const (
	sampled   = 8_192 // in all
	sampledOf = 512   // of one string
	longMedia = 1_024 // a string of base64 that is at least so long is media
)

// What media count by: an image's most, and a page of a document, as package tokens
// has them.
const (
	imageTokens  = 1_600
	pageTokens   = 2_000
	bytesPerPage = 50_000
)

// estimate is the tokens of JSON texts: of their strings by a sample, and of media by
// their size.
type estimate struct {
	sample      []byte
	size, media int    // bytes of strings, tokens of media
	mark        string // a member's name to look for, empty for none
	marked      bool   // it is there
}

func (e *estimate) read(text []byte) {
	for at := range dialect.Strings(text) {
		s := text[at.From:at.To]
		if isMedia(s) {
			e.media += mediaTokens(text[max(0, at.From-200):at.From], len(s))
			continue
		}
		e.marked = e.marked || isName(text, at, e.mark)
		e.size += len(s)
		if e.sample == nil {
			e.sample = make([]byte, 0, min(len(text), sampled))
		}
		if room := sampled - len(e.sample); room > 0 {
			e.sample = append(e.sample, s[:min(len(s), sampledOf, room)]...)
		}
	}
}

func (e *estimate) tokens(count func(string) int) int {
	if len(e.sample) == 0 {
		return e.media
	}
	return e.media + int(int64(count(string(e.sample)))*int64(e.size)/int64(len(e.sample)))
}

// isName reports whether the string at a place is a member's name and that one. A text
// that says the same is followed by no colon.
func isName(text []byte, at dialect.Place, name string) bool {
	return string(text[at.From:at.To]) == name && bytes.HasPrefix(bytes.TrimLeft(text[min(at.To+1, len(text)):], " \t\r\n"), []byte(":"))
}

func isMedia(s []byte) bool {
	const looked = 256
	return len(s) >= longMedia && dialect.IsBase64(string(s[:looked]))
}

// mediaTokens are those of so much base64, of which before says what it is.
func mediaTokens(before []byte, size int) int {
	if bytes.Contains(before, []byte("document")) {
		return pageTokens * (1 + size*3/4/bytesPerPage)
	}
	return imageTokens
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
