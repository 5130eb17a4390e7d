package bedrock

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// What an Invoke operation has in its header: the guardrail, and how the call is to
// be served.
const (
	guardrailHeader = "X-Amzn-Bedrock-Guardrailidentifier"
	versionHeader   = "X-Amzn-Bedrock-Guardrailversion"
	latencyHeader   = "X-Amzn-Bedrock-Performanceconfig-Latency"
	tierHeader      = "X-Amzn-Bedrock-Service-Tier"
)

// choice is a request header that takes one of a few values, in the order in
// which the service lists them.
type choice struct {
	header  string
	values  []string
	member  string // of the Smithy shape InvokeModelRequest
	refusal string // the service's message, where it is not that of a broken constraint
}

// choices is by ../shared/facts/bedrock.md 1.3. The messages for latency and tier
// were seen in NousResearch/hermes-agent#34476; the one for trace is by analogy.
var choices = []choice{
	{header: "X-Amzn-Bedrock-Trace", member: "trace", values: []string{"ENABLED", "DISABLED", "ENABLED_FULL"}},
	{header: latencyHeader, member: "performanceConfigLatency", values: []string{"optimized", "standard"}},
	{header: tierHeader, values: []string{"default", "priority", "flex", "reserved"}, refusal: "service tier provided is invalid"},
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
			return "1 validation error detected: Value '" + front.Clip(value) + "' at '" + c.member + "' failed to satisfy constraint: " +
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

// setService sets how the region says that it served, which need not be what was
// asked.
func setService(h http.Header, served *inference.Served) {
	if served == nil {
		return
	}
	if served.Latency != "" {
		h.Set(latencyHeader, served.Latency)
	}
	if served.Tier != "" {
		h.Set(tierHeader, served.Tier)
	}
}

// setInvocation sets what the service tells about an invocation: the time the
// region took in milliseconds, as it says or as it was measured, and token counts
// where the model reports them.
func setInvocation(h http.Header, answer inference.Event, record *inference.Record) {
	u := answer.Usage
	set := func(name string, n int64) { h.Set("X-Amzn-Bedrock-"+name, strconv.FormatInt(n, 10)) }
	if answer.Served != nil && answer.Served.MS > 0 {
		set("Invocation-Latency", answer.Served.MS)
	} else if answering, ok := record.Answering(); ok {
		set("Invocation-Latency", answering.MS)
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
