package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"fairway/internal/inference"
)

// finding is a value that parses and yet cannot be meant.
type finding struct{ path, cause string }

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
)

// validate gives what is wrong with the values, in the order of the struct.
func (c *Config) validate() []finding {
	var found []finding
	check := func(ok bool, path, format string, args ...any) {
		if !ok {
			found = append(found, finding{path, fmt.Sprintf(format, args...)})
		}
	}
	region := func(r inference.Region, path string) {
		check(regionForm.MatchString(string(r)), path, `want a region such as "ap-southeast-1", got %q`, r)
	}
	check(isAddress(c.Listen), "listen", "want host:port, got %q", c.Listen)
	check(accountForm.MatchString(c.Account), "account", "want twelve digits, got %q", c.Account)
	if c.Region != "" {
		region(c.Region, "region")
	}
	for _, r := range c.Order {
		region(r, "order")
	}
	check(c.MaxAttempts >= 0, "max_attempts", "want 0 or more, got %d", c.MaxAttempts)
	check(c.AttemptTimeout > 0, "attempt_timeout", "want a positive duration")
	check(c.StallTimeout > 0, "stall_timeout", "want a positive duration")
	check(c.RequestTimeout > 0, "request_timeout", "want a positive duration")
	check(c.Breaker.Failures > 0, "breaker.failures", "want at least 1, got %d", c.Breaker.Failures)
	check(c.Breaker.OpenFor > 0, "breaker.open_for", "want a positive duration")
	check(c.Simulate.Quota.TokensPerMinute >= 0, "simulate.quota.tokens_per_minute", "want 0 or more, got %d", c.Simulate.Quota.TokensPerMinute)
	check(c.Simulate.Quota.RequestsPerMinute >= 0, "simulate.quota.requests_per_minute", "want 0 or more, got %d", c.Simulate.Quota.RequestsPerMinute)
	for _, r := range slices.Sorted(maps.Keys(c.Simulate.Faults)) {
		region(r, "simulate.faults")
	}
	check(c.Limits.GraphQLBody > 0, "limits.graphql_body", "want at least one byte")
	check(c.Limits.BedrockBody > 0, "limits.bedrock_body", "want at least one byte")
	for _, origin := range c.CORS.Origins {
		check(isOrigin(origin), "cors.origins", `want an origin such as "https://app.example.com", got %q`, origin)
	}
	return found
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	n, notNumber := strconv.ParseUint(port, 10, 16)
	return err == nil && notNumber == nil && n <= 65535
}

// isOrigin reports whether s is what a browser sends as Origin.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && s == u.Scheme+"://"+u.Host
}
