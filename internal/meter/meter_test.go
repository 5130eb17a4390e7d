package meter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// list prices one profile, in one region, at 3 and 15 dollars a million tokens.
type list struct{}

const (
	profile = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	model   = "anthropic.claude-sonnet-4-20250514-v1:0"
)

func (list) Cost(named string, region inference.Region, u inference.Usage) (inference.Money, bool) {
	if named != profile || region != "ap-northeast-1" {
		return 0, false
	}
	return inference.Money(u.InputTokens*3000 + u.OutputTokens*15000), true
}

// shelf is a Sink that remembers, or fails.
type shelf struct {
	records []*inference.Record
	err     error
}

func (s *shelf) Put(ctx context.Context, r *inference.Record) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.records = append(s.records, r)
	return s.err
}

var began = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func later() time.Time { return began.Add(1234 * time.Millisecond) }

func logTo(w *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

func answered() *inference.Record {
	p := profile
	return &inference.Record{
		ID: "f00d", Time: began, Operation: inference.InvokeModel, Principal: "BedrockDataSource",
		Profile: &p, Model: model, SourceRegion: "ap-southeast-1", DestinationRegion: "ap-northeast-1",
		Attempts: []inference.Attempt{
			{Region: "ap-southeast-1", Outcome: inference.Failed, Kind: inference.ServiceUnavailable},
			{Region: "ap-northeast-1", Outcome: inference.OK, Status: 200},
		},
		Usage: inference.Usage{InputTokens: 100, OutputTokens: 50},
	}
}

func TestSettle(t *testing.T) {
	var log bytes.Buffer
	sink := &shelf{}
	m := New(Config{Pricer: list{}, Sinks: []Sink{sink}, Log: logTo(&log), Now: later})
	r := answered()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	m.Settle(gone, r)

	want := answered()
	want.Outcome, want.LatencyMS, want.Cost = inference.OK, 1234, 1_050_000
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("Settle() record (-want +got):\n%s", diff)
	}
	const line = "level=INFO msg=call request_id=f00d principal=BedrockDataSource action=bedrock:InvokeModel" +
		" profile=" + profile + " model=" + model + " source_region=ap-southeast-1 destination_region=ap-northeast-1" +
		" attempts=2 outcome=ok input_tokens=100 output_tokens=50 latency_ms=1234 cost_usd=0.00105\n"
	if log.String() != line {
		t.Errorf("log = %q, want %q", log.String(), line)
	}
	if !slices.Equal(sink.records, []*inference.Record{r}) || !slices.Equal(m.Recent(5), sink.records) {
		t.Errorf("sink has %v and Recent() %v, want the record in both", sink.records, m.Recent(5))
	}
}

func TestSettleFailedCallIsFree(t *testing.T) {
	var log bytes.Buffer
	r := answered()
	r.Error = &inference.Failure{Status: 503, Type: inference.ServiceUnavailable, Message: "secret of the caller"}
	New(Config{Pricer: list{}, Log: logTo(&log), Now: later}).Settle(t.Context(), r)
	if r.Outcome != inference.Failed || r.Cost != 0 {
		t.Errorf("Settle() of a failed call: %s, cost %s, want failed, 0", r.Outcome, r.Cost)
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("log = %q, want no message in it", log.String())
	}
}

func TestSettleWarnsOnceOfMissingPrice(t *testing.T) {
	var log bytes.Buffer
	m := New(Config{Pricer: list{}, Log: logTo(&log), Now: later})
	for range 3 {
		bare := answered()
		bare.Profile = nil
		m.Settle(t.Context(), bare)
		if bare.Cost != 0 || bare.Outcome != inference.OK {
			t.Errorf("Settle() without a price: %s, cost %s, want ok, 0", bare.Outcome, bare.Cost)
		}
	}
	const warning = `level=WARN msg="no price known, counted as free" model=` + model + "\n"
	if got := strings.Count(log.String(), warning); got != 1 {
		t.Errorf("%d warnings in %q, want 1", got, log.String())
	}
}

func TestSettleGoesOnAfterSinkFails(t *testing.T) {
	var log bytes.Buffer
	broken, good := &shelf{err: errors.New("disk full")}, &shelf{}
	m := New(Config{Pricer: list{}, Sinks: []Sink{broken, good}, Log: logTo(&log), Now: later})
	m.Settle(t.Context(), answered())
	if len(good.records) != 1 {
		t.Errorf("the sink after a broken one has %d records, want 1", len(good.records))
	}
	if want := `level=ERROR msg="record not kept" request_id=f00d error="disk full"`; !strings.Contains(log.String(), want) {
		t.Errorf("log = %q, want %q in it", log.String(), want)
	}
}

// Recent equals the end of the list of everything settled, newest first.
func TestRecentProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := rapid.IntRange(1, 6).Draw(t, "keep")
		m := New(Config{Pricer: list{}, Keep: keep})
		var all []string
		for i := range rapid.IntRange(0, 20).Draw(t, "calls") {
			r := answered()
			r.ID = fmt.Sprint(i)
			m.Settle(context.Background(), r)
			all = append(all, r.ID)
		}
		n := rapid.IntRange(-1, 10).Draw(t, "n")
		slices.Reverse(all)
		want := all[:max(0, min(n, keep, len(all)))]
		got := []string{}
		for _, r := range m.Recent(n) {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("Recent(%d) keeping %d = %v, want %v", n, keep, got, want)
		}
	})
}

func TestSettleConcurrently(t *testing.T) {
	m := New(Config{Pricer: list{}, Keep: 10})
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			m.Settle(context.Background(), answered())
			m.Recent(3)
		})
	}
	calls.Wait()
	if got := len(m.Recent(100)); got != 10 {
		t.Errorf("len(Recent(100)) = %d, want 10", got)
	}
}

func BenchmarkSettle(b *testing.B) {
	m := New(Config{Pricer: list{}, Log: slog.New(slog.NewTextHandler(discard{}, nil))})
	r := answered()
	b.ReportAllocs()
	for b.Loop() {
		m.Settle(b.Context(), r)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
