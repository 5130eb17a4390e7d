package inference

import (
	"cmp"
	"math/bits"
	"path"
	"time"
)

// Measure is what a budget counts, or servers share otherwise.
type Measure string

// The measures. Those of dollars are of UTC's days and months, in billionths of a
// dollar; those a minute are of UTC's minutes; streams are counted while they run. No
// budget has a QuotaShare: it is in parts per thousand of the quota of a target.
const (
	DollarsPerDay     Measure = "dollars_per_day"
	DollarsPerMonth   Measure = "dollars_per_month"
	TokensPerMinute   Measure = "tokens_per_minute"
	RequestsPerMinute Measure = "requests_per_minute"
	Streams           Measure = "streams"
	QuotaShare        Measure = "quota_share"
)

// IsMoney reports whether the measure is of dollars. What is spent of it is kept with the
// records of the calls.
func (m Measure) IsMoney() bool { return m == DollarsPerDay || m == DollarsPerMonth }

// IsStanding reports whether the measure has no window: what a server holds of it lives
// by the server.
func (m Measure) IsStanding() bool { return m == Streams || m == QuotaShare }

// Window is the begin and the end of the window of a measure that now falls in, UTC.
// Standing ones have none: both are zero.
func (m Measure) Window(now time.Time) (from, to time.Time) {
	now = now.UTC()
	switch m {
	case DollarsPerDay:
		from = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 0, 1)
	case DollarsPerMonth:
		from = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	case TokensPerMinute, RequestsPerMinute:
		from = now.Truncate(time.Minute)
		return from, from.Add(time.Minute)
	}
	return time.Time{}, time.Time{}
}

// Slot is where an amount is counted: one measure of one pot of a budget, in one window.
type Slot struct {
	Budget  string  `json:"budget"`
	Pot     string  `json:"pot,omitempty"` // whose, where a budget is for each user or key; empty for one that all share
	Measure Measure `json:"measure"`
	Starts  int64   `json:"starts,omitempty"` // of the window, in Unix seconds; 0 without one
}

// Charge is what a call takes of a slot: while it runs the most that it may, at its end
// what it did. The amount is in the unit of the measure.
type Charge struct {
	Slot
	Amount int64 `json:"amount"`
}

// Taken is what is taken of a slot on all servers, in the unit of its measure.
type Taken struct {
	Slot
	Held  int64 `json:"held"`  // by servers, with what they spent of it
	Spent int64 `json:"spent"` // as the records of the calls have it; 0 of measures that are not money
}

// Lease is what a server holds of a slot of a standing measure.
type Lease struct {
	Slot
	Server string
	Held   int64
	Until  time.Time // unless the server says before that it runs
}

// Nearing is a budget that a call has brought near its limit.
type Nearing struct {
	Budget  string  `json:"budget"`
	Measure Measure `json:"measure"`
	Percent int     `json:"percent"` // of the limit, spent or reserved
}

// Compare orders slots by budget, pot, measure and window.
func (s Slot) Compare(o Slot) int {
	return cmp.Or(cmp.Compare(s.Budget, o.Budget), cmp.Compare(s.Pot, o.Pot), cmp.Compare(s.Measure, o.Measure), cmp.Compare(s.Starts, o.Starts))
}

// mostPercent is what is told of a limit that was brought to nearly nothing.
const mostPercent = 1_000_000

// Percent is how much of a limit an amount is, rounded down; 0 of none.
func Percent(amount, limit int64) int {
	if amount <= 0 || limit <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(amount), 100)
	if high >= uint64(limit) {
		return mostPercent
	}
	share, _ := bits.Div64(high, low, uint64(limit))
	return int(min(share, mostPercent))
}

// Matches reports whether one of the names is of one of the patterns, which are
// path.Match's, and "*" any name, also one with a slash. An empty name is none.
func Matches(patterns []string, names ...string) bool {
	for _, pattern := range patterns {
		for _, name := range names {
			if name != "" && (pattern == "*" || matches(pattern, name)) {
				return true
			}
		}
	}
	return false
}

// matches passes over a pattern that is none: settings have none of those.
func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
