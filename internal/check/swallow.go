package check

import (
	"regexp"
	"strconv"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
)

// throttled is an answer of Bedrock's that a resolver should pass on, as the HTTP
// data source gives it.
func throttled() map[string]any {
	return map[string]any{
		"statusCode": 429,
		"headers":    map[string]any{"x-amzn-ErrorType": "ThrottlingException", "Content-Type": "application/json"},
		"body":       `{"message":"fairway check asks whether this message reaches the caller"}`,
	}
}

// swallowed warns of response handlers that turn an error of the service into
// nothing: no GraphQL error, and no text in the value.
func (c *checker) swallowed() {
	seen := map[string]bool{}
	for f, op := range c.functions() {
		_, isBedrock := inference.BedrockEndpoint(c.sources[f.DataSource].Endpoint)
		if !isBedrock || f.Entry != "" && seen[f.Entry] {
			continue
		}
		seen[f.Entry] = true
		if !c.swallows(f, op) {
			continue
		}
		name, at, fix := "the resolver of "+op.Type+"."+op.Field, op.At, goRemedy
		if f.Entry != "" {
			name, at, fix = f.Entry, f.Entry, jsRemedy
		}
		message := name + " swallows Bedrock's errors: an answer with HTTP 429 becomes an empty value without a GraphQL error"
		if line, expr := errorMember(f.Code); line > 0 {
			at += ":" + strconv.Itoa(line)
			message += "; " + expr + " is read, Bedrock sends message"
		}
		c.add(backend.SeverityWarning, "swallowed-errors", at, message, fix)
	}
}

// What to do about a response handler that swallows errors, by language.
const (
	goRemedy = `in OnResponse, return a *backend.Error when the result's statusCode is 400 or more`
	jsRemedy = `in response(ctx), before the body is read:
if (ctx.result.statusCode >= 400) {
  util.error(JSON.parse(ctx.result.body).message, ctx.result.headers["x-amzn-ErrorType"]);
}`
)

// swallows reports whether nothing of an error comes out of the function.
func (c *checker) swallows(f backend.Function, op backend.Operation) bool {
	value, appended, err := c.response(f, op, throttled())
	return err == nil && appended == 0 && !says(value)
}

// says reports whether a value holds any text at all.
func says(value any) bool {
	switch v := value.(type) {
	case string:
		return v != ""
	case []any:
		for _, e := range v {
			if says(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if says(e) {
				return true
			}
		}
	}
	return false
}

// errorRead is the error member of a variable being read.
var errorRead = regexp.MustCompile(`\b([A-Za-z_$][\w$]*)\.error\b`)

// errorMember finds the first line of code that reads an error member. Those of
// ctx, util and console are AppSync's own.
func errorMember(code string) (line int, expression string) {
	for i, text := range strings.Split(code, "\n") {
		for _, m := range errorRead.FindAllStringSubmatch(text, -1) {
			if m[1] != "ctx" && m[1] != "util" && m[1] != "console" {
				return i + 1, m[0]
			}
		}
	}
	return 0, ""
}
