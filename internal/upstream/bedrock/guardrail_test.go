package bedrock

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
	"fairway/internal/wire/sigv4"
)

// TestGuardrailOfTheTarget: what stands for the caller's guardrail there is named in
// its place, where the operation names it, and signed; the request stays as it is.
func TestGuardrailOfTheTarget(t *testing.T) {
	const converse = `{"messages":[{"role":"user","content":[{"text":"a <b> & c"}]}],"guardrailConfig":{"guardrailIdentifier":"g-1","guardrailVersion":"3","trace":"enabled"},"inferenceConfig":{"temperature":0.50}}`
	const there = `{"messages":[{"role":"user","content":[{"text":"a <b> & c"}]}],"guardrailConfig":{"guardrailIdentifier":"g-2","guardrailVersion":"3","trace":"enabled"},"inferenceConfig":{"temperature":0.50}}`
	f := newAWS(t)
	u := f.upstream(t, Config{})
	for _, test := range []struct {
		op         inference.Operation
		body, want string
		header     string // that arrives
	}{
		{inference.InvokeModel, upstreamtest.Body, upstreamtest.Body, "g-2"},
		{inference.InvokeModelWithResponseStream, upstreamtest.Body, upstreamtest.Body, "g-2"},
		{inference.Converse, converse, there, ""},
		{inference.ConverseStream, converse, there, ""},
	} {
		r := ask(test.op, test.body)
		r.Header = http.Header{guardrailHeader: {"g-1"}, "X-Amzn-Bedrock-Guardrailversion": {"3"}}
		r.PayloadHash = sigv4.HashPayload(r.Body)
		stream, err := u.Invoke(t.Context(), inference.Target{Region: singapore, Model: model, Guardrail: "g-2"}, r)
		if err != nil {
			t.Errorf("%s: Invoke() = %v", test.op, err)
			continue
		}
		stream.Close()
		sent, body := f.last()
		if diff := cmp.Diff(decoded(t, test.want), decoded(t, body)); diff != "" || sent.Header.Get(guardrailHeader) != test.header {
			t.Errorf("%s: sent with guardrail header %q, want %q (-want +got):\n%s", test.op, sent.Header.Get(guardrailHeader), test.header, diff)
		}
		if got := r.Header.Get(guardrailHeader); got != "g-1" || string(r.Body) != test.body {
			t.Errorf("%s: the request names %q now, %s, want it unchanged", test.op, got, r.Body)
		}
	}
}

func decoded(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// FuzzWithGuardrail: only the identifier changes, and an error means nothing.
func FuzzWithGuardrail(f *testing.F) {
	f.Add([]byte(`{"guardrailConfig":{"guardrailIdentifier":"g-1"},"a":[1,{"b":null}]}`))
	f.Add([]byte(`{"guardrailConfig":null}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := withGuardrail(body, "g-2")
		if err != nil {
			if out != nil || inference.AsError(err).Kind != inference.Validation {
				t.Errorf("withGuardrail(%q) = %q, %v, want nothing or no error", body, out, err)
			}
			return
		}
		var was, is map[string]any
		if json.Unmarshal(body, &was) != nil || json.Unmarshal(out, &is) != nil {
			t.Fatalf("withGuardrail(%q) = %q, want an object of an object", body, out)
		}
		was["guardrailConfig"].(map[string]any)["guardrailIdentifier"] = "g-2"
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("withGuardrail(%q) (-want +got):\n%s", body, diff)
		}
	})
}
