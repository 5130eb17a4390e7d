package nova

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

func TestDecodeRequest(t *testing.T) {
	const body = `{"schemaVersion":"messages-v1",
 "system":[{"text":"be brief"},{"cachePoint":{"type":"default"}}],
 "messages":[
  {"role":"user","content":[{"image":{"format":"png","source":{"bytes":"AAAA"}}},
   {"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://b/k","bucketOwner":"1"}}}},
   {"document":{"format":"pdf","name":"d","source":{"bytes":"BBBB"}}},{"audio":{"format":"wav","source":{"bytes":"CCCC"}}},{"text":"look"}]},
  {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}]},
  {"role":"user","content":[{"toolResult":{"toolUseId":"t1","status":"error","content":[{"text":"no"},{"json":{"b":1}}]}}]}],
 "inferenceConfig":{"maxTokens":7,"temperature":0.5,"topP":0.9,"topK":5,"stopSequences":["x"],"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}},
 "toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}}}`
	want := &dialect.Conversation{
		System: []dialect.Block{{Type: dialect.Text, Text: "be brief"}, {Type: dialect.CachePoint}},
		Messages: []dialect.Message{
			{Role: dialect.User, Content: []dialect.Block{
				{Type: dialect.Image, Media: &dialect.Media{Format: "png", Data: "AAAA"}},
				{Type: dialect.Video, Media: &dialect.Media{Format: "mp4", URI: "s3://b/k", Owner: "1"}},
				{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", Name: "d", Data: "BBBB"}},
				{Type: dialect.Audio, Media: &dialect.Media{Format: "wav", Data: "CCCC"}},
				{Type: dialect.Text, Text: "look"},
			}},
			{Role: dialect.Assistant, Content: []dialect.Block{
				{Type: dialect.Reasoning, Text: "hm", Signature: "s"},
				{Type: dialect.ToolUse, ID: "t1", Name: "f", Input: json.RawMessage(`{"a":1}`)},
			}},
			{Role: dialect.User, Content: []dialect.Block{{Type: dialect.ToolResult, ID: "t1", IsError: true, Content: []dialect.Block{
				{Type: dialect.Text, Text: "no"}, {Type: dialect.JSON, Input: json.RawMessage(`{"b":1}`)},
			}}}},
		},
		Tools:      []dialect.Tool{{Name: "f", Description: "d", Schema: json.RawMessage(`{"type":"object"}`)}},
		ToolChoice: &dialect.ToolChoice{Mode: dialect.AnyTool},
		MaxTokens:  ptr(7), Temperature: ptr(0.5), TopP: ptr(0.9), TopK: ptr(5), StopSequences: []string{"x"},
		Thinking: &dialect.Thinking{Mode: "enabled", Effort: "low"},
	}
	got, err := Dialect{}.DecodeRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DecodeRequest (-want +got):\n%s", diff)
	}
}

func TestDecodeSmallThings(t *testing.T) {
	for body, want := range map[string]*dialect.Conversation{
		`"inferenceConfig":{"max_new_tokens":3}}`:                       {MaxTokens: ptr(3)},
		`"toolConfig":{"tools":[],"toolChoice":{"auto":{}}}}`:           {ToolChoice: &dialect.ToolChoice{Mode: dialect.AutoTool}},
		`"toolConfig":{"tools":[],"toolChoice":{"tool":{"name":"f"}}}}`: {ToolChoice: &dialect.ToolChoice{Mode: dialect.OneTool, Name: "f"}},
	} {
		got, err := Dialect{}.DecodeRequest([]byte(`{"messages":[{"role":"user","content":[{"text":"hi"}]}],` + body))
		want.Messages = []dialect.Message{{Role: dialect.User, Content: []dialect.Block{{Type: dialect.Text, Text: "hi"}}}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("DecodeRequest(%s) error %v (-want +got):\n%s", body, err, diff)
		}
	}
}

func user(block string) string { return `{"messages":[{"role":"user","content":[` + block + `]}]}` }

func TestDecodeRequestRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                                   "#: required key [messages] not found",
		`{"messages":[],"max_tokens":1}`:       "#: extraneous key [max_tokens] is not permitted",
		`{"messages":[{"role":"system"}]}`:     "#/messages/0/role: not a valid enum value",
		`{"messages":{}}`:                      "#/messages: expected type: Array, found: Object",
		`{"schemaVersion":"v2","messages":[]}`: "#/schemaVersion: not a valid enum value",
		user(`{}`):                             "#/messages/0/content/0: exactly one kind of content is wanted",
		user(`{"text":"a","json":1}`):          "#/messages/0/content/0: exactly one kind of content is wanted",
		user(`{"toolUse":{"name":"f"}}`):       "#/messages/0/content/0/toolUse: required key [input] not found",
		user(`{"reasoningContent":{}}`):        "#/messages/0/content/0/reasoningContent: required key [reasoningText] not found",
		user(`{"image":{"source":{}}}`):        "#/messages/0/content/0/image: required key [format] not found",
		user(`{"image":{"format":"png"}}`):     "#/messages/0/content/0/image/source: exactly one of [bytes, s3Location] is wanted",
		user(`{"image":{"format":"png","source":{"bytes":"AA-_"}}}`): "#/messages/0/content/0/image/source/bytes: not base64",
		`{"messages":[]}`:                       "#/messages: expected minimum item count: 1, found: 0",
		user(`{"toolResult":{"content":[{}]}}`): "#/messages/0/content/0/toolResult/content/0: exactly one kind of content is wanted",
		user(`{"json":{}}`):                     "#/messages/0/content/0: json belongs into a tool result",
		user(`{"toolResult":{"content":[{"text":""},{"toolUse":{"input":1}}]}}`): "#/messages/0/content/0/toolResult/content/1: does not belong into a tool result",
		user(`{"toolResult":{"status":"late"}}`):                                 "#/messages/0/content/0/toolResult/status: not a valid enum value",
		`{"messages":[],"system":[{}]}`:                                          "#/system/0: exactly one kind of content is wanted",
		`{"messages":[],"toolConfig":{"tools":[{}]}}`:                            "#/toolConfig/tools: required key [toolSpec] not found",
		`{"messages":[],"toolConfig":{"tools":[{"toolSpec":{"name":"f"}}]}}`:     "#/toolConfig/tools/toolSpec/inputSchema: required key [json] not found",
	} {
		want = "Malformed input request: " + want + ", please reformat your input and try again."
		c, err := Dialect{}.DecodeRequest([]byte(body))
		if e, ok := errors.AsType[*inference.Error](err); !ok || c != nil || e.Kind != inference.Validation || e.Message != want {
			t.Errorf("DecodeRequest(%s) = %v, %v, want %s", body, c, err, want)
		}
	}
}

var answer = &dialect.Answer{
	Content: []dialect.Block{
		{Type: dialect.Reasoning, Text: "hm", Signature: "s"},
		{Type: dialect.Text, Text: "Hi"},
		{Type: dialect.ToolUse, ID: "t1", Name: "f", Input: json.RawMessage(`{"a":1}`)},
	},
	Stop:  dialect.Stop{Reason: dialect.StopToolUse},
	Usage: inference.Usage{InputTokens: 12, OutputTokens: 5, CacheReadTokens: 3},
}

func TestEncodeAnswer(t *testing.T) {
	want := `{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"text":"Hi"},` +
		`{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}]}},"stopReason":"tool_use",` +
		`"usage":{"inputTokens":12,"outputTokens":5,"totalTokens":20,"cacheReadInputTokenCount":3,"cacheWriteInputTokenCount":0}}`
	if got, err := (Dialect{}).EncodeAnswer(answer); err != nil || string(got) != want {
		t.Errorf("EncodeAnswer() = %s, %v, want %s", got, err, want)
	}
	redacted := &dialect.Answer{Content: []dialect.Block{{Type: dialect.Redacted}}}
	if got, err := (Dialect{}).EncodeAnswer(redacted); err == nil {
		t.Errorf("EncodeAnswer(redacted) = %s, want an error", got)
	}
}

func TestEncoder(t *testing.T) {
	encoder := Dialect{}.NewEncoder(dialect.Head{})
	var got []string
	for _, p := range answer.Pieces() {
		payloads, err := encoder.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, payload := range payloads {
			got = append(got, string(payload.JSON))
		}
	}
	want := []string{
		`{"messageStart":{"role":"assistant"}}`,
		`{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}}`,
		`{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s"}}}}`,
		`{"contentBlockStop":{"contentBlockIndex":0}}`,
		`{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"text":"Hi"}}}`,
		`{"contentBlockStop":{"contentBlockIndex":1}}`,
		`{"contentBlockStart":{"contentBlockIndex":2,"start":{"toolUse":{"name":"f","toolUseId":"t1"}}}}`,
		`{"contentBlockDelta":{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\":1}"}}}}`,
		`{"contentBlockStop":{"contentBlockIndex":2}}`,
		`{"messageStop":{"stopReason":"tool_use"}}`,
		`{"metadata":{"metrics":{},"trace":{},"usage":{"inputTokens":12,"outputTokens":5,"totalTokens":20,"cacheReadInputTokenCount":3,"cacheWriteInputTokenCount":0}}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	encoder = Dialect{}.NewEncoder(dialect.Head{})
	_, _ = encoder.Encode(dialect.Piece{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Redacted}})
	if got, err := encoder.Encode(dialect.Piece{Kind: dialect.Delta, Text: "x"}); err == nil {
		t.Errorf("Encode(redacted) = %v, want an error", got)
	}
}

// FuzzDecodeRequest: an error is a Validation and means no conversation; in what
// decodes every block has what its type says.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(user(`{"text":"hi"}`)))
	f.Add([]byte(user(`{"image":{"format":"png","source":{"bytes":"AA"}}},{"toolUse":{"input":{}}}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := Dialect{}.DecodeRequest(body)
		if err != nil {
			if e, ok := errors.AsType[*inference.Error](err); !ok || c != nil || !strings.HasPrefix(e.Message, "Malformed input request") {
				t.Fatalf("DecodeRequest(%q) = %v, %v, want a Validation and nothing else", body, c, err)
			}
			return
		}
		for _, m := range c.Messages {
			for _, b := range m.Content {
				if b.Media == nil && (b.Type == dialect.Image || b.Type == dialect.Document) || b.Type == dialect.ToolUse && !json.Valid(b.Input) {
					t.Errorf("DecodeRequest(%q) has the block %+v", body, b)
				}
			}
		}
	})
}
