package usage

import (
	"maps"
	"slices"

	"fairway/internal/inference"
)

// Sums is what a row says of its calls. Its JSON is in docs/usage.md.
type Sums struct {
	Calls              int64           `json:"calls"`
	Failed             int64           `json:"failed"`
	Unknown            int64           `json:"unknown"`
	Attempts           int64           `json:"attempts"`
	FailedOver         int64           `json:"failed_over"`
	Hedged             int64           `json:"hedged"`
	InputTokens        int64           `json:"input_tokens"`
	OutputTokens       int64           `json:"output_tokens"`
	CacheReadTokens    int64           `json:"cache_read_tokens"`
	CacheWriteTokens   int64           `json:"cache_write_tokens"`
	WastedInputTokens  int64           `json:"wasted_input_tokens"`
	WastedOutputTokens int64           `json:"wasted_output_tokens"`
	Cost               inference.Money `json:"cost_usd"`
	WastedCost         inference.Money `json:"wasted_cost_usd"`
	Saved              inference.Money `json:"saved_usd"`
	PerCall            PerCall         `json:"cost_per_call_usd"`
	MeanLatencyMS      int64           `json:"mean_latency_ms"`
}

// PerCall is what one call costs. The percentiles are those of cost buckets, to within
// an eighth; the average is exact but for rounding.
type PerCall struct {
	Average inference.Money `json:"average"`
	P50     inference.Money `json:"p50"`
	P95     inference.Money `json:"p95"`
	P99     inference.Money `json:"p99"`
}

func sums(r inference.UsageRow) Sums {
	return Sums{
		Calls: r.Calls, Failed: r.Failed, Unknown: r.Unknown,
		Attempts: r.Attempts, FailedOver: r.FailedOver, Hedged: r.Hedged,
		InputTokens: r.InputTokens, OutputTokens: r.OutputTokens,
		CacheReadTokens: r.CacheReadTokens, CacheWriteTokens: r.CacheWriteTokens,
		WastedInputTokens: r.WastedInputTokens, WastedOutputTokens: r.WastedOutputTokens,
		Cost: r.Cost, WastedCost: r.WastedCost, Saved: r.Saved,
		PerCall:       perCall(r),
		MeanLatencyMS: mean(r.LatencyMS, r.Calls),
	}
}

func perCall(r inference.UsageRow) PerCall {
	return PerCall{
		Average: inference.Money(mean(int64(r.Cost), r.Calls)),
		P50:     percentile(r.Costs, 50),
		P95:     percentile(r.Costs, 95),
		P99:     percentile(r.Costs, 99),
	}
}

// mean rounds to the nearest, of nothing it is 0.
func mean(sum, n int64) int64 {
	if n <= 0 {
		return 0
	}
	return (sum + n/2) / n
}

// percentile is a cost that percent of the calls do not exceed: the middle of the
// bucket that holds the first such call.
func percentile(costs map[int]int64, percent int64) inference.Money {
	var calls int64
	for _, n := range costs {
		calls += n
	}
	// Hundreds and the rest apart, since calls times percent may be too large a number.
	left := calls/100*percent + (calls%100*percent+99)/100
	for _, bucket := range slices.Sorted(maps.Keys(costs)) {
		if left -= costs[bucket]; left <= 0 {
			least := inference.BucketCost(bucket)
			return least + (inference.BucketCost(bucket+1)-least)/2
		}
	}
	return 0
}

func sum(rows []inference.UsageRow) inference.UsageRow {
	var total inference.UsageRow
	for i := range rows {
		total.Add(&rows[i])
	}
	return total
}
