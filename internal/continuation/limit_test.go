package continuation

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// prompts are answered in their own languages, and quoted.
var prompts = []string{
	"Suggest a recipe idea using these ingredients: chicken, rice, carrots.",
	"Bitte schreibe ein kurzes Gedicht über die Äpfel im Garten und das Wetter von gestern.",
	"この材料を使ったレシピを提案してください。四人分で、野菜を多めに、砂糖は使わないでください。",
	"Por favor, escribe una receta para cuatro personas con piñones, jalapeños y más azúcar.",
	"What do 🍎🍏 and 👩‍👩‍👧 mean here, 🎉?",
}

// limitedForms are the bodies of a call that asks for at most max tokens, by their
// prompt and, where they take one, a prefill: JSON texts without quotes.
var limitedForms = []struct {
	name     string
	op       inference.Operation
	model    inference.ModelID
	instruct bool
	prefill  bool
	body     func(asked, own string, max int) string
}{
	{"claude", invoking, sonnet4, false, true, claudeLimited},
	{"claude in words", invoking, sonnet46, true, false, claudeLimited},
	{"converse claude", conversing, sonnet4, false, true, converseLimited("maxTokens")},
	{"converse claude in words", conversing, sonnet46, true, false, converseLimited("maxTokens")},
	{"converse nova", conversing, novaPro, false, true, converseLimited("maxTokens")},
	{"converse titan", conversing, titan, false, true, converseLimited("maxTokens")},
	{"converse llama in words", conversing, llama, true, false, converseLimited("maxTokens")},
	{"nova", invoking, novaPro, false, true, converseLimited("max_new_tokens")},
	{"gpt-oss in words", invoking, gptOSS, true, true, func(asked, own string, max int) string {
		return fmt.Sprintf(`{"messages":[{"role":"user","content":"%s"}%s],"max_tokens":%d}`, asked, turn(own, `"`+own+`"`), max)
	}},
	{"titan", invoking, titan, false, true, func(asked, own string, max int) string {
		return fmt.Sprintf(`{"inputText":"%s","textGenerationConfig":{"maxTokenCount":%d}}`, asked+own, max)
	}},
	{"llama", invoking, llama, false, true, func(asked, own string, max int) string {
		return fmt.Sprintf(`{"prompt":"%s","max_gen_len":%d}`, asked+own, max)
	}},
	{"llama's template", invoking, llama, false, true, func(asked, own string, max int) string {
		return fmt.Sprintf(`{"prompt":"%s","max_gen_len":%d}`, strings.Replace(llamaUp, recipe, asked, 1)+own, max)
	}},
	{"mistral's template", invoking, mistral, false, true, func(asked, own string, max int) string {
		return fmt.Sprintf(`{"prompt":"<s>[INST] %s [/INST] %s","max_tokens":%d}`, asked, own, max)
	}},
}

func claudeLimited(asked, own string, max int) string {
	return claude(asked, turn(own, `"`+own+`"`)+fmt.Sprintf(`],"max_tokens":%d}`, max))
}

func converseLimited(member string) func(asked, own string, max int) string {
	return func(asked, own string, max int) string {
		return said(asked, turn(own, `[{"text":"`+own+`"}]`)+fmt.Sprintf(`],"inferenceConfig":{"%s":%d}}`, member, max))
	}
}

// turn is an assistant's message behind another, none where it says nothing.
func turn(own, content string) string {
	if own == "" {
		return ""
	}
	return `,{"role":"assistant","content":` + content + `}`
}

// TestLimitAcrossSeams: an answer that its limit ends is the same letter for letter
// wherever it broke off, in every form and script, behind a prefill too.
func TestLimitAcrossSeams(t *testing.T) {
	w := world()
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom(limitedForms).Draw(t, "form")
		asked := rapid.SampledFrom(prompts).Draw(t, "prompt")
		own := ""
		if form.prefill {
			whole := read(t, request(form.op, form.model, ""), answer(t, w, request(form.op, form.model, form.body(asked, "", 1_000))))
			own = prefill(t, whole.Content[0].Text)
		}
		r := request(form.op, form.model, form.body(asked, own, rapid.IntRange(1, 160).Draw(t, "max_tokens")))
		whole, cuts := answer(t, w, r), rapid.IntRange(1, 3).Draw(t, "cuts")
		got, ok := cut(t, w, r, form.instruct, func(events []inference.Event) int {
			if cuts--; cuts < 0 {
				return len(events)
			}
			const begun = 2 // letters, by which the region knows a reply as its own
			from := min(contentAt(events)+begun, len(events)-1)
			return rapid.IntRange(from, len(events)-1).Draw(t, fmt.Sprint("cut with ", cuts, " left"))
		})
		if !ok {
			t.Fatalf("%s is not gone on with", r.Body)
		}
		check(t, got, r, read(t, r, whole))
	})
}

// prefill draws how an answer is begun by the caller: not at all, with what the model
// says, or with words of its own. None ends with white space.
func prefill(t *rapid.T, said string) string {
	switch rapid.IntRange(0, 2).Draw(t, "prefill") {
	case 0:
		return ""
	case 1:
		return rapid.SampledFrom([]string{"Well,", "Ja:", "はい、", "🎉"}).Draw(t, "own")
	}
	n := rapid.IntRange(2, 60).Draw(t, "of it")
	for !utf8.RuneStart(said[n]) {
		n++
	}
	quoted, _ := json.Marshal(strings.TrimSpace(said[:n]))
	return string(quoted[1 : len(quoted)-1])
}

// TestLimitUsedUp: where all tokens are used up the answer has its end without another
// target, and it is the one that a whole answer has.
func TestLimitUsedUp(t *testing.T) {
	r, w := request(invoking, sonnet4, claude(recipe, `],"max_tokens":50}`)), world()
	whole := answer(t, w, r)
	at := len(whole) - 1
	for !whole[at].Content {
		at--
	}
	got, ok := cut(t, w, r, false, func([]inference.Event) int { return at + 1 })
	if want := read(t, r, whole); !ok || got.legs != 1 || want.Stop.Reason != dialect.MaxTokens {
		t.Fatalf("gone on with: %v, by %d legs; the whole one ends by %s, want one leg and max_tokens", ok, got.legs, want.Stop.Reason)
	}
	check(t, got, r, read(t, r, whole))
	if got.usage.OutputTokens != 50 {
		t.Errorf("output tokens = %d, want 50", got.usage.OutputTokens)
	}
}
