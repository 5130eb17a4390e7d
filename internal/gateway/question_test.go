package gateway

import (
	"testing"

	"fairway/internal/inference"
)

// TestConditionsSeeTheCall: what a request says of itself reaches the conditions of its
// principal's statements.
func TestConditionsSeeTheCall(t *testing.T) {
	for _, test := range []struct {
		operator, key, value string
		edit                 func(*inference.Request)
	}{
		{"IpAddress", "aws:SourceIp", "203.0.113.0/24", func(r *inference.Request) { r.Circumstances.SourceIP = "203.0.113.9" }},
		{"Bool", "aws:SecureTransport", "false", func(r *inference.Request) { r.Circumstances.SourceIP = "203.0.113.9" }},
		{"StringLike", "aws:UserAgent", "curl/*", func(r *inference.Request) { r.Circumstances.UserAgent = "curl/8" }},
		{"StringEquals", "aws:PrincipalTag/team", "search", func(r *inference.Request) {
			r.Circumstances.Session = &inference.Session{Tags: map[string]string{"team": "search"}}
		}},
		{"StringEquals", "bedrock:bearerTokenType", inference.ShortTerm, func(r *inference.Request) { r.Circumstances.BearerType = inference.ShortTerm }},
		{"StringEquals", "bedrock:GuardrailIdentifier", "arn:aws:bedrock:ap-southeast-1:123456789012:guardrail/g-1:1", func(r *inference.Request) { r.Header = guarded().Header }},
		{"StringEquals", "bedrock:ServiceTier", "flex", func(r *inference.Request) {
			r.Header = guarded().Header
			r.Header.Set("X-Amzn-Bedrock-Service-Tier", "flex")
		}},
	} {
		conditioned := allow("*")
		conditioned.Conditions = map[string]map[string][]string{test.operator: {test.key: {test.value}}}
		l := newLine(t, regions{}, ticking(), conditioned)
		if _, _, err := l.Invoke(t.Context(), request("without")); inference.AsError(err).Kind != inference.AccessDenied {
			t.Errorf("%s: Invoke without = %v, want it denied", test.key, err)
		}
		r := request("with")
		test.edit(r)
		stream, _, err := l.Invoke(t.Context(), r)
		if err != nil {
			t.Errorf("%s: Invoke = %v, want it allowed", test.key, err)
			continue
		}
		if err := read(t.Context(), stream); err != nil {
			t.Errorf("%s: read = %v", test.key, err)
		}
	}
}
