package budget

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// Exceeded is why a budget refused a call, for operators. Amounts are in the unit of the
// slot's measure.
type Exceeded struct {
	inference.Slot
	Limit, Needed int64
	Left          int64     // below 0 where calls used more than they reserved
	Ends          time.Time // of the window, zero for streams
}

// Never reports whether the call would be refused however little was spent.
func (e *Exceeded) Never() bool { return e.Needed > e.Limit }

// Error is the operator's line.
func (e *Exceeded) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "budget %q", e.Budget)
	if e.Pot != "" {
		fmt.Fprintf(&s, " of %q", e.Pot)
	}
	fmt.Fprintf(&s, ": %s: the call may take %s, ", e.Measure, amount(e.Measure, e.Needed))
	if e.Never() {
		fmt.Fprintf(&s, "more than the whole limit of %s: raise the limit, or lower what the call asks for", amount(e.Measure, e.Limit))
		return s.String()
	}
	fmt.Fprintf(&s, "%s of %s are left", amount(e.Measure, e.Left), amount(e.Measure, e.Limit))
	if !e.Ends.IsZero() {
		s.WriteString(" until " + e.Ends.Format(time.RFC3339))
	}
	return s.String()
}

// streamWait is when to try again for a stream: nobody knows when one ends.
const streamWait = time.Second

// What callers are told. Those of the minute and the day are the service's texts; SDKs
// repeat a Throttling soon, and a ServiceQuotaExceeded not at all.
const (
	tooManyRequests = "Too many requests, please wait before trying again."
	tooManyTokens   = "Too many tokens, please wait before trying again."
	tooManyToday    = "Too many tokens per day, please wait before trying again."
	tooManyMonth    = "the budget of this month is spent: wait for the next one, or ask the operator for more"
	tooLarge        = "this call may take more than its whole budget: lower max_tokens or send less, or ask the operator for more"
)

// exceeded is the error of a call that a cell has no room for.
func exceeded(c *cell, need int64, now time.Time) *inference.Error {
	cause := &Exceeded{Slot: c.slot, Limit: c.limit, Needed: need, Left: c.limit - c.known(), Ends: c.ends}
	e := &inference.Error{Kind: inference.Throttling, Op: opReserve, RetryAfter: streamWait, Err: cause}
	if !c.ends.IsZero() {
		e.RetryAfter = max(streamWait, c.ends.Sub(now))
	}
	switch c.slot.Measure {
	case inference.DollarsPerMonth:
		e.Kind, e.Message = inference.ServiceQuotaExceeded, tooManyMonth
	case inference.DollarsPerDay:
		e.Kind, e.Message = inference.ServiceQuotaExceeded, tooManyToday
	case inference.TokensPerMinute:
		e.Message = tooManyTokens
	default:
		e.Message = tooManyRequests
	}
	if cause.Never() {
		e.Kind, e.Message, e.RetryAfter = inference.ServiceQuotaExceeded, tooLarge, 0
	}
	return e
}

// unpriced is the error of a call whose dollars a cell cannot count.
func unpriced(claim *Claim, c *cell) *inference.Error {
	return &inference.Error{
		Kind: inference.AccessDenied, Op: opReserve,
		Message: fmt.Sprintf("%s has no price, and budget %q counts dollars: give it a row in the prices", claim.Named, c.slot.Budget),
	}
}

// worse is the one of two refusals that a caller is better told: there is no waiting for
// one without a time.
func worse(a, b *inference.Error) *inference.Error {
	if a == nil || b.RetryAfter == 0 || a.RetryAfter > 0 && b.RetryAfter > a.RetryAfter {
		return b
	}
	return a
}

var errNoLease = errors.New("the store does not answer, and what was leased is used up: bring the store back, or set leases.away to allow")

// errAbsent is the error of a call that the bank would have to lease more for.
func errAbsent(c *cell) *inference.Error {
	return &inference.Error{
		Kind: inference.ServiceUnavailable, Op: opReserve, Message: "Bedrock is unable to process your request.",
		RetryAfter: retryEvery, Err: fmt.Errorf("budget %q: %s: %w", c.slot.Budget, c.slot.Measure, errNoLease),
	}
}

// amount is a number of a measure as people read it: dollars, or a count. It is a number
// of JSON too.
func amount(m inference.Measure, n int64) json.Number {
	if m.IsMoney() {
		return json.Number(inference.Money(n).String())
	}
	return json.Number(strconv.FormatInt(n, 10))
}
