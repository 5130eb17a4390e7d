package compat

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairway/internal/server"
)

// What a call of another dialect comes to, by the model that is called.
const (
	native  state = "for the dialect's own models"
	refused state = "refused with a 400"
)

// asking is a request of a dialect: what it asks for, and its members beside the
// model and whatever else of base it does not give itself.
type asking struct{ name, members string }

// foreign is a dialect that is not Bedrock's.
type foreign struct {
	group, path string
	base        map[string]string // members of every request
	own, other  string            // a model whose InvokeModel body is the dialect's, and one that is called through Converse
	askings     []asking
}

const (
	pixel     = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	parameter = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`
)

var dialects = []foreign{
	{
		group: "Anthropic: `POST /v1/messages`", path: "/v1/messages",
		base: map[string]string{"max_tokens": `100`, "messages": `[{"role":"user","content":"Hi"}]`},
		own:  "us.anthropic.claude-sonnet-4-20250514-v1:0", other: "amazon.nova-lite-v1:0",
		askings: []asking{
			{"stream", `"stream":true`},
			{"system", `"system":"Be brief."`},
			{"system blocks", `"system":[{"type":"text","text":"Be brief."}]`},
			{"temperature, stop_sequences", `"temperature":0.5,"stop_sequences":["END"]`},
			{"top_k", `"top_k":10`},
			{"tools, tool_choice", `"tools":[{"name":"weather","description":"The weather.","input_schema":` + parameter + `}],"tool_choice":{"type":"any"}`},
			{"tool_use, tool_result", `"tools":[{"name":"weather","input_schema":` + parameter + `}],"messages":[{"role":"user","content":"Hi"},
				{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Oslo"}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"Rain."}]}]`},
			{"image, base64", `"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pixel + `"}}]}]`},
			{"image, url", `"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]}]`},
			{"document, text", `"messages":[{"role":"user","content":[{"type":"document","title":"A","source":{"type":"text","media_type":"text/plain","data":"Hello"}},{"type":"text","text":"Hi"}]}]`},
			{"cache_control", `"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}]`},
			{"thinking", `"max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024}`},
			{"metadata", `"metadata":{"user_id":"u"}`},
			{"anthropic_beta", `"anthropic_beta":["interleaved-thinking-2025-05-14"]`},
			{"service_tier", `"service_tier":"auto"`},
			{"mcp_servers", `"mcp_servers":[{"type":"url","url":"https://example.com","name":"m"}]`},
		},
	},
	{
		group: "OpenAI: `POST /v1/chat/completions`", path: "/v1/chat/completions",
		base: map[string]string{"messages": `[{"role":"user","content":"Hi"}]`},
		own:  "openai.gpt-oss-20b-1:0", other: "us.anthropic.claude-sonnet-4-20250514-v1:0",
		askings: []asking{
			{"stream", `"stream":true`},
			{"stream_options.include_usage", `"stream":true,"stream_options":{"include_usage":true}`},
			{"system and developer messages", `"messages":[{"role":"system","content":"Be brief."},{"role":"developer","content":"Be kind."},{"role":"user","content":"Hi"}]`},
			{"temperature, stop, max_completion_tokens", `"temperature":0.5,"stop":["END"],"max_completion_tokens":50`},
			{"max_tokens", `"max_tokens":50`},
			{"tools, tool_choice", `"tools":[{"type":"function","function":{"name":"weather","parameters":` + parameter + `}}],"tool_choice":"required"`},
			{"tool_calls, tool messages", `"tools":[{"type":"function","function":{"name":"weather","parameters":` + parameter + `}}],"messages":[{"role":"user","content":"Hi"},
				{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}}]},
				{"role":"tool","tool_call_id":"call_1","content":"Rain."}]`},
			{"response_format json_schema", `"response_format":{"type":"json_schema","json_schema":{"name":"w","schema":` + parameter + `}}`},
			{"response_format json_object", `"response_format":{"type":"json_object"}`},
			{"image_url, data", `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + pixel + `"}}]}]`},
			{"image_url, https", `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]`},
			{"reasoning_effort", `"reasoning_effort":"low"`},
			{"seed", `"seed":7`},
			{"n", `"n":2`},
			{"logprobs", `"logprobs":true`},
			{"frequency_penalty", `"frequency_penalty":1`},
			{"logit_bias", `"logit_bias":{"1":1}`},
			{"user, metadata", `"user":"u","metadata":{"a":"b"}`},
		},
	},
}

// dialectFeatures asks simulated regions for each thing in each dialect.
func dialectFeatures(t *testing.T) []feature {
	t.Helper()
	s := newServer(t)
	var features []feature
	for _, d := range dialects {
		for _, a := range d.askings {
			own, other := d.ask(t, s, d.own, a), d.ask(t, s, d.other, a)
			f := feature{d.group, a.name, refused}
			switch {
			case own && other:
				f.state = works
			case own:
				f.state = native
			case other:
				t.Errorf("%s: %s is answered by %s, not by %s", d.group, a.name, d.other, d.own)
			}
			features = append(features, f)
		}
	}
	return features
}

// ask reports whether a request is answered; otherwise it is refused as one that
// cannot be.
func (d foreign) ask(t *testing.T, s *server.Server, model string, a asking) bool {
	t.Helper()
	body := `{"model":"` + model + `",` + a.members
	for member, value := range d.base {
		if !strings.Contains(a.members, `"`+member+`":`) {
			body += `,"` + member + `":` + value
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:20002"+d.path, strings.NewReader(body+"}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.Outputs().BearerKey)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
		t.Errorf("%s: %s of %s = %d %s, want 200 or 400", d.group, a.name, model, w.Code, w.Body)
	}
	return w.Code == http.StatusOK
}
