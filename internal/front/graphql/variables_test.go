package graphql

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
)

func TestArguments(t *testing.T) {
	var got map[string]any
	f := harness{operations: []backend.Operation{operationOf("Query.dish", resolves(func(c *backend.Context) (any, error) {
		got = c.Args
		return nil, nil
	}))}}.front(t)
	tests := []struct {
		name, query string
		variables   string
		want        map[string]any
	}{
		{"default", `{dish{id}}`, `{}`, map[string]any{"course": "MAIN"}},
		{"absent variable is an absent argument", `query($i: ID){dish(id: $i){id}}`, `{}`, map[string]any{"course": "MAIN"}},
		{"absent variable takes the argument's default", `query($c: Course){dish(course: $c){id}}`, `{}`, map[string]any{"course": "MAIN"}},
		{"null stays null", `query($c: Course){dish(course: $c, id: null){id}}`, `{"c":null}`, map[string]any{"course": nil, "id": nil}},
		{"literals", `{dish(id: 7, count: 3, rate: 2, course: SOUP, on: "2026-01-02", tags: ["a", null]){id}}`, `{}`,
			map[string]any{"id": "7", "count": int64(3), "rate": 2.0, "course": "SOUP", "on": "2026-01-02", "tags": []any{"a", nil}}},
		{"variables", `query($i: ID, $n: Int, $r: Float, $c: Course!, $t: [String]){dish(id: $i, count: $n, rate: $r, course: $c, tags: $t){id}}`,
			`{"i":7,"n":3,"r":2,"c":"SOUP","t":["a",null]}`,
			map[string]any{"id": "7", "count": int64(3), "rate": 2.0, "course": "SOUP", "tags": []any{"a", nil}}},
		{"integral float for Int", `query($n: Int){dish(count: $n){id}}`, `{"n":3.0}`, map[string]any{"count": int64(3), "course": "MAIN"}},
		{"variable default", `query($n: Int = 5){dish(count: $n){id}}`, `{}`, map[string]any{"count": int64(5), "course": "MAIN"}},
		{"list of one", `query($t: [String]){dish(tags: $t){id}}`, `{"t":"x"}`, map[string]any{"tags": []any{"x"}, "course": "MAIN"}},
		{"list of one, literal", `{dish(tags: "x"){id}}`, `{}`, map[string]any{"tags": []any{"x"}, "course": "MAIN"}},
		{"variable in a list", `query($x: String){dish(tags: ["a", $x]){id}}`, `{"x":"b"}`, map[string]any{"tags": []any{"a", "b"}, "course": "MAIN"}},
		{"input object", `query($f: Filter){dish(filter: $f){id}}`, `{"f":{"tags":"x","inner":{"limit":null}}}`,
			map[string]any{"course": "MAIN", "filter": map[string]any{
				"course": "MAIN", "tags": []any{"x"}, "limit": int64(10), "inner": map[string]any{"course": "MAIN", "limit": nil},
			}}},
		{"input object literal", `query($l: Int, $d: AWSDate){dish(filter: {limit: $l, day: $d, inner: {course: SOUP}}){id}}`, `{"l":1}`,
			map[string]any{"course": "MAIN", "filter": map[string]any{
				"course": "MAIN", "limit": int64(1), "inner": map[string]any{"course": "SOUP", "limit": int64(10)},
			}}},
		{"AWSJSON is parsed", `query($m: AWSJSON){dish(meta: $m){id}}`, `{"m":"{\"a\":[1,null]}"}`, map[string]any{"course": "MAIN", "meta": map[string]any{"a": []any{1.0, nil}}}},
		{"AWSJSON literal is parsed", `{dish(meta: "[true]"){id}}`, `{}`, map[string]any{"course": "MAIN", "meta": []any{true}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got = nil
			_, answer := ask(t, f, test.query, json.RawMessage(test.variables))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("arguments (-want +got):\n%s\nanswer: %s", diff, answer)
			}
		})
	}
}

func TestBadVariables(t *testing.T) {
	f := harness{operations: []backend.Operation{operationOf("Query.dish", answers(nil))}}.front(t)
	tests := []struct{ query, variables, want string }{
		{`query($c: Course!){dish(course: $c){id}}`, `{}`, "Variable 'c' has coerced Null value for NonNull type 'Course!'"},
		{`query($c: Course!){dish(course: $c){id}}`, `{"c":null}`, "Variable 'c' has coerced Null value for NonNull type 'Course!'"},
		{`query($c: Course){dish(course: $c){id}}`, `{"c":"DINNER"}`, "Variable 'c' has an invalid value. Expected a value of type 'Course'"},
		{`query($n: Int){dish(count: $n){id}}`, `{"n":"3"}`, "Variable 'n' has an invalid value. Expected a value of type 'Int'"},
		{`query($n: Int){dish(count: $n){id}}`, `{"n":1.5}`, "Variable 'n' has an invalid value. Expected a value of type 'Int'"},
		{`query($n: Int){dish(count: $n){id}}`, `{"n":2147483648}`, "Variable 'n' has an invalid value. Expected a value of type 'Int'"},
		{`query($n: Int){dish(count: $n){id}}`, `{"n":1e400}`, "Variable 'n' has an invalid value. Expected a value of type 'Int'"},
		{`query($n: Float){dish(rate: $n){id}}`, `{"n":1e400}`, "Variable 'n' has an invalid value. Expected a value of type 'Float'"},
		{`query($i: ID){dish(id: $i){id}}`, `{"i":1.5}`, "Variable 'i' has an invalid value. Expected a value of type 'ID'"},
		{`query($t: [String]){dish(tags: $t){id}}`, `{"t":[1]}`, "Variable 't' has an invalid value. Expected a value of type 'String'"},
		{`query($f: Filter){dish(filter: $f){id}}`, `{"f":{"x":1}}`, "Variable 'f' has an invalid value. The variables input contains a field name 'x' that is not defined for input object type 'Filter'"},
		{`query($f: Filter){dish(filter: $f){id}}`, `{"f":{"tags":[null]}}`, "Variable 'f' has an invalid value. Expected a value of type 'String!' but was null"},
		{`query($f: Filter){dish(filter: $f){id}}`, `{"f":"x"}`, "Variable 'f' has an invalid value. Expected an object of type 'Filter'"},
		{`query($d: AWSDate){dish(on: $d){id}}`, `{"d":"tomorrow"}`, "Variable 'd' has an invalid value. Expected a value of type 'AWSDate'"},
		{`query($m: AWSJSON){dish(meta: $m){id}}`, `{"m":{"a":1}}`, "Variable 'm' has an invalid value. Expected a value of type 'AWSJSON'"},
	}
	for _, test := range tests {
		w, got := ask(t, f, test.query, json.RawMessage(test.variables))
		want := `{"data":null,"errors":[{"path":null,"locations":[{"line":1,"column":7,"sourceName":null}],"message":"` + test.want + `"}]}`
		wantBody(t, test.query+test.variables, got, want)
		if w.Code != 200 {
			t.Errorf("status = %d, want 200", w.Code)
		}
	}
}

func TestScalarFormats(t *testing.T) {
	tests := map[string]struct{ good, bad []string }{
		"AWSDate":      {[]string{"1970-01-01", "1970-01-01Z", "1970-01-01-07:00", "1970-01-01+05:30"}, []string{"", "1970-13-01", "1970-02-30", "70-01-01", "1970-01-01T00:00Z"}},
		"AWSTime":      {[]string{"12:30", "12:30Z", "12:30:24-07:00", "12:30:24.500+05:30", "12:30:24"}, []string{"", "25:00", "12", "12:30:99"}},
		"AWSDateTime":  {[]string{"1970-01-01T12:30Z", "1970-01-01T12:30:24-07:00", "1970-01-01T12:30:24.500+05:30"}, []string{"", "1970-01-01T12:30:24", "1970-01-01", "1970-01-01 12:30Z"}},
		"AWSEmail":     {[]string{"username@example.com", "a.b+c@d"}, []string{"", "username", "Ana <a@b>", "a@", "@b"}},
		"AWSURL":       {[]string{"https://www.amazon.com/", "mailto:username@example.com", "ftp://h/x?y=1"}, []string{"", "www.amazon.com", "/x", "https://h//x", "http://%zz"}},
		"AWSPhone":     {[]string{"+1 555-123-4567", "2065550100", "1-206-555-0100", "+442071838750"}, []string{"", "12345", "+12", "call me", "+1 (555) 1234567x"}},
		"AWSIPAddress": {[]string{"123.12.34.56", "1a2b:3c4b::1234:4567", "123.45.67.89/16"}, []string{"", "123.12.34", "1.2.3.4/33", "fe80::1%eth0"}},
		"AWSJSON":      {[]string{`{"a":1}`, `[]`, `"x"`, `1`, `null`}, []string{"", "{", "{a:1}", "x"}},
	}
	for name, test := range tests {
		for _, s := range test.good {
			if _, ok := scalars[name].read(s); !ok {
				t.Errorf("read of %s %q = refused, want taken", name, s)
			}
		}
		for _, s := range test.bad {
			if v, ok := scalars[name].read(s); ok {
				t.Errorf("read of %s %q = %v, want refused", name, s, v)
			}
		}
	}
}

func TestScalarsOut(t *testing.T) {
	tests := []struct {
		name  string
		value any
		want  string // empty: refused
	}{
		{"Int", int64(5), "5"}, {"Int", 5, "5"}, {"Int", 5.0, "5"}, {"Int", "5", "5"}, {"Int", -2147483648.0, "-2147483648"}, {"Int", "x", ""}, {"Int", true, ""}, {"Int", math.NaN(), ""},
		{"Float", 1.0, "1"}, {"Float", 0.1, "0.1"}, {"Float", 1e30, "1e+30"}, {"Float", "2.5", "2.5"}, {"Float", math.Inf(1), ""}, {"Float", "NaN", ""}, {"Float", []any{}, ""},
		{"String", "x", `"x"`}, {"String", 1.5, `"1.5"`}, {"String", int64(7), `"7"`}, {"String", true, `"true"`}, {"String", []any{}, ""},
		{"Boolean", true, "true"}, {"Boolean", "False", "false"}, {"Boolean", 1.0, "true"}, {"Boolean", int64(0), "false"}, {"Boolean", "x", ""},
		{"ID", "x", `"x"`}, {"ID", 7.0, `"7"`},
		{"AWSTimestamp", int64(1795347916), "1795347916"}, {"AWSTimestamp", 1.5, ""}, {"AWSTimestamp", "1", ""},
		{"AWSJSON", map[string]any{"b": "<", "a": 1.0}, `"{\"a\":1,\"b\":\"<\"}"`}, {"AWSJSON", "x", `"\"x\""`}, {"AWSJSON", math.NaN(), ""},
		{"AWSIPAddress", "::1", `"::1"`}, {"AWSIPAddress", "x", ""},
	}
	for _, test := range tests {
		out, ok := scalars[test.name].write(nil, test.value)
		if got := string(out); ok != (test.want != "") || ok && got != test.want {
			t.Errorf("write of %s %#v = %s, %v, want %s", test.name, test.value, got, ok, test.want)
		}
	}
}

func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c", "line\nfeed\ttab\rret\x00\x1f", "cơm 卵 🍚", "<>&\u2028", strings.Repeat("x", 100)} {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil || back != s {
			t.Errorf("appendString(%q) reads back as %q, %v", s, back, err)
		}
	}
	if got, want := string(appendString(nil, "a\xffb")), "\"a\uFFFDb\""; got != want {
		t.Errorf("appendString of a broken byte = %s, want %s", got, want)
	}
}
