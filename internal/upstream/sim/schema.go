package sim

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// schema is the part of JSON Schema that an example needs.
type schema struct {
	Type             json.RawMessage    `json:"type"` // a string or a list of them
	Enum             []json.RawMessage  `json:"enum"`
	Const            json.RawMessage    `json:"const"`
	Default          json.RawMessage    `json:"default"`
	Properties       map[string]*schema `json:"properties"`
	Required         []string           `json:"required"`
	Items            *schema            `json:"items"`
	MinItems         int                `json:"minItems"`
	MinLength        int                `json:"minLength"`
	MaxLength        *int               `json:"maxLength"`
	Minimum          *float64           `json:"minimum"`
	Maximum          *float64           `json:"maximum"`
	ExclusiveMinimum *float64           `json:"exclusiveMinimum"`
	ExclusiveMaximum *float64           `json:"exclusiveMaximum"`
	MultipleOf       float64            `json:"multipleOf"`
	Format           string             `json:"format"`
	AnyOf            []*schema          `json:"anyOf"`
	OneOf            []*schema          `json:"oneOf"`
	AllOf            []*schema          `json:"allOf"`
	Ref              string             `json:"$ref"`
	Defs             map[string]*schema `json:"$defs"`
	Definitions      map[string]*schema `json:"definitions"`
}

// Bounds on an example: how deep it nests, and how many elements and runes a
// schema can ask for.
const (
	maxExampleDepth = 16
	maxExampleItems = 16
	maxExampleRunes = 1_000
)

// exampleInput makes an object that fits a tool's input schema: its required
// properties, each the least that fits, texts made of the prompt's words. A
// schema it cannot read gives an empty object.
func exampleInput(raw json.RawMessage, words []string) json.RawMessage {
	var root schema
	if json.Unmarshal(raw, &root) != nil {
		return json.RawMessage("{}")
	}
	e := example{root: &root, words: words}
	input, err := json.Marshal(e.object(&root, 0))
	if err != nil {
		return json.RawMessage("{}")
	}
	return input
}

// example fills in one schema; words are used up round-robin.
type example struct {
	root  *schema
	words []string
	used  int
}

func (e *example) value(s *schema, depth int) any {
	if s = e.resolve(s); s == nil || depth > maxExampleDepth {
		return nil
	}
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Const != nil:
		return s.Const
	}
	switch s.kind() {
	case "object":
		return e.object(s, depth)
	case "array":
		return e.array(s, depth)
	case "integer":
		return int64(s.number(true))
	case "number":
		return s.number(false)
	case "boolean":
		return true
	case "null":
		return nil
	default:
		return e.text(s)
	}
}

// resolve follows local references and takes the first alternative.
func (e *example) resolve(s *schema) *schema {
	for range maxExampleDepth {
		switch {
		case s == nil:
			return nil
		case s.Ref != "":
			s = e.definition(s.Ref)
		case s.Type == nil && len(s.AnyOf) > 0:
			s = s.AnyOf[0]
		case s.Type == nil && len(s.OneOf) > 0:
			s = s.OneOf[0]
		case s.Type == nil && len(s.AllOf) > 0:
			s = s.AllOf[0]
		default:
			return s
		}
	}
	return nil
}

func (e *example) definition(ref string) *schema {
	if name, ok := strings.CutPrefix(ref, "#/$defs/"); ok {
		return e.root.Defs[name]
	}
	if name, ok := strings.CutPrefix(ref, "#/definitions/"); ok {
		return e.root.Definitions[name]
	}
	return nil
}

// kind is the schema's type, the first of several that is not null; without one
// it is told by the keywords.
func (s *schema) kind() string {
	var one string
	var several []string
	switch {
	case json.Unmarshal(s.Type, &one) == nil:
		return one
	case json.Unmarshal(s.Type, &several) == nil:
		if i := slices.IndexFunc(several, func(t string) bool { return t != "null" }); i >= 0 {
			return several[i]
		}
		return "null"
	case s.Properties != nil || s.Required != nil:
		return "object"
	case s.Items != nil:
		return "array"
	case s.Minimum != nil || s.Maximum != nil:
		return "number"
	}
	return "string"
}

func (e *example) object(s *schema, depth int) map[string]any {
	object := make(map[string]any, len(s.Required))
	for _, name := range s.Required {
		object[name] = e.value(s.Properties[name], depth+1)
	}
	return object
}

func (e *example) array(s *schema, depth int) []any {
	array := make([]any, min(max(1, s.MinItems), maxExampleItems))
	for i := range array {
		if s.Items == nil {
			array[i] = e.word()
			continue
		}
		array[i] = e.value(s.Items, depth+1)
	}
	return array
}

// number is 1, or the next that the limits admit.
func (s *schema) number(integer bool) float64 {
	low, high := math.Inf(-1), math.Inf(1)
	step := 1.0
	if !integer {
		step = 0.5
	}
	if s.MultipleOf > 0 {
		step = s.MultipleOf
	}
	if s.Minimum != nil {
		low = *s.Minimum
	}
	if s.ExclusiveMinimum != nil {
		low = max(low, *s.ExclusiveMinimum+step/2)
	}
	if s.Maximum != nil {
		high = *s.Maximum
	}
	if s.ExclusiveMaximum != nil {
		high = min(high, *s.ExclusiveMaximum-step/2)
	}
	n := max(low, min(high, 1))
	if !integer && s.MultipleOf == 0 {
		return n
	}
	if up := math.Ceil(n/step) * step; up <= high {
		return up
	}
	return math.Floor(n/step) * step
}

// formats are texts of the formats that JSON Schema names.
var formats = map[string]string{
	"date":      "2025-01-01",
	"time":      "12:00:00Z",
	"date-time": "2025-01-01T12:00:00Z",
	"email":     "someone@example.com",
	"uri":       "https://example.com/",
	"uuid":      "00000000-0000-4000-8000-000000000000",
	"ipv4":      "192.0.2.1",
	"hostname":  "example.com",
}

func (e *example) text(s *schema) string {
	if text, ok := formats[s.Format]; ok {
		return text
	}
	text := e.word()
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
