package store

import (
	"fmt"
	"math"
	"testing"

	"fairway/internal/inference"
)

// TestAbsurdUsage: records of servers that did not bound what a model server told poison
// no sum: those beside them are kept, and the sums stay whole numbers.
func TestAbsurdUsage(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			s := open(t, d.fresh(t))
			var entries []inference.Entry
			for n := range 20 {
				e := ended(fmt.Sprint("absurd-", n), 0, 3)
				most := []int{math.MaxInt, math.MinInt}[n%2]
				e.Record.Usage = inference.Usage{InputTokens: most, OutputTokens: most, CacheReadTokens: most, CacheWriteTokens: most}
				e.Record.Wasted, e.Record.LatencyMS = e.Record.Usage, int64(most)
				e.Record.Cost, e.Record.WastedCost, e.Record.Saved = inference.Money(most), inference.Money(most), inference.Money(most)
				entries = append(entries, e)
			}
			honest := ended("honest", 0, 3)
			honest.Record.Usage.InputTokens = 7
			mustKeep(t, s, "a", entries...)
			mustKeep(t, s, "a", honest)
			for _, table := range []string{"usage_hours", "usage_days"} {
				for column, want := range map[string]int64{
					"calls": 21, "input_tokens": 10*100_000_000 + 7, "wasted_output_tokens": 10 * 100_000_000, "cost": 3,
				} {
					if got := s.number(t, `SELECT SUM(`+column+`) FROM `+table); got != want {
						t.Errorf("the sum of %s in %s = %d, want %d", column, table, got, want)
					}
				}
			}
		})
	}
}
