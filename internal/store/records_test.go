package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func records(t *testing.T, s *Store, since, until time.Time, where map[inference.Dimension]string) (all []inference.Record) {
	t.Helper()
	err := s.Records(t.Context(), since, until, where, func(r *inference.Record) error {
		all = append(all, *r)
		return s.Ping(t.Context()) // the database is there for others meanwhile
	})
	if err != nil {
		t.Fatalf("Records(%s, %s, %v) = %v", since, until, where, err)
	}
	return all
}

func testNoRecords(t *testing.T, s *Store) {
	open := inference.Entry{Open: true, Record: inference.Record{ID: "1", Time: began}}
	if err := s.Keep(t.Context(), "1", []inference.Entry{open}); err != nil {
		t.Fatal(err)
	}
	if got := records(t, s, time.Time{}, time.Time{}, nil); len(got) != 0 {
		t.Errorf("Records() = %+v, want none of a call that runs", got)
	}
}

// testRecords: what is kept of a record is read as it was.
func testRecords(t *testing.T, s *Store) {
	profile := "apac.model"
	full := inference.Record{
		ID: "full", Time: began, Operation: inference.ConverseStream, Principal: "developer", Door: inference.DoorGraphQL,
		Caller: "ann", UserID: "sub", Key: "ci", Team: "red", Profile: &profile, CopiedFrom: "model", Model: "model",
		SourceRegion: "ap-southeast-1", DestinationRegion: "us-east-1", Destination: "unknown (one of 8)", Policy: "latency",
		Residency: []string{"apac", "us-east-1"}, Fallback: "other", FallbackModel: "model", Continued: 2, ShadowOf: "another", Outcome: inference.Failed,
		Error:  &inference.Failure{Status: 429, Type: inference.Throttling, Message: "too many 'requests'"},
		Usage:  inference.Usage{InputTokens: 1, OutputTokens: 2, CacheReadTokens: 3, CacheWriteTokens: 5, CacheWrite1h: 4},
		Wasted: inference.Usage{InputTokens: 6, OutputTokens: 7}, Estimated: true,
		Reserved: 8, Cost: 9, WastedCost: 10, Saved: -11, Nearing: []inference.Nearing{{Budget: "b", Measure: inference.DollarsPerDay, Percent: 81}},
		AWS: &inference.Verdict{Allowed: false, Resource: "arn", Statement: "backend.ts:30"}, LatencyMS: 12, Simulated: true,
		Attempts: []inference.Attempt{
			{Region: "us-east-1", Model: "model", Account: "222222222222", Outcome: inference.Failed, Kind: inference.Throttling, Status: 429, MS: 13, Hedge: true},
			{Region: "us-west-2", Model: "other", Outcome: inference.OK, Status: 200, MS: 14, Cut: true, Usage: &inference.Usage{InputTokens: 15}, Cost: 16},
		},
	}
	bare := inference.Record{ID: "bare", Time: began.Add(-time.Hour), Outcome: inference.Unknown, Attempts: []inference.Attempt{}}
	allowed := inference.Record{ID: "allowed", Time: began.Add(time.Hour), Outcome: inference.OK, AWS: &inference.Verdict{Allowed: true}, Attempts: []inference.Attempt{{}}}
	keepAll(t, s, full, bare, allowed)
	if diff := cmp.Diff([]inference.Record{bare, full, allowed}, records(t, s, time.Time{}, time.Time{}, nil)); diff != "" {
		t.Errorf("Records() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]inference.Record{full}, records(t, s, began, began.Add(time.Hour), nil)); diff != "" {
		t.Errorf("Records() of an hour (-want +got):\n%s", diff)
	}
}

// testManyRecords: of more than fit in memory each comes once and in order, also where
// many began at one time.
func testManyRecords(t *testing.T, s *Store) {
	const n = 2*recordsAtOnce + 1
	all := make([]inference.Record, n)
	for i := range all {
		all[i] = inference.Record{
			ID: fmt.Sprintf("%05d", i), Time: began.Add(time.Duration(i/400) * time.Millisecond), Outcome: inference.OK,
			Team: fmt.Sprint(i % 2), Attempts: make([]inference.Attempt, i%3),
		}
	}
	keepAll(t, s, all...)
	if diff := cmp.Diff(all, records(t, s, began, time.Time{}, nil)); diff != "" {
		t.Errorf("Records() (-want +got):\n%s", diff)
	}
	where := map[inference.Dimension]string{inference.ByTeam: "1", inference.ByHour: began.Format("2006-01-02T15Z")}
	got := records(t, s, time.Time{}, time.Time{}, where)
	if diff := cmp.Diff(matching(all, time.Time{}, time.Time{}, where), got); diff != "" {
		t.Errorf("Records(%v) (-want +got):\n%s", where, diff)
	}
}

func testRecordsEnd(t *testing.T, s *Store) {
	keepAll(t, s, inference.Record{ID: "1", Time: began, Outcome: inference.OK}, inference.Record{ID: "2", Time: began, Outcome: inference.OK})
	enough, read := errors.New("enough"), 0
	err := s.Records(t.Context(), began, time.Time{}, nil, func(*inference.Record) error { read++; return enough })
	if !errors.Is(err, enough) || read != 1 {
		t.Errorf("Records() = %v after %d, want the error of the first", err, read)
	}
	err = s.Records(canceled(t), began, time.Time{}, nil, func(*inference.Record) error { return nil })
	wantKind(t, "Records() for nobody", err, inference.Canceled)
}
