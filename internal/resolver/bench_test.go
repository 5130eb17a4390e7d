package resolver

import (
	"strings"
	"testing"

	"fairway/backend"
)

// seedContext is the call of the seed's query, and an answer of 1.9 KB.
func seedContext() *backend.Context {
	return &backend.Context{
		Args:     map[string]any{"ingredients": []any{"chicken", "rice", "carrots"}},
		Identity: map[string]any{"sub": "u-1", "claims": map[string]any{"a": "b"}},
		Stash:    map[string]any{},
		Request:  backend.RequestInfo{Headers: map[string]string{"host": "localhost", "content-type": "application/json"}},
		Info:     backend.Info{FieldName: "askBedrock", ParentTypeName: "Query", SelectionSetList: []string{"body", "error"}},
		Result: map[string]any{"statusCode": int64(200), "headers": map[string]any{"content-type": "application/json"},
			"body": `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-20250514","content":[{"type":"text","text":"` +
				strings.Repeat("a recipe of rice and more ", 66) + `"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":61,"output_tokens":402}}`},
	}
}

func BenchmarkSeedPair(b *testing.B) {
	r := compiled(b, read(b, "bedrock.js"), Options{})
	c := seedContext()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Request(b.Context(), c); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Response(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	code := read(b, "bedrock.js")
	b.ReportAllocs()
	for b.Loop() {
		compiled(b, code, Options{})
	}
}

func BenchmarkNewMachine(b *testing.B) {
	r := compiled(b, read(b, "bedrock.js"), Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := newMachine(r); err != nil {
			b.Fatal(err)
		}
	}
}
