package continuation

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// call is one that can be gone on with.
type call struct {
	name     string
	op       inference.Operation
	model    inference.ModelID
	body     string
	instruct bool // it takes words
}

const (
	recipe  = `Suggest a recipe idea using these ingredients: chicken, \"rice\", carrots.`
	tools   = `{"name":"weather","input_schema":{"type":"object","required":["city"],"properties":{"city":{"type":"string"}}}}`
	llamaUp = `<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n` + recipe + `<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`
)

// said is a Converse or Nova body of one user message, with what follows it.
func said(text, more string) string {
	return `{"messages":[{"role":"user","content":[{"text":"` + text + `"}]}` + more
}

func claude(text, more string) string {
	return ` {"anthropic_version":"bedrock-2023-05-31", "messages" : [ {"role":"user","content":"` + text + `"} ` + more
}

var calls = []call{
	{name: "claude", op: invoking, model: sonnet4, body: claude(recipe, `],"max_tokens":1000}`)},
	{name: "claude, a prefill of its own", op: invoking, model: sonnet4, body: claude(recipe, `,{"content":"[simulated] This","role":"assistant"}] , "max_tokens" : 1000}`)},
	{name: "claude, a prefill in blocks", op: invoking, model: sonnet4,
		body: claude(recipe, `,{"role":"assistant","content":[{"type":"text","text":"[simulated] This", "cache_control":{"type":"ephemeral"}}]}],"max_tokens":1000}`)},
	{name: "claude, a prefill that it does not go on with", op: invoking, model: sonnet4, body: claude(recipe, `,{"role":"assistant","content":"{\"a\":"}],"max_tokens":1000}`)},
	{name: "claude, german", op: invoking, model: sonnet4, body: claude("Bitte schreibe ein kurzes Gedicht über die Äpfel im Garten und das Wetter von gestern.", `],"max_tokens":1000,"system":"Sei nett."}`)},
	{name: "claude, japanese", op: invoking, model: sonnet4, body: claude("この材料を使ったレシピを提案してください。四人分で、野菜を多めに、砂糖は使わないでください。", `],"max_tokens":1000}`)},
	{name: "claude, a tool", op: invoking, model: sonnet4, body: claude(recipe, `],"max_tokens":1000,"tools":[`+tools+`]}`)},
	{name: "claude, a stop sequence", op: invoking, model: sonnet4, body: claude(recipe, `],"max_tokens":1000,"stop_sequences":["It mentions"]}`)},
	{name: "claude, few tokens", op: invoking, model: sonnet4, body: claude(recipe, `],"max_tokens":30}`)},
	{name: "claude in words", op: invoking, model: sonnet46, body: claude(recipe, `],"max_tokens":1000}`), instruct: true},
	{name: "converse claude", op: conversing, model: sonnet4, body: said(recipe, `],"inferenceConfig":{"maxTokens":1000}}`)},
	{name: "converse claude, no limit", op: conversing, model: sonnet4, body: said(recipe, `],"additionalModelResponseFieldPaths":["/stop_sequence"]}`)},
	{name: "converse claude, a prefill", op: conversing, model: sonnet4, body: said(recipe, `,{"role":"assistant","content":[{"text":"[simulated] This"}]}]}`)},
	{name: "converse claude, a tool", op: conversing, model: sonnet4,
		body: said(recipe, `],"toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object","properties":{}}}}}]}}`)},
	{name: "converse claude, a stop sequence", op: conversing, model: sonnet4, body: said(recipe, `],"inferenceConfig":{"stopSequences":["It mentions"]}}`)},
	{name: "converse claude, few tokens", op: conversing, model: sonnet4, body: said(recipe, `],"inferenceConfig":{"maxTokens":20}}`)},
	{name: "converse claude in words", op: conversing, model: sonnet46, body: said(recipe, `]}`), instruct: true},
	{name: "converse nova", op: conversing, model: novaPro, body: said(recipe, `]}`)},
	{name: "converse titan", op: conversing, model: titan, body: said(recipe, `]}`)},
	{name: "converse llama in words", op: conversing, model: llama, body: said(recipe, `],"inferenceConfig":{"maxTokens":900}}`), instruct: true},
	{name: "nova", op: invoking, model: novaPro, body: said(recipe, `],"inferenceConfig":{"max_new_tokens":1000}}`)},
	{name: "nova, a prefill", op: invoking, model: novaPro, body: said(recipe, `,{"role":"assistant","content":[{"text":"[simulated] "}]}]}`)},
	{name: "nova, few tokens", op: invoking, model: novaPro, body: said(recipe, `],"inferenceConfig":{"maxTokens":20}}`)},
	{name: "titan", op: invoking, model: titan, body: `{"inputText":"` + recipe + `","textGenerationConfig":{"maxTokenCount":1000}}`},
	{name: "titan, few tokens", op: invoking, model: titan, body: `{"inputText":"` + recipe + `","textGenerationConfig":{"maxTokenCount":20}}`},
	{name: "titan, a stop sequence", op: invoking, model: titan, body: `{"inputText":"` + recipe + `","textGenerationConfig":{"stopSequences":["It mentions"]}}`},
	{name: "llama", op: invoking, model: llama, body: `{"prompt":"` + recipe + `","max_gen_len":1000}`},
	{name: "llama's template", op: invoking, model: llama, body: `{"prompt":"` + llamaUp + `","max_gen_len":1000}`},
	{name: "mistral", op: invoking, model: mistral, body: `{"prompt":"` + recipe + `","max_tokens":1000}`},
	{name: "mistral's template", op: invoking, model: mistral, body: `{"prompt":"<s>[INST] ` + recipe + ` [/INST]"}`},
	{name: "gpt-oss in words, a turn of its own", op: invoking, model: gptOSS,
		body: `{"messages":[{"role":"user","content":"` + recipe + `"},{"role":"assistant","content":"Well"}],"max_tokens":40}`, instruct: true},
	{name: "gpt-oss in words", op: invoking, model: gptOSS, body: `{"messages":[{"role":"user","content":"` + recipe + `"}],"max_completion_tokens":1000}`, instruct: true},
}

// check holds an answer that was cut against the whole one.
func check(t fataler, got cutting, r *inference.Request, want *dialect.Answer) {
	t.Helper()
	have := read(t, r, got.sent)
	last := got.sent[len(got.sent)-1]
	if last.Usage == nil || *last.Usage != got.usage {
		t.Fatalf("usage = %+v, want that of all %d legs, %+v", last.Usage, got.legs, got.usage)
	}
	if said := have.Usage; said.InputTokens != got.usage.InputTokens || said.OutputTokens != got.usage.OutputTokens {
		t.Fatalf("the frames tell usage %+v, want %+v", said, got.usage)
	}
	for i := range want.Content { // the region makes ids up for each call
		want.Content[i].ID = ""
	}
	for i := range have.Content {
		have.Content[i].ID = ""
	}
	if diff := cmp.Diff(want.Content, have.Content); diff != "" {
		t.Fatalf("content (-whole +cut):\n%s", diff)
	}
	if want.Stop != have.Stop {
		t.Fatalf("stop = %+v, want %+v", have.Stop, want.Stop)
	}
}

// isText reports whether events are of text alone; where a tool call is begun the rest
// is not gone on with.
func isText(t fataler, r *inference.Request, events []inference.Event) bool {
	continuer := Continuer{Models: models}
	thread := continuer.Follow(r, inference.ModelID(r.Model), true)
	for _, e := range events {
		thread.Sent(e)
	}
	return !thread.heard.beyond || thread.heard.stop != nil
}

// TestEveryCut: wherever an answer breaks off, what the caller gets is the whole one.
func TestEveryCut(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			r, w := request(c.op, c.model, c.body), world()
			whole := answer(t, w, r)
			want := read(t, r, whole)
			from := contentAt(whole) + 1
			for n := from; n < len(whole); n++ {
				legs := 0
				got, ok := cut(t, w, r, c.instruct, func(events []inference.Event) int {
					if legs++; legs > 1 {
						return len(events)
					}
					return n
				})
				if text := isText(t, r, whole[:n]); ok != text {
					t.Fatalf("cut behind event %d of %d: gone on with = %v, want %v", n, len(whole), ok, text)
				}
				if ok {
					check(t, got, r, want)
				}
			}
		})
	}
}

// TestManyCuts: nor do further cuts show.
func TestManyCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(calls).Draw(t, "call")
		r, w := request(c.op, c.model, c.body), world()
		whole := answer(t, w, r)
		cuts := rapid.IntRange(1, 3).Draw(t, "cuts")
		got, ok := cut(t, w, r, c.instruct, func(events []inference.Event) int {
			if cuts--; cuts < 0 {
				return len(events)
			}
			from := contentAt(events) + 1
			if from == 0 || from >= len(events) {
				from = len(events) - 1
			}
			return rapid.IntRange(from, len(events)-1).Draw(t, fmt.Sprint("cut with ", cuts, " left"))
		})
		if ok {
			check(t, got, r, read(t, r, whole))
		}
	})
}
