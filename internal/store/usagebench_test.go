//go:build unix

package store

import (
	"path/filepath"
	"testing"
	"time"

	"fairway/internal/inference"
)

// What a hundred million calls are in BenchmarkUsage: those of 50 principals of 5 models
// in 8 regions over 30 days, whose costs fall in 16 buckets.
const (
	benchCalls   = 100_000_000
	benchSeries  = 50 * 5 * 8
	benchDays    = 30
	benchBuckets = 16
)

// BenchmarkUsage asks for reports over the sums of a hundred million calls, condensed as
// far as they are of the past. There are hours for the days that a report begins and
// ends in.
func BenchmarkUsage(b *testing.B) {
	for _, db := range databases {
		if db.name == "memory" {
			continue // sqlite, without its readers
		}
		b.Run(db.name, func(b *testing.B) {
			dsn := "sqlite:" + filepath.Join(b.TempDir(), "usage.db")
			if db.name == "postgres" {
				dsn = freshPostgres(b)
			}
			s, err := Open(b.Context(), dsn, Options{Now: func() time.Time { return began }})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			first := began.Truncate(24*time.Hour).AddDate(0, 0, 1-benchDays)
			fillSums(b, s, first)
			if _, err := s.Condense(b.Context()); err != nil {
				b.Fatal(err)
			}
			last := first.AddDate(0, 0, benchDays)
			for _, by := range []inference.Dimension{"", inference.ByDay, inference.ByModel, inference.ByPrincipal, inference.ByRegion} {
				benchmarkReport(b, s, "by="+string(by), inference.UsageQuery{Since: first, Until: last, By: dimensions(by)})
			}
			benchmarkReport(b, s, "by=day,model", inference.UsageQuery{Since: first, Until: last, By: dimensions(inference.ByDay, inference.ByModel)})
			benchmarkReport(b, s, "by=day/where=principal", inference.UsageQuery{
				Since: first, Until: last, By: dimensions(inference.ByDay), Where: map[inference.Dimension]string{inference.ByPrincipal: "principal-7"},
			})
			benchmarkReport(b, s, "by=model/odd-hours", inference.UsageQuery{
				Since: first.Add(5 * time.Hour), Until: last.Add(-5 * time.Hour), By: dimensions(inference.ByModel),
			})
		})
	}
}

func dimensions(by ...inference.Dimension) []inference.Dimension {
	if len(by) == 1 && by[0] == "" {
		return nil
	}
	return by
}

func benchmarkReport(b *testing.B, s *Store, name string, q inference.UsageQuery) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		calls, cpu := int64(0), cpuTime(b)
		for b.Loop() {
			rows, err := s.Usage(b.Context(), q)
			if err != nil {
				b.Fatal(err)
			}
			calls = 0
			for _, row := range rows {
				calls += row.Calls
			}
		}
		b.ReportMetric(float64(calls)/1e6, "M-calls")
		b.ReportMetric(float64((cpuTime(b)-cpu).Milliseconds())/float64(b.N), "cpu-ms/op")
	})
}

// fillSums makes the rows that the calls would have made.
func fillSums(b *testing.B, s *Store, first time.Time) {
	statement := func(text string, args ...any) {
		b.Helper()
		if _, err := s.write.ExecContext(b.Context(), text, args...); err != nil {
			b.Fatal(err)
		}
	}
	statement(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49)
		INSERT INTO usage_series (principal, caller, key_name, team, door, profile, model, region, source, outcome, used)
		SELECT 'principal-' || p.i, '', 'key-' || p.i, 'team-' || p.i / 10, 'bedrock', 'apac.anthropic.model-' || m.i,
			'anthropic.model-' || m.i, 'ap-southeast-' || r.i, 'ap-southeast-1', 'ok', $1
		FROM n p, n m, n r WHERE m.i < 5 AND r.i < 8`, millis(first.AddDate(0, 0, benchDays)))
	rows := func(table string, from time.Time, step time.Duration, count int, calls int64) {
		statement(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 29)
			INSERT INTO `+table+` (starts, series, bucket, `+sumCols+`)
			SELECT CAST($1 AS BIGINT) + t.i * CAST($2 AS BIGINT), id, 80 + c.i, calls, calls, 3, 1, 900 * calls, 300 * calls, 0, 0, 50, 10, 1500000 * calls, 5000, 0, 800 * calls
			FROM n t, usage_series, n c, (SELECT CAST($3 AS BIGINT) AS calls) AS k WHERE t.i < $4 AND c.i < $5`,
			millis(from), step.Milliseconds(), calls, count, benchBuckets)
	}
	const day = 24 * time.Hour
	daily := int64(benchCalls / (benchSeries * benchDays * benchBuckets))
	rows("usage_days", first, day, benchDays, daily)
	rows("usage_hours", first, time.Hour, 24, daily/24)
	rows("usage_hours", first.Add((benchDays-1)*day), time.Hour, 24, daily/24)
}
