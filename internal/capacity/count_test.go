package capacity

import (
	"encoding/base64"
	"strings"
	"testing"

	"fairway/internal/catalog"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

const messagesBody = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"system":"be kind","messages":[{"role":"user","content":"hello there"}]}`

// TestReadCounting: a body of CountTokens is what is in it.
func TestReadCounting(t *testing.T) {
	wrapped := `{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(messagesBody)) + `"}}}`
	for _, c := range []struct {
		given, as string
		form      Form
		maxTokens int
	}{
		{wrapped, "", "messages", 9},
		{wrapped, "messages", "messages", 9},
		{`{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hello"}]}]}}}`, "", "converse", 0},
		{wrapped, "text", Text, 0},
	} {
		p, err := Read([]byte(c.given), Form(c.as))
		if err != nil || p.Form != c.form || p.MaxTokens != c.maxTokens || p.Bytes != len(c.given) {
			t.Errorf("Read(%s, %q) = %+v, %v, want a body of %s with max_tokens %d", c.given, c.as, p, err, c.form, c.maxTokens)
		}
	}
	for given, want := range map[string]string{
		`{"input":{}}`:                           "exactly one",
		`{"input":"hi"}`:                         "no request body",
		`{"input":{"invokeModel":{"body":"%"}}}`: "as a body of CountTokens",
		`{"input":{"invokeModel":{"body":"e30="},"converse":{}}}`: "exactly one",
		`{"input":{"invokeModel":{"body":"e30="}},"more":true}`:   "no request body",
	} {
		if p, err := Read([]byte(given), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read(%s) = %+v, %v, want %q", given, p, err, want)
		}
	}
}

// TestCounting: what is sent to be counted says the same in tokens as the prompt, and
// what costs no input is not in it.
func TestCounting(t *testing.T) {
	const model = inference.ModelID("anthropic.claude-sonnet-4-6")
	for _, given := range []string{
		"hello there", messagesBody,
		`{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"cook","parameters":{"type":"object"}}}],"temperature":0.5,"stop":["x"]}`,
	} {
		p, err := Read([]byte(given), "")
		if err != nil {
			t.Fatal(err)
		}
		body, err := p.Counting()
		if err != nil {
			t.Errorf("Counting of %s: %v", given, err)
			continue
		}
		c, err := invocation.Counted(body, model)
		if err != nil {
			t.Errorf("the service reads %s as %v", body, err)
			continue
		}
		if got, want := tokens.Claude3.Conversation(c), tokens.Claude3.Conversation(p.conversation); got != want {
			t.Errorf("Counting of %s has %d tokens, want %d", given, got, want)
		}
		if strings.Contains(string(body), "inferenceConfig") {
			t.Errorf("Counting of %s = %s, want what costs input alone", given, body)
		}
	}
}

func TestReadCount(t *testing.T) {
	if n, err := ReadCount([]byte(`{"inputTokens":17}`)); n != 17 || err != nil {
		t.Errorf("ReadCount = %d, %v, want 17", n, err)
	}
	for _, answer := range []string{"", "{}", `{"inputTokens":0}`, `{"inputTokens":-4}`, `{"inputTokens":"17"}`, `[17]`} {
		if n, err := ReadCount([]byte(answer)); err == nil {
			t.Errorf("ReadCount(%s) = %d, want an error", answer, n)
		}
	}
}

// TestQuoteCounted: a count of the service is an interval of one point, and is priced.
func TestQuoteCounted(t *testing.T) {
	d := &Desk{Catalog: catalog.New(catalog.Options{}), Estimator: tokens.NewEstimator()}
	p, err := Read([]byte("hello there"), "")
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := d.Choose(t.Context(), Choice{Patterns: []string{"us.anthropic.claude-sonnet-4-6"}})
	if err != nil {
		t.Fatal(err)
	}
	q := d.Quote(p, chosen[0], Asked{Counted: 1_000, Output: 100})
	if q.Tokens != 1_000 || q.Low != 1_000 || q.High != 1_000 || q.Basis != Counted {
		t.Errorf("Quote(1000 counted) = %+v, want 1000 on either side", q)
	}
	if q.Cost == nil || q.Cost.Low != q.Cost.Estimate || q.Cost.High != q.Cost.Estimate || q.Cost.Estimate == 0 {
		t.Errorf("Quote(1000 counted) costs %+v, want one amount", q.Cost)
	}
}
