package telemetry

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"fairway/internal/inference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	model  = inference.ModelID("anthropic.claude-sonnet-4-20250514-v1:0")
	region = inference.Region("ap-southeast-1")
)

func newTestMetrics() *Metrics {
	return NewMetrics(MetricsOptions{
		Version: "v1", Regions: []inference.Region{region}, Models: []inference.ModelID{model},
		InFlight: func() int64 { return 3 }, HeldBytes: func() int64 { return 4096 }, Skipped: func() int64 { return 5 },
	})
}

func answered() *inference.Record {
	return &inference.Record{
		Operation: inference.ConverseStream, Model: model, LatencyMS: 4000, Cost: inference.Dollar / 2,
		Usage: inference.Usage{InputTokens: 10, OutputTokens: 20, CacheReadTokens: 30, CacheWriteTokens: 40},
		Attempts: []inference.Attempt{
			{Region: region, Model: "a", Outcome: inference.Failed, Kind: inference.Throttling, MS: 100},
			{Region: region, Model: "b", Outcome: inference.OK, MS: 300},
		},
	}
}

func refused(kind inference.Kind) *inference.Record {
	return &inference.Record{
		Operation: inference.InvokeModel, Model: model, LatencyMS: 1, Error: &inference.Failure{Type: kind},
		Attempts: []inference.Attempt{{Region: region, Outcome: inference.Failed, Kind: kind, MS: 1}},
	}
}

func put(t testing.TB, m *Metrics, records ...*inference.Record) {
	t.Helper()
	for _, r := range records {
		if err := m.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMetrics(t *testing.T) {
	m := newTestMetrics()
	put(t, m, answered(), answered(), refused(inference.Throttling))
	m.Attempt(inference.Target{Region: region}, inference.Attempt{Outcome: inference.OK})
	m.Attempt(inference.Target{Region: region}, inference.Attempt{Outcome: inference.Failed, Kind: inference.ServiceUnavailable})
	m.Overload()
	const want = `
fairway_attempts_total{kind="",outcome="ok",region="ap-southeast-1"} 1
fairway_attempts_total{kind="ServiceUnavailableException",outcome="failed",region="ap-southeast-1"} 1
fairway_build_info{version="v1"} 1
fairway_calls_total{kind="",operation="ConverseStream",outcome="ok"} 2
fairway_calls_total{kind="ThrottlingException",operation="InvokeModel",outcome="failed"} 1
fairway_continuations_total 0
fairway_cost_usd_total{model="anthropic.claude-sonnet-4-20250514-v1:0"} 1
fairway_cuts_total 0
fairway_fallbacks_total 0
fairway_held_bytes 4096
fairway_in_flight 3
fairway_overload_total 1
fairway_retries_total 0
fairway_shadows_skipped_total 5
fairway_tokens_total{model="anthropic.claude-sonnet-4-20250514-v1:0",type="cache_read"} 60
fairway_tokens_total{model="anthropic.claude-sonnet-4-20250514-v1:0",type="cache_write"} 80
fairway_tokens_total{model="anthropic.claude-sonnet-4-20250514-v1:0",type="input"} 20
fairway_tokens_total{model="anthropic.claude-sonnet-4-20250514-v1:0",type="output"} 40
`
	got := scrape(t, m)
	var ours strings.Builder
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "fairway_") && !strings.Contains(line, "_seconds") {
			ours.WriteString(line)
		}
	}
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), ours.String()); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if problems, err := promlint.New(strings.NewReader(got)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("lint = %v, %v, want nothing", problems, err)
	}
}

// scrape is what Prometheus is served.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("GET /metrics = %d, want 200", w.Code)
	}
	return w.Body.String()
}

// TestHistograms: a call lasts to the end of its answer, its first content comes
// when its attempts have taken that long, and a call without content has none.
func TestHistograms(t *testing.T) {
	m := newTestMetrics()
	put(t, m, answered(), refused(inference.Validation))
	got := scrape(t, m)
	for _, want := range []string{
		`fairway_call_duration_seconds_sum{operation="ConverseStream",outcome="ok"} 4`,
		`fairway_call_duration_seconds_bucket{operation="ConverseStream",outcome="ok",le="2.5"} 0`,
		`fairway_call_duration_seconds_bucket{operation="ConverseStream",outcome="ok",le="5"} 1`,
		`fairway_call_duration_seconds_count{operation="InvokeModel",outcome="failed"} 1`,
		`fairway_first_content_seconds_sum{operation="ConverseStream",outcome="ok"} 0.4`,
		`fairway_first_content_seconds_count{operation="InvokeModel",outcome="failed"} 0`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("metrics have no line %s:\n%s", want, got)
		}
	}
}

// TestLabelsAreBounded: what callers write makes no series.
func TestLabelsAreBounded(t *testing.T) {
	m := newTestMetrics()
	for i := range 100 {
		name := fmt.Sprint("invented-", i)
		put(t, m, &inference.Record{
			Operation: inference.Operation(name), Model: inference.ModelID(name),
			Usage: inference.Usage{InputTokens: 1}, Error: &inference.Failure{Type: inference.Kind(name)},
		})
		m.Attempt(inference.Target{Region: inference.Region(name)}, inference.Attempt{Outcome: inference.Failed, Kind: inference.Kind(name)})
	}
	got := scrape(t, m)
	for _, want := range []string{
		`fairway_calls_total{kind="other",operation="other",outcome="failed"} 100`,
		`fairway_attempts_total{kind="other",outcome="failed",region="other"} 100`,
		`fairway_tokens_total{model="other",type="input"} 100`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("metrics have no line %s", want)
		}
	}
	if strings.Contains(got, "invented") {
		t.Errorf("metrics name what a caller invented:\n%s", got)
	}
}

// TestMetricsTogether: series are made once, whoever comes first.
func TestMetricsTogether(t *testing.T) {
	m := newTestMetrics()
	done := make(chan error)
	for range 8 {
		go func() { done <- m.Put(t.Context(), answered()) }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if want := `fairway_calls_total{kind="",operation="ConverseStream",outcome="ok"} 8`; !strings.Contains(scrape(t, m), want) {
		t.Errorf("metrics have no line %s", want)
	}
}

func BenchmarkPut(b *testing.B) {
	m, r, ctx := newTestMetrics(), answered(), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		m.Put(ctx, r)
	}
}

func BenchmarkAttempt(b *testing.B) {
	m := newTestMetrics()
	b.ReportAllocs()
	for b.Loop() {
		m.Attempt(inference.Target{Region: region}, inference.Attempt{Outcome: inference.OK})
	}
}
