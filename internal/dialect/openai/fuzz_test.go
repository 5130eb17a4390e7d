package openai_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
)

func seeds(f *testing.F) {
	files, err := filepath.Glob("testdata/request/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(archive.Files[0].Data))
	}
	for _, text := range []string{`{}`, ` { "model" : "a\"}" , "stream":true,"x":[{}] } `, `{"stream":false,"model":"m"}`, `{"messages":[{"role":"user","content":[]}]}`} {
		f.Add([]byte(text))
	}
}

// FuzzDecodeRequest: what is read is written and read again as the same, and an
// error means no conversation.
func FuzzDecodeRequest(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := openai.Dialect{}.DecodeRequest(body)
		if err != nil {
			if c != nil {
				t.Errorf("DecodeRequest(%q) = %v beside an error", body, c)
			}
			return
		}
		encoded, err := openai.Dialect{}.EncodeRequest(c)
		if err != nil {
			t.Fatalf("EncodeRequest of what DecodeRequest(%q) gave: %v", body, err)
		}
		again, err := openai.Dialect{}.DecodeRequest(encoded)
		if err != nil {
			t.Fatalf("DecodeRequest(%q): %v", encoded, err)
		}
		twice, err := openai.Dialect{}.EncodeRequest(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(encoded), string(twice)); diff != "" {
			t.Errorf("written twice (-first +second):\n%s", diff)
		}
	})
}

// FuzzReadCall: the rest is a JSON object that has every member but the
// transport's.
func FuzzReadCall(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := openai.ReadCall(body)
		if err != nil {
			if c != nil {
				t.Errorf("ReadCall(%q) = %v beside an error", body, c)
			}
			return
		}
		var want, got map[string]json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c.Body, &got); err != nil {
			t.Fatalf("ReadCall(%q) leaves %q: %v", body, c.Body, err)
		}
		for _, name := range []string{"model", "stream", "stream_options"} {
			delete(want, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ReadCall(%q) leaves (-want +got):\n%s", body, diff)
		}
	})
}

// FuzzDecodeChunk: whatever the chunks are, the pieces are in order.
func FuzzDecodeChunk(f *testing.F) {
	f.Add([]byte(`{"choices":[{"delta":{"content":"a","reasoning":"b"}}]}`), []byte(`{"choices":[{"delta":{"tool_calls":[{"id":"x","function":{"name":"f"}}]},"finish_reason":"stop"}]}`))
	f.Add([]byte(`{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"name":"f","arguments":"{"}},{"index":0,"function":{"name":"g"}}]}}]}`), []byte(`{"error":7}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		decoder, collector := openai.Dialect{}.NewDecoder(), dialect.NewCollector(dialect.Head{})
		for _, text := range [][]byte{first, second, []byte(openai.Done), first} {
			pieces, err := decoder.Decode(dialect.Payload{JSON: text})
			if err != nil {
				if len(pieces) > 0 {
					t.Errorf("Decode(%q) = %v beside an error", text, pieces)
				}
				return
			}
			for _, p := range pieces {
				if err := collector.Add(p); err != nil {
					t.Fatalf("Decode(%q): %v", text, err)
				}
			}
		}
	})
}

// FuzzDecodeAnswer: an error means no answer.
func FuzzDecodeAnswer(f *testing.F) {
	f.Add([]byte(`{"choices":[{"message":{"content":"x","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if a, err := (openai.Dialect{}).DecodeAnswer(body); (a == nil) != (err != nil) {
			t.Errorf("DecodeAnswer(%q) = %v, %v, want exactly one", body, a, err)
		}
	})
}
