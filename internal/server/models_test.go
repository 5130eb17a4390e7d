package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// TestWrites: which models write text is told by their ids, as the catalog has it.
func TestWrites(t *testing.T) {
	s := instant(t, nil)
	for _, region := range []inference.Region{"us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"} {
		for _, m := range s.catalog.ListModels(region) {
			ranks := strings.Contains(string(m.ID), "rerank") // the service lists scores as text
			if want := !ranks && (len(m.Output) == 0 || slices.Contains(m.Output, "TEXT")); invocation.Writes(m.ID) != want {
				t.Errorf("Writes(%s) = %v, and its output is %v", m.ID, !want, m.Output)
			}
		}
	}
}

// asDeveloper asks a door other than Bedrock's.
func asDeveloper(s *Server, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.Outputs().BearerKey)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// TestModels: the list has what can be called and writes text, with when it came.
func TestModels(t *testing.T) {
	s := instant(t, nil)
	var list struct {
		Data []struct {
			ID      string
			Created int64
		}
	}
	w := asDeveloper(s, http.MethodGet, "/region/us-east-1/v1/models", "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != http.StatusOK {
		t.Fatalf("GET /v1/models = %d %s", w.Code, w.Body)
	}
	created := map[string]int64{}
	for _, m := range list.Data {
		created[m.ID] = m.Created
	}
	for _, id := range []string{"us.anthropic.claude-sonnet-4-20250514-v1:0", "amazon.nova-pro-v1:0"} {
		if created[id] < 1_700_000_000 {
			t.Errorf("%s was created at %d, want the time of its launch", id, created[id])
		}
	}
	for _, id := range []string{"amazon.titan-embed-text-v2:0", "anthropic.claude-sonnet-4-20250514-v1:0"} {
		if _, listed := created[id]; listed {
			t.Errorf("%s is listed, want it left out", id)
		}
	}
}

// TestDialectsOfErrors: a model that is none, and a path of the API that is not here,
// are told of in the form of the dialect.
func TestDialectsOfErrors(t *testing.T) {
	s := instant(t, nil)
	const messages = `"messages":[{"role":"user","content":"hi"}]}`
	for _, test := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/v1/messages", `{"model":"nope","max_tokens":1,` + messages, 404, `"type":"not_found_error"`},
		{"/v1/messages/batches", `{}`, 404, `"type":"not_found_error"`},
		{"/v1/chat/completions", `{"model":"nope",` + messages, 404, `"param":"model","code":"model_not_found"`},
		{"/v1/chat/completions", `{"model":"anthropic.claude-sonnet-4-20250514-v1:0",` + messages, 400, "on-demand throughput isn\u2019t supported"},
		{"/v1/chat/completions", `{"model":"amazon.titan-embed-text-v2:0",` + messages, 400, "supported text or chat model"},
		{"/v1/embeddings", `{}`, 404, `"code":"unknown_url"`},
		{"/v1/responses", `{}`, 404, `"code":"unknown_url"`},
		{"/model/nope/invoke", `{}`, 400, `{"message":"The provided model identifier is invalid."}`},
	} {
		w := asDeveloper(s, http.MethodPost, test.path, test.body)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("POST %s %s = %d %s, want %d with %s", test.path, test.body, w.Code, w.Body, test.status, test.want)
		}
	}
}
