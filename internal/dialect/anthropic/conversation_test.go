package anthropic

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// What cannot be carried is refused by its path, and nothing is left out in
// silence. The texts that facts give are Anthropic's own.
func TestDecodeRequestRefuses(t *testing.T) {
	message := func(content string) string {
		return `{"max_tokens":1,"messages":[{"role":"user","content":[` + content + `]}]}`
	}
	with := func(member string) string {
		return `{"max_tokens":1,"messages":[{"role":"user","content":"hi"}],` + member + `}`
	}
	for body, want := range map[string]string{
		`{`:                                 "The request body is not valid JSON",
		`[]`:                                "Input should be a valid dictionary",
		`{"max_tokens":"7"}`:                "max_tokens: Input should be a valid integer",
		`{"messages":[]}`:                   "max_tokens: Field required",
		`{"max_tokens":1}`:                  "messages: Field required",
		`{"max_tokens":1,"messages":[]}`:    "messages: at least one message is required",
		with(`"container":"x"`):             "container: Extra inputs are not permitted",
		with(`"anthropic_beta":["x"]`):      "anthropic_beta: " + notCarried,
		with(`"context_management":{}`):     "context_management: " + notCarried,
		with(`"metadata":{"team":"a"}`):     "metadata.team: Extra inputs are not permitted",
		with(`"system":[{"type":"image"}]`): "system.0.type: Input should be 'text'",
		with(`"tools":[{"type":"bash_20250124","name":"bash"}]`):                                           "tools.0.type: " + notCarried,
		with(`"tools":[{"name":"f","input_schema":{},"defer_loading":true}]`):                              "tools.0.defer_loading: " + notCarried,
		with(`"tools":[{"input_schema":{}}]`):                                                              "tools.0.name: Field required",
		with(`"tools":[{"name":"f"}]`):                                                                     "tools.0.input_schema: Field required",
		with(`"tools":[{"name":"f","input_schema":{},"cache_control":{"type":"x"}}]`):                      "tools.0.cache_control.type: Input should be 'ephemeral'",
		with(`"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`):                             "tool_choice.disable_parallel_tool_use: " + notCarried,
		with(`"tool_choice":{"type":"tool"}`):                                                              "tool_choice.name: Field required",
		with(`"tool_choice":{"type":"maybe"}`):                                                             "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'",
		with(`"tool_choice":{"type":"auto","x":1}`):                                                        "tool_choice.x: Extra inputs are not permitted",
		with(`"thinking":{"type":"on"}`):                                                                   "thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'",
		with(`"thinking":{"type":"adaptive","display":"omitted"}`):                                         "thinking.display: " + notCarried,
		with(`"output_config":{"x":1}`):                                                                    "output_config.x: Extra inputs are not permitted",
		with(`"output_config":{"format":{"type":"grammar"}}`):                                              "output_config.format.type: Input should be 'json_schema'",
		with(`"output_config":{"format":{"type":"json_schema"}}`):                                          "output_config.format.schema: Field required",
		with(`"output_config":{"format":{"type":"json_schema","schema":{},"x":1}}`):                        "output_config.format.x: Extra inputs are not permitted",
		`{"max_tokens":1,"messages":[{"role":"system","content":"x"}]}`:                                    "messages.0.role: Input should be 'user' or 'assistant'",
		`{"max_tokens":1,"messages":[{"role":"user"}]}`:                                                    "messages.0.content: Field required",
		`{"max_tokens":1,"messages":[{"role":"user","content":"x","name":"n"}]}`:                           "messages.0.name: Extra inputs are not permitted",
		message(`{"text":"x"}`):                                                                            "messages.0.content.0.type: Field required",
		message(`{"type":"server_tool_use"}`):                                                              "messages.0.content.0.type: " + notCarried,
		message(`{"type":"text","text":"a","citations":[{"type":"char_location"}]}`):                       "messages.0.content.0.citations: " + notCarried,
		message(`{"type":"document","citations":{"enabled":true}}`):                                        "messages.0.content.0.citations: " + notCarried,
		message(`{"type":"document","context":"c"}`):                                                       "messages.0.content.0.context: " + notCarried,
		message(`{"type":"image"}`):                                                                        "messages.0.content.0.source: Field required",
		message(`{"type":"image","source":{"type":"file","file_id":"f"}}`):                                 "messages.0.content.0.source.file_id: " + notCarried,
		message(`{"type":"image","source":{"type":"base64","media_type":"image/tiff","data":""}}`):         "messages.0.content.0.source.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
		message(`{"type":"document","source":{"type":"base64","media_type":"text/csv","data":""}}`):        "messages.0.content.0.source.media_type: Input should be 'application/pdf'",
		message(`{"type":"document","source":{"type":"text","media_type":"text/html","data":""}}`):         "messages.0.content.0.source.media_type: Input should be 'text/plain'",
		message(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA-_"}}`):      "messages.0.content.0.source.base64: invalid base64 data",
		message(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":""}}`): "messages.0.content.0.source.base64: invalid base64 data",
		message(`{"type":"image","source":{"type":"text"}}`):                                               "messages.0.content.0.source.type: " + notCarried,
		message(`{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"2h"}}`):              "messages.0.content.0.cache_control.ttl: Input should be '5m' or '1h'",
		message(`{"type":"tool_result","content":[{"type":"search_result"}]}`):                             "messages.0.content.0.content.0.type: " + notCarried,
		message(`{"type":"tool_result","content":[{"type":"text","cache_control":{"type":"ephemeral"}}]}`): "messages.0.content.0.content.0.cache_control: put it on the tool_result itself",
	} {
		got, err := Dialect{}.DecodeRequest([]byte(body))
		e, ok := errors.AsType[*inference.Error](err)
		if got != nil || !ok || e.Kind != inference.Validation || !strings.HasPrefix(e.Message, want) {
			t.Errorf("DecodeRequest(%s) = %v, %v, want a Validation %q", body, got, err, want)
		}
	}
}

// What says nothing is no reason to refuse: members that are null, citations
// that are off, flags that are none.
func TestDecodeRequestTolerates(t *testing.T) {
	body := `{"model":"m","stream":true,"anthropic_version":"bedrock-2023-05-31","anthropic_beta":[],"max_tokens":1,"tools":[],
		"tool_choice":{"type":"auto","disable_parallel_tool_use":false},
		"messages":[{"role":"user","content":[{"type":"text","text":"a","citations":null,"cache_control":null},
			{"type":"text","text":"b","citations":[ ]},
			{"type":"document","citations":{"enabled":false},"context":null,"source":{"type":"url","url":"https://example.com/a.pdf"}}]}]}`
	one := 1
	want := &dialect.Conversation{
		MaxTokens: &one, ToolChoice: &dialect.ToolChoice{Mode: dialect.AutoTool},
		Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{
			{Type: dialect.Text, Text: "a"}, {Type: dialect.Text, Text: "b"},
			{Type: dialect.Document, Media: &dialect.Media{Format: "pdf", URI: "https://example.com/a.pdf"}},
		}}},
	}
	got, err := Dialect{}.DecodeRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("DecodeRequest (-want +got):\n%s", diff)
	}
}

func TestEncodeRequest(t *testing.T) {
	budget := 2000
	got, err := Dialect{}.EncodeRequest(&dialect.Conversation{
		Messages: []dialect.Message{{Role: dialect.User, Content: []dialect.Block{
			{Type: dialect.Document, Media: &dialect.Media{Format: "csv", Data: "YSxi", Name: "n", Context: "c"}},
			{Type: dialect.Found, Name: "f", Source: "https://example.com", Content: []dialect.Block{{Type: dialect.Text, Text: "x"}}},
			{Type: dialect.ToolResult, ID: "t", Content: []dialect.Block{{Type: dialect.JSON, Input: json.RawMessage(`{"a":1}`)}}},
		}}},
		Thinking: &dialect.Thinking{Mode: "enabled", Budget: &budget, Effort: "high"},
		Output:   &dialect.OutputFormat{Schema: json.RawMessage(`{"type":"object"}`), Name: "label"},
		Extra:    json.RawMessage(`{"anthropic_beta":["b"]}`),
	})
	want := `{"anthropic_beta":["b"],"max_tokens":6096,"messages":[{"content":[` +
		`{"context":"c","source":{"data":"a,b","media_type":"text/plain","type":"text"},"title":"n","type":"document"},` +
		`{"content":[{"text":"x","type":"text"}],"source":"https://example.com","title":"f","type":"search_result"},` +
		`{"content":[{"text":"{\"a\":1}","type":"text"}],"tool_use_id":"t","type":"tool_result"}],"role":"user"}],` +
		`"output_config":{"effort":"high","format":{"schema":{"type":"object"},"type":"json_schema"}},` +
		`"thinking":{"budget_tokens":2000,"type":"enabled"}}`
	if err != nil || string(got) != want {
		t.Errorf("EncodeRequest() = %s, %v, want %s", got, err, want)
	}
}

func TestEncodeRequestRefuses(t *testing.T) {
	say := func(b ...dialect.Block) *dialect.Conversation {
		return &dialect.Conversation{Messages: []dialect.Message{{Role: dialect.User, Content: b}}}
	}
	media := func(of dialect.BlockType, m dialect.Media) *dialect.Conversation {
		return say(dialect.Block{Type: of, Media: &m})
	}
	for want, c := range map[string]*dialect.Conversation{
		"guardrailConfig is":                            {Guardrail: &dialect.Guardrail{Identifier: "g"}},
		"serviceTier is":                                {Service: inference.Service{Tier: "priority"}},
		"has a description":                             {Output: &dialect.OutputFormat{Schema: json.RawMessage(`{}`), Description: "d"}},
		"citations is":                                  say(dialect.Block{Type: dialect.Found, Cited: true}),
		"the output format is":                          {Output: &dialect.OutputFormat{}},
		"the request metadata has a key":                {Metadata: map[string]string{"team": "a"}},
		"fields are no JSON object":                     {Extra: json.RawMessage(`[]`)},
		"field model has its place":                     {Extra: json.RawMessage(`{"model":"m"}`)},
		"field max_tokens is given twice":               {Extra: json.RawMessage(`{"max_tokens":1}`)},
		"messages.0.content.0 is a cache point without": say(dialect.Block{Type: dialect.CachePoint}),
		"messages.0.content.0 is a block":               say(dialect.Block{Type: dialect.Video}),
		"guardContent":                                  say(dialect.Block{Type: dialect.Guarded}),
		"messages.0.content.0 has no source":            say(dialect.Block{Type: dialect.Image}),
		"kept in S3":                                    media(dialect.Image, dialect.Media{Format: "png", URI: "s3://b/k"}),
		"has to be a PDF":                               media(dialect.Document, dialect.Media{Format: "docx", URI: "https://example.com/a.docx"}),
		"does not read: tiff":                           media(dialect.Image, dialect.Media{Format: "tiff", Data: "AAAA"}),
		"does not read: docx":                           media(dialect.Document, dialect.Media{Format: "docx", Data: "AAAA"}),
		"does not read: txt":                            media(dialect.Document, dialect.Media{Format: "txt", Data: "/w=="}),
	} {
		got, err := Dialect{}.EncodeRequest(c)
		e, ok := errors.AsType[*inference.Error](err)
		if got != nil || !ok || e.Kind != inference.Validation || !strings.Contains(e.Message, want) {
			t.Errorf("EncodeRequest = %s, %v, want a Validation with %q", got, err, want)
		}
	}
}

// FuzzDecodeRequest: an error is a Validation and means no conversation; what is
// read and can be written is read back the same.
func FuzzDecodeRequest(f *testing.F) {
	f.Add(`{"max_tokens":1,"messages":[{"role":"user","content":"hi"}],"system":"s","metadata":{"user_id":"u"}}`)
	f.Add(`{"max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"tool_use","id":"i","name":"n"}]}]}`)
	f.Add(`{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"i","content":"x","is_error":true,"cache_control":{"type":"ephemeral"}}]}]}`)
	f.Add(`{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"\ud800"}}]}],"output_config":{"effort":"low"}}`)
	f.Add(`{"max_tokens":`)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := Dialect{}.DecodeRequest([]byte(body))
		if err != nil {
			if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation || c != nil {
				t.Fatalf("DecodeRequest(%q) = %v, %v, want a Validation alone", body, c, err)
			}
			return
		}
		written, err := Dialect{}.EncodeRequest(c)
		if err != nil {
			return // an address that is none
		}
		again, err := Dialect{}.DecodeRequest(written)
		if err != nil {
			t.Fatalf("DecodeRequest(%s) error = %v, which was written for %q", written, err, body)
		}
		if diff := cmp.Diff(compacted(c), compacted(again)); diff != "" {
			t.Fatalf("DecodeRequest(%s) of %q (-want +got):\n%s", written, body, diff)
		}
	})
}

// compacted is the conversation as JSON, which makes raw members alike that differ
// in white space only.
func compacted(c *dialect.Conversation) string {
	text, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// FuzzOpen: without a change the body stays as it is; with one it is still JSON,
// the members that stay are as they were and the others gone.
func FuzzOpen(f *testing.F) {
	f.Add(` { "model" : "m" , "a":[{"model":1}],"stream":true } `, "model", "stream")
	f.Add(`{"mod\u0065l":"m","model":"n"}`, "model", "")
	f.Add(`{}`, "a", "b")
	f.Fuzz(func(t *testing.T, raw, one, two string) {
		body, err := Open([]byte(raw))
		if err != nil {
			if body != nil {
				t.Fatalf("Open(%q) = %v beside %v", raw, body, err)
			}
			return
		}
		if got := body.With(nil, ""); string(got) != raw {
			t.Fatalf("With(nothing) of %q = %q", raw, got)
		}
		var want, got map[string]json.RawMessage
		if err := json.Unmarshal([]byte(raw), &want); err != nil {
			t.Fatalf("Open(%q) took what encoding/json refuses: %v", raw, err)
		}
		delete(want, one)
		delete(want, two)
		want["added"] = json.RawMessage("1")
		edited := body.With([]string{one, two, "added"}, `"added":1`)
		if err := json.Unmarshal(edited, &got); err != nil {
			t.Fatalf("With of %q = %q: %v", raw, edited, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("With of %q = %q (-want +got):\n%s", raw, edited, diff)
		}
	})
}

func TestOpen(t *testing.T) {
	b, err := Open([]byte(`{"model":"a","stream":true,"model":"m","max_tokens":5,"anthropic_beta":["x"]}`))
	if err != nil || b.Model != "m" || !b.Stream || !b.MaxTokens || !cmp.Equal(b.Betas, []string{"x"}) {
		t.Errorf("Open = %+v, %v, want model m, stream, max_tokens and a beta flag", b, err)
	}
	many := "{" + strings.Repeat(`"a":1,`, maxMembers) + `"a":1}`
	for body, want := range map[string]string{
		"":                       "The request body is not valid JSON",
		"[]":                     "Input should be a valid dictionary",
		`{"model":1}`:            "model: Input should be a valid string",
		`{"stream":""}`:          "stream: Input should be a valid boolean",
		`{"anthropic_beta":[1]}`: "anthropic_beta.0: Input should be a valid string",
		many:                     "the body has too many members",
	} {
		if _, err := Open([]byte(body)); err == nil || !strings.HasPrefix(Refusal(err).Message, want) {
			t.Errorf("Open(%.40s) error = %v, want %q", body, err, want)
		}
	}
}
