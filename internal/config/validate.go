package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// finding is a value that parses and yet cannot be meant.
type finding struct {
	path, cause string
	with        string // path of the value beside which it cannot, empty for none
}

// at is the finding with the origin of its value, or of the nearest thing around
// it that was written. A default is not to blame beside a value that was written.
func (f finding) at(o Origins) error {
	path := f.path
	for o[path] == "" && strings.ContainsAny(path, ".[") {
		path = path[:strings.LastIndexAny(path, ".[")]
	}
	if o[path] == "default" && f.with != "" {
		path = f.with
	}
	return problem{o[path], fmt.Errorf("%s: %s", f.path, f.cause)}
}

// findings collects them.
type findings []finding

func (found *findings) check(ok bool, path, format string, args ...any) {
	found.beside("", ok, path, format, args...)
}

func (found *findings) beside(with string, ok bool, path, format string, args ...any) {
	if !ok {
		*found = append(*found, finding{path, fmt.Sprintf(format, args...), with})
	}
}

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
)

func (found *findings) account(id, path string) {
	found.check(accountForm.MatchString(id), path, "want twelve digits, got %q", id)
}

func (found *findings) region(r inference.Region, path string) {
	found.check(regionForm.MatchString(string(r)), path, `want a region such as "ap-southeast-1", got %q`, r)
}

// regions are the addresses of regions.
func (found *findings) regions(at map[inference.Region]URL, path string) {
	for _, r := range slices.Sorted(maps.Keys(at)) {
		found.region(r, path)
		found.check(at[r] != "", path, "want the address of %s", r)
	}
}

func (found *findings) address(s, path string) {
	found.check(isAddress(s), path, "want host:port, got %q", s)
}

func (found *findings) positive(d Duration, path string) {
	found.check(d > 0, path, "want a positive duration")
}

// notNegative is for spans of which zero has a meaning.
func (found *findings) notNegative(d Duration, path, zero string) {
	found.check(d >= 0, path, "want a positive duration, or 0s %s", zero)
}

// validate gives what is wrong with the values, in the order of the struct.
func (c *Config) validate() findings {
	var found findings
	c.validateServer(&found)
	c.validateCalls(&found)
	c.validateBudgets(&found)
	c.validateUpstreams(&found)
	c.validateLimits(&found)
	c.validateLedger(&found)
	c.validateGraphQL(&found)
	c.validateUserPool(&found)
	c.validateMail(&found)
	c.validateRoutes(&found)
	c.validateNamed(&found)
	c.validateQuotas(&found)
	validateAccounts(&found, c.Accounts)
	validateIssuers(&found, c.Issuers)
	c.validatePrincipals(&found)
	c.validateSpending(&found)
	return found
}

func (c *Config) validateServer(found *findings) {
	found.address(c.Listen, "listen")
	found.check(c.TLS.Cert == "" || c.TLS.Key != "", "tls.cert", "want tls.key too")
	found.check(c.TLS.Key == "" || c.TLS.Cert != "", "tls.key", "want tls.cert too")
	if c.Admin.Listen != "" {
		found.address(c.Admin.Listen, "admin.listen")
		found.beside("listen", !sameAddress(c.Admin.Listen, c.Listen), "admin.listen", "want another address than that of listen, %s", c.Listen)
	}
}

func (c *Config) validateCalls(found *findings) {
	found.account(c.Account, "account")
	if c.Region != "" {
		found.region(c.Region, "region")
	}
	validateRouting(found, &c.Routing, "")
	found.notNegative(c.KeepCache, "keep_cache", "not to wait")
	found.check(c.MaxAttempts >= 0, "max_attempts", "want 0 or more, got %d", c.MaxAttempts)
	found.positive(c.AttemptTimeout, "attempt_timeout")
	found.positive(c.StallTimeout, "stall_timeout")
	found.notNegative(c.FirstContentTimeout, "first_content_timeout", "for none")
	found.positive(c.ChunkTimeout, "chunk_timeout")
	found.positive(c.AnswerTimeout, "answer_timeout")
	found.notNegative(c.CallTimeout, "call_timeout", "for none")
	found.positive(c.RequestTimeout, "request_timeout")
	found.positive(c.WriteTimeout, "write_timeout")
	found.notNegative(c.DrainTimeout, "drain_timeout", "not to wait")
}

func (c *Config) validateBudgets(found *findings) {
	found.check(c.Retry.Reserve >= 0, "retry.reserve", "want 0 or more, got %v", c.Retry.Reserve)
	found.notNegative(c.Retry.Wait, "retry.wait", "not to wait")
	found.notNegative(c.Hedge.Least, "hedge.least", "for none")
	found.check(c.Breaker.Failures > 0, "breaker.failures", "want at least 1, got %d", c.Breaker.Failures)
	found.positive(c.Breaker.OpenFor, "breaker.open_for")
	found.positive(c.Breaker.MaxOpenFor, "breaker.max_open_for")
	found.notNegative(c.Probe.Every, "probe.every", "for none")
	found.beside("probe.every", c.Probe.Every <= 0 || c.Probe.Budget > 0, "probe.budget", "want dollars a day for the probes of probe.every")
}

func (c *Config) validateUpstreams(found *findings) {
	found.positive(c.Bedrock.ConnectTimeout, "bedrock.connect_timeout")
	found.positive(c.Bedrock.KeepAlive, "bedrock.keep_alive")
	found.regions(c.Bedrock.Endpoints, "bedrock.endpoints")
	found.regions(c.Bedrock.ControlEndpoints, "bedrock.control_endpoints")
	validateEquivalents(found, c.Bedrock.Equivalents)
	found.check(c.Bedrock.BearerKey == "" || len(c.Accounts) == 0, "bedrock.bearer_key", "want signatures for accounts, a bearer key is of one account: leave out either")
	wanted := AutoRegions
	switch c.Model {
	case Simulated:
		wanted = SimulatedRegions
	case BedrockModel, AnthropicAPI:
		wanted = RealRegions
	}
	found.beside("model", c.Regions == AutoRegions || wanted == AutoRegions || c.Regions == wanted, "regions", "want %s, or auto, for model %s", wanted, c.Model)
	if c.Model == AnthropicAPI {
		found.check(c.Anthropic.URL != "", "anthropic.url", "want the address that model anthropic is at")
		found.beside("model", c.Anthropic.Key != "", "anthropic.key", "want the key that model anthropic is called with")
	}
	for _, quota := range []struct {
		path string
		n    int
	}{
		{"simulate.quota.tokens_per_minute", c.Simulate.Quota.TokensPerMinute},
		{"simulate.quota.requests_per_minute", c.Simulate.Quota.RequestsPerMinute},
	} {
		found.check(quota.n >= 0, quota.path, "want 0 or more, got %d", quota.n)
	}
	for _, r := range slices.Sorted(maps.Keys(c.Simulate.Faults)) {
		found.region(r, "simulate.faults")
	}
}

func (c *Config) validateLimits(found *findings) {
	found.check(c.Limits.GraphQLBody > 0, "limits.graphql_body", "want at least one byte")
	found.check(c.Limits.BedrockBody > 0, "limits.bedrock_body", "want at least one byte")
	found.check(c.Limits.Calls > 0, "limits.calls", "want at least 1, got %d", c.Limits.Calls)
	found.beside("limits.bedrock_body", c.Limits.Held >= c.Limits.BedrockBody, "limits.held", "want room for one request at least, limits.bedrock_body")
	found.check(c.Telemetry.OTLP == "" || c.Telemetry.ServiceName != "", "telemetry.service_name", "want the name that traces go by")
	for _, origin := range c.CORS.Origins {
		found.check(isOrigin(origin), "cors.origins", `want an origin such as "https://app.example.com", got %q`, origin)
	}
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	n, notNumber := strconv.ParseUint(port, 10, 16)
	return err == nil && notNumber == nil && n <= 65535
}

// sameAddress reports whether two listeners would want the same port of the same
// host. Port 0 is another one each time.
func sameAddress(a, b string) bool {
	_, port, _ := net.SplitHostPort(a)
	return a == b && port != "0"
}

// isLoopback reports whether only the same machine reaches an address.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isOrigin reports whether s is what a browser sends as Origin.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && s == u.Scheme+"://"+u.Host
}
