package sim

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"fairway/internal/inference"
)

func TestResponses(t *testing.T) {
	source, err := ParseResponses("answers.yaml", []byte(`
# comment
- match: CHICKEN
  model: "*sonnet-4-*"
  text: Chicken soup.
- match: /^slow\b/
  error: {kind: ThrottlingException, message: "Too many tokens, please wait before trying again."}
- match: chicken
  text: Roast chicken.
`))
	if err != nil {
		t.Fatal(err)
	}
	c := config()
	c.Text = source
	w := New(c)
	for _, q := range []struct{ model, prompt, want string }{
		{sonnet4, "cook a chicken", "Chicken soup."},
		{sonnet35, "cook a Chicken", "Roast chicken."},
		{sonnet4, "beef", marker + english.notice},
	} {
		r, err := invoke(t, w, singapore, q.model, body(q.prompt, `"max_tokens":1000,`))
		if err != nil || !strings.HasPrefix(text(r), q.want) {
			t.Errorf("%s %q = %q, %v, want %q", q.model, q.prompt, text(r), err, q.want)
		}
	}
	_, err = invoke(t, w, singapore, sonnet4, body("slow down", `"max_tokens":1000,`))
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Throttling || e.Region != singapore {
		t.Errorf("scripted error = %v, want throttling in %s", err, singapore)
	}
}

func TestResponseThatBreaksOff(t *testing.T) {
	source, err := ParseResponses("answers.yaml", []byte("- text: Half an answer\n  error: {kind: ModelErrorException, message: broken}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := config()
	c.Text = source
	for op, body := range map[inference.Operation]string{
		inference.InvokeModel:                   body("hello", `"max_tokens":1000,`),
		inference.InvokeModelWithResponseStream: body("hello", `"max_tokens":1000,`),
		inference.Converse:                      talk("hello", ""),
		inference.ConverseStream:                talk("hello", ""),
	} {
		events, err := run(t, New(c), singapore, op, sonnet4, body)
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.ModelError || e.Region != singapore {
			t.Errorf("%s ended with %v, want the model error in %s", op, err, singapore)
		}
		said := slices.ContainsFunc(events, func(e inference.Event) bool { return e.Content })
		if said != op.Streams() {
			t.Errorf("%s had content before it broke off: %t, want %t", op, said, op.Streams())
		}
		if slices.ContainsFunc(events, func(e inference.Event) bool { return e.Final }) {
			t.Errorf("%s has its final event", op)
		}
	}
}

func TestResponsesPointAtTheLine(t *testing.T) {
	for file, want := range map[string]string{
		"text: x":                              "answers.yaml:1: want a list",
		"- text: x\n- match: /(/\n  text: y":   "answers.yaml:2: error parsing regexp",
		"- text: x\n\n- match: y":              "answers.yaml:3: an answer has a text, an error or both",
		"- text: x\n- text: y\n  txet: z":      "answers.yaml:3: unknown field",
		"- error: {kind: Oops}":                `answers.yaml:1: no region answers with error kind "Oops"`,
		"- text: x\n- text: y\n  model: \"[\"": "answers.yaml:2: model",
		"- text: [":                            "answers.yaml:1: ",
	} {
		_, err := ParseResponses("answers.yaml", []byte(file))
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || !strings.HasPrefix(e.Message, want) {
			t.Errorf("ParseResponses(%q) error = %v, want %q", file, err, want)
		}
	}
	if _, err := ParseResponses("answers.yaml", nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func FuzzParseResponses(f *testing.F) {
	f.Add("- match: x\n  text: y\n")
	f.Add("- [")
	f.Fuzz(func(t *testing.T, file string) {
		r, err := ParseResponses("f", []byte(file))
		if (r == nil) != (err != nil) {
			t.Errorf("ParseResponses(%q) = %v, %v, want exactly one", file, r, err)
		}
	})
}
