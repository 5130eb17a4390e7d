package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// streamedAnswer is the answer to a streamed call, as a front reads it.
func streamedAnswer(t *testing.T, w *World, op inference.Operation, model, body string) *dialect.Answer {
	t.Helper()
	r := request(model, body)
	r.Operation = op
	s, err := w.Invoke(context.Background(), target(singapore, model), r)
	if err != nil {
		t.Fatalf("Invoke(%s, %s) error = %v", model, body, err)
	}
	defer s.Close()
	reader, err := invocation.Read(op, inference.ModelID(model))
	if err != nil {
		t.Fatal(err)
	}
	whole := dialect.NewCollector(dialect.Head{})
	for {
		e, err := s.Next(context.Background())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := reader.Read(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pieces {
			if err := whole.Add(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, err := whole.Answer()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// textOf is the text of an answer that is nothing else.
func textOf(t *testing.T, a *dialect.Answer) string {
	t.Helper()
	switch {
	case len(a.Content) == 0:
		return ""
	case len(a.Content) > 1 || a.Content[0].Type != dialect.Text:
		t.Fatalf("content = %+v, want one text", a.Content)
	}
	return a.Content[0].Text
}

const (
	streamInvoke   = inference.InvokeModelWithResponseStream
	streamConverse = inference.ConverseStream
)

// begunForms are the bodies in which an answer may have begun: with what was said of it,
// as a JSON text without quotes.
var begunForms = []struct {
	name, model string
	op          inference.Operation
	body        func(said string) string
}{
	{"claude", sonnet4, streamInvoke, func(said string) string {
		return `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":"Hello"}` + turn(said, `"`+said+`"`) + `]}`
	}},
	{"claude told to", sonnet46, streamInvoke, func(said string) string {
		return `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":"Hello"}` + turn(said, `"`+said+`"`) +
			told(said, `"`+goOn+"`x`"+`. Continue from where you left off."`) + `]}`
	}},
	{"converse claude", sonnet4, streamConverse, converseBegun},
	{"converse nova", novaPro, streamConverse, converseBegun},
	{"converse titan", titanText, streamConverse, converseBegun},
	{"converse llama told to", llama31, streamConverse, func(said string) string {
		return strings.TrimSuffix(converseBegun(said), `]}`) + told(said, `[{"text":"`+goOn+"`x`"+`. Continue from where you left off."}]`) + `]}`
	}},
	{"nova", novaPro, streamInvoke, converseBegun},
	{"titan", titanText, streamInvoke, func(said string) string { return `{"inputText":"Hello` + said + `"}` }},
	{"llama", llama31, streamInvoke, func(said string) string { return `{"prompt":"Hello` + said + `"}` }},
	{"llama's template", llama31, streamInvoke, func(said string) string {
		return `{"prompt":"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n` + said + `"}`
	}},
	{"mistral's template", mistralLarge, streamInvoke, func(said string) string { return `{"prompt":"<s>[INST] Hello [/INST]` + said + `"}` }},
}

func converseBegun(said string) string {
	return `{"messages":[{"role":"user","content":[{"text":"Hello"}]}` + turn(said, `[{"text":"`+said+`"}]`) + `]}`
}

func turn(said, content string) string {
	if said == "" {
		return ""
	}
	return `,{"role":"assistant","content":` + content + `}`
}

func told(said, content string) string {
	if said == "" {
		return ""
	}
	return `,{"role":"user","content":` + content + `}`
}

// TestGoesOn: behind any part of an answer, its last white space taken off, comes the
// rest letter for letter, in every form that takes one.
func TestGoesOn(t *testing.T) {
	w := New(config())
	for _, f := range begunForms {
		whole := textOf(t, streamedAnswer(t, w, f.op, f.model, f.body("")))
		for end := 2; end <= len(whole); end++ {
			if end < len(whole) && (end > 100 && end%7 > 0 || !utf8.RuneStart(whole[end])) {
				continue
			}
			said := strings.TrimSpace(whole[:end])
			quoted, _ := json.Marshal(said)
			got := textOf(t, streamedAnswer(t, w, f.op, f.model, f.body(string(quoted[1:len(quoted)-1]))))
			if want := whole[len(said):]; got != want {
				t.Fatalf("%s: behind %q: %q, want %q", f.name, said, got, want)
			}
		}
	}
}

// TestGoesOnBehindOwn: where the caller began with words of its own, the reply that
// followed them goes on.
func TestGoesOnBehindOwn(t *testing.T) {
	w, f := New(config()), begunForms[0]
	whole := textOf(t, streamedAnswer(t, w, f.op, f.model, f.body("{:")))
	if got := textOf(t, streamedAnswer(t, w, f.op, f.model, f.body("{:"+whole[:29]))); got != whole[29:] {
		t.Errorf("%q, want %q", got, whole[29:])
	}
}

// TestLimitCutsTheRest: max_tokens and stop sequences do to the rest what they do to a
// whole answer.
func TestLimitCutsTheRest(t *testing.T) {
	w := New(config())
	whole := textOf(t, streamedAnswer(t, w, streamInvoke, titanText, `{"inputText":"Hello"}`))
	a := streamedAnswer(t, w, streamInvoke, titanText, `{"inputText":"Hello`+whole[:11]+`","textGenerationConfig":{"maxTokenCount":5}}`)
	if said := textOf(t, a); said == "" || !strings.HasPrefix(whole[11:], said) || a.Usage.OutputTokens != 5 || a.Stop.Reason != dialect.MaxTokens {
		t.Errorf("limited to 5 tokens = %q, %+v, %+v", said, a.Usage, a.Stop)
	}
	a = streamedAnswer(t, w, streamInvoke, titanText, `{"inputText":"Hello`+whole[:11]+`","textGenerationConfig":{"stopSequences":["no model"]}}`)
	if want, _, _ := strings.Cut(whole[11:], "no model"); textOf(t, a) != want || a.Stop.Reason != dialect.StopSequence {
		t.Errorf("stopped = %q, %+v, want %q", textOf(t, a), a.Stop, want)
	}
}

// TestPartsCountAsOne: an answer that its limit ends is the same, and as many tokens,
// whether it comes at once or from any letter on for what is left of the limit.
func TestPartsCountAsOne(t *testing.T) {
	const limit = 40
	w := New(config())
	for _, f := range begunForms {
		if f.model == llama31 && f.op == streamInvoke || f.model == mistralLarge {
			continue // of which the bodies here set no limit
		}
		limited := func(said string, max int) *dialect.Answer {
			quoted, _ := json.Marshal(said)
			body := strings.Replace(f.body(string(quoted[1:len(quoted)-1])), `"max_tokens":1000,`, "", 1)
			return streamedAnswer(t, w, f.op, f.model, withLimit(f.model, f.op, body, max))
		}
		family := w.config.Tokens(inference.ModelID(f.model))
		whole := limited("", limit)
		text, base := textOf(t, whole), ""
		if f.op == streamInvoke && f.model == titanText {
			base = "Hello"
		}
		for end := minOpening; end < len(text); end++ {
			said := strings.TrimSpace(text[:end])
			wrote := family.Text(base+said) - family.Text(base)
			if wrote == limit {
				t.Errorf("%s: %d tokens before the end of %q, at %d", f.name, limit, text, end)
			}
			a := limited(said, limit-wrote)
			if got := said + textOf(t, a); got != text || a.Stop != whole.Stop || wrote+a.Usage.OutputTokens != whole.Usage.OutputTokens {
				t.Fatalf("%s: behind %q: %q, %+v, %d and %d tokens, want %q, %+v, %d in all",
					f.name, said, got, a.Stop, wrote, a.Usage.OutputTokens, text, whole.Stop, whole.Usage.OutputTokens)
			}
		}
	}
}

// withLimit is a body with the limit where its dialect has it.
func withLimit(model string, op inference.Operation, body string, max int) string {
	member := `"inferenceConfig":{"maxTokens":%d}`
	switch {
	case op == streamConverse || model == novaPro:
	case model == titanText:
		member = `"textGenerationConfig":{"maxTokenCount":%d}`
	default:
		member = `"max_tokens":%d`
	}
	return fmt.Sprintf(`{`+member+`,`, max) + body[1:]
}

// TestSecondTurn: an assistant that says something behind a turn of its own and is told
// to go on, goes on with the second.
func TestSecondTurn(t *testing.T) {
	body := func(more string) string {
		return `{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Well"}` + more + `]}`
	}
	w := New(config())
	whole := textOf(t, streamedAnswer(t, w, streamInvoke, gptOSS, body("")))
	said := whole[:29]
	got := textOf(t, streamedAnswer(t, w, streamInvoke, gptOSS, body(turn(said, `"`+said+`"`)+told(said, `"`+goOn+`x"`))))
	if got != whole[29:] {
		t.Errorf("behind %q: %q, want %q", said, got, whole[29:])
	}
}

// TestFirstOf: the sequence that is complete first ends a text, the longest of several.
func TestFirstOf(t *testing.T) {
	for _, test := range []struct {
		sequences []string
		at        int
		sequence  string
	}{
		{nil, 0, ""}, {[]string{"", "x"}, 0, ""},
		{[]string{"bcdef", "d"}, 3, "d"}, {[]string{"d", "bcdef"}, 3, "d"},
		{[]string{"cd", "bcd", "d"}, 1, "bcd"}, {[]string{"b", "a"}, 0, "a"},
	} {
		if at, sequence := firstOf("abcdef", test.sequences); at != test.at || sequence != test.sequence {
			t.Errorf("firstOf(abcdef, %q) = %d, %q, want %d, %q", test.sequences, at, sequence, test.at, test.sequence)
		}
	}
}

// TestPromptsThatLookBegun: a prompt that has the marker, or what might be one, but not
// the reply to what is before it, is a prompt.
func TestPromptsThatLookBegun(t *testing.T) {
	w := New(config())
	for _, prompt := range []string{"[simulated]", "[simulated] Hello", "Why does it say [simulated] there?", "Write a list: [", strings.Repeat("[simulated] ", 20)} {
		quoted, _ := json.Marshal(prompt)
		said := textOf(t, streamedAnswer(t, w, streamInvoke, titanText, `{"inputText":`+string(quoted)+`}`))
		if !strings.HasPrefix(said, marker+english.notice) {
			t.Errorf("reply to %q = %q, want a whole one", prompt, said)
		}
	}
}

// TestPrefillRules: what each family has against a trailing assistant message.
func TestPrefillRules(t *testing.T) {
	const chat = `{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Well"}]}`
	refused(t, streamInvoke, pixtral, chat, lastRole)
	refused(t, streamInvoke, sonnet5, begunForms[0].body("Well"), noPrefill)
	refused(t, streamConverse, opus48, converseBegun("Well"), fromModel+noPrefill)
	refused(t, streamConverse, mistralLarge, converseBegun("Well"), userLast)
	refused(t, streamConverse, sonnet4, converseBegun(`Well\u00a0`), fromModel+trailingSpace)
	refused(t, streamConverse, sonnet4,
		strings.TrimSuffix(converseBegun("Well"), "}")+`,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}}`,
		"The model returned the following errors: messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. "+
			"When `thinking` is enabled, a final `assistant` message must start with a thinking block.")
	refused(t, streamInvoke, sonnet4, strings.Replace(begunForms[0].body("Well"), `"max_tokens":1000`, `"max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024}`, 1),
		"messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. "+
			"When `thinking` is enabled, a final `assistant` message must start with a thinking block.")
	if said := textOf(t, streamedAnswer(t, New(config()), streamInvoke, gptOSS, strings.Replace(chat, "Well", "[simulated] ", 1))); !strings.HasPrefix(said, marker) {
		t.Errorf("a chat completion behind an assistant's message = %q, want a turn of its own", said)
	}
}
