package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// schema is the part of JSON Schema that an example needs.
type schema struct {
	Type             json.RawMessage    `json:"type"` // a string or a list of them
	Enum             []json.RawMessage  `json:"enum"`
	Const            json.RawMessage    `json:"const"`
	Properties       map[string]*schema `json:"properties"`
	Additional       *schema            `json:"additionalProperties"`
	Required         []string           `json:"required"`
	MinProperties    int                `json:"minProperties"`
	Items            *schema            `json:"items"`
	PrefixItems      []*schema          `json:"prefixItems"`
	MinItems         int                `json:"minItems"`
	MaxItems         *int               `json:"maxItems"`
	UniqueItems      bool               `json:"uniqueItems"`
	MinLength        int                `json:"minLength"`
	MaxLength        *int               `json:"maxLength"`
	Pattern          string             `json:"pattern"`
	Format           string             `json:"format"`
	Minimum          *float64           `json:"minimum"`
	Maximum          *float64           `json:"maximum"`
	ExclusiveMinimum *float64           `json:"exclusiveMinimum"`
	ExclusiveMaximum *float64           `json:"exclusiveMaximum"`
	MultipleOf       float64            `json:"multipleOf"`
	AnyOf            []*schema          `json:"anyOf"`
	OneOf            []*schema          `json:"oneOf"`
	AllOf            []*schema          `json:"allOf"`
	Ref              string             `json:"$ref"`
	Defs             map[string]*schema `json:"$defs"`
	Definitions      map[string]*schema `json:"definitions"`

	size int // of its text, bytes
}

// UnmarshalJSON takes true and false for schemas that say nothing, and passes over
// members that are of no JSON type a schema has them in.
func (s *schema) UnmarshalJSON(text []byte) error {
	s.size = len(text)
	if !bytes.HasPrefix(text, []byte("{")) {
		return nil
	}
	type members schema
	err := json.Unmarshal(text, (*members)(s))
	if _, wrong := errors.AsType[*json.UnmarshalTypeError](err); wrong {
		return nil
	}
	return err
}

// resolve is the schema that s comes down to: references followed, the first
// alternative taken, all joined with what stands beside them. nil where that does
// not end.
func (e *example) resolve(s *schema, depth int) *schema {
	if s == nil {
		s = &schema{}
	}
	if e.left -= max(s.size, minSchemaSize); e.left < 0 || depth > maxExampleDepth {
		return nil
	}
	var parts []*schema
	if s.Ref != "" {
		parts = append(parts, e.definition(s.Ref))
	}
	if len(s.AnyOf) > 0 {
		parts = append(parts, s.AnyOf[0])
	}
	if len(s.OneOf) > 0 {
		parts = append(parts, s.OneOf[0])
	}
	parts = append(parts, s.AllOf...)
	for _, part := range parts {
		part = e.resolve(part, depth+1)
		if part == nil {
			return nil
		}
		s = join(s, part)
		if e.left -= s.size; e.left < 0 {
			return nil
		}
	}
	return s
}

func (e *example) definition(ref string) *schema {
	if name, ok := strings.CutPrefix(ref, "#/$defs/"); ok {
		return e.root.Defs[name]
	}
	if name, ok := strings.CutPrefix(ref, "#/definitions/"); ok {
		return e.root.Definitions[name]
	}
	if ref == "#" {
		return e.root
	}
	return nil
}

// join is a schema that asks for what both ask for. Of what cannot be joined, such
// as two patterns, it keeps a's.
func join(a, b *schema) *schema {
	s := *a
	s.size += b.size
	s.Required = slices.Concat(a.Required, b.Required)
	s.Properties = maps.Clone(a.Properties)
	for name, property := range b.Properties {
		if s.Properties == nil {
			s.Properties = map[string]*schema{}
		}
		s.Properties[name] = both(s.Properties[name], property)
	}
	s.Additional, s.Items = both(a.Additional, b.Additional), both(a.Items, b.Items)
	s.MinProperties, s.MinItems, s.MinLength = max(a.MinProperties, b.MinProperties), max(a.MinItems, b.MinItems), max(a.MinLength, b.MinLength)
	s.MaxItems, s.MaxLength = least(a.MaxItems, b.MaxItems), least(a.MaxLength, b.MaxLength)
	s.Maximum, s.ExclusiveMaximum = least(a.Maximum, b.Maximum), least(a.ExclusiveMaximum, b.ExclusiveMaximum)
	s.Minimum, s.ExclusiveMinimum = most(a.Minimum, b.Minimum), most(a.ExclusiveMinimum, b.ExclusiveMinimum)
	s.UniqueItems = a.UniqueItems || b.UniqueItems
	if s.Type == nil {
		s.Type = b.Type
	}
	if s.Enum == nil {
		s.Enum = b.Enum
	}
	if s.Const == nil {
		s.Const = b.Const
	}
	if s.PrefixItems == nil {
		s.PrefixItems = b.PrefixItems
	}
	if s.Pattern == "" {
		s.Pattern = b.Pattern
	}
	if s.Format == "" {
		s.Format = b.Format
	}
	if s.MultipleOf == 0 {
		s.MultipleOf = b.MultipleOf
	}
	return &s
}

func both(a, b *schema) *schema {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return &schema{AllOf: []*schema{a, b}}
}

func least[N int | float64](a, b *N) *N {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func most(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
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
	case s.Items != nil || s.PrefixItems != nil:
		return "array"
	case s.Minimum != nil || s.Maximum != nil || s.ExclusiveMinimum != nil || s.ExclusiveMaximum != nil || s.MultipleOf != 0:
		return "number"
	}
	return "string"
}
