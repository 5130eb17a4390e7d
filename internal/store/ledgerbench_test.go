//go:build unix

package store

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"fairway/internal/inference"
)

// BenchmarkLedger keeps each call as a server does: its intent in one batch, in another
// what became of it with one attempt and the charges of two budgets. A batch has as many
// intents as ends. Rows are intents, records and attempts.
func BenchmarkLedger(b *testing.B) {
	for _, db := range databases {
		for _, atOnce := range []int{50, 1000} {
			b.Run(fmt.Sprintf("%s/batch=%d", db.name, 2*atOnce), func(b *testing.B) { benchmarkLedger(b, db.name, atOnce) })
		}
	}
}

func benchmarkLedger(b *testing.B, name string, atOnce int) {
	dsn := memory
	switch name {
	case "sqlite":
		dsn = "sqlite:" + filepath.Join(b.TempDir(), "ledger.db")
	case "postgres":
		dsn = freshPostgres(b)
	}
	s, err := Open(b.Context(), dsn, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	made := newTraffic()
	var before []inference.Entry
	var took, used []time.Duration // by each batch, of the clock and of the processor
	calls := 0
	b.ReportAllocs()
	for b.Loop() {
		if calls++; calls%atOnce != 0 {
			continue
		}
		entries := made.settle(before)
		before = made.open(atOnce)
		begin, cpu := time.Now(), cpuTime(b)
		if err := s.Keep(b.Context(), "server-1", append(entries, before...)); err != nil {
			b.Fatal(err)
		}
		took, used = append(took, time.Since(begin)), append(used, cpuTime(b)-cpu)
	}
	if len(took) < 10 {
		return
	}
	slowest := slices.Sorted(slices.Values(took))[len(took)*99/100]
	b.ReportMetric(float64(3*atOnce*len(took))/sum(took).Seconds(), "rows/s")
	b.ReportMetric(float64(sum(used).Microseconds())/float64(atOnce*len(used)), "cpu-us/call")
	b.ReportMetric(float64(slowest.Microseconds())/1000, "p99-ms/batch")
	tenth := len(used) / 10
	b.ReportMetric(float64(sum(used[:tenth]).Microseconds())/float64(atOnce*tenth), "first-cpu-us")
	b.ReportMetric(float64(sum(used[len(used)-tenth:]).Microseconds())/float64(atOnce*tenth), "last-cpu-us")
	b.ReportMetric(float64(3*atOnce*tenth)/sum(took[:tenth]).Seconds(), "first-rows/s")
	b.ReportMetric(float64(3*atOnce*tenth)/sum(took[len(took)-tenth:]).Seconds(), "last-rows/s")
}

func sum(all []time.Duration) (total time.Duration) {
	for _, d := range all {
		total += d
	}
	return total
}

// cpuTime is what this process has used, user and system together.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// traffic makes calls, 10,000 a second.
type traffic struct {
	random *rand.Rand
	now    time.Time
}

func newTraffic() *traffic { return &traffic{random: rand.New(rand.NewPCG(1, 2)), now: began} }

// open makes the intents of new calls: of ten principals, three models and three regions.
func (t *traffic) open(n int) []inference.Entry {
	entries := make([]inference.Entry, n)
	for i := range entries {
		t.now = t.now.Add(100 * time.Microsecond)
		who, model := t.random.IntN(10), t.random.IntN(3)
		profile := fmt.Sprintf("apac.anthropic.claude-%d-20250514-v1:0", model)
		reserved := inference.Money(40_000_000)
		entries[i] = inference.Entry{
			Open: true,
			Record: inference.Record{
				ID:        fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", t.random.Uint32(), t.random.IntN(1<<16), t.random.IntN(1<<12), t.random.IntN(1<<16), t.random.Int64N(1<<48)),
				Time:      t.now,
				Operation: inference.Converse, Principal: fmt.Sprintf("application-%d", who), Door: inference.DoorBedrock,
				Key: fmt.Sprintf("key-%d", who), Team: fmt.Sprintf("team-%d", who%4), Profile: &profile,
				Model: inference.ModelID(profile[5:]), SourceRegion: "ap-southeast-2", Policy: inference.Adaptive, Reserved: reserved,
				AWS: &inference.Verdict{Allowed: true},
			},
			Charges: []inference.Charge{
				{Slot: inference.Slot{Budget: "everyone", Measure: inference.DollarsPerDay, Starts: 1795305600}, Amount: int64(reserved)},
				{Slot: inference.Slot{Budget: "teams", Pot: fmt.Sprintf("team-%d", who%4), Measure: inference.DollarsPerMonth, Starts: 1793491200}, Amount: int64(reserved)},
			},
		}
	}
	return entries
}

var destinations = []inference.Region{"ap-southeast-2", "ap-southeast-4", "ap-northeast-1"}

// settle is what became of calls.
func (t *traffic) settle(open []inference.Entry) []inference.Entry {
	entries := make([]inference.Entry, len(open), 2*len(open))
	for i, e := range open {
		r := &e.Record
		e.Open, r.Outcome, r.DestinationRegion = false, inference.OK, destinations[t.random.IntN(len(destinations))]
		r.Usage = inference.Usage{InputTokens: 500 + t.random.IntN(3000), OutputTokens: 50 + t.random.IntN(1000)}
		r.Cost, r.LatencyMS = inference.Money(r.Usage.InputTokens*3000+r.Usage.OutputTokens*15000), int64(300+t.random.IntN(5000))
		r.Attempts = []inference.Attempt{{Region: r.DestinationRegion, Model: *r.Profile, Outcome: inference.OK, Status: 200, MS: 420, Cost: r.Cost}}
		charges := make([]inference.Charge, len(e.Charges))
		for j, c := range e.Charges {
			c.Amount = int64(r.Cost)
			charges[j] = c
		}
		e.Charges = charges
		entries[i] = e
	}
	return entries
}
