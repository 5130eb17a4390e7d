package sim

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/tokens"
)

// text is the reply's text.
func text(r anthropic.Response) string {
	if len(r.Content) == 0 || r.Content[0].Text == nil {
		return ""
	}
	return *r.Content[0].Text
}

func reply(t *testing.T, more string) anthropic.Response {
	t.Helper()
	r, err := invoke(t, New(config()), singapore, sonnet4, body(prompt, more))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWrittenSpeaksThePromptsLanguage(t *testing.T) {
	prompts := map[string]string{
		"en": prompt,
		"vi": "Hãy gợi ý một món ăn từ các nguyên liệu này: thịt gà, cơm, cà rốt",
		"de": "Schlage mir bitte ein Rezept mit diesen Zutaten vor: Huhn, Reis und Karotten",
		"fr": "Propose une recette avec ces ingrédients : poulet, riz et carottes",
		"es": "Dame una receta con estos ingredientes: pollo, arroz y zanahorias",
		"pt": "Sugira uma receita com estes ingredientes: frango, arroz e cenouras, não use açúcar",
		"id": "Tolong buatkan resep dengan bahan ini: ayam, nasi dan wortel",
		"zh": "请用这些食材推荐一道菜：鸡肉、米饭、胡萝卜",
		"ja": "この材料でレシピを提案してください：鶏肉、ご飯、人参",
		"ko": "이 재료로 요리를 추천해 주세요: 닭고기, 밥, 당근",
		"th": "ช่วยแนะนำเมนูอาหารจากไก่ ข้าว และแครอท",
		"hi": "इन सामग्रियों से व्यंजन सुझाइए: चिकन, चावल, गाजर",
		"ru": "Предложи рецепт из этих продуктов: курица, рис, морковь",
		"ar": "اقترح وصفة من هذه المكونات: دجاج، أرز، جزر",
	}
	if len(prompts) != len(languages) {
		t.Fatalf("%d prompts for %d languages", len(prompts), len(languages))
	}
	for code, prompt := range prompts {
		lang := detect(prompt)
		if lang.code != code {
			t.Errorf("detect(%q) = %s, want %s", prompt, lang.code, code)
			continue
		}
		r, err := invoke(t, New(config()), singapore, sonnet4, body(prompt, `"max_tokens":1000,`))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(text(r), "\n")
		if first != marker+lang.notice {
			t.Errorf("%s: first line = %q, want the notice", code, first)
		}
		if words := lang.length(text(r)); words < 40 {
			t.Errorf("%s: %d words, want at least 40", code, words)
		}
		if strings.Contains(text(r), "%!") {
			t.Errorf("%s: bad format in %q", code, text(r))
		}
		if r.StopReason != anthropic.EndTurn {
			t.Errorf("%s: stop reason = %s, want end_turn", code, r.StopReason)
		}
	}
}

func TestEnglishPromptWithOtherIngredients(t *testing.T) {
	for _, ingredients := range []string{"thịt gà, cơm, cà rốt", "鶏肉, ご飯", "Hähnchen, Möhren", ""} {
		prompt := strings.Replace(prompt, "chicken, rice, carrots", ingredients, 1)
		if got := detect(prompt).code; got != "en" {
			t.Errorf("detect(...%q) = %s, want en", ingredients, got)
		}
	}
}

func TestWrittenReadsThePrompt(t *testing.T) {
	got := text(reply(t, `"max_tokens":1000,"system":"You are a chef.",`))
	for _, want := range []string{"It mentions: chicken, rice, carrots.", "Words in the system prompt: 4.", "“Suggest a recipe idea", "claude-sonnet-4-20250514"} {
		if !strings.Contains(got, want) {
			t.Errorf("reply lacks %q:\n%s", want, got)
		}
	}
}

func TestWrittenIsTheSameEverywhere(t *testing.T) {
	w := New(config())
	b := body("Is ap-southeast-1 faster than US-GOV-WEST-1, zone eu-central-1a or eusc-de-east-1?", `"max_tokens":1000,"tool_choice":{"type":"none"},`+
		`"tools":[{"name":"get_ap-southeast-1_us-east-2","input_schema":{"type":"object"}}],`)
	here, err := invoke(t, w, singapore, sonnet4, b)
	if err != nil {
		t.Fatal(err)
	}
	there, err := invoke(t, w, tokyo, sonnet4, b)
	if err != nil {
		t.Fatal(err)
	}
	if text(here) != text(there) {
		t.Errorf("replies differ by region:\n%s\n%s", text(here), text(there))
	}
	for _, name := range []string{"ap-southeast", "us-gov", "eu-central", "eusc", "us-east"} {
		if strings.Contains(strings.ToLower(text(here)), name) {
			t.Errorf("reply names %s:\n%s", name, text(here))
		}
	}
	if want := "Tools on offer: get_…_…."; !strings.Contains(text(here), want) {
		t.Errorf("reply lacks %q:\n%s", want, text(here))
	}
}

func TestMaxTokensCuts(t *testing.T) {
	whole := text(reply(t, `"max_tokens":1000,`))
	for _, limit := range []string{"1", "7", "60"} {
		r := reply(t, `"max_tokens":`+limit+`,`)
		if !strings.HasPrefix(whole, text(r)) || text(r) == "" {
			t.Errorf("max_tokens %s: %q is no beginning of the whole reply", limit, text(r))
		}
		if got, _ := json.Marshal(r.Usage.OutputTokens); r.StopReason != anthropic.MaxTokens || string(got) != limit {
			t.Errorf("max_tokens %s: stop = %s after %s tokens", limit, r.StopReason, got)
		}
	}
}

func TestStopSequenceCuts(t *testing.T) {
	whole := text(reply(t, `"max_tokens":1000,`))
	r := reply(t, `"max_tokens":1000,"stop_sequences":["never said","chicken","It mentions"],`)
	want, _, _ := strings.Cut(whole, "It mentions")
	if text(r) != want || r.StopReason != anthropic.StopSequence || r.StopSequence == nil || *r.StopSequence != "It mentions" {
		t.Errorf("stopped = %q by %s, want %q by stop_sequence", text(r), r.StopReason, want)
	}
	if r := reply(t, `"max_tokens":7,"stop_sequences":["chicken"],`); r.StopReason != anthropic.MaxTokens {
		t.Errorf("stop reason = %s, want max_tokens, which comes first", r.StopReason)
	}
}

func TestPrefillIsContinued(t *testing.T) {
	whole := text(reply(t, `"max_tokens":1000,`))
	quoted, _ := json.Marshal(prompt)
	for prefill, want := range map[string]string{
		whole[:29]: whole[29:],
		whole:      "",
		"{":        whole,
	} {
		p, _ := json.Marshal(prefill)
		b := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":` + string(quoted) +
			`},{"role":"assistant","content":` + string(p) + `}]}`
		r, err := invoke(t, New(config()), singapore, sonnet4, b)
		if err != nil {
			t.Fatal(err)
		}
		if text(r) != want || r.StopReason != anthropic.EndTurn {
			t.Errorf("after %q: %q, want %q", prefill, text(r), want)
		}
	}
}

func TestPieces(t *testing.T) {
	for _, s := range []string{text(reply(t, `"max_tokens":1000,`)), "abcdefg", "漢字漢字漢", "a b"} {
		var pieces []string
		for said := (speech{pieces: []dialect.Piece{{Kind: dialect.Delta, Text: s}}, parted: true}); len(said.pieces) > 0; {
			pieces = append(pieces, said.next().piece.Text)
		}
		if want := min(minPieces, utf8.RuneCountInString(s)); len(pieces) < want {
			t.Errorf("%q has %d pieces, want at least %d", s, len(pieces), want)
		}
		if got := strings.Join(pieces, ""); got != s {
			t.Errorf("joined pieces = %q, want %q", got, s)
		}
	}
}

const weatherTool = `"tools":[{"name":"weather","input_schema":{"type":"object","required":["city","unit","days","where","tags","when"],"properties":{
	"city":{"type":"string"},"unit":{"enum":["c","f"]},"days":{"type":"integer","minimum":2,"maximum":5},
	"where":{"type":"object","required":["lat"],"properties":{"lat":{"type":"number","exclusiveMinimum":10},"lon":{"type":"number"}}},
	"tags":{"type":"array","items":{"type":"string","maxLength":3},"minItems":2},"when":{"$ref":"#/$defs/day"},"other":{"type":"string"}},
	"$defs":{"day":{"type":["null","string"],"format":"date"}}}},{"name":"second","input_schema":{"type":"object"}}],`

func TestTools(t *testing.T) {
	const input = `{"city":"chicken","days":2,"tags":["ric","car"],"unit":"c","when":"2025-01-01","where":{"lat":10.25}}`
	for choice, want := range map[string]struct{ tool, text string }{
		``:                               {"weather", marker + english.notice},
		`"tool_choice":{"type":"auto"},`: {"weather", marker + english.notice},
		`"tool_choice":{"type":"any"},`:  {"weather", ""},
		`"tool_choice":{"type":"tool","name":"second"},`: {"second", ""},
		`"tool_choice":{"type":"none"},`:                 {},
	} {
		r := reply(t, `"max_tokens":1000,`+weatherTool+choice)
		last := r.Content[len(r.Content)-1]
		if last.Name != want.tool || want.text != "" && text(r) != want.text {
			t.Errorf("%s called %q after %q, want %q after %q", choice, last.Name, text(r), want.tool, want.text)
		}
		if want.tool == "weather" && string(last.Input) != input {
			t.Errorf("%s input = %s, want %s", choice, last.Input, input)
		}
		if wantStop := map[bool]anthropic.StopReason{true: anthropic.ToolUse, false: anthropic.EndTurn}[want.tool != ""]; r.StopReason != wantStop {
			t.Errorf("%s stop = %s, want %s", choice, r.StopReason, wantStop)
		}
	}
	r := reply(t, `"max_tokens":3,"tool_choice":{"type":"any"},`+weatherTool)
	if r.StopReason != anthropic.MaxTokens || r.Content[0].Name != "weather" || r.Usage.OutputTokens != 3 {
		t.Errorf("a cut tool call = %+v, want weather cut at 3 tokens", r)
	}
}

func TestToolResultIsAnsweredInText(t *testing.T) {
	b := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,` + weatherTool + `"messages":[{"role":"user","content":"How is the weather?"},
		{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"weather","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"sunny"}]}]}`
	r, err := invoke(t, New(config()), singapore, sonnet4, b)
	if err != nil {
		t.Fatal(err)
	}
	if r.StopReason != anthropic.EndTurn || !strings.Contains(text(r), "Tools on offer: weather, second.") {
		t.Errorf("answer = %s %q, want text", r.StopReason, text(r))
	}
}

func TestRepliesIgnoreTheCut(t *testing.T) {
	c, err := anthropic.Dialect{}.DecodeRequest([]byte(body(prompt, `"max_tokens":5,"stop_sequences":["a"],"temperature":0.1,`)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Written{}.Reply(context.Background(), sonnet4, c)
	if err != nil {
		t.Fatal(err)
	}
	if want := text(reply(t, `"max_tokens":1000,`)); len(got) != 1 || got[0].Text != want {
		t.Errorf("Reply = %+v, want %q", got, want)
	}
	if n := tokens.Claude3.Text(got[0].Text); n < 5 {
		t.Errorf("Reply has %d tokens, want it uncut", n)
	}
}
