//go:build unix

package ledger

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fairway/internal/inference"
)

// nowhere is a store that keeps nothing, at once.
type nowhere struct{ Store }

func (nowhere) Keep(context.Context, string, []inference.Entry) error     { return nil }
func (nowhere) CloseUnsettled(context.Context, string, bool) (int, error) { return 0, nil }
func (nowhere) Beat(context.Context, string) error                        { return nil }
func (nowhere) Reclaim(context.Context, string) error                     { return nil }
func (nowhere) Lost(context.Context, time.Time) ([]string, error)         { return nil, nil }
func (nowhere) Forget(context.Context, time.Time, time.Time) (int, error) { return 0, nil }

// BenchmarkCall is what a call costs here beside its store, 64 at a time.
func BenchmarkCall(b *testing.B) {
	for _, d := range []Durability{Intent, Settled} {
		b.Run(string(d), func(b *testing.B) {
			l, err := Open(b.Context(), Config{Store: nowhere{}, Dir: b.TempDir(), Durability: d})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			used := cpuTime(b)
			var number atomic.Int64
			b.SetParallelism(max(64/runtime.GOMAXPROCS(0), 1))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := number.Add(1)
					call(b, l, n)
					if n%256 == 0 { // real calls do not end faster than a goroutine is woken
						if err := l.Flush(context.Background()); err != nil {
							b.Error(err)
						}
					}
				}
			})
			if err := l.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64((cpuTime(b)-used).Nanoseconds())/float64(b.N)/1e3, "cpu-us/call")
		})
	}
}

// call intends and puts, and is how long both took.
func call(b *testing.B, l *Ledger, n int64) time.Duration {
	id := fmt.Sprintf("%08d-7b1c-4b6e-8a7e-0f4c9be1d2a3", n)
	r, now := record(id), time.Now()
	r.Time = now
	if err := l.Intend(context.Background(), r); err != nil {
		b.Error(err)
	}
	took := time.Since(now)
	end := settled(id, 1)
	end.Time = now
	now = time.Now()
	if err := l.Put(context.Background(), end); err != nil {
		b.Error(err)
	}
	return took + time.Since(now)
}

// cpuTime is what the process has used so far.
func cpuTime(tb testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
