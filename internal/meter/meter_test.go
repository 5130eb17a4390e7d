package meter

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// list prices one profile, at 3 and 15 dollars a million tokens.
type list struct{}

const (
	profile = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	model   = "anthropic.claude-sonnet-4-20250514-v1:0"
)

func (list) Cost(named string, u inference.Usage, _ time.Time) (inference.Money, bool) {
	if named != profile {
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
	want.Attempts[1].Cost = 1_050_000
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("Settle() record (-want +got):\n%s", diff)
	}
	const line = "level=INFO msg=call request_id=f00d principal=BedrockDataSource action=bedrock:InvokeModel" +
		" profile=" + profile + " model=" + model + " source_region=ap-southeast-1 destination_region=ap-northeast-1" +
		" attempts=2 outcome=ok input_tokens=100 output_tokens=50 latency_ms=1234 cost_usd=0.00105\n"
	if log.String() != line {
		t.Errorf("log = %q, want %q", log.String(), line)
	}
	if !slices.Equal(sink.records, []*inference.Record{r}) {
		t.Errorf("sink has %v, want the record", sink.records)
	}
}

// A failed call costs what it used, and is no reason to speak of prices when that
// is nothing.
func TestSettleFailedCall(t *testing.T) {
	for _, c := range []struct {
		named string
		usage inference.Usage
		want  inference.Money
	}{
		{profile, inference.Usage{InputTokens: 100, OutputTokens: 1}, 315_000},
		{profile, inference.Usage{}, 0},
		{"no such profile", inference.Usage{}, 0},
	} {
		var log bytes.Buffer
		r := answered()
		r.Profile, r.Usage = &c.named, c.usage
		r.Error = &inference.Failure{Status: 503, Type: inference.ServiceUnavailable, Message: "secret of the caller"}
		New(Config{Pricer: list{}, Log: logTo(&log), Now: later}).Settle(t.Context(), r)
		if r.Outcome != inference.Failed || r.Cost != c.want {
			t.Errorf("Settle() of a failed call that used %+v: %s, cost %s, want failed, %s", c.usage, r.Outcome, r.Cost, c.want)
		}
		if got := log.String(); strings.Contains(got, "secret") || strings.Contains(got, "WARN") {
			t.Errorf("log = %q, want no message of the error and no warning in it", got)
		}
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

// broken is a Sink that panics.
type broken struct{}

func (broken) Put(context.Context, *inference.Record) error { panic("cannot count") }

func TestSettleGoesOnAfterSinkPanics(t *testing.T) {
	var log bytes.Buffer
	good := &shelf{}
	m := New(Config{Pricer: list{}, Sinks: []Sink{broken{}, good}, Log: logTo(&log), Now: later})
	m.Settle(t.Context(), answered())
	if len(good.records) != 1 {
		t.Errorf("the sink after one that panics has %d records, want 1", len(good.records))
	}
	if want := `level=ERROR msg="record not kept" request_id=f00d error="keep record: panic: cannot count`; !strings.Contains(log.String(), want) {
		t.Errorf("log = %q, want %q in it", log.String(), want)
	}
}

func TestSettleConcurrently(t *testing.T) {
	var log bytes.Buffer
	m := New(Config{Pricer: list{}, Log: logTo(&log)})
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			bare := answered()
			bare.Profile = nil
			m.Settle(context.Background(), bare)
		})
	}
	calls.Wait()
	if lines, warnings := strings.Count(log.String(), "msg=call"), strings.Count(log.String(), "level=WARN"); lines != 50 || warnings != 1 {
		t.Errorf("%d calls and %d warnings logged, want 50 and 1", lines, warnings)
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

// TestSettlePrices: a copy costs what its original does, and a profile without a
// price of its own what its model does.
func TestSettlePrices(t *testing.T) {
	other := "abcdef123456"
	for _, c := range []struct {
		name   string
		copied string
		model  inference.ModelID
		want   inference.Money
	}{
		{"a copy", profile, model, 1_050_000},
		{"an unknown profile of a priced model", "", profile, 1_050_000},
		{"an unknown profile of an unknown model", "", model, 0},
	} {
		r := answered()
		r.Profile, r.CopiedFrom, r.Model = &other, c.copied, c.model
		New(Config{Pricer: list{}, Now: later}).Settle(t.Context(), r)
		if r.Cost != c.want {
			t.Errorf("cost of %s = %s, want %s", c.name, r.Cost, c.want)
		}
	}
}
