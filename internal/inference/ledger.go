package inference

import "time"

// Entry is what a ledger keeps of a call: its record as it stands, open while the call
// runs. One that is settled takes the place of the open one with the same Record.ID.
type Entry struct {
	Open    bool     `json:"open,omitempty"`
	Record  Record   `json:"record"`
	Charges []Charge `json:"charges,omitempty"` // the Record's, which its own JSON leaves out
}

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

// IsMoney reports whether the measure is kept with the records of the calls.
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

// Pot is what is taken of a slot on all servers, in the unit of its measure.
type Pot struct {
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

// Dimension is what reports tell calls apart by.
type Dimension string

// The dimensions.
const (
	ByHour      Dimension = "hour"
	ByDay       Dimension = "day"
	ByMonth     Dimension = "month"
	ByModel     Dimension = "model"   // that answered, else that was called
	ByProfile   Dimension = "profile" // that was called, empty for a bare model
	ByRegion    Dimension = "region"  // that answered, empty for none
	BySource    Dimension = "source"  // region
	ByPrincipal Dimension = "principal"
	ByUser      Dimension = "user" // name
	ByKey       Dimension = "key"
	ByTeam      Dimension = "team"
	ByDoor      Dimension = "door"
	ByOutcome   Dimension = "outcome"
)

// Dimensions are all of them.
func Dimensions() []Dimension {
	return []Dimension{ByHour, ByDay, ByMonth, ByModel, ByProfile, ByRegion, BySource, ByPrincipal, ByUser, ByKey, ByTeam, ByDoor, ByOutcome}
}

// UsageQuery is what a report is asked: calls that began from Since up to before Until,
// both on whole hours, those alone that Where names, told apart by By.
type UsageQuery struct {
	Since, Until time.Time
	By           []Dimension // none gives one row
	Where        map[Dimension]string
}

// UsageRow is the sum of some calls. Of no call it is the zero UsageRow.
type UsageRow struct {
	Keys []string // one for each dimension that was asked for; times as "2026-11-23T04Z", "2026-11-23", "2026-11"

	Calls      int64 // all of them, open ones not yet
	Failed     int64
	Unknown    int64 // nobody settled: the server that made them ended first
	Attempts   int64
	FailedOver int64 // calls of more than one attempt that was no hedge
	Hedged     int64 // calls with a hedge

	InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens int64
	WastedInputTokens, WastedOutputTokens                        int64
	Cost, WastedCost, Saved                                      Money // Cost includes WastedCost
	LatencyMS                                                    int64 // of all calls together

	Costs map[int]int64 // calls by the bucket of their cost, see CostBucket
}

// bucketBits tells apart four costs between one power of two and the next.
const bucketBits = 2

// CostBucket is the number of the bucket that a call's cost falls in: 0 for none, then
// rising. Buckets are at most a quarter wide, from Dollar/1e9 up.
func CostBucket(cost Money) int {
	if cost <= 0 {
		return 0
	}
	n, exponent := uint64(cost), 0
	for n >= 1<<(bucketBits+1) {
		n >>= 1
		exponent++
	}
	return exponent<<bucketBits + int(n)
}

// BucketCost is the least cost of a bucket.
func BucketCost(bucket int) Money {
	if bucket < 1<<bucketBits {
		return Money(max(bucket, 0))
	}
	exponent := bucket>>bucketBits - 1
	return Money(uint64(bucket-exponent<<bucketBits) << exponent)
}

// Calibration is what the answers of a model taught about estimates of its tokens, for
// one class of scripts: of the logarithms of real over estimated tokens how many there
// were, their sum and the sum of their squares. Old ones fade, so that none is whole.
type Calibration struct {
	Model   string    `json:"model"`
	Class   string    `json:"class"`
	Samples float64   `json:"samples"`
	Sum     float64   `json:"sum"`
	Squares float64   `json:"squares"`
	Updated time.Time `json:"updated"`
}

// Standing is how estimates of a model's tokens do for texts of one script, by what its
// answers taught.
type Standing struct {
	Model   ModelID `json:"model"`
	Script  string  `json:"script"`
	Samples float64 `json:"samples"` // answers that taught, older ones for less
	Factor  float64 `json:"factor"`  // that the arithmetic is multiplied with
	Error   float64 `json:"error"`   // half the interval's width as a share of the estimate, of long texts
}
