package usage

import (
	"context"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// call is one of a memory's: what it is told apart by, and the row that it alone makes.
type call struct {
	at   time.Time
	keys map[inference.Dimension]string
	row  inference.UsageRow
}

func (c call) key(d inference.Dimension) string {
	if d.IsTime() {
		return c.at.Format(d.Layout())
	}
	return c.keys[d]
}

// memory is a ledger of a few calls.
type memory []call

func (m memory) Usage(_ context.Context, q inference.UsageQuery) ([]inference.UsageRow, error) {
	rows := map[string]*inference.UsageRow{}
	for _, c := range m {
		if c.at.Before(q.Since) || !c.at.Before(q.Until) || !c.matches(q.Where) {
			continue
		}
		var keys []string
		for _, d := range q.By {
			keys = append(keys, c.key(d))
		}
		at := strings.Join(keys, "\n")
		if rows[at] == nil {
			rows[at] = &inference.UsageRow{Keys: keys}
		}
		rows[at].Add(&c.row)
	}
	var out []inference.UsageRow
	for _, row := range rows {
		out = append(out, *row)
	}
	slices.SortFunc(out, func(a, b inference.UsageRow) int { return slices.Compare(a.Keys, b.Keys) })
	return out, nil
}

func (c call) matches(where map[inference.Dimension]string) bool {
	for d, value := range where {
		if c.key(d) != value {
			return false
		}
	}
	return true
}

// now is when the tests ask.
var now = time.Date(2026, 11, 23, 4, 30, 0, 0, time.UTC)

// aMemory draws calls of the last ten days.
func aMemory() *rapid.Generator[memory] {
	return rapid.Custom(func(t *rapid.T) memory { return rapid.SliceOfN(aCall(), 0, 40).Draw(t, "calls") })
}

func aCall() *rapid.Generator[call] {
	return rapid.Custom(func(t *rapid.T) call {
		number := func(name string, most int64) int64 { return rapid.Int64Range(0, most).Draw(t, name) }
		c := call{at: now.Add(-time.Duration(number("minutes", 14_400)) * time.Minute), keys: map[inference.Dimension]string{}}
		for _, d := range filterable() {
			c.keys[d] = rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(t, string(d))
		}
		cost := inference.Money(number("cost", 5_000_000))
		c.row = inference.UsageRow{
			Calls: 1, Failed: number("failed", 1), Unknown: number("unknown", 1), Attempts: number("attempts", 4),
			FailedOver: number("failed over", 1), Hedged: number("hedged", 1),
			InputTokens: number("input", 9_000), OutputTokens: number("output", 900),
			CacheReadTokens: number("read", 100), CacheWriteTokens: number("write", 100),
			WastedInputTokens: number("wasted input", 50), WastedOutputTokens: number("wasted output", 50),
			Cost: cost, WastedCost: cost / 10, Saved: inference.Money(number("saved", 200)) - 100, LatencyMS: number("ms", 3_000),
			Costs: map[int]int64{inference.CostBucket(cost): 1},
		}
		return c
	})
}
