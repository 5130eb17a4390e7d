package converse

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

func ptr[T any](v T) *T { return &v }

// full has every member that a Conversation holds.
const full = `{
 "system":[{"text":"be brief"},{"cachePoint":{"type":"default","ttl":"1h"}}],
 "messages":[
  {"role":"user","content":[{"text":"look"},
   {"image":{"format":"png","source":{"bytes":"AAAA"}}},
   {"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://b/k","bucketOwner":"123456789012"}}}},
   {"audio":{"format":"mp3","source":{"bytes":"BBBB"}}},
   {"document":{"format":"pdf","name":"d","source":{"bytes":"CCCC"},"citations":{"enabled":false}}},
   {"document":{"format":"txt","name":"t","source":{"text":"words"}}},
   {"document":{"format":"csv","name":"c","source":{"bytes":"EEEE"},"context":"of 2025","citations":{"enabled":true}}},
   {"searchResult":{"source":"https://example.com","title":"Example","content":[{"text":"found"}],"citations":{"enabled":true}}},
   {"guardContent":{"text":{"text":"watch this","qualifiers":["query"]}}},
   {"cachePoint":{"type":"default"}}]},
  {"role":"assistant","content":[
   {"reasoningContent":{"reasoningText":{"text":"hm","signature":"sig"}}},
   {"reasoningContent":{"redactedContent":"ZZZZ"}},
   {"toolUse":{"toolUseId":"tooluse_1","name":"f","input":{"a":[1]}}}]},
  {"role":"user","content":[
   {"toolResult":{"toolUseId":"tooluse_1","status":"error","content":[{"text":"no"},{"json":{"b":null}},
    {"image":{"format":"gif","source":{"bytes":"DDDD"}}}]}},
   {"toolResult":{"toolUseId":"tooluse_2","status":"success","content":[]}}]}],
 "inferenceConfig":{"maxTokens":7,"temperature":0.5,"topP":1,"stopSequences":["x"]},
 "toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}},"strict":true}},
   {"cachePoint":{"type":"default","ttl":"5m"}},{"toolSpec":{"name":"g","inputSchema":{"json":{}}}},{"systemTool":{"name":"s"}}],
  "toolChoice":{"tool":{"name":"f"}}},
 "guardrailConfig":{"guardrailIdentifier":"g1","guardrailVersion":"DRAFT","trace":"enabled","streamProcessingMode":"sync"},
 "additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024},"top_k":5,"other":{"x":1}},
 "requestMetadata":{"team":"x"},
 "performanceConfig":{"latency":"optimized"},
 "serviceTier":{"type":"flex"},
 "promptVariables":{"who":{"text":"me"}},
 "additionalModelResponseFieldPaths":["/stop_sequence","/other/0"],
 "outputConfig":{"effort":"low","textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"n","description":"d","schema":"{\"type\":\"object\"}"}}}}}`

func fullConversation() *dialect.Conversation {
	return &dialect.Conversation{
		System: []dialect.Block{{Type: dialect.Text, Text: "be brief"}, {Type: dialect.CachePoint, TTL: "1h"}},
		Messages: []dialect.Message{
			{Role: dialect.User, Content: []dialect.Block{
				{Type: dialect.Text, Text: "look"},
				{Type: dialect.Image, Media: &dialect.Media{Format: "png", Data: "AAAA"}},
				{Type: dialect.Video, Media: &dialect.Media{Format: "mp4", URI: "s3://b/k", Owner: "123456789012"}},
				{Type: dialect.Audio, Media: &dialect.Media{Format: "mp3", Data: "BBBB"}},
				{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", Name: "d", Data: "CCCC"}},
				{Type: dialect.Document, Media: &dialect.Media{Format: "txt", Name: "t", Text: "words"}},
				{Type: dialect.Document, Media: &dialect.Media{Format: "csv", Name: "c", Data: "EEEE", Context: "of 2025"}, Cited: true},
				{Type: dialect.Found, Name: "Example", Source: "https://example.com", Cited: true, Content: []dialect.Block{{Type: dialect.Text, Text: "found"}}},
				{Type: dialect.Guarded, Text: "watch this", Qualifiers: []string{"query"}},
				{Type: dialect.CachePoint},
			}},
			{Role: dialect.Assistant, Content: []dialect.Block{
				{Type: dialect.Reasoning, Text: "hm", Signature: "sig"},
				{Type: dialect.Redacted, Text: "ZZZZ"},
				{Type: dialect.ToolUse, ID: "tooluse_1", Name: "f", Input: json.RawMessage(`{"a":[1]}`)},
			}},
			{Role: dialect.User, Content: []dialect.Block{
				{Type: dialect.ToolResult, ID: "tooluse_1", IsError: true, Content: []dialect.Block{
					{Type: dialect.Text, Text: "no"},
					{Type: dialect.JSON, Input: json.RawMessage(`{"b":null}`)},
					{Type: dialect.Image, Media: &dialect.Media{Format: "gif", Data: "DDDD"}},
				}},
				{Type: dialect.ToolResult, ID: "tooluse_2"},
			}},
		},
		Tools: []dialect.Tool{
			{Name: "f", Description: "d", Schema: json.RawMessage(`{"type":"object"}`), Strict: true, TTL: ptr("5m")},
			{Name: "g", Schema: json.RawMessage(`{}`)},
			{Name: "s", System: true},
		},
		ToolChoice: &dialect.ToolChoice{Mode: dialect.OneTool, Name: "f"},
		MaxTokens:  ptr(7), Temperature: ptr(0.5), TopP: ptr(1.0), TopK: ptr(5), StopSequences: []string{"x"},
		Thinking:  &dialect.Thinking{Mode: "enabled", Budget: ptr(1024), Effort: "low"},
		Output:    &dialect.OutputFormat{Schema: json.RawMessage(`{"type":"object"}`), Name: "n", Description: "d", Strict: true},
		Guardrail: &dialect.Guardrail{Identifier: "g1", Version: "DRAFT", Trace: "enabled"},
		Metadata:  map[string]string{"team": "x"},
		Service:   inference.Service{Latency: "optimized", Tier: "flex"},
		Variables: map[string]string{"who": "me"},
		Fields:    []string{"/stop_sequence", "/other/0"},
		Extra:     json.RawMessage(`{"other":{"x":1}}`),
	}
}

func TestDecodeRequest(t *testing.T) {
	got, err := Dialect{}.DecodeRequest([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullConversation(), got); diff != "" {
		t.Errorf("DecodeRequest (-want +got):\n%s", diff)
	}
}

func TestDecodeAdditionalFields(t *testing.T) {
	for fields, want := range map[string]dialect.Conversation{
		`null`:                             {},
		`{}`:                               {},
		`{"tool_choice":{"type":"none"}}`:  {ToolChoice: &dialect.ToolChoice{Mode: dialect.NoTool}},
		`{"tool_choice":{"type":"any"}}`:   {Extra: json.RawMessage(`{"tool_choice":{"type":"any"}}`)},
		`{"top_k":3}`:                      {TopK: ptr(3)},
		`{ "a" : 1 }`:                      {Extra: json.RawMessage(`{ "a" : 1 }`)},
		`{"top_k":"x"}`:                    {Extra: json.RawMessage(`{"top_k":"x"}`)},
		`{"thinking":{"type":"adaptive"}}`: {Thinking: &dialect.Thinking{Mode: "adaptive"}},
		`{"thinking":{"type":"enabled","display":1}}`: {Extra: json.RawMessage(`{"thinking":{"type":"enabled","display":1}}`)},
		`{"thinking":true,"top_k":1}`:                 {TopK: ptr(1), Extra: json.RawMessage(`{"thinking":true}`)},
	} {
		got, err := Dialect{}.DecodeRequest([]byte(`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"additionalModelRequestFields":` + fields + `}`))
		if err != nil {
			t.Errorf("additionalModelRequestFields %s: %v", fields, err)
			continue
		}
		want.Messages = got.Messages
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("additionalModelRequestFields %s (-want +got):\n%s", fields, diff)
		}
	}
}

// user is a body with one block of content.
func user(block string) string { return `{"messages":[{"role":"user","content":[` + block + `]}]}` }

func TestDecodeRequestRefuses(t *testing.T) {
	const leaveOut = ": cannot be carried to this model: leave it out"
	for body, want := range map[string]string{
		`{"additionalModelResponseFieldPaths":["/x","y"]}`:                       "additionalModelResponseFieldPaths.1: is no JSON pointer",
		user(`{"guardContent":{"text":{"text":"","qualifiers":["query","x"]}}}`): "messages.0.content.0.guardContent.text.qualifiers.1: is none of grounding_source, query, guard_content",
		`{"additionalModelRequestFields":[]}`:                                    "additionalModelRequestFields: is no object",
		`{"guardrailConfig":{"streamProcessingMode":"async"}}`:                   "guardrailConfig.streamProcessingMode" + leaveOut,
		`{"messages":[{"role":"system","content":[]}]}`:                          "messages.0.role: is none of user, assistant",
		user(`{}`):                                                                                         "messages.0.content.0: exactly one member is wanted",
		user(`{"text":"a","json":{}}`):                                                                     "messages.0.content.0: exactly one member is wanted",
		user(`{"citationsContent":{}}`):                                                                    "messages.0.content.0.citationsContent" + leaveOut,
		user(`{"toolAddition":{}}`):                                                                        "messages.0.content.0.toolAddition" + leaveOut,
		user(`{"toolRemoval":{}}`):                                                                         "messages.0.content.0.toolRemoval" + leaveOut,
		user(`{"json":{}}`):                                                                                "messages.0.content.0.json: belongs into a tool result",
		user(`{"guardContent":{"image":{}}}`):                                                              "messages.0.content.0.guardContent.image" + leaveOut,
		user(`{"guardContent":{}}`):                                                                        "messages.0.content.0.guardContent: exactly one member is wanted",
		user(`{"cachePoint":{}}`):                                                                          "messages.0.content.0.cachePoint.type: is none of default",
		user(`{"cachePoint":{"type":"default","ttl":"9h"}}`):                                               "messages.0.content.0.cachePoint.ttl: is none of 5m, 1h",
		user(`{"reasoningContent":{}}`):                                                                    "messages.0.content.0.reasoningContent: exactly one member is wanted",
		user(`{"toolUse":{"toolUseId":"t","name":"f"}}`):                                                   "messages.0.content.0.toolUse.input: is missing",
		user(`{"toolUse":{"type":"server_tool_use","input":{}}}`):                                          "messages.0.content.0.toolUse.type" + leaveOut,
		user(`{"toolResult":{"type":"x"}}`):                                                                "messages.0.content.0.toolResult.type" + leaveOut,
		user(`{"toolResult":{"status":"late"}}`):                                                           "messages.0.content.0.toolResult.status: is none of success, error",
		user(`{"toolResult":{"content":[{"text":""},{"toolUse":{"input":1}}]}}`):                           "messages.0.content.0.toolResult.content.1: does not belong into a tool result",
		user(`{"image":{"source":{"bytes":"A"}}}`):                                                         "messages.0.content.0.image.format: is missing",
		user(`{"image":{"format":"png"}}`):                                                                 "messages.0.content.0.image.source: is missing",
		user(`{"image":{"format":"png","source":{}}}`):                                                     "messages.0.content.0.image.source: exactly one member is wanted",
		user(`{"image":{"format":"png","source":{"text":"a"}}}`):                                           "messages.0.content.0.image.source: exactly one member is wanted",
		user(`{"image":{"format":"png","source":{"bytes":""}}}`):                                           "messages.0.content.0.image.source: is empty",
		user(`{"image":{"format":"png","source":{"bytes":"AA-_"}}}`):                                       "messages.0.content.0.image.source.bytes: is no base64",
		user(`{"video":{"format":"mp4","source":{"bytes":"AAA"}}}`):                                        "messages.0.content.0.video.source.bytes: is no base64",
		user(`{"image":{"format":"png","error":{}}}`):                                                      "messages.0.content.0.image.error" + leaveOut,
		user(`{"document":{"format":"pdf","source":{"bytes":"A"}}}`):                                       "messages.0.content.0.document.name: is missing",
		user(`{"document":{"name":"d","source":{"content":[]}}}`):                                          "messages.0.content.0.document.source.content" + leaveOut,
		`{"toolConfig":{"tools":[{}]}}`:                                                                    "toolConfig.tools.0: exactly one member is wanted",
		`{"toolConfig":{"tools":[{"cachePoint":{"type":"default"}}]}}`:                                     "toolConfig.tools.0.cachePoint: follows no tool",
		`{"toolConfig":{"tools":[{"toolSpec":{"name":"f"}}]}}`:                                             "toolConfig.tools.0.toolSpec.inputSchema.json: is missing",
		`{"toolConfig":{"tools":[{"systemTool":{"name":"x"}}],"toolChoice":{}}}`:                           "toolConfig.toolChoice: exactly one member is wanted",
		`{"outputConfig":{"textFormat":{"type":"xml"}}}`:                                                   "outputConfig.textFormat.type: is none of json_schema",
		`{"outputConfig":{"textFormat":{"type":"json_schema"}}}`:                                           "outputConfig.textFormat.structure.jsonSchema: is missing",
		`{"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{"}}}}}`: "outputConfig.textFormat.structure.jsonSchema.schema: is no JSON text",
	} {
		c, err := Dialect{}.DecodeRequest([]byte(body))
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || c != nil || e.Kind != inference.Validation || e.Message != "decode Converse request: "+want {
			t.Errorf("DecodeRequest(%s) = %v, %v, want %s", body, c, err, want)
		}
	}
	for body, want := range map[string]string{
		`{"performanceConfig":{"latency":"fast"}}`: "1 validation error detected: Value 'fast' at 'performanceConfig.latency' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [optimized, standard]",
		`{"serviceTier":{"type":"gold"}}`: "service tier provided is invalid",
		`{}`:                              UserFirst,
		`{"messages":[],"system":[{"text":"a"}]}`: UserFirst,
		`{"toolConfig":{"tools":[]}}`: "1 validation error detected: Value '[]' at 'toolConfig.tools' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1",
	} {
		_, err := Dialect{}.DecodeRequest([]byte(body))
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation || e.Message != want {
			t.Errorf("DecodeRequest(%s) error = %v, want %s", body, err, want)
		}
	}
	for _, body := range []string{`{"messages":[{"role":"user","content":"text"}]}`, `{"stream":true}`, `[]`, ``} {
		_, err := Dialect{}.DecodeRequest([]byte(body))
		if e, ok := errors.AsType[*inference.Error](err); !ok || !strings.HasPrefix(e.Message, "Malformed input request") {
			t.Errorf("DecodeRequest(%s) error = %v, want a malformed request", body, err)
		}
	}
}

func TestEncodeRequest(t *testing.T) {
	c := fullConversation()
	body, err := Dialect{}.EncodeRequest(c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Dialect{}.DecodeRequest(body)
	if err != nil {
		t.Fatalf("DecodeRequest(%s) error = %v", body, err)
	}
	if diff := cmp.Diff(c, got); diff != "" {
		t.Errorf("what was encoded decodes otherwise (-want +got):\n%s", diff)
	}
}

// TestEncodeFillsIn: what Converse wants and other dialects can do without.
func TestEncodeFillsIn(t *testing.T) {
	c := &dialect.Conversation{
		Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{
			{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", Data: "AAAA"}},
			{Type: dialect.ToolResult, Content: []dialect.Block{{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", Data: "BBBB"}}}},
		}}},
		Tools:  []dialect.Tool{{Name: "f"}},
		Output: &dialect.OutputFormat{},
	}
	want := `{"messages":[{"role":"user","content":[{"document":{"format":"pdf","name":"document-1","source":{"bytes":"AAAA"}}},` +
		`{"toolResult":{"toolUseId":"","content":[{"document":{"format":"pdf","name":"document-2","source":{"bytes":"BBBB"}}}]}}]}],` +
		`"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]},` +
		`"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}"}}}}}`
	if got, err := (Dialect{}).EncodeRequest(c); err != nil || string(got) != want {
		t.Errorf("EncodeRequest() = %s, %v, want %s", got, err, want)
	}
	if c.Messages[0].Content[0].Media.Name != "" {
		t.Error("EncodeRequest changed the conversation")
	}
}

func TestDocumentNames(t *testing.T) {
	for given, want := range map[string]string{
		"t.pdf":                   "t",
		"v1.2 (final) [a].pdf":    "v1-2 (final) [a]",
		" two  blanks\n":          "two blanks-",
		"naïve":                   "na-ve",
		"":                        "document-1",
		".pdf":                    "document-1",
		strings.Repeat("é", 300):  strings.Repeat("-", 200),
		"document-1":              "document-1",
		"text about t.pdf, again": "text about t-pdf- again",
	} {
		c := &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{
			{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", Name: given, Data: "AAAA"}},
		}}}}
		body, err := Dialect{}.EncodeRequest(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Dialect{}.DecodeRequest(body)
		if err != nil {
			t.Fatal(err)
		}
		if name := got.Messages[0].Content[0].Media.Name; name != want {
			t.Errorf("the document %q is named %q, want %q", given, name, want)
		}
	}
}

func TestEncodeRequestRefuses(t *testing.T) {
	content := func(b dialect.Block) *dialect.Conversation {
		return &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{b}}}}
	}
	for want, c := range map[string]*dialect.Conversation{
		"messages.0.content.0.image: Converse takes bytes and s3 locations: fetch it first": content(dialect.Block{
			Type: dialect.Image, Media: &dialect.Media{Format: "png", URI: "https://example.com/a.png"}}),
		"messages.0.content.0.audio: Converse takes bytes and s3 locations: fetch it first": content(dialect.Block{
			Type: dialect.Audio, Media: &dialect.Media{Format: "mp3", Text: "words"}}),
		"messages.0.content.0.smell: cannot be carried to this model: leave it out": content(dialect.Block{Type: "smell"}),
		"tool choice none: Converse has no such choice: leave the tools out": {
			Tools: []dialect.Tool{{Name: "f"}}, ToolChoice: &dialect.ToolChoice{Mode: dialect.NoTool}},
		"additionalModelRequestFields.thinking: is given twice": {
			Thinking: &dialect.Thinking{Mode: "enabled"}, Extra: json.RawMessage(`{"thinking":true}`)},
		"additionalModelRequestFields.top_k: is given twice": {TopK: ptr(1), Extra: json.RawMessage(`{"top_k":"1"}`)},
		"additionalModelRequestFields: is no object":         {Extra: json.RawMessage(`[]`)},
	} {
		body, err := Dialect{}.EncodeRequest(c)
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || body != nil || e.Kind != inference.Validation || e.Message != "encode Converse request: "+want {
			t.Errorf("EncodeRequest() = %s, %v, want %s", body, err, want)
		}
	}
}

// FuzzDecodeRequest: an error means no conversation; what decodes encodes, and then
// decodes the same.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(user(`{"text":"hi"}`)))
	f.Add([]byte(`{"additionalModelRequestFields":{"top_k":1,"thinking":{"type":"x"},"y":[1e400]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := Dialect{}.DecodeRequest(body)
		if err != nil {
			if e, ok := errors.AsType[*inference.Error](err); !ok || c != nil || e.Kind != inference.Validation {
				t.Fatalf("DecodeRequest(%q) = %v, %v, want a Validation and nothing else", body, c, err)
			}
			return
		}
		again, err := Dialect{}.EncodeRequest(c)
		if err != nil { // the one thing that decodes and does not encode: other schemes in URIs
			if !strings.Contains(err.Error(), "s3 locations") {
				t.Fatalf("EncodeRequest(DecodeRequest(%q)) error = %v", body, err)
			}
			return
		}
		second, err := Dialect{}.DecodeRequest(again)
		if err != nil {
			t.Fatalf("DecodeRequest(%q), encoded from %q, error = %v", again, body, err)
		}
		third, err := Dialect{}.EncodeRequest(second)
		if err != nil || string(third) != string(again) {
			t.Errorf("%q encodes as %q, then as %q, %v", body, again, third, err)
		}
	})
}
