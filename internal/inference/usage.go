package inference

import "time"

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

// IsTime reports whether it is a time that calls began in.
func (d Dimension) IsTime() bool { return d.Layout() != "" }

// Layout is how the keys of a time are written, as package time has it; empty for what is
// no time.
func (d Dimension) Layout() string {
	switch d {
	case ByHour:
		return "2006-01-02T15Z"
	case ByDay:
		return time.DateOnly
	case ByMonth:
		return "2006-01"
	}
	return ""
}

// Next is the begin of the hour, day or month, UTC's, after the one that a time is in.
func (d Dimension) Next(at time.Time) time.Time {
	at = at.UTC()
	switch d {
	case ByMonth:
		return time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	case ByDay:
		return time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, time.UTC)
	}
	return at.Truncate(time.Hour).Add(time.Hour)
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

// Add adds the calls of another row; Keys stay.
func (r *UsageRow) Add(o *UsageRow) {
	r.Calls += o.Calls
	r.Failed += o.Failed
	r.Unknown += o.Unknown
	r.Attempts += o.Attempts
	r.FailedOver += o.FailedOver
	r.Hedged += o.Hedged
	r.InputTokens += o.InputTokens
	r.OutputTokens += o.OutputTokens
	r.CacheReadTokens += o.CacheReadTokens
	r.CacheWriteTokens += o.CacheWriteTokens
	r.WastedInputTokens += o.WastedInputTokens
	r.WastedOutputTokens += o.WastedOutputTokens
	r.Cost += o.Cost
	r.WastedCost += o.WastedCost
	r.Saved += o.Saved
	r.LatencyMS += o.LatencyMS
	if r.Costs == nil {
		r.Costs = map[int]int64{}
	}
	for bucket, n := range o.Costs {
		r.Costs[bucket] += n
	}
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
