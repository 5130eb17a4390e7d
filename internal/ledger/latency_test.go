//go:build unix

package ledger

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/store"
)

// BenchmarkLatency is what a call waits for the ledger on SQLite with full sync, by how
// many are made at once, one after the other; the store is given all that they make.
func BenchmarkLatency(b *testing.B) {
	for _, d := range []Durability{Intent, Settled} {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("sqlite/%s/callers=%d", d, callers), func(b *testing.B) { latency(b, d, callers) })
		}
	}
}

func latency(b *testing.B, d Durability, callers int) {
	dir := b.TempDir()
	s, err := store.Open(b.Context(), "sqlite:"+filepath.Join(dir, "a.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := Open(b.Context(), Config{Store: s, Dir: filepath.Join(dir, "journal"), Durability: d})
	if err != nil {
		b.Fatal(err)
	}
	used, began := cpuTime(b), time.Now()
	var number atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			var mine []time.Duration
			for n := number.Add(1); n <= int64(b.N); n = number.Add(1) {
				mine = append(mine, call(b, l, n))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	group.Wait()
	if err := l.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	slices.SortFunc(all, cmp.Compare)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1e3, "p50-us")
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds())/1e3, "p99-us")
	b.ReportMetric(float64(b.N)/took.Seconds(), "calls/s")
	b.ReportMetric(float64((cpuTime(b)-used).Nanoseconds())/float64(b.N)/1e3, "cpu-us/call")
}
