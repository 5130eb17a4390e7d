package invocation

import (
	"encoding/base64"
	"strings"
	"testing"

	"fairway/internal/inference"
)

// runes counts four letters as a token.
func runes(text string) int { return (len(text) + 3) / 4 }

func outline(model inference.ModelID, body string) inference.Outline {
	op := inference.InvokeModelWithResponseStream
	if strings.Contains(body, "inferenceConfig") || strings.Contains(body, "cachePoint") {
		op = inference.ConverseStream
	}
	return Outline(op, inference.Model{ID: model, MaxOutput: 8_000}, []byte(body), runes)
}

func TestOutlineLimit(t *testing.T) {
	for body, test := range map[string]struct {
		model inference.ModelID
		want  int
	}{
		`{"max_tokens":7,"messages":[]}`:                            {claude, 7},
		`{"messages":[{"max_tokens":7}]}`:                           {claude, 8_000},
		`{"inferenceConfig":{"maxTokens":7},"messages":[]}`:         {claude, 7},
		`{"inferenceConfig":{"maxTokens":null},"messages":[]}`:      {claude, 8_000},
		`{"textGenerationConfig":{"maxTokenCount":7}}`:              {"amazon.titan-text-express-v1", 7},
		`{"prompt":"max_gen_len"}`:                                  {llama, 512},
		`{"prompt":"Hi","max_gen_len":7}`:                           {llama, 7},
		`{"max_completion_tokens":7}`:                               {"openai.gpt-oss-120b-1:0", 7},
		`{"prompt":"Hi","max_tokens":7}`:                            {"mistral.mistral-large-2402-v1:0", 7},
		`{"max_tokens":-7}`:                                         {claude, 8_000},
		`{"max_tokens":7`:                                           {claude, 7},
		`{"max_tokens`:                                              {claude, 8_000},
		`{"of":"a family that is not known","max_tokens":7}`:        {"cohere.command-r-v1:0", 8_000},
		`{"inferenceConfig":{"maxTokens":1, "maxTokens" : 7}}`:      {claude, 7},
		`{"anthropic_version":"x","max_tokens":7,"messages":"\"]"}`: {claude, 7},
		`{"max_tokens":9223372036854775807}`:                        {claude, mostTokens},
		`{"max_tokens":7,"n":9}`:                                    {claude, 7},
		`{"max_completion_tokens":7,"n":3}`:                         {"openai.gpt-oss-120b-1:0", 21},
		`{"max_completion_tokens":7,"n":3.0e0}`:                     {"openai.gpt-oss-120b-1:0", 21},
		`{"max_completion_tokens":7,"n":-3}`:                        {"openai.gpt-oss-120b-1:0", 7},
		`{"max_completion_tokens":7,"n":1e300}`:                     {"openai.gpt-oss-120b-1:0", 7 * mostAnswers},
		`{"max_completion_tokens":99999999,"n":99}`:                 {"openai.gpt-oss-120b-1:0", mostTokens},
		`{"messages":[],"n":2}`:                                     {"qwen.qwen3-32b-v1:0", 16_000},
	} {
		if got := outline(test.model, body); got.MaxTokens != test.want {
			t.Errorf("Outline(%s, %s).MaxTokens = %d, want %d", test.model, body, got.MaxTokens, test.want)
		}
	}
	if got := Outline(inference.CountTokens, inference.Model{ID: claude}, []byte(`{"max_tokens":7}`), runes); got != (inference.Outline{}) {
		t.Errorf("Outline(CountTokens) = %+v, want none", got)
	}
	if got := Outline(inference.Converse, inference.Model{ID: claude}, nil, runes); got.MaxTokens != unknownTokens {
		t.Errorf("Outline(a model without a known limit).MaxTokens = %d, want %d", got.MaxTokens, unknownTokens)
	}
}

// TestOutlineTokens: within a fifth of what the texts have, however long they are.
func TestOutlineTokens(t *testing.T) {
	long := strings.Repeat("words of a long document ", 20_000)
	image := base64.StdEncoding.EncodeToString(make([]byte, 3_000_000))
	for name, test := range map[string]struct {
		body string
		want int
	}{
		"short":    {`{"messages":[{"role":"user","content":"` + long[:400] + `"}]}`, 105},
		"long":     {`{"messages":[{"role":"user","content":"` + long + `"}]}`, len(long) / 4},
		"an image": {`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + image + `"}}]}]}`, 1_600},
		"a document": {`{"messages":[{"role":"user","content":[{"document":{"format":"pdf","name":"menu","source":{"bytes":"` + image + `"}}}]}]}`,
			61 * pageTokens},
		"nothing": {``, 0}, "no strings": {`[1,2]`, 0},
	} {
		got := outline(claude, test.body).InputTokens
		if got < test.want*8/10 || got > test.want*12/10+1 {
			t.Errorf("%s: InputTokens = %d, want about %d", name, got, test.want)
		}
	}
}

const ephemeral = `"cache_control":{"type":"ephemeral"}`

// TestOutlinePrefix: bodies whose prompts are alike up to the last cache point have one
// prefix, and others another.
func TestOutlinePrefix(t *testing.T) {
	system := `"system":[{"type":"text","text":"Be kind to all who ask for recipes.",` + ephemeral + `}]`
	base := outline(claude, `{`+system+`,"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}`)
	if base.Prefix == 0 || base.PrefixTokens < 5 || base.PrefixTokens > base.InputTokens {
		t.Errorf("Outline = %+v, want a prefix within the input", base)
	}
	messages := func(first, more string) string {
		return `{"messages":[{"role":"user","content":[{"text":"` + first + `"},{"cachePoint":{"type":"default"}},{"text":"` + more + `"}]},{"role":"user","content":[]}]}`
	}
	for name, test := range map[string]struct {
		one, other string
		same       bool
	}{
		"another question": {`{` + system + `,"messages":[{"role":"user","content":"Hi"}]}`, `{` + system + `,"max_tokens":9,"messages":[{"role":"user","content":"How are you?"}]}`, true},
		"another order":    {`{` + system + `,"messages":[]}`, `{"messages":[1],` + system + `}`, true},
		"another system":   {`{` + system + `}`, `{` + strings.Replace(system, "kind", "rude", 1) + `}`, false},
		"other tools":      {`{` + system + `,"tools":[{"name":"a"}]}`, `{` + system + `,"tools":[{"name":"b"}]}`, false},
		"tools alone": {`{"tools":[{"name":"a",` + ephemeral + `},{"name":"b"}],"messages":[1]}`,
			`{"tools":[{"name":"a",` + ephemeral + `},{"name":"c"}],"messages":[2]}`, true},
		"behind the point":   {messages("Hi", "one"), messages("Hi", "two"), true},
		"before the point":   {messages("Hi", "one"), messages("Ho", "one"), false},
		"in a tool's result": {toolResult("a", "b"), toolResult("a", "c"), true},
		"the result itself":  {toolResult("a", "b"), toolResult("d", "b"), false},
		"Converse's tools": {`{"toolConfig":{"toolChoice":{"any":{}},"tools":[{"toolSpec":{}},{"cachePoint":{"type":"default"}}]},"messages":[1]}`,
			`{"toolConfig":{"toolChoice":{"any":{}},"tools":[{"toolSpec":{}},{"cachePoint":{"type":"default"}},{"toolSpec":{}}]},"messages":[2]}`, true},
	} {
		one, other := outline(claude, test.one), outline(claude, test.other)
		if one.Prefix == 0 || (one.Prefix == other.Prefix) != test.same {
			t.Errorf("%s: prefixes %x and %x, want the same: %v", name, one.Prefix, other.Prefix, test.same)
		}
	}
	for _, body := range []string{
		`{"messages":[{"role":"user","content":"say \"cache_control\""}]}`,
		`{"messages":[{"role":"user","content":[{"text":"cachePoint"}]}]}`,
		`{"metadata":{` + ephemeral + `}}`,
	} {
		if got := outline(claude, body); got.Prefix != 0 || got.PrefixTokens != 0 {
			t.Errorf("Outline(%s) = %+v, want no prefix", body, got)
		}
	}
}

// toolResult is a body with a cache point in the result of a tool.
func toolResult(text, behind string) string {
	return `{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"` + text + `",` + ephemeral +
		`},{"type":"text","text":"` + behind + `"}]}]}]}`
}

// FuzzOutline: no body breaks it, and its numbers are sound.
func FuzzOutline(f *testing.F) {
	f.Add([]byte(toolResult("a", "b")))
	f.Add([]byte(`{"toolConfig":{"tools":[{"cachePoint":{}}]},"inferenceConfig":{"maxTokens":7}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for model := range models {
			for _, op := range operations {
				o := Outline(op, inference.Model{ID: model}, body, runes)
				if o.InputTokens < 0 || o.MaxTokens <= 0 || (o.Prefix == 0) != (o.PrefixTokens == 0) && o.Prefix == 0 {
					t.Errorf("Outline(%s, %s, %q) = %+v", op, model, body, o)
				}
			}
		}
	})
}

func BenchmarkOutline(b *testing.B) {
	text := strings.Repeat("words of a long document ", 40) // 1 KB
	image := base64.StdEncoding.EncodeToString(make([]byte, 18_000_000))
	turn := `{"role":"user","content":[{"type":"text","text":"` + text + `"}]}`
	for _, c := range []struct{ name, body string }{
		{"1KB", `{"max_tokens":5,"messages":[` + turn + `]}`},
		{"50KB", `{"max_tokens":5,"messages":[` + strings.Repeat(turn+",", 49) + turn + `]}`},
		{"50KB-cached", `{"max_tokens":5,"messages":[` + strings.Repeat(turn+",", 49) + strings.TrimSuffix(turn, "}]}") + "," + ephemeral + `}]}]}`},
		{"25MB-image", `{"messages":[{"role":"user","content":[{"type":"image","source":{"data":"` + image + `"}},{"type":"text","text":"Hi",` + ephemeral + `}]}]}`},
		{"25MB-text", `{"messages":[` + strings.Repeat(turn+",", 24_000) + turn + `]}`},
	} {
		body := []byte(c.body)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				Outline(inference.InvokeModel, inference.Model{ID: claude}, body, runes)
			}
		})
	}
}
