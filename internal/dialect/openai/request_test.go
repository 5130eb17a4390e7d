package openai_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

var update = flag.Bool("update", false, "rewrite the conversation and encoded files of the vectors")

// TestRequestVectors runs testdata/request/CASE.txtar:
//
//	body          a request body
//	conversation  what it is read as, JSON of a dialect.Conversation (-update writes it)
//	encoded       that conversation written again (-update writes it)
func TestRequestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/request/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := openai.Dialect{}.DecodeRequest(archive.Files[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := openai.Dialect{}.EncodeRequest(c)
			if err != nil {
				t.Fatal(err)
			}
			got := []txtar.File{archive.Files[0], {Name: "conversation", Data: indent(t, given(t, c))}, {Name: "encoded", Data: indent(t, json.RawMessage(encoded))}}
			if *update {
				if err := os.WriteFile(file, txtar.Format(&txtar.Archive{Comment: archive.Comment, Files: got}), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(archive.Files, got); diff != "" {
				t.Errorf("vector (-want +got):\n%s", diff)
			}
			again, err := openai.Dialect{}.DecodeRequest(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, again); diff != "" {
				t.Errorf("DecodeRequest(EncodeRequest(c)) (-want +got):\n%s", diff)
			}
		})
	}
}

// given is the JSON of v without what is not given.
func given(t *testing.T, v any) any {
	t.Helper()
	var plain any
	if err := json.Unmarshal(indent(t, v), &plain); err != nil {
		t.Fatal(err)
	}
	return prune(plain)
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if member == nil || member == "" || member == false {
				delete(v, name)
			} else {
				v[name] = prune(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

func indent(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// TestDecodeRequestRefuses: what the conversation has no place for is refused, and
// the error names the member.
func TestDecodeRequestRefuses(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	message := func(m string) string { return `{"messages":[` + m + `]}` }
	for _, c := range []struct{ body, param, code, message string }{
		{``, "", "", "We could not parse the JSON body of your request."},
		{`[]`, "", "", "We could not parse the JSON body of your request."},
		{`{"messages":`, "", "", "We could not parse the JSON body of your request."},
		{"{\"user\":\"\xff\"," + hi + "}", "", "", "We could not parse the JSON body of your request."},
		{`{"messages":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`, "", "", "decode chat completion: the body nests objects and arrays deeper than 200 levels"},
		{message(`{"role":"user","content":[` + strings.Repeat(`{},`, dialect.MaxNested) + `{}]}`), "", "", "decode chat completion: the body has more than 50000 objects and arrays"},
		{`{}`, "messages", "missing_required_parameter", "Missing required parameter: 'messages'."},
		{`{"messages":null}`, "messages", "missing_required_parameter", "Missing required parameter: 'messages'."},
		{`{"messages":[]}`, "messages", "empty_array", "Invalid 'messages': empty array."},
		{`{"messages":"hi"}`, "messages", "invalid_type", "Invalid type for 'messages': expected an array, but got a string instead."},
		{`{"messages":["hi"]}`, "messages[0]", "invalid_type", "Invalid type for 'messages[0]': expected an object, but got a string instead."},
		{`{` + hi + `,"colour":"red"}`, "colour", "unknown_parameter", "Unknown parameter: 'colour'."},
		{`{` + hi + `,"Temperature":1}`, "Temperature", "unknown_parameter", "Unknown parameter: 'Temperature'."},
		{`{` + hi + `,"max_tokens":"7"}`, "max_tokens", "invalid_type", "Invalid type for 'max_tokens': expected an integer, but got a string instead."},
		{`{` + hi + `,"max_tokens":7.5}`, "max_tokens", "invalid_type", "Invalid type for 'max_tokens': expected an integer, but got a decimal number instead."},
		{`{` + hi + `,"max_tokens":7,"max_completion_tokens":8}`, "max_tokens", "invalid_value", "Setting 'max_tokens' and 'max_completion_tokens'"},
		{`{` + hi + `,"n":3}`, "n", "unsupported_value", "Unsupported value: 'n' does not support 3 with this model. Only the default (1) value is supported."},
		{`{` + hi + `,"logprobs":true}`, "logprobs", "unsupported_value", "Unsupported value: 'logprobs' does not support true"},
		{`{` + hi + `,"frequency_penalty":0.5}`, "frequency_penalty", "unsupported_value", "Unsupported value: 'frequency_penalty'"},
		{`{` + hi + `,"presence_penalty":0.5}`, "presence_penalty", "unsupported_value", "Unsupported value: 'presence_penalty'"},
		{`{` + hi + `,"logit_bias":{"50256":-100}}`, "logit_bias", "unsupported_value", "Unsupported value: 'logit_bias'"},
		{`{` + hi + `,"parallel_tool_calls":false}`, "parallel_tool_calls", "unsupported_value", "Unsupported value: 'parallel_tool_calls'"},
		{`{` + hi + `,"modalities":["text","audio"]}`, "modalities", "unsupported_value", "Unsupported value: 'modalities'"},
		{`{` + hi + `,"service_tier":"flex"}`, "service_tier", "unsupported_value", "Unsupported value: 'service_tier'"},
		{`{` + hi + `,"store":true}`, "store", "unsupported_value", "Unsupported value: 'store'"},
		{`{` + hi + `,"seed":1}`, "seed", "unsupported_parameter", "Unsupported parameter: 'seed' is not supported with this model."},
		{`{` + hi + `,"audio":{"voice":"alloy"}}`, "audio", "unsupported_parameter", "Unsupported parameter: 'audio'"},
		{`{` + hi + `,"prediction":{"type":"content","content":"secret"}}`, "prediction", "unsupported_parameter", "Unsupported parameter: 'prediction' is not supported with this model."},
		{`{` + hi + `,"web_search_options":{}}`, "web_search_options", "unsupported_parameter", "Unsupported parameter: 'web_search_options'"},
		{`{` + hi + `,"functions":[]}`, "functions", "unsupported_parameter", "Unsupported parameter: 'functions'"},
		{`{` + hi + `,"stop":[1]}`, "stop[0]", "invalid_type", "Invalid type for 'stop[0]': expected a string, but got an integer instead."},
		{`{` + hi + `,"stop":true}`, "stop", "invalid_type", "Invalid type for 'stop': expected an array, but got a boolean instead."},
		{`{` + hi + `,"reasoning_effort":"utmost"}`, "reasoning_effort", "invalid_value", "Invalid value: 'utmost'. Supported values are: 'none', 'minimal'"},
		{`{` + hi + `,"user":"u","metadata":{"user_id":"v"}}`, "user", "invalid_value", "Setting 'user' and 'metadata.user_id'"},
		{`{` + hi + `,"metadata":{"a":1}}`, "metadata", "invalid_type", "Invalid type for 'metadata'"},
		{`{` + hi + `,"response_format":{"type":"yaml"}}`, "response_format.type", "invalid_value", "Invalid value: 'yaml'."},
		{`{` + hi + `,"response_format":{"type":"json_schema"}}`, "response_format.json_schema", "missing_required_parameter", "Missing required parameter"},
		{`{` + hi + `,"response_format":{"type":"json_schema","json_schema":{"name":"a"}}}`, "response_format.json_schema.schema", "missing_required_parameter", "Missing required parameter"},
		{`{` + hi + `,"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}`, "response_format.json_schema.name", "missing_required_parameter", "Missing required parameter"},
		{`{` + hi + `,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{},"description":1}}}`, "response_format.json_schema.description", "invalid_type", "Invalid type"},
		{`{` + hi + `,"tools":[{"type":"custom","custom":{}}]}`, "tools[0].type", "invalid_value", "Invalid value: 'custom'. Supported values are: 'function'."},
		{`{` + hi + `,"tools":[{"type":"function"}]}`, "tools[0].function", "missing_required_parameter", "Missing required parameter"},
		{`{` + hi + `,"tools":[{"type":"function","function":{}}]}`, "tools[0].function.name", "missing_required_parameter", "Missing required parameter"},
		{`{` + hi + `,"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]}`, "tools[0].function.parameters", "invalid_type", "Invalid type"},
		{`{` + hi + `,"tool_choice":"any"}`, "tool_choice", "invalid_value", "Invalid value: 'any'. Supported values are: 'none', 'auto', 'required'."},
		{`{` + hi + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{}}}`, "tool_choice.type", "invalid_value", "Invalid value: 'allowed_tools'."},
		{`{` + hi + `,"tool_choice":3}`, "tool_choice", "invalid_type", "Invalid type for 'tool_choice'"},
		{message(`{}`), "messages[0].role", "missing_required_parameter", "Missing required parameter: 'messages[0].role'."},
		{message(`{"role":"function","content":"x"}`), "messages[0].role", "invalid_value", "Invalid value: 'function'."},
		{message(`{"role":"user"}`), "messages[0].content", "", "Invalid value for 'content': expected a string, got null."},
		{message(`{"role":"user","content":7}`), "messages[0].content", "invalid_type", "Invalid type for 'messages[0].content'"},
		{message(`{"role":"user","content":[]}`), "messages[0].content", "empty_array", "Invalid 'messages[0].content': empty array."},
		{message(`{"role":"user","content":"x","name":"ann"}`), "messages[0].name", "unsupported_parameter", "Unsupported parameter: 'messages[0].name'"},
		{message(`{"role":"user","content":"x","tool_calls":[]}`), "messages[0].tool_calls", "unsupported_parameter", "Unsupported parameter"},
		{message(`{"role":"user","content":"x","tool_call_id":"c"}`), "messages[0].tool_call_id", "unsupported_parameter", "Unsupported parameter"},
		{message(`{"role":"user","content":"x","reasoning_content":"r"}`), "messages[0].reasoning_content", "unsupported_parameter", "Unsupported parameter"},
		{message(`{"role":"assistant","content":"x","reasoning":"a","reasoning_content":"b"}`), "messages[0].reasoning", "invalid_value", "Setting 'reasoning' and"},
		{message(`{"role":"tool","content":"x"}`), "messages[0].tool_call_id", "missing_required_parameter", "Missing required parameter"},
		{message(`{"role":"tool","content":"x","tool_call_id":"c","name":"f"}`), "messages[0].name", "unsupported_parameter", "Unsupported parameter"},
		{message(`{"role":"user","content":"x"},{"role":"system","content":"y"}`), "messages[1].role", "unsupported_value", "Unsupported value: 'messages[1].role' does not support 'system' after the first turn"},
		{message(`{"role":"assistant"}`), "messages[0].content", "", "Invalid value for 'content': expected a string, got null."},
		{message(`{"role":"assistant","audio":{"id":"a"}}`), "messages[0].audio", "unsupported_parameter", "Unsupported parameter"},
		{message(`{"role":"assistant","function_call":{}}`), "messages[0].function_call", "unsupported_parameter", "Unsupported parameter"},
		{message(`{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"nope"}}]}`), "messages[0].tool_calls[0].function.arguments", "invalid_value", "Invalid value for"},
		{message(`{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{}}]}`), "messages[0].tool_calls[0].custom", "unknown_parameter", "Unknown parameter"},
		{message(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://a/b"}}]}`), "messages[0].content[0].type", "invalid_value", "Invalid value: 'image_url'. Supported values are: 'text'."},
		{message(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://a/b"}}]}`), "messages[0].content[0].image_url.url", "invalid_value", "Invalid value for"},
		{message(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/tiff;base64,AAAA"}}]}`), "messages[0].content[0].image_url.url", "invalid_value", "Invalid value: 'image/tiff'."},
		{message(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,A!"}}]}`), "messages[0].content[0].image_url.url", "invalid_value", "Invalid value for"},
		{message(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b","detail":"low"}}]}`), "messages[0].content[0].image_url.detail", "unsupported_value", "Unsupported value"},
		{message(`{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}`), "messages[0].content[0].file.file_id", "unsupported_parameter", "Unsupported parameter"},
		{message(`{"role":"user","content":[{"type":"file","file":{"file_data":"data:video/mp4;base64,AAAA"}}]}`), "messages[0].content[0].file.file_data", "invalid_value", "Invalid value for"},
		{message(`{"role":"user","content":[{"type":"input_audio","input_audio":{"format":"ogg","data":"AAAA"}}]}`), "messages[0].content[0].input_audio.format", "invalid_value", "Invalid value: 'ogg'."},
		{message(`{"role":"user","content":[{"type":"text"}]}`), "messages[0].content[0].text", "missing_required_parameter", "Missing required parameter"},
		{message(strings.Repeat(`{"role":"user","content":"x"},`, 10_000) + `{}`), "messages", "array_above_max_length", "Invalid 'messages': array too long."},
	} {
		conversation, err := openai.Dialect{}.DecodeRequest([]byte(c.body))
		e, _ := errors.AsType[*inference.Error](err)
		at, ok := errors.AsType[*openai.ParameterError](err)
		if conversation != nil || e == nil || !ok {
			t.Errorf("DecodeRequest(%.90s) = %v, %v, want a ParameterError", c.body, conversation, err)
			continue
		}
		if e.Kind != inference.Validation || at.Param != c.param || at.Code != c.code || !strings.HasPrefix(e.Message, c.message) {
			t.Errorf("DecodeRequest(%.90s) error = %s %q %q %q,\nwant Validation %q %q %q", c.body, e.Kind, at.Param, at.Code, e.Message, c.param, c.code, c.message)
		}
	}
}

// TestNeutral: members that ask for what there is anyway are taken.
func TestNeutral(t *testing.T) {
	body := `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}],
	"n":1,"logprobs":false,"top_logprobs":0,"frequency_penalty":0.0,"presence_penalty":0,"logit_bias":{},"parallel_tool_calls":true,
	"store":false,"modalities":["text"],"service_tier":"auto","verbosity":"medium","seed":null,"tools":null,"tool_choice":null,
	"response_format":{"type":"text"},"stop":null,"user":null,"metadata":null,"max_tokens":null}`
	want := &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{{Type: dialect.Text, Text: "hi"}}}}}
	got, err := openai.Dialect{}.DecodeRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DecodeRequest (-want +got):\n%s", diff)
	}
}

// TestMistral: one word of its form is another.
func TestMistral(t *testing.T) {
	c, err := openai.Dialect{AnyTool: true}.DecodeRequest([]byte(`{"messages":[{"role":"user","content":"hi"}],"tool_choice":"any"}`))
	if err != nil || c.ToolChoice == nil || c.ToolChoice.Mode != dialect.AnyTool {
		t.Errorf("DecodeRequest(the choice any) = %+v, %v, want some tool", c, err)
	}
}

func TestEncodeRequestRefuses(t *testing.T) {
	user := func(b dialect.Block) *dialect.Conversation {
		return &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{b}}}}
	}
	for want, c := range map[string]*dialect.Conversation{
		"guardrailConfig":                           {Guardrail: &dialect.Guardrail{Identifier: "g"}},
		"performanceConfig or serviceTier":          {Service: inference.Service{Latency: "optimized"}},
		"performanceConfig or serviceTier ":         {Service: inference.Service{Tier: "flex"}},
		"promptVariables":                           {Variables: map[string]string{"a": "b"}},
		"additionalModelResponseFieldPaths":         {Fields: []string{dialect.StopSequenceField, "/usage"}},
		"systemTool":                                {Tools: []dialect.Tool{{Name: "s", System: true}}},
		"guardContent":                              user(dialect.Block{Type: dialect.Guarded, Text: "g"}),
		"guardContent cannot":                       user(dialect.Block{Type: dialect.ToolResult, Content: []dialect.Block{{Type: dialect.Guarded}}}),
		"citations":                                 user(dialect.Block{Type: dialect.Document, Media: &dialect.Media{Format: "txt", Text: "t"}, Cited: true}),
		"a block of type searchResult":              user(dialect.Block{Type: dialect.Found, Name: "n"}),
		"the context of a document":                 user(dialect.Block{Type: dialect.Document, Media: &dialect.Media{Format: "txt", Text: "t", Context: "c"}}),
		"a budget of thinking tokens":               {Thinking: &dialect.Thinking{Mode: "enabled", Budget: new(1024)}},
		"the effort utmost":                         {Thinking: &dialect.Thinking{Effort: "utmost"}},
		"additional fields that are no JSO":         {Extra: json.RawMessage(`{"a":`)},
		"additional fields that are no JSON object": {Extra: json.RawMessage(`[]`)},
		"the additional field stream":               {Extra: json.RawMessage(`{"stream":true}`)},
		"the additional field messages":             {Extra: json.RawMessage(`{"messages":[]}`)},
		"a block of type video":                     user(dialect.Block{Type: dialect.Video, Media: &dialect.Media{Format: "mp4", Data: "AAAA"}}),
		"an image that is not":                      user(dialect.Block{Type: dialect.Image, Media: &dialect.Media{Format: "png", URI: "s3://b/k"}}),
		"a document that is not":                    user(dialect.Block{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", URI: "s3://b/k"}}),
		"audio of format ogg":                       user(dialect.Block{Type: dialect.Audio, Media: &dialect.Media{Format: "ogg", Data: "AAAA"}}),
		"the image of a tool result":                user(dialect.Block{Type: dialect.ToolResult, ID: "c", Content: []dialect.Block{{Type: dialect.Image}}}),
		"the redactedContent of an":                 {Messages: []dialect.Message{{Role: dialect.Assistant, Content: []dialect.Block{{Type: dialect.Redacted}}}}},
		"a block of type redactedContent":           user(dialect.Block{Type: dialect.Redacted}),
		"a schema or an input that is no J":         {Tools: []dialect.Tool{{Name: "f", Schema: json.RawMessage(`{`)}}},
	} {
		body, err := openai.Dialect{}.EncodeRequest(c)
		e, ok := errors.AsType[*inference.Error](err)
		if body != nil || !ok || e.Kind != inference.Validation || !strings.HasPrefix(e.Message, "encode chat completion: "+want) {
			t.Errorf("EncodeRequest = %s, %v, want a Validation that names %s", body, err, want)
		}
	}
}

// TestEncodeRequestBeyond: what chat completions have no member for and the
// package comment says how it is carried.
func TestEncodeRequestBeyond(t *testing.T) {
	c := &dialect.Conversation{
		System: []dialect.Block{{Type: dialect.Text, Text: "s"}, {Type: dialect.CachePoint}},
		Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{
			{Type: dialect.ToolResult, ID: "c", IsError: true, Content: []dialect.Block{{Type: dialect.JSON, Input: json.RawMessage(`{"a":1}`)}}},
			{Type: dialect.Text, Text: "t"},
			{Type: dialect.Document, Media: &dialect.Media{Format: "txt", Name: "n.txt", Text: "hi"}},
		}}},
		Service:  inference.Service{Latency: "standard", Tier: "default"}, // as it is anyway
		Fields:   []string{dialect.StopSequenceField},                     // which the answer does not have
		Output:   &dialect.OutputFormat{Schema: json.RawMessage(`{}`), Name: "o", Description: "d"},
		Thinking: &dialect.Thinking{Mode: "adaptive"},
		Extra:    json.RawMessage(`{"seed": 7, "reasoning_effort":"low"}`),
	}
	const want = `{"messages":[{"role":"system","content":"s"},` +
		`{"role":"tool","content":[{"type":"text","text":"Error:"},{"type":"text","text":"{\"a\":1}"}],"tool_call_id":"c"},` +
		`{"role":"user","content":[{"type":"text","text":"t"},{"type":"file","file":{"file_data":"data:text/plain;base64,aGk=","filename":"n.txt"}}]}],` +
		`"response_format":{"type":"json_schema","json_schema":{"name":"o","description":"d","schema":{}}},` +
		`"seed": 7,"reasoning_effort":"low"}`
	got, err := openai.Dialect{}.EncodeRequest(c)
	if err != nil || string(got) != want {
		t.Errorf("EncodeRequest = %s, %v,\nwant %s", got, err, want)
	}
}
