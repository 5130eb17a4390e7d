package sim

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

type object = map[string]any

// schemas are JSON Schemas that can be met, as deep as depth.
func schemas(depth int) *rapid.Generator[object] {
	return rapid.Custom(func(t *rapid.T) object {
		kinds := []string{"string", "pattern", "format", "integer", "number", "multiple", "between", "boolean", "null", "enum", "const", "any"}
		if depth > 0 {
			kinds = append(kinds, "object", "object", "array", "tuple", "anyOf", "oneOf", "allOf", "ref", "nullable")
		}
		inner := func(label string) object { return schemas(depth-1).Draw(t, label) }
		some := func(label string) int { return rapid.IntRange(-20, 20).Draw(t, label) }
		switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
		case "string":
			least := rapid.IntRange(0, 30).Draw(t, "minLength")
			return object{"type": "string", "minLength": least, "maxLength": least + rapid.IntRange(0, 5).Draw(t, "more")}
		case "pattern":
			return object{"type": "string", "pattern": rapid.SampledFrom([]string{
				`^[A-Z]{2}-\d{4}$`, `^(red|green)+$`, `[^a-z]`, `^.{3,}$`, `^\S+@\S+\.[a-z]+$`, `^[0-9a-f]{8}(-x)?$`, `^$`,
			}).Draw(t, "pattern")}
		case "format":
			return object{"type": "string", "format": rapid.SampledFrom([]string{"date", "date-time", "email", "uri", "uuid"}).Draw(t, "format")}
		case "integer":
			least := some("minimum")
			return object{"type": "integer", "minimum": least, "maximum": least + rapid.IntRange(0, 5).Draw(t, "more")}
		case "number":
			least := float64(some("exclusiveMinimum")) / 8
			return object{"type": "number", "exclusiveMinimum": least, "exclusiveMaximum": least + rapid.SampledFrom([]float64{0.125, 1, 40}).Draw(t, "more")}
		case "multiple":
			least := some("minimum")
			return object{"type": rapid.SampledFrom([]string{"integer", "number"}).Draw(t, "type"), "multipleOf": rapid.SampledFrom([]float64{0.5, 2, 2.5, 7}).Draw(t, "multipleOf"), "minimum": least, "maximum": least + 7}
		case "between":
			least := some("exclusiveMinimum")
			return object{"type": "integer", "exclusiveMinimum": least, "exclusiveMaximum": least + 2}
		case "boolean", "null":
			return object{"type": kind}
		case "enum":
			return object{"enum": rapid.SliceOfN(rapid.SampledFrom([]any{"a", "b", 3.0, true, nil}), 1, 3).Draw(t, "enum")}
		case "const":
			return object{"const": rapid.SampledFrom([]any{"x", 7.0, false}).Draw(t, "const")}
		case "object":
			return objects(t, inner)
		case "array":
			least := rapid.IntRange(0, 4).Draw(t, "minItems")
			return object{"type": "array", "items": inner("items"), "minItems": least, "maxItems": least + rapid.IntRange(0, 2).Draw(t, "more")}
		case "tuple":
			return object{"type": "array", "prefixItems": []any{inner("first"), inner("second")}, "minItems": 2}
		case "anyOf", "oneOf":
			return object{kind: []any{inner("first"), object{"type": "string", "const": "no value that a schema above asks for"}}}
		case "allOf":
			open := objects(t, inner)
			delete(open, "additionalProperties")
			return object{"allOf": []any{open, object{"type": "object", "minProperties": 1, "required": []any{"also"}, "properties": object{"also": inner("also")}}}}
		case "ref":
			return object{"$ref": "#/$defs/shared"}
		case "nullable":
			return object{"type": []any{"null", "integer"}, "minimum": some("minimum")}
		}
		return object{}
	})
}

func objects(t *rapid.T, inner func(string) object) object {
	properties, required := object{}, []any{}
	for _, name := range []string{"p", "q", "r"} {
		properties[name] = inner(name)
		if rapid.Bool().Draw(t, "required "+name) {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": !rapid.Bool().Draw(t, "closed")}
}

func TestExamplesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := objects(t, func(label string) object { return schemas(3).Draw(t, label) })
		root["$defs"] = object{"shared": schemas(0).Draw(t, "shared")}
		raw, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		words := rapid.SliceOf(rapid.SampledFrom([]string{"chicken", "rice", "cà rốt", "a"})).Draw(t, "words")
		got := exampleInput(raw, words)
		if problem := validate(t, root, raw, got); problem != "" {
			t.Fatalf("example of %s = %s: %s", raw, got, problem)
		}
		if again := exampleInput(raw, words); string(again) != string(got) {
			t.Fatalf("example of %s = %s and %s, want the same", raw, got, again)
		}
	})
}

// validate is what is wrong with a JSON text by a schema, both also read afresh.
func validate(t *rapid.T, root object, raw, text []byte) string {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("example %q: %v", text, err)
	}
	root = nil
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	return violation(root, root, value, "#")
}

var formatPatterns = map[string]*regexp.Regexp{
	"date":      regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
	"date-time": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`),
	"email":     regexp.MustCompile(`^\S+@\S+$`),
	"uri":       regexp.MustCompile(`^https://`),
	"uuid":      regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`),
}

// violation is a validator as small as the schemas above allow; empty is none.
func violation(root, s object, v any, at string) string {
	wrong := func(format string, args ...any) string { return at + ": " + fmt.Sprintf(format, args...) }
	if s["$ref"] != nil {
		return violation(root, root["$defs"].(object)["shared"].(object), v, at)
	}
	if want, ok := s["const"]; ok && !reflect.DeepEqual(v, want) {
		return wrong("%v is not %v", v, want)
	}
	if list, ok := s["enum"].([]any); ok && !slices.ContainsFunc(list, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		return wrong("%v is none of %v", v, list)
	}
	if kind, ok := s["type"]; ok && !isOf(kind, v) {
		return wrong("%v is no %v", v, kind)
	}
	for _, part := range list(s["allOf"]) {
		if problem := violation(root, part.(object), v, at); problem != "" {
			return problem
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if parts := list(s[key]); parts != nil && !slices.ContainsFunc(parts, func(p any) bool { return violation(root, p.(object), v, at) == "" }) {
			return wrong("%v fits no alternative", v)
		}
	}
	limit := func(key string, otherwise float64) float64 {
		if n, ok := s[key].(float64); ok {
			return n
		}
		return otherwise
	}
	switch v := v.(type) {
	case string:
		n := float64(utf8.RuneCountInString(v))
		if n < limit("minLength", 0) || n > limit("maxLength", math.Inf(1)) {
			return wrong("%q has %v runes", v, n)
		}
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			return wrong("%q does not match %s", v, p)
		}
		if f, ok := s["format"].(string); ok && !formatPatterns[f].MatchString(v) {
			return wrong("%q is no %s", v, f)
		}
	case float64:
		if v < limit("minimum", v) || v > limit("maximum", v) || v <= limit("exclusiveMinimum", v-1) || v >= limit("exclusiveMaximum", v+1) {
			return wrong("%v is out of range", v)
		}
		if m := limit("multipleOf", v); m != 0 && math.Mod(v, m) != 0 {
			return wrong("%v is no multiple of %v", v, m)
		}
	case []any:
		if n := float64(len(v)); n < limit("minItems", 0) || n > limit("maxItems", n) {
			return wrong("%v items", n)
		}
		for i, item := range v {
			part, _ := s["items"].(object)
			if prefix := list(s["prefixItems"]); i < len(prefix) {
				part = prefix[i].(object)
			}
			if problem := violation(root, part, item, fmt.Sprint(at, "/", i)); problem != "" {
				return problem
			}
		}
	case object:
		properties, _ := s["properties"].(object)
		for _, name := range list(s["required"]) {
			if _, ok := v[name.(string)]; !ok {
				return wrong("%v is missing", name)
			}
		}
		for name, member := range v {
			part, known := properties[name].(object)
			if !known && s["additionalProperties"] == false {
				return wrong("%s is too many", name)
			}
			if problem := violation(root, part, member, at+"/"+name); problem != "" {
				return problem
			}
		}
	}
	return ""
}

func list(v any) []any { all, _ := v.([]any); return all }

func isOf(kind, v any) bool {
	if several := list(kind); several != nil {
		return slices.ContainsFunc(several, func(k any) bool { return isOf(k, v) })
	}
	switch n, number := v.(float64); kind {
	case "integer":
		return number && n == math.Trunc(n)
	case "number":
		return number
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "object":
		_, ok := v.(object)
		return ok
	}
	return v == nil
}

// Elements that have to differ do.
func TestExamplesDiffer(t *testing.T) {
	for items, want := range map[string]string{
		`{"enum":["a","b","c"]}`:         `["a","b","c"]`,
		`{"type":"integer","maximum":3}`: `[1,2,3]`,
		`{"type":"string"}`:              `["rice","1 rice","2 rice"]`,
		`{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}`: `[{"n":1},{"n":2},{"n":3}]`,
	} {
		schema := `{"type":"array","minItems":3,"uniqueItems":true,"items":` + items + `}`
		if got := string(encode(exampleOf(json.RawMessage(schema), []string{"rice"}))); got != want {
			t.Errorf("example of %s = %s, want %s", schema, got, want)
		}
	}
}

// Schemas that cannot be read, or ask for more than there is, cost no more than
// others and still give an object.
func TestExamplesEnd(t *testing.T) {
	wide := `{"allOf":[` + strings.TrimSuffix(strings.Repeat(`{"$ref":"#"},`, 20), ",") + `]}`
	wider := `{"type":"string"}`
	for range 8 {
		wider = `{"type":"array","minItems":1000,"items":` + wider + `}`
	}
	long := `{"$ref":"#/$defs/a","$defs":{"a":{"required":["a"` + strings.Repeat(`,"a"`, 10_000) + `],"additionalProperties":{"minItems":100,"items":{"$ref":"#/$defs/a"}}}}}`
	for _, schema := range []string{
		`{"type":"object","required":["a"],"properties":{"a":` + wider + `}}`, long,
		`[]`, `"x"`, `null`, `true`, `{"type":"string"}`, `{"type":7,"required":"x","properties":[]}`, wide,
		`{"type":"object","required":["a"],"properties":{"a":{"$ref":"#"}}}`,
		`{"type":"object","required":["a"],"properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"array","minItems":99999999,"items":{"$ref":"#/$defs/a"}}}}`,
		`{"type":"object","required":["a"],"properties":{"a":{"type":"string","minLength":99999999}}}`,
		`{"type":"object","required":["a"],"properties":{"a":{"type":"string","pattern":"^((a{9}){9}){9}$","maxLength":3}}}`,
	} {
		got := exampleInput(json.RawMessage(schema), nil)
		if !strings.HasPrefix(string(got), "{") || !json.Valid(got) || len(got) > 1<<20 {
			t.Errorf("example of %.300s has %d bytes and begins %.40s, want an object of reasonable size", schema, len(got), got)
		}
	}
}
