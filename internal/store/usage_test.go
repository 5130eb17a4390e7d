package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// TestReports holds every database to the same reports and exports.
func TestReports(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				run  func(*testing.T, *Store)
			}{
				{"no usage", testNoUsage},
				{"usage", testUsage},
				{"usage as a plain sum has it", testUsageModel},
				{"condensed", testCondense},
				{"condensed at once", testCondenseAtOnce},
				{"what cannot be asked", testNotAsked},
				{"too many rows", testTooManyRows},
				{"no records", testNoRecords},
				{"records", testRecords},
				{"many records", testManyRecords},
				{"records that end early", testRecordsEnd},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, open(t, d.fresh(t))) })
			}
		})
	}
}

func usage(t *testing.T, s *Store, q inference.UsageQuery) []inference.UsageRow {
	t.Helper()
	rows, err := s.Usage(t.Context(), q)
	if err != nil {
		t.Fatalf("Usage(%+v) = %v", q, err)
	}
	return rows
}

func keepAll(t testing.TB, s *Store, records ...inference.Record) {
	t.Helper()
	entries := make([]inference.Entry, len(records))
	for i, r := range records {
		entries[i] = inference.Entry{Record: r}
	}
	if err := s.Keep(context.Background(), "1", entries); err != nil {
		t.Fatalf("Keep() = %v", err)
	}
}

func testNoUsage(t *testing.T, s *Store) {
	if got := usage(t, s, inference.UsageQuery{By: []inference.Dimension{inference.ByDay}}); len(got) != 0 {
		t.Errorf("Usage() by day = %+v, want none", got)
	}
	got := usage(t, s, inference.UsageQuery{Since: began, Until: began.AddDate(0, 1, 0)})
	if diff := gocmp.Diff([]inference.UsageRow{{}}, got); diff != "" {
		t.Errorf("Usage() (-want +got):\n%s", diff)
	}
}

// testUsage: the sums of two calls, by hand.
func testUsage(t *testing.T, s *Store) {
	profile := "apac.model"
	keepAll(t, s, inference.Record{
		ID: "1", Time: began, Principal: "developer", Caller: "ann", Key: "ci", Team: "red", Door: inference.DoorOpenAI,
		Profile: &profile, Model: "model", SourceRegion: "ap-southeast-1", DestinationRegion: "us-east-1", Outcome: inference.OK,
		Attempts: []inference.Attempt{{Region: "ap-southeast-1"}, {Region: "us-east-1", Hedge: true}},
		Usage:    inference.Usage{InputTokens: 10, OutputTokens: 20, CacheReadTokens: 30, CacheWriteTokens: 40},
		Wasted:   inference.Usage{InputTokens: 3, OutputTokens: 4}, Cost: 1000, WastedCost: 100, Saved: -5, LatencyMS: 700,
	}, inference.Record{
		ID: "2", Time: began.AddDate(0, 0, 1), Principal: "developer", Model: "model", FallbackModel: "other", SourceRegion: "ap-southeast-1",
		Destination: "unknown (one of 8)", Outcome: inference.Failed, Attempts: []inference.Attempt{{}, {}}, LatencyMS: 1,
	})
	got := usage(t, s, inference.UsageQuery{By: []inference.Dimension{
		inference.ByRegion, inference.ByMonth, inference.ByDay, inference.ByHour, inference.ByModel, inference.ByProfile, inference.BySource,
		inference.ByPrincipal, inference.ByUser, inference.ByKey, inference.ByTeam, inference.ByDoor, inference.ByOutcome,
	}})
	want := []inference.UsageRow{{
		Keys:  []string{"unknown (one of 8)", "2026-11", "2026-11-23", "2026-11-23T12Z", "other", "", "ap-southeast-1", "developer", "", "", "", "", "failed"},
		Calls: 1, Failed: 1, Attempts: 2, FailedOver: 1, LatencyMS: 1, Costs: map[int]int64{0: 1},
	}, {
		Keys:  []string{"us-east-1", "2026-11", "2026-11-22", "2026-11-22T12Z", "model", "apac.model", "ap-southeast-1", "developer", "ann", "ci", "red", "openai", "ok"},
		Calls: 1, Attempts: 2, Hedged: 1,
		InputTokens: 10, OutputTokens: 20, CacheReadTokens: 30, CacheWriteTokens: 40, WastedInputTokens: 3, WastedOutputTokens: 4,
		Cost: 1000, WastedCost: 100, Saved: -5, LatencyMS: 700, Costs: map[int]int64{inference.CostBucket(1000): 1},
	}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("Usage() (-want +got):\n%s", diff)
	}
}

// dimensionOf is what a record is told apart by, said once more.
func dimensionOf(r *inference.Record, d inference.Dimension) string {
	switch d {
	case inference.ByHour:
		return r.Time.Format("2006-01-02T15Z")
	case inference.ByDay:
		return r.Time.Format("2006-01-02")
	case inference.ByMonth:
		return r.Time.Format("2006-01")
	case inference.ByModel:
		return cmp.Or(string(r.FallbackModel), string(r.Model))
	case inference.ByProfile:
		if r.Profile == nil {
			return ""
		}
		return *r.Profile
	case inference.ByRegion:
		return cmp.Or(r.Destination, string(r.DestinationRegion))
	case inference.BySource:
		return string(r.SourceRegion)
	case inference.ByPrincipal:
		return r.Principal
	case inference.ByUser:
		return r.Caller
	case inference.ByKey:
		return r.Key
	case inference.ByTeam:
		return r.Team
	case inference.ByDoor:
		return r.Door
	}
	return string(r.Outcome)
}

// matching are the records of a question, in order.
func matching(records []inference.Record, since, until time.Time, where map[inference.Dimension]string) []inference.Record {
	found := slices.DeleteFunc(slices.Clone(records), func(r inference.Record) bool {
		for d, value := range where {
			if dimensionOf(&r, d) != value {
				return true
			}
		}
		return r.Time.Before(since) || !until.IsZero() && !r.Time.Before(until)
	})
	slices.SortFunc(found, func(a, b inference.Record) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return found
}

// naive is Usage of records, call by call.
func naive(records []inference.Record, q inference.UsageQuery) []inference.UsageRow {
	rows := map[string]*inference.UsageRow{}
	for _, r := range matching(records, q.Since, q.Until, q.Where) {
		var keys []string
		for _, d := range q.By {
			keys = append(keys, dimensionOf(&r, d))
		}
		name := strings.Join(keys, "\n")
		if rows[name] == nil {
			rows[name] = &inference.UsageRow{Keys: keys, Costs: map[int]int64{}}
		}
		row := rows[name]
		row.Calls++
		if r.Outcome == inference.Failed {
			row.Failed++
		}
		if r.Outcome == inference.Unknown {
			row.Unknown++
		}
		row.Attempts += int64(len(r.Attempts))
		row.InputTokens += int64(r.Usage.InputTokens)
		if r.Outcome == inference.Failed { // all that it used was for nothing
			row.WastedInputTokens, row.WastedCost = row.WastedInputTokens+int64(r.Usage.InputTokens), row.WastedCost+r.Cost
		}
		row.Cost += r.Cost
		row.LatencyMS += r.LatencyMS
		row.Costs[inference.CostBucket(r.Cost)]++
	}
	var all []inference.UsageRow
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		all = append(all, *rows[name])
	}
	if len(all) == 0 && len(q.By) == 0 {
		all = []inference.UsageRow{{}}
	}
	return all
}

// someRecord draws a record of one of few kinds.
func someRecord(r *rapid.T, id string) inference.Record {
	of := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(r, label) }
	record := inference.Record{
		ID: id, Time: began.Add(time.Duration(rapid.IntRange(-5*24*60, 5*24*60).Draw(r, "minute")) * time.Minute),
		Principal: of("principal", "p", "q"), Caller: of("user", "", "ann", "bob"), Key: of("key", "", "k"), Team: of("team", "", "red"),
		Door: of("door", inference.DoorBedrock, inference.DoorOpenAI), Model: inference.ModelID(of("model", "m", "n")), FallbackModel: inference.ModelID(of("fallback", "", "n")),
		SourceRegion: "eu-west-1", DestinationRegion: inference.Region(of("region", "", "eu-west-1", "us-east-1")), Destination: of("destination", "", "unknown"),
		Outcome:   rapid.SampledFrom([]inference.Outcome{inference.OK, inference.Failed, inference.Unknown}).Draw(r, "outcome"),
		Usage:     inference.Usage{InputTokens: rapid.IntRange(0, 9).Draw(r, "input")},
		Cost:      inference.Money(rapid.IntRange(0, 9).Draw(r, "cost")),
		LatencyMS: int64(rapid.IntRange(0, 9).Draw(r, "latency")),
		Attempts:  make([]inference.Attempt, rapid.IntRange(0, 2).Draw(r, "attempts")),
	}
	if profile := of("profile", "", "x"); profile != "" {
		record.Profile = &profile
	}
	return record
}

// someQuestion draws what is asked about such records.
func someQuestion(r *rapid.T, records []inference.Record) inference.UsageQuery {
	dimension := rapid.SampledFrom(inference.Dimensions())
	q := inference.UsageQuery{By: rapid.SliceOfNDistinct(dimension, 0, 4, rapid.ID).Draw(r, "by"), Where: map[inference.Dimension]string{}}
	for _, d := range rapid.SliceOfNDistinct(dimension, 0, 2, rapid.ID).Draw(r, "where") {
		q.Where[d] = dimensionOf(&rapid.SliceOfN(rapid.SampledFrom(records), 1, 1).Draw(r, "like")[0], d)
	}
	hour := rapid.IntRange(-6*24, 6*24)
	if rapid.Bool().Draw(r, "from") {
		q.Since = began.Add(time.Duration(hour.Draw(r, "since")) * time.Hour)
	}
	if rapid.Bool().Draw(r, "to") {
		q.Until = began.Add(time.Duration(hour.Draw(r, "until")) * time.Hour)
	}
	return q
}

// testUsageModel: reports and exports of any calls are those that a plain sum makes,
// also after some unknown ones were settled, and sums were condensed before and after.
func testUsageModel(t *testing.T, s *Store) {
	rapid.Check(t, func(r *rapid.T) {
		for _, table := range []string{"calls", "attempts", "usage_hours", "usage_days", "past_hours", "past_days"} {
			if _, err := s.write.ExecContext(t.Context(), `DELETE FROM `+table); err != nil {
				r.Fatal(err)
			}
		}
		var records []inference.Record
		for i := range rapid.IntRange(1, 30).Draw(r, "calls") {
			records = append(records, someRecord(r, fmt.Sprint(i)))
		}
		condense := func() {
			if rapid.Bool().Draw(r, "condense") {
				if _, err := s.Condense(t.Context()); err != nil {
					r.Fatalf("Condense() = %v", err)
				}
			}
		}
		keepAll(t, s, records...)
		condense()
		for i := range records {
			if records[i].Outcome == inference.Unknown && rapid.Bool().Draw(r, "settled") {
				records[i].Outcome, records[i].Cost = inference.OK, records[i].Cost+1
				keepAll(t, s, records[i])
			}
		}
		condense()
		for range 3 {
			q := someQuestion(r, records)
			got, err := s.Usage(t.Context(), q)
			ignore := cmpopts.IgnoreFields(inference.UsageRow{}, "FailedOver")
			if diff := gocmp.Diff(naive(records, q), got, ignore, cmpopts.EquateEmpty()); diff != "" || err != nil {
				r.Fatalf("Usage(%+v) = %v (-want +got):\n%s", q, err, diff)
			}
			var read []inference.Record
			err = s.Records(t.Context(), q.Since, q.Until, q.Where, func(r *inference.Record) error { read = append(read, *r); return nil })
			if diff := gocmp.Diff(matching(records, q.Since, q.Until, q.Where), read, cmpopts.EquateEmpty()); diff != "" || err != nil {
				r.Fatalf("Records(%+v) = %v (-want +got):\n%s", q, err, diff)
			}
		}
	})
}

func testNotAsked(t *testing.T, s *Store) {
	none := func(*inference.Record) error { return nil }
	for _, where := range []map[inference.Dimension]string{
		{"colour": "red"}, {"": ""}, {"bucket": "1"}, {"1 = 1 OR model": "m"},
		{inference.ByHour: "2026-11-23"}, {inference.ByDay: ""}, {inference.ByMonth: "2026-13"}, {inference.ByDay: strings.Repeat("2", 1000)},
	} {
		_, err := s.Usage(t.Context(), inference.UsageQuery{Where: where})
		wantKind(t, fmt.Sprintf("Usage() where %v", where), err, inference.Validation)
		wantKind(t, fmt.Sprintf("Records() where %v", where), s.Records(t.Context(), began, began, where, none), inference.Validation)
	}
	for _, by := range []inference.Dimension{"colour", "", "starts", "calls"} {
		_, err := s.Usage(t.Context(), inference.UsageQuery{By: []inference.Dimension{by}})
		wantKind(t, fmt.Sprintf("Usage() by %q", by), err, inference.Validation)
	}
	_, err := s.Usage(canceled(t), inference.UsageQuery{})
	wantKind(t, "Usage() of a caller who went away", err, inference.Canceled)
}

func testTooManyRows(t *testing.T, s *Store) {
	keepAll(t, s, inference.Record{ID: "1", Time: began, Outcome: inference.OK, Model: "m"}, inference.Record{ID: "2", Time: began, Outcome: inference.OK, Model: "n"})
	total, err := newTally("report", []inference.Dimension{inference.ByModel})
	if err != nil {
		t.Fatal(err)
	}
	total.most = 1
	spans, err := s.spans(t.Context(), asked{until: millis(began.AddDate(1, 0, 0))}, false)
	if err != nil || len(spans) != 1 {
		t.Fatalf("spans() = %+v, %v, want one day", spans, err)
	}
	wantKind(t, "a second row of one", s.sum(t.Context(), spans[0], asked{}, total), inference.Validation)
	total.most = 2
	if err := s.sum(t.Context(), spans[0], asked{}, total); err != nil {
		t.Errorf("two rows of two: %v", err)
	}
}
