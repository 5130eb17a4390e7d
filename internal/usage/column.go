package usage

// column is one of the numbers of a table.
type column struct {
	head string
	rank int // of those that do not fit: the highest gives way first, 0 never does
	cell func(Sums) string
}

// numbers are the columns of a table, from left to right.
var numbers = []column{
	{"CALLS", 0, func(s Sums) string { return grouped(s.Calls) }},
	{"FAILED", 3, func(s Sums) string { return grouped(s.Failed) }},
	{"UNKNOWN", 8, func(s Sums) string { return grouped(s.Unknown) }},
	{"FAILED OVER", 6, func(s Sums) string { return grouped(s.FailedOver) }},
	{"HEDGED", 10, func(s Sums) string { return grouped(s.Hedged) }},
	{"INPUT", 2, func(s Sums) string { return grouped(s.InputTokens) }},
	{"CACHE READ", 9, func(s Sums) string { return grouped(s.CacheReadTokens) }},
	{"OUTPUT", 2, func(s Sums) string { return grouped(s.OutputTokens) }},
	{"WASTED", 11, func(s Sums) string { return grouped(s.WastedInputTokens + s.WastedOutputTokens) }},
	{"COST $", 0, func(s Sums) string { return dollars(s.Cost, 4) }},
	{"WASTED $", 7, func(s Sums) string { return dollars(s.WastedCost, 4) }},
	{"SAVED $", 5, func(s Sums) string { return dollars(s.Saved, 4) }},
	{"AVG $", 1, func(s Sums) string { return dollars(s.PerCall.Average, 6) }},
	{"P50 $", 12, func(s Sums) string { return dollars(s.PerCall.P50, 6) }},
	{"P95 $", 4, func(s Sums) string { return dollars(s.PerCall.P95, 6) }},
	{"P99 $", 13, func(s Sums) string { return dollars(s.PerCall.P99, 6) }},
	{"MEAN MS", 14, func(s Sums) string { return grouped(s.MeanLatencyMS) }},
}
