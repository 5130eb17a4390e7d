package sim

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"fairway/internal/dialect"
)

// Bounds on an example: how long its schema is, how deep it nests, how much text of
// schemas is followed for all of its values, and how many elements and runes a schema
// can ask for.
const (
	maxSchemaSize   = 256 << 10
	minSchemaSize   = 100 // that a schema counts for
	maxExampleDepth = 16
	maxExampleSize  = 1 << 20
	maxExampleItems = 100
	maxExampleRunes = 1_000
)

// exampleInput makes an object that fits a tool's input schema: its required
// properties, each the least that fits, texts made of the prompt's words. A
// schema that asks for none, or cannot be read, gives an empty object.
func exampleInput(raw json.RawMessage, words []string) json.RawMessage {
	value := exampleOf(raw, words)
	if _, object := value.(map[string]any); !object {
		value = struct{}{}
	}
	return encode(value)
}

// exampleOutput is the answer to a call that wants JSON: an example of its schema,
// or an object that says what it is.
func exampleOutput(o *dialect.OutputFormat, lang *language, words []string) string {
	if o.Schema != nil {
		return string(encode(exampleOf(o.Schema, words)))
	}
	return string(encode(struct {
		Notice   string   `json:"notice"`
		Mentions []string `json:"mentions"`
	}{marker + lang.notice, append([]string{}, words...)}))
}

func encode(value any) json.RawMessage {
	text, err := dialect.WriteBody(value)
	if err != nil {
		return json.RawMessage("{}")
	}
	return text
}

// exampleOf is a value that fits a schema, nil where it cannot be read.
func exampleOf(raw json.RawMessage, words []string) any {
	var root schema
	if len(raw) > maxSchemaSize || json.Unmarshal(raw, &root) != nil {
		return nil
	}
	e := example{root: &root, words: words, left: maxExampleSize}
	return e.value(&root, 0)
}

// example fills in one schema; words are used up round-robin.
type example struct {
	root  *schema
	words []string
	used  int
	left  int // bytes of schemas that may still be followed
	nth   int // which of several values that have to differ is made
}

func (e *example) value(s *schema, depth int) any {
	if s = e.resolve(s, depth); s == nil {
		return nil
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[e.nth%len(s.Enum)]
	}
	switch s.kind() {
	case "object":
		return e.object(s, depth)
	case "array":
		return e.array(s, depth)
	case "integer":
		return int64(e.number(s, true))
	case "number":
		return e.number(s, false)
	case "boolean":
		return e.nth%2 == 0
	case "null":
		return nil
	default:
		return e.text(s)
	}
}

func (e *example) object(s *schema, depth int) map[string]any {
	object := make(map[string]any, len(s.Required))
	add := func(name string) {
		if _, there := object[name]; there || e.left < 0 {
			return
		}
		property, ok := s.Properties[name]
		if !ok {
			property = s.Additional
		}
		object[name] = e.value(property, depth+1)
	}
	for _, name := range s.Required {
		add(name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if len(object) >= s.MinProperties {
			break
		}
		add(name)
	}
	return object
}

func (e *example) array(s *schema, depth int) []any {
	n := min(max(1, s.MinItems), maxExampleItems)
	if s.MaxItems != nil {
		n = max(0, min(n, *s.MaxItems))
	}
	array, outer := make([]any, n), e.nth
	for i := range array {
		if e.left < 0 {
			array = array[:i]
			break
		}
		item := s.Items
		if i < len(s.PrefixItems) {
			item = s.PrefixItems[i]
		}
		if s.UniqueItems {
			e.nth = i
		}
		array[i] = e.value(item, depth+1)
	}
	e.nth = outer
	return array
}

// number is 1, or the nearest that the limits admit, and from there the nth.
func (e *example) number(s *schema, integer bool) float64 {
	low, high := math.Inf(-1), math.Inf(1)
	for _, limit := range []*float64{s.Minimum, s.ExclusiveMinimum} {
		if limit != nil {
			low = max(low, *limit)
		}
	}
	for _, limit := range []*float64{s.Maximum, s.ExclusiveMaximum} {
		if limit != nil {
			high = min(high, *limit)
		}
	}
	admits := func(n float64) bool {
		return low <= n && n <= high &&
			(s.ExclusiveMinimum == nil || n > *s.ExclusiveMinimum) && (s.ExclusiveMaximum == nil || n < *s.ExclusiveMaximum)
	}
	step := s.step(integer)
	n := math.Ceil(max(low, min(high, 1))/step) * step
	for _, candidate := range []float64{n, n + step, n - step, n - 2*step} {
		if admits(candidate) {
			n = candidate
			break
		}
	}
	if !admits(n) && !integer && s.MultipleOf == 0 {
		return (low + high) / 2 // closer together than a step
	}
	if nth := n + float64(e.nth)*step; admits(nth) {
		return nth
	}
	return n - float64(e.nth)*step
}

// step is what numbers are multiples of: for an integer a whole number too.
func (s *schema) step(integer bool) float64 {
	switch {
	case s.MultipleOf <= 0 && integer:
		return 1
	case s.MultipleOf <= 0:
		return 0.25
	}
	for k := 1.0; integer && k <= 1000; k++ {
		if whole := k * s.MultipleOf; whole == math.Trunc(whole) {
			return whole
		}
	}
	return s.MultipleOf
}

// formats are texts of the formats that JSON Schema names.
var formats = map[string]string{
	"date":      "2025-01-01",
	"time":      "12:00:00Z",
	"date-time": "2025-01-01T12:00:00Z",
	"duration":  "PT1H",
	"email":     "someone@example.com",
	"uri":       "https://example.com/",
	"url":       "https://example.com/",
	"uuid":      "00000000-0000-4000-8000-000000000000",
	"ipv4":      "192.0.2.1",
	"ipv6":      "2001:db8::1",
	"hostname":  "example.com",
}

func (e *example) text(s *schema) string {
	if s.Pattern != "" {
		if text, ok := patternText(s.Pattern, s.MinLength, s.MaxLength); ok {
			return text
		}
	}
	if text, ok := formats[s.Format]; ok {
		return text
	}
	text := e.word()
	if e.nth > 0 {
		text = strconv.Itoa(e.nth) + " " + text // what MaxLength cuts off is the word
	}
	for utf8.RuneCountInString(text) < min(s.MinLength, maxExampleRunes) {
		text += " " + e.word()
	}
	if s.MaxLength != nil && *s.MaxLength >= 0 && utf8.RuneCountInString(text) > *s.MaxLength {
		text = string([]rune(text)[:*s.MaxLength])
	}
	return text
}

// word is the prompt's next keyword.
func (e *example) word() string {
	if len(e.words) == 0 {
		return "simulated"
	}
	e.used++
	return e.words[(e.used-1)%len(e.words)]
}
