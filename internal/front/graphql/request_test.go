package graphql

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairway/backend"
	"fairway/internal/inference"
)

func TestRequestForms(t *testing.T) {
	f := harness{operations: wideOperations(), config: Config{Limits: Limits{Body: 300}}}.front(t)
	const data, malformedType = `{"data":{"a":"A"}}`, "MalformedHttpRequestException"
	tests := []struct {
		name, method, contentType, body string
		status                          int
		errorType, want                 string
	}{
		{"as aws-amplify sends it", "POST", "application/json; charset=UTF-8", `{"query":"{a}","variables":null}`, 200, "", data},
		{"empty variables", "POST", "application/json", `{"query":"{a}","variables":{},"operationName":null,"extensions":{}}`, 200, "", data},
		{"named operation", "POST", "application/json", `{"query":"query X{b} query Y{a}","operationName":"Y"}`, 200, "", data},
		{"no operation name", "POST", "application/json", `{"query":"query X{b} query Y{a}"}`, 200, "",
			`{"data":null,"errors":[{"path":null,"locations":null,"message":"Must provide operation name if query contains multiple operations."}]}`},
		{"unknown operation name", "POST", "application/json", `{"query":"query X{b}","operationName":"Z"}`, 200, "",
			`{"data":null,"errors":[{"path":null,"locations":null,"message":"Unknown operation named 'Z'."}]}`},
		{"subscription", "POST", "application/json", `{"query":"subscription{dishAdded{id}}"}`, 200, "",
			`{"data":null,"errors":[{"path":null,"data":null,"errorType":"UnsupportedOperation","errorInfo":null,"locations":null,"message":"Subscriptions are served over WebSocket only."}]}`},
		{"GET", "GET", "", "", 405, "MethodNotAllowedException", "GraphQL is served to POST requests only."},
		{"form", "POST", "application/x-www-form-urlencoded", `query={a}`, 400, malformedType, "Content-Type must be application/json."},
		{"no content type", "POST", "", `{"query":"{a}"}`, 400, malformedType, "Content-Type must be application/json."},
		{"not JSON", "POST", "application/json", `{a}`, 400, malformedType, "Request body is not a GraphQL request in JSON."},
		{"batch", "POST", "application/json", `[{"query":"{a}"}]`, 400, malformedType, "Request body is not a GraphQL request in JSON."},
		{"variables are a list", "POST", "application/json", `{"query":"{a}","variables":[]}`, 400, malformedType, "Request body is not a GraphQL request in JSON."},
		{"trailing text", "POST", "application/json", `{"query":"{a}"}{}`, 400, malformedType, "Request body goes on after its JSON object."},
		{"no query", "POST", "application/json", `{"variables":{}}`, 400, malformedType, "Request body has no query."},
		{"empty", "POST", "application/json", ``, 400, malformedType, "Request body is not a GraphQL request in JSON."},
		{"too large", "POST", "application/json", `{"query":"{a}` + strings.Repeat(" ", 300) + `"}`, 413, "RequestEntityTooLargeException", "Request body is larger than 300 bytes."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "/graphql", strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.contentType)
			r.Header.Set("x-api-key", "k")
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			want := test.want
			if test.errorType != "" {
				want = `{"errors":[{"errorType":"` + test.errorType + `","message":"` + want + `"}]}`
			}
			wantBody(t, test.body, w.Body.String(), want)
			if w.Code != test.status || w.Header().Get("x-amzn-errortype") != test.errorType {
				t.Errorf("status, x-amzn-errortype = %d, %q, want %d, %q", w.Code, w.Header().Get("x-amzn-errortype"), test.status, test.errorType)
			}
		})
	}
}

// A body without a Content-Length is held to the limit as well.
func TestChunkedBodyLimit(t *testing.T) {
	f := harness{operations: wideOperations(), config: Config{Limits: Limits{Body: 300}}}.front(t)
	r := httptest.NewRequest("POST", "/graphql", struct{ *bytes.Reader }{bytes.NewReader(bytes.Repeat([]byte(" "), 301))})
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("x-api-key", "k")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status = %d, want 413", w.Code)
	}
}

func TestSyntaxError(t *testing.T) {
	f := harness{}.front(t)
	for query, want := range map[string]string{
		"{a":                   `{"errors":[{"errorType":"MalformedHttpRequestException","locations":[{"line":1,"column":3}],"message":"Unable to parse GraphQL query. Expected Name, found <EOF>"}]}`,
		"# only a comment":     `{"errors":[{"errorType":"MalformedHttpRequestException","message":"Unable to parse GraphQL query. It has no operation."}]}`,
		"fragment F on Dish{a": `{"errors":[{"errorType":"MalformedHttpRequestException","locations":[{"line":1,"column":21}],"message":"Unable to parse GraphQL query. Expected Name, found <EOF>"}]}`,
	} {
		w, got := ask(t, f, query, nil)
		wantBody(t, query, strings.ReplaceAll(got, `,"sourceName":null`, ""), want)
		if w.Code != 400 {
			t.Errorf("status of %q = %d, want 400", query, w.Code)
		}
	}
}

func TestUnauthenticated(t *testing.T) {
	tests := []struct {
		err    error
		status int
		want   string
	}{
		{&inference.Error{Kind: inference.MissingAuth}, 401, "Valid authorization header not provided."},
		{&inference.Error{Kind: inference.UnrecognizedClient}, 401, "You are not authorized to make this call."},
		{&inference.Error{Kind: inference.ExpiredToken}, 401, "Token has expired."},
		{&inference.Error{Kind: inference.Validation}, 401, "Unable to parse JWT token."},
		{&inference.Error{Kind: inference.UnrecognizedClient, Message: "API key has expired."}, 401, "API key has expired."},
		{fmt.Errorf("check token: %w", &inference.Error{Kind: inference.ExpiredToken}), 401, "Token has expired."},
	}
	for _, test := range tests {
		f := harness{config: Config{Authenticate: func(*http.Request, []byte) (inference.Identity, error) { return inference.Identity{}, test.err }}}.front(t)
		w, got := ask(t, f, `{a}`, nil)
		wantBody(t, test.want, got, `{"errors":[{"errorType":"UnauthorizedException","message":"`+test.want+`"}]}`)
		if w.Code != test.status || w.Header().Get("x-amzn-errortype") != "UnauthorizedException" {
			t.Errorf("%v: status, x-amzn-errortype = %d, %q", test.err, w.Code, w.Header().Get("x-amzn-errortype"))
		}
	}
	f := harness{config: Config{Authenticate: func(*http.Request, []byte) (inference.Identity, error) {
		return inference.Identity{}, fmt.Errorf("key store is away")
	}}}.front(t)
	w, got := ask(t, f, `{a}`, nil)
	if w.Code != 500 || strings.Contains(got, "key store") {
		t.Errorf("an error of ours answers %d %s, want 500 without its text", w.Code, got)
	}
}

// TestSignatureIsRefused: what is wrong with a signature has the names that every
// service gives it.
func TestSignatureIsRefused(t *testing.T) {
	for kind, want := range map[inference.Kind]struct {
		status    int
		errorType string
	}{
		inference.UnrecognizedClient:  {403, "UnrecognizedClientException"},
		inference.InvalidSignature:    {403, "InvalidSignatureException"},
		inference.ExpiredToken:        {403, "ExpiredTokenException"},
		inference.IncompleteSignature: {400, "IncompleteSignatureException"},
		inference.AccessDenied:        {401, "UnauthorizedException"},
	} {
		f := harness{config: Config{Authenticate: func(*http.Request, []byte) (inference.Identity, error) {
			return inference.Identity{}, &inference.Error{Kind: kind, Message: "why"}
		}}}.front(t)
		w, got := ask(t, f, `{a}`, nil, "authorization", "AWS4-HMAC-SHA256 Credential=x")
		wantBody(t, string(kind), got, `{"errors":[{"errorType":"`+want.errorType+`","message":"why"}]}`)
		if w.Code != want.status || w.Header().Get("x-amzn-errortype") != want.errorType {
			t.Errorf("%s: status, x-amzn-errortype = %d, %q, want %d, %q", kind, w.Code, w.Header().Get("x-amzn-errortype"), want.status, want.errorType)
		}
	}
}

// TestAuthenticateSeesTheBody: byte for byte, and none that is too large.
func TestAuthenticateSeesTheBody(t *testing.T) {
	var seen []byte
	f := harness{operations: wideOperations(), config: Config{Limits: Limits{Body: 100}, Authenticate: func(r *http.Request, body []byte) (inference.Identity, error) {
		seen = body
		return authenticateByHeader(r, body)
	}}}.front(t)
	for text, status := range map[string]int{
		`{"query":"{a}" }`: 200, "not JSON": 400, `{"query":"{a}` + strings.Repeat(" ", 100) + `"}`: 413,
	} {
		seen = nil
		r := httptest.NewRequest("POST", "/graphql", strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("x-api-key", "k")
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if read := string(seen) == text; w.Code != status || read != (status != 413) {
			t.Errorf("%.20q: status %d, body seen %t, want %d", text, w.Code, read, status)
		}
	}
}

func TestValidation(t *testing.T) {
	f := harness{operations: wideOperations()}.front(t)
	tests := []struct{ query, want string }{
		{`{x}`, `Validation error of type FieldUndefined: Field 'x' in type 'Query' is undefined @ 'x'`},
		{`{dish{steps{x}}}`, `Validation error of type FieldUndefined: Field 'x' in type 'Step' is undefined @ 'dish/steps/x'`},
		{`{dish{...F}} fragment F on Dish{x}`, `Validation error of type FieldUndefined: Field 'x' in type 'Dish' is undefined @ 'F/x'`},
		{`{dish}`, `Validation error of type SubSelectionRequired: Sub selection required for type Dish of field dish @ 'dish'`},
		{`{a{b}}`, `Validation error of type SubSelectionNotAllowed: Sub selection not allowed on leaf type String of field a @ 'a'`},
		{`{dish(x:1){id}}`, `Validation error of type UnknownArgument: Unknown field argument x @ 'dish'`},
		{`{dish(on:"x"){id}}`, `Validation error of type WrongType: "x" is not a valid AWSDate @ 'dish'`},
		{`{dish(meta:"{"){id}}`, `Validation error of type WrongType: "{" is not a valid AWSJSON @ 'dish'`},
		{`{dish(count:3000000000){id}}`, `Validation error of type WrongType: 3000000000 is not a valid Int @ 'dish'`},
		{`{dish(count:"1"){id}}`, `Validation error of type WrongType: Int cannot represent non-integer value: "1" @ 'dish'`},
		{`{dish(filter:{day:"x"}){id}}`, `Validation error of type WrongType: "x" is not a valid AWSDate @ 'dish'`},
		{`query($x:Int){a}`, `Validation error of type UnusedVariable: Unused variable x`},
		{`{dish(count:$x){id}}`, `Validation error of type UndefinedVariable: Undefined variable x @ 'dish'`},
		{`query($x:String){dish(count:$x){id}}`, `Validation error of type VariableTypeMismatch: Variable type 'String' doesn't match expected type 'Int' @ 'dish'`},
		{`query($x:Dish){a}`, `Validation error of type NonInputTypeOnVariable: Variable "$x" cannot be non-input type "Dish".`},
		{`{...F}`, `Validation error of type UndefinedFragment: Undefined fragment F @ 'F'`},
		{`{a} fragment F on Dish{id}`, `Validation error of type UnusedFragment: Unused fragment F @ 'F'`},
		{`{dish{...F}} fragment F on Dish{...F}`, `Validation error of type FragmentCycle: Fragment cycles not allowed @ 'F/F'`},
		{`{a @skip}`, `Validation error of type MissingDirectiveArgument: Missing directive argument if @ 'a'`},
		{`{a @nope}`, `Validation error of type UnknownDirective: Unknown directive "@nope". @ 'a'`},
		{`{__type{name}}`, `Validation error of type MissingFieldArgument: Missing field argument name @ '__type'`},
		{`{x: a x: b}`, `Validation error of type FieldsConflict: Fields "x" conflict because "a" and "b" are different fields. Use different aliases on the fields to fetch both if this was intentional. @ 'b'`},
	}
	for _, test := range tests {
		w, got := ask(t, f, test.query, nil)
		want := string(appendString(nil, test.want))
		if w.Code != 200 || !strings.HasPrefix(got, `{"data":null,"errors":[{"path":null,"locations":[{"line":1,"column":`) || !strings.Contains(got, `"message":`+want+`}`) {
			t.Errorf("%s = %d %s, want 200 with %s", test.query, w.Code, got, want)
		}
	}
	noMutation := harness{schema: "type Query { a: String }"}.front(t)
	_, got := ask(t, noMutation, `mutation{a}`, nil)
	if want := `"message":"Schema is not configured for mutations."`; !strings.Contains(got, want) {
		t.Errorf("mutation{a} = %s, want %s", got, want)
	}
}

func TestLimits(t *testing.T) {
	limits := Limits{Document: 400, Tokens: 60, Depth: 4, Fields: 12, Roots: 4, Aliases: 2, List: 3, Response: 200}
	long := make([]any, 4)
	f := harness{operations: append(wideOperations(), operationOf("Mutation.one", answers(strings.Repeat("x", 300)))), config: Config{Limits: limits}}.front(t)
	tests := []struct {
		name, query string
		variables   any
		want        string
	}{
		{"document", `{a}` + strings.Repeat(" ", 400), nil, "query has 403 bytes, the limit is 400: ask for less at a time"},
		{"tokens", `{` + strings.Repeat("a ", 60) + `}`, nil, "Unable to parse GraphQL query. exceeded token limit of 60"},
		{"depth", `{__schema{types{ofType{ofType{name}}}}}`, nil, "query has 5 levels, the limit is 4: ask for less at a time"},
		{"depth in fragments", `{__schema{types{...T}}} fragment T on __Type{ofType{ofType{name}}}`, nil, "query has 5 levels, the limit is 4: ask for less at a time"},
		{"fields", `{dish{` + strings.Repeat("id ", 12) + `}}`, nil, "query has 13 fields, the limit is 12: ask for less at a time"},
		{"fields in fragments", `{dish{...A ...A}} fragment A on Dish{...B ...B} fragment B on Dish{...C ...C} fragment C on Dish{id vegan}`, nil, "query has 17 fields, the limit is 12: ask for less at a time"},
		{"roots", `{a b c ...F} fragment F on Query{plain later}`, nil, "operation has 5 fields of its own, the limit is 4: ask for less at a time"},
		{"fields nobody spreads", `{a} fragment F on Dish{` + strings.Repeat("id ", 13) + `}`, nil, "query has 14 fields, the limit is 12: ask for less at a time"},
		{"aliases", `{x:a y:b z:c}`, nil, "query has 3 aliases, the limit is 2: ask for less at a time"},
		{"list in", `query($t:[String]){dish(tags:$t){id}}`, map[string]any{"t": long}, "Variable 't' has an invalid value. A list has 4 items, the limit is 3"},
		{"response", `mutation{one}`, nil, "response is larger than 200 bytes: ask for less at a time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, got := ask(t, f, test.query, test.variables)
			if !strings.Contains(got, `"message":"`+test.want) {
				t.Errorf("answer = %s, want %q", got, test.want)
			}
		})
	}
	f = harness{operations: wideOperations()}.front(t)
	if _, got := ask(t, f, `{dish{... on Dish{`+strings.Repeat("id ", 26)+`}}}`, nil); !strings.Contains(got, "selection has 26 fields of the same name, the limit is 25") {
		t.Errorf("answer = %s, want the limit of 25 fields of the same name", got)
	}
	f = harness{operations: []backend.Operation{operationOf("Query.dishes", answers(long))}, config: Config{Limits: limits}}.front(t)
	_, got := ask(t, f, `{dishes{id}}`, nil)
	if want := "a list has more items than the limit allows"; !strings.Contains(got, want) {
		t.Errorf("answer = %s, want %q", got, want)
	}
}

// Fragments that double at every level unfold to more fields than any machine
// could collect; measuring them takes no time.
func TestExponentialFragments(t *testing.T) {
	var b strings.Builder
	b.WriteString("{dish{...F0 }}")
	for i := range 100 {
		fmt.Fprintf(&b, " fragment F%d on Dish{...F%d ...F%d}", i, i+1, i+1)
	}
	b.WriteString(" fragment F100 on Dish{id}")
	f := harness{operations: wideOperations()}.front(t)
	_, got := ask(t, f, b.String(), nil)
	if want := "fields, the limit is 1000"; !strings.Contains(got, want) {
		t.Errorf("answer = %s, want %q", got, want)
	}
}

func TestDocumentsAreCached(t *testing.T) {
	f := harness{operations: wideOperations()}.front(t)
	for _, query := range []string{`{a}`, `{a}`, `{b}`, `{nope}`} {
		ask(t, f, query, nil)
	}
	if got := f.documents.Len(); got != 2 {
		t.Errorf("cached documents = %d, want the 2 valid ones", got)
	}
}
