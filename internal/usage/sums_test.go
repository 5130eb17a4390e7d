package usage

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// TestPercentile: to within an eighth of what the costs say, exact for none.
func TestPercentile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		costs := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64), 1, 300).Draw(t, "costs")
		percent := rapid.SampledFrom([]int64{1, 50, 95, 99, 100}).Draw(t, "percent")
		buckets := map[int]int64{}
		for _, c := range costs {
			buckets[inference.CostBucket(inference.Money(c))]++
		}
		slices.Sort(costs)
		want := costs[(int64(len(costs))*percent+99)/100-1]
		got := int64(percentile(buckets, percent))
		if off := max(got-want, want-got); off > want/8+1 || want == 0 && got != 0 {
			t.Errorf("p%d of %v = %d, want %d", percent, costs, got, want)
		}
	})
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("p50 of nothing = %v, want 0", got)
	}
	if got := percentile(map[int]int64{5: math.MaxInt64 / 2, 9: math.MaxInt64 / 2}, 99); got != inference.BucketCost(9)+1 {
		t.Errorf("p99 of very many calls = %d, want that of bucket 9", got)
	}
}

func TestMean(t *testing.T) {
	for _, c := range []struct{ sum, n, want int64 }{{10, 4, 3}, {9, 4, 2}, {0, 7, 0}, {7, 0, 0}} {
		if got := mean(c.sum, c.n); got != c.want {
			t.Errorf("mean(%d, %d) = %d, want %d", c.sum, c.n, got, c.want)
		}
	}
}
