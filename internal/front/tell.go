package front

import (
	"net/http"
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// Describe adds what only Fairway tells: where the call entered, after how many
// attempts, where the model ran if that is known, that regions are simulated, which
// budgets are nearly spent, and, where that was asked for and the answer is whole, what
// it cost. A nil record tells nothing.
func (v *Visit) Describe(h http.Header, record *inference.Record) {
	if record == nil {
		return
	}
	h.Set("X-Fairway-Attempts", strconv.Itoa(len(record.Attempts)))
	if answering, ok := record.Answering(); ok {
		h.Set("X-Fairway-Entry-Region", string(answering.Region))
	}
	if record.DestinationRegion != "" {
		h.Set("X-Fairway-Destination-Region", string(record.DestinationRegion))
	}
	if record.Simulated && len(record.Attempts) > 0 {
		h.Set("X-Fairway-Simulated", "true")
	}
	if len(record.Nearing) > 0 {
		h.Set("X-Fairway-Budget", Nearing(record.Nearing))
	}
	if v.Steering.Cost && record.Outcome != "" {
		h.Set("X-Fairway-Cost-Usd", record.Cost.String())
	}
}

// Nearing is the value of x-fairway-budget: "kitchen dollars_per_day 83%", and a comma
// between several.
func Nearing(all []inference.Nearing) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = n.Budget + " " + string(n.Measure) + " " + strconv.Itoa(n.Percent) + "%"
	}
	return strings.Join(words, ", ")
}

// Announce declares the trailers of a streamed answer, before its header is sent.
// Clients that do not ask for them pass over them: the SDKs in Go and JavaScript
// do, over HTTP/1.1 and HTTP/2.
func (v *Visit) Announce(h http.Header) {
	trailers := "X-Fairway-Outcome, X-Fairway-Input-Tokens, X-Fairway-Output-Tokens, X-Fairway-Continued"
	if v.Steering.Cost {
		trailers += ", X-Fairway-Cost-Usd"
	}
	h.Set("Trailer", trailers)
}

// Conclude sets the trailers: what is known of a stream only when it is closed,
// and its record complete.
func (v *Visit) Conclude(h http.Header, record *inference.Record) {
	h.Set("X-Fairway-Outcome", string(record.Outcome))
	h.Set("X-Fairway-Input-Tokens", strconv.Itoa(record.Usage.InputTokens))
	h.Set("X-Fairway-Output-Tokens", strconv.Itoa(record.Usage.OutputTokens))
	h.Set("X-Fairway-Continued", strconv.Itoa(record.Continued)) // 0 tells that no other target went on
	if v.Steering.Cost {
		h.Set("X-Fairway-Cost-Usd", record.Cost.String())
	}
}
