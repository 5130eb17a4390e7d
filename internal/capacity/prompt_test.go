package capacity

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"fairway/internal/tokens"
)

func TestReadDetects(t *testing.T) {
	for _, c := range []struct {
		given     string
		form      Form
		model     string
		maxTokens int
	}{
		{"how many tokens is this", Text, "", 0},
		{"{not json}", Text, "", 0},
		{`["a", "list"]`, Text, "", 0},
		{`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, "messages", "", 9},
		{`{"model":"claude-sonnet-4-6","system":"be kind","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, "messages", "claude-sonnet-4-6", 0},
		{`{"model":"openai.gpt-oss-120b-1:0","messages":[{"role":"developer","content":"be kind"},{"role":"user","content":"hi"}],"max_completion_tokens":7}`, "chat-completions", "openai.gpt-oss-120b-1:0", 7},
		{`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":5}}`, "converse", "", 5},
		{`{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"max_new_tokens":6}}`, "nova", "", 6},
		{`{"inputText":"hi","textGenerationConfig":{"maxTokenCount":3}}`, "titan", "", 3},
		{`{"prompt":"hi","max_gen_len":4}`, "llama", "", 4},
		{`{"prompt":"<s>[INST] hi [/INST]","max_tokens":8}`, "mistral", "", 8},
	} {
		p, err := Read([]byte(c.given), "")
		if err != nil {
			t.Errorf("Read(%s): %v", c.given, err)
		} else if p.Form != c.form || p.Model != c.model || p.MaxTokens != c.maxTokens || p.Bytes != len(c.given) {
			t.Errorf("Read(%s) = %s, model %q, max_tokens %d; want %s, %q, %d", c.given, p.Form, p.Model, p.MaxTokens, c.form, c.model, c.maxTokens)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ given, as, want string }{
		{`{"a":1}`, "", "no request body"},
		{`{"messages":[{"role":"user","content":"hi"}]}`, "converse", "read the prompt as converse: "},
		{"hi", "yaml", `unknown form "yaml": use one of text, titan,`},
		{"a\xff", "", "not UTF-8"},
		{strings.Repeat("a", MaxBytes+1), "", "at most 25 MiB"},
	} {
		if p, err := Read([]byte(c.given), Form(c.as)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Read(%.40s, %q) = %v, %v, want %q", c.given, c.as, p, err, c.want)
		}
	}
}

// TestFormsCountAlike: the same conversation is as many tokens in every dialect.
func TestFormsCountAlike(t *testing.T) {
	e, want := tokens.NewEstimator(), 0
	for _, given := range []string{
		"hello there",
		`{"max_tokens":9,"messages":[{"role":"user","content":"hello there"}]}`,
		`{"messages":[{"role":"user","content":[{"text":"hello there"}]}]}`,
		`{"inputText":"hello there"}`,
		`{"prompt":"hello there"}`,
	} {
		p, err := Read([]byte(given), "")
		if err != nil {
			t.Fatal(err)
		}
		got := e.Conversation("anthropic.claude-sonnet-4-6", p.conversation).Tokens
		if want == 0 {
			want = got
		}
		if got != want || got == 0 {
			t.Errorf("%s is %d tokens, want %d", given, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	seed, err := os.ReadFile("testdata/askbedrock.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"prompt":"hi"}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`))
	f.Fuzz(func(t *testing.T, given []byte) {
		p, err := Read(given, "")
		if (p == nil) != (err != nil) {
			t.Fatalf("Read = %v, %v", p, err)
		}
		if err != nil {
			return
		}
		if p.MaxTokens < 0 || p.conversation == nil || p.Form != Text && !json.Valid(given) {
			t.Fatalf("Read(%q) = %+v", given, p)
		}
	})
}
