package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"fairway/backend"
	"fairway/internal/inference"
)

var fuzzQueries = []string{
	`{a}`, `{dish{...F steps{text minutes}}} fragment F on Dish{id name ...G} fragment G on Node{id}`,
	`query($f: Filter, $x: Boolean = true){dish(filter: $f, tags: "x"){id @include(if: $x)} anything{... on Dish{name} __typename}}`,
	`mutation{one two}`, `subscription{dishAdded{id}}`, `{__schema{types{name fields{name args{defaultValue}}}}}`, `{strict{id}}`, seedQuery,
	`{dish(filter: {inner: {tags: [null]}}, meta: "{}", on: "2026-01-02"){id}}`, `{`, ``, `{...F} fragment F on Query{...F}`, introspectionQuery,
}

// Whatever is sent, the answer is one JSON object with data or errors.
func FuzzRequest(f *testing.F) {
	for _, query := range fuzzQueries {
		body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"f": map[string]any{"limit": 3}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`[{"query":"{a}"}]`))
	f.Add([]byte(`{"query":1}`))
	front := harness{operations: wideOperations()}.front(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/graphql", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("x-api-key", "k")
		w := httptest.NewRecorder()
		front.ServeHTTP(w, r)
		var answer map[string]json.RawMessage
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("answer to %q is not JSON: %s", body, w.Body)
		}
		if answer["data"] == nil && answer["errors"] == nil {
			t.Fatalf("answer to %q has neither data nor errors: %s", body, w.Body)
		}
	})
}

// Whatever a resolver gives, the answer keeps to the schema: a non-null place
// never holds null, and every null that a value did not ask for has its error.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","name":"x","steps":[{"text":"t"},{"text":null}],"tags":["a",null]}`, `[]`, `null`, `"x"`, `{"id":{},"name":[1],"price":"NaN","extra":{"a":[]}}`,
	} {
		f.Add([]byte(seed))
	}
	const query = `{dish{id name course price stock vegan tags steps{text minutes} extra day}}`
	f.Fuzz(func(t *testing.T, data []byte) {
		var value any
		if json.Unmarshal(data, &value) != nil {
			return
		}
		front := harness{operations: []backend.Operation{operationOf("Query.dish", answers(map[string]any{"payload": value}))}, sources: map[string]DataSource{
			backend.NoneDataSource: payload{},
		}}.front(t)
		_, body := ask(t, front, query, nil)
		var answer struct {
			Data struct {
				Dish *struct {
					ID    *string `json:"id"`
					Name  *string `json:"name"`
					Tags  []*string
					Steps []*struct{ Text *string }
				}
			}
			Errors []json.RawMessage
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("answer is not of the schema's shape: %v: %s", err, body)
		}
		if answer.Data.Dish == nil {
			if value != nil && answer.Errors == nil {
				t.Fatalf("%s became null without an error: %s", data, body)
			}
			return
		}
		dish := answer.Data.Dish
		if dish.ID == nil || dish.Name == nil {
			t.Fatalf("a non-null field is null: %s", body)
		}
		for _, tag := range dish.Tags {
			if tag == nil {
				t.Fatalf("a non-null item is null: %s", body)
			}
		}
		for _, step := range dish.Steps {
			if step != nil && step.Text == nil {
				t.Fatalf("a non-null field is null: %s", body)
			}
		}
	})
}

// payload answers with the request's payload.
type payload struct{}

func (payload) Invoke(_ context.Context, _ inference.Caller, _ inference.Steering, value any) (any, *inference.Record, error) {
	return value.(map[string]any)["payload"], nil, nil
}

// Any literal that validation lets through must also be coerced.
func FuzzLiteral(f *testing.F) {
	for _, literal := range []string{`1`, `"x"`, `null`, `[1,"x",null]`, `{tags: "x", inner: {limit: 1e3}}`, `MAIN`, `true`, `"""block"""`, `"2026-01-02"`, `99999999999`} {
		for arg := range strings.FieldsSeq("id filter meta count rate on course tags") {
			f.Add(arg, literal)
		}
	}
	var ran bool
	front := harness{operations: []backend.Operation{operationOf("Query.dish", resolves(func(*backend.Context) (any, error) {
		ran = true
		return nil, nil
	}))}}.front(f)
	f.Fuzz(func(t *testing.T, arg, literal string) {
		query := "{dish(" + arg + ": " + literal + "){id}}"
		ran = false
		_, body := ask(t, front, query, nil)
		if strings.HasPrefix(body, `{"data":{"dish"`) && !ran && strings.Contains(body, "BadRequest") {
			t.Fatalf("%s passed validation and was refused later: %s", query, body)
		}
	})
}
