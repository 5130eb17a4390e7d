package sim

import (
	"strings"
	"testing"

	"fairway/internal/inference"
)

// The texts are those of ../shared/facts/bedrock.md 1.6 and of public bug reports
// where checkconverse.go marks them [V].
func TestConverseRefusals(t *testing.T) {
	const (
		hi    = `{"role":"user","content":[{"text":"hi"}]}`
		well  = `{"role":"assistant","content":[{"text":"Well"}]}`
		calls = `{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}},{"toolUse":{"toolUseId":"b","name":"f","input":{}}}]}`
		one   = `{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"ok"}]}}]}`
		tool  = `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]},`
	)
	messages := func(more string, list ...string) string {
		return `{` + more + `"messages":[` + strings.Join(list, ",") + `]}`
	}
	thinking := func(more string) string {
		return messages(`"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}},`+more, hi)
	}
	for _, c := range []struct{ model, body, want string }{
		{sonnet4, messages(""), "A conversation must start with a user message. Try again with a conversation that starts with a user message."},
		{sonnet4, messages("", well, hi), "A conversation must start with a user message. Try again with a conversation that starts with a user message."},
		{sonnet4, messages("", hi, hi), "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."},
		{novaPro, messages("", hi, hi), "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."},
		{sonnet4, messages("", `{"role":"user","content":[]}`), "The content field in the Message object at messages.0 is empty. Add a ContentBlock object to the content field and try again."},
		{sonnet4, messages("", `{"role":"user","content":[{"text":" \n"}]}`), "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again."},
		{sonnet4, messages("", `{"role":"user","content":[{"document":{"format":"txt","name":"d","source":{"bytes":"aGk="}}}]}`), "A text block must be included when using documents."},
		{sonnet4, messages("", hi, calls, one), "The toolConfig field must be defined when using toolUse and toolResult content blocks."},
		{sonnet4, messages(tool, hi, calls, one), "Expected toolResult blocks at messages.2.content for the following Ids: b"},
		{sonnet4, messages(tool, hi, calls, hi), "Expected toolResult blocks at messages.2.content for the following Ids: a, b"},
		{sonnet4, messages(tool, hi, well, one), "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn."},
		{sonnet4, messages(`"toolConfig":{"toolChoice":{"tool":{"name":"g"}},"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]},`, hi),
			"The toolChoice field names a tool that is not in the toolConfig field: g"},
		{sonnet35, messages(`"inferenceConfig":{"maxTokens":8193},`, hi),
			"The maximum tokens you requested exceeds the model limit of 8192 . Try again with a maximum tokens value that is lower than 8192."},
		{novaPro, messages(`"inferenceConfig":{"maxTokens":10001},`, hi),
			"The maximum tokens you requested exceeds the model limit of 10000 . Try again with a maximum tokens value that is lower than 10000."},
		{sonnet4, messages(`"inferenceConfig":{"maxTokens":0},`, hi),
			"1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{sonnet4, messages(`"inferenceConfig":{"temperature":1.5},`, hi),
			"1 validation error detected: Value '1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1"},
		{sonnet45, messages(`"inferenceConfig":{"temperature":1,"topP":1},`, hi), fromModel + twoSamplers},
		{sonnet46, messages("", hi, well), fromModel + noPrefill},
		{llama31, messages("", hi, well), userLast},
		{sonnet4, messages("", hi, `{"role":"assistant","content":[{"text":"Well "}]}`), fromModel + trailingSpace},
		{sonnet4, thinking(`"inferenceConfig":{"maxTokens":2000},`), fromModel + budgetAboveMaxTokens},
		{sonnet4, thinking(`"inferenceConfig":{"temperature":0.5},`), fromModel + thinkingTemperature},
		{sonnet35, thinking(""), "Malformed input request: #: extraneous key [thinking] is not permitted, please reformat your input and try again."},
		{novaPro, thinking(""), "Malformed input request: #: extraneous key [thinking] is not permitted, please reformat your input and try again."},
		{sonnet4, messages(`"additionalModelRequestFields":{"thinking":{"type":"adaptive"}},`, hi), fromModel + noAdaptive},
		{sonnet4, messages(`"additionalModelRequestFields":{"anthropic_beta":["x"],"topk":1},`, hi), fromModel + "topk: Extra inputs are not permitted"},
		{sonnet4, messages(`"additionalModelRequestFields":{"anthropic_beta":"x"},`, hi), fromModel + "anthropic_beta: Input should be a valid list"},
		{sonnet35, messages(`"additionalModelRequestFields":{"topk":1},`, hi), "Malformed input request: #: extraneous key [topk] is not permitted, please reformat your input and try again."},
		{sonnet4, messages(`"toolConfig":{"tools":[]},`, hi),
			"1 validation error detected: Value '[]' at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{sonnet4, messages(`"performanceConfig":{"latency":"fast"},`, hi),
			"1 validation error detected: Value 'fast' at 'performanceConfig.latency' failed to satisfy constraint: Member must satisfy enum value set: [optimized, standard]"},
		{sonnet4, messages(`"serviceTier":{"type":"gold"},`, hi), "service tier provided is invalid"},
		{titanEmbed, messages("", hi), "This action doesn't support the model that you provided. Try again with a supported text or chat model."},
	} {
		refused(t, inference.Converse, c.model, c.body, c.want)
	}
	for _, c := range []struct{ model, body string }{
		{opus48, messages("", hi, hi)}, // newer models merge turns
		{sonnet4, messages("", hi, well)},
		{novaPro, messages("", hi, well)},
		{sonnet4, messages(`"promptVariables":{"a":{"text":"b"}},"additionalModelResponseFieldPaths":["/usage"],`,
			`{"role":"user","content":[{"text":"hi"},{"guardContent":{"text":{"text":"g","qualifiers":["query"]}}},`+
				`{"document":{"format":"txt","name":"d","context":"c","citations":{"enabled":true},"source":{"text":"t"}}},`+
				`{"searchResult":{"source":"s","title":"t","content":[{"text":"x"}]}}]}`)},
		{sonnet4, messages(`"toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]},`, hi)},
		{sonnet4, messages(`"additionalModelRequestFields":{"anthropic_beta":["x"],"metadata":{"user_id":"u"}},`, hi)},
		{sonnet4, messages(tool, hi, calls, `{"role":"user","content":[{"toolResult":{"toolUseId":"b","content":[{"json":{"a":1}}]}},{"toolResult":{"toolUseId":"a","content":[]}}]}`)},
	} {
		if _, err := run(t, New(config()), singapore, inference.Converse, c.model, c.body); err != nil {
			t.Errorf("%s of %s: %v", c.body, c.model, err)
		}
	}
}

// The families whose body is one prompt say what a schema has against it.
func TestInvokeRefusals(t *testing.T) {
	malformedBy := func(violation string) string {
		return "Malformed input request: " + violation + ", please reformat your input and try again."
	}
	for _, c := range []struct{ model, body, want string }{
		{titanText, `{"inputText":"hi","textGenerationConfig":{"maxTokenCount":8193}}`, malformedBy("#/textGenerationConfig/maxTokenCount: 8193 is not less or equal to 8192")},
		{titanText, `{"inputText":""}`, malformedBy("#/inputText: expected minLength: 1, actual: 0")},
		{llama31, `{"prompt":"hi","max_gen_len":5000}`, malformedBy("#/max_gen_len: 5000 is not less or equal to 4096")},
		{llama31, `{"prompt":"hi","max_gen_len":0}`, malformedBy("#/max_gen_len: 0 is not greater or equal to 1")},
		{mistralLarge, `{"prompt":"hi","max_tokens":9000}`, malformedBy("#/max_tokens: 9000 is not less or equal to 8192")},
		{novaPro, `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":20000}}`,
			"The maximum tokens you requested exceeds the model limit of 10000 . Try again with a maximum tokens value that is lower than 10000."},
		{novaPro, `{"messages":[]}`, malformedBy("#/messages: expected minimum item count: 1, found: 0")},
	} {
		refused(t, inference.InvokeModel, c.model, c.body, c.want)
	}
}
