package sim

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"fairway/internal/inference"
)

// The texts are those of ../shared/facts/bedrock.md 1.6 and models.json where
// texts.go marks them [V].
func TestRefusals(t *testing.T) {
	const user = `{"role":"user","content":"hi"}`
	messages := func(list string) string {
		return `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[` + list + `]}`
	}
	with := func(more string) string { return body("hi", `"max_tokens":2000,`+more) }
	malformedBy := func(violations string) string {
		return "Malformed input request: " + violations + ", please reformat your input and try again."
	}
	for _, c := range []struct{ model, body, want string }{
		{sonnet4, `{`, malformed},
		{sonnet4, `{"anthropic_version":"bedrock-2023-05-31","messages":[` + user + `]}`, "max_tokens: Field required"},
		{sonnet35, `{"anthropic_version":"bedrock-2023-05-31","messages":[` + user + `]}`, malformedBy("#: required key [max_tokens] not found")},
		{sonnet4, `{"max_tokens":1,"messages":[` + user + `]}`, "anthropic_version: Field required"},
		{sonnet4, `{"anthropic_version":"2023-06-01","max_tokens":1,"messages":[` + user + `]}`, "anthropic_version: Input should be 'bedrock-2023-05-31'"},
		{sonnet4, `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1}`, "messages: Field required"},
		{sonnet35, with(`"stream":true,"model":"x",`), malformedBy(
			`#: subject must not be valid against schema {"required":["messages"]}#: extraneous key [model] is not permitted#: extraneous key [stream] is not permitted`)},
		{sonnet4, with(`"model":"x",`), "model: Extra inputs are not permitted"},
		{sonnet4, with(`"max_token":1,`), "max_token: Extra inputs are not permitted"},
		{sonnet4, body("hi", `"max_tokens":"9",`), "max_tokens: Input should be a valid integer"},
		{sonnet35, body("hi", `"max_tokens":"9",`), malformedBy("#/max_tokens: expected type: Integer, found: String")},
		{sonnet4, body("hi", `"max_tokens":0,`), "max_tokens: Input should be greater than or equal to 1"},
		{sonnet35, body("hi", `"max_tokens":0,`), malformedBy("#/max_tokens: 0 is not greater or equal to 1")},
		{sonnet35, body("hi", `"max_tokens":8193,`),
			"The maximum tokens you requested exceeds the model limit of 8192 . Try again with a maximum tokens value that is lower than 8192."},
		{sonnet5, body("hi", `"max_tokens":128000,`),
			"The maximum tokens you requested exceeds the model limit of 128000 . Try again with a maximum tokens value that is lower than 128000."},
		{sonnet4, with(`"temperature":1.5,`), "temperature: Input should be less than or equal to 1"},
		{sonnet35, with(`"temperature":1.5,`), malformedBy("#/temperature: 1.5 is not less or equal to 1")},
		{sonnet4, with(`"top_k":501,`), "top_k: Input should be less than or equal to 500"},
		{sonnet45, with(`"temperature":1,"top_p":1,`), twoSamplers},
		{haiku45, with(`"temperature":1,"top_p":1,`), twoSamplers},
		{sonnet4, with(`"stop_sequences":[" "],`), blankStopSequence},
		{sonnet4, messages(``), "messages: at least one message is required"},
		{sonnet35, messages(``), malformedBy("#/messages: expected minimum item count: 1, found: 0")},
		{sonnet4, messages(`{"content":"hi"}`), "messages.0.role: Field required"},
		{sonnet35, messages(`{"role":"bot","content":"hi"}`), malformedBy("#/messages/0/role: bot is not a valid enum value")},
		{sonnet4, messages(`{"role":"bot","content":"hi"}`), "messages.0.role: Input should be 'user' or 'assistant'"},
		{sonnet4, messages(`{"role":"system","content":"hi"}`), systemRole},
		{sonnet4, messages(`{"role":"user"}`), "messages.0.content: Field required"},
		{sonnet4, messages(`{"role":"user","content":7}`), "messages.0.content: Input should be a valid list"},
		{sonnet4, messages(`{"role":"user","content":[]}`), "messages.0: all messages must have non-empty content except for the optional final assistant message"},
		{sonnet4, messages(`{"role":"user","content":""}`), emptyText},
		{sonnet4, messages(`{"role":"user","content":[{"text":"x"}]}`), "messages.0.content.0: Unable to extract tag using discriminator 'type'"},
		{sonnet35, messages(`{"role":"user","content":[{"type":"song"}]}`), malformedBy("#/messages/0/content/0/type: song is not a valid enum value")},
		{sonnet4, messages(`{"role":"user","content":[{"type":"image"}]}`), "messages.0.content.0.image.source: Field required"},
		{sonnet4, messages(`{"role":"assistant","content":"hi"},` + user), firstIsUser},
		{sonnet35, messages(user + `,` + user), `messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row`},
		{sonnet4, messages(`{"role":"user","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}`), "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages"},
		{sonnet4, messages(`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}`),
			"messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: a. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."},
		{sonnet4, messages(user + `,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},` + user),
			"messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a. Each `tool_use` block must have a corresponding `tool_result` block in the next message."},
		{sonnet46, messages(user + `,{"role":"assistant","content":"Well"}`), "This model does not support assistant message prefill. The conversation must end with a user message."},
		{sonnet4, messages(user + `,{"role":"assistant","content":"Well "}`), trailingSpace},
		{sonnet4, with(`"tools":[{"name":"f"}],`), "tools.0.custom.input_schema: Field required"},
		{sonnet4, with(`"tools":[{"name":"f","input_schema":{}}],`), "tools.0.custom.input_schema.type: Field required"},
		{sonnet4, with(`"tools":[{"name":"a b","input_schema":{"type":"object"}}],`), "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"},
		{sonnet4, with(`"tools":[{"name":"f","input_schema":{"type":"object"}},{"name":"f","input_schema":{"type":"object"}}],`), "tools: Tool names must be unique."},
		{sonnet4, with(`"tool_choice":{"type":"any"},`), "tool_choice: tool_choice may only be specified while providing tools."},
		{sonnet4, with(`"tool_choice":{"type":"all"},`), "tool_choice: Input tag 'all' found using 'type' does not match any of the expected tags: 'any', 'auto', 'none', 'tool'"},
		{sonnet4, with(`"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"g"},`), "Tool 'g' not found in provided tools"},
		{sonnet4, with(`"thinking":{"type":"enabled"},`), "thinking.enabled.budget_tokens: Field required"},
		{sonnet4, with(`"thinking":{"type":"enabled","budget_tokens":2000},`), budgetAboveMaxTokens},
		{sonnet4, with(`"thinking":{"type":"enabled","budget_tokens":1024},"temperature":0.5,`), thinkingTemperature},
		{sonnet35, with(`"thinking":{"type":"disabled"},`), malformedBy(
			`#: subject must not be valid against schema {"required":["messages"]}#: extraneous key [thinking] is not permitted`)},
		{sonnet4, body(strings.Repeat("word ", 300_000), `"max_tokens":1,`), "Input is too long for requested model."},
		{"anthropic.claude-nothing", `{}`, "The provided model identifier is invalid."},
	} {
		_, err := invoke(t, New(config()), singapore, c.model, c.body)
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != inference.Validation {
			t.Errorf("%s %.120s: error = %v, want a validation error", c.model, c.body, err)
		} else if e.Message != c.want {
			t.Errorf("%s %.120s:\n got %q\nwant %q", c.model, c.body, e.Message, c.want)
		}
	}
}

func TestAccepts(t *testing.T) {
	const user = `{"role":"user","content":"hi"}`
	for _, list := range []string{
		user + `,` + user, // later models merge turns
		user + `,{"role":"assistant","content":[]}`,
		user + `,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"ok"},{"type":"text","text":"go on"}]}`,
	} {
		body := `{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["x"],"metadata":{"user_id":"u"},"max_tokens":64000,"messages":[` + list + `]}`
		if _, err := invoke(t, New(config()), singapore, sonnet4, body); err != nil {
			t.Errorf("%s: %v", list, err)
		}
	}
}

// TestBothSamplers: only two models refuse temperature beside top_p.
func TestBothSamplers(t *testing.T) {
	for _, model := range []string{sonnet35, sonnet4, sonnet46, sonnet5} {
		if _, err := invoke(t, New(config()), singapore, model, body("hi", `"max_tokens":10,"temperature":1,"top_p":1,`)); err != nil {
			t.Errorf("%s with temperature and top_p: %v", model, err)
		}
	}
}

func TestGuardrailIsNotDropped(t *testing.T) {
	r := request(sonnet4, body("hi", `"max_tokens":10,`))
	r.Header = http.Header{"X-Amzn-Bedrock-Guardrailidentifier": {"g1"}, "X-Amzn-Bedrock-Guardrailversion": {"1"}}
	_, err := New(config()).Invoke(context.Background(), target(singapore, sonnet4), r)
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation || e.Message != noGuardrail {
		t.Errorf("a call with a guardrail: %v, want a validation error: %s", err, noGuardrail)
	}
}

// FuzzInvoke: whatever the body, an upstream answers to the end or refuses, and
// what it refuses is the caller's fault.
func FuzzInvoke(f *testing.F) {
	f.Add(body(prompt, `"max_tokens":50,`))
	f.Add(body("hi", `"max_tokens":50,"stop_sequences":["a"],"tools":[{"name":"f","input_schema":{"type":"object","required":["a"],"properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"$ref":"#/$defs/a"}}}}],`))
	f.Add(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":3,"messages":[{"role":"user","content":"\u0000é"},{"role":"assistant","content":"x"}]}`)
	f.Add(`{"max_tokens":null,"messages":[null]}`)
	f.Add(talk(prompt, `"inferenceConfig":{"maxTokens":20,"stopSequences":["a"]},`))
	f.Add(talk("hi", `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}},`))
	f.Add(`{"input":{"converse":` + talk("hi", "") + `}}`)
	for _, b := range prompts {
		f.Add(b)
	}
	w := New(config())
	f.Fuzz(func(t *testing.T, body string) {
		for _, model := range []string{sonnet35, sonnet4, sonnet5, novaPro, titanText, llama31, mistralLarge, gptOSS} {
			for _, op := range []inference.Operation{
				inference.InvokeModel, inference.InvokeModelWithResponseStream, inference.Converse, inference.ConverseStream, inference.CountTokens,
			} {
				_, err := run(t, w, singapore, op, model, body)
				if e, ok := errors.AsType[*inference.Error](err); err != nil && (!ok || e.Kind != inference.Validation || e.Message == "") {
					t.Fatalf("%s of %s, %q: error = %v, want a validation error", op, model, body, err)
				}
			}
		}
	})
}

func TestUnknownLimits(t *testing.T) {
	c := config()
	c.Models = func(id inference.ModelID) (inference.Model, bool) { return inference.Model{ID: id}, true }
	c.Quota = Quota{TokensPerMinute: 1 << 40}
	r, err := invoke(t, New(c), singapore, "anthropic.claude-mythos-5", body("hi", `"max_tokens":99999999999999999999,`))
	if err != nil || r.StopReason != "end_turn" {
		t.Errorf("a model without known limits: %s, %v, want end_turn", r.StopReason, err)
	}
}
