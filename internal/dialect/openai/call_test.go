package openai_test

import (
	"errors"
	"strings"
	"testing"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
)

func TestReadCall(t *testing.T) {
	for body, want := range map[string]openai.Call{
		`{"model":"m"}`:               {Model: "m", Body: []byte(`{}`)},
		`{"model":"m","x":1}`:         {Model: "m", Body: []byte(`{"x":1}`)},
		`{"x":1,"model":"m"}`:         {Model: "m", Body: []byte(`{"x":1}`)},
		`{"x":1,"model":"m" , "y":2}`: {Model: "m", Body: []byte(`{"x":1 , "y":2}`)},
		" {\n \"stream\": true,\n \"x\": \"a\\\\\\\"}\",\n \"model\": \"m\"\n} ":       {Model: "m", Stream: true, Body: []byte(" {\n \"x\": \"a\\\\\\\"}\"\n} ")},
		`{"model":"a","mod\u0065l":"b"}`:                                               {Model: "b", Body: []byte(`{}`)},
		`{"stream_options":{"include_usage":true},"stream":true,"model":"m","z":null}`: {Model: "m", Stream: true, IncludeUsage: true, Body: []byte(`{"z":null}`)},
	} {
		got, err := openai.ReadCall([]byte(body))
		if err != nil {
			t.Errorf("ReadCall(%s): %v", body, err)
			continue
		}
		if got.Model != want.Model || got.Stream != want.Stream || got.IncludeUsage != want.IncludeUsage || string(got.Body) != string(want.Body) {
			t.Errorf("ReadCall(%s) = %+v %s, want %+v %s", body, got, got.Body, want, want.Body)
		}
	}
}

func TestReadCallRefuses(t *testing.T) {
	for body, want := range map[string]openai.ParameterError{
		`nope`:                       {},
		`{"messages":[]}`:            {Param: "model", Code: "missing_required_parameter"},
		`{"model":null}`:             {Param: "model", Code: "missing_required_parameter"},
		`{"model":7}`:                {Param: "model", Code: "invalid_type"},
		`{"model":"m","stream":"t"}`: {Param: "stream", Code: "invalid_type"},
		`{"model":"m","stream_options":{"include_usage":true}}`:              {Param: "stream_options", Code: "invalid_value"},
		`{"model":"m","stream":true,"stream_options":{"colour":true}}`:       {Param: "stream_options.colour", Code: "unknown_parameter"},
		`{"model":"m","stream":true,"stream_options":{"include_usage":"x"}}`: {Param: "stream_options.include_usage", Code: "invalid_type"},
	} {
		c, err := openai.ReadCall([]byte(body))
		at, ok := errors.AsType[*openai.ParameterError](err)
		if c != nil || !ok || *at != want {
			t.Errorf("ReadCall(%s) = %v, %v, want %+v", body, c, err, want)
		}
	}
}

func TestStreamBody(t *testing.T) {
	const stream = `{"model":"a \"m\"","stream":true,"stream_options":{"include_usage":true}`
	for body, want := range map[string]string{
		`{}`:                              stream + `}`,
		` { } `:                           stream + ` } `,
		`{"stream":false,"seed": 1}`:      stream + `,"seed": 1}`,
		`{"seed": 1, "model":"x","y":[]}`: stream + `,"seed": 1,"y":[]}`,
	} {
		if got, err := openai.StreamBody([]byte(body), `a "m"`); err != nil || string(got) != want {
			t.Errorf("StreamBody(%s) = %s, %v, want %s", body, got, err, want)
		}
	}
	if got, err := openai.StreamBody([]byte(`{"x":`), "m"); err == nil || got != nil {
		t.Errorf("StreamBody of half a body = %s, %v, want an error alone", got, err)
	}
}

func TestWithoutMetrics(t *testing.T) {
	const chunk = `{"choices":[{"delta":{}}],"amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}`
	if got := string(openai.WithoutMetrics([]byte(chunk))); got != `{"choices":[{"delta":{}}]}` {
		t.Errorf("WithoutMetrics(%s) = %s", chunk, got)
	}
}

func TestErrorMessage(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"message":"m"}}`: "m", `{"error":"m"}`: "m", `{"message":"m"}`: "", `<html>`: "", ``: "",
	} {
		if got := openai.ErrorMessage([]byte(body)); got != want {
			t.Errorf("ErrorMessage(%s) = %q, want %q", body, got, want)
		}
	}
}

func BenchmarkDecodeRequest(b *testing.B) {
	body := []byte(`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + strings.Repeat("word ", 300) + `"}],"max_tokens":100}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (openai.Dialect{}).DecodeRequest(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadCall(b *testing.B) {
	body := []byte(`{"model":"m","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 300) + `"}],"max_tokens":100}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openai.ReadCall(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeChunk(b *testing.B) {
	encoder := openai.Dialect{}.NewEncoder(head)
	piece := dialect.Piece{Kind: dialect.Delta, Text: "some words"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encoder.Encode(piece); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeChunk(b *testing.B) {
	chunk := dialect.Payload{JSON: []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"some words"},"logprobs":null,"finish_reason":null}]}`)}
	decoder := openai.Dialect{}.NewDecoder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decoder.Decode(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
