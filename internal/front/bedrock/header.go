package bedrock

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// guardrailHeader names the guardrail of an Invoke operation.
const guardrailHeader = "X-Amzn-Bedrock-Guardrailidentifier"

// choice is a request header that takes one of a few values, in the order in
// which the service lists them.
type choice struct {
	header  string
	values  []string
	member  string // of the Smithy shape InvokeModelRequest
	refusal string // the service's message, where it is not that of a broken constraint
	echoed  bool   // the answer tells what served; a region here serves as it is asked
}

// choices is by ../shared/facts/bedrock.md 1.3. The messages for latency and tier
// were seen in NousResearch/hermes-agent#34476; the one for trace is by analogy.
var choices = []choice{
	{header: "X-Amzn-Bedrock-Trace", member: "trace", values: []string{"ENABLED", "DISABLED", "ENABLED_FULL"}},
	{header: "X-Amzn-Bedrock-Performanceconfig-Latency", member: "performanceConfigLatency", values: []string{"optimized", "standard"}, echoed: true},
	{header: "X-Amzn-Bedrock-Service-Tier", values: []string{"default", "priority", "flex", "reserved"}, refusal: "service tier provided is invalid", echoed: true},
}

// wrongChoice is the service's message for the first header whose value is none
// that it takes, empty when there is none.
func wrongChoice(h http.Header) string {
	for _, c := range choices {
		value := h.Get(c.header)
		switch {
		case value == "" || slices.Contains(c.values, value):
		case c.refusal != "":
			return c.refusal
		default:
			return "1 validation error detected: Value '" + clip(value) + "' at '" + c.member + "' failed to satisfy constraint: " +
				"Member must satisfy enum value set: [" + strings.Join(c.values, ", ") + "]"
		}
	}
	return ""
}

// modelHeader is the part of a request's header that belongs to the model call.
func modelHeader(h http.Header) http.Header {
	own := http.Header{}
	for name, values := range h {
		if name == "Accept" || strings.HasPrefix(name, "X-Amzn-Bedrock-") {
			own[name] = values
		}
	}
	return own
}

// echo answers the choices of the request.
func echo(h, request http.Header) {
	for _, c := range choices {
		if value := request.Get(c.header); c.echoed && value != "" {
			h.Set(c.header, value)
		}
	}
}

// setInvocation sets what the service tells about an invocation: the time the
// region took in milliseconds, and token counts where the model reports them.
func setInvocation(h http.Header, u *inference.Usage, record *inference.Record) {
	set := func(name string, n int64) { h.Set("X-Amzn-Bedrock-"+name, strconv.FormatInt(n, 10)) }
	if n := len(record.Attempts); n > 0 {
		set("Invocation-Latency", record.Attempts[n-1].MS)
	}
	if u == nil {
		return
	}
	set("Input-Token-Count", int64(u.InputTokens))
	set("Output-Token-Count", int64(u.OutputTokens))
	if u.Caching {
		set("Cache-Read-Input-Token-Count", int64(u.CacheReadTokens))
		set("Cache-Write-Input-Token-Count", int64(u.CacheWriteTokens))
	}
}

// clip is s as a message may quote it.
func clip(s string) string {
	if len(s) > maxQuote {
		return strings.ToValidUTF8(s[:maxQuote], "") + "..."
	}
	return s
}

const maxQuote = 64 // bytes
