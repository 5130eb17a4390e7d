package graphql

import (
	"strings"
	"sync/atomic"
	"testing"

	"fairway/backend"
)

var dish = map[string]any{
	"id": int64(7), "name": "Pho", "course": "MAIN", "price": 9.5, "stock": float64(3), "vegan": false,
	"tags":  []any{"soup", "noodles"},
	"steps": []any{map[string]any{"text": "boil", "minutes": int64(5)}, nil, map[string]any{"minutes": int64(1)}},
	"extra": map[string]any{"a": []any{1.0, "x"}}, "day": "2026-11-22", "secret": "s",
}

func wideOperations() []backend.Operation {
	return []backend.Operation{
		operationOf("Query.dish", answers(dish)),
		operationOf("Query.dishes", answers([]any{dish, map[string]any{"id": "8", "name": "Tea"}})),
		operationOf("Query.must", answers(nil)),
		operationOf("Query.strict", answers([]any{dish, map[string]any{"id": "8"}})),
		operationOf("Query.anything", answers([]any{
			map[string]any{"__typename": "Dish", "id": "1", "name": "Pho"}, map[string]any{"__typename": "Drink", "id": "2", "size": 4.0}, map[string]any{"id": "3"},
		})),
		operationOf("Query.node", answers(map[string]any{"__typename": "Drink", "id": "2", "size": int64(4)})),
		operationOf("Query.a", answers("A")), operationOf("Query.b", answers("B")), operationOf("Query.c", answers(nil)),
		operationOf("Query.admin", answers("admin")), operationOf("Query.members", answers("members")), operationOf("Query.either", answers("either")),
		{Type: "Query", Field: "later", Unsupported: "a.generation"},
	}
}

func TestExecute(t *testing.T) {
	f := harness{operations: wideOperations()}.front(t)
	tests := []struct{ name, query, want string }{
		{"scalars in selection order", `{dish{vegan stock price course name id day extra tags}}`,
			`{"data":{"dish":{"vegan":false,"stock":3,"price":9.5,"course":"MAIN","name":"Pho","id":"7","day":"2026-11-22","extra":"{\"a\":[1,\"x\"]}","tags":["soup","noodles"]}}}`},
		{"aliases", `{x:dish{n:name m:name} y:a}`, `{"data":{"x":{"n":"Pho","m":"Pho"},"y":"A"}}`},
		{"typename", `{__typename dish{__typename}}`, `{"data":{"__typename":"Query","dish":{"__typename":"Dish"}}}`},
		{"fragments merge", `{dish{...F name} ...Q} fragment F on Dish {id ...G} fragment G on Dish {name vegan} fragment Q on Query {dish{stock} a}`,
			`{"data":{"dish":{"id":"7","name":"Pho","vegan":false,"stock":3},"a":"A"}}`},
		{"inline fragments", `{dish{... {id} ... on Node {id} ... on Dish {name}}}`, `{"data":{"dish":{"id":"7","name":"Pho"}}}`},
		{"skip and include", `{a @skip(if: true) b @include(if: true) dish @include(if: false) {id}}`, `{"data":{"b":"B"}}`},
		{"skip decides a merged field", `{dish{id} dish @skip(if: true) {name}}`, `{"data":{"dish":{"id":"7"}}}`},
		{"field without a resolver", `{plain}`, `{"data":{"plain":null}}`},
		{"union", `{anything{... on Dish{name} ... on Drink{size} __typename}}`,
			`{"data":{"anything":[{"name":"Pho","__typename":"Dish"},{"size":4,"__typename":"Drink"},null]},"errors":[{"path":["anything",2],"locations":null,` +
				`"message":"Abstract type 'Anything' must resolve to an Object type at runtime for field 'Query.anything'. The value has no __typename of one of its types"}]}`},
		{"interface", `{node{id ... on Drink{size} ... on Dish{name}}}`, `{"data":{"node":{"id":"2","size":4}}}`},
		{"null in a nullable list", `{dish{steps{text}}}`,
			`{"data":{"dish":{"steps":[{"text":"boil"},null,null]}},"errors":[{"path":["dish","steps",2,"text"],"locations":null,` +
				`"message":"Cannot return null for non-nullable type: 'String' within parent 'Step' (/dish/steps[2]/text)"}]}`},
		{"null climbs to the data", `{a must}`,
			`{"data":null,"errors":[{"path":["must"],"locations":null,"message":"Cannot return null for non-nullable type: 'String' within parent 'Query' (/must)"}]}`},
		{"null climbs through lists", `{strict{id name}}`,
			`{"data":null,"errors":[{"path":["strict",1,"name"],"locations":null,"message":"Cannot return null for non-nullable type: 'String' within parent 'Dish' (/strict[1]/name)"}]}`},
		{"nested field of another mode", `{dish{id secret}}`,
			`{"data":{"dish":{"id":"7","secret":null}},"errors":[{"path":["dish","secret"],"data":null,"errorType":"Unauthorized","errorInfo":null,` +
				`"locations":[{"line":1,"column":10,"sourceName":null}],"message":"Not Authorized to access secret on type Dish"}]}`},
		{"no engine", `{later}`,
			`{"data":{"later":null},"errors":[{"path":["later"],"data":null,"errorType":"NotImplemented","errorInfo":null,` +
				`"locations":[{"line":1,"column":2,"sourceName":null}],"message":"a.generation has no engine here yet: later cannot be called"}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, got := ask(t, f, test.query, nil)
			wantBody(t, test.query, got, test.want)
		})
	}
}

func TestGoValues(t *testing.T) {
	type step struct {
		Text    string `json:"text"`
		Minutes uint8  `json:"minutes"`
	}
	type course string
	f := harness{operations: []backend.Operation{operationOf("Query.dish", answers(map[string]any{
		"id": int32(7), "name": course("Pho"), "tags": []string{"a"}, "steps": []step{{"boil", 5}}, "stock": "12",
	}))}}.front(t)
	query := `{dish{id name tags steps{text minutes} stock}}`
	_, got := ask(t, f, query, nil)
	wantBody(t, query, got, `{"data":{"dish":{"id":"7","name":"Pho","tags":["a"],"steps":[{"text":"boil","minutes":5}],"stock":12}}}`)
}

func TestValuesThatDoNotFit(t *testing.T) {
	tests := []struct {
		name  string
		value any
		query string
		want  string
	}{
		{"int out of range", map[string]any{"stock": 3e9}, `{dish{stock}}`, "Can't serialize value (/dish/stock) : Expected type 'Int' but was 'Number'."},
		{"fraction for int", map[string]any{"stock": 1.5}, `{dish{stock}}`, "Can't serialize value (/dish/stock) : Expected type 'Int' but was 'Number'."},
		{"object for string", map[string]any{"name": map[string]any{}}, `{dish{name}}`, "Can't serialize value (/dish/name) : Expected type 'String' but was 'Object'."},
		{"bad date", map[string]any{"day": "22.11.2026"}, `{dish{day}}`, "Can't serialize value (/dish/day) : Expected type 'AWSDate' but was 'String'."},
		{"unknown enum value", map[string]any{"course": "DINNER"}, `{dish{course}}`, "Can't serialize value (/dish/course) : Invalid input for Enum 'Course'."},
		{"string for list", map[string]any{"tags": "soup"}, `{dish{tags}}`, "Can't resolve value (/dish/tags) : type mismatch error, expected type LIST"},
		{"string for object", "soup", `{dish{id}}`, "Can't resolve value (/dish) : type mismatch error, expected type OBJECT"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := harness{operations: []backend.Operation{operationOf("Query.dish", answers(test.value))}}.front(t)
			_, got := ask(t, f, test.query, nil)
			if !strings.Contains(got, `"message":"`+test.want+`"`) || strings.Count(got, `"message"`) != 1 {
				t.Errorf("answer = %s, want the one message %q", got, test.want)
			}
		})
	}
}

func TestSwitchesByVariable(t *testing.T) {
	f := harness{operations: wideOperations()}.front(t)
	query := `query($x: Boolean!, $y: Boolean = true){a @include(if: $x) ...F @skip(if: $y)} fragment F on Query {b}`
	for _, test := range []struct {
		variables map[string]any
		want      string
	}{
		{map[string]any{"x": true}, `{"data":{"a":"A"}}`},
		{map[string]any{"x": false, "y": false}, `{"data":{"b":"B"}}`},
		{map[string]any{"x": true, "y": false}, `{"data":{"a":"A","b":"B"}}`},
		{map[string]any{"x": true}, `{"data":{"a":"A"}}`},
	} {
		_, got := ask(t, f, query, test.variables)
		wantBody(t, query, got, test.want)
	}
}

func TestMutationsRunInOrder(t *testing.T) {
	var order []string // no lock: fields of a mutation never overlap
	note := func(name string) backend.Resolver {
		return resolves(func(*backend.Context) (any, error) {
			order = append(order, name)
			return name, nil
		})
	}
	f := harness{operations: []backend.Operation{
		operationOf("Mutation.one", note("one")), operationOf("Mutation.two", note("two")), operationOf("Mutation.three", note("three")),
	}}.front(t)
	query := `mutation{three one again:three two}`
	_, got := ask(t, f, query, nil)
	wantBody(t, query, got, `{"data":{"three":"three","one":"one","again":"three","two":"two"}}`)
	if got := strings.Join(order, " "); got != "three one three two" {
		t.Errorf("order = %s, want three one three two", got)
	}
}

func TestQueryFieldsRunSideBySide(t *testing.T) {
	var waiting atomic.Int32
	met := make(chan struct{})
	meet := resolves(func(*backend.Context) (any, error) {
		if waiting.Add(1) == 3 {
			close(met)
		}
		<-met // returns only when all three are here
		return "met", nil
	})
	f := harness{operations: []backend.Operation{operationOf("Query.a", meet), operationOf("Query.b", meet), operationOf("Query.c", meet)}}.front(t)
	query := `{a b c}`
	_, got := ask(t, f, query, nil)
	wantBody(t, query, got, `{"data":{"a":"met","b":"met","c":"met"}}`)
}
