package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"fairway/internal/front"
	"fairway/internal/inference"
)

func callOf(o operation, body []byte) *call {
	return &call{operation: o, header: http.Header{}, visit: &front.Visit{Body: body}}
}

// nesting is depth by encoding/json's own reading.
func nesting(text []byte) (deepest int) {
	now := 0
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := dec.Token()
		if err == io.EOF {
			return deepest
		}
		if err != nil {
			return -1
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			now++
			deepest = max(deepest, now)
		case json.Delim('}'), json.Delim(']'):
			now--
		}
	}
}

// FuzzDecodeObject: what the JSON operations let pass is one object, in UTF-8, no
// deeper than allowed; what they refuse is a Validation in the service's words.
func FuzzDecodeObject(f *testing.F) {
	for _, body := range []string{
		"", "null", "[]", "{}", "{}{}", `{"a":"\"[{"}`, `{"a":"\\"}`, `{"guardrailConfig":7}`, "{\"a\":\"\xff\"}",
		`{"input":{"converse":{}}}`, `{"input":{"invokeModel":{"body":"e30="}}}`, `{"a":` + strings.Repeat("[", 127) + strings.Repeat("]", 127) + "}",
		strings.Repeat("[", 20000), "\ufeff{}", " {} ",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, o := range []operation{converse, converseStream, countTokens} {
			header, err := o.check(callOf(o, body))
			if err != nil {
				e, ok := errors.AsType[*inference.Error](err)
				if !ok || e.Kind != inference.Validation || header != nil || !utf8.ValidString(e.Message) || len(e.Message) > 400 {
					t.Errorf("%s of %q = %v, %v, want nothing but a short Validation", o.name, body, header, err)
				}
				continue
			}
			var object map[string]json.RawMessage
			if err := json.Unmarshal(body, &object); err != nil || object == nil || !utf8.Valid(body) || nesting(body) > maxDepth {
				t.Errorf("%s of %q passed: %v", o.name, body, err)
			}
		}
		if want := nesting(body); json.Valid(body) && depth(body) != want {
			t.Errorf("depth(%q) = %d, want %d", body, depth(body), want)
		}
	})
}

// FuzzGuardrail: a guardrail is seen whatever stands beside it, and none becomes
// a header that cannot be one.
func FuzzGuardrail(f *testing.F) {
	f.Add("g1", []byte(`[{"text":"}"}]`))
	f.Add("g1\r\nX: y", []byte("1"))
	f.Add("arn:aws:bedrock:us-east-1:123456789012:guardrail/g1", []byte(`"\""`))
	f.Fuzz(func(t *testing.T, id string, beside []byte) {
		if !json.Valid(beside) || !utf8.Valid(beside) || !utf8.ValidString(id) || depth(beside) >= maxDepth {
			return
		}
		quoted, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		body := `{"messages":` + string(beside) + `,"guardrailConfig":{"trace":"enabled","guardrailIdentifier":` + string(quoted) + `},"system":` + string(beside) + `}`
		header, err := checkConverse(callOf(converse, []byte(body)))
		if !isIdentifier(id) {
			if err == nil {
				t.Errorf("checkConverse(%s) = %v, want a refusal", body, header)
			}
			return
		}
		if err != nil || header.Get(guardrailHeader) != id {
			t.Errorf("checkConverse(%s) = %v, %v, want the guardrail %q", body, header, err, id)
		}
	})
}

func BenchmarkCheckConverse(b *testing.B) {
	text, err := json.Marshal(strings.Repeat("A prompt of some length, \"quoted\" in part. ", 50))
	if err != nil {
		b.Fatal(err)
	}
	c := callOf(converse, []byte(`{"messages":[{"role":"user","content":[{"text":`+string(text)+`}]}]}`))
	b.SetBytes(int64(len(c.visit.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := checkConverse(c); err != nil {
			b.Fatal(err)
		}
	}
}
